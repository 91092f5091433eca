/* exchange.c - one request and the head of its response.
 *
 *      buf:  | head ........ | content, as it comes in |
 *            0               head_size                 len
 *
 * The head stays where it is while the content is read behind it. A connection that was idle may
 * have been closed by the server at the same moment: then the request is made again on a new one.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The job's deadline, or the end of `seconds` if that is earlier. */
void get_allow(struct get_session *s, double seconds)
{
    s->c.ctx.by = hail_deadline_min(s->job->by, hail_deadline_in((int64_t)(seconds * 1000)));
}

/* Says which limit a time-out was of. */
int get_explain_timeout(struct get_session *s, int rc, double seconds, const char *what)
{
    bool own = !s->job->by.ns || hail_now() < s->job->by.ns;
    if (rc == -ETIMEDOUT && own && !*s->c.ctx.err.advice)
        hail_advise(&s->c.ctx, "%s within %g seconds; -m sets a limit for all of it", what,
                    seconds);
    return rc;
}

const char *get_where(const struct get_session *s, char out[HAIL_ENDPOINT_MAX])
{
    hail_endpoint_format(&s->hop->peer, out, HAIL_ENDPOINT_MAX);
    return out;
}

const struct hail_http_field *get_field(const struct get_session *s, const char *name)
{
    return hail_http_field(&s->head.fields, name, NULL);
}

bool get_refused(const struct get_session *s)
{
    return (s->asked->fail || s->asked->fail_body) && s->head_size && s->head.status >= 400;
}

/* --- the head --- */

static int bad_head(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read", "response from %s: %s, at byte %zu",
              get_where(s, peer), hail_http_error_text(s->head.error), s->head.error_at);
    const char *rfc = hail_http_error_rfc(s->head.error);
    if (*rfc)
        hail_advise(&s->c.ctx, "that is not HTTP by %s", rfc);
    return -EPROTO;
}

static int no_head(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
              s->len ? "response from %s: the connection was closed after %zu bytes of the head"
                     : "response from %s: the connection was closed without an answer",
              get_where(s, peer), s->len);
    hail_set_detail(&s->c.ctx, HAIL_TRUNCATED);
    return -EPROTO;
}

/* -D: as it came, but for a terminal. */
static void dump(struct get_session *s, size_t size)
{
    FILE *f = s->shared->dump;
    struct hail_buf safe;
    hail_buf_init(&safe, 16 * GET_BUFFER);
    bool terminal = isatty(fileno(f));
    if (terminal)
        get_screen_head(&s->c, s->buf, size, &safe);
    pthread_mutex_lock(&s->shared->lock);
    if (!terminal)
        fwrite(s->buf, 1, size, f);
    else if (!safe.failed && safe.len)
        fwrite(safe.p, 1, safe.len, f);
    pthread_mutex_unlock(&s->shared->lock);
    hail_buf_free(&safe);
}

/* What -D and -i have to show. */
static void show(struct get_session *s, size_t size)
{
    get_verbose_head(s, '<', s->buf, size);
    if (s->asked->show_head || s->c.terminal)
        hail_buf_add(&s->job->heads, s->buf, size);
    if (s->shared->dump)
        dump(s, size);
}

/* A 1xx response is over with its head. */
static int interim(struct get_session *s, size_t size)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_trace_note(&s->c.ctx, HAIL_LAYER_PROTO, "response", "%d, interim", s->head.status);
    const struct hail_http_field *f;
    if (s->head.status == 101) {
        hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                  "response from %s: it switches to another protocol, unasked", get_where(s, peer));
        hail_advise(&s->c.ctx, "that is not HTTP by RFC 9110 section 15.2.2");
        return -EPROTO;
    }
    for (f = get_field(s, "Link"); f; f = hail_http_field(&s->head.fields, "Link", f))
        get_verbose(s, "early hint: %.*s", (int)f->value.n, f->value.p);
    s->hop->interim_size += size;
    s->len -= size;
    memmove(s->buf, s->buf + size, s->len);
    return 0;
}

/* Reads the next head from what there is: 0, with *again an interim one that is gone; -EAGAIN when
 * it is not complete, -EPROTO. */
int get_read_head(struct get_session *s, bool *again)
{
    enum hail_http_method asked = hail_http_method(hail_slice(s->job->method));
    if (s->head_size)
        return 0;
    if (s->len == 0)
        return -EAGAIN;
    if (!s->hop->first_ns)
        s->hop->first_ns = hail_now();
    ssize_t n = hail_http_response_parse(&s->head, asked, s->buf, s->len);
    if (n == -EAGAIN)
        return -EAGAIN;
    if (n < 0)
        return bad_head(s);
    show(s, (size_t)n);
    bool upgraded = s->head.status == 101 && get_replaced(s, "Upgrade");
    if (s->head.status >= 200 || upgraded) {
        s->head_size = (size_t)n;
        return 0;
    }
    *again = true;
    int rc = interim(s, (size_t)n);
    hail_http_head_init(&s->head, s->rows, GET_FIELDS, NULL);
    return rc;
}

static int read_head(struct get_session *s)
{
    char peer[HAIL_ENDPOINT_MAX];
    int seen = 0;
    double silence = s->conn->piped ? GET_PIPED_S : GET_SILENCE_S;
    get_allow(s, silence);
    for (;;) {
        bool again = false;
        int rc = get_read_head(s, &again);
        if (again && rc == 0) {
            if (++seen <= GET_INTERIM)
                continue;
            hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "read",
                      "response from %s: more than %d interim responses", get_where(s, peer),
                      GET_INTERIM);
            hail_advise(&s->c.ctx, "RFC 9110 section 15.2 knows no end of them, hail does");
            return -EPROTO;
        }
        if (rc != -EAGAIN)
            return rc;
        ssize_t n = hail_read(&s->c.ctx, s->conn->stream, s->buf + s->len, GET_BUFFER - s->len);
        if (n < 0)
            return get_explain_timeout(s, (int)n, silence, "no complete head of a response");
        if (n == 0)
            return no_head(s);
        s->len += (size_t)n;
    }
}

