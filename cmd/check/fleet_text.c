/* fleet_text.c - results as OpenMetrics, with blackbox_exporter's names where they mean the same;
 * fleet.h. */
#include "fleet.h"

#include <string.h>

#define LABELS (CHECK_LABELS + 4)

/* The member's labels, and one more. */
static void set_labels(const struct fleet_page *p, const struct member *w, const char *name,
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

#define GAUGES (sizeof gauges / sizeof *gauges)

/* The families, in their order: the gauges above, and then these. */
enum { HTTP_PHASES = GAUGES, DNS_PHASES, TLS_VERSION, RUNS, FAILURES, FAMILIES };

/* --- a family's samples of one member --- */

static void begin(struct fleet_page *p, const char *name, enum openmetrics_type type,
                  const char *help)
{
    if (!p->begun)
        openmetrics_family(&p->m, name, type, help);
    p->begun = true;
}

static void put_gauge(struct fleet_page *p, size_t g, const struct member *w)
{
    struct openmetrics_label labels[LABELS];
    double value;
    if ((gauges[g].own && !p->labelled) || !gauges[g].value(w, &value))
        return;
    begin(p, gauges[g].name, OPENMETRICS_GAUGE, gauges[g].help);
    set_labels(p, w, NULL, NULL, labels);
    openmetrics_put(&p->m, labels, value);
}

/* HTTP's and DNS' phases as blackbox_exporter cuts them. */
static void put_phases(struct fleet_page *p, const struct member *w)
{
    static const char *const http[CHECK_PHASES] = {"resolve", "connect", "tls", "processing",
                                                   "transfer"};
    static const char *const dns[CHECK_PHASES] = {"resolve", "connect", NULL, "request", NULL};
    bool is_http = p->family == HTTP_PHASES;
    const char *const *phases = is_http ? http : dns;
    struct openmetrics_label labels[LABELS];
    if (w->target->kind != (is_http ? HAIL_HELLO_HTTP : HAIL_HELLO_DNS))
        return;
    begin(p, is_http ? "probe_http_duration_seconds" : "probe_dns_duration_seconds",
          OPENMETRICS_GAUGE,
          is_http ? "How long the check of HTTP took, by phase."
                  : "How long the check of DNS took, by phase.");
    for (int i = 0; i < CHECK_PHASES; i++) {
        if (!phases[i])
            continue;
        set_labels(p, w, "phase", phases[i], labels);
        openmetrics_put(&p->m, labels, seconds(w->result.phase_ns[i]));
    }
}

static void put_tls(struct fleet_page *p, const struct member *w)
{
    struct openmetrics_label labels[LABELS];
    if (!w->result.tls)
        return;
    begin(p, "probe_tls_version", OPENMETRICS_INFO, "The version of TLS.");
    set_labels(p, w, "version", w->result.tls == 13 ? "TLS 1.3" : "TLS 1.2", labels);
    openmetrics_put_count(&p->m, labels, 1);
}

static void put_count(struct fleet_page *p, const struct member *w)
{
    struct openmetrics_label labels[LABELS];
    bool failures = p->family == FAILURES;
    if (!p->labelled) /* /probe has no past */
        return;
    begin(p, failures ? "hail_check_failures" : "hail_check_runs", OPENMETRICS_COUNTER,
          failures ? "Checks that were no success." : "Checks that are over.");
    set_labels(p, w, NULL, NULL, labels);
    openmetrics_put_count(&p->m, labels, failures ? w->failures : w->runs);
}

static void put_member(struct fleet_page *p, const struct member *w)
{
    if (p->family >= RUNS)
        put_count(p, w);
    else if (!w->runs)
        return;
    else if (p->family < GAUGES)
        put_gauge(p, p->family, w);
    else if (p->family == TLS_VERSION)
        put_tls(p, w);
    else
        put_phases(p, w);
}

/* --- the whole --- */

void fleet_page_begin(struct fleet_page *p, struct hail_buf *out, bool open, const struct member *v,
                      size_t n, bool labelled)
{
    *p = (struct fleet_page){.v = v, .n = n, .labelled = labelled};
    openmetrics_begin(&p->m, out, open, "");
}

bool fleet_page_more(struct fleet_page *p, struct hail_buf *out)
{
    p->m.out = out;
    for (; p->family < FAMILIES; p->family++, p->member = 0, p->begun = false)
        for (; p->member < p->n; p->member++) {
            if (out->len > EXPORTER_PIECE)
                return true;
            put_member(p, &p->v[p->member]);
        }
    return false;
}

void fleet_put_rest(struct fleet_page *p, const struct fleet *f)
{
    openmetrics_gauge(&p->m, "hail_check_targets", "Targets that are checked.", p->n);
    openmetrics_gauge(&p->m, "hail_check_config_reload_success",
                      "Whether the files were read without a fault.", f->reloaded);
    openmetrics_gauge(&p->m, "hail_check_config_reload_timestamp_seconds",
                      "When the files were read, since 1970.", (uint64_t)f->read_at);
    openmetrics_end(&p->m);
}
