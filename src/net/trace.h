/* trace.h - how the network layers report to the trace (include/hail/trace.h).
 *
 * Everything is guarded by hail_tracing(), one test of a pointer, so that nothing is formatted,
 * timed or copied while the trace is off.
 */
#ifndef HAIL_NET_TRACE_H
#define HAIL_NET_TRACE_H

#include <hail/trace.h>

#include "base/buf.h"

static inline bool hail_tracing(const struct hail_ctx *ctx)
{
    return __builtin_expect(ctx->trace != NULL, 0);
}

/* Hands one event to the sink, with the time filled in. Call only when hail_tracing(). */
void hail_trace_emit(struct hail_ctx *ctx, struct hail_event event);

/* The same where there is no context. */
void hail_trace_tell(struct hail_trace *trace, struct hail_event event);

/* A new span's number, for spans that run beside each other (attempts of a race). */
uint32_t hail_trace_new_span(struct hail_ctx *ctx);

/* For sinks: what a span is about, in a line that is safe to show: its operation, its endpoints
 * where they are known, its text. */
void hail_trace_label(const struct hail_event *e, char *out, size_t size);

/* For sinks: what CLOCK_REALTIME is ahead of CLOCK_MONOTONIC now, in nanoseconds. */
int64_t hail_trace_wall(void);

/* For sinks: writes the whole buffer to `fd` and empties it. The first failure, of the buffer too,
 * stays in *failed as -errno, and nothing more is written. */
void hail_trace_flush(int fd, struct hail_buf *b, int *failed);

#endif
