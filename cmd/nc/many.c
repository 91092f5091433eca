/* many.c - -lk: every client at once, on the loop; nc.h.
 *
 *      stdin ==> every client that is connected        every client ==> stdout, as it comes
 *
 * Standard input is read while somebody is there to hear it, and while nobody has more than BEHIND
 * bytes still to take: a slow client slows the others, but loses nothing. When standard output is
 * full no client is read. A client whose side has ended is closed when it has everything.
 */
#include "nc/many.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define PAUSE_MS 100 /* without accepting, when descriptors or memory have run out */

/* Sets what a descriptor is watched for; 0 takes it out of the loop. */
int nc_many_watch(struct hail_loop *loop, struct hail_watch *w, int *now, int events)
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

int nc_many_watch_std(struct nc_watched *d, int events)
{
    int rc = nc_many_watch(d->many->loop, &d->w, &d->events, events);
    return rc == -EPERM ? 0 : rc; /* a file, which is always ready */
}

void nc_many_stop(struct nc_many *m, int status)
{
    if (!m->status)
        m->status = status;
    hail_loop_stop(m->loop);
}

/* --- arriving --- */

static void arrived(struct nc_many *m, struct hail_stream *s)
{
    nc_tell_received(m->nc, s);
    if (m->nc->o.exec) {
        nc_exec(m->nc, s);
        hail_close(s);
        return;
    }
    struct nc_client *c = calloc(1, sizeof *c);
    if (!c) {
        hail_close(s);
        return;
    }
    *c = (struct nc_client){.w = {hail_stream_fd(s), nc_many_on_client},
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
            nc_many_lose(c);
            return;
        }
        c->shaking = true;
    }
    bool first = !c->next;
    nc_many_tend(c);
    if (first)
        nc_many_say(m);
}

static void on_pause_over(struct hail_loop *loop, struct hail_timer *t)
{
    struct nc_many *m = (struct nc_many *)((char *)t - offsetof(struct nc_many, pause));
    (void)loop;
    nc_many_watch_std(&m->listening, POLLIN);
}

static void on_arrival(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct nc_many *m = NC_OF(w, struct nc_watched)->many;
    (void)events;
    for (int i = 0; i < NC_MANY_TURN; i++) {
        struct hail_stream *s;
        int rc = hail_try_accept(&m->nc->c->ctx, m->listener, &s);
        if (rc == -EAGAIN)
            return;
        if (rc < 0) {
            /* what waits in the queue stays there until there is room for it */
            fail(m->nc->c);
            nc_many_watch_std(&m->listening, 0);
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
    nc_many_stop(NC_OF(w, struct nc_watched)->many, STATUS_LOCAL);
}

/* --- all of it --- */

static int begin(struct nc_many *m)
{
    const struct nc_options *o = &m->nc->o;
    const struct hail_pump_end std = {.in = o->detached ? -1 : STDIN_FILENO, .out = STDOUT_FILENO};
    hail_flow_open_from(&m->std.from, &std);
    hail_flow_open_to(&m->std.to, &std);
    hail_buf_init(&m->shown, HAIL_FLOW_WAITING);
    m->listening = (struct nc_watched){{hail_listener_fd(m->listener), on_arrival}, m, 0};
    m->input = (struct nc_watched){{STDIN_FILENO, nc_many_on_input}, m, 0};
    m->output = (struct nc_watched){{STDOUT_FILENO, nc_many_on_output}, m, 0};
    m->cancel = (struct nc_watched){{m->nc->c->ctx.cancel_fd, on_cancel}, m, 0};
    m->pause.fire = on_pause_over;
    int rc = nc_many_watch_std(&m->listening, POLLIN);
    if (rc == 0 && m->cancel.w.fd >= 0)
        rc = nc_many_watch_std(&m->cancel, POLLIN);
    return rc;
}

int nc_many(struct nc *nc, struct hail_listener *listener)
{
    struct nc_many m = {.nc = nc, .listener = listener};
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
        nc_many_drop(m.clients);
    hail_buf_free(&m.shown);
    if (m.std.to.own >= 0)
        close(m.std.to.own);
    hail_timer_clear(m.loop, &m.pause);
    hail_loop_free(m.loop);
    return m.status;
}
