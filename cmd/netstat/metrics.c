/* metrics.c - --metrics: the sockets as they are at each scrape, for Prometheus; metrics.h.
 *
 * A row is counted and gone. What is by name (process, unit, listener) is bounded: the METRICS_TOP
 * with the most sockets have series of their own, the others are told together as "other".
 */
#include "netstat/metrics.h"

#include "exporter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define DOCUMENT_MAX ((size_t)8 << 20)
#define KEY_MAX      2048

/* One scrape. */
struct scrape {
    struct netstat *n;
    uint64_t by_state[HAIL_KIND_COUNT][2][HAIL_BOUND + 1]; /* kind, IPv6, state */
    uint64_t receiving[HAIL_KIND_COUNT], sending[HAIL_KIND_COUNT];
    uint64_t retransmitted, lost, unacked; /* segments, of the TCP connections that are there */
    struct tally processes, units, listeners;
};

static const char *unit_of(const struct hail_socket_info *row, char *path, size_t path_size,
                           char *unit, size_t unit_size)
{
    *unit = '\0';
    if (row->has & HAIL_HAS_CGROUP && hail_cgroup_path(row->cgroup, path, path_size) == 0)
        hail_cgroup_unit(path, unit, unit_size);
    return strcmp(unit, "/") == 0 ? "" : unit;
}

/* The name of its first holder. */
static const char *process_of(const struct netstat *n, uint32_t inode)
{
    struct hail_holder h;
    return n->holders && hail_holder_get(n->holders, inode, 0, &h) ? h.process->name : "";
}

/* The key of a listener: protocol, address, port, process, unit. */
static size_t listener_key(const struct hail_socket_info *row, const char *process,
                           const char *unit, char key[KEY_MAX])
{
    char address[INET6_ADDRSTRLEN + IF_NAMESIZE + 2] = "", port[8] = "", name[512] = "";
    if (row->local.len) {
        struct hail_endpoint at = hail_endpoint_of(&row->local);
        snprintf(address, sizeof address, "%.*s%s%.*s", INET6_ADDRSTRLEN, at.host,
                 *at.zone ? "%" : "", IF_NAMESIZE, at.zone);
        snprintf(port, sizeof port, "%u", hail_addr_port(&row->local));
    } else if (row->name_len) {
        /* an abstract name begins with a NUL */
        snprintf(name, sizeof name, "%s%.*s", *row->name ? "" : "@",
                 (int)(row->name_len - !*row->name), row->name + !*row->name);
    }
    int n = snprintf(key, KEY_MAX, "%s%c%s%c%s%c%s%c%s", hail_socket_kind_name(row->kind), '\0',
                     *address ? address : name, '\0', port, '\0', process, '\0', unit);
    return n < 0 ? 0 : (size_t)(n < KEY_MAX ? n : KEY_MAX - 1) + 1;
}

static int note(void *arg, const struct hail_socket_info *row)
{
    struct scrape *s = arg;
    char path[1024], unit_text[256], key[KEY_MAX];
    unsigned state = row->state <= HAIL_BOUND ? row->state : HAIL_CLOSE;
    const char *unit = unit_of(row, path, sizeof path, unit_text, sizeof unit_text);
    const char *process = process_of(s->n, row->inode);
    s->by_state[row->kind][row->family == AF_INET6][state]++;
    if (row->tcp && row->kind == HAIL_KIND_TCP) {
        s->retransmitted += row->tcp->total_retrans;
        s->lost += row->tcp->lost;
        s->unacked += row->state == HAIL_LISTEN ? 0 : row->tcp->unacked;
    }
    int rc = tally_add(&s->processes, process, strlen(process) + 1, 0, 0);
    rc = rc < 0 ? rc : tally_add(&s->units, unit, strlen(unit) + 1, 0, 0);
    if (row->state != HAIL_LISTEN) {
        s->receiving[row->kind] += row->recv_q;
        s->sending[row->kind] += row->send_q;
    } else if (rc == 0) {
        size_t n = listener_key(row, process, unit, key);
        rc = tally_add(&s->listeners, key, n, row->recv_q, row->send_q);
    }
    return rc;
}

/* --- telling --- */

static bool seen(const struct scrape *s, int kind)
{
    for (int v6 = 0; v6 < 2; v6++)
        for (int state = 0; state <= HAIL_BOUND; state++)
            if (s->by_state[kind][v6][state])
                return true;
    return false;
}

