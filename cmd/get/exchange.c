/* exchange.c - one request and its response: name, connection, TLS, request, head, content. */
#include "get/get.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int dial(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    struct hail_endpoint to;
    struct hail_opts opts = {.family = x->c->family};
    char host[HAIL_URL_HOST_MAX + 1 + IF_NAMESIZE + 3];
    snprintf(host, sizeof host, "%s%s%s%s%s", x->url.ipv6 ? "[" : "", x->url.host,
             *x->url.zone ? "%" : "", x->url.zone, x->url.ipv6 ? "]" : "");
    if (hail_endpoint_parse(ctx, &to, host, x->url.port) < 0)
        return fail(x->c);
    hail_endpoint_format(&to, x->peer, sizeof x->peer);
    if (hail_dial(ctx, &to, &opts, &x->stream) < 0)
        return fail(x->c);
    x->at.connected = hail_now();
    size_t n;
    const struct hail_attempt *attempts = hail_stream_attempts(x->stream, &n);
    x->at.resolved = n ? attempts[0].start_ns : x->at.connected;
    if (!x->url.https)
        return 0;
    if (hail_tls_client(ctx, &x->stream, x->url.host, &x->o->tls) < 0)
        return fail(x->c);
    x->at.secured = hail_now();
    return 0;
}

/* Whether the user gave a field of this name. */
static bool given(const struct get_options *o, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < o->nheaders; i++)
        if (strncasecmp(o->headers[i], name, len) == 0 && o->headers[i][len] == ':')
            return true;
    return false;
}

static void put_own(struct hail_http_out *out, const struct get_options *o, const char *name,
                    struct hail_slice value)
{
    if (!given(o, name))
        hail_http_put_slices(out, hail_slice(name), value);
}

static void put_given(struct hail_http_out *out, const char *header)
{
    const char *colon = strchr(header, ':'), *value = colon + 1 + strspn(colon + 1, " \t");
    if (*value)
        hail_http_put_slices(out, (struct hail_slice){header, (size_t)(colon - header)},
                             hail_slice(value));
}

static int send_request(struct exchange *x)
{
    char text[GET_REQUEST_MAX];
    struct hail_http_out out = {.p = text, .size = sizeof text};
    const char *method = x->o->head ? "HEAD" : "GET";
    hail_http_put_request(&out, method, hail_url_slice(&x->url, x->url.target), 1);
    put_own(&out, x->o, "Host", hail_url_slice(&x->url, x->url.authority));
    put_own(&out, x->o, "User-Agent", hail_slice("hail/" HAIL_VERSION));
    put_own(&out, x->o, "Accept", hail_slice("*/*"));
    put_own(&out, x->o, "Connection", hail_slice("close"));
    for (size_t i = 0; i < x->o->nheaders; i++)
        put_given(&out, x->o->headers[i]);
    ssize_t n = hail_http_put_end(&out);
    if (n < 0)
        return usage_error(x->c->cmd, n == -EMSGSIZE ? "the request's head is longer than 32 KiB"
                                                     : "a header has a byte that may not be there");
    if (hail_write(&x->c->ctx, x->stream, text, (size_t)n, NULL) < 0)
        return fail(x->c);
    x->at.sent = hail_now();
    return 0;
}

/* The error that a malformed response is. */
static int broken(struct exchange *x, enum hail_http_error e)
{
    const char *rfc = hail_http_error_rfc(e);
    hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read", "response from %s: %s%s%s%s", x->peer,
              hail_http_error_text(e), *rfc ? " (" : "", rfc, *rfc ? ")" : "");
    if (e == HAIL_HTTP_TRUNCATED)
        hail_set_detail(&x->c->ctx, HAIL_TRUNCATED);
    if (e == HAIL_HTTP_BAD_VERSION && x->head_len == 0)
        hail_advise(&x->c->ctx, "this does not look like HTTP%s",
                    x->url.https ? ""
                                 : "; does the port speak TLS? then the URL begins with https:");
    return fail(x->c);
}

