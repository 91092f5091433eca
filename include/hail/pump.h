/* pump.h - bytes between two ends, both ways at once, to the last one.
 *
 *            flow 0:  a -> b
 *      a  ===================  b      an end is a stream, or two descriptors (stdin and stdout)
 *            flow 1:  b -> a
 *
 * A flow reads only while what it read before is written: a full sink stops its own source and
 * nothing else. When a source has ended, its bytes are written first, then the sink's sending side
 * is ended (close_notify, FIN). Bytes that were queued ahead of a reset arrive before it counts.
 * Where nothing looks at the bytes they stay in the kernel (splice(2), sendfile(2)).
 */
#ifndef HAIL_PUMP_H
#define HAIL_PUMP_H

#include <hail/loop.h>
#include <hail/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_pump;

/* One end. What it names stays the caller's and must live as long as the pump. Descriptors need not
 * be non-blocking, and are not made so: they may be shared with other processes. */
struct hail_pump_end {
    struct hail_stream *stream; /* or NULL: */
    int in, out;                /* read from, written to; -1: none, the flow is over at once */
};

enum hail_flow_state {
    HAIL_FLOW_OPEN = 0,
    HAIL_FLOW_DRAINING, /* the source has ended, bytes wait for the sink */
    HAIL_FLOW_ENDED,    /* everything was written */
    HAIL_FLOW_FAILED,   /* `error`; what the source gave before was written, if it was the source */
};

struct hail_flow_info {
    uint64_t in, out; /* bytes taken from the source, handed to the sink */
    uint64_t reads;   /* reads of the source that gave bytes */
    enum hail_flow_state state;
    bool at_sink;            /* FAILED: it was the sink */
    struct hail_error error; /* FAILED: as the call that failed recorded it */
};

struct hail_pump_opts {
    /* Sees the bytes of flow i in place of the sink and puts what shall go on, hail_pump_put(). At
     * the end of the source it is called once with n 0. 0, or -errno: the flow fails. NULL: none.
     */
    int (*filter[2])(void *arg, struct hail_pump *p, const char *data, size_t n);
    /* Called when flow i came to ENDED or FAILED. NULL: none. */
    void (*over)(void *arg, struct hail_pump *p, int flow);
    void *arg;
    bool keep_open[2]; /* leave the sink of flow i as it is when the source has ended */
    int64_t idle_ms;   /* neither flow moved for so long: hail_pump_run() is -ETIMEDOUT; 0: never */
    int wake_fd;       /* > 0: when readable, hail_pump_run() returns HAIL_PUMP_WOKEN */
};

/* What hail_pump_run() returns besides 0 and -errno; it may be called again. */
#define HAIL_PUMP_STOPPED 1 /* hail_pump_stop(), or the time of hail_pump_stop_at() has come */
#define HAIL_PUMP_WOKEN   2

/* `opts` may be NULL; it is copied. */
HAIL_API int hail_pump_new(struct hail_ctx *ctx, const struct hail_pump_end *a,
                           const struct hail_pump_end *b, const struct hail_pump_opts *opts,
                           struct hail_pump **out);
HAIL_API void hail_pump_free(struct hail_pump *p); /* accepts NULL; closes neither end */

/* Moves bytes until both flows are over: 0, also when one of them failed, see hail_pump_flow().
 * -ETIMEDOUT (the deadline, or idle), -ECANCELED, or the -errno of poll(2). */
HAIL_API int hail_pump_run(struct hail_ctx *ctx, struct hail_pump *p);

/* From a callback: hail_pump_run() returns soon, or at a time (zero: takes that back). */
HAIL_API void hail_pump_stop(struct hail_pump *p);
HAIL_API void hail_pump_stop_at(struct hail_pump *p, struct hail_deadline at);

/* Appends bytes to what waits for the sink of `flow`: from its filter, or from outside at any time
 * before it is over. 0, -ENOMEM, -ENOBUFS over 16 MiB, -EPIPE when the flow is over. */
HAIL_API int hail_pump_put(struct hail_pump *p, int flow, const void *data, size_t n);
HAIL_API size_t hail_pump_pending(const struct hail_pump *p, int flow); /* bytes */

/* Leaves the source of `flow` alone while `hold`; what waits is written all the same. */
HAIL_API void hail_pump_hold(struct hail_pump *p, int flow, bool hold);
/* Treats the source of `flow` as ended: what waits is written, then the sink is ended. */
HAIL_API void hail_pump_end_source(struct hail_pump *p, int flow);

HAIL_API void hail_pump_flow(const struct hail_pump *p, int flow, struct hail_flow_info *out);

/* The same on a loop, for pumps between streams. `done` is called once, from the loop: when both
 * flows are over, after hail_pump_stop(), or after `idle_ms` (then a flow is still open); it may
 * free the pump. The context is used for as long. */
HAIL_API int hail_pump_attach(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_pump *p,
                              void (*done)(void *arg, struct hail_pump *p), void *arg);

#ifdef __cplusplus
}
#endif
#endif
