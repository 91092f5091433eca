/* http_parse.c - heads of requests and responses, from bytes to slices (RFC 9112 sections 2 to 5).
 *
 * The first line and the field lines are read one at a time by http_line.c's rules; http_head.c
 * says what they mean. Only hail_http_head.scan remembers anything between two calls.
 */
#include "proto/http_head.h"
#include "proto/http_line.h"
#include "proto/http_scan.h"

#include <errno.h>
#include <string.h>

void hail_http_head_init(struct hail_http_head *h, struct hail_http_field *v, size_t max,
                         const struct hail_http_limits *limits)
{
    memset(h, 0, sizeof *h);
    h->limits = hail_http_limits_of(limits);
    h->fields = (struct hail_http_fields){v, 0, max};
}

/* Forgets what an incomplete call read. */
static void restart(struct hail_http_head *h)
{
    struct hail_http_limits limits = h->limits;
    struct hail_http_fields fields = h->fields;
    hail_http_head_init(h, fields.v, fields.max, &limits);
}

/* "HTTP/1.x" at c->p. */
static enum hail_http_line version(struct hail_http_cursor *c, int *minor)
{
    static const char shape[] = "HTTP/0.0"; /* '0' for any digit */
    const char *p = c->p;
    bool usual = c->end - p >= 8 && memcmp(p, "HTTP/1.", 7) == 0 && p[7] >= '0' && p[7] <= '9';
    for (size_t i = 0; !usual && i < sizeof shape - 1; i++) {
        if (p + i == c->end)
            return HAIL_HTTP_LINE_PARTIAL;
        if (shape[i] == '0' ? (unsigned char)(p[i] - '0') > 9 : p[i] != shape[i])
            return hail_http_line_bad(c, p + i, HAIL_HTTP_BAD_VERSION);
    }
    if (p[5] != '1')
        return hail_http_line_bad(c, p, HAIL_HTTP_UNSUPPORTED_VERSION);
    *minor = p[7] - '0';
    c->p = p + 8;
    return HAIL_HTTP_LINE_FIELD;
}

/* method SP request-target SP HTTP-version CRLF, RFC 9112 section 3. */
static enum hail_http_line request_line(struct hail_http_cursor *c, struct hail_http_head *h)
{
    const char *method = c->p, *q = hail_scan_token(method, c->end);
    if (q == c->end)
        return HAIL_HTTP_LINE_PARTIAL;
    if (*q != ' ' || q == method)
        return hail_http_line_bad(c, q, HAIL_HTTP_BAD_METHOD);
    const char *target = q + 1, *stop = hail_scan_target(target, c->end);
    if (stop == c->end)
        return HAIL_HTTP_LINE_PARTIAL;
    if (*stop != ' ' || stop == target) {
        enum hail_http_error e = *stop == '\n'   ? HAIL_HTTP_BARE_LF
                                 : *stop == '\0' ? HAIL_HTTP_NUL
                                 : *stop == '\r' ? HAIL_HTTP_BAD_VERSION /* HTTP/0.9 has none */
                                                 : HAIL_HTTP_BAD_TARGET;
        return hail_http_line_bad(c, stop, e);
    }
    c->p = stop + 1;
    enum hail_http_line rc = version(c, &h->minor);
    if (rc != HAIL_HTTP_LINE_FIELD)
        return rc;
    rc = hail_http_line_end(c, HAIL_HTTP_BAD_VERSION);
    if (rc != HAIL_HTTP_LINE_FIELD)
        return rc;
    h->method_text = (struct hail_slice){method, (size_t)(q - method)};
    h->method = hail_http_method(h->method_text);
    h->target = (struct hail_slice){target, (size_t)(stop - target)};
    enum hail_http_error e = hail_head_target(h);
    return e ? hail_http_line_bad(c, target, e) : HAIL_HTTP_LINE_FIELD;
}

/* HTTP-version SP status-code [ SP reason-phrase ] CRLF, RFC 9112 section 4. */
static enum hail_http_line status_line(struct hail_http_cursor *c, struct hail_http_head *h)
{
    enum hail_http_line rc = version(c, &h->minor);
    if (rc != HAIL_HTTP_LINE_FIELD)
        return rc;
    const char *p = c->p;
    int status = 0;
    for (int i = 0; i < 4; i++) {
        if (p + i == c->end)
            return HAIL_HTTP_LINE_PARTIAL;
        if (i == 0 ? p[0] != ' ' : (unsigned char)(p[i] - '0') > 9 || (i == 1 && p[1] == '0'))
            return hail_http_line_bad(c, p + i, HAIL_HTTP_BAD_STATUS);
        status = i == 0 ? 0 : status * 10 + (p[i] - '0');
    }
    const char *reason = p + 4, *stop = reason;
    if (reason == c->end)
        return HAIL_HTTP_LINE_PARTIAL;
    if (*reason == ' ') {
        reason++;
        stop = hail_scan_value(reason, c->end);
    }
    c->p = stop;
    bool digits = stop == p + 4; /* nothing but CRLF may follow them then */
    rc = hail_http_line_end(c, digits ? HAIL_HTTP_BAD_STATUS : HAIL_HTTP_BAD_REASON);
    h->status = status;
    h->reason = (struct hail_slice){reason, (size_t)(stop - reason)};
    return rc;
}

