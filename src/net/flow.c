/* flow.c - one direction of a pump: what waits is written before more is read; net/flow.h. */
#include "net/flow.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 16 /* of one step, so that the other flow and the deadline get their turn */

void hail_flow_init(struct hail_flow *f, const struct hail_pump_end *from,
                    const struct hail_pump_end *to)
{
    hail_flow_open_from(&f->from, from);
    hail_flow_open_to(&f->to, to);
    hail_buf_init(&f->buf, HAIL_FLOW_WAITING);
    f->pipe[0] = f->pipe[1] = f->wait_fd = -1;
    if (f->from.fd < 0 || f->to.fd < 0) {
        f->keep_open = true;
        f->source_ended = true;
    }
    hail_flow_choose(f);
}

void hail_flow_free(struct hail_flow *f)
{
    hail_flow_close_pipe(f);
    hail_buf_free(&f->buf);
    if (f->to.own >= 0)
        close(f->to.own);
    free(f->error);
}

int hail_flow_wait(struct hail_flow *f, int fd, int events)
{
    f->wait_fd = fd;
    f->wait_events = (short)events;
    return -EAGAIN;
}

/* Writes what waits. */
static int drain(struct hail_ctx *ctx, struct hail_flow *f)
{
    int rc = hail_flow_drain_pipe(ctx, f);
    while (rc == 0 && f->at < f->buf.len) {
        ssize_t n = hail_flow_write(ctx, f, f->buf.p + f->at, f->buf.len - f->at);
        if (n < 0) {
            rc = (int)n;
            break;
        }
        f->at += (size_t)n;
        f->out += (uint64_t)n;
    }
    if (rc < 0) {
        f->at_sink = true;
        return rc;
    }
    f->at = 0;
    if (f->filter)
        hail_buf_clear(&f->buf);
    else
        hail_buf_free(&f->buf);
    return 0;
}

static int no_memory(struct hail_ctx *ctx)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "copy", "copy between two ends: out of memory");
}

/* Writes the chunk past the buffer as far as the sink takes it; the rest waits. */
static int pass_on(struct hail_ctx *ctx, struct hail_flow *f, const char *chunk, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = hail_flow_write(ctx, f, chunk + done, size - done);
        if (n == -EAGAIN)
            return hail_buf_add(&f->buf, chunk + done, size - done) < 0 ? no_memory(ctx) : -EAGAIN;
        if (n < 0) {
            f->at_sink = true;
            return (int)n;
        }
        done += (size_t)n;
        f->out += (uint64_t)n;
    }
    return 0;
}

static ssize_t filtered(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f,
                        const char *chunk, size_t n)
{
    int rc = f->filter(f->arg, p, chunk, n);
    if (rc == -ENOMEM)
        return no_memory(ctx);
    return rc < 0 ? rc : (ssize_t)n;
}

/* Reads once. The bytes read, 0 at the source's end, or -errno. */
static ssize_t feed_copy(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f)
{
    char chunk[HAIL_FLOW_CHUNK];
    ssize_t n = hail_flow_read(ctx, f, chunk, sizeof chunk);
    if (n <= 0)
        return n;
    f->in += (uint64_t)n;
    f->reads++;
    if (f->filter)
        return filtered(ctx, p, f, chunk, (size_t)n);
    int rc = pass_on(ctx, f, chunk, (size_t)n);
    if (rc == 0)
        hail_flow_consider(f, (size_t)n);
    return rc < 0 ? rc : n;
}

/* --- the end --- */

/* The source gives no more: the filter is told, what it adds is written like the rest. */
static int end_source(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f)
{
    f->source_ended = true;
    f->state = HAIL_FLOW_DRAINING;
    return f->filter ? (int)filtered(ctx, p, f, "", 0) : 0;
}

/* Everything was written. */
static int end_sink(struct hail_ctx *ctx, struct hail_flow *f)
{
    if (f->to.stream && !f->keep_open) {
        int rc = hail_try_shutdown(ctx, f->to.stream);
        if (rc == -EAGAIN)
            return hail_flow_wait(f, f->to.fd, hail_stream_wants(f->to.stream));
        if (rc < 0) {
            f->at_sink = true;
            return rc;
        }
    }
    f->state = HAIL_FLOW_ENDED;
    return 0;
}

/* A failure is the flow's own: the other one goes on. What the source gave before is written as
 * long as the sink takes it. */
void hail_flow_failed(struct hail_ctx *ctx, struct hail_flow *f)
{
    if (!f->error && (f->error = malloc(sizeof *f->error)) != NULL)
        *f->error = ctx->err;
    bool waits = f->piped > 0 || f->at < f->buf.len;
    if (f->at_sink || !waits) {
        f->state = HAIL_FLOW_FAILED;
        return;
    }
    f->broken = true;
    f->source_ended = true;
    f->state = HAIL_FLOW_DRAINING;
}

/* --- the step --- */

static int turn(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f)
{
    int rc = drain(ctx, f);
    if (rc < 0)
        return rc;
    if (f->broken) {
        f->state = HAIL_FLOW_FAILED;
        return 0;
    }
    if (f->source_ended)
        return end_sink(ctx, f);
    if (f->held)
        return hail_flow_wait(f, -1, 0);
    ssize_t n = f->method == HAIL_FLOW_COPY ? -EOPNOTSUPP : hail_flow_feed_kernel(ctx, f);
    if (n == -EOPNOTSUPP)
        n = feed_copy(ctx, p, f);
    if (n < 0)
        return (int)n;
    return n == 0 ? end_source(ctx, p, f) : 0;
}

void hail_flow_step(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f)
{
    f->wait_fd = -1;
    f->wait_events = 0;
    f->waits = false;
    for (int i = 0; i < ROUNDS && hail_flow_live(f); i++) {
        int rc = turn(ctx, p, f);
        if (rc == -EAGAIN) {
            f->waits = true;
            return;
        }
        if (rc < 0)
            hail_flow_failed(ctx, f);
    }
}
