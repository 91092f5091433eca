/* relay.c - connections passed on; include/hail/relay.h.
 *
 * A link is made of two streams, of which the first comes from whoever arrived:
 *
 *      accept --> [TLS handshake] --> dial, or wait for the other listener --> [TLS handshake]
 *             --> pump --> both ends are over --> gone
 */
#include <hail/listen.h>
#include <hail/pump.h>
#include <hail/relay.h>

#include "base/error.h"
#include "loop/dialler.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define REACH_MS               30000
#define ACCEPT_TURN            64 /* connections taken before those that are there get their turn */
#define PAUSE_MS               100 /* without accepting, when descriptors or memory have run out */

#define OUTER(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

struct link {
    struct hail_relay *relay;
    struct link *next, **at; /* of all, and who points here */
    struct hail_stream *stream[2];
    struct hail_pump *pump;
    struct hail_watch w;     /* of a handshake */
    struct hail_timer limit; /* of a handshake */
    uint8_t first;           /* the side that came first */
    int8_t shaking;          /* the side whose handshake is under way; -1: none */
    bool shaken[2];
    bool waiting; /* for the other listener's client */
};

struct side {
    struct hail_relay *relay;
    struct hail_relay_side is;
    struct hail_listener *listener;
    struct hail_watch w;
    struct hail_timer pause;
};

struct hail_relay {
    struct hail_ctx *ctx;
    struct hail_loop *loop;
    struct side side[2];
    struct hail_relay_opts opts;
    struct hail_dialler *dialler;
    struct link *links;
    unsigned open;
    bool ending;
};

static void next_step(struct link *l);

/* --- telling --- */

static void tell(struct hail_relay *r, struct link *l, enum hail_relay_kind kind,
                 const struct hail_error *error)
{
    struct hail_relay_event e = {.kind = kind, .error = error, .open = r->open};
    if (!r->opts.event || r->ending)
        return;
    for (int i = 0; l && i < 2; i++) {
        struct hail_flow_info info = {0};
        if (l->stream[i])
            e.peer[i] = hail_peer(l->stream[i]);
        if (l->pump)
            hail_pump_flow(l->pump, i, &info);
        e.bytes[i] = info.out;
    }
    r->opts.event(r->opts.arg, &e);
}

/* --- links --- */

static struct link *new_link(struct hail_relay *r, int first)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct link){.relay = r, .next = r->links, .at = &r->links, .first = (uint8_t)first};
    l->shaking = -1;
    if (r->links)
        r->links->at = &l->next;
    r->links = l;
    r->open++;
    return l;
}

static void stop_shaking(struct link *l)
{
    if (l->shaking < 0)
        return;
    hail_loop_remove(l->relay->loop, &l->w);
    hail_timer_clear(l->relay->loop, &l->limit);
    l->shaking = -1;
}

static void free_link(struct link *l)
{
    stop_shaking(l);
    hail_pump_free(l->pump);
    hail_close(l->stream[0]);
    hail_close(l->stream[1]);
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    l->relay->open--;
    free(l);
}

