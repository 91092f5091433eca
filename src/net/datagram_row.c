/* datagram_row.c - datagrams that lie one behind the other in memory, sent in one system call;
 * include/hail/datagram.h.
 *
 *   data   | 64 | 64 | 64 | 20 | 1400 | 1400 | 7 |
 *            `----- one -----´   `---- one ----´     two messages of sendmmsg(2), cut by
 * UDP_SEGMENT
 */
#include "net/datagram.h"

#include "net/trace.h"

#include <errno.h>

#define SEGMENTS 64 /* that one message may have: UDP_MAX_SEGMENTS of older kernels */

/* How many datagrams from `len` on go out as one: equal ones, of which the last may be shorter. */
static size_t run_of(const struct hail_datagram *d, const uint32_t *len, size_t n)
{
    size_t bytes = len[0], i = 1;
    if (d->family == AF_UNIX || d->no_segments || len[0] == 0 || len[0] > UINT16_MAX ||
        (d->too_long && len[0] >= d->too_long))
        return 1;
    while (i < n && i < SEGMENTS && len[i] > 0 && len[i] <= len[0] &&
           bytes + len[i] <= HAIL_DATAGRAM_MAX) {
        bytes += len[i];
        if (len[i++] < len[0])
            break;
    }
    return i;
}

/* Whether sending in segments failed only because it was in segments; it is not tried again. */
static bool cannot_cut(struct hail_datagram *d, uint32_t segment, int errnum)
{
    switch (errnum) {
    case EINVAL: /* longer than the path's MTU: EINVAL, since Linux 6.14 EMSGSIZE */
    case EMSGSIZE:
        d->too_long = (uint16_t)segment;
        return true;
    case EIO: /* the device cannot compute checksums, udp(7) */
    case EOPNOTSUPP:
    case ENOPROTOOPT:
        d->no_segments = true;
        return true;
    default:
        return false;
    }
}

static void trace_row(struct hail_ctx *ctx, const struct hail_datagram *d,
                      const struct hail_addr *to, const char *data, const uint32_t *len, int n)
{
    for (int i = 0; i < n; data += len[i++])
        hail_datagram_trace(ctx, d, true, to, data, len[i]);
}

/* One call of sendmmsg(2). Datagrams sent, or -errno. */
static int send_once(const struct hail_datagram *d, const struct hail_addr *to, const char *data,
                     const uint32_t *len, size_t n)
{
    struct mmsghdr headers[HAIL_BATCH_MAX];
    struct iovec iov[HAIL_BATCH_MAX];
    union hail_datagram_control control[HAIL_BATCH_MAX];
    int runs[HAIL_BATCH_MAX] = {0};
    unsigned m = 0;
    for (size_t i = 0; i < n && m < HAIL_BATCH_MAX; m++) {
        size_t run = run_of(d, len + i, n - i), bytes = 0;
        for (size_t k = 0; k < run; k++)
            bytes += len[i + k];
        iov[m] = (struct iovec){(void *)(uintptr_t)data, bytes}; /* the kernel only reads it */
        headers[m] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[m], .msg_iovlen = 1}};
        if (to) {
            headers[m].msg_hdr.msg_name = (void *)(uintptr_t)&to->u.sa;
            headers[m].msg_hdr.msg_namelen = to->len;
        }
        if (run > 1)
            hail_datagram_segment(&headers[m].msg_hdr, &control[m], (uint16_t)len[i]);
        runs[m] = (int)run;
        data += bytes;
        i += run;
    }
    int messages, sent = 0;
    do
        messages = sendmmsg(d->fd, headers, m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (messages < 0 && errno == EINTR);
    if (messages < 0)
        return -errno;
    for (int i = 0; i < messages; i++)
        sent += runs[i];
    return sent;
}

int hail_try_send_row(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_addr *to,
                      const void *data, const uint32_t *len, size_t n)
{
    if (n == 0)
        return 0;
    if (!to && !d->connected)
        return hail_datagram_failed(ctx, d, "send to", NULL, -EDESTADDRREQ);
    int rc = hail_datagram_ready(ctx, d, to ? to->u.sa.sa_family : d->family);
    if (rc < 0)
        return rc;
    for (;;) {
        int sent = send_once(d, to, data, len, n);
        if (sent > 0 && hail_tracing(ctx))
            trace_row(ctx, d, to, data, len, sent);
        if (sent >= 0 || sent == -EAGAIN)
            return sent;
        if (!(run_of(d, len, n) > 1 && cannot_cut(d, len[0], -sent)))
            return hail_datagram_failed(ctx, d, "send to", to, sent);
    }
}
