/* loop.c - waiting for descriptors, time and signals in one epoll_wait(2); include/hail/loop.h.
 *
 *      epoll_wait --> batch of events --> ready() of each watch
 *                 --> timers that are due (timers.c) --> fire()
 *
 * A watch that is removed while its batch is worked off is struck from the batch, so that no
 * callback is ever called for memory that is gone.
 */
#include "loop/timers.h"

#include "base/error.h"
#include "net/quiet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define BATCH 256 /* events of one epoll_wait(2) */

struct hail_loop {
    int epfd;
    atomic_int stopping;
    int64_t now_ns;
    struct hail_timers timers;
    struct hail_watch wake; /* an eventfd: hail_loop_stop() */
    struct hail_watch signals;
    sigset_t blocked;
    void (*on_signal)(struct hail_loop *loop, int sig, void *arg);
    void *signal_arg;
    struct epoll_event batch[BATCH];
    int batched, next; /* events of the present batch, and the one to call after this */
};

static void on_wake(struct hail_loop *loop, struct hail_watch *w, int events)
{
    uint64_t n;
    (void)loop;
    (void)events;
    while (read(w->fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
}

static int open_loop(struct hail_loop *l)
{
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epfd < 0)
        return -errno;
    l->wake = (struct hail_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_wake};
    if (l->wake.fd < 0)
        return -errno;
    return hail_loop_add(l, &l->wake, POLLIN);
}

int hail_loop_new(struct hail_ctx *ctx, struct hail_loop **out)
{
    struct hail_loop *l = calloc(1, sizeof *l);
    int rc = -ENOMEM;
    if (l) {
        l->epfd = l->wake.fd = l->signals.fd = -1;
        sigemptyset(&l->blocked);
        rc = open_loop(l);
    }
    if (rc < 0) {
        hail_loop_free(l);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "open", "open an event loop: %s",
                         hail_errno_text(-rc));
    }
    l->now_ns = hail_now();
    *out = l;
    return 0;
}

void hail_loop_free(struct hail_loop *loop)
{
    if (!loop)
        return;
    int fds[] = {loop->signals.fd, loop->wake.fd, loop->epfd};
    for (size_t i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    hail_timers_free(&loop->timers);
    free(loop);
}

int64_t hail_loop_now(const struct hail_loop *loop)
{
    return loop->now_ns;
}

/* poll(2)'s bits and epoll's are the same on Linux for these four. */
static int control(struct hail_loop *loop, int op, struct hail_watch *w, int events)
{
    struct epoll_event e = {.events = (uint32_t)events, .data.ptr = w};
    return epoll_ctl(loop->epfd, op, w->fd, &e) < 0 ? -errno : 0;
}

int hail_loop_add(struct hail_loop *loop, struct hail_watch *w, int events)
{
    return control(loop, EPOLL_CTL_ADD, w, events);
}

int hail_loop_change(struct hail_loop *loop, struct hail_watch *w, int events)
{
    return control(loop, EPOLL_CTL_MOD, w, events);
}

void hail_loop_remove(struct hail_loop *loop, struct hail_watch *w)
{
    control(loop, EPOLL_CTL_DEL, w, 0);
    for (int i = loop->next; i < loop->batched; i++)
        if (loop->batch[i].data.ptr == w)
            loop->batch[i].data.ptr = NULL;
}

int hail_timer_set(struct hail_loop *loop, struct hail_timer *t, int64_t at_ns)
{
    return hail_timers_set(&loop->timers, t, at_ns);
}

void hail_timer_clear(struct hail_loop *loop, struct hail_timer *t)
{
    hail_timers_clear(&loop->timers, t);
}

void hail_loop_stop(struct hail_loop *loop)
{
    uint64_t one = 1;
    atomic_store(&loop->stopping, 1);
    ssize_t n = write(loop->wake.fd, &one, sizeof one);
    (void)n; /* a counter that is full wakes as well */
}

static void fire_due(struct hail_loop *loop)
{
    struct hail_timer *t;
    while (!atomic_load(&loop->stopping) &&
           (t = hail_timers_due(&loop->timers, loop->now_ns)) != NULL)
        t->fire(loop, t);
}

static int run(struct hail_loop *loop)
{
    while (!atomic_load(&loop->stopping)) {
        struct hail_deadline by = {hail_timers_next(&loop->timers)};
        int n = epoll_wait(loop->epfd, loop->batch, BATCH, hail_deadline_ms(by));
        if (n < 0 && errno != EINTR)
            return -errno;
        loop->now_ns = hail_now();
        loop->batched = n > 0 ? n : 0;
        for (loop->next = 0; loop->next < loop->batched && !atomic_load(&loop->stopping);) {
            const struct epoll_event *e = &loop->batch[loop->next++];
            struct hail_watch *w = e->data.ptr;
            if (w)
                w->ready(loop, w, (int)e->events);
        }
        loop->batched = 0;
        fire_due(loop);
    }
    atomic_store(&loop->stopping, 0);
    return 0;
}

int hail_loop_run(struct hail_loop *loop)
{
    struct hail_quiet quiet;
    hail_quiet_begin(&quiet);
    int rc = run(loop);
    hail_quiet_end(&quiet, true);
    return rc;
}

static void on_signals(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct signalfd_siginfo info;
    (void)events;
    while (read(w->fd, &info, sizeof info) == (ssize_t)sizeof info)
        loop->on_signal(loop, (int)info.ssi_signo, loop->signal_arg);
}

int hail_loop_signal(struct hail_loop *loop, int sig,
                     void (*on)(struct hail_loop *loop, int sig, void *arg), void *arg)
{
    sigset_t one;
    sigemptyset(&one);
    if (sigaddset(&loop->blocked, sig) < 0 || sigaddset(&one, sig) < 0)
        return -errno;
    int rc = pthread_sigmask(SIG_BLOCK, &one, NULL);
    if (rc)
        return -rc;
    int fd = signalfd(loop->signals.fd, &loop->blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    loop->on_signal = on;
    loop->signal_arg = arg;
    if (loop->signals.fd >= 0)
        return 0;
    loop->signals = (struct hail_watch){fd, on_signals};
    return hail_loop_add(loop, &loop->signals, POLLIN);
}
