/* hello_http.c - HTTP/1.1: one request, the status, and the content where something is expected of
 * it (RFC 9110, RFC 9112); proto/hello.h.
 *
 *      HEAD --200--> known                       GET --200--> content --a line matches--> known
 *           --405, 501--> GET on the same connection
 */
#include "proto/hello.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS   128
#define BODY_ROW HAIL_HELLO_LINE /* bytes of a line of the content that are looked at */

enum state { HEAD, BODY };

/* What a response needs while it comes. */
struct http {
    struct hail_http_head head;
    struct hail_http_body body;
    struct hail_http_field fields[FIELDS], trailers[8];
    enum hail_http_method asked;
    bool fell_back; /* HEAD was not taken; this is GET */
    bool matched;
    size_t row; /* bytes of `line`; more than BODY_ROW: the rest has passed */
    char line[BODY_ROW + 1];
};

static bool wants_content(const struct hail_hello *h)
{
    return h->opts->body || h->opts->not_body;
}

static bool has_field(const char *fields, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = fields; p && *p; p = strstr(p, "\r\n"), p = p ? p + 2 : p)
        if (strncasecmp(p, name, n) == 0 && p[n] == ':')
            return true;
    return false;
}

static int ask(struct hail_hello *h, const char *method)
{
    const struct hail_hello_opts *o = h->opts;
    struct http *t = h->more;
    t->asked = hail_http_method((struct hail_slice){method, strlen(method)});
    hail_http_head_init(&t->head, t->fields, FIELDS, NULL);
    h->state = HEAD;
    hail_buf_printf(&h->out, "%s %s HTTP/1.1\r\n", method, o->target ? o->target : "/");
    if (!has_field(o->fields, "Host"))
        hail_buf_printf(&h->out, "Host: %s\r\n", o->host ? o->host : "localhost");
    if (!has_field(o->fields, "User-Agent"))
        hail_buf_str(&h->out, "User-Agent: hail-check\r\n");
    if (!has_field(o->fields, "Accept"))
        hail_buf_str(&h->out, "Accept: */*\r\n");
    if (t->asked != HAIL_HTTP_HEAD && !has_field(o->fields, "Connection"))
        hail_buf_str(&h->out, "Connection: close\r\n");
    if (o->fields)
        hail_buf_str(&h->out, o->fields);
    hail_buf_str(&h->out, "\r\n");
    return h->out.failed ? hail_hello_fail(h, -ENOMEM, "out of memory") : HAIL_HELLO_MORE;
}

static int begin(struct hail_hello *h)
{
    h->more = calloc(1, sizeof(struct http));
    if (!h->more)
        return hail_hello_fail(h, -ENOMEM, "out of memory");
    if (h->opts->method)
        return ask(h, h->opts->method);
    return ask(h, wants_content(h) ? "GET" : "HEAD");
}

/* What the content came to. */
static int decide(struct hail_hello *h)
{
    const struct http *t = h->more;
    if (t->matched || !h->opts->body) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    h->mismatch = true;
    return hail_hello_fail(h, -ECONNREFUSED, "no line of the content is what was expected");
}

/* --- the head --- */

static void note_field(struct hail_hello *h, const char *field, const char *name)
{
    const struct http *t = h->more;
    const struct hail_http_field *f = hail_http_field(&t->head.fields, field, NULL);
    if (f)
        hail_hello_note(h, name, f->value.p, f->value.n);
}

static void note_head(struct hail_hello *h)
{
    const struct http *t = h->more;
    char text[64];
    int n = snprintf(text, sizeof text, "%d", t->head.status);
    hail_hello_note(h, "status", text, (size_t)n);
    n = snprintf(text, sizeof text, "1.%d", t->head.minor);
    hail_hello_note(h, "version", text, (size_t)n);
    n = snprintf(text, sizeof text, "HTTP/1.%d %d ", t->head.minor, t->head.status);
    hail_hello_note(h, "banner", text, (size_t)n - 1);
    if (t->head.reason.n)
        hail_hello_join(h, "banner", t->head.reason.p, t->head.reason.n);
    note_field(h, "Server", "server");
    note_field(h, "Location", "location");
    note_field(h, "Content-Type", "type");
    note_field(h, "Last-Modified", "last-modified");
    if (t->head.has_length) {
        n = snprintf(text, sizeof text, "%" PRIu64, t->head.stated_length);
        hail_hello_note(h, "length", text, (size_t)n);
    }
}

static bool is_expected(const struct hail_hello *h, int status)
{
    const struct hail_hello_opts *o = h->opts;
    for (size_t i = 0; i < o->nstatus; i++)
        if (status >= o->status[i][0] && status <= o->status[i][1])
            return true;
    return o->nstatus == 0 && status >= 200 && status <= 399;
}

