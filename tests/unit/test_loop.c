/* test_loop.c - the event loop: descriptors, signals, threads; also run under tsan.
 * link: --wrap=epoll_create1
 * link: --wrap=eventfd
 * link: --wrap=epoll_ctl
 * link: --wrap=signalfd
 * link: --wrap=calloc
 */
#include "loop_bench.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- system calls that fail on demand --- */

static int fail_in; /* counts down to the call that fails; 0: none */
static bool failed;

static bool fails(int errnum)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    errno = errnum;
    return failed = true;
}

#define WRAP(type, bad, name, errnum, params, args)                                                \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        return fails(errnum) ? (bad) : __real_##name args;                                         \
    }

WRAP(int, -1, epoll_create1, EMFILE, (int flags), (flags))
WRAP(int, -1, eventfd, EMFILE, (unsigned count, int flags), (count, flags))
WRAP(int, -1, epoll_ctl, ENOSPC, (int ep, int op, int fd, struct epoll_event *e), (ep, op, fd, e))
WRAP(int, -1, signalfd, EMFILE, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(void *, NULL, calloc, ENOMEM, (size_t n, size_t size), (n, size))

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* --- descriptors --- */

struct pair {
    struct hail_watch watch;
    struct bench *b;
    int other;
    struct pair *victim; /* is removed, closed and freed by this one */
};

static struct pair *new_pair(struct bench *b,
                             void (*ready)(struct hail_loop *, struct hail_watch *, int))
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    struct pair *p = test_malloc(sizeof *p);
    *p = (struct pair){.watch = {fd[0], ready}, .b = b, .other = fd[1]};
    return p;
}

static void free_pair(struct pair *p)
{
    hail_loop_remove(p->b->loop, &p->watch);
    close(p->watch.fd);
    close(p->other);
    test_free(p);
}

static void echo(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct pair *p = OF(w, struct pair, watch);
    char c;
    assert_true(events & POLLIN);
    assert_int_equal(read(w->fd, &c, 1), 1);
    note(p->b, c);
    if (c == 'z')
        hail_loop_stop(loop);
}

static void what_is_left_is_told_again(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct pair *p = new_pair(&b, echo);
    assert_int_equal(hail_loop_add(b.loop, &p->watch, POLLIN), 0);
    assert_int_equal(write(p->other, "abcz", 4), 4);
    run(&b);
    assert_string_equal(b.order, "abcz");
    free_pair(p);
    tear_down(&b);
}

static void writable(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct pair *p = OF(w, struct pair, watch);
    if (p->b->calls++ == 0) { /* readable, as asked for; now the other way */
        assert_int_equal(events, POLLIN);
        assert_int_equal(hail_loop_change(loop, w, POLLOUT), 0);
        return;
    }
    assert_int_equal(events, POLLOUT);
    hail_loop_stop(loop);
}

static void what_is_waited_for_changes(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct pair *p = new_pair(&b, writable);
    assert_int_equal(hail_loop_add(b.loop, &p->watch, POLLIN), 0);
    assert_int_equal(write(p->other, "a", 1), 1);
    run(&b);
    assert_int_equal(b.calls, 2);
    free_pair(p);
    tear_down(&b);
}

static void hung_up(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)w;
    assert_true(events & POLLHUP);
    hail_loop_stop(loop);
}

static void the_end_is_told_even_if_nothing_is_waited_for(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct pair *p = new_pair(&b, hung_up);
    assert_int_equal(hail_loop_add(b.loop, &p->watch, 0), 0);
    close(p->other);
    p->other = -1;
    run(&b);
    free_pair(p);
    tear_down(&b);
}

static void free_both(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct pair *p = OF(w, struct pair, watch);
    (void)events;
    p->b->calls++;
    free_pair(p->victim);
    free_pair(p);
    hail_loop_stop(loop);
}

/* Both are ready in one batch; the first called frees both, itself included. */
static void a_callback_closes_and_frees_others_and_itself(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct pair *one = new_pair(&b, free_both), *two = new_pair(&b, free_both);
    one->victim = two;
    two->victim = one;
    hail_loop_add(b.loop, &one->watch, POLLIN);
    hail_loop_add(b.loop, &two->watch, POLLIN);
    assert_int_equal(write(one->other, "x", 1), 1);
    assert_int_equal(write(two->other, "x", 1), 1);
    run(&b);
    assert_int_equal(b.calls, 1);
    tear_down(&b);
}

static void count(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct pair *p = OF(w, struct pair, watch);
    char c;
    (void)events;
    assert_int_equal(read(w->fd, &c, 1), 1);
    if (--p->b->calls == 0)
        hail_loop_stop(loop);
}

#define MANY_FDS 900

