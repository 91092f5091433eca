/* metrics.c - what the workers count, as OpenMetrics 1.0 or in Prometheus' older text format 0.0.4,
 * by what the client accepts. Each worker has its own counts (counts.h); they are summed here.
 */
#include "serve.h"

#include "proto/accept.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define METRICS_MAX ((size_t)65536)
#define OPEN_TYPE   "application/openmetrics-text"

/* The upper bounds of durations, as they are written, and in nanoseconds. */
static const struct {
    const char *text;
    int64_t ns;
} bounds[SERVE_DURATIONS] = {
    {"0.00005", 50000},  {"0.0001", 100000},  {"0.00025", 250000}, {"0.0005", 500000},
    {"0.001", 1000000},  {"0.0025", 2500000}, {"0.005", 5000000},  {"0.01", 10000000},
    {"0.025", 25000000}, {"0.05", 50000000},  {"0.1", 100000000},  {"0.25", 250000000},
    {"0.5", 500000000},  {"1.0", 1000000000}, {"2.5", 2500000000}, {"10.0", 10000000000},
};

int serve_duration(int64_t ns)
{
    int i = 0;
    while (i < SERVE_DURATIONS && ns > bounds[i].ns)
        i++;
    return i;
}

/* The sum over the workers of the count at `offset` in struct serve_worker. */
static uint64_t sum(const struct serve *s, size_t offset)
{
    uint64_t n = 0;
    for (int i = 0; i < s->nworkers; i++) {
        const char *w = (const char *)&s->workers[i];
        n += serve_count_now((const serve_count *)(const void *)(w + offset));
    }
    return n;
}

#define COUNT(member) offsetof(struct serve_worker, counts.member)

struct page {
    const struct serve *s;
    struct hail_buf *out;
    bool open; /* OpenMetrics: the names of counters' families lack their "_total" */
};

static void family(struct page *p, const char *name, const char *type, const char *help)
{
    const char *end = !p->open && strcmp(type, "counter") == 0 ? "_total" : "";
    const char *kind = !p->open && strcmp(type, "info") == 0 ? "gauge" : type;
    if (!p->open && strcmp(type, "info") == 0)
        end = "_info";
    hail_buf_printf(p->out, "# HELP hail_serve_%s%s %s\n# TYPE hail_serve_%s%s %s\n", name, end,
                    help, name, end, kind);
}

static void counter(struct page *p, const char *name, const char *help, size_t offset)
{
    family(p, name, "counter", help);
    hail_buf_printf(p->out, "hail_serve_%s_total %" PRIu64 "\n", name, sum(p->s, offset));
}

static void gauge(struct page *p, const char *name, const char *help, uint64_t value)
{
    family(p, name, "gauge", help);
    hail_buf_printf(p->out, "hail_serve_%s %" PRIu64 "\n", name, value);
}

static void put_requests(struct page *p)
{
    family(p, "requests", "counter", "Requests that were answered, by the status of the response.");
    for (size_t i = 0; i < SERVE_STATUS_MAX; i++) {
        uint64_t n = sum(p->s, COUNT(requests) + i * sizeof(serve_count));
        if (n)
            hail_buf_printf(p->out, "hail_serve_requests_total{code=\"%zu\"} %" PRIu64 "\n", i, n);
    }
}

static void put_durations(struct page *p)
{
    static const char name[] = "hail_serve_request_duration_seconds";
    uint64_t n = 0, ns = sum(p->s, COUNT(nanoseconds));
    family(p, "request_duration_seconds", "histogram",
           "From the whole head of a request to the last byte of its response.");
    for (size_t i = 0; i <= SERVE_DURATIONS; i++) {
        n += sum(p->s, COUNT(durations) + i * sizeof(serve_count));
        hail_buf_printf(p->out, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
                        i < SERVE_DURATIONS ? bounds[i].text : "+Inf", n);
    }
    hail_buf_printf(p->out, "%s_sum %" PRIu64 ".%09" PRIu64 "\n%s_count %" PRIu64 "\n", name,
                    ns / 1000000000, ns % 1000000000, name, n);
}

