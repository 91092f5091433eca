/* tls-server.c - sends back what it receives, over TLS, to many clients at once:
 *
 *      tls-server [ENDPOINT [IDLE-SECONDS [CERTIFICATE KEY]]]
 *
 *      SHAKE --> TALK --> END --> LINGER --> gone        a client, in steps that never wait
 *
 * Without a certificate one is made, for localhost. SIGTERM and SIGINT let every client have what
 * was read for it, then close_notify; a second one ends the server at once.
 */
#include <errno.h>
#include <hail/hail.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#define CLIENTS   1000 /* at once; more wait until one has gone */
#define STEPS     16   /* of one client before others get their turn */
#define SHAKE_MS  10000
#define LINGER_MS 2000
#define GRACE_MS  5000 /* for all clients together, once the server is to end */
#define PAUSE_MS  100  /* without accepting, when descriptors have run out */

struct server {
    struct hail_ctx ctx;
    struct hail_loop *loop;
    struct hail_tls_config *tls;
    struct hail_listener *listener; /* NULL: the server is ending */
    struct hail_watch arrivals;
    struct hail_timer later; /* accepts again; when the server is ending: ends it */
    bool accepting;
    int64_t idle_ms;
    struct client *first;
    unsigned open, served;
};

struct client {
    struct hail_watch watch;
    struct hail_timer limit;
    struct server *server;
    struct client *prev, *next;
    struct hail_stream *stream;
    enum { SHAKE, TALK, END, LINGER } state;
    size_t from, to; /* what waits in `buf` to be sent back */
    char buf[16384];
};

static void accept_again(struct server *s)
{
    if (s->listener && !s->accepting && s->open < CLIENTS)
        s->accepting = hail_loop_add(s->loop, &s->arrivals, POLLIN) == 0;
}

/* Cannot fail but for the first time, in welcome(): a timer that is only moved needs no memory. */
static int set_limit(struct client *c, int64_t ms)
{
    struct hail_loop *loop = c->server->loop;
    return hail_timer_set(loop, &c->limit, hail_loop_now(loop) + ms * 1000000);
}

/* --- a client --- */

static void forget(struct client *c)
{
    struct server *s = c->server;
    hail_timer_clear(s->loop, &c->limit);
    hail_loop_remove(s->loop, &c->watch);
    hail_close(c->stream);
    *(c->prev ? &c->prev->next : &s->first) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    free(c);
    s->open--;
    accept_again(s);
    if (!s->listener && s->open == 0)
        hail_loop_stop(s->loop);
}

/* Sends what waits, or reads more. */
static int talk(struct client *c)
{
    struct hail_ctx *ctx = &c->server->ctx;
    struct iovec rest = {c->buf + c->from, c->to - c->from};
    ssize_t n;
    if (rest.iov_len > 0) {
        n = hail_try_writev(ctx, c->stream, &rest, 1);
        c->from += n > 0 ? (size_t)n : 0;
    } else if (!c->server->listener) {
        c->state = END;
        return 0;
    } else {
        n = hail_try_read(ctx, c->stream, c->buf, sizeof c->buf);
        c->from = 0;
        c->to = n > 0 ? (size_t)n : 0;
        c->state = n == 0 ? END : TALK;
    }
    if (n >= 0)
        set_limit(c, c->server->idle_ms);
    return n < 0 ? (int)n : 0;
}

/* One step: 0 when the next one may follow, -EAGAIN when the client has to be waited for. */
static int step(struct client *c)
{
    struct hail_ctx *ctx = &c->server->ctx;
    ssize_t n;
    int rc;
    switch (c->state) {
    case SHAKE:
        rc = hail_try_handshake(ctx, c->stream);
        if (rc == 0) {
            c->state = TALK;
            c->server->served++;
            set_limit(c, c->server->idle_ms);
        }
        return rc;
    case TALK:
        return talk(c);
    case END:
        rc = hail_try_shutdown(ctx, c->stream);
        if (rc == 0) {
            c->state = LINGER;
            set_limit(c, LINGER_MS);
        }
        return rc;
    case LINGER: /* whatever still comes is read: left unread, it would reset the connection */
        n = hail_try_read(ctx, c->stream, c->buf, sizeof c->buf);
        return n > 0 ? 0 : n == 0 ? -ECONNRESET : (int)n;
    }
    return -EINVAL;
}

/* Steps until the client has to be waited for. A socket is nearly always ready for POLLOUT: the
 * loop comes back to this client when it has looked at the others. */
static void drive(struct client *c)
{
    int rc = 0, wants = POLLOUT;
    for (int i = 0; i < STEPS && rc == 0; i++)
        rc = step(c);
    if (rc == -EAGAIN) {
        wants = hail_stream_wants(c->stream);
        rc = 0;
    }
    if (rc < 0 || hail_loop_change(c->server->loop, &c->watch, wants) < 0)
        forget(c);
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)loop;
    (void)events;
    drive(HAIL_OUTER(w, struct client, watch));
}

