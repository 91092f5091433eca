/* routes_old.c - the routes of families from before, where the kernel has them: AX.25, NET/ROM,
 * ROSE, X.25, IPX, AppleTalk; netstat.h.
 *
 * Most of their files have columns at fixed places; a line that is shorter has empty ones.
 */
#include "netstat/tables.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 256

/* A line, with nothing but NUL behind it. */
static bool next_line(FILE *f, char line[LINE_BYTES])
{
    memset(line, 0, LINE_BYTES);
    return fgets(line, LINE_BYTES, f) != NULL;
}

/* The number at that place; 0 where none is. */
static int number_at(const char line[LINE_BYTES], long place)
{
    return place >= 0 && place < LINE_BYTES - 1 ? (int)strtol(line + place, NULL, 10) : 0;
}

int netstat_routes_ax25(struct netstat *n)
{
    char line[LINE_BYTES];
    FILE *f = fopen("/proc/net/ax25_route", "re");
    if (!f) {
        perror("/proc/net/ax25_route");
        puts("AX.25 not configured in this system.");
        return NETSTAT_FAILED;
    }
    puts("Kernel AX.25 routing table\nDestination  Iface    Use");
    next_line(f, line);
    while (next_line(f, line)) {
        line[9] = line[14] = '\0';
        printf("%-9s    %-5s  %5d\n", line, netstat_interface_name(n, line + 10),
               number_at(line, 15));
    }
    fclose(f);
    return STATUS_DONE;
}

/* The neighbour of that number, of nr_neigh. */
static void put_netrom_neighbour(struct netstat *n, FILE *f, int number, int quality)
{
    char line[LINE_BYTES];
    rewind(f);
    next_line(f, line);
    while (next_line(f, line)) {
        if (number_at(line, 0) != number)
            continue;
        line[15] = line[20] = '\0';
        printf("%3d      %-9s  %s\n", quality, line + 6, netstat_interface_name(n, line + 16));
        return;
    }
}

/* Of each node the neighbour that it is reached by: `which`, counted from 1, of those behind it. */
static void put_netrom(struct netstat *n, FILE *nodes, FILE *neighbours)
{
    char line[LINE_BYTES];
    puts("Kernel NET/ROM routing table\n"
         "Destination  Mnemonic  Quality  Neighbour  Iface");
    next_line(nodes, line);
    while (next_line(nodes, line)) {
        line[9] = line[17] = '\0';
        long which = number_at(line, 19) - 1L;
        printf("%-9s    %-7s   ", line, line + 10);
        put_netrom_neighbour(n, neighbours, number_at(line, 32 + 15 * which),
                             number_at(line, 24 + 15 * which));
    }
}

int netstat_routes_netrom(struct netstat *n)
{
    FILE *nodes = fopen("/proc/net/nr_nodes", "re");
    FILE *neighbours = fopen("/proc/net/nr_neigh", "re");
    bool there = nodes && neighbours;
    /* the second message is about the errno that the first one left, as net-tools' is */
    if (!nodes)
        perror("/proc/net/nr_nodes");
    if (!neighbours)
        perror("/proc/net/nr_neigh");
    if (there)
        put_netrom(n, nodes, neighbours);
    else
        puts("NET/ROM not configured in this system.");
    if (nodes)
        fclose(nodes);
    if (neighbours)
        fclose(neighbours);
    return there ? STATUS_DONE : NETSTAT_FAILED;
}

static void put_rose_neighbour(struct netstat *n, FILE *f, int number)
{
    char line[LINE_BYTES];
    rewind(f);
    next_line(f, line);
    while (next_line(f, line)) {
        line[15] = line[21] = '\0';
        if (number_at(line, 0) == number)
            printf("%-10s   %-4s", line + 6, netstat_interface_name(n, line + 16));
    }
}

int netstat_routes_rose(struct netstat *n)
{
    char line[LINE_BYTES];
    FILE *neighbours = fopen("/proc/net/rose_neigh", "re");
    FILE *nodes = fopen("/proc/net/rose_nodes", "re");
    if (!nodes) {
        perror("/proc/net/rose_nodes");
        fputs("ROSE not configured in this system.\n", stderr);
    } else {
        puts("Kernel ROSE routing table\nDestination  neigh1 callsign  device  neigh2 callsign  "
             "device  neigh3 callsign  device");
        next_line(nodes, line);
    }
    while (nodes && next_line(nodes, line)) {
        static const unsigned char ends[] = {10, 15, 17, 23, 29, 35};
        for (size_t k = 0; k < sizeof ends; k++)
            line[ends[k]] = '\0';
        printf("%-10s   ", line);
        for (int k = 0; k < number_at(line, 16) && k < 3; k++) {
            int number = number_at(line, 6L * (k + 3));
            printf("%05d  ", number);
            if (neighbours)
                put_rose_neighbour(n, neighbours, number);
        }
        putchar('\n');
    }
    if (neighbours)
        fclose(neighbours);
    if (nodes)
        fclose(nodes);
    return nodes ? STATUS_DONE : NETSTAT_FAILED;
}

