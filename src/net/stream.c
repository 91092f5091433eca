/* stream.c - reading, writing and closing a stack of layers; include/hail/stream.h, net/layer.h.
 *
 *      hail_read() = hail_try_read() until it is not -EAGAIN, hail_wait() in between
 *      hail_try_read() = the top layer's step, and what the trace is told of it
 *
 * Everything here is for any layer; what a socket is, is in socket_layer.c.
 */
#include "base/error.h"
#include "net/layer.h"
#include "net/trace.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COPY_MAX 16384 /* bytes of a file that are read at once where sendfile(2) cannot be */
#define IOV_STEP 64    /* slices that one step of hail_writev() hands over at most */

/* --- layers --- */

void hail_stream_push(struct hail_stream *upper, struct hail_stream *lower)
{
    upper->next = lower;
    upper->fd = lower->fd;
    upper->wants = lower->wants;
    upper->span = lower->span;
    upper->trace = lower->trace;
    lower->span = 0;
}

void hail_stream_pop(struct hail_stream *upper)
{
    upper->next->span = upper->span;
    upper->next = NULL;
    upper->span = 0;
}

/* --- the trace --- */

static void emit(const struct hail_stream *s, struct hail_event event)
{
    event.span = s->span;
    event.layer = HAIL_LAYER_STREAM;
    event.op = "stream";
    hail_trace_tell(s->trace, event);
}

/* Remembers how a step ended, for the last word of the conversation's span. */
static void note_end(struct hail_stream *s, ssize_t rc)
{
    if (s->end == HAIL_STREAM_OPEN && rc != -EAGAIN) {
        s->end = rc == 0 ? HAIL_STREAM_ENDED : HAIL_STREAM_FAILED;
        s->end_errnum = (int)-rc;
        s->end_followed = s->sent_end;
    }
}

/* How the conversation ended, in words and in bits: whatever it was, this side closes now. */
static const char *end_text(const struct hail_stream *s, unsigned *end)
{
    bool notify = strcmp(s->ops->end, "FIN") != 0;
    int unread = 0;
    *end = s->end == HAIL_STREAM_ENDED ? HAIL_END_SENT | HAIL_END_RECEIVED : HAIL_END_SENT;
    switch (s->end) {
    case HAIL_STREAM_ENDED:
        if (s->end_followed)
            return notify ? "closed here, then by the peer (close_notify)"
                          : "closed here, then by the peer (FIN)";
        return notify ? "closed by the peer (close_notify)" : "closed by the peer (FIN)";
    case HAIL_STREAM_FAILED:
        if (s->end_errnum == ECONNRESET || s->end_errnum == EPIPE) {
            *end = HAIL_RESET_RECEIVED;
            return "reset by the peer (RST)";
        }
        return hail_errno_text(s->end_errnum);
    default:
        break;
    }
    if (s->end_errnum)
        return s->end_errnum == ETIMEDOUT ? "closed here after a time-out"
                                          : "closed here, cancelled";
    if (ioctl(s->fd, FIONREAD, &unread) == 0 && unread > 0) {
        *end = HAIL_RESET_SENT;
        return "closed here with bytes unread (RST)";
    }
    return "closed here (FIN)";
}

/* --- steps --- */

ssize_t hail_try_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size)
{
    if (size == 0)
        return 0;
    struct hail_stream *l = s;
    while (!l->ops->read)
        l = l->next;
    ssize_t n = l->ops->read(ctx, l, buf, size);
    s->wants = l->wants;
    if (n <= 0)
        note_end(s, n);
    else if (s->span)
        emit(s, (struct hail_event){.kind = HAIL_EVENT_IN, .data = buf, .len = (size_t)n});
    return n;
}

/* Reports the first `n` bytes of the slices. */
static void emit_out(const struct hail_stream *s, const struct iovec *iov, size_t n)
{
    for (; n > 0; iov++) {
        size_t len = iov->iov_len < n ? iov->iov_len : n;
        if (len)
            emit(s, (struct hail_event){.kind = HAIL_EVENT_OUT, .data = iov->iov_base, .len = len});
        n -= len;
    }
}

ssize_t hail_try_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                        int iovcnt)
{
    struct hail_stream *l = s;
    while (!l->ops->writev)
        l = l->next;
    ssize_t n = l->ops->writev(ctx, l, iov, iovcnt);
    s->wants = l->wants;
    if (n < 0)
        note_end(s, n);
    else if (s->span)
        emit_out(s, iov, (size_t)n);
    return n;
}

static int file_failed(struct hail_ctx *ctx, int errnum)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, errnum, "read", "read the file to be sent: %s",
                     hail_errno_text(errnum));
}

static int file_too_short(struct hail_ctx *ctx, off_t at, size_t missing)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, EIO, "read",
                     "read the file to be sent: it ends at byte %lld, %zu short", (long long)at,
                     missing);
}

