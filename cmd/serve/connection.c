/* connection.c - one connection, driven by what its socket is ready for.
 *
 *      HANDSHAKE --> REQUEST <--> RESPONSE --> CLOSING --> gone
 *
 * Requests that were sent one behind another are answered into one buffer and written at once. An
 * idle connection keeps no buffers. Every state has a time limit; a slow client costs its own
 * connection and nothing else.
 */
#include "serve.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a file before other connections get their turn. */
#define SEND_TURN ((uint64_t)1 << 20)

static struct hail_ctx *ctx_of(struct serve_conn *k)
{
    return &k->worker->ctx;
}

static int limit(struct serve_conn *k, int seconds)
{
    struct hail_loop *loop = k->worker->loop;
    return hail_timer_set(loop, &k->timer, hail_loop_now(loop) + seconds * 1000000000LL);
}

static void release(struct serve_conn *k)
{
    serve_buffers_give(k->worker, k->b);
    k->b = NULL;
}

/* The file under way, if any, is over: the log is told how much of it went out. */
static void end_file(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    if (b && b->note_len) {
        uint64_t unsent = k->file_left + (b->out_len - b->out_at);
        uint64_t sent = unsent < k->file_size ? k->file_size - unsent : 0;
        serve_log_add(k->worker, b->note, b->note_len, sent, unsent == 0);
        b->note_len = 0;
    }
    if (k->file >= 0)
        close(k->file);
    k->file = -1;
    k->file_left = 0;
}

void serve_conn_close(struct serve_conn *k)
{
    struct serve_worker *w = k->worker;
    end_file(k);
    hail_timer_clear(w->loop, &k->timer);
    hail_loop_remove(w->loop, &k->watch);
    release(k);
    hail_close(k->stream);
    serve_conn_gone(w, k);
    free(k);
}

/* --- requests --- */

static void expect_head(struct serve_conn *k)
{
    static const struct hail_http_limits limits = {.line = SERVE_LINE, .head = SERVE_IN};
    hail_http_head_init(&k->b->head, k->b->fields, SERVE_FIELDS, &limits);
}

/* Answers what is complete in `in`, as long as there is room. 1: there is something to send. */
static int take_requests(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    size_t at = 0;
    while (at < b->in_len && k->keep_alive && k->file < 0 &&
           SERVE_OUT - b->out_len >= SERVE_HEAD_MAX) {
        ssize_t n = hail_http_request_parse(&b->head, b->in + at, b->in_len - at);
        if (n == -EAGAIN)
            break;
        if (n < 0) {
            serve_refuse(k, hail_http_error_status(b->head.error));
            at = b->in_len;
        } else {
            serve_respond(k);
            at += (size_t)n;
        }
        expect_head(k);
    }
    if (at) {
        memmove(b->in, b->in + at, b->in_len - at);
        b->in_len -= at;
    }
    return b->out_len > 0;
}

/* Nothing is there to be read. */
static int wait_for_request(struct serve_conn *k)
{
    if (k->b && k->b->in_len == 0) {
        release(k);
        if (k->worker->stopping)
            return -ECANCELED;
    }
    return -EAGAIN;
}

static int begin_response(struct serve_conn *k)
{
    k->state = SERVE_RESPONSE;
    return limit(k, SERVE_SEND_S);
}

static int read_requests(struct serve_conn *k)
{
    if (!k->b) {
        k->b = serve_buffers_take(k->worker);
        if (!k->b)
            return -ENOMEM;
        expect_head(k);
    }
    struct serve_buffers *b = k->b;
    if (b->in_len && take_requests(k))
        return begin_response(k);
    bool fresh = b->in_len == 0;
    ssize_t n = hail_try_read(ctx_of(k), k->stream, b->in + b->in_len, SERVE_IN - b->in_len);
    if (n == -EAGAIN)
        return wait_for_request(k);
    if (n <= 0)
        return n < 0 ? (int)n : -ENOTCONN;
    b->in_len += (size_t)n;
    if (take_requests(k))
        return begin_response(k);
    return fresh ? limit(k, SERVE_HEAD_S) : 0;
}

/* --- responses --- */

/* After the last byte: the next request, or the end. */
static int after_response(struct serve_conn *k)
{
    k->b->out_len = k->b->out_at = 0;
    end_file(k);
    if (k->keep_alive && !k->worker->stopping) {
        k->state = SERVE_REQUEST;
        return limit(k, k->b->in_len ? SERVE_HEAD_S : SERVE_IDLE_S);
    }
    k->state = SERVE_CLOSING;
    k->linger = k->linger || k->b->in_len > 0;
    return limit(k, SERVE_LINGER_S);
}

