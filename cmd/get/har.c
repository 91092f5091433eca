/* har.c - --har: all exchanges as an HTTP Archive 1.2, which browsers and other tools open.
 *
 * Times are milliseconds; where there was no such phase -1, or 0 where the format wants a time.
 * Content is kept up to a bound, as text or base64.
 */
#include "get.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HAR_MAX ((size_t)256 << 20)

static void put_ms(struct hail_json *j, const char *key, int64_t from, int64_t to, int otherwise)
{
    if (from && to && to >= from)
        hail_json_seconds(j, key, (to - from) * 1000);
    else
        hail_json_int(j, key, otherwise);
}

static void put_pair(struct hail_json *j, struct hail_slice name, struct hail_slice value)
{
    hail_json_object(j, NULL);
    hail_json_strn(j, "name", name.p, name.n);
    hail_json_strn(j, "value", value.p, value.n);
    hail_json_end_object(j);
}

static void put_fields(struct hail_json *j, const struct hail_http_fields *fields)
{
    hail_json_array(j, "headers");
    for (size_t i = 0; i < fields->n; i++)
        put_pair(j, fields->v[i].name, fields->v[i].value);
    hail_json_end_array(j);
}

/* "a=1; b=2" of a Cookie field, "a=1; attributes" of a Set-Cookie. */
static void put_cookies(struct hail_json *j, const struct hail_http_fields *fields,
                        const char *name)
{
    const struct hail_http_field *f = NULL;
    bool all = strcmp(name, "Cookie") == 0;
    hail_json_array(j, "cookies");
    while ((f = hail_http_field(fields, name, f))) {
        struct hail_slice rest = f->value;
        do {
            const char *semi = rest.n ? memchr(rest.p, ';', rest.n) : NULL;
            struct hail_slice pair = {rest.p, semi ? (size_t)(semi - rest.p) : rest.n};
            const char *equal = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
            if (equal)
                put_pair(j, (struct hail_slice){pair.p, (size_t)(equal - pair.p)},
                         (struct hail_slice){equal + 1, pair.n - (size_t)(equal - pair.p) - 1});
            size_t used = pair.n + (semi != NULL);
            rest.p += used;
            rest.n -= used;
            while (rest.n && *rest.p == ' ')
                rest.p++, rest.n--;
        } while (all && rest.n);
    }
    hail_json_end_array(j);
}

static void put_query(struct hail_json *j, const char *url)
{
    const char *p = strchr(url, '?'), *end = url + strcspn(url, "#");
    hail_json_array(j, "queryString");
    while (p && p < end) {
        const char *from = p + 1, *amp = memchr(from, '&', (size_t)(end - from));
        const char *stop = amp ? amp : end, *equal = memchr(from, '=', (size_t)(stop - from));
        const char *name_end = equal ? equal : stop;
        if (stop > from)
            put_pair(j, (struct hail_slice){from, (size_t)(name_end - from)},
                     equal ? (struct hail_slice){equal + 1, (size_t)(stop - equal - 1)}
                           : (struct hail_slice){"", 0});
        p = amp;
    }
    hail_json_end_array(j);
}

