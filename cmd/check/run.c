/* run.c - starts checks, so many at once; check.h. */
#include "check.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PARALLEL_MAX 1000
#define SPARE        32 /* descriptors for all the rest */

/* --- TLS: one configuration for all targets that want the same --- */

struct check_tls_entry {
    struct hail_tls_opts opts;
    struct hail_tls_config *config;
    struct check_tls_entry *next;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Any certificate is taken by TLS itself, so that it can be shown; whether it is refused is decided
 * afterwards. */
static int configure(struct hail_check *c)
{
    struct check_run *run = c->arg;
    struct check *k = run->k;
    const struct check_target *t = run->target;
    const struct check_settings *s = t->set;
    struct hail_tls_opts opts = {.ca_file = s->ca_file,
                                 .cert_file = s->cert_file,
                                 .key_file = s->key_file,
                                 .alpn = s->alpn                                ? s->alpn
                                         : t->kind == HAIL_HELLO_HTTP && t->tls ? "http/1.1"
                                                                                : NULL,
                                 .insecure_certificate = true,
                                 .insecure_name = true};
    for (struct check_tls_entry *e = k->configs; e; e = e->next)
        if (same(e->opts.ca_file, opts.ca_file) && same(e->opts.cert_file, opts.cert_file) &&
            same(e->opts.key_file, opts.key_file) && same(e->opts.alpn, opts.alpn)) {
            c->tls_config = e->config;
            return 0;
        }
    struct check_tls_entry *e = calloc(1, sizeof *e);
    if (!e)
        return hail_fail(&c->ctx, HAIL_LAYER_LOCAL, ENOMEM, "tls", "TLS: out of memory");
    e->opts = opts;
    int rc = hail_tls_config_new(&c->ctx, false, &opts, &e->config);
    if (rc < 0) {
        free(e);
        return rc;
    }
    e->next = k->configs;
    k->configs = e;
    c->tls_config = e->config;
    return 0;
}

/* --- starting and ending --- */

static void enter(struct check_run *run)
{
    struct check *k = run->k;
    run->prev = NULL;
    run->next = k->active;
    if (k->active)
        k->active->prev = run;
    k->active = run;
    k->running++;
}

static void leave(struct check_run *run)
{
    struct check *k = run->k;
    if (run->prev)
        run->prev->next = run->next;
    else
        k->active = run->next;
    if (run->next)
        run->next->prev = run->prev;
    k->running--;
    hail_check_release(&run->check);
    free(run);
}

static void over(struct hail_check *c)
{
    struct check_run *run = c->arg;
    if (run->done) { /* else the target may have gone */
        check_result_of(run);
        run->done(run);
    }
    leave(run);
}

static void on_done(struct hail_check *c);

/* "host", or "host:port" where the port is not the scheme's: RFC 9110 section 7.2. */
static void set_authority(struct check_run *run)
{
    const struct check_target *t = run->target;
    struct hail_endpoint at = run->one_of ? check_endpoint(t) : run->check.to;
    at.transport = HAIL_TRANSPORT_ANY;
    at.zone[0] = '\0';
    at.has_port = at.port != (t->tls ? 443 : 80);
    if (at.kind == HAIL_HOST_UNIX || at.kind == HAIL_HOST_ABSTRACT || at.kind == HAIL_HOST_ANY)
        snprintf(run->authority, sizeof run->authority, "localhost");
    else
        hail_endpoint_format(&at, run->authority, sizeof run->authority);
}

static void ask(struct check_run *run)
{
    const struct check_target *t = run->target;
    const struct check_settings *s = t->set;
    struct hail_check *c = &run->check;
    if (t->kind == HAIL_HELLO_HTTP)
        set_authority(run);
    c->kind = t->kind;
    c->tls = t->tls;
    c->trust_any = s->insecure;
    c->at_once = run->k->at_once;
    c->ask = (struct hail_hello_opts){.host = run->authority,
                                      .starttls = s->starttls,
                                      .script = s->script,
                                      .method = s->method,
                                      .target = t->path,
                                      .fields = s->fields,
                                      .body = s->body,
                                      .not_body = s->not_body,
                                      .status = s->status,
                                      .nstatus = s->nstatus,
                                      .query = s->query,
                                      .query_type = s->query_type};
    c->name = s->servername ? s->servername : t->host;
    c->timeout_ms = s->timeout_ms;
    c->greeting_ms = s->greeting_ms;
    c->dial = s->family == AF_INET ? &run->k->dial4 : s->family == AF_INET6 ? &run->k->dial6 : NULL;
    c->configure = configure;
    c->done = on_done;
    c->arg = run;
}

static void start(struct check_run *run)
{
    enter(run);
    ask(run);
    hail_check_start(run->k->checker, &run->check);
}

/* As many as there is room for. Checks that are over at once make room here, in this loop. */
static void fill(struct check *k)
{
    k->filling = true;
    while (k->waiting && k->running < k->parallel) {
        struct check_run *run = k->waiting;
        k->waiting = run->next;
        if (!k->waiting)
            k->last = &k->waiting;
        start(run);
    }
    k->filling = false;
}

static void on_done(struct hail_check *c)
{
    struct check *k = ((struct check_run *)c->arg)->k;
    over(c);
    if (!k->filling)
        fill(k);
}

int check_begin(struct check *k, const struct check_target *target, const struct hail_endpoint *at,
                void (*done)(struct check_run *run), void *arg)
{
    struct check_run *run = calloc(1, sizeof *run);
    if (!run)
        return -ENOMEM;
    run->k = k;
    run->target = target;
    run->done = done;
    run->arg = arg;
    run->check.to = at ? *at : check_endpoint(target);
    run->one_of = at != NULL;
    *k->last = run;
    k->last = &run->next;
    if (!k->filling)
        fill(k);
    return 0;
}

int check_parallel(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 128;
    if (limit.rlim_cur < limit.rlim_max && limit.rlim_cur < PARALLEL_MAX + SPARE) {
        rlim_t wanted = PARALLEL_MAX + SPARE;
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
            return 128;
    }
    if (limit.rlim_cur >= PARALLEL_MAX + SPARE)
        return PARALLEL_MAX;
    return limit.rlim_cur > SPARE + SPARE ? (int)limit.rlim_cur - SPARE : SPARE;
}

int check_open(struct check *k)
{
    k->last = &k->waiting;
    k->dial4.family = AF_INET;
    k->dial6.family = AF_INET6;
    int rc = hail_loop_new(&k->c->ctx, &k->loop);
    return rc < 0 ? rc : hail_checker_new(&k->c->ctx, k->loop, &k->checker);
}

static void on_cancel(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)w;
    (void)events;
    hail_loop_stop(loop);
}

int check_loop(struct check *k)
{
    struct hail_watch cancel = {.fd = k->c->ctx.cancel_fd, .ready = on_cancel};
    int rc = cancel.fd >= 0 ? hail_loop_add(k->loop, &cancel, POLLIN) : 0;
    rc = rc < 0 ? rc : hail_loop_run(k->loop);
    if (cancel.fd >= 0)
        hail_loop_remove(k->loop, &cancel);
    return rc;
}

void check_abandon(struct check *k)
{
    while (k->waiting) {
        struct check_run *run = k->waiting;
        k->waiting = run->next;
        free(run);
    }
    k->last = &k->waiting;
    for (struct check_run *run = k->active, *next; run; run = next) {
        next = run->next;
        run->done = NULL;
        if (hail_check_abort(&run->check))
            leave(run);
    }
}

void check_close(struct check *k)
{
    check_abandon(k);
    hail_checker_free(k->checker); /* and those whose name is being looked up */
    hail_loop_free(k->loop);
    while (k->configs) {
        struct check_tls_entry *e = k->configs;
        k->configs = e->next;
        hail_tls_config_free(e->config);
        free(e);
    }
    check_targets_free(&k->targets);
}
