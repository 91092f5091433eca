/* resolve.c - from an endpoint to its addresses; the parts are drawn in resolve.h.
 *
 * The cheapest source that can answer does: a number is its own answer, localhost is the loopback,
 * then the hosts file, and only then a name server.
 */
#include "net/resolve.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The answer while it grows; what the caller gets is made of it at the end. */
struct found {
    size_t n;
    char canonical[HAIL_HOST_MAX + 1], server[HAIL_ENDPOINT_MAX];
    struct hail_address v[HAIL_RESOLVE_MAX];
};

static const struct hail_resolve_opts no_opts;

const char *hail_source_name(enum hail_source source)
{
    static const char *const names[] = {"literal", "local", "hosts", "dns"};
    return (unsigned)source < sizeof names / sizeof *names ? names[source] : "dns";
}

bool hail_name_within(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);
    if (n > 0 && name[n - 1] == '.')
        n--;
    return n >= d && strncasecmp(name + n - d, domain, d) == 0 &&
           (n == d || name[n - d - 1] == '.');
}

static void add(struct found *f, const struct hail_addr *addr, enum hail_source source, int32_t ttl)
{
    for (size_t i = 0; i < f->n; i++)
        if (hail_addr_equal(&f->v[i].addr, addr))
            return;
    if (f->n < HAIL_RESOLVE_MAX)
        f->v[f->n++] = (struct hail_address){.addr = *addr, .source = source, .ttl = ttl};
}

static void add_ip(struct found *f, int family, const uint8_t *ip, enum hail_source source,
                   int32_t ttl)
{
    struct hail_addr a = {0};
    a.u.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        a.len = sizeof a.u.in4;
        memcpy(&a.u.in4.sin_addr, ip, 4);
    } else {
        a.len = sizeof a.u.in6;
        memcpy(&a.u.in6.sin6_addr, ip, 16);
    }
    add(f, &a, source, ttl);
}

static void add_loopback(struct found *f, int family)
{
    static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
    if (family != AF_INET)
        add_ip(f, AF_INET6, v6, HAIL_SOURCE_LOCAL, -1);
    if (family != AF_INET6)
        add_ip(f, AF_INET, v4, HAIL_SOURCE_LOCAL, -1);
}

static void set_canonical(struct found *f, const char *name)
{
    size_t n = strlen(name);
    if (n > 1 && name[n - 1] == '.')
        n--;
    if (n > HAIL_HOST_MAX)
        return;
    memcpy(f->canonical, name, n);
    f->canonical[n] = '\0';
}

/* Takes the addresses of one answer. 0 or -errno. */
static int take_answer(struct hail_asker *a, const struct hail_question *q, struct found *f)
{
    struct hail_dns_addresses got;
    char scratch[16];
    if (q->rc < 0) {
        hail_trace_note(a->ctx, HAIL_LAYER_NAME, "resolve", "%s: %s",
                        hail_dns_type_name(q->type, scratch),
                        q->rc == -ETIMEDOUT ? "not answered in time" : "no usable answer");
        return q->rc;
    }
    int rc = hail_dns_addresses(q->answer, q->len, q->type, &got);
    if (rc < 0)
        return rc;
    hail_trace_note(a->ctx, HAIL_LAYER_NAME, "resolve", "answer: %s %u address%s, %u alias%s, %s",
                    hail_dns_type_name(q->type, scratch), got.n, got.n == 1 ? "" : "es",
                    got.aliases, got.aliases == 1 ? "" : "es",
                    q->rcode == HAIL_DNS_NXDOMAIN ? "NXDOMAIN" : "NOERROR");
    for (unsigned i = 0; i < got.n; i++)
        add_ip(f, q->type == HAIL_DNS_A ? AF_INET : AF_INET6, got.v[i].ip, HAIL_SOURCE_DNS,
               (int32_t)got.v[i].ttl);
    if (got.n)
        set_canonical(f, got.canonical);
    return 0;
}

/* How far the search has come, kept over the names of the search list. */
struct search {
    bool exists; /* a name that was asked exists, without addresses */
    int failed;  /* the first failure of a server; 0: none */
};

