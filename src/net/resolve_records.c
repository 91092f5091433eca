/* resolve_records.c - DNS records of any type, and the names of an address. */
#include "net/resolve.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct hail_resolve_opts no_opts;

/* Hands every record of an answer to `each`. Returns the number of records of `type` in the answer
 * section, or -errno. */
static int each_record(const struct hail_question *q, hail_dns_fn *each, void *arg)
{
    static const char *const sections[] = {"", "answer", "authority", "additional"};
    struct hail_dns_msg m;
    struct hail_dns_rr rr;
    struct hail_buf data;
    int n = 0, rc = hail_dns_begin(&m, q->answer, q->len);
    if (rc < 0)
        return rc;
    hail_buf_init(&data, HAIL_DNS_TEXT_MAX);
    while ((rc = hail_dns_next(&m, &rr)) > 0) {
        char scratch[16];
        if (rr.type == HAIL_DNS_OPT)
            continue;
        hail_buf_clear(&data);
        rc = hail_dns_data_text(&m, &rr, &data);
        if (rc < 0)
            break;
        n += rr.section == HAIL_DNS_ANSWER && rr.type == q->type;
        each(arg, &(struct hail_dns_record){.name = rr.name,
                                            .type = hail_dns_type_name(rr.type, scratch),
                                            .ttl = rr.ttl,
                                            .data = data.p,
                                            .section = sections[rr.section]});
    }
    hail_buf_free(&data);
    return rc < 0 ? rc : n;
}

/* Asks for `q`'s type by the search list until a name exists. 0 when there is an answer to read, or
 * -errno, recorded; the messages say `shown`. */
static int ask_by_search(struct hail_asker *a, const char *name, const char *shown, bool no_search,
                         struct hail_question *q)
{
    char asked[HAIL_HOST_MAX + 2];
    int failed = 0;
    for (unsigned i = 0; hail_search_name(&a->conf, name, no_search, i, asked); i++) {
        int rc = hail_dns_ask(a, asked, q, 1, false);
        if (rc == 0 && q->rcode == HAIL_DNS_NOERROR)
            return 0;
        if (rc == 0 && q->rcode != HAIL_DNS_NXDOMAIN)
            rc = -EAGAIN;
        if (rc < 0 && rc != -EAGAIN && rc != -EBADMSG)
            return hail_dns_fail(a, shown, rc);
        if (rc < 0 && !failed)
            failed = rc;
    }
    if (failed)
        return hail_dns_fail(a, shown, failed);
    hail_name_fail(a->ctx, ENOENT, HAIL_NAME_NOT_FOUND, shown, "name does not exist");
    hail_advise(a->ctx, "the name server %s says so", a->last);
    return -ENOENT;
}

static int query(struct hail_ctx *ctx, const char *name, const char *shown, uint16_t type,
                 const struct hail_resolve_opts *opts, hail_dns_fn *each, void *arg)
{
    struct hail_asker a;
    struct hail_question q = {.type = type};
    int rc = hail_dns_open(ctx, &a, opts, true);
    if (rc < 0)
        return rc;
    rc = ask_by_search(&a, name, shown, opts->no_search, &q);
    if (rc == 0) {
        rc = each_record(&q, each, arg);
        if (rc < 0)
            rc = hail_dns_fail(&a, shown, rc);
        else
            hail_trace_note(ctx, HAIL_LAYER_NAME, "resolve", "answer: %d record%s from %s", rc,
                            rc == 1 ? "" : "s", a.last);
    }
    hail_dns_close(&a, &q, 1);
    return rc;
}

int hail_dns_query(struct hail_ctx *ctx, const char *name, const char *type,
                   const struct hail_resolve_opts *opts, hail_dns_fn *each, void *arg)
{
    char ascii[HAIL_HOST_MAX + 1];
    int t = hail_dns_type_of(type);
    if (t < 0 || t == HAIL_DNS_OPT)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "resolve", "'%s' is not a type of record",
                         type);
    if (!*name)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "resolve",
                         "the name is empty; the root is \".\"");
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_NAME, "resolve", NULL, name);
    int rc = hail_idn_to_ascii(ctx, name, ascii);
    if (rc == 0)
        rc = query(ctx, ascii, name, (uint16_t)t, opts ? opts : &no_opts, each, arg);
    hail_trace_end(ctx, span, parent, HAIL_LAYER_NAME, "resolve", rc, NULL);
    return rc;
}

