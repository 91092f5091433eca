/* destroy.c - closing a socket of any process from outside (SOCK_DESTROY, linux/sock_diag.h);
 * include/hail/diag.h. */
#include "base/error.h"
#include "diag/netlink.h"
#include "diag/netns.h"

#include <hail/diag.h>

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void set_ends(struct inet_diag_sockid *id, const struct hail_socket_info *info)
{
    bool v4 = info->family == AF_INET;
    id->idiag_sport = v4 ? info->local.u.in4.sin_port : info->local.u.in6.sin6_port;
    id->idiag_dport = v4 ? info->peer.u.in4.sin_port : info->peer.u.in6.sin6_port;
    memcpy(id->idiag_src,
           v4 ? (const void *)&info->local.u.in4.sin_addr
              : (const void *)&info->local.u.in6.sin6_addr,
           v4 ? 4 : 16);
    memcpy(id->idiag_dst,
           v4 ? (const void *)&info->peer.u.in4.sin_addr
              : (const void *)&info->peer.u.in6.sin6_addr,
           v4 ? 4 : 16);
    id->idiag_if = info->interface;
    id->idiag_cookie[0] = (uint32_t)info->cookie;
    id->idiag_cookie[1] = (uint32_t)(info->cookie >> 32);
}

/* Sends the request and reads what the kernel says to it. */
static int ask(struct hail_ctx *ctx, int fd, const struct hail_socket_info *info)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } q = {.h = {.nlmsg_len = sizeof q,
                 .nlmsg_type = SOCK_DESTROY,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
           .r = {.sdiag_family = (uint8_t)info->family,
                 .sdiag_protocol = info->kind == HAIL_KIND_UDP ? IPPROTO_UDP : IPPROTO_TCP,
                 .idiag_states = 1u << info->state}};
    _Alignas(struct nlmsghdr) char buf[512];
    struct hail_nl_message m;
    set_ends(&q.r.id, info);
    if (send(fd, &q, sizeof q, 0) < 0)
        return -errno;
    int ready = hail_wait(ctx, fd, POLLIN);
    if (ready < 0)
        return ready;
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n < 0)
        return -errno;
    struct hail_nl nl = {buf, (size_t)n};
    if (hail_nl_next(&nl, &m) != 1 || m.type != NLMSG_ERROR)
        return -EBADMSG;
    return hail_nl_error(&m);
}

static const char *reason(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return "not permitted: it takes CAP_NET_ADMIN";
    case EOPNOTSUPP:
        return "this kernel was built without CONFIG_INET_DIAG_DESTROY";
    case ENOENT:
        return "it is gone already";
    default:
        return hail_errno_text(error);
    }
}

int hail_socket_destroy(struct hail_ctx *ctx, const struct hail_socket_info *info)
{
    int rc = -EOPNOTSUPP, back;
    if (info->kind == HAIL_KIND_TCP || info->kind == HAIL_KIND_UDP)
        rc = hail_netns_enter(info->netns, &back);
    else
        return hail_fail(ctx, HAIL_LAYER_LOCAL, EOPNOTSUPP, "close",
                         "close the socket: the kernel closes only TCP and UDP from outside");
    if (rc == 0) {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        int failed = fd < 0 ? -errno : 0;
        rc = hail_netns_leave(back);
        if (rc == 0)
            rc = failed ? failed : ask(ctx, fd, info);
        if (fd >= 0)
            close(fd);
    }
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "close", "close the socket: %s", reason(-rc));
    return 0;
}
