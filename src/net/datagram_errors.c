/* datagram_errors.c - what ICMP said about datagrams that were sent, with their destinations: the
 * error queue of ip(7) and ipv6(7).
 */
#include "net/datagram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

/* The error among the control data; 0: none that counts. What this machine itself says of a
 * datagram (too large for the path) is not the peer's doing, but an error all the same. */
static int error_of(struct msghdr *h)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm)) {
        struct sock_extended_err e;
        bool v4 = cm->cmsg_level == IPPROTO_IP && cm->cmsg_type == IP_RECVERR;
        bool v6 = cm->cmsg_level == IPPROTO_IPV6 && cm->cmsg_type == IPV6_RECVERR;
        if ((!v4 && !v6) || cm->cmsg_len < CMSG_LEN(sizeof e))
            continue;
        memcpy(&e, CMSG_DATA(cm), sizeof e);
        return (int)e.ee_errno;
    }
    return 0;
}

int hail_try_recv_error(struct hail_ctx *ctx, struct hail_datagram *d, struct hail_addr *to)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
    } control;
    struct hail_addr a;
    for (;;) {
        struct msghdr h = {.msg_name = &a.u.sa,
                           .msg_namelen = sizeof a.u,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
        ssize_t n = recvmsg(d->fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return -EAGAIN;
        if (n < 0)
            return hail_datagram_failed(ctx, d, "receive at", NULL, -errno);
        int errnum = error_of(&h);
        if (!errnum)
            continue;
        a.len = h.msg_namelen;
        *to = a;
        return errnum;
    }
}
