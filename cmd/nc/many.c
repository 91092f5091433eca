/* many.c - -lk: every client at once, on the loop; nc.h.
 *
 *      stdin ==> every client that is connected        every client ==> stdout, as it comes
 *
 * Standard input is read while somebody is there to hear it, and while nobody has more than BEHIND
 * bytes still to take: a slow client slows the others, but loses nothing. When standard output is
 * full no client is read. A client whose side has ended is closed when it has everything.
 */
#include "nc/session.h"

#include "base/buf.h"
#include "net/flow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEHIND      ((size_t)256 << 10)
#define TURN        64  /* clients taken, or reads of one, before the others get their turn */
#define PAUSE_MS    100 /* without accepting, when descriptors or memory have run out */
#define OF(p, type) ((type *)((char *)(p)-offsetof(type, w)))

struct client {
    struct hail_watch w;
    struct many *many;
    struct client *next, **at;
    struct hail_stream *s;
    struct hail_buf out; /* what it has still to take, from `taken` on */
    size_t taken;
    int events;     /* watched; 0: not in the loop */
    bool shaking;   /* TLS */
    bool ended;     /* its side */
    bool shut;      /* ours was told */
    bool said_last; /* nothing more comes for it: end our side behind `out` */
};

struct watched {
    struct hail_watch w;
    struct many *many;
    int events;
};

struct many {
    struct nc *nc;
    struct hail_loop *loop;
    struct client *clients;
    struct watched listening, input, output, cancel;
    struct hail_listener *listener;
    struct hail_timer pause;
    struct hail_flow std;  /* standard input and output as its ends */
    struct hail_buf shown; /* what standard output has still to take */
    size_t shown_at;
    bool input_ended, after_cr;
    int status;
};

static void say_more(struct many *m);
static void tend(struct client *c);

/* Sets what a descriptor is watched for; 0 takes it out of the loop. */
static int watch(struct hail_loop *loop, struct hail_watch *w, int *now, int events)
{
    int rc = 0;
    if (events == *now)
        return 0;
    if (events == 0)
        hail_loop_remove(loop, w);
    else
        rc = *now ? hail_loop_change(loop, w, events) : hail_loop_add(loop, w, events);
    if (rc == 0)
        *now = events;
    return rc;
}

static int watch_std(struct watched *d, int events)
{
    int rc = watch(d->many->loop, &d->w, &d->events, events);
    return rc == -EPERM ? 0 : rc; /* a file, which is always ready */
}

static void stop(struct many *m, int status)
{
    if (!m->status)
        m->status = status;
    hail_loop_stop(m->loop);
}

/* --- standard output --- */

static bool is_full(const struct many *m)
{
    return m->shown.len > 0;
}

/* Writes what waits. */
static void show_waiting(struct many *m)
{
    struct hail_ctx *ctx = &m->nc->c->ctx;
    while (m->shown_at < m->shown.len) {
        ssize_t n =
            hail_flow_write(ctx, &m->std, m->shown.p + m->shown_at, m->shown.len - m->shown_at);
        if (n == -EAGAIN) {
            watch_std(&m->output, POLLOUT);
            return;
        }
        if (n < 0) {
            stop(m, fail(m->nc->c));
            return;
        }
        m->shown_at += (size_t)n;
    }
    hail_buf_free(&m->shown);
    m->shown_at = 0;
    watch_std(&m->output, 0);
}

static void on_output(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct many *m = OF(w, struct watched)->many;
    (void)loop;
    (void)events;
    show_waiting(m);
    for (struct client *c = m->clients, *next; c && !is_full(m); c = next) {
        next = c->next;
        tend(c);
    }
}

