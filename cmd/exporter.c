/* exporter.c - where metrics are asked for: the listener, and the life of the command around it;
 * exporter.h.
 */
#include "exporter_conn.h"

#include <hail/listen.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTS  64                         /* connections before others get their turn */
#define PAUSE_NS ((int64_t)200 * 1000000)   /* when there is no descriptor for the next */
#define SLOW_NS  ((int64_t)1000 * 1000000L) /* a head that took so long makes room for others */

/* Makes room for a new connection: the one that has idled longest goes, else one whose head has
 * been awaited for too long. */
static bool make_room(struct exporter *e)
{
    struct exporter_conn *idle = NULL, *slow = NULL;
    for (struct exporter_conn *k = e->conns; k; k = k->next) {
        struct exporter_conn **best = k->partial ? &slow : &idle;
        if (k->state == EXPORTER_READ && (!*best || k->since_ns <= (*best)->since_ns))
            *best = k;
    }
    if (!idle && slow && hail_loop_now(e->loop) - slow->since_ns > SLOW_NS)
        idle = slow;
    if (idle)
        exporter_conn_close(idle);
    return idle != NULL;
}

static void turn_away(struct exporter *e, struct hail_stream *stream)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                 "Connection: close\r\nContent-Length: 0\r\n\r\n";
    struct iovec v = {(char *)answer, sizeof answer - 1};
    (void)hail_try_writev(&e->ctx, stream, &v, 1);
    hail_close(stream);
}

static void on_client(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct exporter *e = (struct exporter *)w; /* its first member */
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        struct hail_stream *stream;
        int rc = hail_try_accept(&e->ctx, e->listener, &stream);
        if (rc == -EAGAIN)
            return;
        if (rc == 0 && e->n >= EXPORTER_CONNECTIONS && !make_room(e))
            turn_away(e, stream);
        else if (rc == 0)
            rc = exporter_conn_open(e, stream);
        if (rc < 0) {
            hail_loop_remove(loop, w);
            hail_timer_set(loop, &e->pause, hail_loop_now(loop) + PAUSE_NS);
            return;
        }
    }
}

static void on_pause_over(struct hail_loop *loop, struct hail_timer *t)
{
    struct exporter *e = (struct exporter *)((char *)t - offsetof(struct exporter, pause));
    if (hail_loop_add(loop, &e->watch, POLLIN) < 0)
        hail_timer_set(loop, t, hail_loop_now(loop) + PAUSE_NS);
}

/* Said by the loop: who reads it may send signals, which exporter_run() has taken by then. */
static void say_where(struct hail_loop *loop, struct hail_timer *t)
{
    const struct exporter *e =
        (const struct exporter *)((char *)t - offsetof(struct exporter, begun));
    struct hail_endpoint at = hail_listener_at(e->listener);
    char text[HAIL_ENDPOINT_MAX];
    bool local = at.kind == HAIL_HOST_UNIX || at.kind == HAIL_HOST_ABSTRACT;
    (void)loop;
    at.transport = HAIL_TRANSPORT_ANY;
    hail_endpoint_format(&at, text, sizeof text);
    fputs(local ? "hail: metrics at " : "hail: metrics at http://", stderr);
    put_safe(stderr, text);
    fputs(local ? ", path /metrics\n" : "/metrics\n", stderr);
}

int exporter_new(struct common *c, struct hail_loop *loop, const char *endpoint,
                 exporter_fn *answer, void *arg, struct exporter **out)
{
    struct hail_endpoint at;
    const struct hail_opts opts = {.family = c->family};
    if (hail_endpoint_parse(&c->ctx, &at, endpoint, 0) < 0)
        return fail(c);
    if (at.transport == HAIL_UDP || at.transport == HAIL_TLS)
        return usage_error(c->cmd, "metrics are told over plain HTTP, not at '%s'", endpoint);
    struct exporter *e = calloc(1, sizeof *e);
    if (!e)
        return local_error("listen at", endpoint, ENOMEM);
    e->loop = loop;
    e->ctx = (struct hail_ctx)HAIL_CTX_INIT;
    e->answer = answer;
    e->arg = arg;
    e->pause.fire = on_pause_over;
    e->begun.fire = say_where;
    if (hail_listen(&c->ctx, &at, &opts, &e->listener) < 0) {
        free(e);
        return fail(c);
    }
    e->watch = (struct hail_watch){hail_listener_fd(e->listener), on_client};
    int rc = hail_timer_set(loop, &e->begun, hail_now());
    if (rc == 0 && (rc = hail_loop_add(loop, &e->watch, POLLIN)) < 0)
        hail_timer_clear(loop, &e->begun);
    if (rc < 0) {
        hail_listener_close(e->listener);
        free(e);
        return local_error("listen at", endpoint, -rc);
    }
    *out = e;
    return 0;
}

void exporter_free(struct exporter *e)
{
    if (!e)
        return;
    for (struct exporter_conn *k = e->conns, *next; k; k = next) {
        next = k->next;
        if (k->state == EXPORTER_ANSWER && !k->q.gone)
            k->state = EXPORTER_SEND; /* nobody will answer any more */
        exporter_conn_close(k);
    }
    hail_timer_clear(e->loop, &e->begun);
    if (e->pause.place)
        hail_timer_clear(e->loop, &e->pause);
    else
        hail_loop_remove(e->loop, &e->watch);
    hail_listener_close(e->listener);
    free(e);
}

/* --- the life of the command --- */

struct life {
    struct hail_watch cancel; /* the first member */
    struct hail_timer limit;
    void (*reload)(void *arg);
    void *arg;
};

static void on_signal(struct hail_loop *loop, int sig, void *arg)
{
    const struct life *l = arg;
    if (sig == SIGHUP)
        l->reload(l->arg);
    else
        hail_loop_stop(loop);
}

static void on_cancel(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)w;
    (void)events;
    hail_loop_stop(loop);
}

static void on_limit(struct hail_loop *loop, struct hail_timer *t)
{
    (void)t;
    hail_loop_stop(loop);
}

int exporter_run(struct common *c, struct hail_loop *loop, void (*reload)(void *arg), void *arg)
{
    struct life l = {.cancel = {c->ctx.cancel_fd, on_cancel},
                     .limit = {.fire = on_limit},
                     .reload = reload,
                     .arg = arg};
    int rc = hail_loop_signal(loop, SIGTERM, on_signal, &l);
    if (rc == 0 && reload)
        rc = hail_loop_signal(loop, SIGHUP, on_signal, &l);
    if (rc == 0 && l.cancel.fd >= 0)
        rc = hail_loop_add(loop, &l.cancel, POLLIN);
    if (rc == 0 && c->ctx.by.ns)
        rc = hail_timer_set(loop, &l.limit, c->ctx.by.ns);
    if (rc == 0) {
        rc = hail_loop_run(loop);
        hail_timer_clear(loop, &l.limit);
        if (l.cancel.fd >= 0)
            hail_loop_remove(loop, &l.cancel);
    }
    return rc < 0 ? local_error("wait for", "requests", -rc) : STATUS_DONE;
}
