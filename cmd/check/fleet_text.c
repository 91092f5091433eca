/* fleet_text.c - results as OpenMetrics, with blackbox_exporter's names where they mean the same;
 * fleet.h. */
#include "fleet.h"

#include <string.h>

#define LABELS (CHECK_LABELS + 4)

/* Whose results are written: a generation's, or one alone without labels. */
struct page {
    struct openmetrics m;
    const struct member *v;
    size_t n;
    bool labelled;
};

/* The member's labels, and one more. */
static void set_labels(const struct page *p, const struct member *w, const char *name,
                       const char *value, struct openmetrics_label out[LABELS])
{
    const struct check_settings *s = w->target->set;
    size_t n = 0;
    if (p->labelled) {
        out[n++] = (struct openmetrics_label){"target", w->target->text};
        out[n++] = (struct openmetrics_label){"module", s->module ? s->module : ""};
        if (s->name)
            out[n++] = (struct openmetrics_label){"name", s->name};
        for (size_t i = 0; i < s->nlabels; i++)
            out[n++] = (struct openmetrics_label){s->labels[i].name, s->labels[i].value};
    }
    if (name)
        out[n++] = (struct openmetrics_label){name, value};
    out[n] = (struct openmetrics_label){NULL, NULL};
}

static double seconds(int64_t ns)
{
    return ns > 0 ? (double)ns / 1e9 : 0;
}

/* --- one value of a result; false: it has none --- */

typedef bool value_fn(const struct member *w, double *value);

static bool success(const struct member *w, double *value)
{
    *value = w->result.verdict <= CHECK_WARN;
    return true;
}

static bool duration(const struct member *w, double *value)
{
    *value = seconds(w->result.total_ns);
    return true;
}

static bool lookup(const struct member *w, double *value)
{
    *value = seconds(w->result.phase_ns[CHECK_PHASE_NAME]);
    return true;
}

static bool ip_protocol(const struct member *w, double *value)
{
    *value = w->result.family;
    return true;
}

static bool has_expression(const struct check_target *t)
{
    return t->kind == HAIL_HELLO_HTTP || t->kind == HAIL_HELLO_SCRIPT;
}

static bool mismatch(const struct member *w, double *value)
{
    *value = w->result.mismatch;
    return has_expression(w->target);
}

static bool http_status(const struct member *w, double *value)
{
    *value = w->result.http_status;
    return w->target->kind == HAIL_HELLO_HTTP;
}

static bool http_version(const struct member *w, double *value)
{
    *value = w->result.http_status ? 1 + w->result.http_minor / 10.0 : 0;
    return w->target->kind == HAIL_HELLO_HTTP;
}

static bool http_ssl(const struct member *w, double *value)
{
    *value = w->result.tls != 0;
    return w->target->kind == HAIL_HELLO_HTTP;
}

static bool dns_succeeded(const struct member *w, double *value)
{
    *value = w->result.verdict <= CHECK_WARN;
    return w->target->kind == HAIL_HELLO_DNS;
}

static bool expiry(const struct member *w, double *value)
{
    *value = (double)w->result.not_after;
    return w->result.not_after != 0;
}

static bool verdict(const struct member *w, double *value)
{
    *value = w->result.verdict;
    return true;
}

static bool last_run(const struct member *w, double *value)
{
    *value = (double)w->last;
    return true;
}

static const struct {
    const char *name, *help;
    value_fn *value;
    bool own; /* of a fleet alone: /probe has no past */
} gauges[] = {
    {"probe_success", "Whether the last check was a success.", success, false},
    {"probe_duration_seconds", "How long the last check took.", duration, false},
    {"probe_dns_lookup_time_seconds", "How long the look-up of the name took.", lookup, false},
    {"probe_ip_protocol", "The version of IP that was used.", ip_protocol, false},
    {"probe_failed_due_to_regex", "Whether an expression failed the check.", mismatch, false},
    {"probe_http_status_code", "The status of the response; 0: none came.", http_status, false},
    {"probe_http_version", "The version of HTTP of the response.", http_version, false},
    {"probe_http_ssl", "Whether the response came over TLS.", http_ssl, false},
    {"probe_dns_query_succeeded", "Whether the name server answered.", dns_succeeded, false},
    {"probe_ssl_earliest_cert_expiry", "When the certificate ends, seconds since 1970.", expiry,
     false},
    {"hail_check_verdict",
     "0 ok, 1 warn, 2 no, 3 name, 4 connect, 5 timeout, 6 tls, 7 protocol, 8 local.", verdict,
     false},
    {"hail_check_last_run_timestamp_seconds", "When the last check was over, since 1970.", last_run,
     true},
};

