/* pump_loop.c - a pump between two streams on the event loop; include/hail/pump.h.
 *
 * Each end has one watch for both flows. What is watched follows from what the flows wait for; an
 * end that neither waits for is taken out altogether, since epoll(7) tells of a hang-up always.
 */
#include "net/pump.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

struct end_watch {
    struct hail_watch w;
    struct hail_pump *pump;
    int events; /* 0: not in the loop */
};

struct hail_pump_loop {
    struct hail_loop *loop;
    struct hail_ctx *ctx;
    struct end_watch end[2];
    struct hail_timer idle;
    struct hail_pump *pump;
    uint64_t moved; /* when the timer was set */
    void (*done)(void *arg, struct hail_pump *p);
    void *arg;
};

static void detach(struct hail_pump *p)
{
    struct hail_pump_loop *l = p->loop;
    for (int i = 0; i < 2; i++)
        if (l->end[i].events)
            hail_loop_remove(l->loop, &l->end[i].w);
    hail_timer_clear(l->loop, &l->idle);
    free(l);
    p->loop = NULL;
    p->detach = NULL;
}

static void finish(struct hail_pump *p)
{
    void (*done)(void *arg, struct hail_pump *p) = p->loop->done;
    void *arg = p->loop->arg;
    detach(p);
    done(arg, p);
}

/* What the flows wait for at the descriptor. A flow that only let the others have a turn goes on as
 * soon as its sink has room. */
static int wanted(const struct hail_pump *p, int fd)
{
    int events = 0;
    for (int i = 0; i < 2; i++) {
        const struct hail_flow *f = &p->flow[i];
        if (!hail_flow_live(f))
            continue;
        if (!f->waits && f->to.fd == fd)
            events |= POLLOUT;
        else if (f->waits && f->wait_fd == fd)
            events |= f->wait_events;
    }
    return events;
}

static int set_watch(struct hail_pump_loop *l, struct end_watch *e)
{
    int events = wanted(l->pump, e->w.fd), rc = 0;
    if (events == e->events)
        return 0;
    if (events == 0)
        hail_loop_remove(l->loop, &e->w);
    else if (e->events == 0)
        rc = hail_loop_add(l->loop, &e->w, events);
    else
        rc = hail_loop_change(l->loop, &e->w, events);
    if (rc == 0)
        e->events = events;
    return rc;
}

/* Lets the flows go on. Whether the pump is done (and perhaps gone). */
static bool go_on(struct hail_pump *p)
{
    struct hail_pump_loop *l = p->loop;
    struct hail_quiet quiet;
    hail_quiet_begin(&quiet);
    bool open = hail_pump_step(l->ctx, p);
    hail_quiet_end(&quiet, true);
    if (open && !p->stopped && set_watch(l, &l->end[0]) == 0 && set_watch(l, &l->end[1]) == 0)
        return false;
    finish(p);
    return true;
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct end_watch *e = (struct end_watch *)w;
    (void)loop;
    for (int i = 0; i < 2; i++) {
        struct hail_flow *f = &e->pump->flow[i];
        /* a hang-up or an error is for whoever waits here */
        if (f->waits && f->wait_fd == w->fd && (events & (f->wait_events | POLLERR | POLLHUP)) != 0)
            f->waits = false;
    }
    go_on(e->pump);
}

static uint64_t moved(const struct hail_pump *p)
{
    return p->flow[0].in + p->flow[0].out + p->flow[1].in + p->flow[1].out;
}

static int set_idle(struct hail_pump_loop *l)
{
    l->moved = moved(l->pump);
    return hail_timer_set(l->loop, &l->idle,
                          hail_loop_now(l->loop) + l->pump->opts.idle_ms * 1000000);
}

static void on_idle(struct hail_loop *loop, struct hail_timer *t)
{
    (void)loop;
    struct hail_pump_loop *l =
        (struct hail_pump_loop *)((char *)t - offsetof(struct hail_pump_loop, idle));
    if (moved(l->pump) == l->moved || set_idle(l) < 0)
        finish(l->pump);
}

int hail_pump_attach(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_pump *p,
                     void (*done)(void *arg, struct hail_pump *p), void *arg)
{
    struct hail_pump_loop *l = calloc(1, sizeof *l);
    if (!l)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "copy",
                         "copy between two ends: out of memory");
    *l = (struct hail_pump_loop){
        .loop = loop, .ctx = ctx, .idle = {.fire = on_idle}, .pump = p, .done = done, .arg = arg};
    l->end[0] = (struct end_watch){{p->flow[0].from.fd, on_ready}, p, 0};
    l->end[1] = (struct end_watch){{p->flow[0].to.fd, on_ready}, p, 0};
    p->loop = l;
    p->detach = detach;
    /* everything is begun by the watches: at first each end is asked what it has */
    int rc = p->opts.idle_ms ? set_idle(l) : 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        hail_flow_wait(&p->flow[i], p->flow[i].from.fd, POLLIN);
        p->flow[i].waits = p->flow[i].buf.len == 0;
    }
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = set_watch(l, &l->end[i]);
    if (rc < 0) {
        detach(p);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "copy", "copy between two ends: %s",
                         hail_errno_text(-rc));
    }
    return 0;
}
