/* exporter_conn.c - a connection to the exporter; exporter.h.
 *
 *      READ --> ANSWER --> SEND --> LINGER --> gone
 *       ^                   |
 *       +-------------------+
 *
 * Requests that were sent ahead wait in the buffer, and nothing is read, until the one before them
 * is answered and sent.
 */
#include "exporter_conn.h"

#include "proto/answer.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND    ((int64_t)1000000000)
#define TURN      16                  /* steps before other connections get their turn */
#define WHY_MAX   ((size_t)1024 * 16) /* bytes of a refusal */
#define PIECE_MAX ((size_t)1 << 20)   /* of one piece of an answer, whatever happens */
#define SIZE_LINE 10                  /* of a chunk: eight digits, CR LF */

/* How long a wait may take; ANSWER is as long as who answers takes. */
#define IDLE_NS   (120 * SECOND)
#define HEAD_NS   (10 * SECOND)
#define SEND_NS   (60 * SECOND)
#define LINGER_NS (2 * SECOND)

/* --- requests --- */

static void expect_request(struct exporter_conn *k)
{
    static const struct hail_http_limits limits = {.line = EXPORTER_HEAD / 2,
                                                   .head = EXPORTER_HEAD};
    memmove(k->in, k->in + k->used, k->in_len - k->used);
    k->in_len -= k->used;
    k->used = 0;
    k->partial = k->in_len > 0;
    k->state = EXPORTER_READ;
    hail_http_head_init(&k->head, k->fields, EXPORTER_FIELDS, &limits);
}

/* A head that cannot be read: what follows it cannot be, either. */
static void refuse_head(struct exporter_conn *k, int status)
{
    k->used = k->in_len;
    k->keep_alive = k->head_only = false;
    k->state = EXPORTER_ANSWER;
    exporter_refuse(&k->q, status, NULL);
}

static int read_request(struct exporter_conn *k)
{
    ssize_t n = hail_http_request_parse(&k->head, k->in, k->in_len);
    if (n > 0) {
        k->used = (size_t)n;
        exporter_take_request(k);
        return 0;
    }
    if (n == -EPROTO || k->in_len == sizeof k->in) {
        refuse_head(k, n == -EPROTO ? hail_http_error_status(k->head.error) : 431);
        return 0;
    }
    n = hail_try_read(&k->e->ctx, k->stream, k->in + k->in_len, sizeof k->in - k->in_len);
    if (n <= 0)
        return n == 0 ? -ENOTCONN : (int)n;
    k->in_len += (size_t)n;
    return 0;
}

/* --- responses --- */

static void end_pieces(struct exporter_conn *k)
{
    void (*end)(void *arg) = k->end;
    k->more = NULL;
    k->end = NULL;
    if (end)
        end(k->pieces);
}

/* The next piece, as a chunk (RFC 9112 section 7.1) but for clients of HTTP/1.0. Its size is known
 * when it is made: there is room for it in front, with zeros. */
static int next_piece(struct exporter_conn *k)
{
    char size[SIZE_LINE + 1] = "00000000\r\n";
    bool chunked = k->head.minor >= 1;
    hail_buf_clear(&k->body);
    if (chunked)
        hail_buf_add(&k->body, size, SIZE_LINE);
    if (k->body.failed)
        return k->body.failed;
    bool more = k->more(k->pieces, &k->body);
    size_t n = k->body.len - (chunked ? SIZE_LINE : 0);
    if (chunked) {
        snprintf(size, sizeof size, "%08zx\r\n", n);
        memcpy(k->body.p, size, SIZE_LINE);
        hail_buf_str(&k->body, "\r\n");
    }
    if (chunked && n == 0) /* an empty chunk would be the end */
        hail_buf_clear(&k->body);
    if (chunked && !more)
        hail_buf_str(&k->body, "0\r\n\r\n");
    if (!more)
        end_pieces(k);
    k->out_len = k->sent = 0;
    return k->body.failed;
}

