/* redirect.c - where a 3xx leads: RFC 9110 sections 10.2.2 and 15.4.
 *
 *      301, 302   POST becomes GET, as everybody does it     307, 308   the same request
 *      303        GET (HEAD stays)                           300, 304   are answers
 *
 * Credentials are for the origin they were given for. From https to http they are not only left
 * out: the way back could be listened to, so that a redirect that would is refused.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct get_session *s, const char *why, const char *rfc)
{
    char peer[HAIL_ENDPOINT_MAX];
    hail_fail(&s->c.ctx, HAIL_LAYER_PROTO, EPROTO, "redirect", "redirect from %s: %s",
              get_where(s, peer), why);
    hail_advise(&s->c.ctx, "%s", rfc);
    return -EPROTO;
}

static bool redirects(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

int get_location(struct get_session *s, struct hail_url *out)
{
    const struct hail_http_field *f = get_field(s, "Location"), *more;
    if (!f || !redirects(s->head.status))
        return 0;
    for (more = f; (more = hail_http_field(&s->head.fields, "Location", more));)
        if (more->value.n != f->value.n || memcmp(more->value.p, f->value.p, f->value.n) != 0)
            return refuse(s, "two Location fields that differ",
                          "RFC 9110 section 10.2.2: there is one");
    struct hail_ctx quiet = HAIL_CTX_INIT;
    int rc = hail_url_resolve(&quiet, out, &s->job->url, f->value);
    if (rc < 0) {
        refuse(s,
               rc == -EPROTONOSUPPORT ? "its Location is neither http nor https"
                                      : "its Location is no URL",
               *quiet.err.msg ? quiet.err.msg : "RFC 9110 section 10.2.2");
        return -EPROTO;
    }
    return 1;
}

static bool has_credentials(const struct get_session *s)
{
    const struct get_asked *a = s->asked;
    return !s->job->dropped && (s->login.has || a->bearer || get_replaced(s, "Authorization") ||
                                get_replaced(s, "Cookie"));
}

/* The method of the next request; the content goes with a method that has none. */
static void change_method(struct get_session *s)
{
    struct get_job *j = s->job;
    int status = s->head.status;
    bool post = strcmp(j->method, "POST") == 0;
    bool kept = status >= 307 || s->asked->method ||
                (status == 303 ? strcmp(j->method, "HEAD") == 0 || (post && s->asked->keep_post[2])
                               : !post || s->asked->keep_post[status - 301]);
    if (!kept) {
        j->method = "GET";
        get_upload_close(&j->upload);
        memset(&j->upload, 0, sizeof j->upload);
    }
}

/* Without the user and the fragment. */
static void set_referer(struct get_session *s)
{
    const char *e = s->asked->referer;
    size_t n = e ? strlen(e) : 0;
    if (n < 5 || strcmp(e + n - 5, ";auto") != 0)
        return;
    const struct hail_url *u = &s->job->url;
    struct hail_slice authority = hail_url_slice(u, u->authority),
                      target = hail_url_slice(u, u->target);
    char *text = malloc(HAIL_URL_MAX + 32);
    if (!text)
        return;
    snprintf(text, HAIL_URL_MAX + 32, "http%s://%.*s%.*s", u->https ? "s" : "", (int)authority.n,
             authority.p, (int)target.n, target.p);
    free(s->job->referer);
    s->job->referer = text;
}

int get_redirect(struct get_session *s)
{
    struct get_job *j = s->job;
    struct hail_url next;
    int rc = s->asked->follow ? get_location(s, &next) : 0;
    if (rc <= 0)
        return rc;
    if (s->asked->max_redirects >= 0 && j->redirects >= (unsigned)s->asked->max_redirects) {
        char why[64];
        snprintf(why, sizeof why, "more than %d redirects", s->asked->max_redirects);
        return refuse(s, why, "--max-redirs allows for more");
    }
    bool other = !hail_url_same_origin(&j->url, &next);
    if (j->url.https && !next.https && has_credentials(s) && !s->asked->trusted)
        return refuse(s, "from https to http, with credentials that would be listened to",
                      "RFC 9110 section 17.16; --location-trusted follows it all the same");
    change_method(s);
    if (!get_upload_again(s))
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ESPIPE, "redirect",
                         "redirect: the content would have to be sent again, and standard input"
                         " cannot be read again");
    set_referer(s);
    if (other && !s->asked->trusted)
        j->dropped = true;
    j->redirects++;
    get_verbose(s, "redirect to %s", next.text);
    j->url = next;
    return 1;
}
