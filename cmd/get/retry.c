/* retry.c - trying again: after what may pass, after a while, going on where it was.
 *
 *     what may pass    a time-out, a connection that broke, 408, 429, 500, 502, 503, 504
 *     after            Retry-After; else 1, 2, 4, ... seconds, less up to a quarter by chance
 *
 * A download that was cut off but can be resumed is gone on with at once, also without --retry, as
 * long as each attempt brings something.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define RESUMES_MAX 100  /* without --retry, one after another */
#define DELAY_MAX_S 600. /* seconds, of doubled delays */
#define AFTER_MAX_S 1e9  /* ... that a server may ask for: for ever, but still a number of ns */

static bool passing_status(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
           status == 504;
}

static bool passing_error(const struct get_session *s, const struct hail_error *err)
{
    switch (err->layer) {
    case HAIL_LAYER_NAME:
        return err->errnum == EAGAIN || err->errnum == ETIMEDOUT;
    case HAIL_LAYER_CONNECT:
        return err->errnum != ECONNREFUSED || s->asked->retry_refused;
    case HAIL_LAYER_STREAM:
        return true;
    default:
        return err->errnum == ETIMEDOUT || err->detail == HAIL_TRUNCATED;
    }
}

/* Seconds that the server asks for; negative: it says nothing. */
static double retry_after(const struct get_session *s)
{
    const struct hail_http_field *f = s->head_size ? get_field(s, "Retry-After") : NULL;
    int64_t at, now = (int64_t)time(NULL);
    if (!f || f->value.n == 0 || f->value.n > 64)
        return -1;
    double v = 0;
    size_t i = 0;
    for (; i < f->value.n && f->value.p[i] >= '0' && f->value.p[i] <= '9'; i++)
        v = v * 10 + (f->value.p[i] - '0');
    if (i < f->value.n) {
        if (hail_http_date_parse(f->value, now, &at) < 0)
            return -1;
        v = at > now ? (double)(at - now) : 0;
    }
    return v < AFTER_MAX_S ? v : AFTER_MAX_S;
}

static double delay(const struct get_session *s)
{
    double wanted = retry_after(s), own = s->asked->retry_delay;
    uint16_t chance = 0;
    if (own < 0) {
        unsigned doublings = s->job->retries < 20 ? s->job->retries : 20;
        own = (double)(1U << doublings);
        own = own > DELAY_MAX_S ? DELAY_MAX_S : own;
        if (getrandom(&chance, sizeof chance, 0) == sizeof chance)
            own *= 1 - (double)chance / 65536 / 4;
    }
    return wanted > own ? wanted : own;
}

/* Whether the time of the whole allows for it. */
static bool there_is_time(const struct get_session *s, double seconds)
{
    const struct get_job *j = s->job;
    double spent = (double)(hail_now() - j->start_ns) / 1e9;
    if (s->asked->retry_max > 0 && spent + seconds > s->asked->retry_max)
        return false;
    return !j->by.ns || hail_now() + (int64_t)(seconds * 1e9) <= j->by.ns;
}

/* Sleeps; false when the user ends it. */
static bool sleep_for(struct get_session *s, double seconds)
{
    s->c.ctx.by = hail_deadline_in((int64_t)(seconds * 1000));
    struct hail_error err = s->c.ctx.err;
    int rc = hail_wait(&s->c.ctx, s->c.ctx.cancel_fd, 0);
    s->c.ctx.err = err;
    if (rc == -ECANCELED)
        s->c.ctx.err.errnum = ECANCELED;
    return rc != -ECANCELED;
}

/* Cut off in the middle of something that can be gone on with, and not for nothing. */
static bool goes_on(const struct get_session *s, int rc)
{
    const struct hail_error *err = &s->c.ctx.err;
    return rc < 0 && s->hop->received > 0 && get_resumable(s) && err->errnum != ECANCELED &&
           (err->layer == HAIL_LAYER_STREAM || err->detail == HAIL_TRUNCATED) &&
           s->job->resumes < RESUMES_MAX;
}

static void prepare(struct get_session *s)
{
    struct get_job *j = s->job;
    struct get_resume *r = &j->resume;
    j->resumes += s->hop->received > 0;
    if (get_resumable(s))
        r->asked = true;
    else if (s->asked->resume == GET_RESUME_NO)
        get_resume_forget(r);
    else
        r->asked = r->have > 0;
}

bool get_retry(struct get_session *s, int rc)
{
    struct get_job *j = s->job;
    const struct get_asked *a = s->asked;
    struct hail_error *err = &s->c.ctx.err;
    bool transient = rc == 0 ? passing_status(s->head.status) : passing_error(s, err);
    if (a->retry_all && (rc < 0 ? err->layer != HAIL_LAYER_USAGE && err->layer != HAIL_LAYER_LOCAL
                                : get_refused(s)))
        transient = true;
    if ((rc < 0 && err->errnum == ECANCELED) || !get_upload_again(s))
        return false;
    if (j->by.ns && hail_now() >= j->by.ns)
        return false;
    bool going_on = goes_on(s, rc);
    int allowed = a->retry > 0 ? a->retry : 0;
    if (!going_on && (!transient || (int)j->retries >= allowed))
        return false;
    double wait = going_on && (j->resumes == 0 || s->hop->received > GET_BUFFER) ? 0 : delay(s);
    if (wait > 0 && !there_is_time(s, wait))
        return false;
    if (!a->silent && !s->c.json && (!going_on || a->verbose)) {
        get_progress_hide(s->shared->progress);
        if (rc < 0)
            fprintf(stderr, "hail: %s\n", err->msg);
        else
            fprintf(stderr, "hail: get %s: %d\n", j->text, s->head.status);
        if (going_on)
            fprintf(stderr, "  going on at byte %llu\n", (unsigned long long)j->resume.have);
        else
            fprintf(stderr, "  trying again in %.1f s, %d left\n", wait, allowed - (int)j->retries);
    }
    if (!going_on)
        j->retries++;
    if (wait > 0 && !sleep_for(s, wait))
        return false;
    prepare(s);
    /* what a pipe has cannot be taken back: then only a resumable download is tried again */
    if (j->sink.started && !j->resume.asked && get_sink_restart(s) < 0)
        return false;
    return true;
}
