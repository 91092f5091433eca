/* progress.c - how far it is, on a terminal, once it takes more than a second.
 *
 *     debian.iso     43%  [#########>           ]  276.1 MiB of 640.0 MiB   48.2 MiB/s  0:07
 *
 * A line for each job that is under way. A thread of its own draws them, so that one that stalls is
 * seen to stall. What is true after a retry stays true: bytes of an earlier attempt count as there,
 * and not for the rate.
 */
#include "get.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINES    24 /* jobs that are shown at once */
#define FIRST_NS (int64_t)1000000000
#define EVERY_NS (int64_t)200000000
#define SAMPLES  16 /* of the rate: the last 3 seconds */

struct get_line {
    struct get_line *next;
    const char *name;
    int64_t begun_ns, moved_ns, total; /* total -1: not known */
    uint64_t had, now;                 /* of earlier attempts and runs; and of this one */
    int64_t sample_ns[SAMPLES];
    uint64_t sample[SAMPLES];
    unsigned nsamples;
};

struct get_progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, started;
    struct get_line *lines;
    size_t njobs, done;
    unsigned drawn; /* lines on the terminal */
};

/* --- drawing --- */

static double rate(const struct get_line *l)
{
    unsigned n = l->nsamples < SAMPLES ? l->nsamples : SAMPLES;
    if (n < 2)
        return 0;
    unsigned last = (l->nsamples - 1) % SAMPLES, first = (l->nsamples - n) % SAMPLES;
    double seconds = (double)(l->sample_ns[last] - l->sample_ns[first]) / 1e9;
    return seconds > 0 ? (double)(l->sample[last] - l->sample[first]) / seconds : 0;
}

static void put_time(struct hail_buf *out, double seconds)
{
    long s = seconds < 0 ? 0 : seconds > 359999 ? 359999 : (long)(seconds + 0.5);
    if (s >= 3600)
        hail_buf_printf(out, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        hail_buf_printf(out, "%ld:%02ld", s / 60, s % 60);
}

static void put_bar(struct hail_buf *out, double part, int width)
{
    int full = (int)(part * width);
    hail_buf_char(out, '[');
    for (int i = 0; i < width; i++)
        hail_buf_char(out, i < full ? '#' : i == full ? '>' : ' ');
    hail_buf_char(out, ']');
}

static void put_line(struct hail_buf *out, const struct get_line *l, int columns, int64_t now)
{
    char name[128];
    struct hail_buf right;
    hail_buf_init(&right, 256);
    uint64_t have = l->had + l->now;
    double r = rate(l), silent = (double)(now - l->moved_ns) / 1e9;
    put_size(&right, have);
    if (l->total > 0) {
        hail_buf_str(&right, " of ");
        put_size(&right, (uint64_t)l->total);
    }
    hail_buf_str(&right, "  ");
    if (silent > 3) {
        hail_buf_printf(&right, "stalled for %.0f s", silent);
    } else {
        put_size(&right, (uint64_t)r);
        hail_buf_str(&right, "/s  ");
        if (l->total > 0 && r > 0)
            put_time(&right, (double)((uint64_t)l->total - have) / r);
        else
            put_time(&right, (double)(now - l->begun_ns) / 1e9);
    }
    int room = columns - 1 - (int)right.len - 2, wide = room > 50 ? 24 : room > 24 ? 14 : room;
    hail_text_safe_into(
        name, wide > 0 ? (size_t)wide + 1 < sizeof name ? (size_t)wide + 1 : sizeof name : 1,
        l->name, strlen(l->name));
    size_t from = out->len;
    hail_buf_printf(out, "%-*s", wide > 0 ? wide : 0, name);
    int bar = room - wide - 9;
    if (l->total > 0 && bar >= 8) {
        double part = (double)have / (double)l->total;
        hail_buf_printf(out, " %3.0f%% ", part * 100);
        put_bar(out, part > 1 ? 1 : part, bar < 40 ? bar : 40);
    }
    int gap = columns - 1 - (int)(out->len - from) - (int)right.len;
    hail_buf_printf(out, "%*s%s\033[K\n", gap > 1 ? gap : 1, "", right.p ? right.p : "");
    hail_buf_free(&right);
}

static void erase(struct get_progress *p, struct hail_buf *out)
{
    if (p->drawn)
        hail_buf_printf(out, "\033[%uA\r\033[J", p->drawn);
    p->drawn = 0;
}

static void flush(struct hail_buf *out)
{
    if (!out->failed && out->len)
        (void)!write(STDERR_FILENO, out->p, out->len);
    hail_buf_free(out);
}

static void draw(struct get_progress *p)
{
    struct hail_buf out;
    struct winsize w = {0};
    int64_t now = hail_now();
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
    unsigned most = w.ws_row > 3 && w.ws_row - 2 < LINES ? w.ws_row - 2U : LINES;
    hail_buf_init(&out, 65536);
    erase(p, &out);
    size_t more = 0;
    for (struct get_line *l = p->lines; l; l = l->next) {
        l->sample_ns[l->nsamples % SAMPLES] = now;
        l->sample[l->nsamples++ % SAMPLES] = l->now;
        if (now - l->begun_ns < FIRST_NS)
            continue;
        if (p->drawn < most) {
            put_line(&out, l, columns, now);
            p->drawn++;
        } else {
            more++;
        }
    }
    if (p->drawn && p->njobs > 1) {
        hail_buf_printf(&out, "%zu of %zu done", p->done, p->njobs);
        if (more)
            hail_buf_printf(&out, ", %zu more under way", more);
        hail_buf_str(&out, "\033[K\n");
        p->drawn++;
    }
    flush(&out);
}

static void *work(void *arg)
{
    struct get_progress *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        int64_t ns = at.tv_nsec + EVERY_NS;
        at.tv_sec += ns / 1000000000;
        at.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&p->wake, &p->lock, &at);
        if (!p->stop)
            draw(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* --- what the others tell --- */

/* Only where somebody looks, and nothing else is written to the same terminal. */
struct get_progress *get_progress_new(const struct get_asked *a, size_t njobs)
{
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO) || a->silent || a->no_progress || a->dry_run || a->verbose ||
        !term || strcmp(term, "dumb") == 0 ||
        (isatty(STDOUT_FILENO) && !a->outputs.n && !a->remote_all))
        return NULL;
    struct get_progress *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, &attr);
    pthread_condattr_destroy(&attr);
    p->njobs = njobs;
    return p;
}

