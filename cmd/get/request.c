/* request.c - the head of the request: what hail sends of itself, and what -H puts in its place. */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define EXPECT_BYTES ((uint64_t)1 << 20) /* content above this size is announced: 100-continue */

/* The name in a -H value: up to the colon, or to a final ';' for a field without value. */
static struct hail_slice name_of(const char *field)
{
    size_t n = strcspn(field, ":");
    if (!field[n] && n > 0 && field[n - 1] == ';')
        n--;
    return (struct hail_slice){field, n};
}

static struct hail_slice value_of(const char *field)
{
    const char *colon = strchr(field, ':');
    struct hail_slice v = hail_slice(colon ? colon + 1 : "");
    while (v.n && (*v.p == ' ' || *v.p == '\t'))
        v.p++, v.n--;
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

static const char *asked_for(const struct get_session *s, const char *name)
{
    const struct get_words *w = &s->asked->fields;
    for (size_t i = 0; i < w->n; i++)
        if (hail_slice_is_nocase(name_of(w->v[i]), name))
            return w->v[i];
    return NULL;
}

bool get_replaced(const struct get_session *s, const char *name)
{
    return asked_for(s, name) != NULL;
}

/* Credentials that -H gives go to the first origin only. */
static bool is_secret(struct hail_slice name)
{
    return hail_slice_is_nocase(name, "Authorization") || hail_slice_is_nocase(name, "Cookie");
}

/* --- the content's framing --- */

bool get_chunked(const struct get_session *s)
{
    const char *own = asked_for(s, "Transfer-Encoding");
    return s->job->upload.there && !asked_for(s, "Content-Length") &&
           (s->job->upload.endless || (own && hail_slice_is_nocase(value_of(own), "chunked")));
}

bool get_expects(const struct get_session *s)
{
    const char *own = asked_for(s, "Expect");
    if (!s->job->upload.there || s->asked->http10 || s->job->unexpected)
        return false;
    if (own)
        return hail_slice_is_nocase(value_of(own), "100-continue");
    return s->job->upload.endless || s->job->upload.size > EXPECT_BYTES;
}

static void put_content_fields(const struct get_session *s, struct hail_http_out *o, bool withheld)
{
    const struct get_upload *u = &s->job->upload;
    if (!u->there)
        return;
    if (withheld)
        hail_http_put_number(o, "Content-Length", 0);
    else if (get_chunked(s) && !get_replaced(s, "Transfer-Encoding"))
        hail_http_put_field(o, "Transfer-Encoding", "chunked");
    else if (!get_chunked(s) && !get_replaced(s, "Content-Length"))
        hail_http_put_number(o, "Content-Length", u->size);
    if (*s->asked->form_type && !get_replaced(s, "Content-Type"))
        hail_http_put_field(o, "Content-Type", s->asked->form_type);
    else if (s->asked->has_data && !s->asked->get && !get_replaced(s, "Content-Type"))
        hail_http_put_field(o, "Content-Type", "application/x-www-form-urlencoded");
    if (!withheld && get_expects(s) && !get_replaced(s, "Expect"))
        hail_http_put_field(o, "Expect", "100-continue");
}

/* --- fields --- */

static void put_own(const struct get_session *s, struct hail_http_out *o, const char *name,
                    const char *value)
{
    if (value && *value && !get_replaced(s, name))
        hail_http_put_field(o, name, value);
}

static void put_buf(struct hail_http_out *o, const char *name, const struct hail_buf *b)
{
    if (b->failed)
        o->failed = b->failed;
    else if (b->len)
        hail_http_put_slices(o, hail_slice(name), (struct hail_slice){b->p, b->len});
}

static int put_secrets(struct get_session *s, struct hail_http_out *o)
{
    struct hail_buf b;
    hail_buf_init(&b, GET_REQUEST);
    int rc = 0;
    if (s->route.forwarding && !get_replaced(s, "Proxy-Authorization")) {
        rc = get_login_field(s, true, &b);
        if (rc == 1)
            put_buf(o, "Proxy-Authorization", &b);
        hail_buf_clear(&b);
    }
    if (rc >= 0 && !get_replaced(s, "Authorization")) {
        rc = get_login_field(s, false, &b);
        if (rc == 1)
            put_buf(o, "Authorization", &b);
    }
    hail_buf_free(&b);
    return rc < 0 ? rc : 0;
}

/* The jar's, then -b's own, which go to the origin they were given for. */
static void put_cookies(struct get_session *s, struct hail_http_out *o)
{
    struct hail_buf b;
    hail_buf_init(&b, GET_REQUEST);
    pthread_mutex_lock(&s->shared->lock);
    hail_cookie_header(&s->shared->jar, &s->job->url, time(NULL), &b);
    pthread_mutex_unlock(&s->shared->lock);
    const struct get_words *w = &s->asked->cookies;
    for (size_t i = 0; i < w->n && (!s->job->dropped || s->asked->trusted); i++)
        if (strchr(w->v[i], '='))
            hail_buf_printf(&b, "%s%s", b.len ? "; " : "", w->v[i]);
    if (!get_replaced(s, "Cookie"))
        put_buf(o, "Cookie", &b);
    hail_buf_free(&b);
}

/* --etag-compare: the first line of the file, if there is one. */
static void put_etag(const struct get_session *s, struct hail_http_out *o)
{
    char etag[1024] = "";
    FILE *f = s->asked->etag_compare ? fopen(s->asked->etag_compare, "re") : NULL;
    if (f && fgets(etag, sizeof etag, f))
        etag[strcspn(etag, "\r\n")] = '\0';
    if (f)
        fclose(f);
    put_own(s, o, "If-None-Match", *etag ? etag : s->asked->etag_compare ? "\"\"" : NULL);
}

static void put_range(const struct get_session *s, struct hail_http_out *o)
{
    const struct get_resume *r = &s->job->resume;
    char range[128];
    if (r->asked) {
        snprintf(range, sizeof range, "bytes=%llu-", (unsigned long long)r->have);
        put_own(s, o, "Range", range);
        put_own(s, o, "If-Range", *r->etag ? r->etag : r->modified);
    } else if (s->asked->range) {
        snprintf(range, sizeof range, "bytes=%.120s", s->asked->range);
        put_own(s, o, "Range", range);
    } else if (s->job->upload.skip) {
        const struct get_upload *u = &s->job->upload;
        snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)u->skip,
                 (unsigned long long)(u->skip + u->size - 1),
                 (unsigned long long)(u->skip + u->size));
        put_own(s, o, "Content-Range", range);
    }
}

