/* answer.c - requests for files, and the heads of their responses; proto/answer.h. */
#include "proto/answer.h"

#include <hail/url.h>

#include <errno.h>
#include <string.h>

ssize_t hail_answer_path(const struct hail_http_head *head, char *out, size_t size)
{
    if (head->method == HAIL_HTTP_OTHER)
        return -501;
    if (head->method == HAIL_HTTP_OPTIONS)
        return -204;
    if (head->method != HAIL_HTTP_GET && head->method != HAIL_HTTP_HEAD)
        return -405;
    if (head->expect_other)
        return -417;
    ssize_t n = hail_url_path(head->path, out, size);
    if (n == -ENAMETOOLONG)
        return -414;
    return n < 0 ? -400 : n;
}

static void put_optional(struct hail_http_out *o, const char *name, const char *value)
{
    if (value)
        hail_http_put_field(o, name, value);
}

/* Lines that are whole already. */
static void put_lines(struct hail_http_out *o, const char *lines)
{
    size_t n = lines ? strlen(lines) : 0;
    if (n == 0 || o->failed)
        return;
    if (n > o->size - o->len) {
        o->failed = -EMSGSIZE;
        return;
    }
    memcpy(o->p + o->len, lines, n);
    o->len += n;
}

/* What says how the content is to be kept and told apart: also in 304, RFC 9110 section 15.4.5. */
static void put_validators(struct hail_http_out *o, const struct hail_answer *a)
{
    char modified[HAIL_HTTP_DATE_MAX];
    if (a->modified >= 0 && hail_http_date_format(a->modified, modified) == 0)
        hail_http_put_field(o, "Last-Modified", modified);
    put_optional(o, "ETag", a->etag);
    put_optional(o, "Cache-Control", a->cache_control);
    put_optional(o, "Vary", a->vary);
}

ssize_t hail_answer_head(struct hail_http_out *o, const struct hail_answer *a)
{
    bool content = a->status != 204 && a->status != 304;
    hail_http_put_status(o, a->status, NULL, 1);
    hail_http_put_field(o, "Date", a->date);
    if (content) {
        put_optional(o, "Content-Type", a->type);
        if (!a->endless)
            hail_http_put_number(o, "Content-Length", a->length);
        put_optional(o, "Content-Encoding", a->coding);
        put_optional(o, "Content-Range", a->content_range);
        hail_http_put_field(o, "X-Content-Type-Options", "nosniff");
    }
    put_validators(o, a);
    if (a->ranges)
        hail_http_put_field(o, "Accept-Ranges", "bytes");
    put_optional(o, "Location", a->location);
    put_optional(o, "Content-Security-Policy", a->policy);
    if (a->status == 405 || a->status == 204)
        hail_http_put_field(o, "Allow", HAIL_ANSWER_ALLOW);
    put_lines(o, a->more);
    /* what RFC 9112 section 9.3 does not take for granted */
    if (!a->keep_alive)
        hail_http_put_field(o, "Connection", "close");
    else if (a->minor == 0)
        hail_http_put_field(o, "Connection", "keep-alive");
    return hail_http_put_end(o);
}

ssize_t hail_answer_slash(const char *path, struct hail_slice query, char *out, size_t size)
{
    if (size < 2)
        return -ENAMETOOLONG;
    out[0] = '/';
    ssize_t n = hail_url_encode_path(hail_slice(path), out + 1, size - 1);
    if (n < 0)
        return n;
    size_t len = 1 + (size_t)n, more = query.p ? 1 + query.n : 0;
    if (len + 1 + more >= size)
        return -ENAMETOOLONG;
    out[len++] = '/';
    if (query.p) {
        out[len++] = '?';
        memcpy(out + len, query.p, query.n);
        len += query.n;
    }
    out[len] = '\0';
    return (ssize_t)len;
}

/* Whether `n` characters look drawn by lot: hexadecimal with letters and digits, or letters of both
 * cases with digits. */
static bool is_hash(const char *p, size_t n)
{
    bool digit = false, lower = false, upper = false, hex = true;
    if (n < 8 || n > 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        digit = digit || (c >= '0' && c <= '9');
        lower = lower || (c >= 'a' && c <= 'z');
        upper = upper || (c >= 'A' && c <= 'Z');
        hex = hex && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }
    return digit && lower && (hex || upper);
}

bool hail_answer_is_hashed(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *p = slash ? slash + 1 : path, *end = strrchr(p, '.');
    if (!end)
        return false;
    p += strcspn(p, ".-"); /* the name itself does not count */
    while (p < end) {
        size_t n = strcspn(++p, ".-");
        if (p + n <= end && is_hash(p, n))
            return true;
        p += n;
    }
    return false;
}
