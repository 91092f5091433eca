/* http_write.c - messages into the caller's memory, with nothing in them that would be read as
 * something else: RFC 9112 sections 3 to 5 and 7.1. */
#include "proto/http_scan.h"

#include <hail/http.h>

#include <errno.h>

/* Room for `n` bytes at once: nothing is written in part. */
static char *room(struct hail_http_out *o, size_t n)
{
    if (o->failed)
        return NULL;
    if (n > o->size - o->len) {
        o->failed = -EMSGSIZE;
        return NULL;
    }
    char *p = o->p + o->len;
    o->len += n;
    return p;
}

static char *copy(char *p, struct hail_slice s)
{
    if (s.n)
        memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *crlf(char *p)
{
    return copy(p, hail_slice("\r\n"));
}

static bool is_token(struct hail_slice s)
{
    return s.n && hail_scan_token(s.p, s.p + s.n) == s.p + s.n;
}

static bool is_value(struct hail_slice s)
{
    return s.n == 0 || hail_scan_value(s.p, s.p + s.n) == s.p + s.n;
}

void hail_http_put_request(struct hail_http_out *o, const char *method, struct hail_slice target,
                           int minor)
{
    struct hail_slice m = hail_slice(method);
    bool fits = target.n && hail_scan_target(target.p, target.p + target.n) == target.p + target.n;
    if (!o->failed && (!is_token(m) || !fits || minor < 0 || minor > 9))
        o->failed = -EINVAL;
    char *p = room(o, m.n + target.n + 12);
    if (!p)
        return;
    p = copy(p, m);
    *p++ = ' ';
    p = copy(p, target);
    crlf(copy(p, hail_slice(" HTTP/1.0")));
    p[8] = (char)('0' + minor);
}

void hail_http_put_status(struct hail_http_out *o, int status, const char *reason, int minor)
{
    struct hail_slice r = hail_slice(reason ? reason : hail_http_reason(status));
    if (!o->failed && (status < 100 || status > 999 || !is_value(r) || minor < 0 || minor > 9))
        o->failed = -EINVAL;
    char *p = room(o, r.n + 15);
    if (!p)
        return;
    copy(p, hail_slice("HTTP/1.0 000 "));
    p[7] = (char)('0' + minor);
    p[9] = (char)('0' + status / 100);
    p[10] = (char)('0' + status / 10 % 10);
    p[11] = (char)('0' + status % 10);
    crlf(copy(p + 13, r));
}

void hail_http_put_slices(struct hail_http_out *o, struct hail_slice name, struct hail_slice value)
{
    if (!o->failed && (!is_token(name) || !is_value(value)))
        o->failed = -EINVAL;
    char *p = room(o, name.n + value.n + 4);
    if (!p)
        return;
    p = copy(copy(p, name), hail_slice(": "));
    crlf(copy(p, value));
}

void hail_http_put_field(struct hail_http_out *o, const char *name, const char *value)
{
    hail_http_put_slices(o, hail_slice(name), hail_slice(value));
}

/* Digits of `n` to base 10 or 16, at the end of the 20 bytes of `text`. */
static struct hail_slice digits(char text[20], uint64_t n, unsigned base)
{
    char *p = text + 20;
    do
        *--p = "0123456789abcdef"[n % base];
    while (n /= base);
    return (struct hail_slice){p, (size_t)(text + 20 - p)};
}

void hail_http_put_number(struct hail_http_out *o, const char *name, uint64_t value)
{
    char text[20];
    hail_http_put_slices(o, hail_slice(name), digits(text, value, 10));
}

ssize_t hail_http_put_end(struct hail_http_out *o)
{
    char *p = room(o, 2);
    if (!p)
        return o->failed;
    crlf(p);
    return (ssize_t)o->len;
}

void hail_http_put_chunk_size(struct hail_http_out *o, uint64_t n)
{
    char text[20];
    struct hail_slice size = digits(text, n, 16);
    char *p = room(o, size.n + 2);
    if (p)
        crlf(copy(p, size));
}

void hail_http_put_chunk(struct hail_http_out *o, const void *data, size_t n)
{
    if (n == 0)
        return;
    char text[20];
    struct hail_slice size = digits(text, n, 16);
    if (!o->failed && n > o->size)
        o->failed = -EMSGSIZE;
    char *p = room(o, size.n + n + 4);
    if (!p)
        return;
    p = crlf(copy(p, size));
    crlf(copy(p, (struct hail_slice){data, n}));
}

void hail_http_put_last_chunk(struct hail_http_out *o)
{
    hail_http_put_chunk_size(o, 0);
}