/* A multipart type of -H's own is of no use without the boundary that -F's content has. */
static bool needs_boundary(const struct get_session *s, struct hail_slice name,
                           struct hail_slice value)
{
    static const char multipart[] = "multipart/";
    return *s->asked->form_type && hail_slice_is_nocase(name, "Content-Type") &&
           value.n >= sizeof multipart - 1 &&
           strncasecmp(value.p, multipart, sizeof multipart - 1) == 0 &&
           !memmem(value.p, value.n, "boundary=", 9);
}

static void put_with_boundary(const struct get_session *s, struct hail_http_out *o,
                              struct hail_slice value)
{
    struct hail_buf b;
    hail_buf_init(&b, GET_REQUEST);
    hail_buf_add(&b, value.p, value.n);
    hail_buf_str(&b, strchr(s->asked->form_type, ';'));
    put_buf(o, "Content-Type", &b);
    hail_buf_free(&b);
}

/* -H, in its order. */
static int put_asked(struct get_session *s, struct hail_http_out *o)
{
    const struct get_words *w = &s->asked->fields;
    for (size_t i = 0; i < w->n; i++) {
        const char *field = w->v[i];
        struct hail_slice name = name_of(field), value = value_of(field);
        bool has_colon = name.n < strlen(field) && field[name.n] == ':';
        if ((has_colon && value.n == 0) ||
            (is_secret(name) && s->job->dropped && !s->asked->trusted))
            continue;
        if (needs_boundary(s, name, value))
            put_with_boundary(s, o, value);
        else
            hail_http_put_slices(o, name, value);
        if (o->failed == -EINVAL || (!has_colon && field[name.n] != ';'))
            return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                             "-H '%s': not a field of HTTP", field);
        bool length = hail_slice_is_nocase(name, "Content-Length");
        bool none = length && hail_slice_is(value, "0"); /* of POST without content: RFC 9110 */
        if (((length && !none) || hail_slice_is_nocase(name, "Transfer-Encoding")) &&
            !s->job->upload.there)
            return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                             "-H '%s': this request has no content", field);
        if (length && get_replaced(s, "Transfer-Encoding"))
            return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                             "-H '%s': a length beside a coding is two framings", field);
    }
    return 0;
}

