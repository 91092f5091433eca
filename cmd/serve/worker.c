/* worker.c - one thread of the server: a loop, a listener, its connections. */
#include "where.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ACCEPT_TURN 64  /* connections taken before those that are there get their turn */
#define PAUSE_MS    100 /* without accepting, when descriptors or memory have run out */

#define WORKER_OF(p, member)                                                                       \
    ((struct serve_worker *)((char *)(p)-offsetof(struct serve_worker, member)))

const char *serve_date(struct serve_worker *w)
{
    time_t now = time(NULL);
    if (now != w->date_s && hail_http_date_format(now, w->date) == 0)
        w->date_s = now;
    return w->date;
}

/* All but the big ones, which are written before they are read. */
static void clear(struct serve_buffers *b)
{
    b->in_at = b->in_len = b->out_at = b->out_len = 0;
    b->head_len = 0;
    b->note.status = 0;
    b->untaken = b->content_read = b->listens = false;
    b->piece = b->npieces = 0;
    b->file = NULL;
    b->page = NULL;
    b->blob = NULL;
    b->waits_on = NULL;
    b->total = b->left = b->sent = b->paced = 0;
}

struct serve_buffers *serve_buffers_take(struct serve_worker *w)
{
    struct serve_buffers *b = w->spare;
    if (b) {
        w->spare = b->next;
        w->spares--;
    } else {
        b = malloc(sizeof *b);
    }
    if (b)
        clear(b);
    return b;
}

void serve_buffers_give(struct serve_worker *w, struct serve_buffers *b)
{
    if (!b)
        return;
    if (w->spares >= SERVE_SPARE) {
        free(b);
        return;
    }
    b->next = w->spare;
    w->spare = b;
    w->spares++;
}

/* --- stopping --- */

/* Who knocks from here on is refused, at once where the listener is the worker's own; it is closed
 * with the others. */
static void stop_listening(struct serve_worker *w)
{
    for (int i = 0; i < w->ndoors; i++) {
        if (!w->paused)
            hail_loop_remove(w->loop, &w->doors[i].watch);
        if (w->doors[i].own)
            shutdown(w->doors[i].watch.fd, SHUT_RDWR);
    }
    hail_timer_clear(w->loop, &w->pause);
    free(w->doors);
    w->doors = NULL;
    w->ndoors = 0;
}

static void drained(struct hail_loop *loop, struct hail_timer *t)
{
    (void)t;
    hail_loop_stop(loop);
}

static bool no_connections(const struct serve_worker *w)
{
    for (int i = 0; i < SERVE_WAITS; i++)
        if (w->queues[i].first)
            return false;
    return true;
}

/* SIGINT, SIGTERM: no new connections, idle ones go, what is under way may end. */
static void cancelled(struct hail_loop *loop, struct hail_watch *watch, int events)
{
    struct serve_worker *w = WORKER_OF(watch, cancel);
    (void)events;
    hail_loop_remove(loop, watch); /* it stays readable, for the other workers */
    w->stopping = true;
    stop_listening(w);
    for (int i = 0; i < SERVE_WAITS; i++)
        for (struct serve_conn *k = w->queues[i].first, *next; k; k = next) {
            next = k->next;
            serve_conn_stop(k);
        }
    w->drain.fire = drained;
    int64_t drain = w->serve->o->times.drain_s * 1000000000LL;
    if (no_connections(w) || hail_timer_set(loop, &w->drain, hail_loop_now(loop) + drain) < 0)
        hail_loop_stop(loop);
}

void serve_conn_gone(struct serve_worker *w)
{
    if (w->stopping && no_connections(w))
        hail_loop_stop(w->loop);
}

/* --- accepting --- */

static int open_doors(struct serve_worker *w)
{
    int rc = 0;
    for (int i = 0; i < w->ndoors && rc == 0; i++)
        rc = hail_loop_add(w->loop, &w->doors[i].watch, POLLIN);
    return rc;
}

