/* requests.c - what a connection reads: the heads of requests, and the content behind them.
 *
 * Heads that came one behind another are answered into one buffer, as long as there is room. The
 * content of a request is read within bounds and thrown away: RFC 9110 section 9.3.1 gives it no
 * meaning for what is served here.
 */
#include "serve.h"

#include "net/layer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

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

/* Answers the request in the head, if no task has to make something first. What is next. */
static enum serve_state answer(struct serve_conn *k)
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
        return answer(k);
    hail_http_body_init(&b->body, &b->head, b->trailers, SERVE_TRAILERS);
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
        b->note.began_ns = k->worker->serve->timed ? hail_now() : 0;
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
        serve_release(k);
        if (k->worker->stopping)
            return -ECANCELED;
    }
    return -EAGAIN;
}

/* Reads into the `room` bytes behind what was read. Where that was all that is there, the loop
 * tells of more. */
static int read_more(struct serve_conn *k, size_t room, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    ssize_t n = -EAGAIN;
    if (!k->drained)
        n = hail_try_read(&k->worker->ctx, k->stream, b->in + b->in_len, room);
    if (n == -EAGAIN)
        return wait_for_bytes(k, turn);
    if (n <= 0)
        return n < 0 ? (int)n : -ENOTCONN;
    b->in_len += (size_t)n;
    b->untaken = true;
    k->drained = k->stream->drained;
    return 0;
}

int serve_read_requests(struct serve_conn *k, struct serve_turn *turn)
{
    if (ready_buffers(k) < 0)
        return -ENOMEM;
    if (!k->b->untaken)
        return read_more(k, SERVE_IN - k->b->in_len, turn);
    k->b->untaken = false;
    k->state = (uint8_t)take_requests(k);
    return 0;
}

void serve_answer_again(struct serve_conn *k)
{
    k->state = (uint8_t)answer(k);
    if (k->state == SERVE_REQUEST)
        k->state = SERVE_RESPONSE;
}

/* Throws away what was read of the content. 1: it is complete. */
static int take_content(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    assert(b);
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

/* What was answered before the content (or "100 Continue") goes out first: the client may wait for
 * that. */
int serve_read_content(struct serve_conn *k, struct serve_turn *turn)
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
    serve_answer_again(k);
    return 0;
}
