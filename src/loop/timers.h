/* timers.h - the loop's timers: a heap of pointers, the earliest on top.
 *
 *               1
 *          2         3         child 2i and 2i + 1 are never earlier than i
 *        4   5     6   7
 *
 * Each timer knows its place, so that one may be moved or taken out anywhere in O(log n). Measured
 * against a hierarchical wheel's promise of O(1): with 10,000 timers a move costs some tens of
 * nanoseconds (bench/bench_loop.c), far below the system call that precedes it.
 */
#ifndef HAIL_LOOP_TIMERS_H
#define HAIL_LOOP_TIMERS_H

#include <hail/loop.h>

struct hail_timers {
    struct hail_timer **v; /* owned; v[1] is the top, v[0] is not used */
    size_t n, cap;
};

/* Sets `t` or moves it; 0 or -ENOMEM, and then it is as it was. */
int hail_timers_set(struct hail_timers *h, struct hail_timer *t, int64_t at_ns);
void hail_timers_clear(struct hail_timers *h, struct hail_timer *t);

/* Takes out the earliest timer if it is due; NULL if none is. */
struct hail_timer *hail_timers_due(struct hail_timers *h, int64_t now_ns);

/* When the earliest is due; 0: there is none. */
int64_t hail_timers_next(const struct hail_timers *h);
void hail_timers_free(struct hail_timers *h);

#endif
