/* counts.h - what `hail serve` counts. One thread writes a count, any may read it. */
#ifndef HAIL_CMD_SERVE_COUNTS_H
#define HAIL_CMD_SERVE_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

typedef atomic_uint_fast64_t serve_count;

/* By the one thread that writes it: no locked instruction is needed. */
static inline void serve_count_add(serve_count *c, int64_t n)
{
    uint_fast64_t was = atomic_load_explicit(c, memory_order_relaxed);
    atomic_store_explicit(c, was + (uint64_t)n, memory_order_relaxed);
}

static inline uint64_t serve_count_now(const serve_count *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

#define SERVE_STATUS_MAX 600
#define SERVE_DURATIONS  16 /* metrics.c has their bounds; beyond is the last */

/* Of a worker. */
struct serve_counts {
    serve_count requests[SERVE_STATUS_MAX]; /* by the status of the response */
    serve_count durations[SERVE_DURATIONS + 1], nanoseconds;
    serve_count bytes, cut_short;
    serve_count accepted, full, enough, timed_out;
    serve_count hits, misses; /* of the cache */
    serve_count cached_files, cached_bytes;
};

/* The bucket of a duration. */
int serve_duration(int64_t ns);

#endif
