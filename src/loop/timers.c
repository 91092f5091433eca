/* timers.c - a binary heap of timers that know their places; loop/timers.h. */
#include "loop/timers.h"

#include <errno.h>
#include <stdlib.h>

static void put(struct hail_timers *h, size_t place, struct hail_timer *t)
{
    h->v[place] = t;
    t->place = place;
}

/* Moves `t` from the hole at `place` towards the top, or down, until the order holds. */
static void settle(struct hail_timers *h, size_t place, struct hail_timer *t)
{
    while (place > 1 && t->at_ns < h->v[place / 2]->at_ns) {
        put(h, place, h->v[place / 2]);
        place /= 2;
    }
    for (;;) {
        size_t child = 2 * place;
        if (child + 1 <= h->n && h->v[child + 1]->at_ns < h->v[child]->at_ns)
            child++;
        if (child > h->n || h->v[child]->at_ns >= t->at_ns)
            break;
        put(h, place, h->v[child]);
        place = child;
    }
    put(h, place, t);
}

int hail_timers_set(struct hail_timers *h, struct hail_timer *t, int64_t at_ns)
{
    if (!t->place && h->n + 1 >= h->cap) {
        size_t cap = h->cap ? 2 * h->cap : 16;
        struct hail_timer **v = realloc(h->v, cap * sizeof *v);
        if (!v)
            return -ENOMEM;
        h->v = v;
        h->cap = cap;
    }
    t->at_ns = at_ns > 0 ? at_ns : 1;
    settle(h, t->place ? t->place : ++h->n, t);
    return 0;
}

void hail_timers_clear(struct hail_timers *h, struct hail_timer *t)
{
    size_t place = t->place;
    if (!place)
        return;
    t->place = 0;
    struct hail_timer *last = h->v[h->n--];
    if (last != t)
        settle(h, place, last);
}

struct hail_timer *hail_timers_due(struct hail_timers *h, int64_t now_ns)
{
    if (h->n == 0 || h->v[1]->at_ns > now_ns)
        return NULL;
    struct hail_timer *t = h->v[1];
    hail_timers_clear(h, t);
    return t;
}

int64_t hail_timers_next(const struct hail_timers *h)
{
    return h->n ? h->v[1]->at_ns : 0;
}

void hail_timers_free(struct hail_timers *h)
{
    free(h->v);
    *h = (struct hail_timers){0};
}
