/* dump.c - one question to sock_diag(7) and its answers; diag/sockets.h. */
#include "diag/filter.h"
#include "diag/netlink.h"
#include "diag/netns.h"
#include "diag/sockets.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DUMP_BYTES  (32 << 10)  /* the kernel fills at most this much of one datagram */
#define KEPT_BYTES  (256 << 10) /* of IPv6: some 1,700 sockets */
#define RETRIES_MAX 5           /* of a dump whose table changed before it told anything */

/* A question: the header, one of the requests, and attributes. */
struct question {
    struct nlmsghdr h;
    union {
        struct inet_diag_req_v2 inet;
        struct inet_diag_req both; /* of the first days: it asks for IPv4 and IPv6 at once */
        struct unix_diag_req unx;
        struct packet_diag_req packet;
        struct netlink_diag_req netlink;
        struct vsock_diag_req vsock;
    } r;
    /* Behind the request proper, whose size differs: place for attributes. */
    char more[HAIL_BYTECODE_MAX + 64];
    bool has_code; /* not sent */
};

typedef int row_fn(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);

static void add_attribute(struct question *q, int type, const void *data, size_t n)
{
    struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = (uint16_t)type};
    char *at = (char *)q + NLMSG_ALIGN(q->h.nlmsg_len);
    memcpy(at, &a, sizeof a);
    memcpy(at + NLA_HDRLEN, data, n);
    q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + NLA_ALIGN(a.nla_len);
}

static int protocol_of(enum hail_socket_kind kind)
{
    static const int protocols[] = {IPPROTO_TCP,     262 /* MPTCP */, IPPROTO_UDP,
                                    IPPROTO_UDPLITE, IPPROTO_SCTP,    IPPROTO_RAW};
    return protocols[kind];
}

static uint8_t extensions(unsigned want)
{
    unsigned ext = 0;
    if (want & (HAIL_HAS_TCP_INFO | HAIL_HAS_PROBES))
        ext |= 1u << (INET_DIAG_INFO - 1);
    if (want & HAIL_HAS_TCP_INFO)
        ext |= 1u << (INET_DIAG_CONG - 1);
    if (want & HAIL_HAS_MEMORY)
        ext |= 1u << (INET_DIAG_SKMEMINFO - 1);
    if (want & HAIL_HAS_OPTIONS)
        ext |= 1u << (INET_DIAG_TOS - 1) | 1u << (INET_DIAG_TCLASS - 1);
    return (uint8_t)ext;
}

/* The kernel's mask of states, which for TCP has one more: requests (NEW_SYN_RECV) are SYN_RECV. */
static uint32_t states_of(const struct hail_socket_query *q)
{
    bool named;
    uint32_t states = q->states ? q->states : HAIL_STATES_ALL;
    if (q->filter)
        states &= hail_socket_filter_states(q->filter, &named);
    return states & 1u << HAIL_SYN_RECV ? states | 1u << 12 : states;
}

/* What the kernel can decide of the filter. */
static void add_code(struct question *q, const struct hail_listing *l)
{
    char code[HAIL_BYTECODE_MAX];
    size_t n = l->no_code || !l->query->filter
                   ? 0
                   : hail_filter_bytecode(l->query->filter, code, sizeof code);
    if (n)
        add_attribute(q, INET_DIAG_REQ_BYTECODE, code, n);
    q->has_code = n > 0;
}

static void ask_inet(struct question *q, const struct hail_listing *l, enum hail_socket_kind kind,
                     int family)
{
    int protocol = protocol_of(kind);
    if (family == AF_UNSPEC) {
        q->h.nlmsg_type = TCPDIAG_GETSOCK;
        q->r.both = (struct inet_diag_req){.idiag_ext = extensions(l->query->want),
                                           .idiag_states = states_of(l->query)};
        q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.both);
        add_code(q, l);
        return;
    }
    q->r.inet = (struct inet_diag_req_v2){.sdiag_family = (uint8_t)family,
                                          .sdiag_protocol = (uint8_t)protocol,
                                          .idiag_ext = extensions(l->query->want),
                                          .idiag_states = states_of(l->query)};
    q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.inet);
    if (protocol > UINT8_MAX) {
        uint32_t wide = (uint32_t)protocol;
        q->r.inet.sdiag_protocol = IPPROTO_TCP;
        add_attribute(q, INET_DIAG_REQ_PROTOCOL, &wide, sizeof wide);
    }
    add_code(q, l);
}

