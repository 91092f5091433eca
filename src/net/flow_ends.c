/* flow_ends.c - the ends of a flow: a stream, or a descriptor that may block; net/flow.h.
 *
 * Standard input and output may be shared with other processes, so O_NONBLOCK is not set on them.
 * A source is read only after poll(2) said that something is there, once. A pipe or terminal as a
 * sink is opened once more through /proc, non-blocking; where that cannot be, at most PIPE_BUF
 * bytes are written after poll(2) said that there is room, which does not block either.
 */
#include "net/flow.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hail_fd_kind kind_of(int fd)
{
    struct stat st;
    if (fd < 0)
        return HAIL_FD_NONE;
    if (fstat(fd, &st) < 0)
        return HAIL_FD_OTHER;
    switch (st.st_mode & S_IFMT) {
    case S_IFREG:
        return HAIL_FD_FILE;
    case S_IFIFO:
        return HAIL_FD_PIPE;
    case S_IFSOCK:
        return HAIL_FD_SOCKET;
    case S_IFCHR:
        return isatty(fd) ? HAIL_FD_TERMINAL : HAIL_FD_OTHER;
    default:
        return HAIL_FD_OTHER;
    }
}

static void open_end(struct hail_flow_end *e, struct hail_stream *stream, int fd)
{
    *e = (struct hail_flow_end){.stream = stream, .fd = fd, .own = -1, .kind = HAIL_FD_STREAM};
    if (stream)
        e->fd = stream->fd;
    else
        e->kind = kind_of(fd);
}

void hail_flow_open_from(struct hail_flow_end *e, const struct hail_pump_end *end)
{
    open_end(e, end->stream, end->in);
}

void hail_flow_open_to(struct hail_flow_end *e, const struct hail_pump_end *end)
{
    open_end(e, end->stream, end->out);
    if (e->kind != HAIL_FD_PIPE && e->kind != HAIL_FD_TERMINAL)
        return;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", e->fd);
    e->own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int hail_flow_fd_failed(struct hail_ctx *ctx, const struct hail_flow_end *e, const char *op,
                        int errnum)
{
    static const char *const standard[] = {"standard input", "standard output", "standard error"};
    if (e->fd >= 0 && e->fd <= STDERR_FILENO)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errnum, op, "%s %s: %s", op, standard[e->fd],
                         hail_errno_text(errnum));
    return hail_fail(ctx, HAIL_LAYER_LOCAL, errnum, op, "%s descriptor %d: %s", op, e->fd,
                     hail_errno_text(errnum));
}

/* A terminal that hung up, or whose process group is not in the foreground any more, has ended. */
static ssize_t read_fd(struct hail_ctx *ctx, struct hail_flow *f, void *buf, size_t size)
{
    const struct hail_flow_end *e = &f->from;
    ssize_t n;
    if (e->kind != HAIL_FD_FILE && e->kind != HAIL_FD_SOCKET && !f->readable)
        return hail_flow_wait(f, e->fd, POLLIN);
    f->readable = false;
    do
        n = e->kind == HAIL_FD_SOCKET ? recv(e->fd, buf, size, MSG_DONTWAIT)
                                      : read(e->fd, buf, size);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return hail_flow_wait(f, e->fd, POLLIN);
    if (errno == EIO && e->kind == HAIL_FD_TERMINAL)
        return 0;
    return hail_flow_fd_failed(ctx, e, "read", errno);
}

ssize_t hail_flow_read(struct hail_ctx *ctx, struct hail_flow *f, void *buf, size_t size)
{
    if (!f->from.stream)
        return read_fd(ctx, f, buf, size);
    ssize_t n = hail_try_read(ctx, f->from.stream, buf, size);
    return n == -EAGAIN ? hail_flow_wait(f, f->from.fd, hail_stream_wants(f->from.stream)) : n;
}

static ssize_t write_fd(struct hail_ctx *ctx, struct hail_flow *f, const void *buf, size_t size)
{
    const struct hail_flow_end *e = &f->to;
    bool may_block = e->own < 0 && (e->kind == HAIL_FD_PIPE || e->kind == HAIL_FD_TERMINAL ||
                                    e->kind == HAIL_FD_OTHER);
    if (may_block) {
        struct pollfd room = {.fd = e->fd, .events = POLLOUT};
        if (poll(&room, 1, 0) == 0)
            return hail_flow_wait(f, e->fd, POLLOUT);
        if (size > PIPE_BUF && e->kind != HAIL_FD_OTHER)
            size = PIPE_BUF;
    }
    ssize_t n;
    do
        n = e->kind == HAIL_FD_SOCKET ? send(e->fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                      : write(e->own >= 0 ? e->own : e->fd, buf, size);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return hail_flow_wait(f, e->fd, POLLOUT);
    return hail_flow_fd_failed(ctx, e, "write", errno);
}

ssize_t hail_flow_write(struct hail_ctx *ctx, struct hail_flow *f, const void *buf, size_t size)
{
    if (!f->to.stream)
        return write_fd(ctx, f, buf, size);
    const struct iovec iov = {(void *)buf, size};
    ssize_t n = hail_try_writev(ctx, f->to.stream, &iov, 1);
    return n == -EAGAIN ? hail_flow_wait(f, f->to.fd, hail_stream_wants(f->to.stream)) : n;
}
