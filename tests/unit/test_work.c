/* test_work.c - loop/work.h: tasks run in threads, and what they are done for is called in the
 * loop's.
 */
#include "loop/work.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define TASKS 200

struct job {
    struct hail_task task; /* first */
    pthread_t ran_in, done_in;
    struct round *round;
    int again; /* times that it adds itself once more */
};

struct round {
    struct hail_loop *loop;
    struct hail_work *work;
    atomic_int running, most;
    int ran, done;
};

static void run(struct hail_task *task)
{
    struct job *j = (struct job *)task;
    int now = atomic_fetch_add(&j->round->running, 1) + 1, most = atomic_load(&j->round->most);
    while (now > most && !atomic_compare_exchange_weak(&j->round->most, &most, now))
        ;
    usleep(500);
    j->ran_in = pthread_self();
    atomic_fetch_sub(&j->round->running, 1);
}

static void done(struct hail_task *task)
{
    struct job *j = (struct job *)task;
    j->done_in = pthread_self();
    if (j->again-- > 0) {
        assert_int_equal(hail_work_add(j->round->work, task), 0);
        return;
    }
    if (++j->round->done == j->round->ran)
        hail_loop_stop(j->round->loop);
}

static void begin(struct round *r, int threads)
{
    struct hail_ctx ctx = {.cancel_fd = -1};
    *r = (struct round){0};
    assert_int_equal(hail_loop_new(&ctx, &r->loop), 0);
    assert_int_equal(hail_work_new(&ctx, r->loop, threads, &r->work), 0);
}

static void add(struct round *r, struct job *jobs, int n, int again)
{
    for (int i = 0; i < n; i++) {
        jobs[i] = (struct job){.task = {.run = run, .done = done}, .round = r, .again = again};
        assert_int_equal(hail_work_add(r->work, &jobs[i].task), 0);
    }
    r->ran += n;
}

static void end(struct round *r)
{
    hail_work_free(r->work);
    hail_loop_free(r->loop);
}

static void test_all_run_elsewhere_and_are_done_here(void **state)
{
    static struct job jobs[TASKS];
    struct round r;
    (void)state;
    begin(&r, 4);
    add(&r, jobs, TASKS, 0);
    assert_int_equal(hail_loop_run(r.loop), 0);
    assert_int_equal(r.done, TASKS);
    for (int i = 0; i < TASKS; i++) {
        assert_true(pthread_equal(jobs[i].done_in, pthread_self()));
        assert_false(pthread_equal(jobs[i].ran_in, pthread_self()));
    }
    assert_true(atomic_load(&r.most) >= 1 && atomic_load(&r.most) <= 4);
    end(&r);
}

static void test_a_task_may_be_added_again_when_it_is_done(void **state)
{
    struct job jobs[3];
    struct round r;
    (void)state;
    begin(&r, 1);
    add(&r, jobs, 3, 5);
    assert_int_equal(hail_loop_run(r.loop), 0);
    assert_int_equal(r.done, 3);
    assert_int_equal(atomic_load(&r.most), 1);
    end(&r);
}

static void test_the_end_waits_for_what_was_added(void **state)
{
    static struct job jobs[50];
    struct round r;
    (void)state;
    begin(&r, 2);
    add(&r, jobs, 50, 0);
    end(&r);
    assert_int_equal(r.done, 50);
}

static void test_without_a_task(void **state)
{
    struct round r;
    (void)state;
    begin(&r, 2);
    end(&r);
    hail_work_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_run_elsewhere_and_are_done_here),
        cmocka_unit_test(test_a_task_may_be_added_again_when_it_is_done),
        cmocka_unit_test(test_the_end_waits_for_what_was_added),
        cmocka_unit_test(test_without_a_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
