/* many_std.c - standard input to every client, every client to standard output; many.h. */
#include "nc/many.h"

#include <errno.h>
#include <poll.h>

/* --- standard output --- */

bool nc_many_is_full(const struct nc_many *m)
{
    return m->shown.len > 0;
}

/* Writes what waits. */
static void show_waiting(struct nc_many *m)
{
    struct hail_ctx *ctx = &m->nc->c->ctx;
    while (m->shown_at < m->shown.len) {
        ssize_t n =
            hail_flow_write(ctx, &m->std, m->shown.p + m->shown_at, m->shown.len - m->shown_at);
        if (n == -EAGAIN) {
            nc_many_watch_std(&m->output, POLLOUT);
            return;
        }
        if (n < 0) {
            nc_many_stop(m, fail(m->nc->c));
            return;
        }
        m->shown_at += (size_t)n;
    }
    hail_buf_free(&m->shown);
    m->shown_at = 0;
    nc_many_watch_std(&m->output, 0);
}

void nc_many_on_output(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct nc_many *m = NC_OF(w, struct nc_watched)->many;
    (void)loop;
    (void)events;
    show_waiting(m);
    for (struct nc_client *c = m->clients, *next; c && !nc_many_is_full(m); c = next) {
        next = c->next;
        nc_many_tend(c);
    }
}

int nc_many_show(struct nc_many *m, const char *p, size_t n)
{
    struct hail_ctx *ctx = &m->nc->c->ctx;
    while (n > 0) {
        ssize_t done = hail_flow_write(ctx, &m->std, p, n);
        if (done == -EAGAIN) {
            nc_many_watch_std(&m->output, POLLOUT);
            return hail_buf_add(&m->shown, p, n);
        }
        if (done < 0) {
            nc_many_stop(m, fail(m->nc->c));
            return (int)done;
        }
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* --- standard input --- */

static bool somebody_is_behind(const struct nc_many *m)
{
    for (const struct nc_client *c = m->clients; c; c = c->next)
        if (c->out.len - c->taken > NC_MANY_BEHIND)
            return true;
    return false;
}

static void say_to_all(struct nc_many *m, const char *p, size_t n)
{
    struct hail_buf lines;
    hail_buf_init(&lines, 2 * n + 1);
    if (m->nc->o.crlf) {
        if (nc_crlf(&lines, p, n, &m->after_cr) < 0) {
            nc_many_stop(m, local_error("copy", "standard input", ENOMEM));
            return;
        }
        p = lines.p;
        n = lines.len;
    }
    for (struct nc_client *c = m->clients, *next; c; c = next) {
        next = c->next;
        if (hail_buf_add(&c->out, p, n) < 0) {
            nc_many_drop(c);
            continue;
        }
        if (c->shaking)
            continue;
        int rc = nc_many_give(c);
        if (rc == -EAGAIN)
            nc_many_watch(m->loop, &c->w, &c->events, c->events | hail_stream_wants(c->s));
        else if (rc < 0)
            nc_many_lose(c);
    }
    hail_buf_free(&lines);
}

static void end_input(struct nc_many *m)
{
    m->input_ended = true;
    nc_many_watch_std(&m->input, 0);
    for (struct nc_client *c = m->clients, *next; c && m->nc->o.shut; c = next) {
        next = c->next;
        c->said_last = true;
        if (!c->shaking)
            nc_many_tend(c);
    }
}

/* Reads standard input as long as it has something and everybody keeps up. */
void nc_many_say(struct nc_many *m)
{
    char chunk[HAIL_FLOW_CHUNK];
    if (m->input_ended || m->std.from.fd < 0)
        return;
    while (m->clients && !somebody_is_behind(m)) {
        ssize_t n = hail_flow_read(&m->nc->c->ctx, &m->std, chunk, sizeof chunk);
        if (n == -EAGAIN) {
            nc_many_watch_std(&m->input, POLLIN);
            return;
        }
        if (n < 0)
            fail(m->nc->c);
        if (n <= 0) {
            end_input(m);
            return;
        }
        say_to_all(m, chunk, (size_t)n);
    }
    nc_many_watch_std(&m->input, 0);
}

void nc_many_on_input(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct nc_many *m = NC_OF(w, struct nc_watched)->many;
    (void)loop;
    (void)events;
    m->std.readable = true;
    nc_many_say(m);
}
