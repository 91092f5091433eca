/* endpoint.c - one end of a row in hail's words; netstat.h. */
#include "netstat/netstat.h"

#include <arpa/inet.h>
#include <string.h>

static const char *const netlinks[] = {
    "route",   "unused", "usersock",      "firewall",  "sock_diag", "nflog",  "xfrm",    "selinux",
    "iscsi",   "audit",  "fib_lookup",    "connector", "netfilter", "ip6_fw", "dnrtmsg", "uevent",
    "generic", "dm",     "scsitransport", "ecryptfs",  "rdma",      "crypto", "smc",
};

const char *netstat_netlink_name(int protocol)
{
    return protocol >= 0 && (size_t)protocol < sizeof netlinks / sizeof *netlinks
               ? netlinks[protocol]
               : "unknown";
}

/* "10.0.0.1", "[fe80::1%eth0]", "*" for every address; names as asked. */
static void put_host(struct netstat *n, const struct hail_addr *a, char *out, size_t size)
{
    bool v4 = a->u.sa.sa_family == AF_INET;
    char zone[IF_NAMESIZE + 1] = "";
    bool any =
        v4 ? a->u.in4.sin_addr.s_addr == INADDR_ANY : IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
    if (any) {
        snprintf(out, size, v4 ? "0.0.0.0" : "[::]");
        return;
    }
    if (!v4 && a->u.in6.sin6_scope_id) {
        zone[0] = '%';
        if (!if_indextoname(a->u.in6.sin6_scope_id, zone + 1))
            snprintf(zone + 1, sizeof zone - 1, "%u", a->u.in6.sin6_scope_id);
    }
    const char *host = netstat_host(n, a);
    bool bracket = strchr(host, ':') != NULL;
    snprintf(out, size, "%s%s%s%s", bracket ? "[" : "", host, zone, bracket ? "]" : "");
}

static void inet_end(struct netstat *n, const struct hail_socket_info *row, bool peer, char *out,
                     size_t size)
{
    const struct hail_addr *a = peer ? &row->peer : &row->local;
    uint16_t port = hail_addr_port(a);
    bool none = row->state == HAIL_LISTEN || (peer && port == 0);
    const char *words = row->kind == HAIL_KIND_RAW                                   ? "raw"
                        : row->kind == HAIL_KIND_TCP || row->kind == HAIL_KIND_MPTCP ? "tcp"
                        : row->kind == HAIL_KIND_SCTP                                ? "sctp"
                                                                                     : "udp";
    if (peer && none) {
        snprintf(out, size, "*");
        return;
    }
    char host[300];
    put_host(n, a, host, sizeof host);
    snprintf(out, size, "%s:%s", host, netstat_port(n, port, words));
}

static void unix_end(const struct hail_socket_info *row, bool peer, char *out, size_t size)
{
    if (peer) {
        snprintf(out, size, row->peer_inode ? "#%u" : "*", row->peer_inode);
        return;
    }
    if (!row->name) {
        snprintf(out, size, "#%u", row->inode);
        return;
    }
    char name[108];
    size_t n = row->name_len < sizeof name ? row->name_len : sizeof name;
    memcpy(name, row->name, n);
    for (size_t i = 0; i < n && row->name[0] == '\0'; i++)
        name[i] = name[i] ? name[i] : '@';
    hail_text_safe_into(out, size, name, n);
}

static void vsock_end(uint32_t cid, uint32_t port, char *out, size_t size)
{
    char c[12] = "*", p[12] = "*";
    if (cid != UINT32_MAX)
        snprintf(c, sizeof c, "%u", cid);
    if (port != UINT32_MAX)
        snprintf(p, sizeof p, "%u", port);
    snprintf(out, size, "%s:%s", c, p);
}

/* The interface and ethertype of a packet socket; the protocol and port of a netlink one. */
static void other_end(const struct hail_socket_info *row, char *out, size_t size)
{
    char name[IF_NAMESIZE] = "*";
    if (row->family == AF_NETLINK) {
        snprintf(out, size, "%s:%u", netstat_netlink_name(row->protocol), row->port_id);
        return;
    }
    if (row->interface && !if_indextoname(row->interface, name))
        snprintf(name, sizeof name, "#%u", row->interface);
    if (row->protocol == 3) /* ETH_P_ALL */
        snprintf(out, size, "%s:*", name);
    else
        snprintf(out, size, "%s:0x%04x", name, (unsigned)row->protocol);
}

char *netstat_endpoint(struct netstat *n, const struct hail_socket_info *row, bool peer, char *out,
                       size_t size)
{
    if (row->family == AF_INET || row->family == AF_INET6)
        inet_end(n, row, peer, out, size);
    else if (row->family == AF_UNIX)
        unix_end(row, peer, out, size);
    else if (row->family == AF_VSOCK)
        vsock_end(peer ? row->peer_cid : row->cid, peer ? row->peer_port : row->port, out, size);
    else if (peer)
        snprintf(out, size, "*");
    else
        other_end(row, out, size);
    return out;
}
