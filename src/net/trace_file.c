/* trace_file.c - the sink that a file's ending asks for, with the file it owns. */
#include "base/error.h"
#include "net/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Passes everything on to the sink that writes; closes the file after it. */
struct file_sink {
    struct hail_trace trace; /* first: the sink's handle */
    struct hail_trace *to;
    int fd;
};

static void on_event(struct hail_trace *self, const struct hail_event *e)
{
    struct file_sink *f = (struct file_sink *)self;
    f->to->event(f->to, e);
}

static int on_close(struct hail_trace *self)
{
    struct file_sink *f = (struct file_sink *)self;
    int rc = hail_trace_close(f->to);
    if (close(f->fd) < 0 && rc == 0)
        rc = -errno;
    free(f);
    return rc;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static int open_text(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    return hail_trace_text(ctx, fd, false, 0, out);
}

static const struct sink {
    const char *ending;
    int (*open)(struct hail_ctx *ctx, int fd, struct hail_trace **out);
} sinks[] = {
    {".jsonl", hail_trace_jsonl}, {".pcapng", hail_trace_pcapng},
    {".html", hail_trace_html},   {".txt", open_text},
    {".log", open_text},
};

static const struct sink *sink_of(const char *path)
{
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
        if (ends_with(path, sinks[i].ending))
            return &sinks[i];
    return NULL;
}

static int open_sink(struct hail_ctx *ctx, const char *path, const struct sink *sink,
                     struct file_sink *f)
{
    f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (f->fd < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "trace", "open the trace file %s: %s", path,
                         hail_errno_text(errno));
    return sink->open(ctx, f->fd, &f->to);
}

int hail_trace_file(struct hail_ctx *ctx, const char *path, struct hail_trace **out)
{
    const struct sink *sink = sink_of(path);
    if (!sink) {
        hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "trace", "the trace file %s has no known ending",
                  path);
        hail_advise(ctx,
                    "a trace is written as .jsonl, .pcapng or .html, or as text in .txt or .log");
        return -EINVAL;
    }
    struct file_sink *f = calloc(1, sizeof *f);
    if (!f)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace file %s: %s", path,
                         hail_errno_text(ENOMEM));
    int rc = open_sink(ctx, path, sink, f);
    if (rc < 0) {
        if (f->fd >= 0)
            close(f->fd);
        free(f);
        return rc;
    }
    f->trace.event = on_event;
    f->trace.close = on_close;
    *out = &f->trace;
    return 0;
}