/* A file through a layer that must see the bytes. */
static ssize_t copy_step(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *offset,
                         size_t size)
{
    char buf[COPY_MAX];
    ssize_t n;
    do
        n = pread(fd, buf, size < sizeof buf ? size : sizeof buf, *offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return file_failed(ctx, errno);
    if (n == 0)
        return file_too_short(ctx, *offset, size);
    const struct iovec iov = {buf, (size_t)n};
    n = hail_try_writev(ctx, s, &iov, 1);
    if (n > 0)
        *offset += n;
    return n;
}

ssize_t hail_try_sendfile(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *offset,
                          size_t size)
{
    if (size == 0)
        return 0;
    struct hail_stream *l = s;
    while (!l->ops->sendfile && !l->ops->writev)
        l = l->next;
    if (!l->ops->sendfile)
        return copy_step(ctx, s, fd, offset, size);
    ssize_t n = l->ops->sendfile(ctx, l, fd, offset, size);
    s->wants = l->wants;
    if (n == 0)
        return file_too_short(ctx, *offset, size);
    /* some file systems have no sendfile(2) (procfs): copy */
    if (n == -EINVAL || n == -ENOSYS)
        return copy_step(ctx, s, fd, offset, size);
    if (n < 0)
        note_end(s, n);
    else if (s->span)
        emit(s, (struct hail_event){.kind = HAIL_EVENT_OUT, .len = (size_t)n});
    return n;
}

bool hail_stream_is_plain(const struct hail_stream *s)
{
    return s->ops->splice && !s->span;
}

ssize_t hail_try_splice(struct hail_ctx *ctx, struct hail_stream *s, int pipe, size_t n, bool out)
{
    if (!hail_stream_is_plain(s))
        return -EOPNOTSUPP;
    ssize_t rc = s->ops->splice(ctx, s, pipe, n, out);
    if (rc < 0 ? rc != -EOPNOTSUPP : rc == 0 && !out)
        note_end(s, rc);
    return rc;
}

ssize_t hail_try_discard(struct hail_ctx *ctx, struct hail_stream *s, size_t n)
{
    if (!hail_stream_is_plain(s))
        return -EOPNOTSUPP;
    ssize_t rc = s->ops->discard(ctx, s, n);
    if (rc <= 0 && rc != -EOPNOTSUPP)
        note_end(s, rc);
    return rc;
}

int hail_try_shutdown(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_stream *l = s;
    do {
        if (l->sent_end || !l->ops->shutdown)
            continue;
        int rc = l->ops->shutdown(ctx, l);
        s->wants = l->wants;
        if (rc < 0) {
            note_end(s, rc);
            return rc;
        }
        l->sent_end = true;
    } while ((l = l->next));
    if (s->span)
        emit(s, (struct hail_event){
                    .kind = HAIL_EVENT_NOTE, .text = "end sent (FIN)", .end = HAIL_END_SENT});
    s->sent_end = true;
    return 0;
}

int hail_stream_wants(const struct hail_stream *s)
{
    return s->wants;
}

int hail_stream_fd(const struct hail_stream *s)
{
    return s->fd;
}

/* --- waiting calls --- */

/* After -EAGAIN: 0 when the step is worth another try, else the failure of `op`. */
static int wait_step(struct hail_ctx *ctx, struct hail_stream *s, const char *op)
{
    int rc = hail_wait(ctx, s->fd, s->wants);
    if (rc >= 0)
        return 0;
    if (s->end == HAIL_STREAM_OPEN)
        s->end_errnum = -rc;
    return hail_stream_fail(ctx, s, rc, op);
}

ssize_t hail_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size)
{
    for (;;) {
        ssize_t n = hail_try_read(ctx, s, buf, size);
        if (n != -EAGAIN)
            return n;
        int rc = wait_step(ctx, s, "read from");
        if (rc < 0)
            return rc;
    }
}

int hail_read_full(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size,
                   size_t *done)
{
    size_t got = 0;
    ssize_t n = 0;
    while (got < size) {
        n = hail_read(ctx, s, (char *)buf + got, size - got);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    if (done)
        *done = got;
    return n < 0 ? (int)n : 0;
}

int hail_write(struct hail_ctx *ctx, struct hail_stream *s, const void *buf, size_t size,
               size_t *done)
{
    const struct iovec iov = {(void *)buf, size};
    return hail_writev(ctx, s, &iov, 1, done);
}

/* The slices of iov after their first `skip` bytes, at most IOV_STEP; returns how many. */
static int rest_of(const struct iovec *iov, int iovcnt, size_t skip, struct iovec *rest)
{
    int n = 0;
    for (int i = 0; i < iovcnt && n < IOV_STEP; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        rest[n++] = (struct iovec){(char *)iov[i].iov_base + skip, iov[i].iov_len - skip};
        skip = 0;
    }
    return n;
}

int hail_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov, int iovcnt,
                size_t *done)
{
    struct iovec rest[IOV_STEP];
    size_t sent = 0;
    int n, rc = 0;
    while (rc == 0 && (n = rest_of(iov, iovcnt, sent, rest)) > 0) {
        ssize_t took = hail_try_writev(ctx, s, rest, n);
        if (took == -EAGAIN)
            rc = wait_step(ctx, s, "write to");
        else if (took < 0)
            rc = (int)took;
        else
            sent += (size_t)took;
    }
    if (done)
        *done = sent;
    return rc;
}

int hail_sendfile(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *offset, size_t size)
{
    while (size > 0) {
        ssize_t n = hail_try_sendfile(ctx, s, fd, offset, size);
        if (n > 0) {
            size -= (size_t)n;
            continue;
        }
        if (n != -EAGAIN)
            return (int)n;
        int rc = wait_step(ctx, s, "write to");
        if (rc < 0)
            return rc;
    }
    return 0;
}

int hail_shutdown(struct hail_ctx *ctx, struct hail_stream *s)
{
    for (;;) {
        int rc = hail_try_shutdown(ctx, s);
        if (rc != -EAGAIN)
            return rc;
        rc = wait_step(ctx, s, "shut down to");
        if (rc < 0)
            return rc;
    }
}

void hail_close(struct hail_stream *s)
{
    if (s && s->span) {
        unsigned end;
        const char *text = end_text(s, &end);
        emit(s, (struct hail_event){.kind = HAIL_EVENT_DONE,
                                    .text = text,
                                    .errnum = s->end == HAIL_STREAM_ENDED ? 0 : s->end_errnum,
                                    .end = end});
    }
    while (s) {
        struct hail_stream *next = s->next;
        if (s->ops->close)
            s->ops->close(s);
        free(s);
        s = next;
    }
}
