/* patience.c - how long a connection may take, by what it is waited for.
 *
 * Within one queue all have the same time, so that who came first is due first: a list and one
 * timer do what a heap of timers would, for two pointers a connection.
 *
 *   HEAD     from the first byte of a head, or of a handshake, to its end: trickling does not help
 *   CONTENT, SEND   the client's pace is looked at every few seconds; who is too slow goes
 *   IDLE     between requests
 *   LINGER   after our end
 *   TASK     as long as it takes
 */
#include "serve.h"

#include <stddef.h>

static int64_t span_ns(const struct serve_worker *w, enum serve_wait what)
{
    const struct serve_times *t = &w->serve->o->times;
    const int seconds[SERVE_WAITS] = {[SERVE_WAIT_HEAD] = t->head_s,
                                      [SERVE_WAIT_CONTENT] = t->pace_s,
                                      [SERVE_WAIT_IDLE] = t->idle_s,
                                      [SERVE_WAIT_SEND] = t->pace_s,
                                      [SERVE_WAIT_LINGER] = t->linger_s};
    return seconds[what] * 1000000000LL;
}

/* Sets the timer of a queue for its first. */
static void expect(struct serve_worker *w, enum serve_wait what)
{
    struct serve_queue *q = &w->queues[what];
    int64_t span = span_ns(w, what);
    if (!q->first || span == 0)
        return;
    /* without memory for a timer the next that comes sets it */
    (void)hail_timer_set(w->loop, &q->timer, q->first->since_ns + span);
}

static void on_time(struct hail_loop *loop, struct hail_timer *t)
{
    struct serve_queue *q = (struct serve_queue *)((char *)t - offsetof(struct serve_queue, timer));
    struct serve_worker *w = q->worker;
    enum serve_wait what = (enum serve_wait)(q - w->queues);
    int64_t span = span_ns(w, what), now = hail_loop_now(loop);
    while (q->first && q->first->since_ns + span <= now)
        serve_conn_too_slow(q->first); /* which takes it out, or to the end */
    expect(w, what);
}

void serve_wait_no_more(struct serve_conn *k)
{
    struct serve_queue *q = &k->worker->queues[k->wait];
    *(k->prev ? &k->prev->next : &q->first) = k->next;
    *(k->next ? &k->next->prev : &q->last) = k->prev;
    serve_count_add(&q->n, -1);
}

void serve_wait_begin(struct serve_conn *k, enum serve_wait what)
{
    struct serve_queue *q = &k->worker->queues[what];
    k->wait = (uint8_t)what;
    k->since_ns = hail_loop_now(k->worker->loop);
    k->next = NULL;
    k->prev = q->last;
    *(q->last ? &q->last->next : &q->first) = k;
    q->last = k;
    serve_count_add(&q->n, 1);
    if (!q->timer.place)
        expect(k->worker, what);
}

void serve_wait_for(struct serve_conn *k, enum serve_wait what)
{
    serve_wait_no_more(k);
    serve_wait_begin(k, what);
}

void serve_patience_begin(struct serve_worker *w)
{
    for (int i = 0; i < SERVE_WAITS; i++) {
        w->queues[i].worker = w;
        w->queues[i].timer.fire = on_time;
    }
}

void serve_patience_end(struct serve_worker *w)
{
    for (int i = 0; i < SERVE_WAITS; i++)
        hail_timer_clear(w->loop, &w->queues[i].timer);
}
