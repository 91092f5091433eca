/* targets.c - targets, one by one; targets.h. The file is read in targets_file.c. */
#include "targets.h"
#include "values.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A target while it is being read. */
struct reading {
    struct check_pool *pool;
    const struct check_settings *set;
    struct hail_endpoint to;
    enum hail_hello_kind kind; /* KINDS: not known yet */
    bool tls;
    const char *path;
    char *why;
};

/* --- where it is --- */

static int take_url(struct reading *r, const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_url u;
    if (hail_url_parse(&ctx, &u, text) < 0)
        return check_wrong(r->why, "%s", ctx.err.msg);
    if (u.user.there)
        return check_wrong(r->why, "a user in a URL is not sent; header=Authorization: ... is");
    char host[HAIL_URL_HOST_MAX + IF_NAMESIZE + 4];
    snprintf(host, sizeof host, "%s%s%s%s%s", u.ipv6 ? "[" : "", u.host, *u.zone ? "%" : "", u.zone,
             u.ipv6 ? "]" : "");
    if (hail_endpoint_parse(&ctx, &r->to, host, u.port) < 0)
        return check_wrong(r->why, "%s", ctx.err.msg);
    r->to.port = u.port;
    struct hail_slice target = hail_url_slice(&u, u.target);
    r->path = check_pool_text(r->pool, target.p ? target.p : "/", target.p ? target.n : 1);
    r->kind = HAIL_HELLO_HTTP;
    r->tls = u.https;
    return r->path ? 0 : -ENOMEM;
}

/* "scheme://endpoint". */
static int take_scheme(struct reading *r, const char *text, size_t scheme, size_t *column)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    char name[32], where[HAIL_ENDPOINT_MAX + 1];
    const char *rest = text + scheme + 3;
    size_t n = strlen(rest);
    if (scheme < sizeof name) {
        memcpy(name, text, scheme);
        name[scheme] = '\0';
        r->kind = hail_hello_by_name(name, &r->tls);
    }
    if (r->kind == HAIL_HELLO_KINDS)
        return check_wrong(r->why, "'%.*s' is no protocol that hail knows the hello of",
                           (int)scheme, text);
    n -= n && rest[n - 1] == '/';
    if (n >= sizeof where || memchr(rest, '/', n))
        return check_wrong(r->why, "only http:// and https:// have a path");
    memcpy(where, rest, n);
    where[n] = '\0';
    *column = scheme + 4;
    if (hail_endpoint_parse(&ctx, &r->to, where, hail_hello_port_by_name(name)) < 0)
        return check_wrong(r->why, "%s", ctx.err.msg);
    return 0;
}

static int take_endpoint(struct reading *r, const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    const struct check_settings *s = r->set;
    bool other = s->kind != HAIL_HELLO_KINDS && s->tls == CHECK_TLS_ON && !s->protocol_tls;
    uint16_t port = other ? hail_hello_port(s->kind, true) : s->port;
    if (hail_endpoint_parse(&ctx, &r->to, text, port) < 0)
        return check_wrong(r->why, "%s", ctx.err.msg);
    return 0;
}

/* --- what is spoken there --- */

/* By the registry, /etc/services first: "mail 2525/tcp smtp" makes it SMTP. */
static enum hail_hello_kind by_port(uint16_t port, bool *tls)
{
    const char *name = hail_service_name(port, HAIL_SERVICE_TCP);
    enum hail_hello_kind kind = hail_hello_by_port(port, tls);
    if (kind == HAIL_HELLO_NONE && name)
        kind = hail_hello_by_name(name, tls);
    if (kind != HAIL_HELLO_KINDS)
        return kind;
    *tls = false;
    return HAIL_HELLO_NONE;
}

static bool is_unix(const struct hail_endpoint *ep)
{
    return ep->kind == HAIL_HOST_UNIX || ep->kind == HAIL_HOST_ABSTRACT;
}

