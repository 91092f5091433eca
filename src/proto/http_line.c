/* http_line.c - the lines of heads and trailers: RFC 9112 sections 2.2 and 5, strictly. */
#include "proto/http_line.h"

#include "proto/http_scan.h"

#include <string.h>

/* See the bits in http_scan.h. */
const uint8_t hail_http_class[256] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    0,  0,  0,  0,  0,  0,  0,  0,  2,  15, 6,  3,  15, 15, 15, 15, 14, 14, 15, 15, 14, 15, 15, 6,
    31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 6,  14, 6,  14, 6,  6,  6,  31, 31, 31, 31, 31, 31, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6,  6,  6,  7,  15,
    7,  31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 6,  7,  6,  15, 0,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
    6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
};

struct hail_http_limits hail_http_limits_of(const struct hail_http_limits *given)
{
    struct hail_http_limits l = {0};
    if (given)
        l = *given;
    l.line = l.line ? l.line : 16384;
    l.head = l.head ? l.head : 65536;
    l.extension = l.extension ? l.extension : 1024;
    l.trailer = l.trailer ? l.trailer : 8192;
    return l;
}

enum hail_http_line hail_http_line_bad(struct hail_http_cursor *c, const char *at,
                                       enum hail_http_error error)
{
    c->p = at;
    c->error = error;
    return HAIL_HTTP_LINE_BAD;
}

enum hail_http_line hail_http_line_end(struct hail_http_cursor *c, enum hail_http_error other)
{
    const char *p = c->p;
    if (p == c->end)
        return HAIL_HTTP_LINE_PARTIAL;
    if (*p == '\r') {
        if (p + 1 == c->end)
            return HAIL_HTTP_LINE_PARTIAL;
        if (p[1] != '\n')
            return hail_http_line_bad(c, p, HAIL_HTTP_BARE_CR);
        c->p = p + 2;
        return HAIL_HTTP_LINE_FIELD;
    }
    if (*p == '\n')
        return hail_http_line_bad(c, p, HAIL_HTTP_BARE_LF);
    return hail_http_line_bad(c, p, *p == '\0' ? HAIL_HTTP_NUL : other);
}

static inline bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What is wrong with a name that ends at `q` without a colon. */
static enum hail_http_line bad_name(struct hail_http_cursor *c, const char *q)
{
    const char *name = c->p;
    if (q > name && blank(*q)) {
        const char *after = q;
        while (after < c->end && blank(*after))
            after++;
        if (after == c->end)
            return HAIL_HTTP_LINE_PARTIAL;
        return hail_http_line_bad(
            c, q, *after == ':' ? HAIL_HTTP_SPACE_BEFORE_COLON : HAIL_HTTP_BAD_FIELD_NAME);
    }
    if (*q == '\0')
        return hail_http_line_bad(c, q, HAIL_HTTP_NUL);
    bool ends = *q == '\r' || *q == '\n';
    return hail_http_line_bad(c, q, ends ? HAIL_HTTP_NO_COLON : HAIL_HTTP_BAD_FIELD_NAME);
}

enum hail_http_line hail_http_field_line(struct hail_http_cursor *c, struct hail_http_field *f)
{
    const char *name = c->p, *end = c->end;
    const char *q = hail_scan_token(name, end);
    if (__builtin_expect(q == end, 0))
        return HAIL_HTTP_LINE_PARTIAL;
    if (__builtin_expect(*q != ':' || q == name, 0)) {
        if (q != name)
            return bad_name(c, q);
        if (blank(*q))
            return hail_http_line_bad(c, q, HAIL_HTTP_FOLDED_LINE);
        enum hail_http_line rc = hail_http_line_end(c, HAIL_HTTP_BAD_FIELD_NAME);
        return rc == HAIL_HTTP_LINE_FIELD ? HAIL_HTTP_LINE_EMPTY : rc;
    }
    const char *value = q + 1;
    while (value < end && blank(*value))
        value++;
    const char *stop = hail_scan_value(value, end);
    c->p = stop;
    if (__builtin_expect(end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n', 1)) {
        c->p = stop + 2;
    } else {
        enum hail_http_line rc = hail_http_line_end(c, HAIL_HTTP_BAD_FIELD_VALUE);
        if (rc != HAIL_HTTP_LINE_FIELD)
            return rc;
    }
    while (stop > value && blank(stop[-1]))
        stop--;
    f->name = (struct hail_slice){name, (size_t)(q - name)};
    f->value = (struct hail_slice){value, (size_t)(stop - value)};
    return HAIL_HTTP_LINE_FIELD;
}

bool hail_http_scan_moved(const struct hail_http_scan *scan, const char *buf, size_t len)
{
    return scan->base != (uintptr_t)buf || len < scan->seen;
}

bool hail_http_line_ready(struct hail_http_scan *scan, const char *buf, size_t len, size_t limit)
{
    size_t from = scan->seen;
    if (from <= scan->line || len >= limit || memchr(buf + from, '\n', len - from))
        return true;
    scan->seen = len;
    return false;
}