/* --- the line --- */

struct hail_slice get_target(const struct get_session *s)
{
    const struct hail_url *u = &s->job->url;
    return s->asked->target ? hail_slice(s->asked->target) : hail_url_slice(u, u->target);
}

static void put_line(const struct get_session *s, struct hail_http_out *o)
{
    const struct hail_url *u = &s->job->url;
    char whole[HAIL_URL_MAX + 16];
    struct hail_slice target = get_target(s);
    if (s->route.forwarding && !s->asked->target) {
        struct hail_slice authority = hail_url_slice(u, u->authority);
        int n = snprintf(whole, sizeof whole, "http://%.*s%.*s", (int)authority.n, authority.p,
                         (int)target.n, target.p);
        target = (struct hail_slice){whole, (size_t)n};
    }
    hail_http_put_request(o, s->job->method, target, s->asked->http10 ? 0 : 1);
}

/* What is said of the connection, where the version's own rule is another. */
static void put_connection(const struct get_session *s, struct hail_http_out *o)
{
    if (s->route.forwarding)
        put_own(s, o, "Proxy-Connection", "Keep-Alive");
}

static int put_fields(struct get_session *s, struct hail_http_out *o, bool withheld)
{
    const struct get_asked *a = s->asked;
    const struct hail_url *u = &s->job->url;
    if (!get_replaced(s, "Host"))
        hail_http_put_slices(o, hail_slice("Host"), hail_url_slice(u, u->authority));
    int rc = put_secrets(s, o);
    if (rc < 0)
        return rc;
    put_range(s, o);
    put_etag(s, o);
    put_own(s, o, "User-Agent", a->agent ? a->agent : "hail/" HAIL_VERSION);
    put_own(s, o, "Accept", "*/*");
    if (a->compressed)
        put_own(s, o, "Accept-Encoding", "gzip, br, zstd, deflate");
    put_own(s, o, "Referer", s->job->referer);
    put_cookies(s, o);
    put_connection(s, o);
    rc = put_asked(s, o);
    put_content_fields(s, o, withheld);
    return rc;
}

int get_request(struct get_session *s)
{
    int rc = hail_buf_reserve(&s->request, GET_REQUEST);
    if (rc < 0)
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, -rc, "request", "write the request: %s",
                         hail_errno_text(-rc));
    struct hail_http_out o = {.p = s->request.p, .size = GET_REQUEST};
    put_line(s, &o);
    if (o.failed == -EINVAL)
        return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                         "\"%.64s\" is no method, or the target is none", s->job->method);
    rc = put_fields(s, &o, get_login_waits(s));
    if (rc < 0)
        return rc;
    ssize_t n = hail_http_put_end(&o);
    if (n < 0)
        return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, (int)-n, "request", "write the request: %s",
                         n == -EMSGSIZE ? "too long" : "not fit for a head of HTTP");
    s->request.len = (size_t)n;
    return 0;
}
