/* exporter.h - a small HTTP/1.1 server for metrics on the event loop: for netstat and check.
 *
 *      client --> exporter.c: connection, head --> exporter_fn: what is at that path?
 *             <-- head and content, step by step <-- exporter_answer(), at once or later
 *
 * One thread, GET and HEAD. Everything is bounded: connections, the size of a head, how long one
 * may idle, send a head, or take to read what is answered.
 */
#ifndef HAIL_CMD_EXPORTER_H
#define HAIL_CMD_EXPORTER_H

#include "cmd.h"

#include <hail/loop.h>

#define EXPORTER_CONNECTIONS 256
#define EXPORTER_HEAD        16384 /* bytes of a request's head */
#define EXPORTER_PATH        1024

struct exporter;

/* A request, as long as it is not answered. */
struct exporter_request {
    const char *path;   /* decoded, without dot segments: "/metrics"; any bytes but NUL */
    bool open;          /* the client likes OpenMetrics better */
    int64_t timeout_ms; /* how long it waits: X-Prometheus-Scrape-Timeout-Seconds; 0: not said */
    /* For who answers later: called when the client went away meanwhile, or the exporter is freed.
     * The request is gone then, and must not be answered. NULL: an answer is dropped. */
    void (*gone)(struct exporter_request *q);
    void *arg; /* for gone() */
};

/* Answers `q` by exporter_answer() or exporter_refuse(), once, now or later. */
typedef void exporter_fn(void *arg, struct exporter_request *q);

/* The first parameter of that name in the query ("target=smtp%3A%2F%2Fx&module=y"), decoded; NULL:
 * there is none. Any bytes but NUL, and not safe to show. */
const char *exporter_param(const struct exporter_request *q, const char *name);

/* Answers; `type` is a content type. What `body` holds is taken, and `body` is empty afterwards;
 * one that failed is told as status 500. */
void exporter_answer(struct exporter_request *q, int status, const char *type,
                     struct hail_buf *body);
/* Answers 200 piece by piece, so that much needs no memory: `more` appends the next piece (up to
 * EXPORTER_PIECE bytes or a little more) and returns whether there is another; `end` is called
 * once, when it is over, whatever it came to. */
#define EXPORTER_PIECE ((size_t)64 << 10)
typedef bool exporter_more_fn(void *arg, struct hail_buf *out);
void exporter_stream(struct exporter_request *q, const char *type, exporter_more_fn *more,
                     void (*end)(void *arg), void *arg);
/* Answers with a line of text: `why`, or NULL for the status in words. */
void exporter_refuse(struct exporter_request *q, int status, const char *why);

/* Listens at `endpoint`, and says where on standard error when the loop runs. 0, or the exit status
 * with a message. */
int exporter_new(struct common *c, struct hail_loop *loop, const char *endpoint,
                 exporter_fn *answer, void *arg, struct exporter **out);
void exporter_free(struct exporter *e); /* accepts NULL */

/* Runs the loop until SIGTERM, SIGINT or --timeout; with `reload` that is called for SIGHUP. Takes
 * hail_loop_signal() for itself. The exit status: 0 after SIGTERM. */
int exporter_run(struct common *c, struct hail_loop *loop, void (*reload)(void *arg), void *arg);

#endif
