/* openmetrics.c - the writer of metrics: openmetrics.h. */
#include "openmetrics.h"

#include <hail/hail.h>

#include "base/text.h"
#include "proto/accept.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_TYPE "application/openmetrics-text"

static const char *type_name(const struct openmetrics *m, enum openmetrics_type type)
{
    static const char *const names[] = {[OPENMETRICS_GAUGE] = "gauge",
                                        [OPENMETRICS_COUNTER] = "counter",
                                        [OPENMETRICS_INFO] = "info",
                                        [OPENMETRICS_HISTOGRAM] = "histogram"};
    return type == OPENMETRICS_INFO && !m->open ? "gauge" : names[type];
}

/* What is put to the family's name for its samples. */
static const char *ending(enum openmetrics_type type)
{
    return type == OPENMETRICS_COUNTER ? "_total" : type == OPENMETRICS_INFO ? "_info" : "";
}

/* Text between quotes, or with `quotes` false of a HELP line: a reader takes a NUL for the end. */
static void put_text(struct openmetrics *m, const char *p, bool quotes)
{
    size_t n = strlen(p);
    while (n > 0) {
        uint32_t cp;
        size_t len = hail_utf8_next(p, n, &cp);
        if (len == 0)
            hail_buf_str(m->out, "\xEF\xBF\xBD");
        else if (*p == '\n')
            hail_buf_str(m->out, "\\n");
        else if (*p == '\\' || (*p == '"' && quotes))
            hail_buf_printf(m->out, "\\%c", *p);
        else
            hail_buf_add(m->out, p, len);
        p += len ? len : 1;
        n -= len ? len : 1;
    }
}

static void put_label(struct openmetrics *m, char before, const char *name, const char *value)
{
    hail_buf_printf(m->out, "%c%s=\"", before, name);
    put_text(m, value, true);
    hail_buf_char(m->out, '"');
}

/* The sample up to its value; `le` NULL: no label of that name. */
static void put_name(struct openmetrics *m, const char *end, const struct openmetrics_label *labels,
                     const char *le)
{
    char before = '{';
    hail_buf_printf(m->out, "%s%s%s", m->prefix, m->name, end);
    for (; labels && labels->name; labels++, before = ',')
        put_label(m, before, labels->name, labels->value);
    if (le) {
        put_label(m, before, "le", le);
        before = ',';
    }
    hail_buf_str(m->out, before == ',' ? "} " : " ");
}

void openmetrics_begin(struct openmetrics *m, struct hail_buf *out, bool open, const char *prefix)
{
    *m = (struct openmetrics){.out = out, .open = open, .prefix = prefix};
}

void openmetrics_family(struct openmetrics *m, const char *name, enum openmetrics_type type,
                        const char *help)
{
    const char *end = m->open ? "" : ending(type);
    m->name = name;
    m->type = type;
    hail_buf_printf(m->out, "# HELP %s%s%s ", m->prefix, name, end);
    put_text(m, help, m->open);
    hail_buf_printf(m->out, "\n# TYPE %s%s%s %s\n", m->prefix, name, end, type_name(m, type));
}

/* The shortest of the texts that read back as the same number. */
static void put_number(struct openmetrics *m, double value)
{
    char text[40];
    if (isnan(value) || isinf(value)) {
        hail_buf_str(m->out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    hail_buf_str(m->out, text);
}

void openmetrics_put(struct openmetrics *m, const struct openmetrics_label *labels, double value)
{
    put_name(m, ending(m->type), labels, NULL);
    put_number(m, value);
    hail_buf_char(m->out, '\n');
}

void openmetrics_put_count(struct openmetrics *m, const struct openmetrics_label *labels,
                           uint64_t value)
{
    put_name(m, ending(m->type), labels, NULL);
    hail_buf_printf(m->out, "%" PRIu64 "\n", value);
}

void openmetrics_put_bucket(struct openmetrics *m, const struct openmetrics_label *labels,
                            const char *le, uint64_t count)
{
    put_name(m, "_bucket", labels, le);
    hail_buf_printf(m->out, "%" PRIu64 "\n", count);
}

void openmetrics_put_sum_ns(struct openmetrics *m, const struct openmetrics_label *labels,
                            uint64_t ns, uint64_t count)
{
    put_name(m, "_sum", labels, NULL);
    hail_buf_printf(m->out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
    put_name(m, "_count", labels, NULL);
    hail_buf_printf(m->out, "%" PRIu64 "\n", count);
}

void openmetrics_counter(struct openmetrics *m, const char *name, const char *help, uint64_t value)
{
    openmetrics_family(m, name, OPENMETRICS_COUNTER, help);
    openmetrics_put_count(m, NULL, value);
}

void openmetrics_gauge(struct openmetrics *m, const char *name, const char *help, uint64_t value)
{
    openmetrics_family(m, name, OPENMETRICS_GAUGE, help);
    openmetrics_put_count(m, NULL, value);
}

void openmetrics_build(struct openmetrics *m)
{
    const struct openmetrics_label labels[] = {{"version", hail_version()}, {0}};
    openmetrics_family(m, "build", OPENMETRICS_INFO, "The version of hail.");
    openmetrics_put_count(m, labels, 1);
}

void openmetrics_end(struct openmetrics *m)
{
    if (m->open)
        hail_buf_str(m->out, "# EOF\n");
}

bool openmetrics_accepted(const struct hail_http_fields *fields)
{
    return hail_accept_type(fields, OPEN_TYPE) > hail_accept_type(fields, "text/plain");
}

const char *openmetrics_content_type(bool open)
{
    return open ? OPEN_TYPE "; version=1.0.0; charset=utf-8"
                : "text/plain; version=0.0.4; charset=utf-8";
}
