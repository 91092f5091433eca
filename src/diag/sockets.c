/* sockets.c - every socket that a query asks for: over kinds, families and sources;
 * include/hail/diag.h. */
#include "diag/sockets.h"
#include "base/error.h"

#include <errno.h>

int hail_listing_tell(struct hail_listing *l)
{
    const struct hail_socket_query *q = l->query;
    const struct hail_socket_info *info = &l->row.info;
    l->told++;
    if ((q->local_port && hail_addr_port(&info->local) != q->local_port) ||
        (q->peer_port && hail_addr_port(&info->peer) != q->peer_port))
        return 0;
    uint32_t states = q->states ? q->states : HAIL_STATES_ALL;
    if ((unsigned)info->state > HAIL_BOUND || !(states >> info->state & 1))
        return 0;
    if (q->filter && !hail_socket_filter_match(q->filter, info, q->holders))
        return 0;
    l->stopped = l->each(l->arg, info);
    return l->stopped;
}

/* A kind may be unknown to sock_diag and still have its file: then the file. */
static int list(struct hail_listing *l, enum hail_socket_kind kind, int family)
{
    bool references = kind == HAIL_KIND_UNIX && (l->query->want & HAIL_HAS_REFERENCES);
    int rc = references ? -ENOENT : hail_dump_diag(l, kind, family);
    if (rc != -ENOENT)
        return rc;
    rc = hail_dump_proc(l, kind, family);
    if (rc == 0 && !references)
        l->gaps->from_proc |= HAIL_KIND_BIT(kind);
    if (rc == -ENOENT)
        l->gaps->no_module |= HAIL_KIND_BIT(kind);
    else if (rc == -EACCES || rc == -EPERM)
        l->gaps->denied |= HAIL_KIND_BIT(kind);
    else
        return rc;
    return 0;
}

/* The families in which a kind comes; 0 ends them. */
static const int *families_of(enum hail_socket_kind kind)
{
    static const int inet[] = {AF_INET, AF_INET6, 0};
    static const int other[][2] = {{AF_UNIX}, {AF_PACKET}, {AF_NETLINK}, {AF_VSOCK}};
    return kind < HAIL_KIND_UNIX ? inet : other[kind - HAIL_KIND_UNIX];
}

static int list_kind(struct hail_listing *l, enum hail_socket_kind kind)
{
    int rc = -ENOENT;
    if (kind == HAIL_KIND_TCP && !l->query->family)
        rc = hail_dump_tcp(l);
    if (rc == 0 || l->told)
        return rc;
    rc = 0;
    for (const int *family = families_of(kind); *family && rc == 0 && !l->stopped; family++)
        if (kind >= HAIL_KIND_UNIX || !l->query->family || l->query->family == *family)
            rc = list(l, kind, *family);
    return rc;
}

int hail_sockets_each(struct hail_ctx *ctx, const struct hail_socket_query *query,
                      struct hail_diag_gaps *gaps, hail_socket_info_fn *each, void *arg)
{
    struct hail_diag_gaps ignored = {0};
    struct hail_listing l = {
        .ctx = ctx, .query = query, .gaps = gaps ? gaps : &ignored, .each = each, .arg = arg};
    l.row.info.netns = query->netns;
    int rc = 0;
    for (int kind = 0; kind < HAIL_KIND_COUNT && rc == 0 && !l.stopped; kind++)
        if (query->kinds & HAIL_KIND_BIT(kind))
            rc = list_kind(&l, (enum hail_socket_kind)kind);
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "list",
                         "list the sockets of the kernel (sock_diag): %s", hail_errno_text(-rc));
    return l.stopped;
}

const char *hail_socket_state_name(enum hail_socket_state state)
{
    static const char *const names[] = {
        "UNKNOWN", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
        "CLOSE",   "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "SYN_RECV",  "BOUND"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : names[0];
}

const char *hail_socket_kind_name(enum hail_socket_kind kind)
{
    static const char *const names[] = {"tcp", "mptcp", "udp",    "udplite", "sctp",
                                        "raw", "unix",  "packet", "netlink", "vsock"};
    return (unsigned)kind < HAIL_KIND_COUNT ? names[kind] : "unknown";
}
