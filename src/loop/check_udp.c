/* check_udp.c - the hello in datagrams; loop/check.h. An address that refuses makes room for the
 * next one. What was sent is sent again each second: datagrams get lost. */
#include "loop/check.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>

#define AGAIN_MS 1000
#define ANSWER   4096 /* bytes of a datagram that comes */

static void try_next(struct hail_check *c)
{
    struct hail_race *r = &c->race;
    while (r->started < r->n) {
        size_t i = r->started++;
        struct hail_attempt *a = &r->attempts[i];
        struct hail_endpoint at = hail_endpoint_of(&a->addr);
        a->start_ns = hail_now();
        r->fds[i] = -1;
        int rc = hail_datagram_connect(&c->ctx, &at, c->dial, &c->datagram);
        a->end_ns = hail_now();
        a->errnum = rc < 0 ? -rc : 0;
        if (rc < 0)
            continue;
        c->won = (int)i;
        c->watches[i].w.fd = hail_datagram_fd(c->datagram);
        c->phase = HAIL_CHECK_TALKING;
        c->connected_ns = c->heard_ns = a->end_ns;
        hail_check_step(c, hail_hello_begin(&c->hello, c->kind, &c->ask));
        return;
    }
    hail_check_finish(c, hail_dial_failed(r, &c->to, -ENOTCONN));
}

/* ICMP says that nobody is there, or something of the kind. */
static void failed(struct hail_check *c, int rc)
{
    c->race.attempts[c->won].errnum = -rc;
    c->race.attempts[c->won].end_ns = hail_now();
    hail_check_await(c, 0);
    hail_datagram_close(c->datagram);
    hail_hello_free(&c->hello);
    c->datagram = NULL;
    c->hello.ops = NULL;
    c->connected_ns = c->again_ns = 0;
    c->phase = HAIL_CHECK_CONNECTING;
    try_next(c);
}

void hail_check_udp(struct hail_check *c)
{
    hail_race_begin(&c->race);
    try_next(c);
}

void hail_check_udp_flush(struct hail_check *c)
{
    struct hail_buf *out = &c->hello.out;
    if (c->step < 0) {
        hail_check_finish_hello(c, c->step);
        return;
    }
    if (out->len) {
        hail_buf_clear(&c->sent);
        if (hail_buf_add(&c->sent, out->p, out->len) < 0)
            c->sent.failed = 0; /* then it is not sent again */
        hail_buf_clear(out);
    }
    int rc = c->sent.len ? hail_send_to(&c->ctx, c->datagram, NULL, c->sent.p, c->sent.len) : 0;
    if (c->step == HAIL_HELLO_DONE) {
        hail_check_finish(c, 0);
    } else if (rc < 0) {
        failed(c, rc);
    } else {
        c->again_ns = hail_now() + INT64_C(1000000) * AGAIN_MS;
        hail_check_await(c, POLLIN);
        hail_check_arm(c);
    }
}

void hail_check_udp_ready(struct hail_check *c)
{
    char buf[ANSWER];
    struct hail_message m = {.data = buf, .size = sizeof buf};
    int n = hail_try_recv_batch(&c->ctx, c->datagram, &m, 1);
    if (n == -EAGAIN) {
        hail_check_arm(c);
        return;
    }
    if (n < 0) {
        failed(c, n);
        return;
    }
    size_t size = m.len < sizeof buf ? m.len : sizeof buf;
    int step = hail_hello_take(&c->hello, buf, size);
    hail_check_note(c);
    if (step == HAIL_HELLO_MORE && !c->hello.out.len) {
        hail_check_arm(c);
        return;
    }
    hail_buf_clear(&c->sent);
    hail_check_step(c, step);
}