/* One name of the search list. 1: addresses found, 0: none, the next may be tried; -errno. */
static int ask_one(struct hail_asker *a, const char *name, int family, struct found *f,
                   struct search *s)
{
    struct hail_question q[2] = {{.type = HAIL_DNS_AAAA}, {.type = HAIL_DNS_A}};
    struct hail_question *first = family == AF_INET ? q + 1 : q;
    size_t n = family == AF_UNSPEC ? 2 : 1;
    int rc = hail_dns_ask(a, name, first, n, true), failed = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        int taken = take_answer(a, first + i, f);
        if (taken < 0)
            failed = taken;
        else if (first[i].rcode == HAIL_DNS_NOERROR)
            s->exists = true;
        else if (first[i].rcode != HAIL_DNS_NXDOMAIN)
            failed = -EAGAIN;
    }
    for (size_t i = 0; i < n; i++) {
        free(first[i].answer);
        first[i].answer = NULL;
    }
    if (rc == -EAGAIN || rc == -EBADMSG)
        failed = rc;
    else if (rc < 0)
        return rc;
    if (f->n)
        return 1;
    if (failed && !s->failed)
        s->failed = failed;
    return 0;
}

static int not_found(struct hail_asker *a, const char *name, int family, const struct search *s)
{
    if (s->failed)
        return hail_dns_fail(a, name, s->failed);
    int rc;
    if (!s->exists)
        rc = hail_name_fail(a->ctx, ENOENT, HAIL_NAME_NOT_FOUND, name, "name does not exist");
    else
        rc = hail_name_fail(a->ctx, ENOENT, HAIL_NAME_NO_DATA, name,
                            family == AF_INET    ? "the name exists, but has no IPv4 address"
                            : family == AF_INET6 ? "the name exists, but has no IPv6 address"
                                                 : "the name exists, but has no address");
    if (a->conf.by_default)
        hail_advise(a->ctx, "no name server configured in %s, so this host was asked (%s)", a->path,
                    a->last);
    else
        hail_advise(a->ctx, "the name server %s says so", a->last);
    return rc;
}

/* `ascii` is asked for; `name` is what was written, for the messages. */
static int from_dns(struct hail_ctx *ctx, const char *name, const char *ascii,
                    const struct hail_resolve_opts *opts, struct found *f)
{
    struct hail_asker a;
    struct search s = {0};
    char asked[HAIL_HOST_MAX + 2];
    int rc = hail_dns_open(ctx, &a, opts, false);
    if (rc < 0)
        return rc;
    rc = 0;
    for (unsigned i = 0; rc == 0 && hail_search_name(&a.conf, ascii, opts->no_search, i, asked);
         i++)
        rc = ask_one(&a, asked, opts->family, f, &s);
    if (rc < 0)
        rc = hail_dns_fail(&a, name, rc);
    else if (rc == 0)
        rc = not_found(&a, name, opts->family, &s);
    memcpy(f->server, a.server, sizeof f->server);
    hail_dns_close(&a, NULL, 0);
    return rc < 0 ? rc : 0;
}

static int from_hosts(struct hail_ctx *ctx, const char *name, const struct hail_resolve_opts *opts,
                      struct found *f)
{
    int n = hail_hosts_lookup(opts->hosts_file, name, opts->family, f->v, HAIL_RESOLVE_MAX,
                              f->canonical);
    f->n = (size_t)n;
    if (n)
        hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "found in %s",
                        opts->hosts_file ? opts->hosts_file : HAIL_HOSTS_PATH);
    return n;
}

static int from_name(struct hail_ctx *ctx, const char *name, const struct hail_resolve_opts *opts,
                     struct found *f)
{
    char ascii[HAIL_HOST_MAX + 1];
    int rc = hail_idn_to_ascii(ctx, name, ascii);
    if (rc < 0)
        return rc;
    if (hail_name_within(ascii, "localhost")) { /* RFC 6761 section 6.3 */
        hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "the loopback, by RFC 6761");
        add_loopback(f, opts->family);
        return 0;
    }
    if (!opts->server && (from_hosts(ctx, ascii, opts, f) ||
                          (strcmp(ascii, name) != 0 && from_hosts(ctx, name, opts, f))))
        return 0;
    if (hail_name_within(ascii, "onion")) { /* RFC 7686 section 2 */
        rc = hail_name_fail(ctx, ENOENT, HAIL_NAME_NOT_FOUND, name, "onion names are not in DNS");
        hail_advise(ctx, "they are reached through Tor's proxy only; no name server was asked");
        return rc;
    }
    return from_dns(ctx, name, ascii, opts, f);
}

