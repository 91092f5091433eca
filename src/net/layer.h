/* layer.h - the inside of a stream: layers, each a const table of operations over a next one.
 *
 *      hail_stream (top: TLS) --next--> hail_stream (socket)
 *
 * A layer that has nothing to say to an operation leaves it NULL and the next layer is asked; the
 * socket layer implements all of them. A new layer is one file that makes a hail_stream with its
 * own table and context, and frees them in `close`.
 */
#ifndef HAIL_NET_LAYER_H
#define HAIL_NET_LAYER_H

#include <hail/stream.h>

struct hail_layer_ops {
    const char *name;
    /* Steps: the count, 0, or -errno; -EAGAIN sets `wants`. Errors are recorded in the context. */
    ssize_t (*read)(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size);
    ssize_t (*writev)(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov, int n);
    ssize_t (*sendfile)(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *off, size_t n);
    int (*handshake)(struct hail_ctx *ctx, struct hail_stream *s);
    int (*shutdown)(struct hail_ctx *ctx, struct hail_stream *s);
    void (*close)(struct hail_stream *s); /* frees what is the layer's own, not `s`, not `next` */
};

struct hail_stream {
    const struct hail_layer_ops *ops;
    struct hail_stream *next;      /* the layer below, owned; NULL for the socket */
    void *state;                   /* the layer's own */
    int fd;                        /* the socket's descriptor, the same in every layer */
    short wants;                   /* POLLIN or POLLOUT after -EAGAIN */
    uint32_t span;                 /* the conversation's span in the trace; 0: none */
    struct hail_trace *trace;      /* the trace that `span` belongs to */
    struct hail_attempt *attempts; /* of the dial; on the socket layer */
    size_t nattempts;
};

#endif
