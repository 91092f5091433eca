/* flow.h - one direction of a pump: from a source to a sink, step by step (include/hail/pump.h).
 *
 *      source --read--> [filter] --> buf --write--> sink         COPY
 *      source --splice------------------------------> sink       DIRECT: one of them is a pipe
 *      source --splice--> own pipe --splice---------> sink       PIPED
 *      file   --sendfile----------------------------> sink       SENDFILE
 *
 *   flow.c        the step: drain what waits, then feed
 *   flow_ends.c   descriptors as ends, without ever blocking in them
 *   flow_kernel.c the ways that keep the bytes in the kernel
 *   pump.c        two flows and poll(2); src/loop/pump_loop.c: two flows and the loop
 */
#ifndef HAIL_NET_FLOW_H
#define HAIL_NET_FLOW_H

#include <hail/pump.h>

#include "base/buf.h"
#include "net/layer.h"
#include "net/quiet.h"

#define HAIL_FLOW_CHUNK   ((size_t)64 << 10) /* bytes that one copying step reads at most */
#define HAIL_FLOW_PIPE    ((size_t)1 << 20)  /* bytes that a pipe is asked to hold */
#define HAIL_FLOW_BULK    ((size_t)32 << 10) /* a read of so much makes splicing worth its while */
#define HAIL_FLOW_WAITING ((size_t)16 << 20) /* bytes put that may wait for a sink */

enum hail_flow_method { HAIL_FLOW_COPY, HAIL_FLOW_DIRECT, HAIL_FLOW_PIPED, HAIL_FLOW_SENDFILE };

enum hail_fd_kind {
    HAIL_FD_NONE = 0, /* no descriptor */
    HAIL_FD_STREAM,   /* a stream's socket */
    HAIL_FD_SOCKET,   /* any other */
    HAIL_FD_PIPE,
    HAIL_FD_TERMINAL,
    HAIL_FD_FILE, /* regular: always ready */
    HAIL_FD_OTHER,
};

/* One end of one flow. */
struct hail_flow_end {
    struct hail_stream *stream; /* or NULL */
    int fd;
    int own;      /* the same file opened once more, non-blocking, for writing; -1: not */
    uint8_t kind; /* enum hail_fd_kind */
};

struct hail_flow {
    struct hail_flow_end from, to;
    uint8_t method, state;
    bool source_ended, held, keep_open, at_sink;
    bool broken;    /* the source failed; what it gave before is being written */
    bool told;      /* of its end */
    bool readable;  /* poll(2) said so: one read of a blocking descriptor will not block */
    uint8_t bulk;   /* reads in a row that were large, or fills of the pipe that were small */
    bool no_splice; /* was tried, or must not be */
    bool waits;     /* after a step: for wait_fd (-1: to be let go, hail_pump_hold()) */
    int wait_fd;
    short wait_events;
    int pipe[2];  /* PIPED: its own; -1 */
    size_t piped; /* bytes in it */
    size_t at;    /* buf up to here is written */
    struct hail_buf buf;
    uint64_t in, out, reads;
    struct hail_error *error; /* FAILED; owned */
    int (*filter)(void *arg, struct hail_pump *p, const char *data, size_t n);
    void *arg;
};

/* Does what can be done without blocking, for a few rounds. */
void hail_flow_step(struct hail_ctx *ctx, struct hail_pump *p, struct hail_flow *f);

/* The context's error is this flow's end; at_sink says whose it was. */
void hail_flow_failed(struct hail_ctx *ctx, struct hail_flow *f);

static inline bool hail_flow_live(const struct hail_flow *f)
{
    return f->state == HAIL_FLOW_OPEN || f->state == HAIL_FLOW_DRAINING;
}

void hail_flow_init(struct hail_flow *f, const struct hail_pump_end *from,
                    const struct hail_pump_end *to);
void hail_flow_free(struct hail_flow *f);

/* Sets what the flow waits for; returns -EAGAIN. */
int hail_flow_wait(struct hail_flow *f, int fd, int events);

/* flow_ends.c: reading and writing an end. -EAGAIN: wait_fd and wait_events are set. */
void hail_flow_open_from(struct hail_flow_end *e, const struct hail_pump_end *end);
void hail_flow_open_to(struct hail_flow_end *e, const struct hail_pump_end *end);
ssize_t hail_flow_read(struct hail_ctx *ctx, struct hail_flow *f, void *buf, size_t size);
ssize_t hail_flow_write(struct hail_ctx *ctx, struct hail_flow *f, const void *buf, size_t size);
/* Records the failure of a descriptor. Returns -errnum. */
int hail_flow_fd_failed(struct hail_ctx *ctx, const struct hail_flow_end *e, const char *op,
                        int errnum);

/* flow_kernel.c: feeding by the method, and what is in the own pipe to the sink. Bytes moved, 0 at
 * the source's end, -errno; -EOPNOTSUPP: the method is COPY now. */
void hail_flow_choose(struct hail_flow *f);
ssize_t hail_flow_feed_kernel(struct hail_ctx *ctx, struct hail_flow *f);
int hail_flow_drain_pipe(struct hail_ctx *ctx, struct hail_flow *f);
/* A copying read gave `n` bytes: goes over to PIPED when that pays. */
void hail_flow_consider(struct hail_flow *f, size_t n);
void hail_flow_close_pipe(struct hail_flow *f);

#endif