void get_progress_free(struct get_progress *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    if (p->started)
        pthread_join(p->thread, NULL);
    struct hail_buf out;
    hail_buf_init(&out, 256);
    erase(p, &out);
    flush(&out);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void get_progress_begin(struct get_session *s)
{
    struct get_progress *p = s->shared->progress;
    struct get_line *l = p ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return;
    const struct get_job *j = s->job;
    const char *slash = strrchr(j->text, '/');
    l->name = j->output && *j->output && strcmp(j->output, "-") != 0 ? j->output
              : slash && slash[1]                                    ? slash + 1
                                                                     : j->text;
    l->begun_ns = l->moved_ns = hail_now();
    l->total = -1;
    pthread_mutex_lock(&p->lock);
    struct get_line **at = &p->lines;
    while (*at)
        at = &(*at)->next;
    *at = l;
    if (!p->started)
        p->started = pthread_create(&p->thread, NULL, work, p) == 0;
    pthread_mutex_unlock(&p->lock);
    s->job->line = l;
}

void get_progress_add(struct get_session *s, uint64_t bytes)
{
    struct get_line *l = s->job->line;
    if (!l || bytes == 0)
        return;
    struct get_progress *p = s->shared->progress;
    pthread_mutex_lock(&p->lock);
    l->now += bytes;
    l->moved_ns = hail_now();
    pthread_mutex_unlock(&p->lock);
}

/* A response begins: `total` bytes of content, in front of which there are `have`. */
void get_progress_total(struct get_session *s, int64_t total, uint64_t have)
{
    struct get_line *l = s->job->line;
    if (!l)
        return;
    struct get_progress *p = s->shared->progress;
    pthread_mutex_lock(&p->lock);
    l->had = have;
    l->now = 0;
    l->nsamples = 0;
    l->total = total < 0 ? -1 : total + (int64_t)have;
    pthread_mutex_unlock(&p->lock);
}

void get_progress_end(struct get_session *s)
{
    struct get_line *l = s->job->line;
    struct get_progress *p = s->shared->progress;
    if (!l)
        return;
    pthread_mutex_lock(&p->lock);
    for (struct get_line **at = &p->lines; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            break;
        }
    p->done++;
    pthread_mutex_unlock(&p->lock);
    free(l);
    s->job->line = NULL;
}

void get_progress_hide(struct get_progress *p)
{
    if (!p)
        return;
    struct hail_buf out;
    hail_buf_init(&out, 256);
    pthread_mutex_lock(&p->lock);
    erase(p, &out);
    pthread_mutex_unlock(&p->lock);
    flush(&out);
}
