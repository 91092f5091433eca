/* trace_jsonl.c - the trace for programs: one JSON object an event, one write a line
 * (hail-trace(5)). */
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "net/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DATA_MAX                                                                                   \
    (1 << 20) /* bytes of one event that are written; "bytes" tells how many there were */

struct jsonl_sink {
    struct hail_trace trace; /* first: the sink's handle */
    int fd;
    int failed;       /* 0, or the -errno of the first write that failed */
    int64_t start_ns; /* of the first event; 0: none yet */
    int64_t wall_ns;  /* CLOCK_REALTIME less CLOCK_MONOTONIC */
    struct hail_buf out;
};

/* RFC 3339 in UTC with microseconds. */
static void put_time(struct hail_json *j, int64_t ns)
{
    time_t secs = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[40];
    gmtime_r(&secs, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    struct hail_buf b;
    hail_buf_init(&b, 64);
    hail_buf_printf(&b, "%.*s.%06dZ", (int)n, text, (int)(ns % 1000000000 / 1000));
    hail_json_strn(j, "time", b.p ? b.p : "", b.len);
    hail_buf_free(&b);
}

static void put_endpoint(struct hail_json *j, const char *key, const struct hail_endpoint *ep)
{
    char text[HAIL_ENDPOINT_MAX];
    if (!ep)
        return;
    hail_endpoint_format(ep, text, sizeof text);
    hail_json_str(j, key, text);
}

static void put_error(struct hail_json *j, const struct hail_event *e)
{
    const char *name = strerrorname_np(e->errnum);
    hail_json_object(j, "error");
    hail_json_str(j, "errno", name ? name : "unknown");
    hail_json_str(j, "text", e->text ? e->text : hail_errno_text(e->errnum));
    hail_json_end_object(j);
}

/* Which ends and resets of a stream the event tells of. */
static void put_end(struct hail_json *j, unsigned end)
{
    static const char *const names[] = {"fin-sent", "fin-received", "rst-sent", "rst-received"};
    hail_json_array(j, "end");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (end & 1u << i)
            hail_json_str(j, NULL, names[i]);
    hail_json_end_array(j);
}

static void on_event(struct hail_trace *self, const struct hail_event *e)
{
    static const char *const kinds[] = {"start", "note", "in", "out", "done"};
    struct jsonl_sink *s = (struct jsonl_sink *)self;
    if (!s->start_ns)
        s->start_ns = e->at_ns;
    struct hail_json j = {.out = &s->out};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.trace/1");
    put_time(&j, e->at_ns + s->wall_ns);
    hail_json_seconds(&j, "at", e->at_ns - s->start_ns);
    hail_json_int(&j, "span", e->span);
    if (e->parent)
        hail_json_int(&j, "parent", e->parent);
    hail_json_str(&j, "event", kinds[e->kind]);
    hail_json_str(&j, "layer", hail_layer_name(e->layer));
    hail_json_str(&j, "op", e->op);
    put_endpoint(&j, "local", e->local);
    put_endpoint(&j, "peer", e->peer);
    if (e->errnum)
        put_error(&j, e);
    else if (e->text)
        hail_json_str(&j, "text", e->text);
    if (e->end)
        put_end(&j, e->end);
    if (e->kind == HAIL_EVENT_IN || e->kind == HAIL_EVENT_OUT) {
        hail_json_int(&j, "bytes", (int64_t)e->len);
        if (e->data)
            hail_json_bytes(&j, "data", e->data, e->len < DATA_MAX ? e->len : DATA_MAX);
    }
    hail_json_end_object(&j);
    hail_buf_char(&s->out, '\n');
    hail_trace_flush(s->fd, &s->out, &s->failed);
}

static int on_close(struct hail_trace *self)
{
    struct jsonl_sink *s = (struct jsonl_sink *)self;
    int rc = s->failed;
    hail_buf_free(&s->out);
    free(s);
    return rc;
}

int hail_trace_jsonl(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    struct jsonl_sink *s = calloc(1, sizeof *s);
    if (!s)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace: %s",
                         hail_errno_text(ENOMEM));
    s->wall_ns = hail_trace_wall();
    s->trace.event = on_event;
    s->trace.close = on_close;
    s->fd = fd;
    hail_buf_init(&s->out, 8 * (size_t)DATA_MAX);
    *out = &s->trace;
    return 0;
}