/* The name under which an address has its PTR records: RFC 1035 section 3.5, RFC 3596 section 2.5.
 */
static int reverse_name(const struct hail_addr *addr, char out[80])
{
    const uint8_t *b;
    if (addr->len && addr->u.sa.sa_family == AF_INET) {
        b = (const uint8_t *)&addr->u.in4.sin_addr;
    } else if (addr->len && addr->u.sa.sa_family == AF_INET6) {
        b = addr->u.in6.sin6_addr.s6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(&addr->u.in6.sin6_addr)) {
            for (int i = 0; i < 16; i++)
                snprintf(out + (ptrdiff_t)4 * i, 5, "%x.%x.", b[15 - i] & 15u, b[15 - i] >> 4u);
            memcpy(out + 64, "ip6.arpa", sizeof "ip6.arpa");
            return 0;
        }
        b += 12;
    } else {
        return -EINVAL;
    }
    snprintf(out, 80, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
    return 0;
}

struct names {
    hail_name_fn *each;
    void *arg;
};

static void on_ptr(void *arg, const struct hail_dns_record *r)
{
    const struct names *s = arg;
    char name[HAIL_DNS_NAME_MAX];
    if (strcmp(r->section, "answer") != 0 || strcmp(r->type, "PTR") != 0)
        return;
    size_t n = strlen(r->data);
    if (n >= sizeof name)
        return;
    memcpy(name, r->data, n + 1);
    if (n > 1 && name[n - 1] == '.')
        name[n - 1] = '\0';
    s->each(s->arg, name, HAIL_SOURCE_DNS, (int32_t)r->ttl);
}

static bool is_loopback(const struct hail_addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return a->u.in4.sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
}

static int reverse(struct hail_ctx *ctx, const struct hail_addr *addr, const char *shown,
                   const struct hail_resolve_opts *opts, hail_name_fn *each, void *arg)
{
    char name[80];
    struct names s = {each, arg};
    if (reverse_name(addr, name) < 0)
        return hail_name_fail(ctx, EINVAL, 0, shown, "only an IP address has names");
    if (!opts->server) {
        if (hail_hosts_reverse(opts->hosts_file, addr, each, arg) > 0)
            return 0;
        if (is_loopback(addr)) {
            each(arg, "localhost", HAIL_SOURCE_LOCAL, -1);
            return 0;
        }
    }
    struct hail_resolve_opts complete = *opts;
    complete.no_search = true;
    int rc = query(ctx, name, shown, HAIL_DNS_PTR, &complete, on_ptr, &s);
    if (rc == 0 || rc == -ENOENT) {
        char server[sizeof ctx->err.advice] = "";
        if (rc < 0)
            memcpy(server, ctx->err.advice, sizeof server);
        hail_name_fail(ctx, ENOENT, rc ? HAIL_NAME_NOT_FOUND : HAIL_NAME_NO_DATA, shown,
                       "the address has no name");
        hail_advise(ctx, "%s", server);
        return -ENOENT;
    }
    return rc < 0 ? rc : 0;
}

int hail_resolve_reverse(struct hail_ctx *ctx, const struct hail_addr *addr,
                         const struct hail_resolve_opts *opts, hail_name_fn *each, void *arg)
{
    char shown[HAIL_ENDPOINT_MAX];
    struct hail_endpoint ep = hail_endpoint_of(addr);
    ep.has_port = false;
    hail_endpoint_format(&ep, shown, sizeof shown);
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_NAME, "resolve", NULL, shown);
    int rc = reverse(ctx, addr, shown, opts ? opts : &no_opts, each, arg);
    hail_trace_end(ctx, span, parent, HAIL_LAYER_NAME, "resolve", rc, NULL);
    return rc;
}
