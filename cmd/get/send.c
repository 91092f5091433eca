/* send.c - sending the request: its head, a wait for 100 Continue, its content.
 *
 * A server may answer before it has all of the content. An error is reason enough to stop; anything
 * else is read when all was sent.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Whether the server has begun to answer. 1: the head of a final response is complete. */
static int early(struct get_session *s)
{
    struct pollfd p = {.fd = hail_stream_fd(s->conn->stream), .events = POLLIN};
    if (poll(&p, 1, 0) <= 0)
        return 0;
    ssize_t n = hail_try_read(&s->c.ctx, s->conn->stream, s->buf + s->len, GET_BUFFER - s->len);
    if (n == -EAGAIN)
        return 0;
    if (n <= 0)
        return (int)n;
    s->len += (size_t)n;
    bool interim = false;
    int rc = get_read_head(s, &interim);
    return rc == -EAGAIN || interim ? 0 : rc == 0 ? 1 : rc;
}

/* What was said before the connection broke comes first. */
static int broken(struct get_session *s, int rc)
{
    struct hail_error err = s->c.ctx.err;
    s->closing = true;
    bool interim = true;
    while (interim) {
        interim = false;
        int got = get_read_head(s, &interim);
        while (got == -EAGAIN) {
            ssize_t n =
                hail_try_read(&s->c.ctx, s->conn->stream, s->buf + s->len, GET_BUFFER - s->len);
            if (n <= 0)
                break;
            s->len += (size_t)n;
            got = get_read_head(s, &interim);
        }
        if (got == 0 && !interim)
            return 1;
        if (got < 0)
            break;
    }
    s->c.ctx.err = err;
    return rc;
}

static int put(struct get_session *s, const struct iovec *iov, int n)
{
    get_allow(s, GET_SILENCE_S);
    int rc = hail_writev(&s->c.ctx, s->conn->stream, iov, n, NULL);
    if (rc == -EPIPE || rc == -ECONNRESET)
        return broken(s, rc);
    return rc;
}

/* Waits a while for 100 Continue. 1: another answer came in its place. */
static int wait_for_continue(struct get_session *s)
{
    struct hail_ctx *ctx = &s->c.ctx;
    get_allow(s, s->asked->expect_s);
    for (;;) {
        ssize_t n = hail_read(ctx, s->conn->stream, s->buf + s->len, GET_BUFFER - s->len);
        if (n == -ETIMEDOUT && (!s->job->by.ns || hail_now() < s->job->by.ns)) {
            get_verbose(s, "no 100 Continue after %g s: sending all the same", s->asked->expect_s);
            return 0;
        }
        if (n < 0)
            return (int)n;
        if (n == 0)
            return 1;
        s->len += (size_t)n;
        bool interim = false;
        int rc = get_read_head(s, &interim);
        if (rc == -EAGAIN)
            continue;
        return rc < 0 ? rc : !interim;
    }
}

/* One piece, in a chunk of its own where there is no length. 1: answered. */
static int put_piece(struct get_session *s, size_t n, bool chunked)
{
    static char end[] = "\r\n";
    char size[24];
    struct hail_http_out o = {.p = size, .size = sizeof size};
    s->hop->sent += n;
    get_progress_add(s, n);
    if (!chunked)
        return put(s, &(struct iovec){s->chunk, n}, 1);
    hail_http_put_chunk_size(&o, n);
    return put(s, (const struct iovec[]){{size, o.len}, {s->chunk, n}, {end, 2}}, 3);
}

static int send_content(struct get_session *s)
{
    bool chunked = get_chunked(s);
    uint64_t left = s->job->upload.size;
    for (;;) {
        size_t most = chunked || left > GET_CHUNK ? GET_CHUNK : (size_t)left;
        ssize_t n = most ? get_upload_read(s, s->chunk, most) : 0;
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        left -= chunked ? 0 : (uint64_t)n;
        int rc = put_piece(s, (size_t)n, chunked);
        rc = rc == 0 ? early(s) : rc;
        if (rc == 1 && s->head.status >= 400) {
            get_verbose(s, "an error came before all was sent: the rest is not");
            s->closing = true;
            return 1;
        }
        if (rc != 0)
            return rc;
    }
    if (!chunked && left && !get_replaced(s, "Content-Length"))
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, EIO, "read",
                         "read the content of the request: it ended %llu bytes early",
                         (unsigned long long)left);
    static char last[] = "0\r\n\r\n";
    return chunked ? put(s, &(struct iovec){last, 5}, 1) : 0;
}

int get_send(struct get_session *s, bool *answered)
{
    bool content = s->job->upload.there && !get_login_waits(s);
    int rc = 0;
    get_verbose_head(s, '>', s->request.p, s->request.len);
    struct iovec iov[2] = {{s->request.p, s->request.len}};
    int n = 1;
    if (content && !get_expects(s) && !get_chunked(s) && s->job->upload.n == 1 &&
        s->job->upload.parts[0].bytes) {
        n = 2; /* with the head, in one segment where it fits */
        iov[1] = (struct iovec){s->job->upload.parts[0].bytes, s->job->upload.size};
        s->hop->sent = s->job->upload.size;
        s->job->upload.begun = true;
        content = false;
    }
    rc = put(s, iov, n);
    if (rc == 0 && content && get_expects(s))
        rc = wait_for_continue(s);
    if (rc == 1)
        s->closing = true;
    if (rc == 0 && content)
        rc = send_content(s);
    *answered = rc == 1 && s->head_size > 0;
    s->hop->sent_ns = hail_now();
    return rc < 0 ? rc : 0;
}
