/* fleet.h - the inside of `hail check --metrics`.
 *
 *      files --> generation: targets, each with its timer --> checks --> last results
 *      GET /metrics                the last results of all, with the labels target and module
 *      GET /probe?target=&module=  a check at once, its result without labels (Prometheus relabels)
 *
 *   fleet.c          the life: generations, reloading, the checks by time
 *   fleet_probe.c    /probe
 *   fleet_text.c     results as OpenMetrics
 *
 * SIGHUP reads the files anew; a generation that is replaced lives until its last check is over.
 */
#ifndef HAIL_CHECK_FLEET_H
#define HAIL_CHECK_FLEET_H

#include "check.h"

#include "../exporter.h"
#include "../openmetrics.h"

#include <time.h>

struct fleet;
struct generation;
struct probe;

/* A target that is checked again and again. */
struct member {
    struct generation *g;
    const struct check_target *target;
    struct hail_timer due;
    struct check_result result; /* the last one's, once runs > 0 */
    int64_t last;               /* when it was over, seconds since 1970 */
    uint64_t runs, failures;
    bool running;
};

struct generation {
    struct fleet *fleet;
    struct generation *next;         /* an older one, which still has uses */
    struct check_targets files, all; /* what was read; the list of all targets */
    struct member *v;
    size_t n;
    size_t uses; /* checks that run, of members and of /probe */
    bool replaced;
};

struct fleet {
    struct check *k;
    struct exporter *exporter;
    struct generation *now, *old; /* old: replaced, and still used */
    struct probe *probes;         /* those that are under way */
    bool reloaded;                /* the last reading was without fault */
    int64_t read_at;
};

/* fleet.c */
void fleet_use(struct generation *g);
void fleet_drop(struct generation *g);

/* fleet_probe.c */
void fleet_probe(struct fleet *f, struct exporter_request *q);
/* Forgets those under way, whose checks were abandoned. */
void fleet_probe_end(struct fleet *f);

/* fleet_text.c: the results of `n` members, piece by piece; with what tells targets apart as
 * labels, or without. */
struct fleet_page {
    struct openmetrics m;
    const struct member *v;
    size_t n;
    bool labelled;
    /* where it is */
    size_t family, member;
    bool begun;
};
void fleet_page_begin(struct fleet_page *p, struct hail_buf *out, bool open, const struct member *v,
                      size_t n, bool labelled);
/* Appends a piece; false: that was the last one of the results. */
bool fleet_page_more(struct fleet_page *p, struct hail_buf *out);
/* What is said of the fleet itself, and the end of the document. */
void fleet_put_rest(struct fleet_page *p, const struct fleet *f);

#endif