static void put_request(struct hail_json *j, const struct get_hop *h)
{
    struct hail_http_field rows[GET_FIELDS];
    struct hail_http_head head;
    struct hail_http_fields none = {0};
    hail_http_head_init(&head, rows, GET_FIELDS,
                        &(struct hail_http_limits){.line = GET_REQUEST, .head = GET_REQUEST});
    bool there = h->request && hail_http_request_parse(&head, h->request, h->request_size) > 0;
    const struct hail_http_fields *fields = there ? &head.fields : &none;
    const struct hail_http_field *type = hail_http_field(fields, "Content-Type", NULL);
    hail_json_object(j, "request");
    hail_json_str(j, "method", h->method);
    hail_json_str(j, "url", h->url);
    hail_json_str(j, "httpVersion", there && head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
    put_cookies(j, fields, "Cookie");
    put_fields(j, fields);
    put_query(j, h->url);
    if (h->sent) {
        hail_json_object(j, "postData");
        hail_json_strn(j, "mimeType", type ? type->value.p : "", type ? type->value.n : 0);
        hail_json_str(j, "text", "");
        hail_json_str(j, "comment", "not kept");
        hail_json_end_object(j);
    }
    hail_json_int(j, "headersSize", (int64_t)h->request_size);
    hail_json_int(j, "bodySize", (int64_t)h->sent);
    hail_json_end_object(j);
}

static void put_content(struct hail_json *j, const struct get_hop *h,
                        const struct hail_http_fields *fields)
{
    const struct hail_http_field *type = hail_http_field(fields, "Content-Type", NULL);
    const struct hail_buf *b = &h->captured;
    hail_json_object(j, "content");
    hail_json_int(j, "size", (int64_t)h->content);
    hail_json_strn(j, "mimeType", type ? type->value.p : "", type ? type->value.n : 0);
    if (b->len && hail_utf8_valid(b->p, b->len)) {
        hail_json_strn(j, "text", b->p, b->len);
    } else if (b->len) {
        struct hail_buf coded;
        hail_buf_init(&coded, 2 * GET_CAPTURE);
        hail_buf_base64(&coded, b->p, b->len);
        hail_json_strn(j, "text", coded.p, coded.len);
        hail_json_str(j, "encoding", "base64");
        hail_buf_free(&coded);
    }
    if (h->content > b->len)
        hail_json_str(j, "comment", b->len ? "the beginning of it" : "not kept");
    hail_json_end_object(j);
}

static void put_response(struct hail_json *j, const struct get_hop *h)
{
    struct hail_http_field rows[GET_FIELDS];
    struct hail_http_head head;
    hail_http_head_init(&head, rows, GET_FIELDS, NULL);
    if (!h->head || hail_http_response_parse(&head, hail_http_method(hail_slice(h->method)),
                                             h->head, h->head_size) < 0)
        hail_http_head_init(&head, rows, 0, NULL);
    const struct hail_http_field *to = hail_http_field(&head.fields, "Location", NULL);
    hail_json_object(j, "response");
    hail_json_int(j, "status", h->status);
    hail_json_strn(j, "statusText", head.reason.p ? head.reason.p : "", head.reason.n);
    hail_json_str(j, "httpVersion", h->minor ? "HTTP/1.1" : "HTTP/1.0");
    put_cookies(j, &head.fields, "Set-Cookie");
    put_fields(j, &head.fields);
    put_content(j, h, &head.fields);
    hail_json_strn(j, "redirectURL", to ? to->value.p : "", to ? to->value.n : 0);
    hail_json_int(j, "headersSize", h->head ? (int64_t)h->head_size : -1);
    hail_json_int(j, "bodySize", (int64_t)h->received);
    hail_json_end_object(j);
}

static void put_timings(struct hail_json *j, const struct get_hop *h)
{
    hail_json_object(j, "timings");
    put_ms(j, "blocked", 0, 0, -1);
    put_ms(j, "dns", h->reused ? 0 : h->start_ns, h->dialled_ns, -1);
    put_ms(j, "connect", h->dialled_ns, h->tls_ns ? h->tls_ns : h->connected_ns, -1);
    put_ms(j, "ssl", h->connected_ns, h->tls_ns, -1);
    put_ms(j, "send", h->ready_ns, h->sent_ns, 0);
    put_ms(j, "wait", h->sent_ns, h->first_ns, 0);
    put_ms(j, "receive", h->first_ns, h->end_ns, 0);
    hail_json_end_object(j);
}

static void put_entry(struct hail_json *j, const struct get_hop *h)
{
    char when[40], port[8];
    struct tm tm;
    gmtime_r(&h->wall, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    hail_json_object(j, NULL);
    hail_json_str(j, "startedDateTime", when);
    put_ms(j, "time", h->start_ns, h->end_ns, 0);
    put_request(j, h);
    put_response(j, h);
    hail_json_object(j, "cache");
    hail_json_end_object(j);
    put_timings(j, h);
    if (h->ready_ns) {
        snprintf(port, sizeof port, "%u", h->local.port);
        hail_json_str(j, "serverIPAddress", h->peer.host);
        hail_json_str(j, "connection", port);
    }
    if (h->err.errnum)
        hail_json_str(j, "comment", h->err.msg);
    hail_json_end_object(j);
}

static int write_file(const char *path, const struct hail_buf *b)
{
    if (strcmp(path, "-") == 0) {
        fwrite(b->p, 1, b->len, stdout);
        return 0;
    }
    FILE *f = fopen(path, "we");
    if (!f)
        return local_error("open", path, errno);
    size_t n = fwrite(b->p, 1, b->len, f);
    return fclose(f) || n < b->len ? local_error("write", path, errno) : 0;
}

int get_har(const char *path, const struct get_ask *asks, size_t n)
{
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    hail_buf_init(&b, HAR_MAX);
    hail_json_object(&j, NULL);
    hail_json_object(&j, "log");
    hail_json_str(&j, "version", "1.2");
    hail_json_object(&j, "creator");
    hail_json_str(&j, "name", "hail");
    hail_json_str(&j, "version", hail_version());
    hail_json_end_object(&j);
    hail_json_array(&j, "entries");
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; asks[i].kept && k < asks[i].kept->nhops; k++)
            put_entry(&j, &asks[i].kept->hops[k]);
    hail_json_end_array(&j);
    hail_json_end_object(&j);
    hail_json_end_object(&j);
    hail_buf_char(&b, '\n');
    int rc = b.failed ? local_error("write", path, -b.failed) : write_file(path, &b);
    hail_buf_free(&b);
    return rc;
}
