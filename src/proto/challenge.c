/* challenge.c - reading challenges: RFC 9110 sections 5.6 and 11.6.1; proto/challenge.h.
 *
 *   Basic realm="a", Digest realm="b", nonce="c", qop="auth"
 *   ---------------  ----------------------------------------   two challenges
 *
 * A comma stands between challenges and between parameters alike: a token that no '=' follows is
 * the next scheme.
 */
#include "proto/challenge.h"

#include "proto/http_scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reader {
    const char *p, *end;
};

static void skip(struct reader *r, const char *set)
{
    while (r->p < r->end && strchr(set, *r->p) && *r->p)
        r->p++;
}

static struct hail_slice token(struct reader *r)
{
    const char *from = r->p;
    r->p = hail_scan_plain(r->p, r->end, HAIL_HTTP_TCHAR);
    return (struct hail_slice){from, (size_t)(r->p - from)};
}

/* A token, or a quoted string without its quotes; false when it is neither. */
static bool value(struct reader *r, struct hail_slice *out)
{
    if (r->p == r->end || *r->p != '"') {
        *out = token(r);
        return out->n > 0;
    }
    const char *from = ++r->p;
    while (r->p < r->end && *r->p != '"')
        r->p += *r->p == '\\' && r->end - r->p > 1 ? 2 : 1;
    if (r->p >= r->end)
        return false;
    *out = (struct hail_slice){from, (size_t)(r->p++ - from)};
    return true;
}

/* One parameter at r->p: 1, 0 when there is another challenge or the end, -EPROTO. */
static int parameter(struct reader *r, struct hail_challenge *out)
{
    struct reader was = *r;
    struct hail_slice name = token(r), v;
    skip(r, " \t");
    if (name.n == 0 || r->p == r->end || *r->p != '=') {
        *r = was;
        return 0;
    }
    r->p++;
    skip(r, " \t");
    if (!value(r, &v))
        return -EPROTO;
    if (out->n < HAIL_CHALLENGE_PARAMS) {
        out->params[out->n].name = name;
        out->params[out->n++].value = v;
    }
    return 1;
}

/* token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=", up to a comma. */
static bool token68(struct reader *r, struct hail_challenge *out)
{
    const char *q = r->p;
    while (q < r->end && (hail_http_is(*q, HAIL_HTTP_TCHAR) || *q == '/'))
        q++;
    while (q < r->end && *q == '=')
        q++;
    const char *stop = q;
    while (q < r->end && (*q == ' ' || *q == '\t'))
        q++;
    if (stop == r->p || (q < r->end && *q != ','))
        return false;
    out->token68 = (struct hail_slice){r->p, (size_t)(stop - r->p)};
    r->p = q;
    return true;
}

int hail_challenge_next(struct hail_slice *rest, struct hail_challenge *out)
{
    struct reader r = {rest->p, rest->p + rest->n};
    memset(out, 0, sizeof *out);
    skip(&r, " \t,");
    int rc = 0;
    if (r.p < r.end) {
        out->scheme = token(&r);
        rc = out->scheme.n ? 1 : -EPROTO;
        bool spaced = r.p < r.end && (*r.p == ' ' || *r.p == '\t');
        if (rc == 1 && r.p < r.end && !spaced && *r.p != ',')
            rc = -EPROTO;
        skip(&r, " \t");
        if (rc == 1 && spaced && !token68(&r, out)) {
            const char *first = r.p;
            int more;
            skip(&r, " \t,"); /* "Basic , realm=x": a list may have empty members */
            bool comma = r.p != first;
            while ((more = parameter(&r, out)) == 1) {
                skip(&r, " \t");
                if (r.p < r.end && *r.p != ',') {
                    more = -EPROTO;
                    break;
                }
                skip(&r, " \t,");
            }
            if (more < 0 || (out->n == 0 && !comma && r.p < r.end))
                rc = -EPROTO;
        }
    }
    rest->n = (size_t)(r.end - r.p);
    rest->p = r.p;
    return rc;
}

ssize_t hail_challenge_param(const struct hail_challenge *c, const char *name, char *out,
                             size_t size)
{
    for (size_t i = 0; i < c->n; i++) {
        struct hail_slice v = c->params[i].value;
        size_t n = 0;
        if (!hail_slice_is_nocase(c->params[i].name, name))
            continue;
        for (size_t j = 0; j < v.n; j++) {
            if (v.p[j] == '\\' && j + 1 < v.n)
                j++;
            if (n + 1 >= size)
                return -EMSGSIZE;
            out[n++] = v.p[j];
        }
        out[n] = '\0';
        return (ssize_t)n;
    }
    return -ENOENT;
}

int hail_basic_answer(const char *user, const char *password, struct hail_buf *out)
{
    char both[2 * HAIL_SECRET_MAX + 2];
    int n = snprintf(both, sizeof both, "%s:%s", user, password);
    if (n < 0 || (size_t)n >= sizeof both)
        return out->failed = -EMSGSIZE;
    hail_buf_str(out, "Basic ");
    hail_buf_base64(out, both, (size_t)n);
    explicit_bzero(both, sizeof both);
    return out->failed;
}
