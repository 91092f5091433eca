/* bench_loop.c - what setting, moving, clearing and firing a timer costs in a loop that has 10,000
 * of them, as a server with as many idle connections does.
 */
#include <hail/hail.h>

#include "report.h"

#define TIMERS 10000
#define ROUNDS 51
#define SECOND 1000000000

static struct hail_timer timers[TIMERS];
static int fired;

static void on_fire(struct hail_loop *loop, struct hail_timer *t)
{
    (void)t;
    if (++fired == TIMERS)
        hail_loop_stop(loop);
}

/* A point within the minute from `base`; the same sequence in every run. */
static int64_t some_time(int64_t base)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return base + (int64_t)(state >> 33) % (60 * (int64_t)SECOND);
}

static double each(int64_t start)
{
    return (double)(hail_now() - start) / TIMERS;
}

int main(void)
{
    static double set[ROUNDS], later[ROUNDS], anywhere[ROUNDS], fire[ROUNDS], clear[ROUNDS];
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_loop *loop;
    if (hail_loop_new(&ctx, &loop) < 0) {
        fprintf(stderr, "bench_loop: %s\n", ctx.err.msg);
        return 1;
    }
    int failed = 0;
    for (int r = 0; r < ROUNDS; r++) {
        int64_t base = hail_now(), start = base;
        for (int i = 0; i < TIMERS; i++) {
            timers[i].fire = on_fire;
            failed += hail_timer_set(loop, &timers[i], some_time(base)) < 0;
        }
        set[r] = each(start);
        start = hail_now();
        for (int i = 0; i < TIMERS; i++)
            failed += hail_timer_set(loop, &timers[i], some_time(base)) < 0;
        anywhere[r] = each(start);
        start = hail_now(); /* what a connection does with its deadline at every request */
        for (int i = 0; i < TIMERS; i++)
            failed += hail_timer_set(loop, &timers[i], base + 60 * (int64_t)SECOND + i) < 0;
        later[r] = each(start);
        start = hail_now();
        for (int i = 0; i < TIMERS; i++)
            hail_timer_clear(loop, &timers[i]);
        clear[r] = each(start);

        for (int i = 0; i < TIMERS; i++)
            failed += hail_timer_set(loop, &timers[i], some_time(0) / SECOND + 1) < 0;
        fired = 0;
        start = hail_now();
        failed += hail_loop_run(loop) < 0;
        fire[r] = each(start);
    }
    hail_loop_free(loop);
    if (failed) {
        fprintf(stderr, "bench_loop: %d calls failed\n", failed);
        return 1;
    }
    report("timer_set", set, ROUNDS, "ns", 1);
    report("timer_move", anywhere, ROUNDS, "ns", 1);
    report("timer_move_to_the_end", later, ROUNDS, "ns", 1);
    report("timer_clear", clear, ROUNDS, "ns", 1);
    report("timer_fire", fire, ROUNDS, "ns", 1);
    return 0;
}
