/* explain_fields.c - what a response's fields mean, in plain words: caching (RFC 9111), cookies
 * (RFC 6265), CORS (the Fetch standard), security. */
#include "explain.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHOWN(f) (int)((f)->value.n < 120 ? (f)->value.n : 120), (f)->value.p

void explain_status(const struct explain *e)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "here it is"},
        {201, "it was made"},
        {202, "taken, but not done yet"},
        {204, "done, and there is nothing to show"},
        {206, "the part that was asked for"},
        {301, "it has moved for good: ask there from now on"},
        {302, "for now it is elsewhere: a GET there shows it"},
        {303, "look there for the result, by GET"},
        {304, "it has not changed: what one has is still good"},
        {307, "for now it is elsewhere: make the same request there"},
        {308, "it has moved for good: make the same request there"},
        {400, "the server does not understand the request"},
        {401, "who is asking? It wants credentials"},
        {403, "it knows what is asked for, and does not give it"},
        {404, "there is no such thing here"},
        {405, "not with this method"},
        {406, "not in a form that was asked for"},
        {408, "the request was not complete in time"},
        {409, "it does not go with what is there"},
        {410, "it is gone, and will not come back"},
        {412, "the condition of the request does not hold"},
        {413, "the request's content is too large"},
        {415, "the request's content is of a type it does not take"},
        {416, "there are no such bytes"},
        {417, "it will not do what Expect asked for"},
        {422, "it understands the content, and cannot do it"},
        {425, "too early: it might be a replay"},
        {426, "only by another protocol"},
        {428, "only with a condition"},
        {429, "too many requests: slow down"},
        {431, "the request's head is too large"},
        {451, "not for legal reasons"},
        {500, "the server failed"},
        {501, "the server does not know the method"},
        {502, "the server behind the server answered nonsense"},
        {503, "not now: overloaded, or down for a while"},
        {504, "the server behind the server did not answer in time"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == e->hop->status)
            explain_say(e, "means", "%s", texts[i].text);
}

/* --- caching --- */

/* The value of a directive; p NULL: it is not there. */
static struct hail_slice directive(const struct hail_http_field *f, const char *name)
{
    struct hail_slice rest = f->value, item;
    size_t n = strlen(name);
    while (hail_http_list_next(&rest, &item)) {
        if (item.n < n || strncasecmp(item.p, name, n) != 0)
            continue;
        if (item.n == n)
            return (struct hail_slice){item.p + n, 0};
        if (item.p[n] == '=')
            return (struct hail_slice){item.p + n + 1, item.n - n - 1};
    }
    return (struct hail_slice){0};
}

static void put_span(char *out, size_t size, long long s)
{
    static const struct {
        long long seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    for (size_t i = 0; i < 4; i++)
        if (s >= units[i].seconds && (s % units[i].seconds == 0 || s >= 10 * units[i].seconds)) {
            long long n = s / units[i].seconds;
            snprintf(out, size, "%lld %s%s", n, units[i].name, n == 1 ? "" : "s");
            return;
        }
    snprintf(out, size, "%lld seconds", s);
}

static void control(const struct explain *e, const struct hail_http_field *f)
{
    struct hail_slice age = directive(f, "s-maxage"), own = directive(f, "max-age");
    const char *who = directive(f, "private").p ? "by this client alone" : "by everybody";
    char span[48];
    if (directive(f, "no-store").p) {
        explain_say(e, "caching", "may not be kept at all (no-store)");
        return;
    }
    if (directive(f, "no-cache").p)
        explain_say(e, "caching",
                    "may be kept %s, but is to be asked for again each time (no-cache)", who);
    else if (own.p || age.p) {
        struct hail_slice v = own.p ? own : age;
        char text[24];
        snprintf(text, sizeof text, "%.*s", (int)(v.n < 20 ? v.n : 20), v.p);
        put_span(span, sizeof span, strtoll(text, NULL, 10));
        explain_say(e, "caching", "may be kept for %s, %s%s%s", span, who,
                    directive(f, "immutable").p ? ", and will never change" : "",
                    directive(f, "must-revalidate").p ? "; not a second longer" : "");
    } else {
        explain_say(e, "caching", "may be kept %s, for how long is not said", who);
    }
}

static void caching(const struct explain *e)
{
    const struct hail_http_field *f = explain_field(e, "Cache-Control"),
                                 *age = explain_field(e, "Age"), *vary = explain_field(e, "Vary"),
                                 *etag = explain_field(e, "ETag");
    if (f)
        control(e, f);
    else if (explain_field(e, "Expires"))
        explain_say(e, "caching", "may be kept until its Expires");
    else if (explain_field(e, "Last-Modified"))
        explain_say(e, "caching",
                    "nothing is said: a cache may guess, a tenth of its age as a rule");
    if (age)
        explain_say(e, "caching", "it comes from a cache, where it was for %.*s seconds",
                    SHOWN(age));
    if (vary)
        explain_say(e, "caching",
                    hail_slice_is(vary->value, "*") ? "it is for this request alone (Vary: *)"
                                                    : "there are others, by the request's %.*s",
                    SHOWN(vary));
    if (etag)
        explain_say(
            e, "version", "%.*s%s", SHOWN(etag),
            etag->value.n > 2 && etag->value.p[0] == 'W'
                ? ": weak, the same in meaning only, so that downloads cannot be resumed by it"
                : ": the same, the same bytes");
}

/* --- cookies --- */

static bool has_attribute(struct hail_slice v, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < v.n; i++)
        if (v.p[i] == ';') {
            size_t at = i + 1;
            while (at < v.n && v.p[at] == ' ')
                at++;
            if (at + n <= v.n && strncasecmp(v.p + at, name, n) == 0)
                return true;
        }
    return false;
}