static int send_response(struct exporter_conn *k)
{
    struct iovec v[2];
    int n = 0;
    size_t body = k->head_only ? 0 : k->body.len, at = k->sent;
    if (at < k->out_len)
        v[n++] = (struct iovec){k->out + at, k->out_len - at};
    at = at > k->out_len ? at - k->out_len : 0;
    if (at < body)
        v[n++] = (struct iovec){k->body.p + at, body - at};
    ssize_t sent = n ? hail_try_writev(&k->e->ctx, k->stream, v, n) : 0;
    if (sent < 0)
        return (int)sent;
    k->sent += (size_t)sent;
    if (k->sent < k->out_len + body)
        return 0;
    if (k->more && !k->head_only)
        return next_piece(k);
    end_pieces(k);
    hail_buf_free(&k->body);
    if (k->keep_alive)
        expect_request(k);
    else
        k->state = EXPORTER_LINGER;
    return 0;
}

/* Sends our end, and reads until the client's: unread bytes would reset what was answered. */
static int linger(struct exporter_conn *k)
{
    char waste[4096];
    if (!k->ended) {
        int rc = hail_try_shutdown(&k->e->ctx, k->stream);
        if (rc < 0)
            return rc;
        k->ended = true;
    }
    ssize_t n = hail_try_read(&k->e->ctx, k->stream, waste, sizeof waste);
    return n == 0 ? -ENOTCONN : n < 0 ? (int)n : 0;
}

static int step(struct exporter_conn *k)
{
    switch (k->state) {
    case EXPORTER_READ:
        return read_request(k);
    case EXPORTER_ANSWER:
        return -EAGAIN;
    case EXPORTER_SEND:
        return send_response(k);
    case EXPORTER_LINGER:
        return linger(k);
    }
    return -EINVAL;
}

/* --- waiting --- */

static void set_timer(struct exporter_conn *k)
{
    static const int64_t limits[] = {
        [EXPORTER_READ] = HEAD_NS, [EXPORTER_SEND] = SEND_NS, [EXPORTER_LINGER] = LINGER_NS};
    int64_t now = hail_loop_now(k->e->loop);
    k->since_ns = now;
    if (k->state == EXPORTER_ANSWER)
        hail_timer_clear(k->e->loop, &k->timer);
    else if (k->state == EXPORTER_READ && !k->partial)
        hail_timer_set(k->e->loop, &k->timer, now + IDLE_NS);
    else
        hail_timer_set(k->e->loop, &k->timer, now + limits[k->state]);
}

static int settle(struct exporter_conn *k, int events)
{
    if (k->in_loop)
        return hail_loop_change(k->e->loop, &k->watch, events);
    int rc = hail_loop_add(k->e->loop, &k->watch, events);
    k->in_loop = rc == 0;
    return rc;
}

/* Steps until the client has to be waited for, or others have waited long enough. */
static void drive(struct exporter_conn *k)
{
    enum exporter_state before = k->state;
    bool partial = k->partial, moved = !k->in_loop;
    int rc = 0;
    k->driving = true;
    for (int i = 0; i < TURN && rc == 0; i++) {
        rc = step(k);
        moved = moved || k->state != before;
    }
    k->driving = false;
    k->partial = k->state == EXPORTER_READ && k->in_len > 0;
    if (moved || partial != k->partial)
        set_timer(k);
    if (rc == 0)
        rc = settle(k, POLLOUT);
    else if (rc == -EAGAIN)
        rc = settle(k, k->state == EXPORTER_ANSWER ? 0 : hail_stream_wants(k->stream));
    if (rc < 0)
        exporter_conn_close(k);
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct exporter_conn *k = (struct exporter_conn *)w; /* its first member */
    (void)loop;
    if (k->state == EXPORTER_ANSWER && events & (POLLHUP | POLLERR))
        exporter_conn_close(k); /* nobody is there for what is being made */
    else
        drive(k);
}

static void on_time(struct hail_loop *loop, struct hail_timer *t)
{
    struct exporter_conn *k =
        (struct exporter_conn *)((char *)t - offsetof(struct exporter_conn, timer));
    (void)loop;
    if (k->state != EXPORTER_READ || !k->partial) {
        exporter_conn_close(k);
        return;
    }
    refuse_head(k, 408); /* RFC 9110 section 15.5.9 */
}