/* "TIME_WAIT" as "time_wait". */
static const char *state_name(int kind, int state, char out[24])
{
    bool stateless = kind != HAIL_KIND_TCP && kind != HAIL_KIND_MPTCP && kind != HAIL_KIND_SCTP;
    const char *name = stateless && state == HAIL_CLOSE
                           ? "unconnected"
                           : hail_socket_state_name((enum hail_socket_state)state);
    size_t i = 0;
    for (; name[i] && i < 23; i++)
        out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    out[i] = '\0';
    return out;
}

/* A state of TCP in which there is nothing is told, too, when everything of TCP was asked for: a
 * series that comes and goes cannot be compared. */
static void put_states(const struct scrape *s, struct openmetrics *m)
{
    const struct netstat *n = s->n;
    bool zeros = !n->filter && !n->listening && (n->tcp || !n->udp);
    openmetrics_family(m, "sockets", OPENMETRICS_GAUGE, "Sockets by protocol, family and state.");
    for (int kind = 0; kind < HAIL_KIND_COUNT; kind++) {
        for (int i = 0; i < 2 * (HAIL_BOUND + 1); i++) {
            int v6 = i / (HAIL_BOUND + 1), state = i % (HAIL_BOUND + 1);
            uint64_t count = s->by_state[kind][v6][state];
            bool inet = kind < HAIL_KIND_UNIX;
            bool zero = zeros && kind == HAIL_KIND_TCP && state >= HAIL_ESTABLISHED &&
                        state <= HAIL_CLOSING && (n->inet == n->inet6 || n->inet6 == v6);
            char text[24];
            if (count || zero)
                openmetrics_put_count(
                    m,
                    (const struct openmetrics_label[]){
                        {"protocol", hail_socket_kind_name((enum hail_socket_kind)kind)},
                        {"family", !inet ? ""
                                   : v6  ? "inet6"
                                         : "inet"},
                        {"state", state_name(kind, state, text)},
                        {0}},
                    count);
        }
    }
}

static void put_queue(const struct scrape *s, struct openmetrics *m, const char *name,
                      const char *help, const uint64_t *bytes)
{
    openmetrics_family(m, name, OPENMETRICS_GAUGE, help);
    for (int kind = 0; kind < HAIL_KIND_COUNT; kind++)
        if (seen(s, kind))
            openmetrics_put_count(
                m,
                (const struct openmetrics_label[]){
                    {"protocol", hail_socket_kind_name((enum hail_socket_kind)kind)}, {0}},
                bytes[kind]);
}

/* What a tally's rows are called, and what of them is told. */
struct told {
    const char *name, *help;
    size_t at; /* of the number in struct tally_row */
};

static const char *const listener_labels[] = {"protocol", "address", "port", "process", "unit"};

static void put_row(struct openmetrics *m, const struct tally_row *row, const char *const *names,
                    size_t nnames, size_t at)
{
    struct openmetrics_label labels[6] = {{0}};
    const char *p = row->key;
    for (size_t i = 0; i < nnames; i++) {
        labels[i] = (struct openmetrics_label){names[i], p ? p : "other"};
        p = p && i + 1 < nnames ? p + strlen(p) + 1 : p; /* a part for each */
    }
    uint64_t value;
    memcpy(&value, (const char *)row + at, sizeof value);
    openmetrics_put_count(m, labels, value);
}

static void put_tally(struct openmetrics *m, const struct tally *t, size_t top,
                      const char *const *names, size_t nnames, const struct told *told)
{
    openmetrics_family(m, told->name, OPENMETRICS_GAUGE, told->help);
    for (size_t i = 0; i < top; i++)
        put_row(m, &t->v[i], names, nnames, told->at);
    if (t->rest.sockets)
        put_row(m, &t->rest, names, nnames, told->at);
}

