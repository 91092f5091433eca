/* report.c - --json: the whole exchange as one document (the schema is in hail-get(1)). */
#include "get/get.h"

static void put_endpoint(struct hail_json *j, const char *key, struct hail_endpoint ep)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&ep, text, sizeof text);
    hail_json_str(j, key, text);
}

static void put_attempts(struct hail_json *j, const struct exchange *x)
{
    size_t n;
    const struct hail_attempt *v = hail_stream_attempts(x->stream, &n);
    hail_json_array(j, "attempts");
    for (size_t i = 0; i < n; i++) {
        hail_json_object(j, NULL);
        put_endpoint(j, "address", hail_endpoint_of(&v[i].addr));
        hail_json_seconds(j, "start", v[i].start_ns - x->at.start);
        hail_json_seconds(j, "duration", v[i].end_ns - v[i].start_ns);
        if (v[i].errnum)
            hail_json_str(j, "error", hail_errno_text(v[i].errnum));
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
}

static void put_tls(struct hail_json *j, const struct hail_stream *s)
{
    struct hail_tls_info info;
    if (hail_tls_info(s, &info) < 0)
        return;
    hail_json_object(j, "tls");
    hail_json_str(j, "version", info.version);
    hail_json_str(j, "cipher", info.cipher);
    hail_json_str(j, "alpn", info.alpn);
    hail_json_bool(j, "resumed", info.resumed);
    hail_json_bool(j, "verified", info.verified);
    hail_json_str(j, "subject", info.subject);
    hail_json_str(j, "issuer", info.issuer);
    hail_json_str(j, "names", info.names);
    hail_json_int(j, "days_left", info.days_left);
    hail_json_str(j, "refused", info.refused);
    hail_json_end_object(j);
}

static void put_response(struct hail_json *j, const struct exchange *x)
{
    hail_json_object(j, "response");
    hail_json_int(j, "status", x->head.status);
    hail_json_strn(j, "reason", x->head.reason.p ? x->head.reason.p : "", x->head.reason.n);
    hail_json_str(j, "version", x->head.minor ? "1.1" : "1.0");
    hail_json_array(j, "fields");
    for (size_t i = 0; i < x->head.fields.n; i++) {
        const struct hail_http_field *f = &x->head.fields.v[i];
        hail_json_object(j, NULL);
        hail_json_strn(j, "name", f->name.p, f->name.n);
        hail_json_strn(j, "value", f->value.p, f->value.n);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
    hail_json_int(j, "bytes", (int64_t)x->received);
    hail_json_end_object(j);
}

/* Seconds that each phase took; a phase that was not reached is not there. */
static void put_timing(struct hail_json *j, const struct get_times *at)
{
    const struct {
        const char *name;
        int64_t from, to;
    } phases[] = {
        {"name", at->start, at->resolved},
        {"connect", at->resolved, at->connected},
        {"tls", at->connected, at->secured},
        {"request", at->secured ? at->secured : at->connected, at->sent},
        {"first_byte", at->sent, at->head},
        {"body", at->head, at->end},
        {"total", at->start, at->end ? at->end : hail_now()},
    };
    hail_json_object(j, "timing");
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        if (phases[i].from && phases[i].to)
            hail_json_seconds(j, phases[i].name, phases[i].to - phases[i].from);
    hail_json_end_object(j);
}

void report_begin(struct exchange *x)
{
    if (!x->j)
        return;
    hail_json_object(x->j, NULL);
    hail_json_int(x->j, "v", 1);
    hail_json_str(x->j, "url", x->url.text);
    hail_json_str(x->j, "method", x->o->head ? "HEAD" : "GET");
}

void report_connection(struct exchange *x)
{
    if (!x->j || !x->stream)
        return;
    put_endpoint(x->j, "local", hail_local(x->stream));
    put_endpoint(x->j, "peer", hail_peer(x->stream));
    put_attempts(x->j, x);
    put_tls(x->j, x->stream);
}

int report_end(struct exchange *x, int status)
{
    if (!x->j)
        return status;
    const struct hail_error *err = &x->c->ctx.err;
    if (x->at.head)
        put_response(x->j, x);
    put_timing(x->j, &x->at);
    if (status && err->errnum) {
        hail_json_object(x->j, "error");
        hail_json_str(x->j, "layer", hail_layer_name(err->layer));
        hail_json_str(x->j, "op", err->op);
        hail_json_str(x->j, "text", err->msg);
        hail_json_str(x->j, "advice", err->advice);
        hail_json_end_object(x->j);
    }
    hail_json_int(x->j, "exit", status);
    hail_json_end_object(x->j);
    int failed = put_json(x->j->out);
    return status ? status : failed;
}
