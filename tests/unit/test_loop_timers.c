/* test_loop_timers.c - the timers of the event loop: their order, and changing them in callbacks.
 */
#include "loop_bench.h"

#include <stdlib.h>

struct named_timer {
    struct hail_timer timer;
    struct bench *b;
    char name;
    struct named_timer *other; /* is cleared by this one */
    int64_t fired_ns;
};

static void fired(struct hail_loop *loop, struct hail_timer *t)
{
    struct named_timer *n = OF(t, struct named_timer, timer);
    note(n->b, n->name);
    n->fired_ns = hail_loop_now(loop);
    if (n->other)
        hail_timer_clear(loop, &n->other->timer);
    if (n->name == 'z')
        hail_loop_stop(loop);
}

static void timers_go_off_in_order_and_not_early(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    static const int at_ms[] = {15, 3, 9, 0, 21, 6, 12, 18};
    static const char names[] = "fbdazceg";
    struct named_timer t[8];
    int64_t now = hail_now();
    for (int i = 0; i < 8; i++) {
        t[i] = (struct named_timer){.timer.fire = fired, .b = &b, .name = names[i]};
        assert_int_equal(hail_timer_set(b.loop, &t[i].timer, now + at_ms[i] * MS), 0);
    }
    run(&b);
    assert_string_equal(b.order, "abcdefgz");
    for (int i = 0; i < 8; i++) {
        assert_true(t[i].fired_ns >= now + at_ms[i] * MS);
        assert_int_equal(t[i].timer.place, 0);
    }
    tear_down(&b);
}

static void a_timer_is_moved_both_ways_and_cleared(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    int64_t now = hail_now();
    struct named_timer t[] = {{.timer.fire = fired, .b = &b, .name = 'a'},
                              {.timer.fire = fired, .b = &b, .name = 'b'},
                              {.timer.fire = fired, .b = &b, .name = 'c'},
                              {.timer.fire = fired, .b = &b, .name = 'z'}};
    for (int i = 0; i < 4; i++)
        hail_timer_set(b.loop, &t[i].timer, now + (i + 1) * MS);
    hail_timer_set(b.loop, &t[0].timer, now + 8 * MS);
    hail_timer_set(b.loop, &t[3].timer, now + 9 * MS);
    hail_timer_set(b.loop, &t[2].timer, now);
    hail_timer_clear(b.loop, &t[1].timer);
    hail_timer_clear(b.loop, &t[1].timer); /* a second time is allowed */
    run(&b);
    assert_string_equal(b.order, "caz");
    tear_down(&b);
}

static void a_timer_cleared_by_one_due_at_the_same_time_stays_silent(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    int64_t at = hail_now() + MS;
    struct named_timer t[] = {{.timer.fire = fired, .b = &b, .name = 'a'},
                              {.timer.fire = fired, .b = &b, .name = 'b'},
                              {.timer.fire = fired, .b = &b, .name = 'z'}};
    t[0].other = &t[1];
    t[1].other = &t[0];
    for (int i = 0; i < 2; i++)
        hail_timer_set(b.loop, &t[i].timer, at);
    hail_timer_set(b.loop, &t[2].timer, at + MS);
    run(&b);
    assert_int_equal(strlen(b.order), 2); /* one of the two, and the last */
    tear_down(&b);
}

static void again(struct hail_loop *loop, struct hail_timer *t)
{
    struct named_timer *n = OF(t, struct named_timer, timer);
    if (++n->b->calls == 5)
        hail_loop_stop(loop);
    else
        assert_int_equal(hail_timer_set(loop, t, hail_loop_now(loop) + MS / 2), 0);
}

static void a_timer_is_set_again_in_its_own_callback(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct named_timer t = {.timer.fire = again, .b = &b};
    hail_timer_set(b.loop, &t.timer, hail_now());
    run(&b);
    assert_int_equal(b.calls, 5);
    tear_down(&b);
}

#define MANY 5000
static int64_t last_ns;
static int left;

static void in_order(struct hail_loop *loop, struct hail_timer *t)
{
    assert_true(t->at_ns >= last_ns);
    last_ns = t->at_ns;
    if (--left == 0)
        hail_loop_stop(loop);
}

/* Set, moved and cleared at random; what is left goes off in order. */
static void many_timers_keep_their_order(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct hail_timer *t = test_calloc(MANY, sizeof *t);
    unsigned seed = 1;
    int64_t now = hail_now();
    for (int i = 0; i < 4 * MANY; i++) {
        struct hail_timer *one = &t[rand_r(&seed) % MANY];
        one->fire = in_order;
        if (rand_r(&seed) % 4 == 0)
            hail_timer_clear(b.loop, one);
        else
            assert_int_equal(hail_timer_set(b.loop, one, now + rand_r(&seed) % (20 * MS)), 0);
    }
    last_ns = left = 0;
    for (int i = 0; i < MANY; i++)
        left += t[i].place != 0;
    assert_true(left > MANY / 4);
    run(&b);
    assert_int_equal(left, 0);
    test_free(t);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_go_off_in_order_and_not_early),
        cmocka_unit_test(a_timer_is_moved_both_ways_and_cleared),
        cmocka_unit_test(a_timer_cleared_by_one_due_at_the_same_time_stays_silent),
        cmocka_unit_test(a_timer_is_set_again_in_its_own_callback),
        cmocka_unit_test(many_timers_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