/* Closing will send RST in place of FIN: tcp(7), SO_LINGER of zero. */
static void reset_on_close(struct hail_stream *s)
{
    const struct linger hard = {.l_onoff = 1};
    if (s)
        (void)setsockopt(hail_stream_fd(s), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/* It came to nothing, or to an end that is not an orderly one. */
static void fail_link(struct link *l, enum hail_relay_kind kind, const struct hail_error *error)
{
    struct hail_error copy = *error;
    struct hail_relay *r = l->relay;
    reset_on_close(l->stream[0]);
    reset_on_close(l->stream[1]);
    r->open--; /* as it will be */
    tell(r, l, kind, &copy);
    r->open++;
    free_link(l);
}

/* --- the conversation --- */

static void on_done(void *arg, struct hail_pump *p)
{
    struct link *l = arg;
    struct hail_relay *r = l->relay;
    for (int i = 0; i < 2; i++) {
        struct hail_flow_info info;
        hail_pump_flow(p, i, &info);
        if (info.state == HAIL_FLOW_FAILED) {
            fail_link(l, HAIL_RELAY_CLOSED, &info.error);
            return;
        }
        if (info.state != HAIL_FLOW_ENDED) {
            struct hail_ctx ctx = HAIL_CTX_INIT;
            hail_fail(&ctx, HAIL_LAYER_STREAM, ETIMEDOUT, "relay",
                      "relay: nothing moved for %lld ms", (long long)r->opts.idle_ms);
            fail_link(l, HAIL_RELAY_CLOSED, &ctx.err);
            return;
        }
    }
    r->open--;
    tell(r, l, HAIL_RELAY_CLOSED, NULL);
    r->open++;
    free_link(l);
}

static void begin_pump(struct link *l)
{
    struct hail_relay *r = l->relay;
    const struct hail_pump_end a = {.stream = l->stream[0], .in = -1, .out = -1};
    const struct hail_pump_end b = {.stream = l->stream[1], .in = -1, .out = -1};
    const struct hail_pump_opts opts = {.idle_ms = r->opts.idle_ms};
    int rc = hail_pump_new(r->ctx, &a, &b, &opts, &l->pump);
    if (rc == 0)
        rc = hail_pump_attach(r->ctx, r->loop, l->pump, on_done, l);
    if (rc < 0)
        fail_link(l, HAIL_RELAY_FAILED, &r->ctx->err);
    else
        tell(r, l, HAIL_RELAY_OPENED, NULL);
}

/* --- TLS --- */

static void on_limit(struct hail_loop *loop, struct hail_timer *t)
{
    struct link *l = OUTER(t, struct link, limit);
    struct hail_ctx *ctx = l->relay->ctx;
    char text[HAIL_ENDPOINT_MAX];
    struct hail_endpoint peer = hail_peer(l->stream[l->shaking]);
    (void)loop;
    hail_endpoint_format(&peer, text, sizeof text);
    hail_fail(ctx, HAIL_LAYER_TLS, ETIMEDOUT, "handshake", "TLS handshake with %s: timed out",
              text);
    fail_link(l, HAIL_RELAY_FAILED, &ctx->err);
}

static void shake(struct link *l)
{
    struct hail_relay *r = l->relay;
    int i = l->shaking;
    int rc = hail_try_handshake(r->ctx, l->stream[i]);
    if (rc == -EAGAIN)
        rc = hail_loop_change(r->loop, &l->w, hail_stream_wants(l->stream[i]));
    else if (rc == 0) {
        stop_shaking(l);
        l->shaken[i] = true;
        next_step(l);
        return;
    }
    if (rc < 0)
        fail_link(l, HAIL_RELAY_FAILED, &r->ctx->err);
}

static void on_shaking(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)loop;
    (void)events;
    shake(OUTER(w, struct link, w));
}

static void begin_handshake(struct link *l, int i)
{
    struct hail_relay *r = l->relay;
    const struct hail_relay_side *is = &r->side[i].is;
    int rc = is->listen ? hail_tls_server_start(r->ctx, &l->stream[i], is->tls)
                        : hail_tls_client_start(r->ctx, &l->stream[i],
                                                is->tls_name ? is->tls_name : is->at.host, is->tls);
    if (rc == 0) {
        l->w = (struct hail_watch){hail_stream_fd(l->stream[i]), on_shaking};
        l->limit.fire = on_limit;
        rc =
            hail_timer_set(r->loop, &l->limit, hail_loop_now(r->loop) + r->opts.reach_ms * 1000000);
    }
    if (rc == 0) {
        rc = hail_loop_add(r->loop, &l->w, POLLIN);
        if (rc < 0)
            hail_timer_clear(r->loop, &l->limit);
    }
    if (rc < 0) {
        fail_link(l, HAIL_RELAY_FAILED, &r->ctx->err);
        return;
    }
    l->shaking = (int8_t)i;
    shake(l);
}

/* --- reaching the other side --- */

/* The side that is still missing, in the order of the link; -1: none. */
static int missing(const struct link *l)
{
    if (!l->stream[l->first])
        return l->first;
    return l->stream[!l->first] ? -1 : !l->first;
}

static void on_dialled(struct hail_dial_job *job)
{
    struct link *l = job->arg;
    if (l->relay->ending) {
        hail_close(job->rc == 0 ? job->stream : NULL);
    } else if (job->rc < 0) {
        fail_link(l, HAIL_RELAY_FAILED, &job->ctx.err);
    } else {
        l->stream[missing(l)] = job->stream;
        next_step(l);
    }
    free(job);
}

static void dial(struct link *l, int i)
{
    struct hail_relay *r = l->relay;
    struct hail_dial_job *job = malloc(sizeof *job);
    if (!job) {
        hail_fail(r->ctx, HAIL_LAYER_LOCAL, ENOMEM, "connect", "connect: out of memory");
        fail_link(l, HAIL_RELAY_FAILED, &r->ctx->err);
        return;
    }
    *job = (struct hail_dial_job){.to = r->side[i].is.at,
                                  .opts = r->side[i].is.opts,
                                  .timeout_ms = r->opts.reach_ms,
                                  .done = on_dialled,
                                  .arg = l};
    job->to.transport = HAIL_TRANSPORT_ANY; /* TLS is laid over it here */
    hail_dialler_dial(r->dialler, job);
}

/* What comes next for a link, in the order of its sides. */
static void next_step(struct link *l)
{
    struct hail_relay *r = l->relay;
    for (int n = 0; n < 2; n++) {
        int i = n == 0 ? l->first : !l->first;
        if (l->stream[i] && r->side[i].is.tls && !l->shaken[i]) {
            begin_handshake(l, i);
            return;
        }
        if (!l->stream[i]) {
            l->waiting = r->side[i].is.listen;
            if (!l->waiting)
                dial(l, i);
            return;
        }
    }
    begin_pump(l);
}

/* --- arriving --- */

/* The link that has waited longest for a client of side i. */
static struct link *waiting_for(const struct hail_relay *r, int i)
{
    struct link *found = NULL;
    for (struct link *l = r->links; l; l = l->next)
        if (l->waiting && !l->stream[i])
            found = l;
    return found;
}

static void arrived(struct hail_relay *r, int i, struct hail_stream *s)
{
    struct link *l = r->side[!i].is.listen ? waiting_for(r, i) : NULL;
    if (!l)
        l = new_link(r, i);
    if (!l) {
        hail_close(s);
        return;
    }
    l->waiting = false;
    l->stream[i] = s;
    next_step(l);
}

static void on_pause_over(struct hail_loop *loop, struct hail_timer *t)
{
    struct side *s = OUTER(t, struct side, pause);
    (void)hail_loop_add(loop, &s->w, POLLIN);
}

/* A connection that cannot be accepted stays in the queue; asking for it at once, again and again,
 * would not make room for it. */
static void pause_accepting(struct side *s)
{
    struct hail_relay *r = s->relay;
    tell(r, NULL, HAIL_RELAY_PAUSED, &r->ctx->err);
    s->pause.fire = on_pause_over;
    if (hail_timer_set(r->loop, &s->pause, hail_loop_now(r->loop) + PAUSE_MS * 1000000) == 0)
        hail_loop_remove(r->loop, &s->w);
}

static void on_client(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct side *s = OUTER(w, struct side, w);
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

static int begin_listening(struct hail_relay *r, struct side *s)
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
    struct link *l = new_link(r, 0);
    if (!l)
        return hail_fail(r->ctx, HAIL_LAYER_LOCAL, ENOMEM, "relay", "relay: out of memory");
    next_step(l);
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
        r->side[i] = (struct side){.relay = r, .is = sides[i]};
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
        struct side *s = &relay->side[i];
        if (!s->listener)
            continue;
        hail_timer_clear(relay->loop, &s->pause);
        hail_loop_remove(relay->loop, &s->w);
        hail_listener_close(s->listener);
    }
    hail_dialler_free(relay->dialler);
    while (relay->links)
        free_link(relay->links);
    free(relay);
}
