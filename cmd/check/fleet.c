/* fleet.c - many targets, checked again and again, their results served as metrics; fleet.h. */
#include "fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- generations --- */

static void release(struct generation *g)
{
    free(g->v);
    check_targets_free(&g->all);
    check_targets_free(&g->files);
    free(g);
}

void fleet_use(struct generation *g)
{
    g->uses++;
}

void fleet_drop(struct generation *g)
{
    if (--g->uses || !g->replaced)
        return;
    struct generation **at = &g->fleet->old;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    release(g);
}

static void on_done(struct check_run *run)
{
    struct member *w = run->arg;
    struct generation *g = w->g;
    w->result = run->result;
    w->last = time(NULL);
    w->runs++;
    w->failures += run->result.verdict > CHECK_WARN;
    w->running = false;
    fleet_drop(g);
}

/* From turn to turn by the clock, not by the end of the check: each keeps its place in time. */
static void on_due(struct hail_loop *loop, struct hail_timer *t)
{
    struct member *w = (struct member *)((char *)t - offsetof(struct member, due));
    int64_t every = w->target->set->every_ms * INT64_C(1000000), now = hail_now();
    int64_t next = t->at_ns + every;
    if (next <= now) /* the machine slept */
        next = now + every;
    hail_timer_set(loop, t, next);
    if (w->running) /* the last one takes longer than its turn */
        return;
    w->running = true;
    fleet_use(w->g);
    if (check_begin(w->g->fleet->k, w->target, NULL, on_done, w) == 0)
        return;
    w->running = false;
    fleet_drop(w->g);
}

static void stop(struct generation *g)
{
    for (size_t i = 0; i < g->n && g->v; i++)
        hail_timer_clear(g->fleet->k->loop, &g->v[i].due);
}

static void replace(struct generation *g)
{
    stop(g);
    g->replaced = true;
    if (g->uses == 0) {
        release(g);
        return;
    }
    g->next = g->fleet->old;
    g->fleet->old = g;
}

/* --- reading --- */

static int by_text(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    return strcmp((*x)->target->text, (*y)->target->text);
}

static bool same_module(const struct check_target *a, const struct check_target *b)
{
    const char *x = a->set->module, *y = b->set->module;
    return x == y || (x && y && strcmp(x, y) == 0);
}

/* What tells two targets apart in metrics. */
static int by_labels(const struct check_target *x, const struct check_target *y)
{
    const char *a[] = {x->text, x->set->module, x->set->name};
    const char *b[] = {y->text, y->set->module, y->set->name};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
        int order = strcmp(a[i] ? a[i] : "", b[i] ? b[i] : "");
        if (order)
            return order;
    }
    return 0;
}

static int by_labels_and_place(const void *a, const void *b)
{
    const struct check_target *const *x = a, *const *y = b;
    int order = by_labels(*x, *y);
    return order ? order : *x < *y ? -1 : 1;
}

/* A target that is listed twice would be a series twice, which no format allows: the first counts.
 */
static int drop_doubles(struct check_targets *all)
{
    struct check_target **sorted = calloc(all->n ? all->n : 1, sizeof *sorted);
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < all->n; i++)
        sorted[i] = &all->v[i];
    qsort(sorted, all->n, sizeof *sorted, by_labels_and_place);
    const struct check_target *first = all->n ? sorted[0] : NULL;
    size_t doubles = 0;
    for (size_t i = 1; i < all->n; i++) {
        if (by_labels(first, sorted[i]) != 0) {
            first = sorted[i];
            continue;
        }
        sorted[i]->where = NULL; /* it goes */
        doubles++;
    }
    free(sorted);
    size_t kept = 0;
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].where)
            all->v[kept++] = all->v[i];
    all->n = kept;
    if (doubles)
        fprintf(stderr, "hail: check: %zu targets are listed more than once\n", doubles);
    return 0;
}

/* What is known of a target stays over a new reading. */
static void inherit(struct generation *g, const struct generation *old)
{
    struct member **sorted = old->n ? calloc(old->n, sizeof *sorted) : NULL;
    if (!sorted)
        return;
    for (size_t i = 0; i < old->n; i++)
        sorted[i] = &old->v[i];
    qsort(sorted, old->n, sizeof *sorted, by_text);
    for (size_t i = 0; i < g->n; i++) {
        const struct member *key = &g->v[i];
        struct member **found = bsearch(&key, sorted, old->n, sizeof *sorted, by_text);
        if (!found || !same_module((*found)->target, key->target))
            continue;
        g->v[i].result = (*found)->result;
        g->v[i].last = (*found)->last;
        g->v[i].runs = (*found)->runs;
        g->v[i].failures = (*found)->failures;
    }
    free(sorted);
}

