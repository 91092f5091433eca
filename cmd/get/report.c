/* report.c - all exchanges of a job as one JSON document; its schema is in hail-get(1). */
#include "get.h"

#define SCHEMA     "hail.get/2"
#define REPORT_MAX ((size_t)64 << 20) /* bytes: heads of 64 KiB, every byte escaped */

static void put_endpoint(struct hail_json *j, const char *key, const struct hail_endpoint *ep)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(ep, text, sizeof text);
    hail_json_str(j, key, text);
}

static void put_attempts(struct hail_json *j, const struct get_hop *h)
{
    hail_json_array(j, "attempts");
    for (size_t i = 0; i < h->nattempts; i++) {
        const struct hail_attempt *a = &h->attempts[i];
        struct hail_endpoint ep = hail_endpoint_of(&a->addr);
        hail_json_object(j, NULL);
        put_endpoint(j, "address", &ep);
        hail_json_str(j, "result", a->errnum ? hail_errno_text(a->errnum) : "connected");
        hail_json_seconds(j, "at", a->start_ns - h->start_ns);
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

static void put_times(struct hail_json *j, const struct get_hop *h)
{
    hail_json_object(j, "times");
    put_phase(j, "name", h->reused ? 0 : h->start_ns, h->dialled_ns);
    put_phase(j, "connect", h->dialled_ns, h->connected_ns);
    put_phase(j, "tls", h->connected_ns, h->tls_ns);
    put_phase(j, "send", h->ready_ns, h->sent_ns);
    put_phase(j, "wait", h->sent_ns, h->first_ns);
    put_phase(j, "receive", h->first_ns, h->end_ns);
    put_phase(j, "total", h->start_ns, h->end_ns);
    hail_json_end_object(j);
}

static void put_head(struct hail_json *j, const struct get_hop *h)
{
    struct hail_http_field rows[GET_FIELDS];
    struct hail_http_head head;
    hail_http_head_init(&head, rows, GET_FIELDS, NULL);
    if (!h->head || hail_http_response_parse(&head, hail_http_method(hail_slice(h->method)),
                                             h->head, h->head_size) < 0) {
        hail_json_null(j, "response");
        hail_json_null(j, "content");
        return;
    }
    static const char *const framings[] = {"none", "length", "chunked", "until close", "tunnel"};
    hail_json_object(j, "response");
    hail_json_str(j, "version", h->minor ? "HTTP/1.1" : "HTTP/1.0");
    hail_json_int(j, "status", h->status);
    hail_json_strn(j, "reason", head.reason.p, head.reason.n);
    hail_json_array(j, "fields");
    for (size_t i = 0; i < head.fields.n; i++) {
        hail_json_object(j, NULL);
        hail_json_strn(j, "name", rows[i].name.p, rows[i].name.n);
        hail_json_strn(j, "value", rows[i].value.p, rows[i].value.n);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
    hail_json_end_object(j);
    hail_json_object(j, "content");
    hail_json_str(j, "framing", framings[h->framing]);
    hail_json_int(j, "bytes", (int64_t)h->received);
    hail_json_int(j, "decoded", (int64_t)h->content);
    if (h->has_stated)
        hail_json_int(j, "stated", (int64_t)h->stated);
    else
        hail_json_null(j, "stated");
    hail_json_bool(j, "complete", h->complete);
    hail_json_end_object(j);
}

static void put_tls(struct hail_json *j, const struct get_hop *h)
{
    if (!*h->tls_version) {
        hail_json_null(j, "tls");
        return;
    }
    hail_json_object(j, "tls");
    hail_json_str(j, "version", h->tls_version);
    hail_json_str(j, "cipher", h->cipher);
    hail_json_str(j, "alpn", h->tls.alpn);
    hail_json_bool(j, "resumed", h->tls.resumed);
    hail_json_bool(j, "verified", h->tls.verified);
    hail_json_str(j, "refused", h->tls.refused);
    hail_json_str(j, "subject", h->tls.subject);
    hail_json_str(j, "issuer", h->tls.issuer);
    hail_json_str(j, "names", h->tls.names);
    hail_json_int(j, "days_left", h->tls.days_left);
    hail_json_end_object(j);
}

static void put_error(struct hail_json *j, const struct hail_error *err)
{
    if (!err->errnum) {
        hail_json_null(j, "error");
        return;
    }
    hail_json_object(j, "error");
    hail_json_str(j, "layer", hail_layer_name(err->layer));
    hail_json_str(j, "operation", err->op);
    hail_json_str(j, "message", err->msg);
    hail_json_str(j, "advice", err->advice);
    hail_json_end_object(j);
}

static void put_hop(struct hail_json *j, const struct get_hop *h)
{
    hail_json_str(j, "url", h->url);
    hail_json_str(j, "method", h->method);
    hail_json_str(j, "why", h->why);
    if (h->ready_ns) {
        put_endpoint(j, "local", &h->local);
        put_endpoint(j, "peer", &h->peer);
    } else {
        hail_json_null(j, "local");
        hail_json_null(j, "peer");
    }
    hail_json_bool(j, "reused", h->reused);
    hail_json_bool(j, "proxy", h->via_proxy);
    put_attempts(j, h);
    put_times(j, h);
    put_tls(j, h);
    hail_json_int(j, "sent", (int64_t)h->sent);
    put_head(j, h);
    put_error(j, &h->err);
}

int get_report(const struct get_job *job)
{
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    hail_buf_init(&b, REPORT_MAX);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", SCHEMA);
    hail_json_str(&j, "url", job->text);
    hail_json_int(&j, "exit", job->status);
    hail_json_str(&j, "file", job->sink.name);
    hail_json_seconds(&j, "total", job->end_ns - job->start_ns);
    hail_json_int(&j, "redirects", job->redirects);
    hail_json_int(&j, "retries", job->retries);
    hail_json_int(&j, "resumes", job->resumes);
    hail_json_array(&j, "exchanges");
    for (size_t i = 0; i < job->nhops; i++) {
        hail_json_object(&j, NULL);
        put_hop(&j, &job->hops[i]);
        hail_json_end_object(&j);
    }
    hail_json_end_array(&j);
    put_error(&j, &job->err);
    hail_json_end_object(&j);
    int rc = put_json(&b);
    hail_buf_free(&b);
    return rc;
}