/* The request for a kind and family, and who reads its rows. */
static row_fn *ask(struct question *q, const struct hail_listing *l, enum hail_socket_kind kind,
                   int family)
{
    memset(q, 0, sizeof *q);
    q->h.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    q->h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    switch (kind) {
    case HAIL_KIND_UNIX:
        q->r.unx = (struct unix_diag_req){
            .sdiag_family = AF_UNIX,
            .udiag_states = states_of(l->query),
            .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID | UDIAG_SHOW_PEER |
                          (l->query->want & HAIL_HAS_MEMORY ? UDIAG_SHOW_MEMINFO : 0)};
        q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.unx);
        return hail_unix_diag_row;
    case HAIL_KIND_PACKET:
        q->r.packet = (struct packet_diag_req){
            .sdiag_family = AF_PACKET, .pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO};
        q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.packet);
        return hail_packet_diag_row;
    case HAIL_KIND_NETLINK:
        q->r.netlink =
            (struct netlink_diag_req){.sdiag_family = AF_NETLINK,
                                      .sdiag_protocol = NDIAG_PROTO_ALL,
                                      .ndiag_show = NDIAG_SHOW_GROUPS | NDIAG_SHOW_MEMINFO};
        q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.netlink);
        return hail_netlink_diag_row;
    case HAIL_KIND_VSOCK:
        q->r.vsock =
            (struct vsock_diag_req){.sdiag_family = AF_VSOCK, .vdiag_states = states_of(l->query)};
        q->h.nlmsg_len = NLMSG_LENGTH(sizeof q->r.vsock);
        return hail_vsock_diag_row;
    default:
        ask_inet(q, l, kind, family);
        return hail_inet_diag_row;
    }
}

/* IPv6 comes behind IPv4: its messages are kept until then, or asked for again if they are many. */
struct hail_kept {
    size_t n;
    bool full;
    _Alignas(struct nlmsghdr) char v[KEPT_BYTES]; /* length and payload, in turn */
};

static void keep(struct hail_kept *kept, const struct hail_nl_message *m)
{
    uint32_t len = (uint32_t)m->len;
    size_t whole = sizeof len + NLMSG_ALIGN(len);
    kept->full = kept->full || kept->n + whole > sizeof kept->v;
    if (kept->full)
        return;
    memcpy(kept->v + kept->n, &len, sizeof len);
    memcpy(kept->v + kept->n + sizeof len, m->payload, len);
    kept->n += whole;
}

static int tell_kept(struct hail_listing *l, const struct hail_kept *kept)
{
    int rc = 0;
    for (size_t at = 0; at < kept->n && rc == 0 && !l->stopped;) {
        uint32_t len;
        memcpy(&len, kept->v + at, sizeof len);
        rc = hail_inet_diag_row(kept->v + at + sizeof len, len, l->query->want, &l->row);
        if (rc == 0)
            hail_listing_tell(l);
        at += sizeof len + NLMSG_ALIGN(len);
    }
    return rc;
}

/* The rows of one datagram. 1 at the end of the dump, 0 to go on, -EAGAIN to begin again, or
 * -errno. */
