/* datagram_batch.c - many datagrams in one system call: sendmmsg(2) and recvmmsg(2), and the kernel
 * cutting and joining them: UDP_SEGMENT and UDP_GRO of udp(7).
 */
#include "net/datagram.h"
#include "net/trace.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

/* What both calls need; on the stack, so that no call allocates. */
struct batch {
    struct mmsghdr headers[HAIL_BATCH_MAX];
    struct iovec iov[HAIL_BATCH_MAX];
    union hail_datagram_control control[HAIL_BATCH_MAX];
};

void hail_datagram_segment(struct msghdr *h, union hail_datagram_control *c, uint16_t segment)
{
    h->msg_control = c->bytes;
    h->msg_controllen = CMSG_SPACE(sizeof segment);
    struct cmsghdr *cm = CMSG_FIRSTHDR(h);
    *cm = (struct cmsghdr){
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof segment)};
    memcpy(CMSG_DATA(cm), &segment, sizeof segment);
}

/* The size by which the kernel joined datagrams; 0: it did not. */
static uint16_t get_segment(struct msghdr *h)
{
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm)) {
        int segment;
        if (cm->cmsg_level != IPPROTO_UDP || cm->cmsg_type != UDP_GRO ||
            cm->cmsg_len < CMSG_LEN(sizeof segment))
            continue;
        memcpy(&segment, CMSG_DATA(cm), sizeof segment);
        return (uint16_t)segment;
    }
    return 0;
}

/* What the kernel cut or joined is told one by one. */
static void trace_message(struct hail_ctx *ctx, const struct hail_datagram *d, bool out,
                          const struct hail_message *m)
{
    const struct hail_addr *peer = m->addr.len ? &m->addr : NULL;
    size_t size = m->segment ? m->segment : m->len, at = 0;
    do {
        size_t n = m->len - at < size ? m->len - at : size;
        hail_datagram_trace(ctx, d, out, peer, (const char *)m->data + at, n);
        at += n;
    } while (at < m->len);
}

static void trace_all(struct hail_ctx *ctx, const struct hail_datagram *d, bool out,
                      const struct hail_message *v, int n)
{
    for (int i = 0; i < n; i++)
        trace_message(ctx, d, out, &v[i]);
}

int hail_send_batch(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_message *v,
                    size_t n)
{
    struct batch b;
    if (n == 0)
        return 0;
    if (!v[0].addr.len && !d->connected)
        return hail_datagram_failed(ctx, d, "send to", NULL, -EDESTADDRREQ);
    n = n < HAIL_BATCH_MAX ? n : HAIL_BATCH_MAX;
    int rc = hail_datagram_ready(ctx, d, v[0].addr.len ? v[0].addr.u.sa.sa_family : d->family);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        b.iov[i] = (struct iovec){v[i].data, v[i].len};
        b.headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b.iov[i], .msg_iovlen = 1}};
        struct msghdr *h = &b.headers[i].msg_hdr;
        if (v[i].addr.len) {
            h->msg_name = (void *)(uintptr_t)&v[i].addr.u.sa; /* the kernel only reads it */
            h->msg_namelen = v[i].addr.len;
        }
        if (v[i].segment)
            hail_datagram_segment(h, &b.control[i], v[i].segment);
    }
    for (;;) {
        int sent = sendmmsg(d->fd, b.headers, (unsigned)n, MSG_NOSIGNAL);
        if (sent > 0) {
            if (hail_tracing(ctx))
                trace_all(ctx, d, true, v, sent);
            return sent;
        }
        rc = sent == 0 || errno == EINTR ? 0 : -errno;
        if (rc == -EAGAIN)
            rc = hail_wait(ctx, d->fd, POLLOUT);
        if (rc < 0)
            return hail_datagram_failed(ctx, d, "send to", v[0].addr.len ? &v[0].addr : NULL, rc);
    }
}

int hail_try_recv_batch(struct hail_ctx *ctx, struct hail_datagram *d, struct hail_message *v,
                        size_t n)
{
    struct batch b;
    n = n < HAIL_BATCH_MAX ? n : HAIL_BATCH_MAX;
    if (n == 0 || d->fd < 0)
        return n == 0 ? 0 : hail_datagram_failed(ctx, d, "receive at", NULL, -ENOTCONN);
    for (size_t i = 0; i < n; i++) {
        b.iov[i] = (struct iovec){v[i].data, v[i].size};
        b.headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b.iov[i],
                                                    .msg_iovlen = 1,
                                                    .msg_name = &v[i].addr.u.sa,
                                                    .msg_namelen = sizeof v[i].addr.u,
                                                    .msg_control = b.control[i].bytes,
                                                    .msg_controllen = sizeof b.control[i]}};
    }
    int got;
    do
        got = recvmmsg(d->fd, b.headers, (unsigned)n, MSG_DONTWAIT, NULL);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        return -EAGAIN;
    if (got < 0)
        return hail_datagram_failed(ctx, d, d->connected ? "receive from" : "receive at", NULL,
                                    -errno);
    for (int i = 0; i < got; i++) {
        struct msghdr *h = &b.headers[i].msg_hdr;
        v[i].addr.len = h->msg_namelen;
        v[i].len = b.headers[i].msg_len;
        v[i].truncated = h->msg_flags & MSG_TRUNC;
        v[i].segment = get_segment(h);
    }
    if (hail_tracing(ctx))
        trace_all(ctx, d, false, v, got);
    return got;
}

int hail_recv_batch(struct hail_ctx *ctx, struct hail_datagram *d, struct hail_message *v, size_t n)
{
    for (;;) {
        int got = hail_try_recv_batch(ctx, d, v, n);
        if (got != -EAGAIN)
            return got;
        int rc = hail_wait(ctx, d->fd, POLLIN);
        if (rc < 0)
            return hail_datagram_failed(ctx, d, d->connected ? "receive from" : "receive at", NULL,
                                        rc);
    }
}
