/* race.h - connecting to several addresses beside each other, RFC 8305 section 5. */
#ifndef HAIL_NET_RACE_H
#define HAIL_NET_RACE_H

#include <hail/stream.h>

/* The caller fills the first four and attempts[0..n).addr, in the order to try; the rest is the
 * race's. Not zeroed: attempts that were not started have no start_ns. */
struct hail_race {
    struct hail_ctx *ctx;
    const struct hail_opts *opts;
    size_t n;
    const struct hail_addr *from; /* to bind, of the addresses' family; NULL: none */

    size_t started;       /* how many of the attempts were made */
    size_t live;          /* ... and are not decided */
    int64_t next_ns;      /* when the next is due */
    uint32_t bind_failed; /* a bit an attempt: it failed in bind(2), before connect(2) */
    bool was_reset;       /* the winner was reset already, with bytes queued ahead */
    bool stepwise;        /* hail_race_begin(): nothing may wait */
    struct hail_attempt attempts[HAIL_ATTEMPTS_MAX];
    int fds[HAIL_ATTEMPTS_MAX];        /* -1: decided */
    uint32_t spans[HAIL_ATTEMPTS_MAX]; /* of the trace */
};

/* Runs the race. Returns the winner's index, its descriptor in fds[] is the caller's then; or
 * -ECANCELED, -ETIMEDOUT (the context's deadline), -ENOTCONN (every attempt failed). No other
 * descriptor is left open. Sets no error. */
int hail_race_run(struct hail_race *r);

/* The same in steps, for loops. */
void hail_race_begin(struct hail_race *r);
/* Starts the attempts that are due. Returns the winner's index, -ENOTCONN (all have failed), or
 * -EAGAIN: wait for POLLOUT on those of fds[0..started) that are not -1, and, while started < n,
 * for next_ns. */
int hail_race_step(struct hail_race *r);
/* Attempt `i` is ready by poll(2). Returns `i`, or -EAGAIN: it failed and is closed; step on. */
int hail_race_ready(struct hail_race *r, size_t i, int revents);
/* The race is over: `won` is the winner's index, or the -errno why there is none. Closes all
 * others. A descriptor must be out of epoll(7) before. */
void hail_race_end(struct hail_race *r, int won);

#endif
