/* request.c - the head of the request: what hail sends of itself, and what -H puts in its place.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

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

/* Whether -H speaks of the field, so that hail's own does not go out. */
static bool replaced(const struct get_asked *asked, const char *name)
{
    for (size_t i = 0; i < asked->nfields; i++)
        if (hail_slice_is_nocase(name_of(asked->fields[i]), name))
            return true;
    return false;
}

static void put_own(const struct exchange *x, struct hail_http_out *o, const char *name,
                    struct hail_slice value)
{
    if (!replaced(x->asked, name))
        hail_http_put_slices(o, hail_slice(name), value);
}

/* The fields of -H, in their order. */
static int put_asked(struct exchange *x, struct hail_http_out *o)
{
    for (size_t i = 0; i < x->asked->nfields; i++) {
        const char *field = x->asked->fields[i];
        struct hail_slice name = name_of(field), value = value_of(field);
        bool has_colon = name.n < strlen(field) && field[name.n] == ':';
        if (has_colon && value.n == 0)
            continue;
        hail_http_put_slices(o, name, value);
        if (o->failed == -EINVAL || (!has_colon && field[name.n] != ';'))
            return hail_fail(&x->c->ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                             "-H '%s': not a field of HTTP", field);
        if (hail_slice_is_nocase(name, "Content-Length") ||
            hail_slice_is_nocase(name, "Transfer-Encoding"))
            return hail_fail(&x->c->ctx, HAIL_LAYER_USAGE, EINVAL, "request",
                             "-H '%s': GET and HEAD are sent without content", field);
    }
    return 0;
}

ssize_t get_request(struct exchange *x, char *p, size_t size)
{
    const struct hail_url *u = &x->url;
    struct hail_http_out o = {.p = p, .size = size};
    hail_http_put_request(&o, x->asked->head ? "HEAD" : "GET", hail_url_slice(u, u->target), 1);
    put_own(x, &o, "Host", hail_url_slice(u, u->authority));
    put_own(x, &o, "User-Agent", hail_slice("hail/" HAIL_VERSION));
    put_own(x, &o, "Accept", hail_slice("*/*"));
    put_own(x, &o, "Connection", hail_slice("close"));
    int rc = put_asked(x, &o);
    if (rc < 0)
        return rc;
    ssize_t n = hail_http_put_end(&o);
    return n >= 0 ? n
                  : hail_fail(&x->c->ctx, HAIL_LAYER_USAGE, (int)-n, "request",
                              "write the request: %s",

                              n == -EMSGSIZE ? "too long" : "not fit for a head of HTTP");
}
