/* pump.c - two flows between two ends, driven by poll(2); include/hail/pump.h, net/flow.h. */
#include "net/pump.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define POLLED 6 /* two a flow, cancellation, wake_fd */

int hail_pump_new(struct hail_ctx *ctx, const struct hail_pump_end *a,
                  const struct hail_pump_end *b, const struct hail_pump_opts *opts,
                  struct hail_pump **out)
{
    struct hail_pump *p = calloc(1, sizeof *p);
    if (!p)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "copy",
                         "copy between two ends: out of memory");
    if (opts)
        p->opts = *opts;
    for (int i = 0; i < 2; i++) {
        p->flow[i].filter = p->opts.filter[i];
        p->flow[i].arg = p->opts.arg;
        p->flow[i].keep_open = p->opts.keep_open[i];
        hail_flow_init(&p->flow[i], i == 0 ? a : b, i == 0 ? b : a);
    }
    *out = p;
    return 0;
}

void hail_pump_free(struct hail_pump *p)
{
    if (!p)
        return;
    if (p->detach)
        p->detach(p);
    hail_flow_free(&p->flow[0]);
    hail_flow_free(&p->flow[1]);
    free(p);
}

/* --- what callbacks and callers may do meanwhile --- */

void hail_pump_stop(struct hail_pump *p)
{
    p->stopped = true;
}

void hail_pump_stop_at(struct hail_pump *p, struct hail_deadline at)
{
    p->stop_at = at;
}

int hail_pump_put(struct hail_pump *p, int flow, const void *data, size_t n)
{
    struct hail_flow *f = &p->flow[flow];
    if (!hail_flow_live(f))
        return -EPIPE;
    int rc = hail_buf_add(&f->buf, data, n);
    f->buf.failed = 0;
    if (n)
        f->waits = false;
    return rc == -EMSGSIZE ? -ENOBUFS : rc;
}

size_t hail_pump_pending(const struct hail_pump *p, int flow)
{
    const struct hail_flow *f = &p->flow[flow];
    return f->piped + f->buf.len - f->at;
}

void hail_pump_hold(struct hail_pump *p, int flow, bool hold)
{
    p->flow[flow].held = hold;
    p->flow[flow].waits = false;
}

void hail_pump_end_source(struct hail_pump *p, int flow)
{
    struct hail_flow *f = &p->flow[flow];
    f->source_ended = true;
    f->waits = false;
    if (f->state == HAIL_FLOW_OPEN)
        f->state = HAIL_FLOW_DRAINING;
}

void hail_pump_flow(const struct hail_pump *p, int flow, struct hail_flow_info *out)
{
    const struct hail_flow *f = &p->flow[flow];
    *out = (struct hail_flow_info){.in = f->in,
                                   .out = f->out,
                                   .reads = f->reads,
                                   .state = (enum hail_flow_state)f->state,
                                   .at_sink = f->at_sink};
    if (f->error)
        out->error = *f->error;
}

/* --- running --- */

bool hail_pump_step(struct hail_ctx *ctx, struct hail_pump *p)
{
    for (int i = 0; i < 2; i++) {
        struct hail_flow *f = &p->flow[i];
        if (hail_flow_live(f) && !f->waits)
            hail_flow_step(ctx, p, f);
        if (!hail_flow_live(f) && !f->told) {
            f->told = true;
            if (p->opts.over)
                p->opts.over(p->opts.arg, p, i);
        }
    }
    return hail_flow_live(&p->flow[0]) || hail_flow_live(&p->flow[1]);
}

/* What poll(2) shall watch. A sink that is a pipe or a terminal is watched for its reader's end
 * also while its source is silent. */
static nfds_t watch(const struct hail_ctx *ctx, const struct hail_pump *p, struct pollfd v[POLLED])
{
    nfds_t n = 0;
    for (int i = 0; i < 2; i++) {
        const struct hail_flow *f = &p->flow[i];
        bool live = hail_flow_live(f) && f->waits;
        v[n++] = (struct pollfd){.fd = live ? f->wait_fd : -1, .events = f->wait_events};
        live = live && f->wait_fd != f->to.fd &&
               (f->to.kind == HAIL_FD_PIPE || f->to.kind == HAIL_FD_TERMINAL);
        v[n++] = (struct pollfd){.fd = live ? f->to.fd : -1};
    }
    v[n++] = (struct pollfd){.fd = ctx->cancel_fd, .events = POLLIN};
    v[n++] = (struct pollfd){.fd = p->opts.wake_fd > 0 ? p->opts.wake_fd : -1, .events = POLLIN};
    return n;
}

