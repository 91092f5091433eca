/* connection.c - one connection, driven by what its socket is ready for.
 *
 *      HANDSHAKE --> REQUEST --> (UPLOAD) --> (TASK) --> RESPONSE --> CLOSING --> gone
 *                       ^                                   |
 *                       +-----------------------------------+
 *
 * An idle connection keeps no buffers. A connection that was accepted is read from at once, and
 * joins the loop only when it has to wait: one request on a connection of its own never does.
 */
#include "serve.h"

#include "net/layer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#define TURN ((uint64_t)4 << 20) /* bytes sent before other connections get their turn */

static struct hail_ctx *ctx_of(struct serve_conn *k)
{
    return &k->worker->ctx;
}

void serve_release(struct serve_conn *k)
{
    serve_buffers_give(k->worker, k->b);
    k->b = NULL;
}

void serve_conn_close(struct serve_conn *k)
{
    struct serve_worker *w = k->worker;
    if (k->b)
        serve_send_end(k);
    serve_wait_no_more(k);
    if (k->b)
        serve_wait_off(k);
    if (k->in_loop)
        hail_loop_remove(w->loop, &k->watch);
    serve_release(k);
    hail_close(k->stream);
    serve_leave(w->serve->limits, k->address);
    free(k);
    serve_conn_gone(w);
}

/* --- responses --- */

/* After the last byte: the next request, or the end. */
static int after_response(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    serve_send_end(k);
    b->untaken = b->in_len > 0;
    k->fresh = true;
    if (b->listens && !k->worker->stopping) {
        k->state = SERVE_EVENTS;
        serve_wait_on(k, &k->worker->listeners);
        return 0;
    }
    if (k->keep_alive && !k->worker->stopping) {
        k->state = SERVE_REQUEST;
        return 0;
    }
    k->state = SERVE_CLOSING;
    k->linger = k->linger || b->in_len > 0;
    return 0;
}

/* What the client says is of no interest, but for its end. */
static int read_waste(struct serve_conn *k)
{
    char waste[4096];
    ssize_t n = hail_try_read(ctx_of(k), k->stream, waste, sizeof waste);
    return n == 0 ? -ENOTCONN : n < 0 ? (int)n : 0;
}

/* Sends our end, and then reads until the client's, so that a response is not lost to the reset
 * that unread bytes cause: RFC 9112 section 9.6. */
static int end_connection(struct serve_conn *k)
{
    if (!k->ended && (k->linger || k->tls)) {
        int rc = hail_try_shutdown(ctx_of(k), k->stream);
        if (rc < 0)
            return rc;
        k->ended = true;
    }
    if (!k->linger)
        return -ENOTCONN;
    return read_waste(k);
}

/* --- the machine --- */

static int shake_hands(struct serve_conn *k)
{
    int rc = hail_try_handshake(ctx_of(k), k->stream);
    if (rc == 0)
        k->state = SERVE_REQUEST;
    else if (rc != -EAGAIN)
        serve_log_error(k->worker);
    return rc;
}

static int step(struct serve_conn *k, struct serve_turn *turn)
{
    int rc;
    switch ((enum serve_state)k->state) {
    case SERVE_HANDSHAKE:
        return shake_hands(k);
    case SERVE_REQUEST:
        return serve_read_requests(k, turn);
    case SERVE_UPLOAD:
        return serve_read_content(k, turn);
    case SERVE_TASK:
        turn->wants = 0;
        return -EAGAIN;
    case SERVE_EVENTS:
        return read_waste(k);
    case SERVE_RESPONSE:
        rc = serve_send(k, turn);
        return rc < 0 ? rc : after_response(k);
    case SERVE_CLOSING:
        return end_connection(k);
    }
    return -EINVAL;
}

static enum serve_wait waits_for(const struct serve_conn *k)
{
    static const uint8_t by_state[] = {
        [SERVE_HANDSHAKE] = SERVE_WAIT_HEAD, [SERVE_REQUEST] = SERVE_WAIT_HEAD,
        [SERVE_UPLOAD] = SERVE_WAIT_CONTENT, [SERVE_TASK] = SERVE_WAIT_TASK,
        [SERVE_EVENTS] = SERVE_WAIT_TASK,    [SERVE_RESPONSE] = SERVE_WAIT_SEND,
        [SERVE_CLOSING] = SERVE_WAIT_LINGER};
    return k->state == SERVE_REQUEST && !k->b ? SERVE_WAIT_IDLE
                                              : (enum serve_wait)by_state[k->state];
}

/* The connection has to wait, for `events` of its socket. */
static void settle(struct serve_conn *k, int events)
{
    struct hail_loop *loop = k->worker->loop;
    enum serve_wait what = waits_for(k);
    int rc = 0;
    if (!k->in_loop)
        rc = hail_loop_add(loop, &k->watch, events);
    else if (events != k->events)
        rc = hail_loop_change(loop, &k->watch, events);
    if (rc < 0) {
        serve_conn_close(k);
        return;
    }
    k->in_loop = true;
    k->events = (short)events;
    if (what != k->wait || k->fresh)
        serve_wait_for(k, what);
    k->fresh = false;
}

