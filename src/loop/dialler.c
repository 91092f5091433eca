/* dialler.c - dials as tasks beside a loop; loop/dialler.h. */
#include "loop/dialler.h"

#include "base/error.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hail_dialler {
    struct hail_ctx *ctx;
    struct hail_work *work;
    int cancel_fd; /* an eventfd: dials under way give up */
};

static struct hail_dial_job *job_of(struct hail_task *task)
{
    return (struct hail_dial_job *)((char *)task - offsetof(struct hail_dial_job, task));
}

static void dial(struct hail_task *task)
{
    struct hail_dial_job *job = job_of(task);
    job->ctx.by = hail_deadline_in(job->timeout_ms);
    job->rc = hail_dial(&job->ctx, &job->to, job->opts, &job->stream);
}

static void dialled(struct hail_task *task)
{
    struct hail_dial_job *job = job_of(task);
    job->done(job);
}

int hail_dialler_new(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_dialler **out)
{
    struct hail_dialler *d = calloc(1, sizeof *d);
    int rc = -ENOMEM;
    if (d) {
        d->ctx = ctx;
        d->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = d->cancel_fd < 0 ? -errno : hail_work_new(ctx, loop, HAIL_WORK_THREADS, &d->work);
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
    job->task = (struct hail_task){.run = dial, .done = dialled};
    if (d->ctx->trace) {
        job->ctx.trace = d->ctx->trace;
        job->ctx.span = d->ctx->span;
        dial(&job->task);
        job->done(job);
        return;
    }
    if (hail_work_add(d->work, &job->task) == 0)
        return;
    job->rc =
        hail_fail(&job->ctx, HAIL_LAYER_LOCAL, EAGAIN, "connect", "connect: no thread can be made");
    job->done(job);
}

void hail_dialler_free(struct hail_dialler *d)
{
    if (!d)
        return;
    if (d->cancel_fd >= 0) {
        uint64_t one = 1;
        ssize_t n = write(d->cancel_fd, &one, sizeof one);
        (void)n; /* a counter that is full cancels as well */
    }
    hail_work_free(d->work);
    if (d->cancel_fd >= 0)
        close(d->cancel_fd);
    free(d);
}