static int from_number(struct hail_ctx *ctx, const struct hail_endpoint *ep,
                       const struct hail_resolve_opts *opts, struct found *f)
{
    struct hail_addr addr;
    int rc = hail_endpoint_addr(ep, opts->family, &addr);
    if (rc == -ENODEV) {
        rc = hail_name_fail(ctx, EINVAL, 0, ep->host, "there is no such interface as the zone");
        hail_advise(ctx, "the zone was '%s'; `ip link` lists the interfaces", ep->zone);
        return rc;
    }
    if (rc < 0)
        return hail_name_fail(ctx, -rc, 0, ep->host, hail_errno_text(-rc));
    int family = addr.u.sa.sa_family;
    if (opts->family != AF_UNSPEC && family != AF_UNIX && family != opts->family)
        return hail_name_fail(ctx, ENOENT, HAIL_NAME_NO_DATA, ep->host,
                              family == AF_INET ? "this is an IPv4 address, IPv6 was asked for"
                                                : "this is an IPv6 address, IPv4 was asked for");
    add(f, &addr, HAIL_SOURCE_LITERAL, -1);
    return 0;
}

/* Whether the source can be taken for granted: the loopback's is itself, without asking. */
static bool is_loopback(const struct hail_addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return ntohl(a->u.in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
}

/* Hands the result over: the port, the order, memory of its own. */
static int finish(struct hail_ctx *ctx, const struct hail_endpoint *ep, bool sources,
                  struct found *f, struct hail_addrs *out)
{
    for (size_t i = 0; i < f->n; i++) {
        if (sources || (f->n > 1 && !is_loopback(&f->v[i].addr)))
            hail_find_source(&f->v[i]);
        else if (f->n > 1)
            f->v[i].from = f->v[i].addr;
        hail_addr_set_port(&f->v[i].addr, ep->port);
    }
    hail_order(f->v, f->n, hail_os_own_flags);
    struct hail_address *v = malloc(f->n * sizeof *v);
    if (!v)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "resolve", "resolve %s: %s", ep->host,
                         hail_errno_text(ENOMEM));
    memcpy(v, f->v, f->n * sizeof *v);
    out->v = v;
    out->n = f->n;
    memcpy(out->canonical, f->canonical, sizeof out->canonical);
    memcpy(out->server, f->server, sizeof out->server);
    return 0;
}

static void trace_end(struct hail_ctx *ctx, uint32_t span, uint32_t parent, int rc,
                      const struct hail_addrs *found)
{
    char text[32] = "";
    if (rc == 0)
        snprintf(text, sizeof text, "%zu address%s", found->n, found->n == 1 ? "" : "es");
    hail_trace_end(ctx, span, parent, HAIL_LAYER_NAME, "resolve", rc, text);
}

static void trace_addresses(struct hail_ctx *ctx, const struct hail_addrs *found)
{
    for (size_t i = 0; i < found->n; i++) {
        char text[HAIL_ENDPOINT_MAX], ttl[24] = "";
        struct hail_endpoint ep = hail_endpoint_of(&found->v[i].addr);
        ep.has_port = false;
        hail_endpoint_format(&ep, text, sizeof text);
        if (found->v[i].ttl >= 0)
            snprintf(ttl, sizeof ttl, ", ttl %d", found->v[i].ttl);
        hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "%s%s; %s", text, ttl, found->v[i].reason);
    }
}

int hail_resolve(struct hail_ctx *ctx, const struct hail_endpoint *ep,
                 const struct hail_resolve_opts *opts, struct hail_addrs *out)
{
    struct found f;
    int rc = 0;
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_NAME, "resolve", NULL,
                                     ep->kind == HAIL_HOST_ANY ? "this host" : ep->host);
    if (!opts)
        opts = &no_opts;
    f.n = 0;
    f.canonical[0] = f.server[0] = '\0';
    switch (ep->kind) {
    case HAIL_HOST_NAME:
        rc = from_name(ctx, ep->host, opts, &f);
        break;
    case HAIL_HOST_ANY:
        add_loopback(&f, opts->family);
        break;
    default:
        rc = from_number(ctx, ep, opts, &f);
        break;
    }
    if (rc == 0)
        rc = finish(ctx, ep, opts->sources, &f, out);
    if (!hail_tracing(ctx))
        return rc;
    if (rc == 0)
        trace_addresses(ctx, out);
    trace_end(ctx, span, parent, rc, out);
    return rc;
}

void hail_addrs_free(struct hail_addrs *addrs)
{
    if (!addrs)
        return;
    free(addrs->v);
    addrs->v = NULL;
    addrs->n = 0;
}
