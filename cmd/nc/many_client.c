/* many_client.c - one client of many; many.h. */
#include "nc/many.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

void nc_many_drop(struct nc_client *c)
{
    nc_many_watch(c->many->loop, &c->w, &c->events, 0);
    hail_close(c->s);
    hail_buf_free(&c->out);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    free(c);
}

/* A client that failed is told of with -v; the others go on. */
void nc_many_lose(struct nc_client *c)
{
    struct nc_many *m = c->many;
    if (m->nc->o.verbose || m->nc->c->ctx.err.layer == HAIL_LAYER_TLS)
        fail(m->nc->c);
    nc_many_drop(c);
}

/* 0, -EAGAIN, or what lost the client. */
int nc_many_give(struct nc_client *c)
{
    struct hail_ctx *ctx = &c->many->nc->c->ctx;
    while (c->taken < c->out.len) {
        const struct iovec iov = {c->out.p + c->taken, c->out.len - c->taken};
        ssize_t n = hail_try_writev(ctx, c->s, &iov, 1);
        if (n < 0)
            return (int)n;
        c->taken += (size_t)n;
    }
    hail_buf_free(&c->out);
    c->taken = 0;
    if (!c->said_last || c->shut)
        return 0;
    int rc = hail_try_shutdown(ctx, c->s);
    c->shut = rc == 0;
    return rc;
}

/* 0: enough for this turn; -EAGAIN, or what lost the client. */
static int hear(struct nc_client *c)
{
    char chunk[HAIL_FLOW_CHUNK];
    struct nc_many *m = c->many;
    for (int i = 0; i < NC_MANY_TURN && !c->ended && !nc_many_is_full(m); i++) {
        ssize_t n = hail_try_read(&m->nc->c->ctx, c->s, chunk, sizeof chunk);
        if (n < 0)
            return (int)n;
        c->ended = n == 0;
        int rc = nc_many_show(m, chunk, (size_t)n);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int shake(struct nc_client *c)
{
    int rc = hail_try_handshake(&c->many->nc->c->ctx, c->s);
    c->shaking = rc != 0;
    return rc;
}

/* Lets a client go on, and says what it waits for. */
void nc_many_tend(struct nc_client *c)
{
    struct nc_many *m = c->many;
    int rc = c->shaking ? shake(c) : 0, wants = 0;
    if (rc == -EAGAIN)
        wants = hail_stream_wants(c->s);
    if (rc == 0) {
        rc = nc_many_give(c);
        wants = rc == -EAGAIN ? hail_stream_wants(c->s) : 0;
        int heard = rc < 0 && rc != -EAGAIN ? rc : hear(c);
        if (heard == -EAGAIN)
            wants |= hail_stream_wants(c->s);
        else if (heard == 0 && !c->ended && !nc_many_is_full(m))
            wants |= POLLIN;
        rc = heard;
    }
    bool done = c->ended && c->out.len == 0;
    if (rc < 0 && rc != -EAGAIN) {
        nc_many_lose(c);
    } else if (done || nc_many_watch(m->loop, &c->w, &c->events, wants) < 0) {
        nc_many_drop(c);
    } else {
        return;
    }
    nc_many_say(m);
}

void nc_many_on_client(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct nc_client *c = (struct nc_client *)w;
    struct nc_many *m = c->many;
    bool was_behind = c->out.len > 0;
    (void)loop;
    (void)events;
    nc_many_tend(c);
    if (was_behind)
        nc_many_say(m);
}