static void put_connections(struct page *p)
{
    static const char *const states[SERVE_WAITS] = {
        [SERVE_WAIT_HEAD] = "head", [SERVE_WAIT_CONTENT] = "content", [SERVE_WAIT_IDLE] = "idle",
        [SERVE_WAIT_SEND] = "send", [SERVE_WAIT_LINGER] = "linger",   [SERVE_WAIT_TASK] = "task"};
    family(p, "connections", "gauge", "Open connections, by what each waits for.");
    for (size_t i = 0; i < SERVE_WAITS; i++) {
        size_t at = offsetof(struct serve_worker, queues) + i * sizeof(struct serve_queue) +
                    offsetof(struct serve_queue, n);
        hail_buf_printf(p->out, "hail_serve_connections{state=\"%s\"} %" PRIu64 "\n", states[i],
                        sum(p->s, at));
    }
    counter(p, "connections_accepted", "Connections that clients opened.", COUNT(accepted));
    family(p, "connections_refused", "counter", "Connections that were one too many.");
    hail_buf_printf(p->out,
                    "hail_serve_connections_refused_total{reason=\"all\"} %" PRIu64 "\n"
                    "hail_serve_connections_refused_total{reason=\"address\"} %" PRIu64 "\n",
                    sum(p->s, COUNT(full)), sum(p->s, COUNT(enough)));
    counter(p, "connections_timed_out", "Connections that were too slow, or idle for too long.",
            COUNT(timed_out));
}

static void put_all(struct page *p)
{
    put_requests(p);
    put_durations(p);
    counter(p, "sent_bytes", "Bytes of content that were sent.", COUNT(bytes));
    counter(p, "cut_short", "Responses that were not sent to their end.", COUNT(cut_short));
    put_connections(p);
    counter(p, "cache_hits", "Files that were in the cache.", COUNT(hits));
    counter(p, "cache_misses", "Files that were not.", COUNT(misses));
    gauge(p, "cache_files", "Files in the cache.", sum(p->s, COUNT(cached_files)));
    gauge(p, "cache_bytes", "Memory that their content takes.", sum(p->s, COUNT(cached_bytes)));
    gauge(p, "threads", "Event loops.", (uint64_t)p->s->nworkers);
    gauge(p, "start_time_seconds", "When the server began, since 1970.", (uint64_t)p->s->began);
    family(p, "build", "info", "The version of hail.");
    hail_buf_printf(p->out, "hail_serve_build_info{version=\"%s\"} 1\n", hail_version());
    if (p->open)
        hail_buf_str(p->out, "# EOF\n");
}

void serve_respond_metrics(struct serve_conn *k)
{
    const struct hail_http_head *h = &k->b->head;
    struct hail_buf b;
    char path[SERVE_PATH];
    ssize_t n = hail_answer_path(h, path, sizeof path);
    if (n < 0 || strcmp(path, "metrics") != 0) {
        serve_put_status(k, &(struct hail_answer){.status = n < 0 ? (int)-n : 404});
        return;
    }
    struct page p = {.s = k->worker->serve,
                     .out = &b,
                     .open = hail_accept_type(&h->fields, OPEN_TYPE) >
                             hail_accept_type(&h->fields, "text/plain")};
    hail_buf_init(&b, METRICS_MAX);
    put_all(&p);
    struct serve_blob *text = b.failed ? NULL : serve_blob_new(b.p, b.len);
    if (b.failed)
        hail_buf_free(&b);
    serve_put_text(k,
                   &(struct hail_answer){.type = p.open
                                                     ? OPEN_TYPE "; version=1.0.0; charset=utf-8"
                                                     : "text/plain; version=0.0.4; charset=utf-8",
                                         .cache_control = "no-store"},
                   text);
}
