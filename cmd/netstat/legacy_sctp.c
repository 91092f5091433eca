/* legacy_sctp.c - net-tools' list of SCTP sockets; netstat.h.
 *
 *   ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS                      /proc/net/sctp/eps
 *   ASSOC SOCK STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT
 *       LADDRS <-> RADDRS ...                                           /proc/net/sctp/assocs
 *
 * A socket has a line for each of its addresses, of which the first has the rest of its row.
 */
#include "netstat/netstat.h"
#include "netstat/row.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 8192
#define WORDS_MAX  16
#define BLANKS     " \t\n"

static const char *state_of(int state)
{
    static const char *const names[] = {"",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                        "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                        "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
    static char text[32];
    if (state >= 0 && (size_t)state < sizeof names / sizeof *names)
        return names[state];
    snprintf(text, sizeof text, "UNKNOWN(%d)", state);
    return text;
}

/* The name of an address as these files write it: "10.0.0.1", or IPv6 in eight full groups. */
static const char *host(struct netstat *n, const char *text)
{
    struct hail_addr a = {.len = sizeof a.u.in4, .u.in4.sin_family = AF_INET};
    if (strchr(text, ':')) {
        a = (struct hail_addr){.len = sizeof a.u.in6, .u.in6.sin6_family = AF_INET6};
        inet_pton(AF_INET6, text, &a.u.in6.sin6_addr);
    } else {
        a.u.in4.sin_addr.s_addr = inet_addr(text);
    }
    return netstat_host(n, &a);
}

static void finish(struct netstat *n, const char *user, const char *inode)
{
    struct row r;
    row_begin(&r);
    if (n->extend)
        printf(" %-10s %-10lu", netstat_user(n, (uint32_t)atoi(user)), strtoul(inode, NULL, 0));
    netstat_legacy_program(n, &r, (uint32_t)strtoul(inode, NULL, 0));
    fwrite(r.line, 1, (size_t)(r.p - r.line), stdout);
    puts(n->timers ? " " : "");
}

/* Takes `count` words off the line; what is behind them, or NULL where there are fewer. */
static char *take_words(char *line, char **words, size_t count)
{
    char *save = NULL;
    for (size_t i = 0; i < count; i++) {
        words[i] = strtok_r(i ? NULL : line, BLANKS, &save);
        if (!words[i])
            return NULL;
    }
    return save;
}

static void endpoint(struct netstat *n, char *line)
{
    enum { STATE = 3, PORT = 5, USER, INODE, WORDS };
    char *words[WORDS_MAX], *save, whole[160];
    char *addresses = take_words(line, words, WORDS);
    if (!addresses) {
        fputs("warning, got bogus sctp eps line.\n", stderr);
        return;
    }
    const char *port = netstat_port(n, (uint16_t)atoi(words[PORT]), "sctp");
    bool first = true;
    for (char *a = strtok_r(addresses, BLANKS, &save); a; a = strtok_r(NULL, BLANKS, &save)) {
        snprintf(whole, sizeof whole, "%.63s:%s", host(n, a), port);
        printf("%s%-47s %-11s", first ? "sctp                " : "\n                    ", whole,
               first ? state_of(atoi(words[STATE])) : "");
        first = false;
    }
    finish(n, words[USER], words[INODE]);
}

/* One end of an association, or blanks where it has no more addresses. */
static void put_end(struct netstat *n, const char *address, const char *port)
{
    char whole[160] = "";
    if (address)
        snprintf(whole, sizeof whole, "%.63s%s%s", host(n, address + (*address == '*')),
                 port ? ":" : "", port ? port : "");
    printf("%-23s", whole);
}

static void association(struct netstat *n, char *line)
{
    enum { STATE = 3, SENT = 7, RECEIVED, USER, INODE, LOCAL, PEER, WORDS };
    char *words[WORDS_MAX], *save, *saves[2];
    char *addresses = take_words(line, words, WORDS);
    if (!addresses) {
        fputs("warning, got bogus sctp assoc line.\n", stderr);
        return;
    }
    char *locals = strtok_r(addresses, "<->\t\n", &save);
    char *peers = locals ? strtok_r(NULL, "<->\t\n", &save) : NULL;
    const char *local = locals ? strtok_r(locals, BLANKS, &saves[0]) : NULL;
    const char *peer = peers ? strtok_r(peers, BLANKS, &saves[1]) : NULL;
    for (bool first = true; local || peer; first = false) {
        if (first)
            printf("sctp  %6u %6u ", (unsigned)atoi(words[RECEIVED]), (unsigned)atoi(words[SENT]));
        else
            fputs("\n                    ", stdout);
        put_end(n, local, first ? netstat_port(n, (uint16_t)atoi(words[LOCAL]), "sctp") : NULL);
        putchar(' ');
        put_end(n, peer, first ? netstat_port(n, (uint16_t)atoi(words[PEER]), "sctp") : NULL);
        printf(" %-11s", first ? state_of(atoi(words[STATE])) : "");
        local = local ? strtok_r(NULL, BLANKS, &saves[0]) : NULL;
        peer = peer ? strtok_r(NULL, BLANKS, &saves[1]) : NULL;
    }
    finish(n, words[USER], words[INODE]);
}

/* The lines behind the titles; false without the file. */
static bool list(struct netstat *n, const char *path, void (*put)(struct netstat *n, char *line))
{
    char line[LINE_BYTES];
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    if (fgets(line, sizeof line, f))
        while (fgets(line, sizeof line, f))
            put(n, line);
    fclose(f);
    return true;
}

static int list_both(struct netstat *n, const char *path, const char *path6,
                     void (*put)(struct netstat *n, char *line))
{
    int status = STATUS_DONE;
    if ((!n->chosen || n->inet) && !list(n, path, put)) {
        if (errno != ENOENT && errno != EACCES) {
            perror(path);
            return NETSTAT_BROKEN;
        }
        if (!n->all_protocols && (n->chosen || n->verbose))
            netstat_unsupported("AF INET (sctp)");
        status = !n->all_protocols && n->chosen ? NETSTAT_FAILED : STATUS_DONE;
    }
    if (!n->chosen || n->inet6)
        list(n, path6, put);
    return status;
}

int netstat_legacy_sctp(struct netstat *n)
{
    int status = STATUS_DONE;
    if (n->all || n->listening)
        status = list_both(n, "/proc/net/sctp/eps", "/proc/net/sctp6/eps", endpoint);
    if (status == STATUS_DONE && (n->all || !n->listening))
        status = list_both(n, "/proc/net/sctp/assocs", "/proc/net/sctp6/assocs", association);
    return status;
}
