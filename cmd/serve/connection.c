/* connection.c - one connection, driven by what its socket is ready for.
 *
 *      HANDSHAKE --> REQUEST --> (UPLOAD) --> (TASK) --> RESPONSE --> CLOSING --> gone
 *                       ^                                   |
 *                       +-----------------------------------+
 *
 * Requests that were sent one behind another are answered into one buffer and written at once. An
 * idle connection keeps no buffers. A connection that was accepted is read from at once, and joins
 * the loop only when it has to wait: one request on a connection of its own never does.
 */
#include "serve.h"

#include "net/layer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define TURN ((uint64_t)4 << 20) /* bytes sent before other connections get their turn */

static struct hail_ctx *ctx_of(struct serve_conn *k)
{
    return &k->worker->ctx;
}

static void release(struct serve_conn *k)
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
    release(k);
    hail_close(k->stream);
    free(k);
    serve_conn_gone(w);
}

/* --- requests --- */

static void expect_head(struct serve_conn *k)
{
    static const struct hail_http_limits limits = {.line = SERVE_LINE, .head = SERVE_IN};
    hail_http_head_init(&k->b->head, k->b->fields, SERVE_FIELDS, &limits);
}

/* The head at `in_at` (and its content) was answered; what follows is the next. */
static void next_head(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    b->in_at += b->head_len;
    b->head_len = 0;
    b->content_read = false;
    if (b->in_at == b->in_len)
        b->in_at = b->in_len = 0;
    k->fresh = true;
    expect_head(k);
}

static enum serve_state respond(struct serve_conn *k)
{
    if (!serve_respond(k))
        return SERVE_TASK;
    next_head(k);
    return SERVE_REQUEST;
}

/* The head in b->head is whole. */
static enum serve_state take_head(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    if (b->head.framing == HAIL_HTTP_NO_BODY || !serve_takes_content(k))
        return respond(k);
    hail_http_body_init(&b->body, &b->head, NULL, 0);
    b->body.limits.trailer = SERVE_CONTENT / 2;
    return SERVE_UPLOAD;
}

/* An incomplete head goes to the front, so that there is room for its rest. */
static void make_room(struct serve_buffers *b)
{
    if (b->in_at == 0)
        return;
    memmove(b->in, b->in + b->in_at, b->in_len - b->in_at);
    b->in_len -= b->in_at;
    b->in_at = 0;
}

/* Answers what is complete in `in`, as long as there is room. What is to be done next. */
static enum serve_state take_requests(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    enum serve_state next = SERVE_REQUEST;
    while (next == SERVE_REQUEST && b->in_at < b->in_len && k->keep_alive && b->npieces == 0 &&
           SERVE_OUT - b->out_len >= SERVE_HEAD_MAX) {
        ssize_t n = hail_http_request_parse(&b->head, b->in + b->in_at, b->in_len - b->in_at);
        if (n == -EAGAIN) {
            make_room(b);
            break;
        }
        if (n < 0) {
            serve_refuse(k, hail_http_error_status(b->head.error));
            b->in_at = b->in_len = 0;
            break;
        }
        b->head_len = (size_t)n;
        next = take_head(k);
    }
    return next == SERVE_REQUEST && b->out_len ? SERVE_RESPONSE : next;
}

static int ready_buffers(struct serve_conn *k)
{
    if (k->b)
        return 0;
    k->b = serve_buffers_take(k->worker);
    if (!k->b)
        return -ENOMEM;
    expect_head(k);
    return 0;
}

/* Nothing is there to be read. */
static int wait_for_bytes(struct serve_conn *k, struct serve_turn *turn)
{
    turn->wants = hail_stream_wants(k->stream);
    if (k->drained)
        turn->wants = POLLIN;
    if (k->b->in_len == 0) {
        release(k);
        if (k->worker->stopping)
            return -ECANCELED;
    }
    return -EAGAIN;
}

/* Reads into the `room` bytes behind what was read. A read that was short found the end of what is
 * there; the loop tells of more. (Under TLS it is the records' end.) */
static int read_more(struct serve_conn *k, size_t room, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    ssize_t n = -EAGAIN;
    if (!k->drained)
        n = hail_try_read(ctx_of(k), k->stream, b->in + b->in_len, room);
    if (n == -EAGAIN)
        return wait_for_bytes(k, turn);
    if (n <= 0)
        return n < 0 ? (int)n : -ENOTCONN;
    b->in_len += (size_t)n;
    b->untaken = true;
    k->drained = (size_t)n < room && !k->tls;
    return 0;
}

