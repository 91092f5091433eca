/* once.c - each target once, all beside each other, shown in the order in which they were given;
 * check.h. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX    ((size_t)1 << 20) /* of one result */
#define PROGRESS_NS INT64_C(1000000000)

/* One check: of a target, or of one of its addresses. */
struct slot {
    struct once *o;
    const struct check_target *target;
    struct hail_endpoint at; /* with `one_of` */
    bool one_of, first_of;
    bool done;
    struct check_result result;
    char what[CHECK_WHAT];
    char certificate[96]; /* the front of whom it names */
    struct hail_buf text;
};

struct once {
    struct check *k;
    struct slot *v;
    size_t n, cap, done, shown;
    bool verbose, quiet;
    int width, status;
    struct hail_timer progress;
    bool drawn; /* a line of progress stands on standard error */
};

/* --- progress, on a terminal --- */

static void erase(struct once *o)
{
    if (o->drawn)
        fputs("\r\033[K", stderr);
    o->drawn = false;
}

static void on_progress(struct hail_loop *loop, struct hail_timer *t)
{
    struct once *o = (struct once *)((char *)t - offsetof(struct once, progress));
    fprintf(stderr, "\r\033[K%zu of %zu checked", o->done, o->n);
    fflush(stderr);
    o->drawn = true;
    hail_timer_set(loop, t, hail_now() + PROGRESS_NS / 4);
}

/* --- showing --- */

/* Among the addresses of a name: which answers otherwise than the first. */
static void put_difference(struct once *o, const struct slot *s)
{
    const struct slot *first = s;
    while (!first->first_of)
        first--;
    const char *how = s->result.verdict != first->result.verdict        ? "does otherwise"
                      : strcmp(s->certificate, first->certificate) != 0 ? "has another certificate"
                      : strcmp(s->what, first->what) != 0               ? "says something else"
                                                                        : NULL;
    if (s != first && how && !o->k->c->json)
        printf("        %s %s than %s\n", s->at.host, how, first->at.host);
}

static void show(struct once *o)
{
    erase(o);
    for (; o->shown < o->n && o->v[o->shown].done; o->shown++) {
        struct slot *s = &o->v[o->shown];
        if (!o->quiet && s->text.p)
            fwrite(s->text.p, 1, s->text.len, stdout);
        if (s->text.failed)
            o->status = local_error("write", "a result", -s->text.failed);
        hail_buf_free(&s->text);
        if (s->one_of && !o->quiet)
            put_difference(o, s);
    }
    if (fflush(stdout) != 0) /* main tells */
        hail_loop_stop(o->k->loop);
}

static void on_done(struct check_run *run)
{
    struct slot *s = run->arg;
    struct once *o = s->o;
    struct hail_tls_info info;
    int status = check_verdict_status(run->result.verdict);
    o->status = status > o->status ? status : o->status;
    s->result = run->result;
    memcpy(s->what, run->what, sizeof s->what);
    s->done = true;
    if (check_tls_info(&run->check, &info))
        snprintf(s->certificate, sizeof s->certificate, "%lld %s", (long long)info.not_after,
                 info.names);
    if (o->k->c->json) {
        check_put_document(&s->text, run);
        hail_buf_char(&s->text, '\n');
    } else {
        check_put_line(o->k, &s->text, run, o->width);
        if (o->verbose)
            check_put_details(o->k, &s->text, run);
    }
    o->done++;
    show(o);
    if (o->done == o->n)
        hail_loop_stop(o->k->loop);
}

/* --- the list --- */

static struct slot *add(struct once *o, const struct check_target *t)
{
    if (o->n == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        struct slot *v = realloc(o->v, cap * sizeof *v);
        if (!v)
            return NULL;
        o->v = v;
        o->cap = cap;
    }
    struct slot *s = &o->v[o->n++];
    *s = (struct slot){.o = o, .target = t};
    hail_buf_init(&s->text, TEXT_MAX);
    return s;
}

/* A slot for each address of the name. A name that has none is one slot, which will say so. */
static int add_addresses(struct once *o, const struct check_target *t)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_resolve_opts how = {.family = t->set->family};
    struct hail_addrs addrs = {0};
    ctx.cancel_fd = o->k->c->ctx.cancel_fd;
    ctx.by = hail_deadline_in(t->set->timeout_ms);
    struct hail_endpoint to = check_endpoint(t);
    if (to.kind != HAIL_HOST_NAME || hail_resolve(&ctx, &to, &how, &addrs) < 0)
        return add(o, t) ? 0 : -ENOMEM;
    int rc = 0;
    for (size_t i = 0; i < addrs.n && rc == 0; i++) {
        struct slot *s = add(o, t);
        if (!s) {
            rc = -ENOMEM;
            break;
        }
        s->one_of = true;
        s->first_of = i == 0;
        s->at = hail_endpoint_of(&addrs.v[i].addr);
        s->at.transport = to.transport;
    }
    hail_addrs_free(&addrs);
    return rc;
}

static int run_all(struct once *o)
{
    struct check *k = o->k;
    o->progress.fire = on_progress;
    if (isatty(STDERR_FILENO) && !o->quiet)
        hail_timer_set(k->loop, &o->progress, hail_now() + PROGRESS_NS);
    int rc = 0;
    for (size_t i = 0; i < o->n && rc == 0; i++) {
        struct slot *s = &o->v[i];
        rc = check_begin(k, s->target, s->one_of ? &s->at : NULL, on_done, s);
    }
    if (rc == 0 && o->done < o->n)
        rc = check_loop(k);
    hail_timer_clear(k->loop, &o->progress);
    erase(o);
    return rc;
}

int check_once(struct check *k, bool verbose, bool quiet)
{
    struct once o = {.k = k, .verbose = verbose, .quiet = quiet, .width = check_target_width(k)};
    int rc = 0;
    for (size_t i = 0; i < k->targets.n && rc == 0; i++) {
        const struct check_target *t = &k->targets.v[i];
        rc = t->set->all_addresses ? add_addresses(&o, t) : add(&o, t) ? 0 : -ENOMEM;
    }
    rc = rc < 0 ? rc : run_all(&o);
    if (rc < 0)
        o.status = local_error("check", "the targets", -rc);
    if (rc == 0 && o.done < o.n)
        o.status = STATUS_LOCAL; /* cancelled, or nobody reads */
    check_abandon(k);
    for (size_t i = o.shown; i < o.n; i++)
        hail_buf_free(&o.v[i].text);
    free(o.v);
    return o.status;
}
