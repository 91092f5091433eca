/* report.c - the exchange as one JSON document; its schema is in hail-get(1). */
#include "get.h"

#define SCHEMA "hail.get/1"
#define REPORT_MAX                                                                                 \
    ((size_t)4 << 20) /* bytes of a document: a head of 64 KiB, every byte escaped                 \
                       */

static void put_endpoint(struct hail_json *j, const char *key, const struct hail_endpoint *ep)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(ep, text, sizeof text);
    hail_json_str(j, key, text);
}

static void put_attempts(struct hail_json *j, const struct exchange *x)
{
    hail_json_array(j, "attempts");
    for (size_t i = 0; i < x->nattempts; i++) {
        const struct hail_attempt *a = &x->attempts[i];
        struct hail_endpoint ep = hail_endpoint_of(&a->addr);
        hail_json_object(j, NULL);
        put_endpoint(j, "address", &ep);
        hail_json_str(j, "result", a->errnum ? hail_errno_text(a->errnum) : "connected");
        hail_json_seconds(j, "at", a->start_ns - x->start_ns);
        hail_json_seconds(j, "time", a->end_ns - a->start_ns);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
}

/* From one instant to the next; null if either did not come. */
static void put_phase(struct hail_json *j, const char *key, int64_t from, int64_t to)
{
    if (from && to)
        hail_json_seconds(j, key, to - from);
    else
        hail_json_null(j, key);
}

static void put_times(struct hail_json *j, const struct exchange *x)
{
    int64_t dialled = x->nattempts ? x->attempts[0].start_ns : 0;
    int64_t ready = x->url.https ? x->tls_ns : x->connected_ns;
    hail_json_object(j, "times");
    put_phase(j, "name", x->start_ns, dialled);
    put_phase(j, "connect", dialled, x->connected_ns);
    put_phase(j, "tls", x->connected_ns, x->tls_ns);
    put_phase(j, "send", ready, x->sent_ns);
    put_phase(j, "wait", x->sent_ns, x->first_ns);
    put_phase(j, "receive", x->first_ns, x->end_ns);
    put_phase(j, "total", x->start_ns, x->end_ns);
    hail_json_end_object(j);
}

static void put_head(struct hail_json *j, const struct exchange *x)
{
    const struct hail_http_head *h = &x->head;
    hail_json_object(j, "response");
    hail_json_str(j, "version", h->minor ? "HTTP/1.1" : "HTTP/1.0");
    hail_json_int(j, "status", h->status);
    hail_json_strn(j, "reason", h->reason.p, h->reason.n);
    hail_json_array(j, "fields");
    for (size_t i = 0; i < h->fields.n; i++) {
        const struct hail_http_field *f = &h->fields.v[i];
        hail_json_object(j, NULL);
        hail_json_strn(j, "name", f->name.p, f->name.n);
        hail_json_strn(j, "value", f->value.p, f->value.n);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
    hail_json_end_object(j);
}

static void put_body(struct hail_json *j, const struct exchange *x)
{
    static const char *const framings[] = {"none", "length", "chunked", "until close", "tunnel"};
    hail_json_object(j, "content");
    hail_json_str(j, "framing", framings[x->head.framing]);
    hail_json_int(j, "bytes", (int64_t)x->body.total);
    if (x->head.has_length)
        hail_json_int(j, "stated", (int64_t)x->head.stated_length);
    else
        hail_json_null(j, "stated");
    hail_json_bool(j, "complete", x->complete);
    hail_json_str(j, "file", x->asked->output);
    hail_json_end_object(j);
}

static void put_tls(struct hail_json *j, const struct exchange *x)
{
    struct hail_tls_info t;
    if (!x->stream || hail_tls_info(x->stream, &t) < 0) {
        hail_json_null(j, "tls");
        return;
    }
    hail_json_object(j, "tls");
    hail_json_str(j, "version", t.version);
    hail_json_str(j, "cipher", t.cipher);
    hail_json_str(j, "alpn", t.alpn);
    hail_json_bool(j, "resumed", t.resumed);
    hail_json_bool(j, "verified", t.verified);
    hail_json_str(j, "refused", t.refused);
    hail_json_str(j, "subject", t.subject);
    hail_json_str(j, "issuer", t.issuer);
    hail_json_str(j, "names", t.names);
    hail_json_int(j, "days_left", t.days_left);
    hail_json_end_object(j);
}

static void put_error(struct hail_json *j, const struct hail_error *err)
{
    hail_json_object(j, "error");
    hail_json_str(j, "layer", hail_layer_name(err->layer));
    hail_json_str(j, "operation", err->op);
    hail_json_str(j, "message", err->msg);
    hail_json_str(j, "advice", err->advice);
    hail_json_end_object(j);
}

int get_report(const struct exchange *x, bool failed, int status)
{
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    hail_buf_init(&b, REPORT_MAX);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", SCHEMA);
    hail_json_str(&j, "url", x->text);
    hail_json_str(&j, "method", x->asked->head ? "HEAD" : "GET");
    hail_json_int(&j, "exit", status);
    if (x->connected_ns) {
        put_endpoint(&j, "local", &x->local);
        put_endpoint(&j, "peer", &x->peer);
    } else {
        hail_json_null(&j, "local");
        hail_json_null(&j, "peer");
    }
    put_attempts(&j, x);
    put_times(&j, x);
    put_tls(&j, x);
    if (x->head_size) {
        put_head(&j, x);
        put_body(&j, x);
    } else {
        hail_json_null(&j, "response");
        hail_json_null(&j, "content");
    }
    if (failed)
        put_error(&j, &x->c->ctx.err);
    else
        hail_json_null(&j, "error");
    hail_json_end_object(&j);
    int rc = put_json(&b);
    hail_buf_free(&b);
    return rc;
}