/* Nothing moved for too long: a client that talks is told the end, any other is left. */
static void on_limit(struct hail_loop *loop, struct hail_timer *t)
{
    struct client *c = HAIL_OUTER(t, struct client, limit);
    (void)loop;
    if (c->state != TALK || c->from < c->to) {
        forget(c);
        return;
    }
    c->state = END;
    set_limit(c, LINGER_MS);
    drive(c);
}

/* --- the server --- */

static int welcome(struct server *s, struct hail_stream *stream)
{
    struct client *c = calloc(1, sizeof *c);
    int rc = c ? hail_tls_server_start(&s->ctx, &stream, s->tls) : -ENOMEM;
    if (rc == 0) {
        c->server = s;
        c->watch = (struct hail_watch){hail_stream_fd(stream), on_ready};
        c->limit.fire = on_limit;
        rc = set_limit(c, SHAKE_MS);
    }
    if (rc == 0 && (rc = hail_loop_add(s->loop, &c->watch, POLLIN)) < 0)
        hail_timer_clear(s->loop, &c->limit);
    if (rc < 0) {
        hail_close(stream);
        free(c);
        return rc;
    }
    c->stream = stream;
    c->next = s->first;
    if (c->next)
        c->next->prev = c;
    s->first = c;
    s->open++;
    return 0;
}

/* When clients are too many, or descriptors too few, those who come wait in the kernel's queue. */
static void on_arrival(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct server *s = HAIL_OUTER(w, struct server, arrivals);
    struct hail_stream *stream;
    int rc = 0;
    (void)events;
    while (rc == 0 && s->open < CLIENTS) {
        rc = hail_try_accept(&s->ctx, s->listener, &stream);
        if (rc == 0)
            rc = welcome(s, stream);
    }
    if (rc == -EAGAIN)
        return;
    hail_loop_remove(loop, w);
    s->accepting = false;
    hail_timer_set(loop, &s->later, hail_loop_now(loop) + PAUSE_MS * INT64_C(1000000));
}

static void on_later(struct hail_loop *loop, struct hail_timer *t)
{
    struct server *s = HAIL_OUTER(t, struct server, later);
    if (s->listener)
        accept_again(s);
    else
        hail_loop_stop(loop);
}

static void on_signal(struct hail_loop *loop, int sig, void *arg)
{
    struct server *s = arg;
    (void)sig;
    if (!s->listener || s->open == 0) {
        hail_loop_stop(loop);
        return;
    }
    if (s->accepting)
        hail_loop_remove(loop, &s->arrivals);
    hail_listener_close(s->listener);
    s->listener = NULL;
    hail_timer_set(loop, &s->later, hail_loop_now(loop) + GRACE_MS * INT64_C(1000000));
    for (struct client *c = s->first, *next; c; c = next) {
        next = c->next;
        if (c->state == SHAKE)
            forget(c); /* nothing was said yet */
        else
            drive(c);
    }
}

static int begin(struct server *s, const char *where, const struct hail_tls_opts *tls)
{
    struct hail_endpoint at;
    int rc = hail_endpoint_parse(&s->ctx, &at, where, 0);
    if (rc == 0)
        rc = hail_tls_config_new(&s->ctx, true, tls, &s->tls);
    if (rc == 0)
        rc = hail_listen(&s->ctx, &at, NULL, &s->listener);
    if (rc == 0)
        rc = hail_loop_new(&s->ctx, &s->loop);
    if (rc < 0)
        return rc;
    s->arrivals = (struct hail_watch){hail_listener_fd(s->listener), on_arrival};
    s->later.fire = on_later;
    accept_again(s);
    rc = hail_loop_signal(s->loop, SIGTERM, on_signal, s);
    return rc < 0 ? rc : hail_loop_signal(s->loop, SIGINT, on_signal, s);
}

int main(int argc, char **argv)
{
    struct hail_tls_opts tls = {.self_signed = ""};
    struct server s = {.ctx = HAIL_CTX_INIT};
    char text[HAIL_ENDPOINT_MAX];
    s.idle_ms = (argc > 2 ? atoi(argv[2]) : 60) * INT64_C(1000);
    if (argc > 4)
        tls = (struct hail_tls_opts){.cert_file = argv[3], .key_file = argv[4]};
    int rc = begin(&s, argc > 1 ? argv[1] : "localhost:0", &tls);
    if (rc == 0) {
        struct hail_endpoint at = hail_listener_at(s.listener);
        hail_endpoint_format(&at, text, sizeof text);
        printf("listening at %s\n", text);
        fflush(stdout);
        rc = hail_loop_run(s.loop);
    }
    if (rc == 0)
        printf("served: %u, cut off: %u\n", s.served, s.open);
    else
        fprintf(stderr, "%s\n", *s.ctx.err.msg ? s.ctx.err.msg : hail_errno_text(-rc));
    while (s.first)
        forget(s.first);
    hail_loop_free(s.loop);
    hail_listener_close(s.listener);
    hail_tls_config_free(s.tls);
    return rc < 0;
}
