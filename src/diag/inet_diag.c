/* inet_diag.c - messages about Internet sockets (linux/inet_diag.h) into rows; diag/rows.h. */
#include "diag/netlink.h"
#include "diag/rows.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <string.h>

/* Newer than some systems' headers. */
enum { ATTR_SOCKOPT = 22, ATTR_CGROUP_ID = 21 };

_Static_assert(sizeof(struct hail_tcp_info) >= sizeof(struct tcp_info), "the kernel's layout");
_Static_assert(offsetof(struct hail_tcp_info, rto) == offsetof(struct tcp_info, tcpi_rto) &&
                   offsetof(struct hail_tcp_info, pacing_rate) ==
                       offsetof(struct tcp_info, tcpi_pacing_rate) &&
                   offsetof(struct hail_tcp_info, snd_wnd) ==
                       offsetof(struct tcp_info, tcpi_snd_wnd),
               "the kernel's layout");

static void address(struct hail_addr *a, int family, const __be32 *ip, __be16 port, uint32_t zone)
{
    if (family == AF_INET) {
        a->len = sizeof a->u.in4;
        a->u.in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
        memcpy(&a->u.in4.sin_addr, ip, sizeof a->u.in4.sin_addr);
        return;
    }
    a->len = sizeof a->u.in6;
    a->u.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
    memcpy(&a->u.in6.sin6_addr, ip, sizeof a->u.in6.sin6_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&a->u.in6.sin6_addr))
        a->u.in6.sin6_scope_id = zone;
}

void hail_diag_memory(const struct hail_nl_attr *a, struct hail_diag_row *row)
{
    uint32_t v[9] = {0}; /* SK_MEMINFO_VARS of them */
    memcpy(v, a->data, a->len < sizeof v ? a->len : sizeof v);
    row->memory = (struct hail_socket_memory){.receive_used = v[0],
                                              .receive_max = v[1],
                                              .send_used = v[2],
                                              .send_max = v[3],
                                              .forward = v[4],
                                              .queued = v[5],
                                              .options = v[6],
                                              .backlog = v[7],
                                              .drops = v[8]};
    row->info.memory = &row->memory;
    row->info.has |= HAIL_HAS_MEMORY;
}

static void tcp_info(const struct hail_nl_attr *a, unsigned want, struct hail_diag_row *row)
{
    struct hail_socket_info *info = &row->info;
    if (info->kind != HAIL_KIND_TCP) /* MPTCP and SCTP have structs of their own */
        return;
    size_t n = a->len < sizeof row->tcp ? a->len : sizeof row->tcp;
    memcpy(&row->tcp, a->data, n);
    memset((char *)&row->tcp + n, 0, sizeof row->tcp - n);
    info->retransmits = row->tcp.retransmits;
    info->probes = row->tcp.probes;
    info->has |= HAIL_HAS_PROBES;
    if (want & HAIL_HAS_TCP_INFO) {
        info->tcp = &row->tcp;
        info->has |= HAIL_HAS_TCP_INFO;
    }
}

/* The kernel's struct inet_diag_sockopt is two bytes of bits, in the order of its declaration. */
static void socket_options(const struct hail_nl_attr *a, struct hail_socket_info *info)
{
    uint8_t v[2] = {0};
    memcpy(v, a->data, a->len < sizeof v ? a->len : sizeof v);
    info->options = v[0] | (unsigned)v[1] << 8;
}

static void attribute(const struct hail_nl_attr *a, unsigned want, struct hail_diag_row *row)
{
    struct hail_socket_info *info = &row->info;
    uint8_t v6only = 0;
    switch (a->type) {
    case INET_DIAG_INFO:
        tcp_info(a, want, row);
        break;
    case INET_DIAG_CONG: {
        size_t n = a->len < sizeof row->congestion ? a->len : sizeof row->congestion - 1;
        memcpy(row->congestion, a->data, n);
        row->congestion[n] = '\0';
        break;
    }
    case INET_DIAG_SKMEMINFO:
        hail_diag_memory(a, row);
        break;
    case INET_DIAG_TOS:
        hail_nl_u8(a, &info->tos);
        break;
    case INET_DIAG_TCLASS:
        hail_nl_u8(a, &info->tclass);
        break;
    case INET_DIAG_SHUTDOWN:
        hail_nl_u8(a, &info->shutdown);
        break;
    case INET_DIAG_SKV6ONLY:
        hail_nl_u8(a, &v6only);
        info->v6only = v6only;
        break;
    case INET_DIAG_MARK:
        hail_nl_u32(a, &info->mark);
        break;
    case ATTR_CGROUP_ID:
        if (hail_nl_u64(a, &info->cgroup))
            info->has |= HAIL_HAS_CGROUP;
        break;
    case ATTR_SOCKOPT:
        socket_options(a, info);
        break;
    default:
        break;
    }
}

static enum hail_socket_timer timer_of(unsigned timer)
{
    return timer <= HAIL_TIMER_PROBE ? (enum hail_socket_timer)timer : HAIL_TIMER_RETRANSMIT;
}

/* Everything but the addresses, which are the larger part of the row and always written. */
static void clear(struct hail_socket_info *info)
{
    info->name = NULL;
    info->name_len = 0;
    info->peer_inode = info->references = 0;
    info->port_id = info->groups = info->cid = info->port = info->peer_cid = info->peer_port = 0;
    info->has = info->options = 0;
    info->tcp = NULL;
    info->congestion = "";
    info->memory = NULL;
    info->cgroup = 0;
    info->tos = info->tclass = info->shutdown = 0;
    info->v6only = false;
    info->mark = 0;
}

static void basics(const struct inet_diag_msg *m, struct hail_socket_info *info)
{
    clear(info);
    info->family = m->idiag_family;
    info->state = (enum hail_socket_state)m->idiag_state;
    address(&info->local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport, m->id.idiag_if);
    address(&info->peer, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport, m->id.idiag_if);
    info->interface = m->id.idiag_if;
    info->inode = m->idiag_inode;
    info->uid = m->idiag_uid;
    info->cookie = m->id.idiag_cookie[0] | (uint64_t)m->id.idiag_cookie[1] << 32;
    info->recv_q = m->idiag_rqueue;
    info->send_q = m->idiag_wqueue;
    info->timer = timer_of(m->idiag_timer);
    info->timer_ms = m->idiag_timer ? m->idiag_expires : 0;
    bool probing = info->timer == HAIL_TIMER_PROBE || info->timer == HAIL_TIMER_KEEPALIVE;
    info->retransmits = probing ? 0 : m->idiag_retrans;
    info->probes = probing ? m->idiag_retrans : 0;
}

int hail_inet_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row)
{
    struct inet_diag_msg m;
    if (n < sizeof m)
        return -EBADMSG;
    memcpy(&m, payload, sizeof m);
    if (m.idiag_family != AF_INET && m.idiag_family != AF_INET6)
        return -EBADMSG;
    basics(&m, &row->info);
    if (!want)
        return 0;
    row->congestion[0] = '\0';
    struct hail_nl rest = {(const char *)payload + sizeof m, n - sizeof m};
    struct hail_nl_attr a;
    while (hail_nl_attr(&rest, &a))
        attribute(&a, want, row);
    row->info.congestion = row->congestion;
    row->info.has |= want & HAIL_HAS_OPTIONS;
    return 0;
}
