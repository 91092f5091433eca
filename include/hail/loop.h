/* loop.h - the event loop for servers: epoll(7), timers, signals, one loop a thread.
 *
 * Watches and timers are embedded in the caller's structures; the loop owns nothing of them and
 * allocates only to let its tables grow. Any of them may be added, changed or removed inside a
 * callback, also the one that is being called.
 */
#ifndef HAIL_LOOP_H
#define HAIL_LOOP_H

#include <hail/ctx.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_loop;

/* A descriptor to wait for; `events` are POLLIN and POLLOUT of poll(2). */
struct hail_watch {
    int fd;
    void (*ready)(struct hail_loop *loop, struct hail_watch *w,
                  int events); /* POLLERR, POLLHUP too */
};

/* A point in time; set `fire`, leave the rest to the loop (all zero at first). */
struct hail_timer {
    void (*fire)(struct hail_loop *loop, struct hail_timer *t);
    int64_t at_ns; /* CLOCK_MONOTONIC */
    size_t place;  /* in the loop's heap, counted from 1; 0: not set */
};

/* For callbacks: the structure of type `type` whose member `member` is at `p`. */
#define HAIL_OUTER(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

HAIL_API int hail_loop_new(struct hail_ctx *ctx, struct hail_loop **out);
HAIL_API void hail_loop_free(struct hail_loop *loop); /* accepts NULL */

/* Runs callbacks until hail_loop_stop(). 0, or -errno when waiting itself failed. */
HAIL_API int hail_loop_run(struct hail_loop *loop);

/* Ends hail_loop_run(); may be called from another thread and from a signal handler. */
HAIL_API void hail_loop_stop(struct hail_loop *loop);

/* The time when the present callbacks were called, CLOCK_MONOTONIC in ns; no system call. */
HAIL_API int64_t hail_loop_now(const struct hail_loop *loop);

/* Adds, changes, removes. 0 or -errno (epoll_ctl(2)). Removing must come before the close of the
 * descriptor. */
HAIL_API int hail_loop_add(struct hail_loop *loop, struct hail_watch *w, int events);
HAIL_API int hail_loop_change(struct hail_loop *loop, struct hail_watch *w, int events);
HAIL_API void hail_loop_remove(struct hail_loop *loop, struct hail_watch *w);

/* Sets or moves a timer; 0 or -ENOMEM. Clearing one that is not set is allowed. */
HAIL_API int hail_timer_set(struct hail_loop *loop, struct hail_timer *t, int64_t at_ns);
HAIL_API void hail_timer_clear(struct hail_loop *loop, struct hail_timer *t);

/* Calls `on` in the loop for every arrival of `sig`, which is blocked in the calling thread from
 * now on (signalfd(2)): call it before other threads are made. At most one callback a loop. */
HAIL_API int hail_loop_signal(struct hail_loop *loop, int sig,
                              void (*on)(struct hail_loop *loop, int sig, void *arg), void *arg);

/* Runs `run(arg, i)` in `n` threads, i from 0, and waits for all to return. 0, or the -errno of the
 * thread that could not be made (those made before still run to their end). */
HAIL_API int hail_loop_threads(int n, void (*run)(void *arg, int i), void *arg);

#ifdef __cplusplus
}
#endif
#endif
