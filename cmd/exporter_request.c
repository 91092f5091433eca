/* exporter_request.c - what a request to the exporter asks for: its path, its parameters, and what
 * the client understands; exporter.h.
 */
#include "exporter_conn.h"

#include "openmetrics.h"
#include "proto/answer.h"
#include "proto/url_path.h"

#include <stdlib.h>
#include <string.h>

/* Decodes one name or value to `out`; its end, or NULL for what is not encoded properly. */
static char *decode(const char *p, const char *end, char *out)
{
    for (; p < end; p++, out++) {
        *out = *p == '+' ? ' ' : *p; /* as forms write spaces */
        if (*p == '%') {
            if (!hail_url_is_code(p, end))
                return NULL;
            *out = hail_url_code(p);
            p += 2;
        }
        if (*out == '\0')
            return NULL;
    }
    *out++ = '\0';
    return out;
}

/* The query's parameters; false for one that is not encoded properly. Never longer than it was, but
 * for the '=' of a name alone and the last NUL. */
static bool read_params(struct exporter_conn *k, struct hail_slice query)
{
    const char *p = query.p, *end = p ? p + query.n : NULL;
    char *out = k->params;
    k->nparams = 0;
    while (p && p < end) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        stop = stop ? stop : end;
        const char *equal = memchr(p, '=', (size_t)(stop - p));
        if (equal && equal > p) {
            out = decode(p, equal, out);
            out = out ? decode(equal + 1, stop, out) : NULL;
            if (!out)
                return false;
            k->nparams++;
        }
        p = stop + 1;
    }
    return true;
}

const char *exporter_param(const struct exporter_request *q, const char *name)
{
    const struct exporter_conn *k = exporter_conn_of(q);
    const char *p = k->params;
    for (size_t i = 0; i < k->nparams; i++) {
        const char *value = p + strlen(p) + 1;
        if (strcmp(p, name) == 0)
            return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

/* Prometheus says how long it waits, in seconds. */
static int64_t patience(const struct hail_http_fields *fields)
{
    char text[32] = "";
    const struct hail_http_field *f =
        hail_http_field(fields, "X-Prometheus-Scrape-Timeout-Seconds", NULL);
    if (f && f->value.n < sizeof text)
        memcpy(text, f->value.p, f->value.n);
    double s = strtod(text, NULL);
    return s > 0 && s < 1e6 ? (int64_t)(s * 1000) : 0;
}

void exporter_take_request(struct exporter_conn *k)
{
    const struct hail_http_head *h = &k->head;
    /* content is of no use here, and not read: the connection ends with the answer */
    bool content = h->framing != HAIL_HTTP_NO_BODY && (h->framing != HAIL_HTTP_LENGTH || h->length);
    k->keep_alive = h->keep_alive && !content;
    k->head_only = h->method == HAIL_HTTP_HEAD;
    k->state = EXPORTER_ANSWER;
    k->path[0] = '/';
    ssize_t n = hail_answer_path(h, k->path + 1, sizeof k->path - 1);
    k->q = (struct exporter_request){.path = k->path,
                                     .open = openmetrics_accepted(&h->fields),
                                     .timeout_ms = patience(&h->fields)};
    if (n < 0)
        exporter_refuse(&k->q, (int)-n, NULL);
    else if (!read_params(k, h->query))
        exporter_refuse(&k->q, 400, "the query is not encoded properly");
    else
        k->e->answer(k->e->arg, &k->q);
}