/* Why nobody takes the cookie; NULL: it is taken. */
static const char *refusal(const struct explain *e, struct hail_slice value)
{
    struct hail_cookie_jar jar = {0};
    struct hail_url from;
    if (hail_url_parse(NULL, &from, e->hop->url) < 0)
        return NULL;
    enum hail_cookie_refusal why = hail_cookie_set(&jar, &from, value, (int64_t)e->hop->wall);
    hail_cookie_jar_free(&jar);
    return why == HAIL_COOKIE_TAKEN ? NULL : hail_cookie_refusal_text(why);
}

static void cookies(const struct explain *e)
{
    const struct hail_http_field *f = NULL;
    while ((f = hail_http_field(&e->head.fields, "Set-Cookie", f))) {
        const char *semi = memchr(f->value.p, ';', f->value.n);
        size_t pair = semi ? (size_t)(semi - f->value.p) : f->value.n;
        const char *equal = memchr(f->value.p, '=', pair);
        int name = equal ? (int)(equal - f->value.p) : 0;
        const char *why = refusal(e, f->value);
        if (why) {
            explain_say(e, "cookie", "%.*s is refused: %s", name, f->value.p, why);
            continue;
        }
        bool lasts = has_attribute(f->value, "Max-Age") || has_attribute(f->value, "Expires");
        explain_say(e, "cookie", "%.*s %s, %s%s%s%s", name, f->value.p,
                    lasts ? "for a time" : "for the session",
                    has_attribute(f->value, "Domain=") ? "for the domain and what is below it"
                                                       : "for this host alone",
                    has_attribute(f->value, "Secure") ? ""
                                                      : "; also over http, as it is not Secure",
                    has_attribute(f->value, "HttpOnly") ? "" : "; scripts of the page can read it",
                    has_attribute(f->value, "SameSite=None") ? "; sent from other sites, too" : "");
    }
}

/* --- CORS and security --- */

static void cors(const struct explain *e)
{
    const struct hail_http_field *f = explain_field(e, "Access-Control-Allow-Origin"),
                                 *secret = explain_field(e, "Access-Control-Allow-Credentials");
    if (!f)
        return;
    bool all = hail_slice_is(f->value, "*");
    if (all)
        explain_say(e, "CORS", "scripts of any site may read it, without the user's cookies");
    else
        explain_say(e, "CORS", "scripts of %.*s may read it%s", SHOWN(f),
                    secret ? ", with the user's cookies" : "");
    if (all && secret)
        explain_say(e, "CORS", "credentials do not go with '*': browsers refuse the two together");
}

static void security(const struct explain *e)
{
    static const struct {
        const char *name, *text;
    } known[] = {
        {"Content-Security-Policy", "what the page may load and run is limited"},
        {"X-Frame-Options", "who may show it in a frame is limited"},
        {"Referrer-Policy", "what other sites learn of this URL is limited"},
        {"Permissions-Policy", "what the page may use of the device is limited"},
        {"Cross-Origin-Opener-Policy", "it has a process of its own in the browser"},
        {"Cross-Origin-Resource-Policy", "who may embed it is limited"},
    };
    const struct hail_http_field *f = explain_field(e, "Strict-Transport-Security");
    if (f && e->hop->https && hail_slice_is_nocase(f->value, "max-age=0"))
        explain_say(e, "security", "browsers forget that they had to come back by https");
    else if (f && e->hop->https)
        explain_say(e, "security", "browsers come back by https only (%.*s)", SHOWN(f));
    else if (f)
        explain_say(e, "security", "Strict-Transport-Security over http has no effect (RFC 6797)");
    f = explain_field(e, "X-Content-Type-Options");
    if (f)
        explain_say(e, "security", "the browser does not guess the type (%.*s)", SHOWN(f));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((f = explain_field(e, known[i].name)))
            explain_say(e, "security", "%s (%s: %.*s)", known[i].text, known[i].name, SHOWN(f));
    f = explain_field(e, "Server");
    if (f)
        explain_say(e, "server", "%.*s", SHOWN(f));
}

static void others(const struct explain *e)
{
    const struct hail_http_field *f = explain_field(e, "Retry-After");
    if (f)
        explain_say(e, "again", "after %.*s", SHOWN(f));
    f = explain_field(e, "Location");
    if (f)
        explain_say(e, "leads to", "%.*s", SHOWN(f));
    f = explain_field(e, "Content-Encoding");
    if (f)
        explain_say(e, "coding", "the content is in %.*s: --compressed decodes it", SHOWN(f));
    f = explain_field(e, "Accept-Ranges");
    if (f && hail_slice_is_nocase(f->value, "bytes"))
        explain_say(e, "ranges", "a download of it can be resumed");
    f = explain_field(e, "WWW-Authenticate");
    if (f)
        explain_say(e, "login", "%.*s", SHOWN(f));
}

void explain_fields(const struct explain *e)
{
    caching(e);
    cookies(e);
    cors(e);
    security(e);
    others(e);
}
