/* session.c - bytes between a connection and standard input and output, and when it is over; nc.h.
 *
 *      flow 0: stdin --[lines, CR LF, -i]--> peer      flow 1: peer --[-t, -W]--> stdout
 *
 * It is over when both have ended. A listener's is over when the peer has ended and standard input
 * has nothing more to say: at once on a terminal, else at its end or after QUIET_MS of silence.
 * Without a filter the bytes stay in the kernel.
 */
#include "nc/session.h"

#include <hail/pump.h>
#include <hail/telnet.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUIET_MS     5000
#define FLUSH_MS     5
#define LAST_WORD_MS 1000 /* for close_notify, once everything else is done */

struct session {
    struct nc *nc;
    struct hail_stream *stream;
    struct hail_pump *pump;
    struct nc_lines *lines;        /* -C, -i; NULL: neither */
    struct hail_telnet telnet;     /* -t */
    struct nc_watcher *watcher;    /* --hexdump, --progress; NULL: neither */
    int limit;                     /* -W: reads that are left; 0: no limit */
    struct hail_deadline flush_by; /* -q: zero: nothing had to be waited for */
    bool lingering;                /* a listener whose peer has ended */
    bool finished;                 /* by a rule above, before both flows ended */
    uint64_t said;                 /* bytes of flow 0 when it was last looked */
};

static int to_peer(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    struct session *s = arg;
    if (s->watcher)
        nc_watch(s->watcher, 0, data, n);
    return s->lines ? nc_lines_put(s->lines, p, data, n) : n ? hail_pump_put(p, 0, data, n) : 0;
}

/* The answers of -t go out among what is said; the data itself passes as it is, as netcat has it.
 */
static int answer(void *arg, const void *p, size_t n, bool urgent)
{
    const struct session *s = arg;
    (void)urgent;
    int rc = hail_pump_put(s->pump, 0, p, n);
    if (rc != -EPIPE)
        return rc;
    /* standard input has ended, so that nothing is in the way; -N: our side is closed */
    const struct iovec iov = {(void *)p, n};
    if (!s->nc->o.shut)
        (void)hail_try_writev(&s->nc->c->ctx, s->stream, &iov, 1);
    return 0;
}

static void nothing(void *arg, const struct hail_telnet_event *e)
{
    (void)arg;
    (void)e;
}

static int from_peer(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    struct session *s = arg;
    if (s->watcher)
        nc_watch(s->watcher, 1, data, n);
    if (s->nc->o.telnet && n)
        (void)hail_telnet_receive(&s->telnet, data, n);
    if (s->limit && --s->limit == 0) { /* the end counts, too */
        s->finished = true;
        hail_pump_end_source(p, 1);
        hail_pump_end_source(p, 0);
    }
    return n ? hail_pump_put(p, 1, data, n) : 0;
}

static void on_over(void *arg, struct hail_pump *p, int flow)
{
    struct session *s = arg;
    const struct nc_options *o = &s->nc->o;
    struct hail_flow_info in, out;
    if (flow == 0 && o->quit_s >= 0) {
        hail_pump_stop_at(p, hail_deadline_in(o->quit_s ? o->quit_s * 1000LL : 1));
        s->finished = true;
    }
    if (flow != 1)
        return;
    hail_pump_flow(p, 1, &in);
    if (in.state == HAIL_FLOW_FAILED && !in.at_sink) {
        /* a reset: nobody hears us any more */
        hail_pump_end_source(p, 0);
    } else if (o->listen) {
        hail_pump_flow(p, 0, &out);
        s->lingering = true;
        s->said = out.in;
        hail_pump_stop_at(p, hail_deadline_in(isatty(STDIN_FILENO) ? 1 : QUIET_MS));
    }
}

/* -q: what was read from the peer is written before it counts, as long as that takes no longer than
 * QUIET_MS. */
static bool is_shown(struct session *s)
{
    if (hail_pump_pending(s->pump, 1) == 0)
        return true;
    if (!s->flush_by.ns)
        s->flush_by = hail_deadline_in(QUIET_MS);
    hail_pump_hold(s->pump, 1, true);
    hail_pump_stop_at(s->pump, hail_deadline_in(FLUSH_MS));
    return hail_deadline_ms(s->flush_by) == 0;
}