static int read_requests(struct serve_conn *k, struct serve_turn *turn)
{
    if (ready_buffers(k) < 0)
        return -ENOMEM;
    if (!k->b->untaken)
        return read_more(k, SERVE_IN - k->b->in_len, turn);
    k->b->untaken = false;
    k->state = (uint8_t)take_requests(k);
    return 0;
}

/* Throws away what was read of the content. 1: it is complete. */
static int take_content(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    size_t start = b->in_at + b->head_len, at = start, used;
    struct hail_slice data;
    int rc = 0;
    while (rc == 0) {
        rc = hail_http_body_read(&b->body, b->in + at, b->in_len - at, &used, &data);
        at += used;
    }
    memmove(b->in + start, b->in + at, b->in_len - at);
    b->in_len -= at - start;
    if (b->body.total > SERVE_BODY_MAX)
        return -EMSGSIZE;
    return rc == -EAGAIN ? 0 : rc;
}

/* The content of a request; RFC 9110 section 9.3.1: it means nothing for what is served here. What
 * was answered before it (or "100 Continue") goes out first: the client may wait for that. */
static int read_content(struct serve_conn *k, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    int rc = b->out_at < b->out_len ? serve_send(k, turn) : 0;
    if (rc < 0)
        return rc;
    rc = take_content(k);
    if (rc == 0)
        return read_more(k, sizeof b->in - b->in_len, turn);
    b->untaken = false;
    if (rc < 0) {
        serve_refuse(k, rc == -EMSGSIZE ? 413 : hail_http_error_status(b->body.error));
        b->in_at = b->in_len = 0;
        k->state = SERVE_RESPONSE;
        return 0;
    }
    b->content_read = true;
    b->untaken = true;
    k->state = (uint8_t)respond(k);
    if (k->state == SERVE_REQUEST)
        k->state = SERVE_RESPONSE;
    return 0;
}

/* --- responses --- */

/* After the last byte: the next request, or the end. */
static int after_response(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    serve_send_end(k);
    b->untaken = b->in_len > 0;
    k->fresh = true;
    if (k->keep_alive && !k->worker->stopping) {
        k->state = SERVE_REQUEST;
        return 0;
    }
    k->state = SERVE_CLOSING;
    k->linger = k->linger || b->in_len > 0;
    return 0;
}

/* Sends our end, and then reads until the client's, so that a response is not lost to the reset
 * that unread bytes cause: RFC 9112 section 9.6. */
static int end_connection(struct serve_conn *k)
{
    char waste[4096];
    if (!k->ended && (k->linger || k->tls)) {
        int rc = hail_try_shutdown(ctx_of(k), k->stream);
        if (rc < 0)
            return rc;
        k->ended = true;
    }
    if (!k->linger)
        return -ENOTCONN;
    ssize_t n = hail_try_read(ctx_of(k), k->stream, waste, sizeof waste);
    return n == 0 ? -ENOTCONN : n < 0 ? (int)n : 0;
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
        return read_requests(k, turn);
    case SERVE_UPLOAD:
        return read_content(k, turn);
    case SERVE_TASK:
        turn->wants = 0;
        return -EAGAIN;
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
        [SERVE_RESPONSE] = SERVE_WAIT_SEND,  [SERVE_CLOSING] = SERVE_WAIT_LINGER};
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
    k->state = (uint8_t)respond(k);
    if (k->state == SERVE_REQUEST)
        k->state = SERVE_RESPONSE;
    drive(k);
}

void serve_wake(struct serve_conn **list)
{
    while (*list) {
        struct serve_conn *k = *list;
        *list = k->b->waits_next;
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

void serve_conn_open(struct serve_worker *w, struct hail_stream *s, bool tls)
{
    struct serve_conn *k = calloc(1, sizeof *k);
    if (!k) {
        hail_close(s);
        return;
    }
    *k = (struct serve_conn){.watch = {hail_stream_fd(s), on_ready},
                             .worker = w,
                             .stream = s,
                             .tls = tls,
                             .state = tls ? SERVE_HANDSHAKE : SERVE_REQUEST,
                             .keep_alive = true};
    if (tls && hail_tls_server_start(&w->ctx, &k->stream, w->tls) < 0) {
        hail_close(k->stream);
        free(k);
        return;
    }
    serve_wait_begin(k, SERVE_WAIT_HEAD);
    drive(k); /* the first bytes are often there already */
}
