/* exchange.c - one request and its response: reach the server, ask, read the head, read the body.
 *
 *      buf:  | head ........ | content, as it comes in |
 *            0               head_size                 len
 *
 * The head stays where it is, so that its fields can be shown at the end. Content is decoded in
 * place: the pieces of one read are moved together, so that one write(2) puts them out.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The user's deadline, or the end of `seconds` if that is earlier. */
static void allow(struct exchange *x, int seconds)
{
    x->c->ctx.by = hail_deadline_min(x->by, hail_deadline_in(seconds * 1000LL));
}

/* Says which limit a time-out was of. */
static int explain(struct exchange *x, int rc, int seconds, const char *what)
{
    if (rc == -ETIMEDOUT && !x->by.ns && !*x->c->ctx.err.advice)
        hail_advise(&x->c->ctx, "%s within %d seconds; --timeout sets a limit for all of it", what,
                    seconds);
    return rc;
}

static const char *where(const struct exchange *x, char out[HAIL_ENDPOINT_MAX])
{
    hail_endpoint_format(&x->peer, out, HAIL_ENDPOINT_MAX);
    return out;
}

/* --- reaching the server --- */

static int connect_to(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    const struct hail_opts opts = {.family = x->c->family};
    allow(x, GET_REACH_S);
    int rc = hail_dial(ctx, &x->to, &opts, &x->stream);
    if (rc < 0)
        return explain(x, rc, GET_REACH_S, "no connection");
    x->connected_ns = hail_now();
    const struct hail_attempt *attempts = hail_stream_attempts(x->stream, &x->nattempts);
    memcpy(x->attempts, attempts, x->nattempts * sizeof *attempts);
    x->peer = hail_peer(x->stream);
    if (x->c->json)
        x->local = hail_local(x->stream);
    if (!x->url.https)
        return 0;
    const struct hail_tls_opts tls = {.ca_file = x->asked->cacert,
                                      .alpn = "http/1.1",
                                      .insecure_certificate = x->asked->insecure};
    rc = hail_tls_client(ctx, &x->stream, x->url.host, &tls);
    if (rc < 0)
        return explain(x, rc, GET_REACH_S, "no TLS");
    x->tls_ns = hail_now();
    return 0;
}

/* --- the head --- */

static int bad_head(struct exchange *x)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read", "response from %s: %s, at byte %zu",
              where(x, peer), hail_http_error_text(x->head.error), x->head.error_at);
    const char *rfc = hail_http_error_rfc(x->head.error);
    if (*rfc)
        hail_advise(&x->c->ctx, "that is not HTTP by %s", rfc);
    return -EPROTO;
}

static int no_head(struct exchange *x)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
              x->len ? "response from %s: the connection was closed after %zu bytes of the head"
                     : "response from %s: the connection was closed without an answer",
              where(x, peer), x->len);
    hail_set_detail(&x->c->ctx, HAIL_TRUNCATED);
    return -EPROTO;
}

/* A 1xx response is over with its head. 1: an answer follows; 0: it is the answer. */
static int interim(struct exchange *x, size_t size, int *seen)
{
    char peer[HAIL_ENDPOINT_MAX];
    if (x->head.status >= 200)
        return 0;
    hail_trace_note(&x->c->ctx, HAIL_LAYER_PROTO, "response", "%d, interim", x->head.status);
    if (x->head.status == 101)
        return hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                         "response from %s: it switches to another protocol, unasked",
                         where(x, peer));
    if (++*seen > GET_INTERIM)
        return hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                         "response from %s: more than %d interim responses", where(x, peer),
                         GET_INTERIM);
    x->len -= size;
    memmove(x->buf, x->buf + size, x->len);
    return 1;
}

/* Parses what there is: 1 with the head complete, 0 if more is needed. */
static int parse_head(struct exchange *x, int *seen)
{
    enum hail_http_method asked = x->asked->head ? HAIL_HTTP_HEAD : HAIL_HTTP_GET;
    for (;;) {
        ssize_t n = hail_http_response_parse(&x->head, asked, x->buf, x->len);
        if (n == -EAGAIN)
            return 0;
        if (n < 0)
            return bad_head(x);
        int rc = interim(x, (size_t)n, seen);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            x->head_size = (size_t)n;
            return 1;
        }
        hail_http_head_init(&x->head, x->rows, GET_FIELDS, NULL);
    }
}

static int read_head(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    int seen = 0, rc = 0;
    x->len = 0;
    allow(x, GET_SILENCE_S);
    hail_http_head_init(&x->head, x->rows, GET_FIELDS, NULL);
    while (rc == 0) {
        ssize_t n = hail_read(ctx, x->stream, x->buf + x->len, GET_BUFFER - x->len);
        if (n < 0)
            return explain(x, (int)n, GET_SILENCE_S, "no complete head of a response");
        if (n == 0)
            return no_head(x);
        if (!x->first_ns)
            x->first_ns = hail_now();
        x->len += (size_t)n;
        rc = parse_head(x, &seen);
    }
    if (rc < 0)
        return rc;
    x->head_ns = hail_now();
    hail_trace_note(ctx, HAIL_LAYER_PROTO, "response", "%d %.*s", x->head.status,
                    (int)x->head.reason.n, x->head.reason.p);
    return 0;
}

/* --- the body --- */

