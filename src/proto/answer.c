/* answer.c - requests for files, and the heads of their responses; proto/answer.h. */
#include "proto/answer.h"

#include <hail/url.h>

#include <errno.h>
#include <string.h>

ssize_t hail_answer_path(const struct hail_http_head *head, char *out, size_t size)
{
    if (head->method == HAIL_HTTP_OTHER)
        return -501;
    if (head->method != HAIL_HTTP_GET && head->method != HAIL_HTTP_HEAD)
        return -405;
    if (head->expect_other)
        return -417;
    ssize_t n = hail_url_path(head->path, out, size);
    if (n == -ENAMETOOLONG)
        return -414;
    return n < 0 ? -400 : n;
}

ssize_t hail_answer_head(struct hail_http_out *o, const struct hail_answer *a)
{
    char modified[HAIL_HTTP_DATE_MAX];
    hail_http_put_status(o, a->status, NULL, 1);
    hail_http_put_field(o, "Date", a->date);
    if (a->type)
        hail_http_put_field(o, "Content-Type", a->type);
    hail_http_put_number(o, "Content-Length", a->length);
    if (a->modified >= 0 && hail_http_date_format(a->modified, modified) == 0)
        hail_http_put_field(o, "Last-Modified", modified);
    if (a->location)
        hail_http_put_field(o, "Location", a->location);
    if (a->status == 405)
        hail_http_put_field(o, "Allow", "GET, HEAD");
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