/* The head of the final response; *have bytes are in the buffer then, head included. */
static int read_head(struct exchange *x, size_t *have)
{
    enum hail_http_method asked = x->o->head ? HAIL_HTTP_HEAD : HAIL_HTTP_GET;
    *have = 0;
    int interim = 0;
    hail_http_head_init(&x->head, x->fields, GET_FIELDS_MAX, NULL);
    for (;;) {
        ssize_t n = *have ? hail_http_response_parse(&x->head, asked, x->buf, *have) : -EAGAIN;
        if (n == -EPROTO)
            return broken(x, x->head.error);
        if (n > 0 && x->head.status / 100 == 1 && x->head.status != 101) {
            if (++interim > GET_INTERIM_MAX)
                return broken(x, HAIL_HTTP_HEAD_TOO_LARGE);
            *have -= (size_t)n;
            memmove(x->buf, x->buf + n, *have);
            hail_http_head_init(&x->head, x->fields, GET_FIELDS_MAX, NULL);
            continue;
        }
        if (n > 0) {
            x->head_len = (size_t)n;
            x->at.head = hail_now();
            return 0;
        }
        n = hail_read(&x->c->ctx, x->stream, x->buf + *have, GET_BUFFER - *have);
        if (n < 0)
            return fail(x->c);
        if (n == 0)
            return broken(x, HAIL_HTTP_TRUNCATED);
        *have += (size_t)n;
    }
}

/* Hands content on as it comes. The head stays at the front of the buffer, for the report. */
static int read_content(struct exchange *x, size_t have)
{
    struct hail_http_body body;
    struct hail_http_field trailers[32];
    hail_http_body_init(&body, &x->head, trailers, 32);
    char *base = x->buf + x->head_len;
    size_t room = GET_BUFFER - x->head_len, n = have - x->head_len, at = 0;
    for (;;) {
        size_t used;
        struct hail_slice data;
        int rc = hail_http_body_read(&body, base + at, n - at, &used, &data);
        int status = sink_write(x->sink, data.p, data.n);
        if (status)
            return status;
        x->received += data.n;
        at += used;
        if (rc == -EPROTO)
            return broken(x, body.error);
        if (rc == 1)
            return 0;
        if (rc == 0 && at < n)
            continue;
        memmove(base, base + at, n - at); /* at most the beginning of a trailer section */
        n -= at;
        at = 0;
        ssize_t got = hail_read(&x->c->ctx, x->stream, base + n, room - n);
        if (got < 0)
            return fail(x->c);
        if (got == 0)
            return hail_http_body_end(&body) < 0 ? broken(x, body.error) : 0;
        n += (size_t)got;
    }
}

static int transfer(struct exchange *x)
{
    size_t have;
    int status = dial(x);
    if (!status)
        status = send_request(x);
    if (!status)
        status = read_head(x, &have);
    if (status)
        return status;
    bool refused = x->o->fail && x->head.status >= 400;
    if (x->o->include || x->o->head)
        status = sink_write(x->sink, x->buf, x->head_len);
    if (!status && !refused)
        status = read_content(x, have);
    x->at.end = hail_now();
    if (!status && refused) {
        fprintf(stderr, "hail: %s answered %d %s\n", x->peer, x->head.status,
                hail_http_reason(x->head.status));
        status = STATUS_NO;
    }
    return status;
}

int exchange_run(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    x->buf = malloc(GET_BUFFER);
    if (!x->buf)
        return local_error("allocate", "a buffer", ENOMEM);
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_PROTO, "get", NULL, x->url.text);
    x->at.start = hail_now();
    int status = transfer(x);
    char outcome[80] = "";
    if (x->at.head)
        snprintf(outcome, sizeof outcome, "%d %s, %llu bytes of content", x->head.status,
                 hail_http_reason(x->head.status), (unsigned long long)x->received);
    report_connection(x);
    hail_close(x->stream); /* its span ends inside this one */
    x->stream = NULL;
    hail_trace_end(ctx, span, parent, HAIL_LAYER_PROTO, "get",
                   status && ctx->err.errnum ? -ctx->err.errnum : 0, outcome);
    return status;
}

void exchange_free(struct exchange *x)
{
    hail_close(x->stream);
    free(x->buf);
}