static int refuse(struct hail_http_head *h, enum hail_http_error e, size_t at)
{
    h->error = e;
    h->error_at = at;
    return -EPROTO;
}

/* The first line, with the empty one that may stand before a request. */
static enum hail_http_line first_line(struct hail_http_cursor *c, struct hail_http_head *h,
                                      bool request)
{
    struct hail_http_scan *s = &h->scan;
    if (request && !(s->flags & HAIL_HEAD_SKIPPED) && c->p < c->end && *c->p == '\r') {
        enum hail_http_line rc = hail_http_line_end(c, HAIL_HTTP_BAD_METHOD);
        if (rc == HAIL_HTTP_LINE_FIELD)
            s->flags |= HAIL_HEAD_SKIPPED;
        return rc;
    }
    enum hail_http_line rc = request ? request_line(c, h) : status_line(c, h);
    if (rc == HAIL_HTTP_LINE_FIELD)
        s->flags |= HAIL_HEAD_STARTED;
    return rc;
}

/* A field line into the caller's array. */
static enum hail_http_line next_field(struct hail_http_cursor *c, struct hail_http_head *h)
{
    struct hail_http_field spare, *f = &spare;
    const char *line = c->p;
    if (h->fields.n < h->fields.max)
        f = &h->fields.v[h->fields.n];
    enum hail_http_line rc = hail_http_field_line(c, f);
    if (rc != HAIL_HTTP_LINE_FIELD)
        return rc;
    if (f == &spare)
        return hail_http_line_bad(c, line, HAIL_HTTP_TOO_MANY_FIELDS);
    h->fields.n++;
    enum hail_http_error e = hail_head_field(h, f);
    return e ? hail_http_line_bad(c, f->value.p, e) : rc;
}

/* The bytes end in the middle of a line: for now, or because it is as long as it may be? */
static int partial(struct hail_http_head *h, size_t len, bool request)
{
    struct hail_http_scan *s = &h->scan;
    size_t line_max = s->line + h->limits.line;
    if (len >= line_max && line_max <= h->limits.head) {
        bool target = request && !(s->flags & HAIL_HEAD_STARTED);
        return refuse(h, target ? HAIL_HTTP_TARGET_TOO_LONG : HAIL_HTTP_LINE_TOO_LONG, line_max);
    }
    if (len >= h->limits.head)
        return refuse(h, HAIL_HTTP_HEAD_TOO_LARGE, h->limits.head);
    s->seen = len;
    return -EAGAIN;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Reads lines up to the empty one. Returns the size of the head, -EAGAIN or -EPROTO. */
static ssize_t head(struct hail_http_head *h, const char *buf, size_t len, bool request)
{
    struct hail_http_scan *s = &h->scan;
    if (h->error)
        return -EPROTO;
    if (s->base && hail_http_scan_moved(s, buf, len))
        restart(h);
    s->base = (uintptr_t)buf;
    if (!hail_http_line_ready(s, buf, len, min(s->line + h->limits.line, h->limits.head)))
        return -EAGAIN;
    for (;;) {
        size_t stop = min(len, min(s->line + h->limits.line, h->limits.head));
        struct hail_http_cursor c = {.p = buf + s->line, .end = buf + stop};
        enum hail_http_line rc =
            s->flags & HAIL_HEAD_STARTED ? next_field(&c, h) : first_line(&c, h, request);
        if (rc == HAIL_HTTP_LINE_PARTIAL)
            return partial(h, len, request);
        if (rc == HAIL_HTTP_LINE_BAD)
            return refuse(h, c.error, (size_t)(c.p - buf));
        s->line = (size_t)(c.p - buf);
        if (rc == HAIL_HTTP_LINE_EMPTY)
            return (ssize_t)s->line;
    }
}

ssize_t hail_http_request_parse(struct hail_http_head *h, const char *buf, size_t len)
{
    ssize_t n = head(h, buf, len, true);
    if (n < 0)
        return n;
    enum hail_http_error e = hail_head_request_end(h);
    return e ? refuse(h, e, (size_t)n) : n;
}

ssize_t hail_http_response_parse(struct hail_http_head *h, enum hail_http_method asked,
                                 const char *buf, size_t len)
{
    ssize_t n = head(h, buf, len, false);
    if (n < 0)
        return n;
    enum hail_http_error e = hail_head_response_end(h, asked);
    return e ? refuse(h, e, (size_t)n) : n;
}