/* More descriptors than one batch tells of. */
static void many_descriptors(void **state)
{
    (void)state;
    struct bench b;
    struct pair *p[MANY_FDS];
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    int n = r.rlim_cur < 2 * MANY_FDS + 100 ? 400 : MANY_FDS;
    set_up(&b);
    for (int i = 0; i < n; i++) {
        p[i] = new_pair(&b, count);
        assert_int_equal(hail_loop_add(b.loop, &p[i]->watch, POLLIN), 0);
        assert_int_equal(write(p[i]->other, "x", 1), 1);
    }
    b.calls = n;
    run(&b);
    assert_int_equal(b.calls, 0);
    for (int i = 0; i < n; i++)
        free_pair(p[i]);
    tear_down(&b);
}

static void adding_what_cannot_be_waited_for_fails(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    struct hail_watch none = {-1, count};
    assert_int_equal(hail_loop_add(b.loop, &none, POLLIN), -EBADF);
    struct pair *p = new_pair(&b, count);
    assert_int_equal(hail_loop_add(b.loop, &p->watch, POLLIN), 0);
    assert_int_equal(hail_loop_add(b.loop, &p->watch, POLLIN), -EEXIST);
    free_pair(p);
    tear_down(&b);
}

/* --- signals --- */

static void on_signal(struct hail_loop *loop, int sig, void *arg)
{
    struct bench *b = arg;
    note(b, sig == SIGUSR1 ? '1' : '2');
    if (sig == SIGUSR2)
        hail_loop_stop(loop);
}

static void signals_come_in_their_turn(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    assert_int_equal(hail_loop_signal(b.loop, SIGUSR1, on_signal, &b), 0);
    assert_int_equal(hail_loop_signal(b.loop, SIGUSR2, on_signal, &b), 0);
    assert_int_equal(hail_loop_signal(b.loop, -1, on_signal, &b), -EINVAL);
    raise(SIGUSR1);
    raise(SIGUSR2);
    assert_string_equal(b.order, ""); /* blocked until the loop runs */
    run(&b);
    assert_string_equal(b.order, "12");
    tear_down(&b);
}

/* --- threads --- */

struct shared {
    struct hail_loop *loops[4];
    atomic_int running, ended;
};

static void loop_of(void *arg, int i)
{
    struct shared *s = arg;
    atomic_fetch_add(&s->running, 1);
    assert_int_equal(hail_loop_run(s->loops[i]), 0);
    atomic_fetch_add(&s->ended, 1);
    for (int k = 0; k < 4; k++)
        hail_loop_stop(s->loops[k]);
}

static void stop_it(struct hail_loop *loop, struct hail_timer *t)
{
    (void)t;
    hail_loop_stop(loop);
}

/* Each loop is stopped from all threads, and wakes though nothing else happens. */
static void loops_are_stopped_from_other_threads(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct shared s = {0};
    struct hail_timer first = {.fire = stop_it};
    for (int i = 0; i < 4; i++)
        assert_int_equal(hail_loop_new(&ctx, &s.loops[i]), 0);
    assert_int_equal(hail_timer_set(s.loops[2], &first, hail_now() + 5 * MS), 0);
    assert_int_equal(hail_loop_threads(4, loop_of, &s), 0);
    assert_int_equal(atomic_load(&s.running), 4);
    assert_int_equal(atomic_load(&s.ended), 4);
    for (int i = 0; i < 4; i++)
        hail_loop_free(s.loops[i]);
}

static void a_loop_stopped_before_it_runs_does_not_run(void **state)
{
    (void)state;
    struct bench b;
    set_up(&b);
    hail_loop_stop(b.loop);
    run(&b);
    hail_loop_stop(b.loop);
    run(&b); /* and may be run again */
    tear_down(&b);
}

/* --- failures --- */

static int all_of_it(void)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_loop *loop = NULL;
    struct bench b = {0};
    int rc = hail_loop_new(&ctx, &loop);
    if (rc < 0) {
        assert_null(loop);
        assert_int_equal(ctx.err.errnum, -rc);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
        return rc;
    }
    rc = hail_loop_signal(loop, SIGUSR1, on_signal, &b);
    if (rc == 0)
        rc = hail_loop_signal(loop, SIGUSR2, on_signal, &b);
    hail_loop_free(loop);
    return rc;
}

static void each_system_call_fails_in_turn(void **state)
{
    (void)state;
    int n = 1;
    for (;; n++) {
        size_t before = open_descriptors();
        failed = false;
        fail_in = n;
        int rc = all_of_it();
        fail_in = 0;
        assert_int_equal(open_descriptors(), before);
        if (!failed) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_true(rc < 0);
    }
    assert_true(n > 5);
    hail_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_told_again),
        cmocka_unit_test(what_is_waited_for_changes),
        cmocka_unit_test(the_end_is_told_even_if_nothing_is_waited_for),
        cmocka_unit_test(a_callback_closes_and_frees_others_and_itself),
        cmocka_unit_test(many_descriptors),
        cmocka_unit_test(adding_what_cannot_be_waited_for_fails),
        cmocka_unit_test(signals_come_in_their_turn),
        cmocka_unit_test(loops_are_stopped_from_other_threads),
        cmocka_unit_test(a_loop_stopped_before_it_runs_does_not_run),
        cmocka_unit_test(each_system_call_fails_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
