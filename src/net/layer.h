/* layer.h - the inside of a stream: layers, each a const table of operations over a next one.
 *
 *      hail_stream (top: TLS) --next--> hail_stream (socket)
 *
 * A layer that has nothing to say to an operation leaves it NULL and the next layer is asked; the
 * socket layer implements all of them but handshake. Splicing is for a stream that is nothing but
 * its socket, see hail_try_splice(). Another exception keeps a layer that changes bytes from being
 * passed by: where it has `writev` but no `sendfile`, a file is read and written through its
 * `writev`. A new layer is one file that makes a hail_stream with its own table and context, puts
 * it on top with hail_stream_push(), and frees its own in `close`.
 *
 * The conversation's span of the trace belongs to the top handle, so that what is reported is what
 * was said, not what a layer made of it; hail_stream_push() hands it upwards.
 */
#ifndef HAIL_NET_LAYER_H
#define HAIL_NET_LAYER_H

#include <hail/stream.h>

struct hail_layer_ops {
    const char *name;
    const char *end; /* how this layer calls the peer's orderly end: "FIN", "close_notify" */
    /* Steps: the count, 0, or -errno; -EAGAIN sets `wants`. Errors are recorded in the context. */
    ssize_t (*read)(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size);
    ssize_t (*writev)(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov, int n);
    ssize_t (*sendfile)(struct hail_ctx *ctx, struct hail_stream *s, int fd, off_t *off, size_t n);
    /* Between the stream and a pipe: out of the pipe, or into it. -EAGAIN also when it is the pipe
     * that is empty or full, 0 also when it has ended; -EOPNOTSUPP: not between these two. */
    ssize_t (*splice)(struct hail_ctx *ctx, struct hail_stream *s, int pipe, size_t n, bool out);
    ssize_t (*discard)(struct hail_ctx *ctx, struct hail_stream *s, size_t n);
    int (*handshake)(struct hail_ctx *ctx, struct hail_stream *s);
    int (*shutdown)(struct hail_ctx *ctx, struct hail_stream *s);
    void (*close)(struct hail_stream *s); /* frees what is the layer's own, not `s`, not `next` */
};

/* What the peer's half of the conversation came to. */
enum hail_stream_end {
    HAIL_STREAM_OPEN = 0,
    HAIL_STREAM_ENDED,  /* the peer's orderly end was read */
    HAIL_STREAM_FAILED, /* a step failed; `end_errnum` says how */
};

struct hail_stream {
    const struct hail_layer_ops *ops;
    struct hail_stream *next; /* the layer below, owned; NULL for the socket */
    void *state;              /* the layer's own */
    int fd;                   /* the socket's descriptor, the same in every layer */
    short wants;              /* POLLIN or POLLOUT after -EAGAIN */
    uint8_t end;              /* enum hail_stream_end */
    bool sent_end;            /* this side's end was sent: hail_shutdown() */
    bool end_followed;        /* ... before the peer's */
    bool more;                /* of the socket: what is written now is not the end of it */
    bool drained; /* the last read found the end of what is there: another would say -EAGAIN */
    int end_errnum;
    uint32_t span;            /* the conversation's span in the trace, on the top; 0: none */
    struct hail_trace *trace; /* the trace that `span` belongs to; it outlives the stream */
};

/* Puts `upper`, whose `ops` and `state` are set, on top of `lower`, which it then owns: takes over
 * the descriptor and the conversation's span. hail_stream_pop() undoes it. */
void hail_stream_push(struct hail_stream *upper, struct hail_stream *lower);
void hail_stream_pop(struct hail_stream *upper);

/* Makes the socket layer of a connected, non-blocking stream socket, which it then owns (not on
 * failure). `peer` may be NULL (asked from the kernel when needed); the `n` attempts are copied.
 * With a trace in the context the conversation's span begins. */
int hail_stream_of_socket(struct hail_ctx *ctx, int fd, const struct hail_addr *peer,
                          const struct hail_attempt *attempts, size_t n, struct hail_stream **out);

/* Tells the socket layer that the connection is known to be reset, although the kernel no longer
 * says so (SO_ERROR was read): after the bytes that are queued, reads return -ECONNRESET. */
void hail_stream_was_reset(struct hail_stream *s);

/* The peer's address, as hail_peer() has it in text; length 0: it is not known. */
void hail_peer_addr(const struct hail_stream *s, struct hail_addr *a);

/* Whether more follows at once what is written from now on, so that the kernel need not send a
 * segment that is not full: MSG_MORE of send(2). Files are not concerned. */
void hail_stream_more(struct hail_stream *s, bool more);

/* The step of splice(2), as in struct hail_layer_ops; -EOPNOTSUPP unless hail_stream_is_plain(). */
ssize_t hail_try_splice(struct hail_ctx *ctx, struct hail_stream *s, int pipe, size_t n, bool out);
/* The step of reading up to `n` bytes that nobody wants: the kernel does not copy them. As a read;
 * -EOPNOTSUPP unless hail_stream_is_plain(), or where the socket is not TCP's. */
ssize_t hail_try_discard(struct hail_ctx *ctx, struct hail_stream *s, size_t n);
/* Whether nothing looks at the stream's bytes: no layer over the socket, no trace. */
bool hail_stream_is_plain(const struct hail_stream *s);

/* Records the failure `rc` (-errno) of `op` ("read from", "write to", ...), naming both endpoints.
 * Returns rc. */
int hail_stream_fail(struct hail_ctx *ctx, const struct hail_stream *s, int rc, const char *op);

#endif