/* Steps until the socket has to be waited for, or others have waited long enough. */
static void drive(struct serve_conn *k)
{
    struct serve_turn turn = {0};
    int rc = 0;
    while (rc == 0 && turn.bytes < TURN) {
        turn.wants = -1;
        rc = step(k, &turn);
    }
    if (rc == 0)
        settle(k, POLLOUT);
    else if (rc == -EAGAIN)
        settle(k, turn.wants >= 0 ? turn.wants : hail_stream_wants(k->stream));
    else
        serve_conn_close(k);
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct serve_conn *k = (struct serve_conn *)w; /* its first member */
    (void)loop;
    k->drained = false;
    if (k->state == SERVE_TASK && events & (POLLHUP | POLLERR))
        serve_conn_close(k); /* nobody is there for what is being made */
    else
        drive(k);
}

/* --- tasks --- */

void serve_wait_on(struct serve_conn *k, struct serve_conn **list)
{
    k->b->waits_on = list;
    k->b->waits_next = *list;
    *list = k;
}

void serve_wait_off(struct serve_conn *k)
{
    struct serve_conn **at = k->b->waits_on;
    if (!at)
        return;
    while (*at != k)
        at = &(*at)->b->waits_next;
    *at = k->b->waits_next;
    k->b->waits_on = NULL;
}

static void resume(struct serve_conn *k)
{
    if (k->state == SERVE_EVENTS)
        serve_dev_tell(k);
    else
        serve_answer_again(k);
    drive(k);
}

/* What holds the list may be gone after the first of them. */
void serve_wake(struct serve_conn **list)
{
    struct serve_conn *k = *list, *next;
    *list = NULL;
    for (; k; k = next) {
        next = k->b->waits_next;
        k->b->waits_on = NULL;
        resume(k);
    }
}

/* --- time --- */

/* Whether enough of the content went out, or came in, since the last look. */
static bool keeps_pace(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    const struct serve_times *t = &k->worker->serve->o->times;
    uint64_t now = k->state == SERVE_UPLOAD ? b->body.total : b->sent;
    bool enough = now - b->paced >= (uint64_t)t->rate * (unsigned)t->pace_s;
    b->paced = now;
    return enough;
}

void serve_conn_too_slow(struct serve_conn *k)
{
    bool content = k->state == SERVE_UPLOAD || k->state == SERVE_RESPONSE;
    if (content && keeps_pace(k)) {
        serve_wait_for(k, (enum serve_wait)k->wait);
        return;
    }
    serve_count_add(&k->worker->counts.timed_out, 1);
    if (k->state == SERVE_REQUEST && k->b && k->b->in_len) {
        /* a head that is not complete; RFC 9110 section 15.5.9 */
        serve_refuse(k, 408);
        k->b->in_at = k->b->in_len = 0;
        k->state = SERVE_RESPONSE;
        drive(k);
        return;
    }
    serve_conn_close(k);
}

void serve_conn_stop(struct serve_conn *k)
{
    if (k->state != SERVE_RESPONSE && k->state != SERVE_TASK)
        serve_conn_close(k);
}

/* --- coming --- */

/* Makes room for a new connection: the one that has idled longest goes, else the one whose request
 * has been awaited longest, if that is longer than it should be. */
static bool make_room(struct serve_worker *w)
{
    struct serve_conn *idle = w->queues[SERVE_WAIT_IDLE].first;
    struct serve_conn *slow = w->queues[SERVE_WAIT_HEAD].first;
    if (idle)
        serve_conn_close(idle);
    else if (slow && hail_loop_now(w->loop) - slow->since_ns > SERVE_SLOW_NS)
        serve_conn_close(slow);
    else
        return false;
    return true;
}

/* Says that there is no room. The request is read, or the answer could be lost to a reset. */
static void turn_away(struct serve_worker *w, struct hail_stream *s, bool tls)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                 "Connection: close\r\nContent-Length: 0\r\n\r\n";
    struct iovec v = {(char *)answer, sizeof answer - 1};
    char waste[4096];
    if (!tls && hail_try_read(&w->ctx, s, waste, sizeof waste) != 0)
        (void)hail_try_writev(&w->ctx, s, &v, 1);
    hail_close(s);
}

static bool admit(struct serve_worker *w, const struct hail_stream *s,
                  struct serve_address **address)
{
    struct serve_limits *l = w->serve->limits;
    enum serve_admission a = serve_admit(l, s, address);
    if (a == SERVE_FULL && make_room(w))
        a = serve_admit(l, s, address);
    if (a != SERVE_ADMITTED)
        serve_count_add(a == SERVE_FULL ? &w->counts.full : &w->counts.enough, 1);
    return a == SERVE_ADMITTED;
}

void serve_conn_open(struct serve_worker *w, struct hail_stream *s, const struct serve_door *door)
{
    struct serve_address *address;
    bool tls = door->tls;
    if (!admit(w, s, &address)) {
        turn_away(w, s, tls);
        return;
    }
    struct serve_conn *k = malloc(sizeof *k);
    if (!k || (tls && hail_tls_server_start(&w->ctx, &s, w->serve->tls) < 0)) {
        serve_leave(w->serve->limits, address);
        hail_close(s);
        free(k);
        return;
    }
    *k = (struct serve_conn){.watch = {hail_stream_fd(s), on_ready},
                             .worker = w,
                             .stream = s,
                             .address = address,
                             .tls = tls,
                             .metrics = door->metrics,
                             .state = tls ? SERVE_HANDSHAKE : SERVE_REQUEST,
                             .keep_alive = true};
    serve_wait_begin(k, SERVE_WAIT_HEAD);
    drive(k); /* the first bytes are often there already */
}
