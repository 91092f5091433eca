/* legacy_old.c - net-tools' lists of the sockets of families from before, which most kernels have
 * not: IPX, AX.25, X.25, NET/ROM, ROSE; netstat.h. */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_BYTES 256

static bool next_line(FILE *f, char line[LINE_BYTES])
{
    memset(line, 0, LINE_BYTES);
    return fgets(line, LINE_BYTES, f) != NULL;
}

/* After fopen(3) failed: a kernel without the family is an error only where it was asked for. */
static int missing(const struct netstat *n, const char *path, const char *what)
{
    if (errno != ENOENT) {
        perror(path);
        return NETSTAT_BROKEN;
    }
    if (n->chosen || n->verbose)
        netstat_unsupported(what);
    return n->chosen ? NETSTAT_FAILED : STATUS_DONE;
}

static const char *state_of(const char *const *names, int count, int state)
{
    return state >= 0 && state < count ? names[state] : "UNKNOWN";
}

/* --- IPX --- */

struct ipx_end {
    char text[50];
    bool connected;
};

/* "0000000A:000000000001:4003" as net-tools writes it; false: there is no port. */
static bool ipx_end(struct ipx_end *e)
{
    char host[IPX_TEXT_MAX];
    struct netstat_ipx a;
    unsigned port = 0;
    e->connected = strcmp(e->text, "Not_Connected") != 0;
    char *colon = strrchr(e->text, ':');
    if (!e->connected || !colon) {
        strcpy(e->text, "-");
        return !e->connected;
    }
    *colon = '\0';
    sscanf(colon + 1, "%8X", &port);
    const char *node = netstat_ipx_network(&a, e->text);
    if (*node == ':')
        netstat_ipx_node(&a, node + 1);
    snprintf(e->text, sizeof e->text, "%s:%04X", netstat_ipx_text(&a, host), ntohs((uint16_t)port));
    return true;
}

static int ipx_failed(FILE *f, const char *which)
{
    fprintf(stderr, "netstat.c: Internal Error `ipx socket format error in %s port'.\n", which);
    fclose(f);
    return NETSTAT_BROKEN;
}

static int put_ipx(struct netstat *n, FILE *f)
{
    char line[LINE_BYTES];
    unsigned long sent = 0, received = 0;
    unsigned state = 0, uid = 0;
    printf("Active IPX sockets\nProto Recv-Q Send-Q Local Address              "
           "Foreign Address            State%s\n",
           n->extend ? " User" : "");
    next_line(f, line);
    while (next_line(f, line)) {
        struct ipx_end local = {0}, peer = {0};
        sscanf(line, "%49s %49s %lX %lX %u %u", local.text, peer.text, &sent, &received, &state,
               &uid);
        if (!ipx_end(&local) || !local.connected)
            return ipx_failed(f, "source");
        if (!ipx_end(&peer))
            return ipx_failed(f, "destination");
        printf("IPX   %6lu %6lu %-26s %-26s %-5s", sent, received, local.text, peer.text,
               state == 1   ? "ESTAB"
               : state == 7 ? ""
                            : "UNK.");
        if (n->extend)
            printf(" %-10s", netstat_user(n, uid));
        putchar('\n');
    }
    fclose(f);
    return STATUS_DONE;
}

/* Where the kernel has no IPX, /proc/net/ipx may still be a folder. */
static int ipx(struct netstat *n)
{
    struct stat s;
    FILE *f = fopen("/proc/net/ipx/socket", "re");
    if (!f && errno != ENOENT)
        return missing(n, "/proc/net/ipx/socket", "AF IPX");
    if (!f)
        f = fopen("/proc/net/ipx", "re");
    if (f && (fstat(fileno(f), &s) < 0 || !S_ISREG(s.st_mode))) {
        fclose(f);
        f = NULL;
        errno = ENOENT;
    }
    return f ? put_ipx(n, f) : missing(n, "/proc/net/ipx", "AF IPX");
}

/* --- packet radio and X.25 --- */

static const char *const link_states[] = {"LISTENING", "SABM SENT", "DISC SENT", "ESTABLISHED",
                                          "RECOVERY"};
static const char *const x25_states[] = {"LISTENING", "SABM_SENT", "DISC_SENT", "ESTABLISHED",
                                         "RECOVERY"};
static const char *const circuit_states[] = {"LISTENING", "CONN SENT", "DISC SENT", "ESTABLISHED"};

