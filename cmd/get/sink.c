/* sink.c - where the body goes.
 *
 * A pipe or a file gets the bytes as they are, by one write(2) for each piece that was received. A
 * terminal gets what it cannot act on: control characters are shown (\e, \x07), CR LF is a new
 * line, and content with a NUL byte in its first piece is refused, as it is no text.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int failed(struct common *c, const struct get_sink *s, const char *op, int errnum)
{
    return hail_fail(&c->ctx, HAIL_LAYER_LOCAL, errnum, op, "%s %s: %s", op, s->name,
                     hail_errno_text(errnum));
}

int get_sink_open(struct common *c, const struct get_asked *asked, struct get_sink *s)
{
    *s = (struct get_sink){.fd = -1, .name = "standard output"};
    bool file = asked->output && strcmp(asked->output, "-") != 0;
    if (file) {
        s->name = asked->output;
        s->fd = open(asked->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        return s->fd < 0 ? failed(c, s, "open", errno) : 0;
    }
    if (c->json) /* the document has it to itself */
        return 0;
    s->fd = STDOUT_FILENO;
    s->terminal = c->terminal;
    return 0;
}

/* A write that was interrupted, or took less than all of it: was it by SIGINT? */
static int interrupted(struct common *c, const struct get_sink *s)
{
    struct pollfd p = {.fd = c->ctx.cancel_fd, .events = POLLIN};
    if (c->ctx.cancel_fd < 0 || poll(&p, 1, 0) <= 0)
        return 0;
    return failed(c, s, "write", ECANCELED);
}

/* What a failed write means; 0: try again. */
static int write_failed(struct common *c, const struct get_sink *s, int errnum)
{
    int rc = -errnum;
    if (errnum == EINTR)
        return interrupted(c, s);
    if (errnum == EAGAIN || errnum == EWOULDBLOCK) {
        rc = hail_wait(&c->ctx, s->fd, POLLOUT);
        if (rc >= 0)
            return 0;
    }
    return failed(c, s, "write", -rc);
}

static int write_all(struct common *c, const struct get_sink *s, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(s->fd, p, n);
        int rc = 0;
        if (wrote < 0)
            rc = write_failed(c, s, errno);
        else if ((size_t)wrote < n)
            rc = interrupted(c, s);
        if (rc < 0)
            return rc;
        p += wrote > 0 ? wrote : 0;
        n -= wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

/* How many bytes at the end of `p` begin a UTF-8 character that goes on behind them. */
static size_t begun(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++)
        if (hail_utf8_begins(p + n - back, back))
            return back;
    return 0;
}

/* Appends text in lines, without the CR of a CR LF. */
static void add_lines(struct hail_buf *b, const char *p, size_t n)
{
    while (n > 0) {
        const char *lf = memchr(p, '\n', n);
        size_t line = lf ? (size_t)(lf - p) : n;
        size_t shown = lf && line > 0 && p[line - 1] == '\r' ? line - 1 : line;
        hail_text_safe(b, p, shown, true);
        if (!lf)
            return;
        hail_buf_char(b, '\n');
        p += line + 1;
        n -= line + 1;
    }
}

static int show(struct common *c, struct get_sink *s, const char *p, size_t n)
{
    struct hail_buf raw, safe;
    hail_buf_init(&raw, GET_BUFFER + sizeof s->tail);
    hail_buf_init(&safe, 16 * GET_BUFFER);
    hail_buf_add(&raw, s->tail, s->ntail);
    hail_buf_add(&raw, p, n);
    s->ntail = 0;
    if (!raw.failed && n > 0) {
        size_t hold = begun(raw.p, raw.len);
        /* a CR waits for what follows it */
        hold = hold == 0 && raw.p[raw.len - 1] == '\r' ? 1 : hold;
        memcpy(s->tail, raw.p + raw.len - hold, hold);
        s->ntail = hold;
        raw.len -= hold;
    }
    if (!raw.failed && raw.len)
        add_lines(&safe, raw.p, raw.len);
    int rc = raw.failed ? raw.failed : safe.failed;
    rc = rc ? failed(c, s, "write", -rc) : write_all(c, s, safe.p, safe.len);
    hail_buf_free(&raw);
    hail_buf_free(&safe);
    return rc;
}

int get_sink_write(struct common *c, struct get_sink *s, const char *p, size_t n)
{
    if (s->fd < 0 || n == 0)
        return 0;
    if (s->terminal && !s->started && memchr(p, '\0', n)) {
        hail_fail(&c->ctx, HAIL_LAYER_LOCAL, EINVAL, "write",
                  "write standard output: the content is binary, and this is a terminal");
        hail_advise(&c->ctx, "-o FILE keeps it; into a pipe it goes byte for byte");
        return -EINVAL;
    }
    s->started = true;
    return s->terminal ? show(c, s, p, n) : write_all(c, s, p, n);
}

int get_sink_close(struct common *c, struct get_sink *s)
{
    int rc = 0, fd = s->fd;
    if (fd >= 0 && s->ntail)
        rc = show(c, s, "", 0);
    s->fd = -1;
    if (fd > STDERR_FILENO && close(fd) < 0 && rc == 0)
        rc = failed(c, s, "close", errno);
    return rc;
}
