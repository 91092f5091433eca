/* openmetrics.h - writes what is measured as OpenMetrics 1.0, or in Prometheus' older text format
 * 0.0.4 for those who ask for that: one writer for serve, netstat and check.
 *
 *      openmetrics_begin(&m, &buf, open, "hail_netstat_");
 *      openmetrics_family(&m, "sockets", OPENMETRICS_GAUGE, "Sockets by state.");
 *      openmetrics_put_count(&m, labels, n);              as often as there are series
 *      openmetrics_end(&m);
 *
 * The formats differ in the names of families (a counter lacks its "_total" in OpenMetrics), in
 * the type info, which the older one does not know, and in the end, "# EOF".
 */
#ifndef HAIL_CMD_OPENMETRICS_H
#define HAIL_CMD_OPENMETRICS_H

#include <hail/http.h>

#include "base/buf.h"

enum openmetrics_type {
    OPENMETRICS_GAUGE,
    OPENMETRICS_COUNTER,   /* only ever grows; samples get "_total" */
    OPENMETRICS_INFO,      /* facts as labels, with the value 1; samples get "_info" */
    OPENMETRICS_HISTOGRAM, /* openmetrics_put_bucket(), then openmetrics_put_sum() */
};

/* The value is NUL-ended and may hold any bytes: what is not UTF-8 becomes U+FFFD. */
struct openmetrics_label {
    const char *name, *value;
};

struct openmetrics {
    struct hail_buf *out;
    bool open;
    const char *prefix;
    /* of the family that was begun */
    const char *name;
    enum openmetrics_type type;
};

/* Begins a document, which is appended to `out`; its bound is the document's, and out->failed tells
 * at the end. `prefix` is put before every name ("" for none), and is kept, as are families' names.
 */
void openmetrics_begin(struct openmetrics *m, struct hail_buf *out, bool open, const char *prefix);
/* A family of series, whose samples follow. `name` without "_total" and "_info". */
void openmetrics_family(struct openmetrics *m, const char *name, enum openmetrics_type type,
                        const char *help);

/* A sample of the family that was begun. `labels` end with a name that is NULL; NULL: none. */
void openmetrics_put(struct openmetrics *m, const struct openmetrics_label *labels, double value);
void openmetrics_put_count(struct openmetrics *m, const struct openmetrics_label *labels,
                           uint64_t value);
/* Of a histogram: how many were at most `le`, a number as it is written ("0.5", "+Inf"); in order,
 * the last one "+Inf". Then the sum of all, and how many. */
void openmetrics_put_bucket(struct openmetrics *m, const struct openmetrics_label *labels,
                            const char *le, uint64_t count);
void openmetrics_put_sum_ns(struct openmetrics *m, const struct openmetrics_label *labels,
                            uint64_t ns, uint64_t count);

/* A family of one sample without labels. */
void openmetrics_counter(struct openmetrics *m, const char *name, const char *help, uint64_t value);
void openmetrics_gauge(struct openmetrics *m, const char *name, const char *help, uint64_t value);
/* hail's version, as the info "build". */
void openmetrics_build(struct openmetrics *m);

/* Ends the document. */
void openmetrics_end(struct openmetrics *m);

/* Whether OpenMetrics is what the client likes better, by its Accept field; the content type. */
bool openmetrics_accepted(const struct hail_http_fields *fields);
const char *openmetrics_content_type(bool open);

#endif
