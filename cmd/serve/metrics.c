/* metrics.c - what the workers count, for ../openmetrics.h. Each worker has its own counts
 * (counts.h); they are summed here.
 */
#include "serve.h"

#include "openmetrics.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define METRICS_MAX ((size_t)65536)

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
    struct openmetrics m;
};

static void counter(struct page *p, const char *name, const char *help, size_t offset)
{
    openmetrics_counter(&p->m, name, help, sum(p->s, offset));
}

static void put_requests(struct page *p)
{
    openmetrics_family(&p->m, "requests", OPENMETRICS_COUNTER,
                       "Requests that were answered, by the status of the response.");
    for (size_t i = 0; i < SERVE_STATUS_MAX; i++) {
        uint64_t n = sum(p->s, COUNT(requests) + i * sizeof(serve_count));
        char code[24];
        snprintf(code, sizeof code, "%zu", i);
        if (n)
            openmetrics_put_count(&p->m, (const struct openmetrics_label[]){{"code", code}, {0}},
                                  n);
    }
}

static void put_durations(struct page *p)
{
    uint64_t n = 0;
    openmetrics_family(&p->m, "request_duration_seconds", OPENMETRICS_HISTOGRAM,
                       "From the whole head of a request to the last byte of its response.");
    for (size_t i = 0; i <= SERVE_DURATIONS; i++) {
        n += sum(p->s, COUNT(durations) + i * sizeof(serve_count));
        openmetrics_put_bucket(&p->m, NULL, i < SERVE_DURATIONS ? bounds[i].text : "+Inf", n);
    }
    openmetrics_put_sum_ns(&p->m, NULL, sum(p->s, COUNT(nanoseconds)), n);
}

static void put_connections(struct page *p)
{
    static const char *const states[SERVE_WAITS] = {
        [SERVE_WAIT_HEAD] = "head", [SERVE_WAIT_CONTENT] = "content", [SERVE_WAIT_IDLE] = "idle",
        [SERVE_WAIT_SEND] = "send", [SERVE_WAIT_LINGER] = "linger",   [SERVE_WAIT_TASK] = "task"};
    openmetrics_family(&p->m, "connections", OPENMETRICS_GAUGE,
                       "Open connections, by what each waits for.");
    for (size_t i = 0; i < SERVE_WAITS; i++) {
        size_t at = offsetof(struct serve_worker, queues) + i * sizeof(struct serve_queue) +
                    offsetof(struct serve_queue, n);
        openmetrics_put_count(&p->m, (const struct openmetrics_label[]){{"state", states[i]}, {0}},
                              sum(p->s, at));
    }
    counter(p, "connections_accepted", "Connections that clients opened.", COUNT(accepted));
    openmetrics_family(&p->m, "connections_refused", OPENMETRICS_COUNTER,
                       "Connections that were one too many.");
    openmetrics_put_count(&p->m, (const struct openmetrics_label[]){{"reason", "all"}, {0}},
                          sum(p->s, COUNT(full)));
    openmetrics_put_count(&p->m, (const struct openmetrics_label[]){{"reason", "address"}, {0}},
                          sum(p->s, COUNT(enough)));
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
    openmetrics_gauge(&p->m, "cache_files", "Files in the cache.", sum(p->s, COUNT(cached_files)));
    openmetrics_gauge(&p->m, "cache_bytes", "Memory that their content takes.",
                      sum(p->s, COUNT(cached_bytes)));
    openmetrics_gauge(&p->m, "threads", "Event loops.", (uint64_t)p->s->nworkers);
    openmetrics_gauge(&p->m, "start_time_seconds", "When the server began, since 1970.",
                      (uint64_t)p->s->began);
    openmetrics_build(&p->m);
    openmetrics_end(&p->m);
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
    struct page p = {.s = k->worker->serve};
    hail_buf_init(&b, METRICS_MAX);
    openmetrics_begin(&p.m, &b, openmetrics_accepted(&h->fields), "hail_serve_");
    put_all(&p);
    struct serve_blob *text = b.failed ? NULL : serve_blob_new(b.p, b.len);
    if (b.failed)
        hail_buf_free(&b);
    serve_put_text(k,
                   &(struct hail_answer){.type = openmetrics_content_type(p.m.open),
                                         .cache_control = "no-store"},
                   text);
}
