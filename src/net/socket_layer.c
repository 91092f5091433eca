/* socket_layer.c - the lowest layer of every stream: a connected TCP or Unix socket; net/layer.h.
 *
 * One allocation holds the handle, the peer's address and the attempts of the dial. Endpoints are
 * asked from the kernel only when somebody wants to know, but for the peer's: after a reset the
 * kernel has forgotten it, and that is when the error message needs it.
 *
 * Bytes that were queued ahead of a reset come first. The kernel keeps them, and tells of the reset
 * once, to whoever asks next: a read that found the queue empty, but also a write, after which
 * reads would end as if the peer had closed in order. `was_reset` remembers it for them. For the
 * same reason nothing here asks SO_ERROR when poll(2) says POLLERR: reading is the question.
 */
#include "net/layer.h"

#include "base/error.h"
#include "net/quiet.h"
#include "net/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* The most that one step of sendfile(2) takes, so that deadlines and cancellation get their turn.
 */
#define SENDFILE_MAX ((size_t)1 << 26)

struct socket_stream {
    struct hail_stream s;
    bool was_reset;
    uint16_t nattempts; /* of the dial */
    /* The peer of a TCP connection; Unix sockets keep theirs, and it would not fit: family 0. */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } peer;
    struct hail_attempt attempts[];
};

static struct socket_stream *self(struct hail_stream *s)
{
    return (struct socket_stream *)s;
}

static const struct hail_stream *bottom(const struct hail_stream *s)
{
    while (s->next)
        s = s->next;
    return s;
}

/* What a read means that gave `n` <= 0: the end, bytes are awaited, or the error is recorded. */
static int nothing_read(struct hail_ctx *ctx, struct hail_stream *s, ssize_t n, int errnum)
{
    if (n == 0)
        return self(s)->was_reset ? hail_stream_fail(ctx, s, -ECONNRESET, "read from") : 0;
    if (errnum == EAGAIN || errnum == EWOULDBLOCK) {
        s->wants = POLLIN;
        return -EAGAIN;
    }
    if (errnum == ECONNRESET)
        self(s)->was_reset = true;
    return hail_stream_fail(ctx, s, -errnum, "read from");
}

static ssize_t socket_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size)
{
    ssize_t n;
    do
        n = recv(s->fd, buf, size, 0);
    while (n < 0 && errno == EINTR);
    s->drained = n > 0 && (size_t)n < size;
    return n > 0 ? n : nothing_read(ctx, s, n, errno);
}

/* What a failed write means: room is awaited, or the error is recorded. */
static int write_failed(struct hail_ctx *ctx, struct hail_stream *s, int errnum)
{
    if (errnum == EAGAIN || errnum == EWOULDBLOCK) {
        s->wants = POLLOUT;
        return -EAGAIN;
    }
    if (errnum == ECONNRESET)
        self(s)->was_reset = true;
    return hail_stream_fail(ctx, s, -errnum, "write to");
}

static ssize_t socket_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                             int iovcnt)
{
    const struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)iovcnt};
    int flags = MSG_NOSIGNAL | (s->more ? MSG_MORE : 0);
    ssize_t n;
    do
        n = iovcnt == 1 ? send(s->fd, iov->iov_base, iov->iov_len, flags)
                        : sendmsg(s->fd, &msg, flags);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : write_failed(ctx, s, errno);
}

static ssize_t socket_sendfile(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *offset,
                               size_t size)
{
    struct hail_quiet quiet;
    off_t at = *offset;
    ssize_t n;
    hail_quiet_begin(&quiet);
    do
        n = sendfile(s->fd, fd, &at, size < SENDFILE_MAX ? size : SENDFILE_MAX);
    while (n < 0 && errno == EINTR);
    hail_quiet_end(&quiet, n < 0 && errno == EPIPE);
    if (n < 0)
        return write_failed(ctx, s, errno);
    *offset = at;
    return n;
}