static int cut_short(struct exchange *x)
{
    char peer[HAIL_ENDPOINT_MAX];
    if (x->head.framing == HAIL_HTTP_LENGTH)
        hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "content from %s: the connection was closed after %" PRIu64 " of %" PRIu64
                  " bytes",
                  where(x, peer), x->body.total, x->head.length);
    else
        hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "content from %s: the connection was closed after %" PRIu64
                  " bytes, before the last chunk",
                  where(x, peer), x->body.total);
    hail_set_detail(&x->c->ctx, HAIL_TRUNCATED);
    return -EPROTO;
}

static int bad_body(struct exchange *x)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&x->c->ctx, HAIL_LAYER_PROTO, EPROTO, "read",
              "content from %s: %s, after %" PRIu64 " bytes", where(x, peer),
              hail_http_error_text(x->body.error), x->body.total);
    const char *rfc = hail_http_error_rfc(x->body.error);
    if (*rfc)
        hail_advise(&x->c->ctx, "that is not HTTP by %s", rfc);
    return -EPROTO;
}

/* Decodes what was read, and puts the content out behind the `have` bytes that wait at the front of
 * buf. Returns 1 at the end of the content, 0 if more is needed; what is not used stays. */
static int take(struct exchange *x, size_t have)
{
    size_t at = x->head_size, used;
    char *out = have ? x->buf : x->buf + at;
    struct hail_slice data;
    int rc;
    do {
        rc = hail_http_body_read(&x->body, x->buf + at, x->len - at, &used, &data);
        if (data.n) {
            if (out + have != data.p)
                memmove(out + have, data.p, data.n);
            have += data.n;
        }
        at += used;
    } while (rc == 0 && at < x->len);
    int wrote = get_sink_write(x->c, &x->sink, out, have);
    if (wrote < 0)
        return wrote;
    if (rc == -EPROTO)
        return bad_body(x);
    memmove(x->buf + x->head_size, x->buf + at, x->len - at);
    x->len -= at - x->head_size;
    return rc == 1;
}

/* The head is shown with the first piece of content. */
static int read_body(struct exchange *x)
{
    hail_http_body_init(&x->body, &x->head, x->trailers, GET_TRAILERS);
    int rc = take(x, x->asked->show_head ? x->head_size : 0);
    while (rc == 0) {
        allow(x, GET_SILENCE_S);
        ssize_t n = hail_read(&x->c->ctx, x->stream, x->buf + x->len, GET_BUFFER - x->len);
        if (n < 0)
            return explain(x, (int)n, GET_SILENCE_S, "nothing more of the content");
        if (n == 0)
            return hail_http_body_end(&x->body) < 0 ? cut_short(x) : 0;
        x->len += (size_t)n;
        rc = take(x, 0);
    }
    return rc < 0 ? rc : 0;
}

/* --- the whole --- */

bool get_refused(const struct exchange *x)
{
    return x->asked->fail && x->head_size && x->head.status >= 400;
}

static int respond(struct exchange *x)
{
    int rc = read_head(x);
    if (rc < 0 || get_refused(x))
        return rc;
    rc = get_sink_open(x->c, x->asked, &x->sink);
    if (rc == 0) {
        rc = read_body(x);
        int closed = get_sink_close(x->c, &x->sink);
        rc = rc < 0 ? rc : closed;
    }
    return rc;
}

/* A server may answer and close before it has read all of the request: its answer comes first. */
static int ask(struct exchange *x, size_t size)
{
    struct hail_ctx *ctx = &x->c->ctx;
    allow(x, GET_SILENCE_S);
    int rc = hail_write(ctx, x->stream, x->buf, size, NULL);
    bool gone = rc == -EPIPE || rc == -ECONNRESET;
    if (rc < 0 && !gone)
        return rc;
    struct hail_error unsent = ctx->err;
    x->sent_ns = hail_now();
    rc = respond(x);
    if (gone && rc < 0 && !x->first_ns) {
        ctx->err = unsent;
        return -unsent.errnum;
    }
    return rc;
}

static void outcome(const struct exchange *x, char *out, size_t size)
{
    snprintf(out, size, "%d %.*s, %" PRIu64 " bytes of content", x->head.status,
             (int)x->head.reason.n, x->head.reason.p, x->body.total);
}

/* For the trace only: who closes, and how, is worth a moment. */
static void watch_the_end(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    struct hail_error err = ctx->err;
    ctx->by = hail_deadline_min(x->by, hail_deadline_in(200));
    while (hail_read(ctx, x->stream, x->buf + x->head_size, GET_BUFFER - x->head_size) > 0)
        continue;
    ctx->err = err;
}

int get_exchange(struct exchange *x)
{
    struct hail_ctx *ctx = &x->c->ctx;
    char text[256];
    x->start_ns = hail_now();
    ssize_t size = get_request(x, x->buf, GET_BUFFER);
    int rc = size < 0 ? (int)size : connect_to(x);
    if (rc == 0) {
        uint32_t parent = ctx->span, span = 0;
        if (ctx->trace) {
            snprintf(text, sizeof text, "%s %.200s", x->asked->head ? "HEAD" : "GET", x->text);
            span = hail_trace_begin(ctx, HAIL_LAYER_PROTO, "request", NULL, text);
        }
        rc = ask(x, (size_t)size);
        x->complete = rc == 0 && !get_refused(x);
        outcome(x, text, sizeof text);
        hail_trace_end(ctx, span, parent, HAIL_LAYER_PROTO, "request", rc, text);
    }
    x->end_ns = hail_now();
    if (x->complete && ctx->trace)
        watch_the_end(x);
    return rc;
}