/* After a stop: whether it is over. */
static bool is_over(struct session *s)
{
    struct hail_flow_info said;
    if (s->lines && nc_lines_go_on(s->lines, s->pump))
        return false;
    if (!s->lingering)
        return s->finished && is_shown(s);
    hail_pump_flow(s->pump, 0, &said);
    if (said.in == s->said)
        return true;
    s->said = said.in;
    hail_pump_stop_at(s->pump, hail_deadline_in(QUIET_MS));
    return false;
}

/* --- how it ended --- */

/* What was lost, if something was. */
static int status_of_flow(struct session *s, int flow, const struct hail_flow_info *i,
                          bool peer_ended)
{
    if (i->state != HAIL_FLOW_FAILED)
        return 0;
    bool to_network = (flow == 0) == i->at_sink;
    /* a peer that has ended need not read what is said to it any more */
    if (flow == 0 && i->at_sink && peer_ended)
        return 0;
    struct common c = {.ctx = {.err = i->error}};
    (void)s;
    fail(&c);
    if (!to_network)
        return STATUS_LOCAL;
    int status = status_of(&i->error);
    return status == STATUS_TLS || i->error.detail == HAIL_TRUNCATED ? status : NC_FAILED;
}

static int end(struct session *s, int rc)
{
    struct hail_flow_info in, out;
    hail_pump_flow(s->pump, 0, &out);
    hail_pump_flow(s->pump, 1, &in);
    if (rc == -ETIMEDOUT && s->nc->o.timeout_s >= 0)
        return 0; /* -w: as netcat ends */
    if (rc < 0)
        return fail(s->nc->c);
    int status = status_of_flow(s, 1, &in, false);
    int other = status_of_flow(s, 0, &out, in.state != HAIL_FLOW_OPEN);
    return status ? status : other;
}

static int run(struct session *s)
{
    int rc;
    do
        rc = hail_pump_run(&s->nc->c->ctx, s->pump);
    while (rc == HAIL_PUMP_STOPPED && !is_over(s));
    return rc;
}

/* Whether standard input can be read; main() has put something in its place if it was closed. */
static bool can_read(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

int nc_session(struct nc *nc, struct hail_stream *stream)
{
    const struct nc_options *o = &nc->o;
    struct session s = {.nc = nc, .stream = stream, .limit = o->recv_limit};
    struct hail_pump_opts opts = {
        .over = on_over, .arg = &s, .keep_open = {!o->shut, true}, .idle_ms = o->idle_ms};
    if (o->timeout_s >= 0)
        opts.idle_ms = o->timeout_s ? o->timeout_s * 1000LL : 1;
    if (nc_watcher_new(nc, stream, &s.watcher) < 0 || nc_lines_new(nc, &s.lines) < 0)
        return fail(nc->c);
    if (o->telnet) {
        struct hail_telnet_config config = {.arg = &s, .event = nothing, .send = answer};
        hail_telnet_init(&s.telnet, &config);
        s.telnet.newline.raw = true;
    }
    if (s.lines || s.watcher)
        opts.filter[0] = to_peer;
    if (o->telnet || o->recv_limit || s.watcher)
        opts.filter[1] = from_peer;
    const struct hail_pump_end std = {
        .in = o->detached || !can_read(STDIN_FILENO) ? -1 : STDIN_FILENO, .out = STDOUT_FILENO};
    const struct hail_pump_end net = {.stream = stream, .in = -1, .out = -1};
    if (std.in < 0 && o->shut)
        (void)hail_shutdown(&nc->c->ctx, stream);
    int status, rc = hail_pump_new(&nc->c->ctx, &std, &net, &opts, &s.pump);
    if (rc < 0) {
        status = fail(nc->c);
    } else {
        status = end(&s, run(&s));
    }
    if (status == 0 && nc->tls) {
        /* everything was said: the peer shall know that nothing is missing */
        struct hail_ctx last = nc->c->ctx;
        last.by = hail_deadline_in(LAST_WORD_MS);
        (void)hail_shutdown(&last, stream);
    }
    nc_watcher_free(s.watcher);
    nc_lines_free(s.lines);
    hail_pump_free(s.pump);
    return status;
}