static ssize_t socket_splice(struct hail_ctx *ctx, struct hail_stream *s, int pipe, size_t size,
                             bool out)
{
    ssize_t n;
    do
        n = out ? splice(pipe, NULL, s->fd, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
                : splice(s->fd, NULL, pipe, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n > 0 || (n == 0 && out))
        return n;
    if (n < 0 && errno == EINVAL)
        return -EOPNOTSUPP;
    return out ? write_failed(ctx, s, errno) : nothing_read(ctx, s, n, errno);
}

/* tcp(7): MSG_TRUNC throws away what is received. */
static ssize_t socket_discard(struct hail_ctx *ctx, struct hail_stream *s, size_t size)
{
    int family = 0;
    socklen_t len = sizeof family;
    if (getsockopt(s->fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 || family == AF_UNIX)
        return -EOPNOTSUPP;
    ssize_t n;
    do
        n = recv(s->fd, NULL, size, MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    return n > 0 ? n : nothing_read(ctx, s, n, errno);
}

static int socket_shutdown(struct hail_ctx *ctx, struct hail_stream *s)
{
    if (shutdown(s->fd, SHUT_WR) == 0)
        return 0;
    /* A connection that was established and is not any more was reset; reads still tell. */
    return hail_stream_fail(ctx, s, errno == ENOTCONN ? -ECONNRESET : -errno, "shut down to");
}

static void socket_close(struct hail_stream *s)
{
    close(s->fd);
}

static const struct hail_layer_ops socket_ops = {
    .name = "socket",
    .end = "FIN",
    .read = socket_read,
    .writev = socket_writev,
    .sendfile = socket_sendfile,
    .splice = socket_splice,
    .discard = socket_discard,
    .shutdown = socket_shutdown,
    .close = socket_close,
};

static void begin_span(struct hail_ctx *ctx, struct hail_stream *s)
{
    struct hail_endpoint local = hail_local(s), peer = hail_peer(s);
    s->trace = ctx->trace;
    s->span = hail_trace_new_span(ctx);
    hail_trace_emit(ctx, (struct hail_event){.span = s->span,
                                             .parent = ctx->span,
                                             .kind = HAIL_EVENT_START,
                                             .layer = HAIL_LAYER_STREAM,
                                             .op = "stream",
                                             .local = &local,
                                             .peer = &peer});
}

int hail_stream_of_socket(struct hail_ctx *ctx, int fd, const struct hail_addr *peer,
                          const struct hail_attempt *attempts, size_t n, struct hail_stream **out)
{
    struct socket_stream *t = malloc(sizeof *t + n * sizeof *attempts);
    if (!t)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "connect", "connection: out of memory");
    memset(t, 0, sizeof *t);
    t->s.ops = &socket_ops;
    t->s.fd = fd;
    t->s.wants = POLLIN;
    t->nattempts = (uint16_t)n; /* HAIL_ATTEMPTS_MAX at most */
    if (n)
        memcpy(t->attempts, attempts, n * sizeof *attempts);
    if (peer && peer->len <= sizeof t->peer && peer->u.sa.sa_family != AF_UNIX)
        memcpy(&t->peer, &peer->u, peer->len);
    if (hail_tracing(ctx))
        begin_span(ctx, &t->s);
    *out = (struct hail_stream *)t;
    return 0;
}

int hail_stream_of_fd(struct hail_ctx *ctx, int fd, struct hail_stream **out)
{
    struct hail_addr peer = {.len = sizeof peer.u};
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || getpeername(fd, &peer.u.sa, &peer.len) < 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return hail_fail(ctx, HAIL_LAYER_STREAM, errno, "stream", "stream of descriptor %d: %s", fd,
                         hail_errno_text(errno));
    return hail_stream_of_socket(ctx, fd, &peer, NULL, 0, out);
}

void hail_stream_more(struct hail_stream *s, bool more)
{
    while (s->next)
        s = s->next;
    s->more = more;
}

void hail_stream_was_reset(struct hail_stream *s)
{
    self(s)->was_reset = true;
}

struct hail_endpoint hail_local(const struct hail_stream *s)
{
    struct hail_addr a = {.len = sizeof a.u};
    if (getsockname(s->fd, &a.u.sa, &a.len) < 0)
        a.len = 0;
    return hail_endpoint_of(&a);
}

void hail_peer_addr(const struct hail_stream *s, struct hail_addr *a)
{
    const struct socket_stream *t = (const struct socket_stream *)bottom(s);
    if (t->peer.sa.sa_family) {
        a->len = t->peer.sa.sa_family == AF_INET ? sizeof t->peer.in4 : sizeof t->peer.in6;
        memcpy(&a->u, &t->peer, a->len);
        return;
    }
    a->len = sizeof a->u;
    if (getpeername(s->fd, &a->u.sa, &a->len) < 0)
        a->len = 0;
}

struct hail_endpoint hail_peer(const struct hail_stream *s)
{
    struct hail_addr a;
    hail_peer_addr(s, &a);
    return hail_endpoint_of(&a);
}

const struct hail_attempt *hail_stream_attempts(const struct hail_stream *s, size_t *n)
{
    const struct socket_stream *t = (const struct socket_stream *)bottom(s);
    *n = t->nattempts;
    return *n ? t->attempts : NULL;
}

int hail_stream_fail(struct hail_ctx *ctx, const struct hail_stream *s, int rc, const char *op)
{
    struct hail_endpoint local = hail_local(s), peer = hail_peer(s);
    char local_text[HAIL_ENDPOINT_MAX], peer_text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&peer, peer_text, sizeof peer_text);
    hail_endpoint_format(&local, local_text, sizeof local_text);
    return hail_fail(ctx, HAIL_LAYER_STREAM, -rc, op, "%s %s (local %s): %s", op, peer_text,
                     local_text, hail_errno_text(-rc));
}