static int decide(struct reading *r)
{
    const struct check_settings *s = r->set;
    bool tls = s->protocol_tls;
    if (r->kind == HAIL_HELLO_KINDS) {
        r->kind = s->kind;
        if (s->kind == HAIL_HELLO_KINDS)
            r->kind = is_unix(&r->to) ? HAIL_HELLO_NONE : by_port(r->to.port, &tls);
        r->tls = tls;
    }
    if (s->script)
        r->kind = HAIL_HELLO_SCRIPT;
    if (s->tls != CHECK_TLS_BY_PORT)
        r->tls = s->tls == CHECK_TLS_ON;
    if (r->to.transport == HAIL_TLS)
        r->tls = true;
    if (r->to.transport == HAIL_UDP && !hail_hello_is_udp(r->kind))
        return check_wrong(r->why, "over UDP hail knows the hellos of DNS and NTP alone");
    if (hail_hello_is_udp(r->kind) && r->to.transport == HAIL_TRANSPORT_ANY && !r->tls &&
        !is_unix(&r->to))
        r->to.transport = HAIL_UDP;
    return 0;
}

int check_target_parse(struct check_targets *t, const char *text, const struct check_settings *set,
                       struct check_target *out, char why[CHECK_WHY], size_t *column)
{
    struct reading r = {.pool = t->pool, .set = set, .kind = HAIL_HELLO_KINDS, .why = why};
    const char *scheme = strstr(text, "://");
    *column = 1;
    int rc = scheme && (strncasecmp(text, "http:", 5) == 0 || strncasecmp(text, "https:", 6) == 0)
                 ? take_url(&r, text)
             : scheme ? take_scheme(&r, text, (size_t)(scheme - text), column)
                      : take_endpoint(&r, text);
    if (rc == 0)
        rc = decide(&r);
    if (rc < 0)
        return rc;
    char where[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&r.to, where, sizeof where);
    bool local = is_unix(&r.to) || r.to.kind == HAIL_HOST_ANY;
    const char *host = local ? "localhost" : r.to.host;
    *out = (struct check_target){.text = check_pool_text(t->pool, text, strlen(text)),
                                 .path = r.path,
                                 .host = check_pool_text(t->pool, host, strlen(host)),
                                 .where = check_pool_text(t->pool, where, strlen(where)),
                                 .set = set,
                                 .kind = r.kind,
                                 .tls = r.tls,
                                 .bare = !r.to.has_port && !is_unix(&r.to)};
    return out->text && out->host && out->where ? 0 : -ENOMEM;
}

struct hail_endpoint check_endpoint(const struct check_target *t)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint to = {.port = 0};
    hail_endpoint_parse(&ctx, &to, t->where, 0); /* it was written by hail_endpoint_format() */
    return to;
}

/* --- all of them --- */

int check_targets_init(struct check_targets *t)
{
    t->pool = check_pool_new();
    return t->pool ? 0 : -ENOMEM;
}

void check_targets_free(struct check_targets *t)
{
    free(t->v);
    free(t->modules);
    free(t->allows);
    check_pool_free(t->pool);
    *t = (struct check_targets){.n = 0};
}

int check_targets_add(struct check_targets *t, const struct check_target *target)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 16;
        struct check_target *v = realloc(t->v, cap * sizeof *v);
        if (!v)
            return -ENOMEM;
        t->v = v;
        t->cap = cap;
    }
    t->v[t->n++] = *target;
    return 0;
}

const struct check_module *check_find_module(const struct check_targets *t, const char *name)
{
    for (size_t i = 0; i < t->nmodules; i++)
        if (strcmp(t->modules[i].name, name) == 0)
            return &t->modules[i];
    return NULL;
}

bool check_allowed(const struct check_targets *t, const char *text, const char *module,
                   const struct check_target **listed)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct check_target *v = &t->v[i];
        if (strcmp(v->text, text) != 0 && !(v->set->name && strcmp(v->set->name, text) == 0))
            continue;
        if (module && (!v->set->module || strcmp(v->set->module, module) != 0))
            continue;
        if (listed)
            *listed = v;
        return true;
    }
    if (listed)
        *listed = NULL;
    for (size_t i = 0; i < t->nallows; i++) {
        const struct check_allow *a = &t->allows[i];
        if (fnmatch(a->pattern, text, 0) == 0 &&
            (!a->module || (module && strcmp(a->module, module) == 0)))
            return true;
    }
    return false;
}