static int ax25(struct netstat *n)
{
    char line[LINE_BYTES], device[64], source[64], to[128];
    FILE *f = fopen("/proc/net/ax25", "re");
    if (!f)
        return missing(n, "/proc/net/ax25", "AF AX25");
    puts("Active AX.25 sockets\n"
         "Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q");
    while (next_line(f, line)) {
        int state, vs, vr, sent = 0, received = 0;
        int got = sscanf(line,
                         "%*s %63s %63s %127s %d %d %d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d "
                         "%*d %*d %*d %*d %d %d",
                         device, source, to, &state, &vs, &vr, &sent, &received);
        if (got != 6 && got != 8) {
            puts("problem reading data from /proc/net/ax25");
            continue;
        }
        to[strcspn(to, ",")] = '\0'; /* without the digipeaters on the way */
        printf("%-9s  %-9s  %-6s  %-11s  %03d/%03d  %-6d  %-6d\n", to, source,
               netstat_interface_name(n, device), state_of(link_states, 5, state), vr, vs, sent,
               received);
    }
    fclose(f);
    return STATUS_DONE;
}

static int x25(struct netstat *n)
{
    char line[LINE_BYTES], device[16] = "";
    int circuit = 0, state = 0, vs = 0, vr = 0, sent = 0, received = 0;
    FILE *f = fopen("/proc/net/x25", "re");
    if (!f)
        return missing(n, "/proc/net/x25", "AF X25");
    puts("Active X.25 sockets\n"
         "Dest         Source          Device  LCI  State        Vr/Vs  Send-Q  Recv-Q");
    next_line(f, line);
    while (next_line(f, line)) {
        line[10] = line[20] = '\0';
        sscanf(line + 22, "%15s %d %d %d %d %*d %*d %*d %*d %*d %*d %d %d", device, &circuit,
               &state, &vs, &vr, &sent, &received);
        if (n->all || circuit)
            printf("%-15s %-15s %-7s %-3d  %-11s  %02d/%02d  %-6d  %-6d\n", line, line + 11,
                   netstat_interface_name(n, device), circuit, state_of(x25_states, 5, state), vr,
                   vs, sent, received);
    }
    fclose(f);
    return STATUS_DONE;
}

static int netrom(struct netstat *n)
{
    char line[LINE_BYTES], device[16];
    FILE *f = fopen("/proc/net/nr", "re");
    if (!f)
        return missing(n, "/proc/net/nr", "AF NETROM");
    puts("Active NET/ROM sockets\n"
         "User       Dest       Source     Device  State        Vr/Vs    Send-Q  Recv-Q");
    next_line(f, line);
    while (next_line(f, line)) {
        int state, vs, vr, sent, received;
        line[9] = line[19] = line[29] = '\0';
        if (sscanf(line + 30,
                   "%15s %*x/%*x %*x/%*x %d %d %d %*d %*d/%*d %*d/%*d %*d/%*d %*d/%*d %*d/%*d %*d "
                   "%d %d",
                   device, &state, &vs, &vr, &sent, &received) != 6) {
            puts("Problem reading data from /proc/net/nr");
            continue;
        }
        printf("%-9s  %-9s  %-9s  %-6s  %-11s  %03d/%03d  %-6d  %-6d\n", line, line + 10, line + 20,
               netstat_interface_name(n, device), state_of(circuit_states, 4, state), vr, vs, sent,
               received);
    }
    fclose(f);
    return STATUS_DONE;
}

static int rose(struct netstat *n)
{
    char line[LINE_BYTES], to[16], to_call[16], from[16], from_call[16], device[16];
    FILE *f = fopen("/proc/net/rose", "re");
    if (!f)
        return missing(n, "/proc/net/rose", "AF ROSE");
    puts("Active ROSE sockets\n"
         "dest_addr   dest_call  src_addr    src_call  dev   lci neigh   state");
    next_line(f, line);
    while (next_line(f, line)) {
        int circuit, neighbour, state;
        if (sscanf(line, "%15s %15s %15s %15s %15s %d %d %d", to, to_call, from, from_call, device,
                   &circuit, &neighbour, &state) != 8) {
            puts("Problem reading data from /proc/net/rose");
            continue;
        }
        printf("%-10s  %-9s  %-10s  %-9s %-5s %3d %5d   %s\n", to, to_call, from, from_call,
               netstat_interface_name(n, device), circuit, neighbour,
               state_of(circuit_states, 4, state));
    }
    fclose(f);
    return STATUS_DONE;
}

/* Debian's net-tools is built without. */
static int bluetooth(struct netstat *n)
{
    if (!n->chosen)
        return STATUS_DONE;
    fflush(stdout);
    fputs("netstat: feature `AF BLUETOOTH' not supported.\n"
          "Please recompile `net-tools' with newer kernel source or full configuration.\n",
          stderr);
    return NETSTAT_FAILED;
}

int netstat_legacy_old(struct netstat *n)
{
    const struct {
        bool asked;
        int (*list)(struct netstat *n);
    } families[] = {{n->ipx, ipx},       {n->ax25, ax25}, {n->x25, x25},
                    {n->netrom, netrom}, {n->rose, rose}, {n->l2cap || n->rfcomm, bluetooth}};
    int status = STATUS_DONE;
    for (size_t i = 0; i < sizeof families / sizeof *families && status == STATUS_DONE; i++)
        if (!n->chosen || families[i].asked)
            status = families[i].list(n);
    return status;
}
