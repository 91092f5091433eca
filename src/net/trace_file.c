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

static int open_sink(struct hail_ctx *ctx, const char *path, struct file_sink *f)
{
    f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (f->fd < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "trace", "open the trace file %s: %s", path,
                         hail_errno_text(errno));
    if (ends_with(path, ".jsonl"))
        return hail_trace_jsonl(ctx, f->fd, &f->to);
    return hail_trace_text(ctx, f->fd, false, 0, &f->to);
}

int hail_trace_file(struct hail_ctx *ctx, const char *path, struct hail_trace **out)
{
    if (!ends_with(path, ".jsonl") && !ends_with(path, ".txt") && !ends_with(path, ".log")) {
        hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "trace", "the trace file %s has no known ending",
                  path);
        hail_advise(ctx, "a trace is written as .jsonl, or as text in .txt or .log");
        return -EINVAL;
    }
    struct file_sink *f = calloc(1, sizeof *f);
    if (!f)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace file %s: %s", path,
                         hail_errno_text(ENOMEM));
    int rc = open_sink(ctx, path, f);
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
