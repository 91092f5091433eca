/* lines.c - what is said, line by line: CR LF at their ends (-C), a pause between them (-i);
 * session.h.
 *
 * With -i a line goes out, the source is held, and after the interval the next one follows.
 */
#include "nc/session.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX ((size_t)256 << 10) /* bytes read ahead of the line that is due */

struct nc_lines {
    bool crlf;
    bool after_cr; /* the last byte was a CR: its LF may come with the next read */
    long interval_s;
    bool pausing, ended;
    struct hail_buf waiting; /* what was read behind the line that went */
};

int nc_lines_new(struct nc *nc, struct nc_lines **out)
{
    *out = NULL;
    if (!nc->o.crlf && !nc->o.interval_s)
        return 0;
    struct nc_lines *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    l->crlf = nc->o.crlf;
    l->interval_s = nc->o.interval_s;
    hail_buf_init(&l->waiting, WAITING_MAX);
    *out = l;
    return 0;
}

void nc_lines_free(struct nc_lines *l)
{
    if (!l)
        return;
    hail_buf_free(&l->waiting);
    free(l);
}

int nc_crlf(struct hail_buf *out, const char *data, size_t n, bool *after_cr)
{
    while (n > 0) {
        const char *lf = memchr(data, '\n', n);
        size_t before = lf ? (size_t)(lf - data) : n;
        bool bare = lf && (before ? lf[-1] != '\r' : !*after_cr);
        hail_buf_add(out, data, before);
        hail_buf_str(out, !lf ? "" : bare ? "\r\n" : "\n");
        *after_cr = !lf && data[n - 1] == '\r';
        data += before + (lf ? 1 : 0);
        n -= before + (lf ? 1 : 0);
    }
    return out->failed;
}

/* Puts bytes with their line ends as asked for. */
static int put(struct nc_lines *l, struct hail_pump *p, const char *data, size_t n)
{
    struct hail_buf out;
    if (!l->crlf)
        return hail_pump_put(p, 0, data, n);
    hail_buf_init(&out, 2 * n + 1);
    int rc = nc_crlf(&out, data, n, &l->after_cr);
    if (rc == 0 && out.len)
        rc = hail_pump_put(p, 0, out.p, out.len);
    hail_buf_free(&out);
    return rc;
}

/* The first line of what waits, and then the pause. */
static int put_line(struct nc_lines *l, struct hail_pump *p)
{
    const char *lf = memchr(l->waiting.p, '\n', l->waiting.len);
    size_t n = lf ? (size_t)(lf - l->waiting.p) + 1 : l->waiting.len;
    int rc = put(l, p, l->waiting.p, n);
    hail_buf_consume(&l->waiting, n);
    if (!lf)
        return rc; /* its end is still to come */
    l->pausing = true;
    hail_pump_hold(p, 0, true);
    hail_pump_stop_at(p, hail_deadline_in(l->interval_s * 1000LL));
    return rc;
}

int nc_lines_put(struct nc_lines *l, struct hail_pump *p, const char *data, size_t n)
{
    if (!l->interval_s)
        return put(l, p, data, n);
    if (n == 0)
        return 0;
    int rc = hail_buf_add(&l->waiting, data, n);
    return rc < 0 ? rc : put_line(l, p);
}

bool nc_lines_go_on(struct nc_lines *l, struct hail_pump *p)
{
    if (!l->pausing)
        return false;
    hail_pump_stop_at(p, (struct hail_deadline){0});
    l->pausing = false;
    if (l->waiting.len)
        put_line(l, p);
    if (!l->pausing)
        hail_pump_hold(p, 0, false);
    return true;
}
