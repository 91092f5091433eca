/* metrics_kernel.c - the kernel's own counters and the memory of its sockets, from /proc/net
 * (proc(5)), as metrics; metrics.h.
 *
 *   Tcp: RtoAlgorithm RtoMin ...        snmp, netstat: a line of names, a line of numbers
 *   Tcp: 1 200 ...
 *   Udp6InDatagrams      91             snmp6
 *   TCP: inuse 1 orphan 0 ... mem 97    sockstat: names and numbers in one line; mem in pages
 */
#include "netstat/metrics.h"

#include "diag/netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MAX 65536 /* bytes of a file */

/* The file's content, or what of it is there. */
static void read_file(const char *path, struct hail_buf *out)
{
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "re");
    hail_buf_init(out, TABLE_MAX);
    while (f && (n = fread(piece, 1, sizeof piece, f)) > 0)
        hail_buf_add(out, piece, n);
    if (f)
        fclose(f);
}

/* The n-th word from `p` on in its line (0: the one at `p`), or NULL. */
static const char *word_at(const char *p, size_t n)
{
    for (p += strspn(p, " \t"); n > 0 && *p && *p != '\n'; n--) {
        p += strcspn(p, " \t\n");
        p += strspn(p, " \t");
    }
    return *p && *p != '\n' ? p : NULL;
}

static bool word_is(const char *p, const char *word)
{
    size_t n = strlen(word);
    return strncmp(p, word, n) == 0 && (p[n] == '\0' || strchr(" \t\n", p[n]));
}

