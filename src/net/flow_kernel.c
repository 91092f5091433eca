/* flow_kernel.c - the ways of a flow that keep the bytes in the kernel; net/flow.h.
 *
 * splice(2) wants a pipe on one side. Where standard input or output is one, it is spliced from or
 * to directly; between two sockets, or from a socket to a file, bytes go through a pipe of the
 * flow's own, which it gets when the reads show that a lot is coming, and gives back when they show
 * that it has become a conversation again: an idle connection holds neither memory nor pipe.
 */
#include "net/flow.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define BULK_READS   2                   /* large reads in a row that call for a pipe */
#define SMALL_FILLS  8                   /* small fills in a row that give it back */
#define DIRECT_CHUNK ((size_t)512 << 10) /* half the pipe: its writer gets its turn */

#define FLAGS        (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

static bool is_plain(const struct hail_flow_end *e)
{
    return e->stream && hail_stream_is_plain(e->stream);
}

void hail_flow_choose(struct hail_flow *f)
{
    bool plain_from = is_plain(&f->from), plain_to = is_plain(&f->to);
    f->method = HAIL_FLOW_COPY;
    f->no_splice =
        f->filter || !plain_from || (f->to.stream && !plain_to) || f->to.kind == HAIL_FD_TERMINAL;
    if (f->filter)
        return;
    if (plain_to && f->from.kind == HAIL_FD_FILE)
        f->method = HAIL_FLOW_SENDFILE;
    else if ((plain_to && f->from.kind == HAIL_FD_PIPE) ||
             (plain_from && f->to.kind == HAIL_FD_PIPE))
        f->method = HAIL_FLOW_DIRECT;
    /* larger pipes spare both ends switches; where it may not be had, the smaller one does */
    if (f->method == HAIL_FLOW_DIRECT) {
        int pipe = plain_to ? f->from.fd : f->to.fd;
        if (fcntl(pipe, F_GETPIPE_SZ) < (int)HAIL_FLOW_PIPE)
            (void)fcntl(pipe, F_SETPIPE_SZ, (int)HAIL_FLOW_PIPE);
    }
}

void hail_flow_close_pipe(struct hail_flow *f)
{
    if (f->pipe[0] < 0)
        return;
    close(f->pipe[0]);
    close(f->pipe[1]);
    f->pipe[0] = f->pipe[1] = -1;
    f->piped = 0;
}

void hail_flow_consider(struct hail_flow *f, size_t n)
{
    f->bulk = n >= HAIL_FLOW_BULK ? f->bulk + 1 : 0;
    if (f->no_splice || f->bulk < BULK_READS)
        return;
    f->bulk = 0;
    if (pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        f->pipe[0] = f->pipe[1] = -1;
        f->no_splice = true;
        return;
    }
    (void)fcntl(f->pipe[1], F_SETPIPE_SZ, (int)HAIL_FLOW_PIPE);
    f->method = HAIL_FLOW_PIPED;
}

/* From here on bytes are copied; what the own pipe holds goes first. */
static int copy_instead(struct hail_flow *f)
{
    f->method = HAIL_FLOW_COPY;
    f->no_splice = true;
    return -EOPNOTSUPP;
}

/* splice(2) said EAGAIN between a descriptor and the stream: which of them is it? */
static int wait_for_either(struct hail_flow *f)
{
    struct pollfd p[2] = {{.fd = f->from.fd, .events = POLLIN},
                          {.fd = f->to.fd, .events = POLLOUT}};
    (void)poll(p, 2, 0);
    if (!p[0].revents)
        return hail_flow_wait(f, p[0].fd, POLLIN);
    return hail_flow_wait(f, p[1].fd, POLLOUT);
}

static ssize_t feed_direct(struct hail_ctx *ctx, struct hail_flow *f)
{
    bool out = f->from.kind == HAIL_FD_PIPE;
    ssize_t n = hail_try_splice(ctx, out ? f->to.stream : f->from.stream,
                                out ? f->from.fd : f->to.fd, DIRECT_CHUNK, out);
    if (n == -EAGAIN)
        return wait_for_either(f);
    if (n == -EOPNOTSUPP)
        return copy_instead(f);
    /* the pipe's reader is gone: that is the sink's failure, and not the stream's */
    if (n == -EPIPE && !out) {
        f->at_sink = true;
        return hail_flow_fd_failed(ctx, &f->to, "write", EPIPE);
    }
    if (n < 0)
        f->at_sink = out;
    if (n > 0) {
        f->in += (uint64_t)n;
        f->out += (uint64_t)n;
        f->reads++;
    }
    return n;
}

/* Splices from the socket until it has no more or the pipe is full: what arrives meanwhile goes
 * along, which spares both sides wake-ups. */