int netstat_routes_x25(struct netstat *n)
{
    char line[LINE_BYTES];
    FILE *f = fopen("/proc/net/x25/route", "re");
    if (!f)
        f = fopen("/proc/net/x25_routes", "re");
    if (!f) {
        puts("X.25 not configured in this system.");
        return NETSTAT_FAILED;
    }
    puts("Kernel X.25 routing table\nDestination          Iface");
    next_line(f, line);
    while (next_line(f, line)) {
        line[strcspn(line, "\n")] = '\0';
        line[24] = line[35] = '\0';
        int digits = number_at(line, 17);
        digits = digits < 0 || digits > 15 ? 15 : digits;
        line[digits] = '\0';
        if (digits == 0)
            printf("*                    %-5s\n", netstat_interface_name(n, line + 25));
        else
            printf("%s/%-*d   %-5s\n", line, 17 - digits, digits,
                   netstat_interface_name(n, line + 25));
    }
    fclose(f);
    return STATUS_DONE;
}

/* --- IPX --- */

const char *netstat_ipx_network(struct netstat_ipx *a, const char *text)
{
    char *end;
    unsigned long network = strtoul(text, &end, 16);
    *a = (struct netstat_ipx){0};
    if (network == 0 || network == 0xffffffff)
        return "";
    a->network = (uint32_t)network;
    return end;
}

static int nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

void netstat_ipx_node(struct netstat_ipx *a, const char *text)
{
    for (size_t i = 0; i < 2 * sizeof a->node; i++) {
        int value = nibble(text[i]);
        if (value < 0)
            return;
        a->node[i / 2] |= (uint8_t)(i % 2 ? value : value << 4);
    }
}

char *netstat_ipx_text(const struct netstat_ipx *a, char out[IPX_TEXT_MAX])
{
    static const uint8_t none[sizeof a->node];
    bool node = memcmp(a->node, none, sizeof none) != 0;
    const uint8_t *b = a->node;
    int n = a->network ? snprintf(out, IPX_TEXT_MAX, "%08X%s", a->network, node ? ":" : "") : 0;
    out[n] = '\0';
    if (node)
        snprintf(out + n, IPX_TEXT_MAX - (size_t)n, "%02X%02X%02X%02X%02X%02X", b[0], b[1], b[2],
                 b[3], b[4], b[5]);
    return out;
}

int netstat_routes_ipx(struct netstat *n)
{
    char line[1023], to[128], net[128], node[128];
    char to_text[IPX_TEXT_MAX], net_text[IPX_TEXT_MAX], node_text[IPX_TEXT_MAX];
    FILE *f = fopen("/proc/net/ipx/route", "re");
    (void)n;
    if (!f)
        f = fopen("/proc/net/ipx_route", "re");
    if (!f) {
        perror(NULL);
        puts("IPX routing not in file /proc/net/ipx/route or /proc/net/ipx_route found.");
        return NETSTAT_FAILED;
    }
    puts("Kernel IPX routing table\n"
         "Destination               Router Net                Router Node");
    bool titled = fgets(line, sizeof line, f) != NULL;
    while (titled && fgets(line, sizeof line, f)) {
        struct netstat_ipx a, b, c = {0};
        if (sscanf(line, "%127s %127s %127s", to, net, node) < 3)
            continue;
        netstat_ipx_network(&a, to);
        netstat_ipx_network(&b, net);
        netstat_ipx_node(&c, node);
        printf("%-25s %-25s %-25s\n", netstat_ipx_text(&a, to_text), netstat_ipx_text(&b, net_text),
               netstat_ipx_text(&c, node_text));
    }
    fclose(f);
    return STATUS_DONE;
}

/* --- AppleTalk --- */

int netstat_routes_ddp(struct netstat *n)
{
    static const struct route_letter letters[] = {
        {ROUTE_UP, "U"},       {ROUTE_GATEWAY, "G"},     {ROUTE_REJECT, "!"},
        {ROUTE_HOST, "H"},     {ROUTE_REINSTATE, "R"},   {ROUTE_DYNAMIC, "D"},
        {ROUTE_MODIFIED, "M"}, {ROUTE_DEFAULT, "d"},     {ROUTE_ALL_ON_LINK, "a"},
        {ROUTE_ADDRCONF, "c"}, {ROUTE_NO_NEXT_HOP, "o"}, {ROUTE_EXPIRES, "e"},
        {ROUTE_CACHE, "c"},    {ROUTE_FLOW, "f"},        {ROUTE_POLICY, "p"},
        {ROUTE_LOCAL, "l"},    {ROUTE_MTU, "u"},         {ROUTE_WINDOW, "w"},
        {ROUTE_IRTT, "i"},     {ROUTE_NOT_CACHED, "n"},  {0},
    };
    char to[128], gateway[128], flags[128], device[128], shown[ROUTE_FLAGS_MAX];
    FILE *f = fopen("/proc/net/atalk_route", "re");
    if (!f) {
        perror("Error opening /proc/net/atalk_route");
        fputs("DDP (AppleTalk) not configured on this system.\n", stderr);
        return NETSTAT_FAILED;
    }
    puts("Destination     Gateway         Device          Flags");
    int got = fscanf(f, "%127s %127s %127s %127s", to, gateway, flags, device); /* the titles */
    while (got == 4) {
        got = fscanf(f, "%127s %127s %127s %127s", to, gateway, flags, device);
        if (got < 4)
            break;
        netstat_route_letters("", letters, (unsigned)strtol(flags, NULL, 10), shown);
        printf("%-16s%-16s%-16s%s\n", to, gateway, netstat_interface_name(n, device), shown);
    }
    fclose(f);
    return STATUS_DONE;
}