/* The line that begins with "TITLE:", behind that; from `p` on. */
static const char *line_of(const char *p, const char *title)
{
    size_t n = strlen(title);
    for (; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
        if (strncmp(p, title, n) == 0 && p[n] == ':')
            return p + n + 1;
    return NULL;
}

static bool number(const char *p, uint64_t *out)
{
    if (!p || *p < '0' || *p > '9')
        return false;
    *out = strtoull(p, NULL, 10);
    return true;
}

/* A line of names, the next one of numbers. */
static bool of_two_lines(const struct hail_buf *b, const char *title, const char *name,
                         uint64_t *out)
{
    const char *names = b->p ? line_of(b->p, title) : NULL;
    const char *values = names ? line_of(names, title) : NULL, *word;
    for (size_t i = 0; values && (word = word_at(names, i)) != NULL; i++)
        if (word_is(word, name))
            return number(word_at(values, i), out);
    return false;
}

static bool of_pairs(const char *line, const char *name, uint64_t *out)
{
    const char *word;
    for (size_t i = 0; line && (word = word_at(line, i)) != NULL; i += 2)
        if (word_is(word, name))
            return number(word_at(line, i + 1), out);
    return false;
}

/* "NAME   VALUE", a line each. */
static bool of_lines(const struct hail_buf *b, const char *name, uint64_t *out)
{
    for (const char *p = b->p; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
        if (word_is(p, name))
            return number(word_at(p, 1), out);
    return false;
}

struct kernel_counter {
    const char *title, *name, *metric, *help;
};

static const struct kernel_counter tcp_counters[] = {
    {"Tcp", "ActiveOpens", "tcp_active_opens", "Connections that were begun from here."},
    {"Tcp", "PassiveOpens", "tcp_passive_opens", "Connections that came in."},
    {"Tcp", "AttemptFails", "tcp_failed_attempts", "Connections that came to nothing."},
    {"Tcp", "EstabResets", "tcp_resets", "Connections that were reset."},
    {"Tcp", "OutRsts", "tcp_sent_resets", "Segments with RST that were sent."},
    {"Tcp", "InSegs", "tcp_received_segments", "Segments that came in."},
    {"Tcp", "OutSegs", "tcp_sent_segments", "Segments that were sent for the first time."},
    {"Tcp", "RetransSegs", "tcp_retransmitted_segments", "Segments that were sent again."},
    {"Tcp", "InErrs", "tcp_receive_errors", "Segments that were not right."},
    {"TcpExt", "ListenOverflows", "tcp_listen_overflows",
     "Connections that found the queue of their listener full."},
    {"TcpExt", "ListenDrops", "tcp_listen_drops",
     "Connections that a listener dropped, whatever the reason."},
    {"TcpExt", "TCPReqQFullDrop", "tcp_request_queue_drops",
     "SYNs that found the queue of half-open connections full."},
    {"TcpExt", "SyncookiesSent", "tcp_sent_syncookies", "SYN cookies that were sent."},
    {"TcpExt", "TCPTimeouts", "tcp_retransmission_timeouts",
     "Times that an acknowledgement was awaited in vain."},
    {"TcpExt", "TCPSynRetrans", "tcp_retransmitted_syns", "SYNs that were sent again."},
    {"TcpExt", "TCPAbortOnMemory", "tcp_aborts_on_memory",
     "Connections that were ended for lack of memory."},
    {"TcpExt", "TCPMemoryPressures", "tcp_memory_pressures",
     "Times that TCP came to be short of memory."},
    {"TcpExt", "TCPBacklogDrop", "tcp_backlog_drops",
     "Segments that a busy socket had no room for."},
    {"TcpExt", "TCPTimeWaitOverflow", "tcp_time_wait_overflows",
     "Connections that found no place to wait in TIME_WAIT."},
};

/* Of IPv4; IPv6 has its own, called Udp6... */
static const struct kernel_counter udp_counters[] = {
    {"Udp", "InDatagrams", "udp_received_datagrams", "Datagrams that were handed to a socket."},
    {"Udp", "OutDatagrams", "udp_sent_datagrams", "Datagrams that were sent."},
    {"Udp", "NoPorts", "udp_unknown_ports", "Datagrams to a port that nobody had."},
    {"Udp", "InErrors", "udp_receive_errors", "Datagrams that did not reach their socket."},
    {"Udp", "RcvbufErrors", "udp_receive_buffer_errors",
     "Datagrams that found the receive buffer full."},
    {"Udp", "SndbufErrors", "udp_send_buffer_errors",
     "Datagrams that found no room in the send buffer."},
};

struct tables {
    struct hail_buf snmp, netstat, snmp6, sockstat, limits;
};

static void put_tcp(struct openmetrics *m, const struct tables *t)
{
    uint64_t v;
    for (size_t i = 0; i < sizeof tcp_counters / sizeof *tcp_counters; i++) {
        const struct kernel_counter *c = &tcp_counters[i];
        const struct hail_buf *b = strcmp(c->title, "Tcp") == 0 ? &t->snmp : &t->netstat;
        if (of_two_lines(b, c->title, c->name, &v))
            openmetrics_counter(m, c->metric, c->help, v);
    }
}

static void put_udp(struct openmetrics *m, const struct tables *t)
{
    static const struct openmetrics_label inet[] = {{"family", "inet"}, {0}},
                                          inet6[] = {{"family", "inet6"}, {0}};
    for (size_t i = 0; i < sizeof udp_counters / sizeof *udp_counters; i++) {
        const struct kernel_counter *c = &udp_counters[i];
        char name[40];
        uint64_t v4, v6;
        snprintf(name, sizeof name, "Udp6%s", c->name);
        bool has4 = of_two_lines(&t->snmp, "Udp", c->name, &v4),
             has6 = of_lines(&t->snmp6, name, &v6);
        if (has4 || has6)
            openmetrics_family(m, c->metric, OPENMETRICS_COUNTER, c->help);
        if (has4)
            openmetrics_put_count(m, inet, v4);
        if (has6)
            openmetrics_put_count(m, inet6, v6);
    }
}

static void put_memory(struct openmetrics *m, const struct tables *t, bool tcp, bool udp)
{
    const char *line = t->sockstat.p ? line_of(t->sockstat.p, "TCP") : NULL;
    uint64_t v, page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (tcp && of_pairs(line, "mem", &v))
        openmetrics_gauge(m, "tcp_memory_bytes", "Memory that TCP takes for its buffers.",
                          v * page);
    if (tcp && t->limits.p && number(word_at(t->limits.p, 2), &v))
        openmetrics_gauge(m, "tcp_memory_limit_bytes", "Memory that it may take at most.",
                          v > UINT64_MAX / page ? UINT64_MAX : v * page);
    if (tcp && of_pairs(line, "orphan", &v))
        openmetrics_gauge(m, "tcp_orphans", "Connections that no process has any more.", v);
    line = t->sockstat.p ? line_of(t->sockstat.p, "UDP") : NULL;
    if (udp && of_pairs(line, "mem", &v))
        openmetrics_gauge(m, "udp_memory_bytes", "Memory that UDP takes for its buffers.",
                          v * page);
}

/* /proc/net is that of the process' first thread; /proc/thread-self/net is ours. */
static void read_tables(struct tables *t)
{
    read_file("/proc/thread-self/net/snmp", &t->snmp);
    read_file("/proc/thread-self/net/netstat", &t->netstat);
    read_file("/proc/thread-self/net/snmp6", &t->snmp6);
    read_file("/proc/thread-self/net/sockstat", &t->sockstat);
}

static void free_tables(struct tables *t)
{
    hail_buf_free(&t->snmp);
    hail_buf_free(&t->netstat);
    hail_buf_free(&t->snmp6);
    hail_buf_free(&t->sockstat);
    hail_buf_free(&t->limits);
}

void metrics_kernel(const struct netstat *n, struct openmetrics *m, bool tcp, bool udp)
{
    struct tables t;
    struct hail_netns to = {.fd = -1};
    int back = -1;
    bool other = n->netns && strcmp(n->netns, "all") != 0;
    if (other && hail_netns_open(&n->c->ctx, n->netns, &to) < 0)
        return;
    if (!other || hail_netns_enter(&to, &back) == 0) {
        read_tables(&t);
        if (other && hail_netns_leave(back) < 0)
            exit(local_error("leave", "the network namespace", EPERM));
        read_file("/proc/sys/net/ipv4/tcp_mem", &t.limits); /* is one for all of them */
        if (tcp)
            put_tcp(m, &t);
        if (udp)
            put_udp(m, &t);
        put_memory(m, &t, tcp, udp);
        free_tables(&t);
    }
    if (other)
        hail_netns_close(&to);
}