static int show(struct many *m, const char *p, size_t n)
{
    struct hail_ctx *ctx = &m->nc->c->ctx;
    while (n > 0) {
        ssize_t done = hail_flow_write(ctx, &m->std, p, n);
        if (done == -EAGAIN) {
            watch_std(&m->output, POLLOUT);
            return hail_buf_add(&m->shown, p, n);
        }
        if (done < 0) {
            stop(m, fail(m->nc->c));
            return (int)done;
        }
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* --- clients --- */

static void drop(struct client *c)
{
    watch(c->many->loop, &c->w, &c->events, 0);
    hail_close(c->s);
    hail_buf_free(&c->out);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    free(c);
}

/* A client that failed is told of with -v; the others go on. */
static void lose(struct client *c)
{
    struct many *m = c->many;
    if (m->nc->o.verbose || m->nc->c->ctx.err.layer == HAIL_LAYER_TLS)
        fail(m->nc->c);
    drop(c);
}

/* 0, -EAGAIN, or what lost the client. */
static int give(struct client *c)
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
static int hear(struct client *c)
{
    char chunk[HAIL_FLOW_CHUNK];
    struct many *m = c->many;
    for (int i = 0; i < TURN && !c->ended && !is_full(m); i++) {
        ssize_t n = hail_try_read(&m->nc->c->ctx, c->s, chunk, sizeof chunk);
        if (n < 0)
            return (int)n;
        c->ended = n == 0;
        int rc = show(m, chunk, (size_t)n);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int shake(struct client *c)
{
    int rc = hail_try_handshake(&c->many->nc->c->ctx, c->s);
    c->shaking = rc != 0;
    return rc;
}

/* Lets a client go on, and says what it waits for. */
static void tend(struct client *c)
{
    struct many *m = c->many;
    int rc = c->shaking ? shake(c) : 0, wants = 0;
    if (rc == -EAGAIN)
        wants = hail_stream_wants(c->s);
    if (rc == 0) {
        rc = give(c);
        wants = rc == -EAGAIN ? hail_stream_wants(c->s) : 0;
        int heard = rc < 0 && rc != -EAGAIN ? rc : hear(c);
        if (heard == -EAGAIN)
            wants |= hail_stream_wants(c->s);
        else if (heard == 0 && !c->ended && !is_full(m))
            wants |= POLLIN;
        rc = heard;
    }
    bool done = c->ended && c->out.len == 0;
    if (rc < 0 && rc != -EAGAIN) {
        lose(c);
    } else if (done) {
        drop(c);
    } else if (watch(m->loop, &c->w, &c->events, wants) < 0) {
        drop(c);
    } else {
        return;
    }
    say_more(m);
}

static void on_client(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct client *c = (struct client *)w;
    struct many *m = c->many;
    bool was_behind = c->out.len > 0;
    (void)loop;
    (void)events;
    tend(c);
    if (was_behind)
        say_more(m);
}

/* --- standard input --- */

static bool somebody_is_behind(const struct many *m)
{
    for (const struct client *c = m->clients; c; c = c->next)
        if (c->out.len - c->taken > BEHIND)
            return true;
    return false;
}

static void say_to_all(struct many *m, const char *p, size_t n)
{
    struct hail_buf lines;
    hail_buf_init(&lines, 2 * n + 1);
    if (m->nc->o.crlf) {
        if (nc_crlf(&lines, p, n, &m->after_cr) < 0) {
            stop(m, local_error("copy", "standard input", ENOMEM));
            return;
        }
        p = lines.p;
        n = lines.len;
    }
    for (struct client *c = m->clients, *next; c; c = next) {
        next = c->next;
        if (hail_buf_add(&c->out, p, n) < 0) {
            drop(c);
            continue;
        }
        if (c->shaking)
            continue;
        int rc = give(c);
        if (rc == -EAGAIN)
            watch(m->loop, &c->w, &c->events, c->events | hail_stream_wants(c->s));
        else if (rc < 0)
            lose(c);
    }
    hail_buf_free(&lines);
}

static void end_input(struct many *m)
{
    m->input_ended = true;
    watch_std(&m->input, 0);
    for (struct client *c = m->clients, *next; c && m->nc->o.shut; c = next) {
        next = c->next;
        c->said_last = true;
        if (!c->shaking)
            tend(c);
    }
}

/* Reads standard input as long as it has something and everybody keeps up. */
static void say_more(struct many *m)
{
    char chunk[HAIL_FLOW_CHUNK];
    if (m->input_ended || m->std.from.fd < 0)
        return;
    while (m->clients && !somebody_is_behind(m)) {
        ssize_t n = hail_flow_read(&m->nc->c->ctx, &m->std, chunk, sizeof chunk);
        if (n == -EAGAIN) {
            watch_std(&m->input, POLLIN);
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
    watch_std(&m->input, 0);
}

static void on_input(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct many *m = OF(w, struct watched)->many;
    (void)loop;
    (void)events;
    m->std.readable = true;
    say_more(m);
}

/* --- arriving --- */

static void arrived(struct many *m, struct hail_stream *s)
{
    nc_tell_received(m->nc, s);
    if (m->nc->o.exec) {
        nc_exec(m->nc, s);
        hail_close(s);
        return;
    }
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        hail_close(s);
        return;
    }
    *c = (struct client){.w = {hail_stream_fd(s), on_client},
                         .many = m,
                         .next = m->clients,
                         .at = &m->clients,
                         .s = s,
                         .said_last = m->input_ended && m->nc->o.shut};
    hail_buf_init(&c->out, HAIL_FLOW_WAITING);
    if (m->clients)
        m->clients->at = &c->next;
    m->clients = c;
    if (m->nc->tls) {
        if (hail_tls_server_start(&m->nc->c->ctx, &c->s, m->nc->tls) < 0) {
            lose(c);
            return;
        }
        c->shaking = true;
    }
    bool first = !c->next;
    tend(c);
    if (first)
        say_more(m);
}

static void on_pause_over(struct hail_loop *loop, struct hail_timer *t)
{
    struct many *m = (struct many *)((char *)t - offsetof(struct many, pause));
    (void)loop;
    watch_std(&m->listening, POLLIN);
}

static void on_arrival(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct many *m = OF(w, struct watched)->many;
    (void)events;
    for (int i = 0; i < TURN; i++) {
        struct hail_stream *s;
        int rc = hail_try_accept(&m->nc->c->ctx, m->listener, &s);
        if (rc == -EAGAIN)
            return;
        if (rc < 0) {
            /* what waits in the queue stays there until there is room for it */
            fail(m->nc->c);
            watch_std(&m->listening, 0);
            hail_timer_set(loop, &m->pause, hail_loop_now(loop) + PAUSE_MS * 1000000LL);
            return;
        }
        arrived(m, s);
    }
}

static void on_cancel(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)loop;
    (void)events;
    stop(OF(w, struct watched)->many, STATUS_LOCAL);
}

/* --- all of it --- */

static int begin(struct many *m)
{
    const struct nc_options *o = &m->nc->o;
    const struct hail_pump_end std = {.in = o->detached ? -1 : STDIN_FILENO, .out = STDOUT_FILENO};
    hail_flow_open_from(&m->std.from, &std);
    hail_flow_open_to(&m->std.to, &std);
    hail_buf_init(&m->shown, HAIL_FLOW_WAITING);
    m->listening = (struct watched){{hail_listener_fd(m->listener), on_arrival}, m, 0};
    m->input = (struct watched){{STDIN_FILENO, on_input}, m, 0};
    m->output = (struct watched){{STDOUT_FILENO, on_output}, m, 0};
    m->cancel = (struct watched){{m->nc->c->ctx.cancel_fd, on_cancel}, m, 0};
    m->pause.fire = on_pause_over;
    int rc = watch_std(&m->listening, POLLIN);
    if (rc == 0 && m->cancel.w.fd >= 0)
        rc = watch_std(&m->cancel, POLLIN);
    return rc;
}

int nc_many(struct nc *nc, struct hail_listener *listener)
{
    struct many m = {.nc = nc, .listener = listener};
    if (hail_loop_new(&nc->c->ctx, &m.loop) < 0)
        return fail(nc->c);
    int rc = begin(&m);
    if (nc->o.exec)
        signal(SIGCHLD, SIG_IGN); /* the programs are nobody's to wait for */
    if (rc == 0)
        rc = hail_loop_run(m.loop);
    if (rc < 0)
        m.status = local_error("wait for", "clients", -rc);
    while (m.clients)
        drop(m.clients);
    hail_buf_free(&m.shown);
    if (m.std.to.own >= 0)
        close(m.std.to.own);
    hail_timer_clear(m.loop, &m.pause);
    hail_loop_free(m.loop);
    return m.status;
}