static void put_gauges(struct page *p)
{
    struct openmetrics_label labels[LABELS];
    for (size_t g = 0; g < sizeof gauges / sizeof *gauges; g++) {
        bool begun = false;
        if (gauges[g].own && !p->labelled)
            continue;
        for (size_t i = 0; i < p->n; i++) {
            const struct member *w = &p->v[i];
            double value;
            if (!w->runs || !gauges[g].value(w, &value))
                continue;
            if (!begun)
                openmetrics_family(&p->m, gauges[g].name, OPENMETRICS_GAUGE, gauges[g].help);
            begun = true;
            set_labels(p, w, NULL, NULL, labels);
            openmetrics_put(&p->m, labels, value);
        }
    }
}

/* --- phases --- */

/* HTTP's and DNS' as blackbox_exporter cuts them. */
static void put_phases(struct page *p, enum hail_hello_kind kind, const char *name,
                       const char *help, const char *const *phases)
{
    struct openmetrics_label labels[LABELS];
    bool begun = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct member *w = &p->v[i];
        if (!w->runs || (kind != HAIL_HELLO_KINDS && w->target->kind != kind))
            continue;
        if (!begun)
            openmetrics_family(&p->m, name, OPENMETRICS_GAUGE, help);
        begun = true;
        for (int k = 0; k < CHECK_PHASES; k++) {
            if (!phases[k])
                continue;
            set_labels(p, w, "phase", phases[k], labels);
            openmetrics_put(&p->m, labels, seconds(w->result.phase_ns[k]));
        }
    }
}

static void put_tls(struct page *p)
{
    struct openmetrics_label labels[LABELS];
    bool begun = false;
    for (size_t i = 0; i < p->n; i++) {
        const struct member *w = &p->v[i];
        if (!w->runs || !w->result.tls)
            continue;
        if (!begun)
            openmetrics_family(&p->m, "probe_tls_version", OPENMETRICS_INFO, "The version of TLS.");
        begun = true;
        set_labels(p, w, "version", w->result.tls == 13 ? "TLS 1.3" : "TLS 1.2", labels);
        openmetrics_put_count(&p->m, labels, 1);
    }
}

static void put_results(struct page *p)
{
    static const char *const http[CHECK_PHASES] = {"resolve", "connect", "tls", "processing",
                                                   "transfer"};
    static const char *const dns[CHECK_PHASES] = {"resolve", "connect", NULL, "request", NULL};
    put_gauges(p);
    put_phases(p, HAIL_HELLO_HTTP, "probe_http_duration_seconds",
               "How long the check of HTTP took, by phase.", http);
    put_phases(p, HAIL_HELLO_DNS, "probe_dns_duration_seconds",
               "How long the check of DNS took, by phase.", dns);
    put_tls(p);
}

/* --- what has a past --- */

static void put_runs(struct page *p)
{
    struct openmetrics_label labels[LABELS];
    for (int failures = 0; failures < 2; failures++) {
        openmetrics_family(&p->m, failures ? "hail_check_failures" : "hail_check_runs",
                           OPENMETRICS_COUNTER,
                           failures ? "Checks that were no success." : "Checks that are over.");
        for (size_t i = 0; i < p->n; i++) {
            set_labels(p, &p->v[i], NULL, NULL, labels);
            openmetrics_put_count(&p->m, labels, failures ? p->v[i].failures : p->v[i].runs);
        }
    }
}

void fleet_put_all(struct hail_buf *out, bool open, const struct fleet *f)
{
    struct page p = {.v = f->now->v, .n = f->now->n, .labelled = true};
    openmetrics_begin(&p.m, out, open, "");
    put_results(&p);
    put_runs(&p);
    openmetrics_gauge(&p.m, "hail_check_targets", "Targets that are checked.", p.n);
    openmetrics_gauge(&p.m, "hail_check_config_reload_success",
                      "Whether the files were read without a fault.", f->reloaded);
    openmetrics_gauge(&p.m, "hail_check_config_reload_timestamp_seconds",
                      "When the files were read, since 1970.", (uint64_t)f->read_at);
    openmetrics_end(&p.m);
}

void fleet_put_one(struct hail_buf *out, bool open, const struct check_target *t,
                   const struct check_result *r)
{
    const struct member one = {.target = t, .result = *r, .runs = 1};
    struct page p = {.v = &one, .n = 1};
    openmetrics_begin(&p.m, out, open, "");
    put_results(&p);
    openmetrics_end(&p.m);
}
