/* dialler.c - a few threads that dial for a loop; loop/dialler.h.
 *
 *      loop --dial()--> waiting ==> a thread: hail_dial() ==> finished --eventfd--> loop: done()
 *
 * Threads are made as they are needed, up to a bound, and stay for the next.
 */
#include "loop/dialler.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS_MAX 64

struct hail_dialler {
    struct hail_ctx *ctx;
    struct hail_loop *loop;
    struct hail_watch wake; /* an eventfd: something is finished */
    int cancel_fd;          /* an eventfd: dials under way give up */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct hail_dial_job *waiting, **last, *finished;
    pthread_t threads[THREADS_MAX];
    int nthreads, idle, nwaiting;
    bool ends;
};

static void dial(struct hail_dial_job *job)
{
    job->ctx.by = hail_deadline_in(job->timeout_ms);
    job->rc = hail_dial(&job->ctx, &job->to, job->opts, &job->stream);
}

static void ring(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* a counter that is full wakes as well */
}

static struct hail_dial_job *take(struct hail_dialler *d)
{
    struct hail_dial_job *job = d->waiting;
    d->waiting = job->next;
    d->nwaiting--;
    if (!d->waiting)
        d->last = &d->waiting;
    return job;
}

static void *work(void *arg)
{
    struct hail_dialler *d = arg;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->waiting && !d->ends) {
            d->idle++;
            pthread_cond_wait(&d->more, &d->lock);
            d->idle--;
        }
        if (!d->waiting)
            break;
        struct hail_dial_job *job = take(d);
        pthread_mutex_unlock(&d->lock);
        dial(job);
        pthread_mutex_lock(&d->lock);
        job->next = d->finished;
        d->finished = job;
        ring(d->wake.fd);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void tell_finished(struct hail_dialler *d)
{
    pthread_mutex_lock(&d->lock);
    struct hail_dial_job *job = d->finished;
    d->finished = NULL;
    pthread_mutex_unlock(&d->lock);
    while (job) {
        struct hail_dial_job *next = job->next;
        job->done(job);
        job = next;
    }
}

static void on_finished(struct hail_loop *loop, struct hail_watch *w, int events)
{
    uint64_t n;
    (void)loop;
    (void)events;
    while (read(w->fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
    tell_finished((struct hail_dialler *)((char *)w - offsetof(struct hail_dialler, wake)));
}

int hail_dialler_new(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_dialler **out)
{
    struct hail_dialler *d = calloc(1, sizeof *d);
    int rc = -ENOMEM;
    if (d) {
        *d = (struct hail_dialler){.ctx = ctx, .loop = loop};
        d->last = &d->waiting;
        pthread_mutex_init(&d->lock, NULL);
        pthread_cond_init(&d->more, NULL);
        d->wake = (struct hail_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_finished};
        d->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = d->wake.fd < 0 || d->cancel_fd < 0 ? -errno : hail_loop_add(loop, &d->wake, POLLIN);
    }
    if (rc < 0) {
        hail_dialler_free(d);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "open", "open a dialler: %s",
                         hail_errno_text(-rc));
    }
    *out = d;
    return 0;
}

void hail_dialler_dial(struct hail_dialler *d, struct hail_dial_job *job)
{
    job->ctx = (struct hail_ctx)HAIL_CTX_INIT;
    job->ctx.cancel_fd = d->cancel_fd;
    job->stream = NULL;
    job->next = NULL;
    if (d->ctx->trace) {
        job->ctx.trace = d->ctx->trace;
        job->ctx.span = d->ctx->span;
        dial(job);
        job->done(job);
        return;
    }
    pthread_mutex_lock(&d->lock);
    *d->last = job;
    d->last = &job->next;
    d->nwaiting++;
    bool made = d->idle >= d->nwaiting || d->nthreads == THREADS_MAX;
    if (!made && pthread_create(&d->threads[d->nthreads], NULL, work, d) == 0) {
        d->nthreads++;
        made = true;
    }
    if (!made && d->nthreads == 0)
        take(d); /* nobody would ever do it */
    else
        made = true;
    pthread_cond_signal(&d->more);
    pthread_mutex_unlock(&d->lock);
    if (made)
        return;
    job->rc =
        hail_fail(&job->ctx, HAIL_LAYER_LOCAL, EAGAIN, "connect", "connect: no thread can be made");
    job->done(job);
}

void hail_dialler_free(struct hail_dialler *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->ends = true;
    ring(d->cancel_fd);
    pthread_cond_broadcast(&d->more);
    pthread_mutex_unlock(&d->lock);
    for (int i = 0; i < d->nthreads; i++)
        pthread_join(d->threads[i], NULL);
    tell_finished(d);
    if (d->wake.fd >= 0) {
        hail_loop_remove(d->loop, &d->wake);
        close(d->wake.fd);
    }
    if (d->cancel_fd >= 0)
        close(d->cancel_fd);
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
