/* datagram.h - self-contained messages: UDP and Unix datagrams, one by one and in batches. */
#ifndef HAIL_DATAGRAM_H
#define HAIL_DATAGRAM_H

#include <hail/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_datagram;

#define HAIL_DATAGRAM_MAX 65507 /* the largest UDP payload over IPv4: 65,535 - 20 - 8 */

/* Opens a socket bound at `at` (NULL: unbound, family of opts or the first destination). Port 0:
 * the system picks. */
HAIL_API int hail_datagram_open(struct hail_ctx *ctx, const struct hail_endpoint *at,
                                const struct hail_opts *opts, struct hail_datagram **out);

/* Opens a socket connected to the first address of `to`: only its datagrams are received, and
 * refusals by ICMP are reported. */
HAIL_API int hail_datagram_connect(struct hail_ctx *ctx, const struct hail_endpoint *to,
                                   const struct hail_opts *opts, struct hail_datagram **out);

/* Waits for a datagram, which stays to be received, and connects to its sender. Returns 1, or 0
 * when the sender is a Unix socket without a name, which nothing can be sent to. */
HAIL_API int hail_datagram_accept(struct hail_ctx *ctx, struct hail_datagram *d);

/* Sends one datagram; `to` NULL on a connected socket. 0 or -errno; never in part. */
HAIL_API int hail_send_to(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_addr *to,
                          const void *buf, size_t size);

/* Receives one datagram; `from` may be NULL. Returns its whole size: more than `size` means that
 * the rest was cut off and is lost. An empty datagram is 0. */
HAIL_API ssize_t hail_recv_from(struct hail_ctx *ctx, struct hail_datagram *d, void *buf,
                                size_t size, struct hail_addr *from);

/* One message of a batch. Sending: `to` (len 0: connected), `data`, `len`, and `segment` > 0 to let
 * the kernel cut data into datagrams of that size (UDP_SEGMENT, udp(7)); 0: one datagram.
 * Receiving: the caller gives data and size; the call fills `from`, `len` and `segment` (> 0:
 * UDP_GRO joined datagrams of that size, the last may be shorter) and `truncated`. */
struct hail_message {
    struct hail_addr addr;
    void *data;
    size_t size, len;
    uint16_t segment;
    bool truncated;
};
#define HAIL_BATCH_MAX 64

/* Sends up to HAIL_BATCH_MAX messages in one system call, waiting for room. Returns how many were
 * taken (at least 1), or -errno of the first. */
HAIL_API int hail_send_batch(struct hail_ctx *ctx, struct hail_datagram *d,
                             const struct hail_message *v, size_t n);
/* Receives at least one, waiting for it, and what else is there, up to HAIL_BATCH_MAX. */
HAIL_API int hail_recv_batch(struct hail_ctx *ctx, struct hail_datagram *d, struct hail_message *v,
                             size_t n);

/* The steps of the two, which never wait. -EAGAIN: nothing was done, and no error is recorded. */
HAIL_API int hail_try_recv_batch(struct hail_ctx *ctx, struct hail_datagram *d,
                                 struct hail_message *v, size_t n);
/* Sends datagrams that lie one behind the other from `data` on, of `len[0]`, `len[1]`, ... bytes:
 * neighbours of equal size in one piece where the kernel cuts it (UDP_SEGMENT), each by itself
 * where it cannot. Returns how many of the `n` were sent (at least 1), or -errno of the first. */
HAIL_API int hail_try_send_row(struct hail_ctx *ctx, struct hail_datagram *d,
                               const struct hail_addr *to, const void *data, const uint32_t *len,
                               size_t n);

/* Options. -ENOTSUP where the kernel has it not. */
HAIL_API int hail_datagram_gro(struct hail_ctx *ctx, struct hail_datagram *d, bool on);
/* Errors that ICMP tells of are kept with the destination that they are about, also on a socket
 * that is not connected (IP_RECVERR, IPV6_RECVERR); a call that meets one fails with it, see
 * hail_try_recv_error(). */
HAIL_API int hail_datagram_errors(struct hail_ctx *ctx, struct hail_datagram *d, bool on);
/* Takes the oldest of them: its positive errno, and to whom the datagram had been sent. -EAGAIN:
 * there is none. */
HAIL_API int hail_try_recv_error(struct hail_ctx *ctx, struct hail_datagram *d,
                                 struct hail_addr *to);
HAIL_API int hail_datagram_broadcast(struct hail_ctx *ctx, struct hail_datagram *d, bool on);
/* Joins or leaves the group on the interface named or numbered `ifname` (NULL: the system picks).
 */
HAIL_API int hail_datagram_join(struct hail_ctx *ctx, struct hail_datagram *d,
                                const struct hail_addr *group, const char *ifname);
HAIL_API int hail_datagram_leave(struct hail_ctx *ctx, struct hail_datagram *d,
                                 const struct hail_addr *group, const char *ifname);
/* Multicast sending: the interface named or numbered `ifname` (NULL: by the routes), hops (0 to
 * 255), and whether this host hears its own. */
HAIL_API int hail_datagram_multicast(struct hail_ctx *ctx, struct hail_datagram *d,
                                     const char *ifname, int hops, bool loop);

HAIL_API struct hail_endpoint hail_datagram_local(const struct hail_datagram *d);
HAIL_API struct hail_endpoint hail_datagram_peer(const struct hail_datagram *d);
HAIL_API int hail_datagram_fd(const struct hail_datagram *d);
HAIL_API void hail_datagram_close(struct hail_datagram *d); /* accepts NULL */

#ifdef __cplusplus
}
#endif
#endif
