/* addr.c - between endpoints and the kernel's socket addresses; include/hail/endpoint.h. */
#include <hail/endpoint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hail_endpoint of_unix(const struct hail_addr *addr)
{
    struct hail_endpoint ep = {.kind = HAIL_HOST_UNIX};
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t n = addr->len > head ? addr->len - head : 0;
    const char *path = addr->u.un.sun_path;
    if (n > 1 && path[0] == '\0') {
        ep.kind = HAIL_HOST_ABSTRACT;
        path++;
        n--;
    }
    memcpy(ep.host, path, strnlen(path, n));
    return ep;
}

struct hail_endpoint hail_endpoint_of(const struct hail_addr *addr)
{
    struct hail_endpoint ep = {.kind = HAIL_HOST_ANY};
    if (addr->len == 0)
        return ep;
    if (addr->u.sa.sa_family == AF_UNIX)
        return of_unix(addr);
    ep.has_port = true;
    ep.port = hail_addr_port(addr);
    if (addr->u.sa.sa_family == AF_INET) {
        ep.kind = HAIL_HOST_IPV4;
        inet_ntop(AF_INET, &addr->u.in4.sin_addr, ep.host, sizeof ep.host);
        return ep;
    }
    const struct in6_addr *in6 = &addr->u.in6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        ep.kind = HAIL_HOST_IPV4;
        inet_ntop(AF_INET, &in6->s6_addr[12], ep.host, sizeof ep.host);
        return ep;
    }
    ep.kind = HAIL_HOST_IPV6;
    inet_ntop(AF_INET6, in6, ep.host, sizeof ep.host);
    uint32_t zone = addr->u.in6.sin6_scope_id;
    if (zone && !if_indextoname(zone, ep.zone))
        snprintf(ep.zone, sizeof ep.zone, "%u", zone);
    return ep;
}

static int unix_addr(const struct hail_endpoint *ep, struct hail_addr *out)
{
    struct hail_addr a = {0};
    size_t n = strlen(ep->host), skip = ep->kind == HAIL_HOST_ABSTRACT;
    if (n + skip >= sizeof a.u.un.sun_path)
        return -ENAMETOOLONG;
    a.u.un.sun_family = AF_UNIX;
    memcpy(a.u.un.sun_path + skip, ep->host, n);
    /* an abstract name ends with its length, a path with a NUL: unix(7) */
    a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
    *out = a;
    return 0;
}

static int zone_index(const char *zone, uint32_t *index)
{
    if (!*zone)
        return 0;
    *index = if_nametoindex(zone);
    if (*index)
        return 0;
    char *end;
    errno = 0;
    unsigned long v = strtoul(zone, &end, 10);
    if (*zone < '0' || *zone > '9' || *end || errno || v == 0 || v > UINT32_MAX)
        return -ENODEV;
    *index = (uint32_t)v;
    return 0;
}

static int in6_addr(const struct hail_endpoint *ep, struct hail_addr *out)
{
    struct hail_addr a = {.len = sizeof a.u.in6};
    a.u.in6.sin6_family = AF_INET6;
    a.u.in6.sin6_port = htons(ep->port);
    if (ep->kind == HAIL_HOST_IPV6 && inet_pton(AF_INET6, ep->host, &a.u.in6.sin6_addr) != 1)
        return -EINVAL;
    int rc = zone_index(ep->zone, &a.u.in6.sin6_scope_id);
    if (rc < 0)
        return rc;
    *out = a;
    return 0;
}

int hail_endpoint_addr(const struct hail_endpoint *ep, int family, struct hail_addr *out)
{
    switch (ep->kind) {
    case HAIL_HOST_NAME:
        return -ENOTSUP;
    case HAIL_HOST_UNIX:
    case HAIL_HOST_ABSTRACT:
        return unix_addr(ep, out);
    case HAIL_HOST_ANY:
        if (family != AF_INET)
            return in6_addr(ep, out);
        break;
    case HAIL_HOST_IPV6:
        return in6_addr(ep, out);
    case HAIL_HOST_IPV4:
        break;
    }
    struct hail_addr a = {.len = sizeof a.u.in4};
    a.u.in4.sin_family = AF_INET;
    a.u.in4.sin_port = htons(ep->port);
    if (ep->kind == HAIL_HOST_IPV4 && inet_pton(AF_INET, ep->host, &a.u.in4.sin_addr) != 1)
        return -EINVAL;
    *out = a;
    return 0;
}

uint16_t hail_addr_port(const struct hail_addr *addr)
{
    if (addr->len == 0)
        return 0;
    if (addr->u.sa.sa_family == AF_INET)
        return ntohs(addr->u.in4.sin_port);
    return addr->u.sa.sa_family == AF_INET6 ? ntohs(addr->u.in6.sin6_port) : 0;
}

void hail_addr_set_port(struct hail_addr *addr, uint16_t port)
{
    if (addr->u.sa.sa_family == AF_INET)
        addr->u.in4.sin_port = htons(port);
    else if (addr->u.sa.sa_family == AF_INET6)
        addr->u.in6.sin6_port = htons(port);
}

bool hail_addr_equal(const struct hail_addr *a, const struct hail_addr *b)
{
    if (a->len == 0 || b->len == 0)
        return a->len == b->len;
    if (a->u.sa.sa_family != b->u.sa.sa_family)
        return false;
    switch (a->u.sa.sa_family) {
    case AF_INET:
        return a->u.in4.sin_port == b->u.in4.sin_port &&
               a->u.in4.sin_addr.s_addr == b->u.in4.sin_addr.s_addr;
    case AF_INET6:
        return a->u.in6.sin6_port == b->u.in6.sin6_port &&
               a->u.in6.sin6_scope_id == b->u.in6.sin6_scope_id &&
               memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, sizeof(struct in6_addr)) == 0;
    default:
        return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
    }
}