static void put_names(struct scrape *s, struct openmetrics *m)
{
    static const char *const process = "process", *const unit = "unit";
    static const struct told listeners[] = {
        {"listeners", "Sockets that wait for connections.", offsetof(struct tally_row, sockets)},
        {"listener_queue", "Connections that wait to be accepted.",
         offsetof(struct tally_row, waiting)},
        {"listener_queue_limit", "Connections that may wait at most.",
         offsetof(struct tally_row, limit)}};
    static const struct told by_process = {"process_sockets",
                                           "Sockets by the name of the process that holds them.",
                                           offsetof(struct tally_row, sockets)};
    static const struct told by_unit = {"unit_sockets",
                                        "Sockets by the systemd unit or the container.",
                                        offsetof(struct tally_row, sockets)};
    const struct tally *const all[] = {&s->listeners, &s->processes, &s->units};
    const size_t top[] = {tally_top(&s->listeners), tally_top(&s->processes), tally_top(&s->units)};
    static const char *const what[] = {"listener", "process", "unit"};
    for (size_t i = 0; i < 3; i++)
        put_tally(m, all[0], top[0], listener_labels, 5, &listeners[i]);
    put_tally(m, all[1], top[1], &process, 1, &by_process);
    put_tally(m, all[2], top[2], &unit, 1, &by_unit);
    openmetrics_family(m, "names_left_out", OPENMETRICS_GAUGE,
                       "Names that are told together as other, as far as they were told apart.");
    for (size_t i = 0; i < 3; i++)
        openmetrics_put_count(m, (const struct openmetrics_label[]){{"of", what[i]}, {0}},
                              all[i]->used - top[i]);
}

static void put_all(struct scrape *s, struct openmetrics *m, int64_t began)
{
    const struct netstat *n = s->n;
    bool named = n->tcp || n->udp || n->udplite || n->sctp || n->raw || n->unix_ || n->mptcp ||
                 n->vsock || n->packet || n->netlink;
    bool tcp = !named || n->tcp;
    put_states(s, m);
    put_queue(s, m, "receive_queue_bytes", "Bytes that wait to be read.", s->receiving);
    put_queue(s, m, "send_queue_bytes", "Bytes that wait to be sent or acknowledged.", s->sending);
    if (tcp) {
        openmetrics_gauge(m, "tcp_open_retransmitted_segments",
                          "Segments that the connections that are there sent again, so far.",
                          s->retransmitted);
        openmetrics_gauge(m, "tcp_open_lost_segments", "Segments that are taken for lost.",
                          s->lost);
        openmetrics_gauge(m, "tcp_open_unacknowledged_segments",
                          "Segments that are not acknowledged yet.", s->unacked);
    }
    put_names(s, m);
    metrics_kernel(n, m, tcp, !named || n->udp);
    openmetrics_gauge(m, "processes_denied", "Processes whose sockets may not be seen.",
                      n->holders ? hail_holders_denied(n->holders) : 0);
    openmetrics_family(m, "scrape_duration_seconds", OPENMETRICS_GAUGE,
                       "How long it took to count all this.");
    openmetrics_put(m, NULL, (double)(hail_now() - began) / 1e9);
    openmetrics_build(m);
    openmetrics_end(m);
}

static void answer(void *arg, struct exporter_request *q)
{
    struct scrape s = {.n = arg};
    struct openmetrics m;
    struct hail_buf b;
    int64_t began = hail_now();
    if (strcmp(q->path, "/metrics") != 0) {
        exporter_refuse(q, 404, NULL);
        return;
    }
    hail_buf_init(&b, DOCUMENT_MAX);
    int rc = netstat_each(s.n, HAIL_HAS_TCP_INFO | HAIL_HAS_CGROUP, note, &s);
    s.n->quiet = true; /* what cannot be seen was said */
    if (rc == 0) {
        openmetrics_begin(&m, &b, q->open, "hail_netstat_");
        put_all(&s, &m, began);
        exporter_answer(q, 200, openmetrics_content_type(q->open), &b);
    } else {
        exporter_refuse(q, 500, rc == -ENOMEM ? "no memory" : s.n->c->ctx.err.msg);
    }
    hail_buf_free(&b);
    tally_free(&s.processes);
    tally_free(&s.units);
    tally_free(&s.listeners);
    hail_holders_free(s.n->holders);
    s.n->holders = NULL;
}

int netstat_metrics(struct netstat *n)
{
    struct hail_loop *loop;
    struct exporter *e = NULL;
    n->programs = true;
    if (hail_loop_new(&n->c->ctx, &loop) < 0)
        return fail(n->c);
    int status = exporter_new(n->c, loop, n->metrics, answer, n, &e);
    if (status == 0)
        status = exporter_run(n->c, loop, NULL, NULL);
    exporter_free(e);
    hail_loop_free(loop);
    return status;
}
