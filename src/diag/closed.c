/* closed.c - the kernel's news of Internet sockets that close: the multicast groups of sock_diag(7)
 * (SKNLGRP_INET_TCP_DESTROY and its like, linux/sock_diag.h); include/hail/diag.h. */
#include "base/error.h"
#include "diag/netlink.h"
#include "diag/netns.h"
#include "diag/rows.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <unistd.h>

#define NEWS_BYTES  (32 << 10)
#define NEWS_QUEUED (4 << 20) /* bytes that may wait: a burst of closing sockets */

static int join_groups(int fd, unsigned kinds)
{
    static const struct {
        enum hail_socket_kind kind;
        unsigned v4, v6;
    } groups[] = {{HAIL_KIND_TCP, SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY},
                  {HAIL_KIND_UDP, SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_UDP_DESTROY}};
    struct sockaddr_nl nl = {.nl_family = AF_NETLINK};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (kinds & HAIL_KIND_BIT(groups[i].kind))
            nl.nl_groups |= 1u << (groups[i].v4 - 1) | 1u << (groups[i].v6 - 1);
    int queued = NEWS_QUEUED;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queued, sizeof queued) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queued, sizeof queued);
    return bind(fd, (const struct sockaddr *)&nl, sizeof nl) < 0 ? -errno : 0;
}

int hail_socket_closed_open(struct hail_ctx *ctx, const struct hail_netns *netns, unsigned kinds,
                            int *fd)
{
    int back, rc = hail_netns_enter(netns, &back), news = -1;
    if (rc == 0) {
        news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
        int failed = news < 0 ? -errno : join_groups(news, kinds);
        rc = hail_netns_leave(back);
        rc = rc < 0 ? rc : failed;
    }
    if (rc < 0) {
        if (news >= 0)
            close(news);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "watch",
                         "hear of sockets that close (sock_diag): %s", hail_errno_text(-rc));
    }
    *fd = news;
    return 0;
}

/* TCP or UDP, by the attribute that says so. */
static enum hail_socket_kind kind_of(const struct hail_nl_message *m)
{
    enum { HEAD = 72, ATTR_PROTOCOL = 10 }; /* sizeof(struct inet_diag_msg), INET_DIAG_PROTOCOL */
    struct hail_nl rest = {(const char *)m->payload + HEAD, m->len > HEAD ? m->len - HEAD : 0};
    struct hail_nl_attr a;
    uint8_t protocol = IPPROTO_TCP;
    while (hail_nl_attr(&rest, &a))
        if (a.type == ATTR_PROTOCOL)
            hail_nl_u8(&a, &protocol);
    return protocol == IPPROTO_UDP ? HAIL_KIND_UDP : HAIL_KIND_TCP;
}

int hail_socket_closed_read(struct hail_ctx *ctx, int fd, hail_socket_info_fn *each, void *arg)
{
    _Alignas(struct nlmsghdr) char buf[NEWS_BYTES];
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return -errno;
    if (n < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "watch",
                         "hear of sockets that close (sock_diag): %s", hail_errno_text(errno));
    struct hail_nl nl = {buf, (size_t)n};
    struct hail_nl_message m;
    struct hail_diag_row row = {.info = {.netns = NULL}};
    int stopped = 0;
    while (!stopped && hail_nl_next(&nl, &m) == 1) {
        row.info.kind = kind_of(&m);
        row.info.type = row.info.kind == HAIL_KIND_UDP ? SOCK_DGRAM : SOCK_STREAM;
        if (m.type == SOCK_DIAG_BY_FAMILY && hail_inet_diag_row(m.payload, m.len, 0, &row) == 0)
            stopped = each(arg, &row.info);
    }
    return stopped;
}
