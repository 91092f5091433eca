/* explain.c - --explain: each response in plain words, and the rules that it breaks; on standard
 * error.
 *
 *     1  GET http://example.org/  ->  200 OK
 *        caching   may be kept for 10 minutes, by everybody (Cache-Control: max-age=600)
 *        breaks    RFC 9110 section 6.6.1: no Date
 *
 * What a field means is in explain_fields.c; this is the frame, and the rules.
 */
#include "explain.h"

#include <stdarg.h>
#include <string.h>

void explain_say(const struct explain *e, const char *topic, const char *fmt, ...)
{
    char raw[1024], text[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hail_text_safe_into(text, sizeof text, raw, strnlen(raw, n < 0 ? 0 : sizeof raw));
    bool bad = strcmp(topic, "breaks") == 0;
    fprintf(stderr, "   %s%-9s%s %s\n", paint(e->c, bad ? "31;1" : "36"), topic, paint(e->c, "0"),
            text);
}

const struct hail_http_field *explain_field(const struct explain *e, const char *name)
{
    return hail_http_field(&e->head.fields, name, NULL);
}

static size_t count(const struct explain *e, const char *name)
{
    size_t n = 0;
    for (const struct hail_http_field *f = NULL; (f = hail_http_field(&e->head.fields, name, f));)
        n++;
    return n;
}

/* --- rules --- */

static void breaks(const struct explain *e, const char *rfc, const char *what)
{
    explain_say(e, "breaks", "RFC %s: %s", rfc, what);
}

/* Fields of which there can be one only. */
static void check_once(const struct explain *e)
{
    static const char *const once[] = {"Content-Type", "Location",    "ETag", "Last-Modified",
                                       "Date",         "Retry-After", "Age",  "Content-Location"};
    char text[128];
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        if (count(e, once[i]) > 1) {
            snprintf(text, sizeof text, "%s is there %zu times, and may be there once", once[i],
                     count(e, once[i]));
            breaks(e, "9110 section 5.3", text);
        }
}

static void check_dates(const struct explain *e)
{
    static const char *const dates[] = {"Date", "Last-Modified", "Expires"};
    char text[128];
    int64_t at, now = (int64_t)e->hop->wall;
    for (size_t i = 0; i < 3; i++) {
        const struct hail_http_field *f = explain_field(e, dates[i]);
        if (f && hail_http_date_parse(f->value, now, &at) < 0 &&
            !(i == 2 && (hail_slice_is(f->value, "0") || hail_slice_is(f->value, "-1")))) {
            snprintf(text, sizeof text, "%s is no HTTP-date", dates[i]);
            breaks(e, "9110 section 5.6.7", text);
        } else if (f && i == 1 && at > now + 60) {
            breaks(e, "9110 section 8.8.2.1", "Last-Modified is in the future");
        } else if (f && i == 0 && (at > now + 60 || at < now - 60)) {
            explain_say(e, "clock", "the server's clock is %lld s %s this one's",
                        (long long)(at > now ? at - now : now - at),
                        at > now ? "before" : "behind");
        }
    }
}

static void check_status(const struct explain *e)
{
    int status = e->hop->status;
    if (status == 401 && !explain_field(e, "WWW-Authenticate"))
        breaks(e, "9110 section 15.5.2", "401 without a WWW-Authenticate");
    if (status == 407 && !explain_field(e, "Proxy-Authenticate"))
        breaks(e, "9110 section 15.5.8", "407 without a Proxy-Authenticate");
    if (status == 405 && !explain_field(e, "Allow"))
        breaks(e, "9110 section 15.5.6", "405 without an Allow");
    if (status == 426 && !explain_field(e, "Upgrade"))
        breaks(e, "9110 section 15.5.22", "426 without an Upgrade");
    if (status == 206 && !explain_field(e, "Content-Range") && !explain_field(e, "Content-Type"))
        breaks(e, "9110 section 15.3.7", "206 without a Content-Range");
    if (status == 201 && !explain_field(e, "Location"))
        explain_say(e, "note", "201 without a Location: what was made is at the URL itself");
    if (status > 599)
        breaks(e, "9110 section 15", "a status above 599, which is taken as a 5xx");
    if (status == 304 && !explain_field(e, "ETag") && !explain_field(e, "Last-Modified"))
        explain_say(e, "note", "304 without a validator: the copy that one has cannot be renewed");
    if (status >= 301 && status <= 308 && status != 304 && status != 306 && status != 305 &&
        !explain_field(e, "Location"))
        breaks(e, "9110 section 15.4", "a redirect without a Location");
}

static void check_framing(const struct explain *e)
{
    const struct get_hop *h = e->hop;
    if (h->status == 204 && explain_field(e, "Content-Length"))
        breaks(e, "9110 section 8.6", "204 with a Content-Length");
    if (h->status == 204 && explain_field(e, "Transfer-Encoding"))
        breaks(e, "9112 section 6.1", "204 with a Transfer-Encoding");
    if (h->framing == HAIL_HTTP_UNTIL_CLOSE && h->minor == 1)
        explain_say(e, "note",
                    "no length: the content ends with the connection, and whether it is"
                    " whole cannot be known");
    if (h->content > 0 && !explain_field(e, "Content-Type"))
        breaks(e, "9110 section 8.3", "content without a Content-Type");
    if (!explain_field(e, "Date") && h->status < 500 && h->status >= 200)
        breaks(e, "9110 section 6.6.1", "no Date, which a server with a clock sends");
}

/* --- the frame --- */

static void explain_hop(const struct common *c, const struct get_hop *h, size_t number)
{
    struct hail_http_field rows[GET_FIELDS];
    struct explain e = {.c = c, .hop = h};
    char reason[128];
    fprintf(stderr, "%s%zu  %s ", paint(c, "1"), number, h->method);
    put_safe(stderr, h->url);
    fprintf(stderr, "%s", paint(c, "0"));
    hail_http_head_init(&e.head, rows, GET_FIELDS, NULL);
    if (h->head && hail_http_response_parse(&e.head, hail_http_method(hail_slice(h->method)),
                                            h->head, h->head_size) > 0) {
        hail_text_safe_into(reason, sizeof reason, e.head.reason.p, e.head.reason.n);
        fprintf(stderr, "  ->  %d %s\n", h->status, reason);
        explain_status(&e);
        explain_fields(&e);
        check_status(&e);
        check_framing(&e);
        check_once(&e);
        check_dates(&e);
    } else {
        fputc('\n', stderr);
    }
    if (h->failed) {
        explain_say(&e, "breaks", "%s", h->err.msg);
        if (*h->err.advice)
            explain_say(&e, "", "%s", h->err.advice);
    }
}

void get_explain(const struct common *c, const struct get_job *j)
{
    for (size_t i = 0; i < j->nhops; i++)
        explain_hop(c, &j->hops[i], i + 1);
}
