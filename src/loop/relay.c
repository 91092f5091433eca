/* relay.c - connections passed on: whom a relay listens for, and the relay as a whole;
 * include/hail/relay.h, relay_link.h. */
#include "loop/relay_link.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define REACH_MS    30000
#define ACCEPT_TURN 64  /* connections taken before those that are there get their turn */
#define PAUSE_MS    100 /* without accepting, when descriptors or memory have run out */

/* --- arriving --- */

/* The link that has waited longest for a client of side i. */
static struct hail_relay_link *waiting_for(const struct hail_relay *r, int i)
{
    struct hail_relay_link *found = NULL;
    for (struct hail_relay_link *l = r->links; l; l = l->next)
        if (l->waiting && !l->stream[i])
            found = l;
    return found;
}

static void arrived(struct hail_relay *r, int i, struct hail_stream *s)
{
    struct hail_relay_link *l = r->side[!i].is.listen ? waiting_for(r, i) : NULL;
    if (!l)
        l = hail_relay_link_new(r, i);
    if (!l) {
        hail_close(s);
        return;
    }
    l->waiting = false;
    l->stream[i] = s;
    hail_relay_link_next(l);
}

static void on_pause_over(struct hail_loop *loop, struct hail_timer *t)
{
    struct hail_relay_end *s = HAIL_OUTER(t, struct hail_relay_end, pause);
    (void)hail_loop_add(loop, &s->w, POLLIN);
}

/* A connection that cannot be accepted stays in the queue; asking for it at once, again and again,
 * would not make room for it. */
static void pause_accepting(struct hail_relay_end *s)
{
    struct hail_relay *r = s->relay;
    hail_relay_tell(r, NULL, HAIL_RELAY_PAUSED, &r->ctx->err);
    s->pause.fire = on_pause_over;
    if (hail_timer_set(r->loop, &s->pause, hail_loop_now(r->loop) + PAUSE_MS * INT64_C(1000000)) ==
        0)
        hail_loop_remove(r->loop, &s->w);
}

static void on_client(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct hail_relay_end *s = HAIL_OUTER(w, struct hail_relay_end, w);
    (void)loop;
    (void)events;
    for (int n = 0; n < ACCEPT_TURN; n++) {
        struct hail_stream *stream;
        int rc = hail_try_accept(s->relay->ctx, s->listener, &stream);
        if (rc == -EAGAIN)
            return;
        if (rc < 0) {
            pause_accepting(s);
            return;
        }
        arrived(s->relay, (int)(s - s->relay->side), stream);
    }
}

/* --- the relay --- */

static int begin_listening(struct hail_relay *r, struct hail_relay_end *s)
{
    struct hail_endpoint at = s->is.at;
    at.transport = HAIL_TRANSPORT_ANY;
    int rc = hail_listen(r->ctx, &at, s->is.opts, &s->listener);
    if (rc < 0)
        return rc;
    s->w = (struct hail_watch){hail_listener_fd(s->listener), on_client};
    rc = hail_loop_add(r->loop, &s->w, POLLIN);
    if (rc < 0)
        return hail_fail(r->ctx, HAIL_LAYER_LOCAL, -rc, "listen", "watch a listener: %s",
                         hail_errno_text(-rc));
    return 0;
}

static int begin(struct hail_relay *r)
{
    bool listens = false;
    int rc = hail_dialler_new(r->ctx, r->loop, &r->dialler);
    for (int i = 0; i < 2 && rc == 0; i++) {
        if (r->side[i].is.listen)
            rc = begin_listening(r, &r->side[i]);
        listens |= r->side[i].is.listen;
    }
    if (rc < 0 || listens)
        return rc;
    struct hail_relay_link *l = hail_relay_link_new(r, 0);
    if (!l)
        return hail_fail(r->ctx, HAIL_LAYER_LOCAL, ENOMEM, "relay", "relay: out of memory");
    hail_relay_link_next(l);
    return 0;
}

int hail_relay_new(struct hail_ctx *ctx, struct hail_loop *loop,
                   const struct hail_relay_side sides[2], const struct hail_relay_opts *opts,
                   struct hail_relay **out)
{
    struct hail_relay *r = calloc(1, sizeof *r);
    if (!r)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "relay", "relay: out of memory");
    r->ctx = ctx;
    r->loop = loop;
    if (opts)
        r->opts = *opts;
    if (!r->opts.reach_ms)
        r->opts.reach_ms = REACH_MS;
    for (int i = 0; i < 2; i++)
        r->side[i] = (struct hail_relay_end){.relay = r, .is = sides[i]};
    int rc = begin(r);
    if (rc < 0) {
        hail_relay_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

struct hail_endpoint hail_relay_at(const struct hail_relay *relay, int side)
{
    return hail_listener_at(relay->side[side].listener);
}

void hail_relay_free(struct hail_relay *relay)
{
    if (!relay)
        return;
    relay->ending = true;
    for (int i = 0; i < 2; i++) {
        struct hail_relay_end *s = &relay->side[i];
        if (!s->listener)
            continue;
        hail_timer_clear(relay->loop, &s->pause);
        hail_loop_remove(relay->loop, &s->w);
        hail_listener_close(s->listener);
    }
    hail_dialler_free(relay->dialler);
    while (relay->links)
        hail_relay_link_free(relay->links);
    free(relay);
}
