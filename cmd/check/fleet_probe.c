/* fleet_probe.c - /probe?target=...&module=...: one check, now; fleet.h.
 *
 * Only what the files list or allow is checked: whoever reaches this endpoint must not be able to
 * have others probed.
 */
#include "fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   ((size_t)64 << 10)
#define SPARE_MS   500 /* of the scraper's patience, for the way back */
#define PATIENT_MS 1000

struct probe {
    struct fleet *f;
    struct probe *next, *prev;
    struct exporter_request *q; /* NULL: the client has gone */
    bool open;
    struct generation *g;
    struct check_targets own; /* for a target that is not listed */
    struct check_settings set;
    struct check_target target;
};

static void begin(struct fleet *f, struct probe *p)
{
    p->f = f;
    p->g = f->now;
    fleet_use(p->g);
    p->next = f->probes;
    if (f->probes)
        f->probes->prev = p;
    f->probes = p;
}

static void end(struct probe *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        p->f->probes = p->next;
    if (p->next)
        p->next->prev = p->prev;
    fleet_drop(p->g);
    check_targets_free(&p->own);
    free(p);
}

static void on_gone(struct exporter_request *q)
{
    ((struct probe *)q->arg)->q = NULL;
}

static void on_done(struct check_run *run)
{
    struct probe *p = run->arg;
    if (p->q) {
        const struct member one = {.target = &p->target, .result = run->result, .runs = 1};
        struct fleet_page page;
        struct hail_buf b;
        hail_buf_init(&b, TEXT_MAX);
        fleet_page_begin(&page, &b, p->open, &one, 1, false);
        fleet_page_more(&page, &b);
        openmetrics_end(&page.m);
        exporter_answer(p->q, 200, openmetrics_content_type(p->open), &b);
        hail_buf_free(&b);
    }
    end(p);
}

/* No longer than the scraper waits. */
static void hurry(struct check_settings *s, const struct exporter_request *q)
{
    int64_t ms = q->timeout_ms > SPARE_MS + PATIENT_MS ? q->timeout_ms - SPARE_MS : q->timeout_ms;
    if (ms > 0 && ms < s->timeout_ms)
        s->timeout_ms = ms;
}

/* Fills p->target. 0, or the status to refuse with, and why. */
static int choose(struct probe *p, const char *text, const char *name, const char **why)
{
    static char reason[CHECK_WHY]; /* until the answer is made, which is at once */
    const struct check_module *module = name ? check_find_module(&p->g->files, name) : NULL;
    const struct check_target *listed = NULL;
    size_t column;
    *why = reason;
    if (name && !module) {
        *why = "there is no such module";
        return 400;
    }
    if (!check_allowed(&p->g->all, text, name, &listed) &&
        !check_allowed(&p->g->files, text, name, NULL)) {
        *why = "the targets file does not allow this target";
        return 403;
    }
    if (listed) {
        p->target = *listed;
        p->set = *listed->set;
        p->target.set = &p->set;
        return 0;
    }
    p->set = module ? check_derive(module->set) : check_derive(check_base());
    p->set.module = name ? module->name : NULL;
    if (check_targets_init(&p->own) < 0 ||
        check_target_parse(&p->own, text, &p->set, &p->target, reason, &column) == -ENOMEM)
        return 500;
    if (!p->target.where)
        return 400;
    if (p->target.bare)
        *why = "the port, or a protocol that has one, is missing";
    return p->target.bare ? 400 : 0;
}

void fleet_probe(struct fleet *f, struct exporter_request *q)
{
    const char *text = exporter_param(q, "target"), *module = exporter_param(q, "module");
    const char *why;
    if (!text || !*text) {
        exporter_refuse(q, 400, "the parameter target is missing");
        return;
    }
    struct probe *p = calloc(1, sizeof *p);
    if (!p) {
        exporter_refuse(q, 500, NULL);
        return;
    }
    begin(f, p);
    p->open = q->open;
    int status = choose(p, text, module && *module ? module : NULL, &why);
    if (status) {
        exporter_refuse(q, status, why);
        end(p);
        return;
    }
    hurry(&p->set, q);
    p->q = q;
    q->gone = on_gone;
    q->arg = p;
    if (check_begin(f->k, &p->target, NULL, on_done, p) == 0)
        return;
    exporter_refuse(q, 500, NULL);
    end(p);
}

void fleet_probe_end(struct fleet *f)
{
    for (struct probe *p = f->probes, *next; p; p = next) {
        next = p->next;
        end(p);
    }
}
