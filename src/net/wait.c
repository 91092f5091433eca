/* wait.c - the one place where a blocking call waits. */
#include <hail/ctx.h>

#include <errno.h>
#include <poll.h>

int hail_wait(struct hail_ctx *ctx, int fd, int events)
{
    struct pollfd p[2] = {{.fd = fd, .events = (short)events},
                          {.fd = ctx->cancel_fd, .events = POLLIN}};
    for (;;) {
        int n = poll(p, ctx->cancel_fd >= 0 ? 2 : 1, hail_deadline_ms(ctx->by));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0 && p[1].revents)
            return -ECANCELED;
        if (n > 0)
            return p[0].revents;
        if (n == 0)
            return -ETIMEDOUT;
        if (ctx->by.ns && hail_deadline_ms(ctx->by) == 0)
            return -ETIMEDOUT;
    }
}
