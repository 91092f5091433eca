/* loop_bench.h - a loop under test: it ends by itself, and notes down what was called in which
 * order.
 */
#ifndef HAIL_TESTS_LOOP_BENCH_H
#define HAIL_TESTS_LOOP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hail/hail.h>
#include <string.h>

#define OF(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define MS                  1000000LL

/* A loop that ends by itself after 10 s, so that a fault does not hang the test. */
struct bench {
    struct hail_loop *loop;
    struct hail_timer late;
    bool was_late;
    int calls;
    char order[64];
};

static inline void too_late(struct hail_loop *loop, struct hail_timer *t)
{
    OF(t, struct bench, late)->was_late = true;
    hail_loop_stop(loop);
}

static inline void set_up(struct bench *b)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    *b = (struct bench){.late.fire = too_late};
    assert_int_equal(hail_loop_new(&ctx, &b->loop), 0);
    assert_int_equal(hail_timer_set(b->loop, &b->late, hail_now() + 10000 * MS), 0);
}

static inline void run(struct bench *b)
{
    assert_int_equal(hail_loop_run(b->loop), 0);
    assert_false(b->was_late);
}

static inline void tear_down(struct bench *b)
{
    hail_timer_clear(b->loop, &b->late);
    hail_loop_free(b->loop);
}

static inline void note(struct bench *b, char name)
{
    size_t n = strlen(b->order);
    assert_true(n + 1 < sizeof b->order);
    b->order[n] = name;
}

#endif
