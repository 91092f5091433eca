/* dialler.h - dialling beside a loop: hail_dial() blocks, so it is called in threads, and the loop
 * gets the result. */
#ifndef HAIL_LOOP_DIALLER_H
#define HAIL_LOOP_DIALLER_H

#include <hail/stream.h>

#include "loop/work.h"

struct hail_dialler;

/* One dial. The caller fills the first five and keeps it until `done` was called; then it is the
 * caller's again, with the stream. */
struct hail_dial_job {
    struct hail_endpoint to;
    const struct hail_opts *opts;
    int64_t timeout_ms;
    void (*done)(struct hail_dial_job *job);
    void *arg;

    struct hail_ctx ctx; /* the error is here */
    struct hail_stream *stream;
    int rc;
    struct hail_task task;
};

/* With a trace in the context dials happen in the loop's thread: a trace is for one thread. */
int hail_dialler_new(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_dialler **out);
void hail_dialler_dial(struct hail_dialler *d, struct hail_dial_job *job);
/* Ends the dials that are under way or wait; `done` is called for each of them, with -ECANCELED or
 * what came of it. Accepts NULL. */
void hail_dialler_free(struct hail_dialler *d);

#endif
