/* names.c - hosts and services in netcat's words, by hail's resolver; nc.h. */
#include "local_names.h"
#include "nc/nc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

const char *nc_service(const struct nc *nc, uint16_t port)
{
    const char *name =
        nc->o.numeric ? NULL
                      : local_service(port, nc->o.datagrams ? HAIL_SERVICE_UDP : HAIL_SERVICE_TCP);
    return name ? name : "*";
}

void nc_numeric_host(const struct hail_addr *addr, char out[NC_NAME_BYTES])
{
    char zone[IF_NAMESIZE];
    out[0] = '\0';
    if (addr->u.sa.sa_family == AF_INET) {
        inet_ntop(AF_INET, &addr->u.in4.sin_addr, out, NC_NAME_BYTES);
    } else if (addr->u.sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &addr->u.in6.sin6_addr, out, NC_NAME_BYTES);
        size_t len = strlen(out);
        if (addr->u.in6.sin6_scope_id && if_indextoname(addr->u.in6.sin6_scope_id, zone))
            snprintf(out + len, NC_NAME_BYTES - len, "%%%s", zone);
    }
}

void nc_host_of(struct nc *nc, const struct hail_addr *addr, char out[NC_NAME_BYTES])
{
    struct hail_addr plain = *addr;
    hail_addr_set_port(&plain, 0);
    out[0] = '\0';
    if (!nc->o.numeric)
        local_host(&nc->c->ctx, &plain, out, NC_NAME_BYTES);
    if (!*out)
        nc_numeric_host(addr, out);
}

/* --- addresses --- */

/* getaddrinfo(3)'s word for what came of a name. */
static const char *error_text(const struct hail_error *err)
{
    if (err->detail == HAIL_NAME_NO_DATA)
        return gai_strerror(EAI_NODATA);
    if (err->errnum == EAGAIN || err->errnum == ETIMEDOUT)
        return gai_strerror(EAI_AGAIN);
    if (err->errnum == ENOMEM)
        return gai_strerror(EAI_MEMORY);
    return gai_strerror(EAI_NONAME);
}

static int refuse(const char *host, const char *port, bool told, const char *why)
{
    if (told)
        nc_fail("getaddrinfo for host \"%s\" port %s: %s", host, port, why);
    else
        nc_fail("getaddrinfo: %s", why);
    return -NC_FAILED;
}

/* "0" to "65535"; getaddrinfo(3) takes only the lower bits of more, and nothing for 0. */
static bool numeric_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    *port = (uint16_t)n;
    return !*text || (*text >= '0' && *text <= '9' && !*end);
}

static bool port_of(const struct nc *nc, const char *text, uint16_t *port)
{
    unsigned proto = nc->o.datagrams ? HAIL_SERVICE_UDP : HAIL_SERVICE_TCP;
    *port = 0;
    if (!text || numeric_port(text, port))
        return true;
    *port = nc->o.numeric ? 0 : local_service_port(text, proto);
    return *port != 0;
}

/* Every local address, in libc's order. */
static int any_addresses(int family, uint16_t port, struct hail_addr *out)
{
    static const int families[] = {AF_INET, AF_INET6};
    const struct hail_endpoint any = {.kind = HAIL_HOST_ANY};
    int n = 0;
    for (int i = 0; i < 2; i++)
        if ((family == AF_UNSPEC || family == families[i]) &&
            hail_endpoint_addr(&any, families[i], &out[n]) == 0)
            hail_addr_set_port(&out[n++], port);
    return n;
}

static int found(struct nc *nc, const struct hail_endpoint *ep, struct hail_addr *out, size_t max)
{
    const struct hail_resolve_opts opts = {.family = nc->o.family};
    struct hail_addrs addrs = {0};
    int n = 0, rc = hail_resolve(&nc->c->ctx, ep, &opts, &addrs);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < addrs.n && (size_t)n < max; i++)
        if (nc->o.family == AF_UNSPEC || addrs.v[i].addr.u.sa.sa_family == nc->o.family)
            out[n++] = addrs.v[i].addr;
    hail_addrs_free(&addrs);
    return n;
}

/* IPv4 in any of the forms of inet_aton(3): "127.1", "0x7f000001". */
static bool number_of(const char *host, int family, uint16_t port, struct hail_addr *out)
{
    struct in_addr in;
    if (family == AF_INET6 || !*host || strspn(host, "0123456789abcdefABCDEFxX.") != strlen(host) ||
        !inet_aton(host, &in))
        return false;
    *out = (struct hail_addr){.len = sizeof out->u.in4};
    out->u.in4 = (struct sockaddr_in){AF_INET, htons(port), in, {0}};
    return true;
}

int nc_resolve(struct nc *nc, const char *host, const char *port, bool told_host,
               struct hail_addr *out, size_t max)
{
    struct hail_endpoint ep;
    struct hail_ctx scratch = HAIL_CTX_INIT;
    uint16_t number;
    if (!port_of(nc, port, &number))
        return refuse(host, port, told_host, gai_strerror(EAI_SERVICE));
    if (!host)
        return any_addresses(nc->o.family, number, out);
    if (number_of(host, nc->o.family, number, out))
        return 1;
    char text[HAIL_ENDPOINT_MAX + 2];
    bool v6 = strchr(host, ':') != NULL;
    snprintf(text, sizeof text, v6 ? "[%s]" : "%s", host);
    if (!*host || strlen(host) > HAIL_HOST_MAX || hail_endpoint_parse(&scratch, &ep, text, 0) < 0 ||
        (ep.kind == HAIL_HOST_NAME && nc->o.numeric))
        return refuse(host, port, told_host, gai_strerror(EAI_NONAME));
    ep.port = number;
    ep.has_port = true;
    bool other = (ep.kind == HAIL_HOST_IPV4 && nc->o.family == AF_INET6) ||
                 (ep.kind == HAIL_HOST_IPV6 && nc->o.family == AF_INET);
    if (other)
        return refuse(host, port, told_host, gai_strerror(EAI_ADDRFAMILY));
    int n = found(nc, &ep, out, max);
    if (n < 0)
        return refuse(host, port, told_host, error_text(&nc->c->ctx.err));
    return n ? n : refuse(host, port, told_host, gai_strerror(EAI_NODATA));
}
