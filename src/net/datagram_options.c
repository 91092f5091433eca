/* datagram_options.c - what UDP sockets can be told: joining, broadcast, multicast (ip(7),
 * ipv6(7)). */
#include "net/datagram.h"
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

/* Sets one integer option with its name in the error. */
static int set(struct hail_ctx *ctx, struct hail_datagram *d, int level, int name, int value,
               const char *op)
{
    int rc = d->fd < 0 ? -ENOTCONN : hail_sockopt_int(d->fd, level, name, value);
    if (rc == -ENOPROTOOPT)
        rc = -ENOTSUP;
    return rc < 0 ? hail_datagram_failed(ctx, d, op, NULL, rc) : 0;
}

int hail_datagram_gro(struct hail_ctx *ctx, struct hail_datagram *d, bool on)
{
    return set(ctx, d, IPPROTO_UDP, UDP_GRO, on, "join datagrams at");
}

int hail_datagram_broadcast(struct hail_ctx *ctx, struct hail_datagram *d, bool on)
{
    return set(ctx, d, SOL_SOCKET, SO_BROADCAST, on, "allow broadcast at");
}

int hail_datagram_errors(struct hail_ctx *ctx, struct hail_datagram *d, bool on)
{
    bool v6 = d->family == AF_INET6;
    return set(ctx, d, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, on,
               "ask for errors at");
}

/* An interface's index from its name or its number; 0 for NULL. */
static int index_of(const char *ifname)
{
    struct hail_endpoint zone = {.kind = HAIL_HOST_IPV6, .host = "ff02::1"};
    struct hail_addr a;
    if (!ifname)
        return 0;
    if (strlen(ifname) >= sizeof zone.zone || !*ifname)
        return -ENODEV;
    strcpy(zone.zone, ifname);
    int rc = hail_endpoint_addr(&zone, AF_INET6, &a);
    return rc < 0 ? rc : (int)a.u.in6.sin6_scope_id;
}

/* RFC 3678's request, the same for both families. */
static int membership(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_addr *group,
                      const char *ifname, int option, const char *op)
{
    int index = index_of(ifname);
    if (index < 0)
        return hail_datagram_failed(ctx, d, op, group, index);
    struct group_req req = {.gr_interface = (uint32_t)index};
    memcpy(&req.gr_group, &group->u, group->len);
    int rc = hail_datagram_ready(ctx, d, group->u.sa.sa_family);
    if (rc < 0)
        return rc;
    int level = group->u.sa.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (setsockopt(d->fd, level, option, &req, sizeof req) < 0)
        return hail_datagram_failed(ctx, d, op, group, -errno);
    return 0;
}

int hail_datagram_join(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_addr *group,
                       const char *ifname)
{
    return membership(ctx, d, group, ifname, MCAST_JOIN_GROUP, "join group");
}

int hail_datagram_leave(struct hail_ctx *ctx, struct hail_datagram *d,
                        const struct hail_addr *group, const char *ifname)
{
    return membership(ctx, d, group, ifname, MCAST_LEAVE_GROUP, "leave group");
}

int hail_datagram_multicast(struct hail_ctx *ctx, struct hail_datagram *d, const char *ifname,
                            int hops, bool loop)
{
    static const char op[] = "set up multicast at";
    bool v6 = d->family == AF_INET6;
    int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int index = d->fd < 0 ? -ENOTCONN : index_of(ifname);
    if (index < 0)
        return hail_datagram_failed(ctx, d, op, NULL, index);
    if (ifname && v6) {
        int rc = set(ctx, d, level, IPV6_MULTICAST_IF, index, op);
        if (rc < 0)
            return rc;
    } else if (ifname) {
        struct ip_mreqn req = {.imr_ifindex = index};
        if (setsockopt(d->fd, level, IP_MULTICAST_IF, &req, sizeof req) < 0)
            return hail_datagram_failed(ctx, d, op, NULL, -errno);
    }
    int rc = set(ctx, d, level, v6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, hops, op);
    if (rc < 0)
        return rc;
    return set(ctx, d, level, v6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, loop, op);
}