/* --- answering --- */

static void put_head(struct exporter_conn *k, int status, const char *type, bool pieces)
{
    char date[HAIL_HTTP_DATE_MAX];
    struct hail_http_out o = {.p = k->out, .size = sizeof k->out};
    if (hail_http_date_format(time(NULL), date) < 0)
        *date = '\0';
    ssize_t n = hail_answer_head(
        &o, &(struct hail_answer){
                .status = status,
                .minor = k->head.minor,
                .keep_alive = k->keep_alive,
                .date = date,
                .type = type,
                .length = k->body.len,
                .endless = pieces,
                .more = pieces && k->head.minor >= 1 ? "Transfer-Encoding: chunked\r\n" : NULL,
                .modified = -1,
                .cache_control = "no-store"});
    k->out_len = n < 0 ? 0 : (size_t)n;
    k->sent = 0;
}

/* The answer is there: it is sent. */
static void begin_sending(struct exporter_conn *k, int status, const char *type, bool pieces)
{
    k->state = EXPORTER_SEND;
    if (!k->stream) {
        exporter_conn_close(k);
        return;
    }
    put_head(k, status, type, pieces);
    if (k->driving)
        return;
    set_timer(k);
    if (settle(k, POLLOUT) < 0) /* the loop goes on with it */
        exporter_conn_close(k);
}

void exporter_answer(struct exporter_request *q, int status, const char *type,
                     struct hail_buf *body)
{
    struct exporter_conn *k = exporter_conn_of(q);
    if (body->failed) {
        hail_buf_free(body);
        hail_buf_init(body, WHY_MAX);
        hail_buf_str(body, "this was too much to be told\n");
        status = 500;
        type = "text/plain; charset=utf-8";
    }
    k->body = *body;
    hail_buf_init(body, body->max);
    begin_sending(k, status, type, false);
}

void exporter_stream(struct exporter_request *q, const char *type, exporter_more_fn *more,
                     void (*end)(void *arg), void *arg)
{
    struct exporter_conn *k = exporter_conn_of(q);
    k->more = more;
    k->end = end;
    k->pieces = arg;
    k->keep_alive = k->keep_alive && k->head.minor >= 1;
    hail_buf_init(&k->body, PIECE_MAX);
    begin_sending(k, 200, type, true);
}

void exporter_refuse(struct exporter_request *q, int status, const char *why)
{
    struct hail_buf b;
    hail_buf_init(&b, WHY_MAX);
    if (status != 204)
        hail_buf_printf(&b, "%s\n", why ? why : hail_http_reason(status));
    exporter_answer(q, status, "text/plain; charset=utf-8", &b);
}

/* --- coming and going --- */

int exporter_conn_open(struct exporter *e, struct hail_stream *stream)
{
    struct exporter_conn *k = calloc(1, sizeof *k);
    if (!k) {
        hail_close(stream);
        return -ENOMEM;
    }
    k->watch = (struct hail_watch){hail_stream_fd(stream), on_ready};
    k->timer.fire = on_time;
    k->e = e;
    k->stream = stream;
    k->next = e->conns;
    if (e->conns)
        e->conns->prev = k;
    e->conns = k;
    e->n++;
    hail_buf_init(&k->body, 0);
    expect_request(k);
    drive(k);
    return 0;
}

/* Where the answer is still to come, and nobody is to be told, the rest waits for it. */
void exporter_conn_close(struct exporter_conn *k)
{
    struct exporter *e = k->e;
    end_pieces(k);
    hail_timer_clear(e->loop, &k->timer);
    if (k->in_loop)
        hail_loop_remove(e->loop, &k->watch);
    k->in_loop = false;
    hail_close(k->stream);
    k->stream = NULL;
    if (k->state == EXPORTER_ANSWER && !k->q.gone)
        return;
    if (k->state == EXPORTER_ANSWER)
        k->q.gone(&k->q);
    if (k->prev)
        k->prev->next = k->next;
    else
        e->conns = k->next;
    if (k->next)
        k->next->prev = k->prev;
    e->n--;
    hail_buf_free(&k->body);
    free(k);
}
