/* masquerade.c - net-tools' -M: /proc/net/ip_masquerade, which kernels before 2.4 had; netstat.h.
 *
 *   Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta PDelta Expires (free=40960,40960,40960)
 *   TCP 0A000005 0400 C0A80101 0050 EE49 00000000      0      0    8993
 */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX (1 << 20)

struct masqueraded {
    const char *protocol;
    struct hail_addr from, to;
    uint16_t from_port, to_port, port;
    unsigned long sequence, expires; /* expires: hundredths of a second */
    short delta, previous;
};

struct table {
    struct masqueraded *v; /* owned */
    size_t n;
    bool previous; /* has the delta before the last */
};

static const char *protocol_of(const char *word)
{
    static const char *const names[][2] = {{"IP", "ip"},     {"TCP", "tcp"}, {"UDP", "udp"},
                                           {"ICMP", "icmp"}, {"GRE", "gre"}, {"ESP", "esp"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], word) == 0)
            return names[i][1];
    return NULL;
}

static struct hail_addr address_of(uint32_t number)
{
    return (struct hail_addr){.len = sizeof(struct sockaddr_in),
                              .u.in4 = {AF_INET, 0, {htonl(number)}, {0}}};
}

static bool broken(const char *why)
{
    fprintf(stderr, "masq_info.c: Internal Error `%s'.\n", why);
    return false;
}

/* The next entry: 1, 0 at the end, -1 with a message. */
static int next(FILE *f, bool previous, struct masqueraded *m)
{
    char word[256];
    uint32_t from, to;
    int n = fscanf(f, " %255s %8x:%4hx %8x:%4hx %4hx %lx %hd", word, &from, &m->from_port, &to,
                   &m->to_port, &m->port, &m->sequence, &m->delta);
    if (n < 0)
        return 0;
    if (n != 8 || (previous && fscanf(f, " %hd", &m->previous) != 1) ||
        fscanf(f, " %lu", &m->expires) != 1) {
        broken("ip_masquerade format error");
        return -1;
    }
    m->protocol = protocol_of(word);
    if (!m->protocol) {
        broken("ip_masquerade unknown type");
        return -1;
    }
    m->from = address_of(from);
    m->to = address_of(to);
    return 1;
}

static bool read_all(FILE *f, struct table *t)
{
    char titles[256];
    struct masqueraded one = {0};
    int got = 0;
    if (!fgets(titles, sizeof titles, f))
        return broken("fgets() failed");
    t->previous = strstr(titles, "PDelta") != NULL;
    while (t->n < ENTRIES_MAX && (got = next(f, t->previous, &one)) > 0) {
        if ((t->n & (t->n - 1)) == 0) { /* a power of two is full */
            size_t room = t->n ? 2 * t->n : 1;
            struct masqueraded *v = realloc(t->v, room * sizeof *v);
            if (!v)
                return broken("realloc() failed");
            t->v = v;
        }
        t->v[t->n++] = one;
    }
    return got >= 0;
}

static void put(struct netstat *n, const struct table *t, const struct masqueraded *m)
{
    printf("%-4s%3lu:%02lu.%02lu ", m->protocol, m->expires / 6000, m->expires / 100 % 60,
           m->expires % 100);
    if (n->extend && t->previous)
        printf("%10lu %5hd %5hd ", m->sequence, m->delta, m->previous);
    else if (n->extend)
        printf("%10lu %5hd     - ", m->sequence, m->delta);
    printf("%-20s ", netstat_host(n, &m->from));
    printf("%-20s ", netstat_host(n, &m->to));
    printf("%s -> ", netstat_port(n, m->from_port, m->protocol));
    printf("%s", netstat_port(n, m->to_port, m->protocol));
    printf(" (%s)\n", netstat_port(n, m->port, m->protocol));
}

int netstat_masquerade(struct netstat *n)
{
    struct table t = {0};
    FILE *f = fopen("/proc/net/ip_masquerade", "re");
    if (!f && errno != ENOENT) {
        perror("/proc/net/ip_masquerade");
        return NETSTAT_BROKEN;
    }
    if (!f) {
        netstat_unsupported("ip_masquerade");
        return NETSTAT_FAILED;
    }
    bool good = read_all(f, &t);
    fclose(f);
    if (good && t.n) {
        puts("IP masquerading entries");
        printf("prot   expire %ssource               destination          ports\n",
               n->extend ? "   initseq delta prevd " : "");
    }
    for (size_t i = 0; good && i < t.n; i++)
        put(n, &t, &t.v[i]);
    free(t.v);
    return good ? STATUS_DONE : NETSTAT_BROKEN;
}
