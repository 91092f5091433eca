/* trace.c - emitting events; the sinks are trace_text.c, trace_jsonl.c,
 * trace_pcapng.c and trace_html.c; trace_file.c picks one by a file's ending. */
#include "net/trace.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* One event at a time, so that a sink need not know of threads; the time is taken inside, so that
 * its events are in order. */
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;

void hail_trace_tell(struct hail_trace *trace, struct hail_event event)
{
    pthread_mutex_lock(&telling);
    event.at_ns = hail_now();
    trace->event(trace, &event);
    pthread_mutex_unlock(&telling);
}

void hail_trace_emit(struct hail_ctx *ctx, struct hail_event event)
{
    hail_trace_tell(ctx->trace, event);
}

uint32_t hail_trace_new_span(struct hail_ctx *ctx)
{
    return __atomic_add_fetch(&ctx->trace->spans, 1, __ATOMIC_RELAXED);
}

uint32_t hail_trace_begin(struct hail_ctx *ctx, enum hail_layer layer, const char *op,
                          const struct hail_endpoint *peer, const char *text)
{
    if (!hail_tracing(ctx))
        return 0;
    uint32_t span = hail_trace_new_span(ctx);
    hail_trace_emit(ctx, (struct hail_event){.span = span,
                                             .parent = ctx->span,
                                             .kind = HAIL_EVENT_START,
                                             .layer = layer,
                                             .op = op,
                                             .text = text,
                                             .peer = peer});
    ctx->span = span;
    return span;
}

void hail_trace_note(struct hail_ctx *ctx, enum hail_layer layer, const char *op, const char *fmt,
                     ...)
{
    if (!hail_tracing(ctx))
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hail_trace_emit(
        ctx,
        (struct hail_event){
            .span = ctx->span, .kind = HAIL_EVENT_NOTE, .layer = layer, .op = op, .text = text});
}

void hail_trace_end(struct hail_ctx *ctx, uint32_t span, uint32_t parent, enum hail_layer layer,
                    const char *op, int rc, const char *text)
{
    ctx->span = parent;
    if (!hail_tracing(ctx) || !span)
        return;
    hail_trace_emit(ctx, (struct hail_event){.span = span,
                                             .parent = parent,
                                             .kind = HAIL_EVENT_DONE,
                                             .layer = layer,
                                             .op = op,
                                             .text = rc < 0 ? ctx->err.msg : text,
                                             .errnum = rc < 0 ? -rc : 0});
}

void hail_trace_label(const struct hail_event *e, char *out, size_t size)
{
    struct hail_buf b;
    hail_buf_init(&b, 1024);
    hail_buf_str(&b, e->op ? e->op : "?");
    const struct hail_endpoint *ends[2] = {e->local, e->peer};
    for (int i = 0; i < 2; i++) {
        if (!ends[i])
            continue;
        char text[HAIL_ENDPOINT_MAX];
        hail_endpoint_format(ends[i], text, sizeof text);
        hail_buf_printf(&b, "%s%s", i == 1 && e->local ? " -> " : " ", text);
    }
    if (e->text && *e->text)
        hail_buf_printf(&b, " %s", e->text);
    hail_text_safe_into(out, size, b.p ? b.p : "", b.len);
    hail_buf_free(&b);
}

int64_t hail_trace_wall(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - hail_now();
}

void hail_trace_flush(int fd, struct hail_buf *b, int *failed)
{
    size_t at = 0;
    if (b->failed && !*failed)
        *failed = b->failed;
    while (at < b->len && !*failed) {
        ssize_t n = write(fd, b->p + at, b->len - at);
        if (n < 0 && errno != EINTR)
            *failed = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    hail_buf_clear(b);
}

int hail_trace_close(struct hail_trace *trace)
{
    return trace && trace->close ? trace->close(trace) : 0;
}
