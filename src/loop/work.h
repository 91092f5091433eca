/* work.h - tasks in a few threads beside a loop: what blocks or takes long.
 *
 *      loop --add()--> waiting ==> a thread: run() ==> finished --eventfd--> loop: done()
 *
 * Threads are made as they are needed, up to a bound, and stay for the next task.
 */
#ifndef HAIL_LOOP_WORK_H
#define HAIL_LOOP_WORK_H

#include <hail/loop.h>

struct hail_work;

/* Embedded in the caller's structure, which is the threads' between hail_work_add() and done(). */
struct hail_task {
    void (*run)(struct hail_task *task);  /* in a thread */
    void (*done)(struct hail_task *task); /* in the loop's; it may free what holds the task */
    struct hail_task *next;
};

#define HAIL_WORK_THREADS 64

/* For one loop, with at most `threads` (up to HAIL_WORK_THREADS). */
int hail_work_new(struct hail_ctx *ctx, struct hail_loop *loop, int threads,
                  struct hail_work **out);

/* In the loop's thread. 0, or -EAGAIN when there is no thread and none can be made: then nothing is
 * called. */
int hail_work_add(struct hail_work *w, struct hail_task *task);

/* Waits until all tasks have run, and calls done() for each. Accepts NULL. */
void hail_work_free(struct hail_work *w);

#endif