static void sink_is_gone(struct hail_ctx *ctx, struct hail_flow *f)
{
    f->at_sink = true;
    hail_flow_fd_failed(ctx, &f->to, "write", EPIPE);
    hail_flow_failed(ctx, f);
}

static struct hail_deadline sooner(struct hail_deadline a, struct hail_deadline b)
{
    return a.ns && (!b.ns || a.ns < b.ns) ? a : b;
}

static bool is_past(struct hail_deadline d)
{
    return d.ns && hail_deadline_ms(d) == 0;
}

/* Waits until a flow can go on: 0, or what hail_pump_run() returns. */
static int wait_for_flows(struct hail_ctx *ctx, struct hail_pump *p, struct hail_deadline idle)
{
    struct pollfd v[POLLED];
    nfds_t n = watch(ctx, p, v);
    bool runnable = false;
    for (int i = 0; i < 2; i++)
        runnable |= hail_flow_live(&p->flow[i]) && !p->flow[i].waits;
    int ms = hail_deadline_ms(sooner(sooner(ctx->by, p->stop_at), idle));
    int got = poll(v, n, runnable ? 0 : ms);
    if (got < 0)
        return errno == EINTR ? 0 : -errno;
    if (v[4].revents)
        return -ECANCELED;
    for (size_t i = 0; i < 2; i++) {
        struct hail_flow *f = &p->flow[i];
        if (v[2 * i].revents) {
            f->waits = false;
            f->readable = v[2 * i].fd == f->from.fd;
        }
        if (v[2 * i + 1].revents & POLLERR)
            sink_is_gone(ctx, f);
    }
    if (is_past(ctx->by))
        return -ETIMEDOUT;
    if (v[5].revents)
        return HAIL_PUMP_WOKEN;
    return 0;
}

/* The reason why the run ends, recorded. */
static int ended_by(struct hail_ctx *ctx, const struct hail_pump *p, int rc, bool idle)
{
    if (idle)
        return hail_fail(ctx, HAIL_LAYER_STREAM, ETIMEDOUT, "copy",
                         "copy between two ends: nothing moved for %lld ms",
                         (long long)p->opts.idle_ms);
    return hail_fail(ctx, HAIL_LAYER_STREAM, -rc, "copy", "copy between two ends: %s",
                     hail_errno_text(-rc));
}

static uint64_t moved(const struct hail_pump *p)
{
    return p->flow[0].in + p->flow[0].out + p->flow[1].in + p->flow[1].out;
}

static int run(struct hail_ctx *ctx, struct hail_pump *p)
{
    uint64_t before = moved(p);
    struct hail_deadline idle = {0};
    if (p->opts.idle_ms)
        idle = hail_deadline_in(p->opts.idle_ms);
    for (;;) {
        if (!hail_pump_step(ctx, p))
            return 0;
        if (p->stopped || is_past(p->stop_at)) {
            p->stopped = false;
            return HAIL_PUMP_STOPPED;
        }
        if (idle.ns && moved(p) != before) {
            before = moved(p);
            idle = hail_deadline_in(p->opts.idle_ms);
        }
        if (is_past(idle))
            return ended_by(ctx, p, -ETIMEDOUT, true);
        int rc = wait_for_flows(ctx, p, idle);
        if (rc != 0)
            return rc < 0 ? ended_by(ctx, p, rc, false) : rc;
    }
}

int hail_pump_run(struct hail_ctx *ctx, struct hail_pump *p)
{
    struct hail_quiet quiet;
    bool needed = !hail_quiet_already();
    if (needed)
        hail_quiet_begin(&quiet);
    int rc = run(ctx, p);
    if (needed)
        hail_quiet_end(&quiet, true);
    return rc;
}
