/* inet_diag.c - messages of sock_diag(7) into struct hail_socket_info; diag/inet_diag.h. */
#include "diag/inet_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

static struct hail_addr address(int family, const __be32 *ip, __be16 port, uint32_t zone)
{
    struct hail_addr a = {0};
    if (family == AF_INET) {
        a.len = sizeof a.u.in4;
        a.u.in4.sin_family = AF_INET;
        a.u.in4.sin_port = port;
        memcpy(&a.u.in4.sin_addr, ip, sizeof a.u.in4.sin_addr);
        return a;
    }
    a.len = sizeof a.u.in6;
    a.u.in6.sin6_family = AF_INET6;
    a.u.in6.sin6_port = port;
    memcpy(&a.u.in6.sin6_addr, ip, sizeof a.u.in6.sin6_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&a.u.in6.sin6_addr))
        a.u.in6.sin6_scope_id = zone;
    return a;
}

static struct hail_socket_info info_of(const struct inet_diag_msg *m, int protocol)
{
    return (struct hail_socket_info){
        .protocol = protocol,
        .state = (enum hail_socket_state)m->idiag_state,
        .local = address(m->idiag_family, m->id.idiag_src, m->id.idiag_sport, m->id.idiag_if),
        .peer = address(m->idiag_family, m->id.idiag_dst, m->id.idiag_dport, m->id.idiag_if),
        .inode = m->idiag_inode,
        .uid = m->idiag_uid,
        .recv_q = m->idiag_rqueue,
        .send_q = m->idiag_wqueue,
        .timer_ms = m->idiag_timer ? m->idiag_expires : 0,
    };
}

static int error_of(const struct nlmsghdr *h)
{
    struct nlmsgerr e;
    if (h->nlmsg_len < NLMSG_LENGTH(sizeof e))
        return -EBADMSG;
    memcpy(&e, NLMSG_DATA(h), sizeof e);
    return e.error < 0 && e.error > -4096 ? e.error : -EBADMSG;
}

int hail_inet_diag_read(const void *buf, size_t n, int protocol, hail_socket_info_fn *each,
                        void *arg, int *stopped)
{
    const char *p = buf;
    while (n >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr h;
        memcpy(&h, p, sizeof h);
        if (h.nlmsg_len < sizeof h || h.nlmsg_len > n)
            return -EBADMSG;
        if (h.nlmsg_flags & NLM_F_DUMP_INTR)
            return -EINTR;
        if (h.nlmsg_type == NLMSG_DONE)
            return 1;
        if (h.nlmsg_type == NLMSG_ERROR)
            return error_of((const struct nlmsghdr *)(const void *)p);
        struct inet_diag_msg m;
        if (h.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
            if (h.nlmsg_len < NLMSG_LENGTH(sizeof m))
                return -EBADMSG;
            memcpy(&m, p + NLMSG_HDRLEN, sizeof m);
            struct hail_socket_info info = info_of(&m, protocol);
            *stopped = each(arg, &info);
            if (*stopped)
                return 1;
        }
        size_t whole = NLMSG_ALIGN(h.nlmsg_len);
        if (whole >= n)
            return 0;
        p += whole;
        n -= whole;
    }
    return n ? -EBADMSG : 0;
}