static void resume(struct hail_loop *loop, struct hail_timer *t)
{
    struct serve_worker *w = WORKER_OF(t, pause);
    w->paused = false;
    if (open_doors(w) == 0)
        return;
    for (int i = 0; i < w->ndoors; i++)
        hail_loop_remove(loop, &w->doors[i].watch);
    w->paused = true;
    hail_timer_set(loop, t, hail_loop_now(loop) + PAUSE_MS * 1000000LL);
}

/* Out of descriptors or memory: the connections wait in the listeners' queues. */
static void pause_accepting(struct serve_worker *w)
{
    serve_log_error(w);
    w->pause.fire = resume;
    if (hail_timer_set(w->loop, &w->pause, hail_loop_now(w->loop) + PAUSE_MS * 1000000LL) < 0)
        return;
    for (int i = 0; i < w->ndoors; i++)
        hail_loop_remove(w->loop, &w->doors[i].watch);
    w->paused = true;
}

static void on_connection(struct hail_loop *loop, struct hail_watch *watch, int events)
{
    struct serve_door *d = (struct serve_door *)watch; /* its first member */
    struct serve_worker *w = d->worker;
    (void)loop, (void)events;
    for (int i = 0; i < ACCEPT_TURN; i++) {
        struct hail_stream *s;
        int rc = hail_try_accept(&w->ctx, d->listener, &s);
        if (rc == -EAGAIN)
            return;
        if (rc < 0) {
            pause_accepting(w);
            return;
        }
        serve_count_add(&w->counts.accepted, 1);
        serve_conn_open(w, s, d);
    }
}

/* --- the whole --- */

static int begin_doors(struct serve_worker *w)
{
    const struct serve_places *p = w->places;
    w->doors = calloc((size_t)p->n, sizeof *w->doors);
    if (!w->doors)
        return hail_fail(&w->ctx, HAIL_LAYER_LOCAL, ENOMEM, "start", "start a worker: %s",
                         hail_errno_text(ENOMEM));
    for (int i = 0; i < p->n; i++) {
        const struct serve_place *at = &p->v[i];
        if (at->worker >= 0 && at->worker != w->number)
            continue;
        w->doors[w->ndoors++] =
            (struct serve_door){.watch = {hail_listener_fd(at->listener), on_connection},
                                .worker = w,
                                .listener = at->listener,
                                .tls = at->tls,
                                .metrics = at->metrics,
                                .own = at->worker >= 0};
    }
    return open_doors(w);
}

static int begin(struct serve_worker *w)
{
    int rc = hail_loop_new(&w->ctx, &w->loop);
    if (rc < 0)
        return rc;
    serve_patience_begin(w);
    serve_watch_begin(w);
    rc = serve_log_begin(w, &w->ctx);
    w->cancel = (struct hail_watch){w->ctx.cancel_fd, cancelled};
    rc = rc < 0 ? rc : hail_work_new(&w->ctx, w->loop, SERVE_TASKS, &w->work);
    if (rc == 0 && w->serve->o->dev)
        rc = serve_dev_begin(w);
    rc = rc < 0 ? rc : begin_doors(w);
    if (rc == 0 && w->cancel.fd >= 0)
        rc = hail_loop_add(w->loop, &w->cancel, POLLIN);
    if (rc == 0 && w->ctx.by.ns) { /* --timeout */
        w->drain.fire = drained;
        rc = hail_timer_set(w->loop, &w->drain, w->ctx.by.ns);
    }
    return rc;
}

static void end(struct serve_worker *w)
{
    if (w->loop) {
        w->stopping = true;
        stop_listening(w);
        for (int i = 0; i < SERVE_WAITS; i++)
            while (w->queues[i].first)
                serve_conn_close(w->queues[i].first);
        hail_work_free(w->work);
        serve_dev_end(w);
        serve_patience_end(w);
        serve_cache_free(w);
        serve_watch_end(w);
        serve_log_end(w);
    }
    while (w->spare) {
        struct serve_buffers *b = w->spare;
        w->spare = b->next;
        free(b);
    }
    hail_loop_free(w->loop);
}

int serve_worker_run(struct serve_worker *w)
{
    int rc = begin(w);
    if (rc == 0)
        rc = hail_loop_run(w->loop);
    end(w);
    return rc;
}