static ssize_t fill_pipe(struct hail_ctx *ctx, struct hail_flow *f)
{
    ssize_t n;
    do {
        n = hail_try_splice(ctx, f->from.stream, f->pipe[1], HAIL_FLOW_PIPE - f->piped, false);
        if (n > 0)
            f->piped += (size_t)n;
    } while (n > 0 && f->piped < HAIL_FLOW_PIPE);
    return n;
}

static ssize_t feed_pipe(struct hail_ctx *ctx, struct hail_flow *f)
{
    ssize_t n = fill_pipe(ctx, f);
    size_t got = f->piped;
    if (got > 0) {
        f->bulk = got < HAIL_FLOW_BULK ? f->bulk + (f->bulk < SMALL_FILLS) : 0;
        f->in += got;
        f->reads++;
        if (n < 0 && n != -EAGAIN)
            hail_flow_failed(ctx, f); /* behind what is in the pipe */
        return (ssize_t)got;
    }
    if (n == -EOPNOTSUPP)
        return copy_instead(f);
    if (n == -EAGAIN && f->bulk >= SMALL_FILLS) {
        hail_flow_close_pipe(f);
        f->method = HAIL_FLOW_COPY;
        f->bulk = 0;
    }
    return n == -EAGAIN ? hail_flow_wait(f, f->from.fd, POLLIN) : n;
}

/* The descriptor's own offset goes along: whoever reads the file next goes on where this ended. */
static ssize_t feed_file(struct hail_ctx *ctx, struct hail_flow *f)
{
    struct stat st;
    off_t at = lseek(f->from.fd, 0, SEEK_CUR), begin = at;
    if (at < 0 || fstat(f->from.fd, &st) < 0)
        return hail_flow_fd_failed(ctx, &f->from, "read", errno);
    if (at >= st.st_size)
        return copy_instead(f); /* the end, or a file of /proc that only reading shows */
    ssize_t n = hail_try_sendfile(ctx, f->to.stream, f->from.fd, &at, (size_t)(st.st_size - at));
    if (n == -EAGAIN)
        return hail_flow_wait(f, f->to.fd, hail_stream_wants(f->to.stream));
    if (n == -EIO && fstat(f->from.fd, &st) == 0 && at >= st.st_size)
        return 0; /* it was cut meanwhile */
    if (n < 0) {
        f->at_sink = ctx->err.layer != HAIL_LAYER_LOCAL;
        return n;
    }
    (void)lseek(f->from.fd, begin + n, SEEK_SET);
    f->in += (uint64_t)n;
    f->out += (uint64_t)n;
    f->reads++;
    return n;
}

ssize_t hail_flow_feed_kernel(struct hail_ctx *ctx, struct hail_flow *f)
{
    switch (f->method) {
    case HAIL_FLOW_DIRECT:
        return feed_direct(ctx, f);
    case HAIL_FLOW_PIPED:
        return feed_pipe(ctx, f);
    case HAIL_FLOW_SENDFILE:
        return feed_file(ctx, f);
    default:
        return -EOPNOTSUPP;
    }
}

/* The sink cannot be spliced to: what is in the pipe comes out by reading. */
static int unpipe(struct hail_ctx *ctx, struct hail_flow *f)
{
    while (f->piped > 0) {
        char chunk[4096];
        ssize_t n = read(f->pipe[0], chunk, f->piped < sizeof chunk ? f->piped : sizeof chunk);
        if (n <= 0 || hail_buf_add(&f->buf, chunk, (size_t)n) < 0)
            return hail_fail(ctx, HAIL_LAYER_LOCAL, n <= 0 ? EIO : ENOMEM, "copy",
                             "copy out of a pipe: %s", hail_errno_text(n <= 0 ? EIO : ENOMEM));
        f->piped -= (size_t)n;
    }
    copy_instead(f);
    hail_flow_close_pipe(f);
    return 0;
}

static ssize_t splice_to_fd(struct hail_ctx *ctx, struct hail_flow *f)
{
    ssize_t n;
    do
        n = splice(f->pipe[0], NULL, f->to.fd, NULL, f->piped, FLAGS);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == EINVAL)
        return -EOPNOTSUPP;
    if (errno == EAGAIN)
        return hail_flow_wait(f, f->to.fd, POLLOUT);
    return hail_flow_fd_failed(ctx, &f->to, "write", errno);
}

int hail_flow_drain_pipe(struct hail_ctx *ctx, struct hail_flow *f)
{
    while (f->piped > 0) {
        ssize_t n = f->to.stream ? hail_try_splice(ctx, f->to.stream, f->pipe[0], f->piped, true)
                                 : splice_to_fd(ctx, f);
        if (n == -EOPNOTSUPP)
            return unpipe(ctx, f);
        if (n == -EAGAIN)
            return hail_flow_wait(f, f->to.fd, POLLOUT);
        if (n < 0)
            return (int)n;
        f->piped -= (size_t)n;
        f->out += (uint64_t)n;
    }
    return 0;
}
