/* relay_link.c - one link of a relay; include/hail/relay.h, relay_link.h.
 *
 * A link is made of two streams, of which the first comes from whoever arrived:
 *
 *      accept --> [TLS handshake] --> dial, or wait for the other listener --> [TLS handshake]
 *             --> pump --> both ends are over --> gone
 */
#include "loop/relay_link.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* --- telling --- */

void hail_relay_tell(struct hail_relay *r, struct hail_relay_link *l, enum hail_relay_kind kind,
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

struct hail_relay_link *hail_relay_link_new(struct hail_relay *r, int first)
{
    struct hail_relay_link *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct hail_relay_link){
        .relay = r, .next = r->links, .at = &r->links, .first = (uint8_t)first};
    l->shaking = -1;
    if (r->links)
        r->links->at = &l->next;
    r->links = l;
    r->open++;
    return l;
}

static void stop_shaking(struct hail_relay_link *l)
{
    if (l->shaking < 0)
        return;
    hail_loop_remove(l->relay->loop, &l->w);
    hail_timer_clear(l->relay->loop, &l->limit);
    l->shaking = -1;
}

void hail_relay_link_free(struct hail_relay_link *l)
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
static void fail_link(struct hail_relay_link *l, enum hail_relay_kind kind,
                      const struct hail_error *error)
{
    struct hail_error copy = *error;
    struct hail_relay *r = l->relay;
    reset_on_close(l->stream[0]);
    reset_on_close(l->stream[1]);
    r->open--; /* as it will be */
    hail_relay_tell(r, l, kind, &copy);
    r->open++;
    hail_relay_link_free(l);
}

/* --- the conversation --- */

static void on_done(void *arg, struct hail_pump *p)
{
    struct hail_relay_link *l = arg;
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
    hail_relay_tell(r, l, HAIL_RELAY_CLOSED, NULL);
    r->open++;
    hail_relay_link_free(l);
}

static void begin_pump(struct hail_relay_link *l)
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
        hail_relay_tell(r, l, HAIL_RELAY_OPENED, NULL);
}

/* --- TLS --- */

static void on_limit(struct hail_loop *loop, struct hail_timer *t)
{
    struct hail_relay_link *l = HAIL_OUTER(t, struct hail_relay_link, limit);
    struct hail_ctx *ctx = l->relay->ctx;
    char text[HAIL_ENDPOINT_MAX];
    struct hail_endpoint peer = hail_peer(l->stream[l->shaking]);
    (void)loop;
    hail_endpoint_format(&peer, text, sizeof text);
    hail_fail(ctx, HAIL_LAYER_TLS, ETIMEDOUT, "handshake", "TLS handshake with %s: timed out",
              text);
    fail_link(l, HAIL_RELAY_FAILED, &ctx->err);
}

/* Goes on with the handshake. Whether it is done; if not, it goes on later, or the link is gone. */
static bool shake(struct hail_relay_link *l)
{
    struct hail_relay *r = l->relay;
    int i = l->shaking;
    int rc = hail_try_handshake(r->ctx, l->stream[i]);
    if (rc == -EAGAIN)
        rc = hail_loop_change(r->loop, &l->w, hail_stream_wants(l->stream[i]));
    else if (rc == 0) {
        stop_shaking(l);
        l->shaken[i] = true;
        return true;
    }
    if (rc < 0)
        fail_link(l, HAIL_RELAY_FAILED, &r->ctx->err);
    return false;
}

static void on_shaking(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)loop;
    (void)events;
    struct hail_relay_link *l = HAIL_OUTER(w, struct hail_relay_link, w);
    if (shake(l))
        hail_relay_link_next(l);
}

/* As shake(). */
static bool begin_handshake(struct hail_relay_link *l, int i)
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
        return false;
    }
    l->shaking = i;
    return shake(l);
}

/* --- reaching the other side --- */

/* The side that is still missing, in the order of the link; -1: none. */
static int missing(const struct hail_relay_link *l)
{
    if (!l->stream[l->first])
        return l->first;
    return l->stream[!l->first] ? -1 : !l->first;
}

static void on_dialled(struct hail_dial_job *job)
{
    struct hail_relay_link *l = job->arg;
    if (l->relay->ending) {
        hail_close(job->rc == 0 ? job->stream : NULL);
    } else if (job->rc < 0) {
        fail_link(l, HAIL_RELAY_FAILED, &job->ctx.err);
    } else {
        l->stream[missing(l)] = job->stream;
        hail_relay_link_next(l);
    }
    free(job);
}

static void dial(struct hail_relay_link *l, int i)
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
void hail_relay_link_next(struct hail_relay_link *l)
{
    struct hail_relay *r = l->relay;
    for (int n = 0; n < 2; n++) {
        int i = n == 0 ? l->first : !l->first;
        if (l->stream[i] && r->side[i].is.tls && !l->shaken[i] && !begin_handshake(l, i))
            return;
        if (!l->stream[i]) {
            l->waiting = r->side[i].is.listen;
            if (!l->waiting)
                dial(l, i);
            return;
        }
    }
    begin_pump(l);
}