static int read_rows(struct hail_listing *l, struct hail_nl nl, row_fn *read_row)
{
    struct hail_nl_message m;
    int rc;
    while ((rc = hail_nl_next(&nl, &m)) == 1) {
        if (m.flags & NLM_F_DUMP_INTR) {
            if (l->told == 0)
                return -EAGAIN;
            l->gaps->changed |= HAIL_KIND_BIT(l->row.info.kind);
        }
        if (m.type == NLMSG_ERROR || m.type == NLMSG_DONE) {
            rc = hail_nl_error(&m);
            return rc < 0 ? rc : 1;
        }
        if (m.type != SOCK_DIAG_BY_FAMILY && m.type != TCPDIAG_GETSOCK)
            continue;
        rc = read_row(m.payload, m.len, l->query->want, &l->row);
        if (rc < 0)
            return rc;
        if (l->kept && l->row.info.family == AF_INET6)
            keep(l->kept, &m);
        else if (hail_listing_tell(l))
            return 1;
    }
    return rc;
}

static int read_dump(struct hail_listing *l, int fd, row_fn *read_row)
{
    _Alignas(struct nlmsghdr) char buf[DUMP_BYTES];
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT | MSG_TRUNC);
        int rc = 0;
        if (n < 0 && errno == EAGAIN)
            rc = hail_wait(l->ctx, fd, POLLIN);
        else if (n < 0)
            rc = errno == EINTR ? 0 : -errno;
        else if ((size_t)n > sizeof buf)
            rc = -EMSGSIZE;
        else
            rc = read_rows(l, (struct hail_nl){buf, (size_t)n}, read_row);
        if (rc < 0)
            return rc;
        if (n > 0 && rc == 1)
            return 0;
    }
}

static int open_diag(const struct hail_netns *netns)
{
    int back, rc = hail_netns_enter(netns, &back);
    if (rc < 0)
        return rc;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int failed = fd < 0 ? -errno : 0;
    rc = hail_netns_leave(back);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : failed ? failed : fd;
}

static int dump(struct hail_listing *l, enum hail_socket_kind kind, int family, bool *has_code)
{
    static const uint8_t types[] = {SOCK_STREAM, SOCK_STREAM,    SOCK_DGRAM,
                                    SOCK_DGRAM,  SOCK_SEQPACKET, SOCK_RAW};
    struct question q;
    row_fn *read_row = ask(&q, l, kind, family);
    *has_code = q.has_code;
    int rc = -EAGAIN;
    l->row.info.kind = kind;
    l->told = 0;
    if (kind < HAIL_KIND_UNIX) {
        l->row.info.type = types[kind];
        l->row.info.protocol = protocol_of(kind);
    }
    for (int i = 0; i < RETRIES_MAX && rc == -EAGAIN; i++) {
        int fd = open_diag(l->query->netns);
        if (fd < 0)
            return fd == -EPROTONOSUPPORT || fd == -EAFNOSUPPORT ? -ENOENT : fd;
        if (l->kept)
            l->kept->n = l->kept->full = 0;
        rc = send(fd, &q, q.h.nlmsg_len, 0) < 0 ? -errno : read_dump(l, fd, read_row);
        close(fd);
    }
    if (rc != -EAGAIN)
        return rc;
    l->gaps->changed |= HAIL_KIND_BIT(kind);
    return 0;
}

int hail_dump_diag(struct hail_listing *l, enum hail_socket_kind kind, int family)
{
    bool has_code;
    int rc = dump(l, kind, family, &has_code);
    if (rc != -EINVAL || !has_code)
        return rc;
    l->no_code = true; /* a kernel that does not know all of the program */
    rc = dump(l, kind, family, &has_code);
    l->no_code = false;
    return rc;
}

int hail_dump_tcp(struct hail_listing *l)
{
    struct hail_kept *kept = malloc(sizeof *kept);
    if (!kept)
        return -ENOMEM;
    l->kept = kept;
    int rc = hail_dump_diag(l, HAIL_KIND_TCP, AF_UNSPEC);
    l->kept = NULL;
    if (rc == 0 && !l->stopped)
        rc = kept->full ? hail_dump_diag(l, HAIL_KIND_TCP, AF_INET6) : tell_kept(l, kept);
    free(kept);
    return rc;
}
