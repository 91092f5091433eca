/* work.c - tasks in a few threads beside a loop; loop/work.h. */
#include "loop/work.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hail_work {
    struct hail_loop *loop;
    struct hail_watch wake; /* an eventfd: something is finished */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct hail_task *waiting, **last, *finished;
    pthread_t threads[HAIL_WORK_THREADS];
    int max, n, idle, nwaiting;
    bool ends;
};

static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* a counter that is full wakes as well */
}

static struct hail_task *take(struct hail_work *w)
{
    struct hail_task *task = w->waiting;
    w->waiting = task->next;
    w->nwaiting--;
    if (!w->waiting)
        w->last = &w->waiting;
    return task;
}

static void *work(void *arg)
{
    struct hail_work *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->waiting && !w->ends) {
            w->idle++;
            pthread_cond_wait(&w->more, &w->lock);
            w->idle--;
        }
        if (!w->waiting)
            break;
        struct hail_task *task = take(w);
        pthread_mutex_unlock(&w->lock);
        task->run(task);
        pthread_mutex_lock(&w->lock);
        task->next = w->finished;
        w->finished = task;
        ring(w->wake.fd);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void tell_finished(struct hail_work *w)
{
    pthread_mutex_lock(&w->lock);
    struct hail_task *task = w->finished;
    w->finished = NULL;
    pthread_mutex_unlock(&w->lock);
    while (task) {
        struct hail_task *next = task->next;
        task->done(task);
        task = next;
    }
}

static void on_finished(struct hail_loop *loop, struct hail_watch *watch, int events)
{
    uint64_t n;
    (void)loop;
    (void)events;
    while (read(watch->fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
    tell_finished((struct hail_work *)((char *)watch - offsetof(struct hail_work, wake)));
}

int hail_work_new(struct hail_ctx *ctx, struct hail_loop *loop, int threads, struct hail_work **out)
{
    struct hail_work *w = calloc(1, sizeof *w);
    int rc = -ENOMEM;
    if (w) {
        *w = (struct hail_work){.loop = loop, .max = threads};
        w->last = &w->waiting;
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->more, NULL);
        w->wake = (struct hail_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_finished};
        rc = w->wake.fd < 0 ? -errno : hail_loop_add(loop, &w->wake, POLLIN);
    }
    if (rc < 0) {
        hail_work_free(w);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "open", "open threads beside the loop: %s",
                         hail_errno_text(-rc));
    }
    *out = w;
    return 0;
}

int hail_work_add(struct hail_work *w, struct hail_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&w->lock);
    *w->last = task;
    w->last = &task->next;
    w->nwaiting++;
    if (w->idle < w->nwaiting && w->n < w->max &&
        pthread_create(&w->threads[w->n], NULL, work, w) == 0)
        w->n++;
    bool taken = w->n > 0;
    if (taken)
        pthread_cond_signal(&w->more);
    else
        take(w); /* nobody would ever do it */
    pthread_mutex_unlock(&w->lock);
    return taken ? 0 : -EAGAIN;
}

void hail_work_free(struct hail_work *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n; i++)
        pthread_join(w->threads[i], NULL);
    tell_finished(w);
    if (w->wake.fd >= 0) {
        hail_loop_remove(w->loop, &w->wake);
        close(w->wake.fd);
    }
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