/* --- the exchange --- */

static void keep(char **p, size_t *size, const char *from, size_t n)
{
    free(*p);
    *p = n ? malloc(n + 1) : NULL;
    *size = *p ? n : 0;
    if (*p) {
        memcpy(*p, from, n);
        (*p)[n] = '\0';
    }
}

static void note_head(struct get_session *s)
{
    struct get_hop *h = s->hop;
    h->status = s->head.status;
    h->minor = s->head.minor;
    h->framing = s->head.framing;
    h->has_stated = s->head.has_length;
    h->stated = s->head.stated_length;
    keep(&h->head, &h->head_size, s->buf, s->head_size);
    hail_trace_note(&s->c.ctx, HAIL_LAYER_PROTO, "response", "%d %.*s", s->head.status,
                    (int)s->head.reason.n, s->head.reason.p);
}

/* Once, on the connection that there is. */
static int converse(struct get_session *s)
{
    bool answered = false;
    hail_http_head_init(&s->head, s->rows, GET_FIELDS, NULL);
    s->head_size = s->len = 0;
    s->closing = false;
    s->conn->used++;
    keep(&s->hop->request, &s->hop->request_size, s->request.p, s->request.len);
    int rc = get_pipeline_take(s);
    if (rc == 0)
        rc = get_send(s, &answered);
    if (rc == 1)
        rc = 0;
    if (rc == 0 && !answered)
        rc = read_head(s);
    if (rc == 0)
        note_head(s);
    return rc;
}

/* Whether the connection went while nobody looked: it had answered before, and this time not one
 * byte came. Then the server has not begun with the request (RFC 9112 section 9.3.1). One that does
 * not answer to what was sent before its turn may have thrown it away. */
static bool went_stale(const struct get_session *s, int rc)
{
    bool own = !s->job->by.ns || hail_now() < s->job->by.ns;
    return s->hop->reused && s->len == 0 && !s->hop->first_ns &&
           (rc == -EPIPE || (rc == -ETIMEDOUT && s->conn->piped && own) || rc == -ECONNRESET ||
            s->c.ctx.err.detail == HAIL_TRUNCATED);
}

int get_exchange(struct get_session *s)
{
    struct hail_ctx *ctx = &s->c.ctx;
    struct get_hop *h = s->hop;
    int rc = get_route(s, &s->job->url, &s->route);
    h->via_proxy = s->route.forwarding || s->route.has_proxy;
    if (rc == 0)
        rc = get_request(s); /* before anybody is bothered: it may be malformed */
    if (rc == 0)
        rc = get_connect(s, false);
    s->parent = ctx->span;
    if (rc == 0 && ctx->trace) {
        char text[256];
        snprintf(text, sizeof text, "%s %.200s", s->job->method, s->job->url.text);
        s->span = hail_trace_begin(ctx, HAIL_LAYER_PROTO, "request", NULL, text);
    }
    if (rc == 0)
        rc = converse(s);
    if (rc < 0 && s->conn && went_stale(s, rc) && get_upload_again(s)) {
        get_verbose(s, "the connection gave no answer: once more on a new one");
        s->lonely |= s->conn->piped;
        get_conn_close(s);
        h->reused = false;
        h->sent = 0;
        rc = get_connect(s, true);
        rc = rc < 0 ? rc : converse(s);
    }
    return rc;
}

/* For the trace only: who closes, and how, is worth a moment. */
static void watch_the_end(struct get_session *s)
{
    struct hail_ctx *ctx = &s->c.ctx;
    struct hail_error err = ctx->err;
    ctx->by = hail_deadline_min(s->job->by, hail_deadline_in(200));
    while (hail_read(ctx, s->conn->stream, s->buf, GET_BUFFER) > 0)
        continue;
    ctx->err = err;
}

static void end_span(struct get_session *s, int rc)
{
    char text[256];
    if (!s->span)
        return;
    snprintf(text, sizeof text, "%d %.*s, %" PRIu64 " bytes of content", s->head.status,
             (int)s->head.reason.n, s->head.reason.p, s->hop->received);
    hail_trace_end(&s->c.ctx, s->span, s->parent, HAIL_LAYER_PROTO, "request", rc, text);
    s->span = 0;
}

void get_finish(struct get_session *s, int rc)
{
    end_span(s, rc < 0 ? rc : 0);
    hail_decoder_free(s->decoder);
    s->decoder = NULL;
    if (!s->conn)
        return;
    bool usable = s->hop->complete && (s->len == s->head_size || s->conn->ahead.len);
    if (usable && s->head.keep_alive && !s->closing && s->head.framing != HAIL_HTTP_UNTIL_CLOSE &&
        s->head.framing != HAIL_HTTP_TUNNEL) {
        hail_buf_add(&s->conn->rest, s->buf + s->head_size, s->len - s->head_size);
        get_pipeline_fill(s);
        get_conn_keep(s);
        return;
    }
    s->lonely |= s->conn->ahead.len > 0;
    if (s->hop->complete && s->len > s->head_size)
        get_verbose(s, "%zu bytes came behind the response: the connection is not used again",
                    s->len - s->head_size);
    if (s->c.ctx.trace && s->hop->complete)
        watch_the_end(s);
    get_conn_close(s);
}