static int status_came(struct hail_hello *h)
{
    struct http *t = h->more;
    int status = t->head.status;
    bool expected = is_expected(h, status);
    if (!expected && !h->opts->method && (status == 405 || status == 501) &&
        t->asked == HAIL_HTTP_HEAD && t->head.keep_alive && !t->fell_back) {
        t->fell_back = true;
        return ask(h, "GET");
    }
    note_head(h);
    h->greeted = true;
    if (!expected) {
        char text[HAIL_HELLO_LOOKS];
        return hail_hello_fail(h, -ECONNREFUSED, "the service answers %d %s", status,
                               hail_hello_quote(text, t->head.reason.p, t->head.reason.n));
    }
    if (!wants_content(h)) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    if (t->head.framing == HAIL_HTTP_NO_BODY ||
        (t->head.framing == HAIL_HTTP_LENGTH && t->head.length == 0))
        return decide(h);
    h->state = BODY;
    hail_http_body_init(&t->body, &t->head, t->trailers, sizeof t->trailers / sizeof *t->trailers);
    return HAIL_HELLO_MORE;
}

static int broken(struct hail_hello *h, enum hail_http_error e)
{
    const char *rfc = hail_http_error_rfc(e);
    return hail_hello_fail(h, -EPROTO, "the response breaks HTTP: %s%s%s%s",
                           hail_http_error_text(e), *rfc ? " (" : "", rfc, *rfc ? ")" : "");
}

static int take_head(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    struct http *t = h->more;
    if (memcmp(p, "HTTP/", n < 5 ? n : 5) != 0)
        return hail_hello_strange(h, p, n);
    ssize_t size = hail_http_response_parse(&t->head, t->asked, p, n);
    if (size == -EAGAIN)
        return HAIL_HELLO_MORE;
    if (size < 0)
        return broken(h, t->head.error);
    *used = (size_t)size;
    if (t->head.status >= 200 || t->head.status == 101)
        return status_came(h);
    hail_http_head_init(&t->head, t->fields, FIELDS, NULL); /* an interim response */
    return HAIL_HELLO_MORE;
}

/* --- the content --- */

/* A line of the content is over. DONE, MORE, or a failure. */
static int row_came(struct hail_hello *h)
{
    struct http *t = h->more;
    size_t n = t->row < BODY_ROW ? t->row : BODY_ROW;
    char text[HAIL_HELLO_LOOKS];
    if (n && t->line[n - 1] == '\r')
        n--;
    t->line[n] = '\0';
    t->row = 0;
    if (h->opts->not_body && hail_script_match(h->opts->not_body, t->line, n)) {
        h->mismatch = true;
        return hail_hello_fail(h, -ECONNREFUSED, "a line of the content must not be there: %s",
                               hail_hello_quote(text, t->line, n));
    }
    if (h->opts->body && !t->matched)
        t->matched = hail_script_match(h->opts->body, t->line, n);
    return t->matched && !h->opts->not_body ? decide(h) : HAIL_HELLO_MORE;
}

static int look_at(struct hail_hello *h, struct hail_slice data)
{
    struct http *t = h->more;
    for (size_t i = 0; i < data.n; i++) {
        if (data.p[i] == '\n') {
            int rc = row_came(h);
            if (rc != HAIL_HELLO_MORE)
                return rc;
            continue;
        }
        if (t->row < BODY_ROW)
            t->line[t->row] = data.p[i];
        t->row += t->row < BODY_ROW;
    }
    return HAIL_HELLO_MORE;
}

static int content_ended(struct hail_hello *h)
{
    struct http *t = h->more;
    int rc = t->row ? row_came(h) : HAIL_HELLO_MORE;
    return rc == HAIL_HELLO_MORE ? decide(h) : rc;
}

static int take_body(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    struct http *t = h->more;
    struct hail_slice data;
    int rc = hail_http_body_read(&t->body, p, n, used, &data);
    int step = data.n ? look_at(h, data) : HAIL_HELLO_MORE;
    if (step != HAIL_HELLO_MORE)
        return step;
    if (rc == 1 || t->body.total > HAIL_HELLO_BODY)
        return content_ended(h);
    return rc == -EPROTO ? broken(h, t->body.error) : HAIL_HELLO_MORE;
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    return h->state == HEAD ? take_head(h, p, n, used) : take_body(h, p, n, used);
}

static int end(struct hail_hello *h)
{
    struct http *t = h->more;
    if (h->state == HEAD)
        return h->in.len && memcmp(h->in.p, "HTTP/", h->in.len < 5 ? h->in.len : 5) == 0
                   ? broken(h, HAIL_HTTP_TRUNCATED)
                   : HAIL_HELLO_MORE;
    return hail_http_body_end(&t->body) == 0 ? content_ended(h) : broken(h, t->body.error);
}

static void release(struct hail_hello *h)
{
    free(h->more);
}

const struct hail_hello_ops hail_hello_http = {
    .name = "http", .title = "HTTP", .begin = begin, .take = take, .end = end, .free = release};
