/* check.h - one check of a service, on the loop: the name, the connection, TLS, the hello.
 *
 *      hail_check_start() --thread--> addresses --race--> connection [--> TLS] --> hello --> done()
 *                                                                       ^--STARTTLS--'
 *
 *   check.c       from the start to the end, by time and events
 *   check_talk.c  TLS and the hello over a stream
 *   check_udp.c   the hello in datagrams
 *
 * Nothing blocks: names are looked up in threads. A check is about 8 KB while it runs.
 */
#ifndef HAIL_LOOP_CHECK_H
#define HAIL_LOOP_CHECK_H

#include <hail/datagram.h>
#include <hail/loop.h>
#include <hail/tls.h>

#include "loop/work.h"
#include "net/dial.h"
#include "proto/hello.h"

struct hail_checker;

/* Checks of one loop share the threads that look names up. With a trace in `ctx` they tell it. */
int hail_checker_new(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_checker **out);
/* No check may run any more but those whose name is being looked up: they are ended, with
 * -ECANCELED. Accepts NULL. */
void hail_checker_free(struct hail_checker *k);

/* How far a check is. */
enum hail_check_phase {
    HAIL_CHECK_NAMING,
    HAIL_CHECK_CONNECTING,
    HAIL_CHECK_SECURING,
    HAIL_CHECK_TALKING,
    HAIL_CHECK_OVER,
};

struct hail_check_watch {
    struct hail_watch w;
    struct hail_check *check;
    int events; /* 0: not in the loop */
};

/* The caller fills what is above the line, the rest is zero, and keeps it until done(). */
struct hail_check {
    struct hail_endpoint to; /* HAIL_UDP: in datagrams */
    enum hail_hello_kind kind;
    bool tls;                   /* from the first byte on */
    bool trust_any;             /* goes on with a certificate that is refused */
    bool at_once;               /* ends when the service has spoken, without its goodbye */
    struct hail_hello_opts ask; /* secured, datagram and nonce are set here */
    /* Sets tls_config, which must take any certificate, when TLS comes into it. 0 or -errno. */
    int (*configure)(struct hail_check *c);
    struct hail_tls_config *tls_config;
    const char *name; /* whom the certificate has to be for */
    const struct hail_opts *dial;
    int64_t timeout_ms;  /* for all */
    int64_t greeting_ms; /* for the first words */
    /* In the loop. All below may be read; hail_check_release() after it, before the memory goes. */
    void (*done)(struct hail_check *c);
    void *arg;
    /* ---------------------------------------------------------------------------------------- */
    int rc;       /* 0: it speaks; or -errno, with ctx.err */
    bool refused; /* it is there, and says no */
    enum hail_check_phase phase;
    struct hail_ctx ctx;
    struct hail_race race; /* the addresses and what became of them: attempts[0..started) */
    struct hail_stream *stream;
    struct hail_datagram *datagram;
    struct hail_hello hello; /* kind 0 and no ops: it did not come so far */
    /* when each was done, CLOCK_MONOTONIC; 0: not */
    int64_t began_ns, named_ns, connected_ns, secured_ns, greeted_ns, spoke_ns, ended_ns;
    /* private */
    struct hail_checker *checker;
    struct hail_task task;
    struct hail_timer tick;
    struct hail_check_watch watches[HAIL_ATTEMPTS_MAX]; /* an attempt each; the winner's goes on */
    int won;
    int step; /* of the hello, once `out` is sent */
    int64_t heard_ns;
    struct hail_buf sent; /* UDP: to be sent again */
    int64_t again_ns;
};

void hail_check_start(struct hail_checker *k, struct hail_check *c);
/* Ends a check that runs; done() is not called. One whose name is being looked up cannot be: false,
 * and done() will be. */
bool hail_check_abort(struct hail_check *c);
void hail_check_release(struct hail_check *c);

/* --- between the files --- */

struct hail_checker {
    struct hail_ctx *ctx;
    struct hail_loop *loop;
    struct hail_work *work; /* made when the first name is looked up */
    int cancel_fd;
    bool ends; /* what comes back from a thread is not gone on with */
};

/* It is over. Calls done(): nothing may be touched afterwards. */
void hail_check_finish(struct hail_check *c, int rc);
/* ... with the error of the hello. */
void hail_check_finish_hello(struct hail_check *c, int rc);
/* Sets the timer to what is next. */
void hail_check_arm(struct hail_check *c);
/* What the loop watches the winner for. */
void hail_check_await(struct hail_check *c, int events);
/* check_talk.c: the connection is there; something happened at it. */
void hail_check_connected(struct hail_check *c);
void hail_check_ready(struct hail_check *c, int events);
/* The hello came to `step`. */
void hail_check_step(struct hail_check *c, int step);
/* Notes when the hello came how far. */
void hail_check_note(struct hail_check *c);
/* check_udp.c */
void hail_check_udp(struct hail_check *c);
void hail_check_udp_ready(struct hail_check *c);
void hail_check_udp_flush(struct hail_check *c);

#endif
