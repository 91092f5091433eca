/* stream.h - bytes in both directions, in order: TCP and Unix streams, and the layers on top.
 *
 * A stream is a stack of layers; the handle is the top one. Sockets are non-blocking, close-on-exec
 * and never raise SIGPIPE. Every blocking call is made of the non-blocking step of the same name
 * (hail_try_...) and hail_wait(); servers use the steps with the loop.
 */
#ifndef HAIL_STREAM_H
#define HAIL_STREAM_H

#include <hail/proxy.h>
#include <hail/resolve.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_stream;

/* One address that dialling tried. */
struct hail_attempt {
    struct hail_addr addr;
    int errnum;               /* 0: connected; ECANCELED: another was faster */
    int64_t start_ns, end_ns; /* CLOCK_MONOTONIC */
};
#define HAIL_ATTEMPTS_MAX 32 /* addresses that one dial tries at most */

/* How to dial, to listen and to open datagram sockets. All zero is right for most. */
struct hail_opts {
    int family;                       /* AF_UNSPEC, AF_INET, AF_INET6 */
    const struct hail_endpoint *from; /* dial: numeric local address and port to bind; NULL: any */
    const struct hail_resolve_opts *resolve; /* NULL: the system's */
    struct hail_proxy *proxy; /* dial: through this one; NULL: directly. Tells what it said. */
    int attempt_delay_ms;     /* dial: before the next address is tried beside; 0: 250 (RFC 8305) */
    int keepalive_s;          /* idle seconds before keep-alive probes; 0: off */
    bool nagle;               /* leave Nagle's algorithm on; without it TCP_NODELAY is set */
    bool fast_open;           /* TCP Fast Open, RFC 7413 */
    int backlog;              /* listen: 0: SOMAXCONN */
    bool reuseport;           /* listen, datagrams: SO_REUSEPORT */
    bool v6only;              /* listen, datagrams: no IPv4 on an IPv6 socket */
    unsigned unix_mode;       /* listen: permission bits of a Unix socket; 0: by umask */
    int rcvbuf, sndbuf;       /* bytes; 0: the system's */
    /* Called with every socket before it is connected, or bound, to `at` (of a datagram socket: the
     * family alone), for options that are not above; of an unbound datagram socket without a
     * family, when it first sends. 0 or -errno, which fails the attempt. NULL: none. */
    int (*prepare)(void *arg, int fd, const struct hail_addr *at);
    /* Dial: told of what was tried, in order, also when it came to nothing. NULL: none. */
    void (*tried)(void *arg, const struct hail_attempt *v, size_t n);
    void *arg;
};

/* Connects to `to` by RFC 8305: resolves, races the families, keeps every attempt. HAIL_TLS as the
 * transport is not done here: lay hail_tls_client() on top. HAIL_UDP is -EINVAL. `opts` may be
 * NULL. On failure the most specific error is the context's, the other attempts are its advice.
 * Unix stream sockets are dialled by the same call. */
HAIL_API int hail_dial(struct hail_ctx *ctx, const struct hail_endpoint *to,
                       const struct hail_opts *opts, struct hail_stream **out);

/* What the dial that made the stream tried, in order; *n attempts, as long as the stream lives. */
HAIL_API const struct hail_attempt *hail_stream_attempts(const struct hail_stream *s, size_t *n);

/* Makes a stream of a connected stream socket, which it then owns and makes non-blocking. */
HAIL_API int hail_stream_of_fd(struct hail_ctx *ctx, int fd, struct hail_stream **out);

/* Reads what there is, at least one byte, waiting for it. Returns the count, 0 at the end of the
 * stream, or -errno. A timed-out read consumed nothing. TLS: an end without close_notify is
 * -EPROTO with detail HAIL_TRUNCATED. Bytes queued ahead of a reset are returned before it. */
HAIL_API ssize_t hail_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size);

/* Reads exactly `size` bytes, fewer only at the end of the stream; -errno loses none: *done. */
HAIL_API int hail_read_full(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size,
                            size_t *done);

/* Writes everything. Returns 0 or -errno; *done (may be NULL) is what was handed to the system. */
HAIL_API int hail_write(struct hail_ctx *ctx, struct hail_stream *s, const void *buf, size_t size,
                        size_t *done);
HAIL_API int hail_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                         int iovcnt, size_t *done);

/* Sends `size` bytes of the file `fd` from *offset, which advances; sendfile(2) where the layers
 * allow, read and write otherwise. A file that ends early: -EIO. */
HAIL_API int hail_sendfile(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *offset,
                           size_t size);

/* Ends the sending direction: close_notify, then FIN. Reading goes on. */
HAIL_API int hail_shutdown(struct hail_ctx *ctx, struct hail_stream *s);

/* Closes all layers and frees. Never blocks; accepts NULL. Call hail_shutdown() and read to the end
 * first where the peer must get everything. */
HAIL_API void hail_close(struct hail_stream *s);

/* The steps. -EAGAIN: nothing was done, wait for hail_stream_wants() on hail_stream_fd(). Other
 * returns as above; a write step returns the count it took. */
HAIL_API ssize_t hail_try_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size);
HAIL_API ssize_t hail_try_writev(struct hail_ctx *ctx, struct hail_stream *s,
                                 const struct iovec *iov, int iovcnt);
HAIL_API ssize_t hail_try_sendfile(struct hail_ctx *ctx, struct hail_stream *s, int fd,
                                   off_t *offset, size_t size);
HAIL_API int hail_try_shutdown(struct hail_ctx *ctx, struct hail_stream *s);
HAIL_API int hail_stream_wants(const struct hail_stream *s); /* POLLIN or POLLOUT */

/* The socket underneath; it stays the stream's. */
HAIL_API int hail_stream_fd(const struct hail_stream *s);

/* Both endpoints of the connection. */
HAIL_API struct hail_endpoint hail_local(const struct hail_stream *s);
HAIL_API struct hail_endpoint hail_peer(const struct hail_stream *s);

#ifdef __cplusplus
}
#endif
#endif