static int send_buffer(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    const struct iovec iov = {b->out + b->out_at, b->out_len - b->out_at};
    ssize_t n = hail_try_writev(ctx_of(k), k->stream, &iov, 1);
    if (n < 0)
        return (int)n;
    b->out_at += (size_t)n;
    return limit(k, SERVE_SEND_S);
}

static int send_file(struct serve_conn *k, uint64_t *turn)
{
    uint64_t most = k->file_left < SEND_TURN ? k->file_left : SEND_TURN;
    ssize_t n = hail_try_sendfile(ctx_of(k), k->stream, k->file, &k->file_at, (size_t)most);
    if (n < 0)
        return (int)n;
    k->file_left -= (uint64_t)n;
    *turn += (uint64_t)n;
    return limit(k, SERVE_SEND_S);
}

/* --- the end --- */

/* Sends our end, and then reads until the client's, so that a response is not lost to the reset
 * that unread bytes cause: RFC 9112 section 9.6. */
static int end_connection(struct serve_conn *k)
{
    char waste[4096];
    if (!k->ended && (k->linger || k->worker->tls)) {
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
    if (rc == 0) {
        k->state = SERVE_REQUEST;
        return limit(k, SERVE_HEAD_S);
    }
    if (rc != -EAGAIN)
        serve_log_error(k->worker);
    return rc;
}

static int step(struct serve_conn *k, uint64_t *turn)
{
    switch (k->state) {
    case SERVE_HANDSHAKE:
        return shake_hands(k);
    case SERVE_REQUEST:
        return read_requests(k);
    case SERVE_RESPONSE:
        assert(k->b); /* given back only while a head is waited for */
        if (k->b->out_at < k->b->out_len)
            return send_buffer(k);
        return k->file_left ? send_file(k, turn) : after_response(k);
    case SERVE_CLOSING:
        return end_connection(k);
    }
    return -EINVAL;
}

static void watch_for(struct serve_conn *k, int events)
{
    if (events == k->events)
        return;
    k->events = events;
    if (hail_loop_change(k->worker->loop, &k->watch, events) < 0)
        serve_conn_close(k);
}

/* Steps until the socket has to be waited for, or others have waited long enough. */
static void drive(struct serve_conn *k)
{
    uint64_t turn = 0;
    int rc = 0;
    while (rc == 0 && turn < SEND_TURN)
        rc = step(k, &turn);
    if (rc == 0)
        watch_for(k, POLLOUT);
    else if (rc == -EAGAIN)
        watch_for(k, hail_stream_wants(k->stream));
    else
        serve_conn_close(k);
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)loop, (void)events;
    drive((struct serve_conn *)w); /* its first member */
}

static void on_time(struct hail_loop *loop, struct hail_timer *t)
{
    struct serve_conn *k = (struct serve_conn *)((char *)t - offsetof(struct serve_conn, timer));
    (void)loop;
    if (k->state != SERVE_REQUEST || !k->b || k->b->in_len == 0) {
        serve_conn_close(k);
        return;
    }
    /* a head that is not complete; RFC 9110 section 15.5.9 */
    serve_refuse(k, 408);
    k->b->in_len = 0;
    if (begin_response(k) < 0)
        serve_conn_close(k);
    else
        drive(k);
}

void serve_conn_stop(struct serve_conn *k)
{
    if (k->state != SERVE_RESPONSE)
        serve_conn_close(k);
}

static int begin(struct serve_conn *k)
{
    struct serve_worker *w = k->worker;
    k->state = w->tls ? SERVE_HANDSHAKE : SERVE_REQUEST;
    if (w->tls && hail_tls_server_start(&w->ctx, &k->stream, w->tls) < 0)
        return -ENOMEM;
    k->watch = (struct hail_watch){hail_stream_fd(k->stream), on_ready};
    k->events = POLLIN;
    int rc = hail_loop_add(w->loop, &k->watch, POLLIN);
    return rc < 0 ? rc : limit(k, SERVE_HEAD_S);
}

void serve_conn_open(struct serve_worker *w, struct hail_stream *s)
{
    struct serve_conn *k = calloc(1, sizeof *k);
    if (!k) {
        hail_close(s);
        return;
    }
    *k = (struct serve_conn){.worker = w,
                             .stream = s,
                             .timer.fire = on_time,
                             .file = -1,
                             .keep_alive = true,
                             .next = w->conns};
    if (begin(k) < 0) {
        hail_timer_clear(w->loop, &k->timer);
        hail_close(k->stream);
        free(k);
        return;
    }
    if (w->conns)
        w->conns->prev = k;
    w->conns = k;
    drive(k); /* the first bytes are often there already */
}