/* The first turns are spread over each target's interval. */
static int begin_members(struct generation *g)
{
    struct fleet *f = g->fleet;
    int64_t now = hail_now();
    g->n = g->all.n;
    g->v = calloc(g->n ? g->n : 1, sizeof *g->v);
    if (!g->v)
        return -ENOMEM;
    for (size_t i = 0; i < g->n; i++) {
        struct member *w = &g->v[i];
        *w = (struct member){.g = g, .target = &g->all.v[i], .due = {.fire = on_due}};
        int64_t every = w->target->set->every_ms * INT64_C(1000000);
        int rc = hail_timer_set(f->k->loop, &w->due,
                                now + (int64_t)((double)every * (double)i / (double)g->n));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A generation out of the files, or the status of the failure in *status. */
static struct generation *read_all(struct fleet *f, int *status)
{
    struct generation *g = calloc(1, sizeof *g);
    if (!g || check_targets_init(&g->files) < 0 || check_targets_init(&g->all) < 0) {
        *status = local_error("read", "the targets", ENOMEM);
    } else {
        g->fleet = f;
        *status = check_gather(f->k->c, &g->files, &g->all);
        if (*status == 0 && (drop_doubles(&g->all) < 0 || begin_members(g) < 0))
            *status = local_error("read", "the targets", ENOMEM);
    }
    if (*status == 0)
        return g;
    if (g) {
        g->fleet = f;
        stop(g);
        release(g);
    }
    return NULL;
}

static void on_reload(void *arg)
{
    struct fleet *f = arg;
    int status;
    struct generation *g = read_all(f, &status);
    f->reloaded = g && g->files.faults == 0;
    f->read_at = time(NULL);
    if (!g) {
        fprintf(stderr, "hail: check: the targets stay as they were\n");
        return;
    }
    inherit(g, f->now);
    replace(f->now);
    f->now = g;
    fprintf(stderr, "hail: check: %zu targets\n", g->n);
}

/* --- answering --- */

/* /metrics of a generation, which it keeps until it is over. */
struct answering {
    struct fleet_page page;
    struct generation *g;
};

static bool more(void *arg, struct hail_buf *out)
{
    struct answering *a = arg;
    if (fleet_page_more(&a->page, out))
        return true;
    fleet_put_rest(&a->page, a->g->fleet);
    return false;
}

static void end(void *arg)
{
    struct answering *a = arg;
    fleet_drop(a->g);
    free(a);
}

static void answer_metrics(struct fleet *f, struct exporter_request *q)
{
    struct answering *a = calloc(1, sizeof *a);
    if (!a) {
        exporter_refuse(q, 500, NULL);
        return;
    }
    a->g = f->now;
    fleet_use(a->g);
    fleet_page_begin(&a->page, NULL, q->open, a->g->v, a->g->n, true);
    exporter_stream(q, openmetrics_content_type(q->open), more, end, a);
}

static void on_request(void *arg, struct exporter_request *q)
{
    struct fleet *f = arg;
    if (strcmp(q->path, "/probe") == 0)
        fleet_probe(f, q);
    else if (strcmp(q->path, "/metrics") == 0)
        answer_metrics(f, q);
    else if (strcmp(q->path, "/-/healthy") == 0)
        exporter_refuse(q, 200, "well");
    else
        exporter_refuse(q, 404, NULL);
}

int check_metrics(struct check *k, const char *endpoint)
{
    struct fleet f = {.k = k, .reloaded = true, .read_at = time(NULL)};
    int status;
    f.now = read_all(&f, &status);
    if (!f.now)
        return status;
    f.reloaded = f.now->files.faults == 0;
    status = exporter_new(k->c, k->loop, endpoint, on_request, &f, &f.exporter);
    if (!status)
        status = exporter_run(k->c, k->loop, on_reload, &f);
    exporter_free(f.exporter);
    check_abandon(k);
    fleet_probe_end(&f);
    stop(f.now);
    release(f.now);
    while (f.old) { /* whose checks were abandoned */
        struct generation *g = f.old;
        f.old = g->next;
        release(g);
    }
    return status;
}
