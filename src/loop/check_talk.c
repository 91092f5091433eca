/* check_talk.c - TLS and the hello over a stream; loop/check.h. */
#include "loop/check.h"

#include "base/error.h"
#include "net/layer.h"
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>

#define CHUNK    16384
#define LEAVE_MS 500 /* for the answer to QUIT and its like */

/* The stream broke: what the hello has is all there will be. */
static void broke(struct hail_check *c, int rc)
{
    if (c->hello.spoke)
        hail_check_finish(c, 0);
    else
        hail_check_finish(c, rc);
}

/* --- TLS: each returns whether the hello goes on; else it waits, or all is over --- */

static bool secured(struct hail_check *c)
{
    struct hail_tls_info info;
    c->secured_ns = c->heard_ns = hail_now();
    if (hail_tls_info(c->stream, &info) == 0 && *info.refused && !c->trust_any) {
        hail_fail(&c->ctx, HAIL_LAYER_TLS, EACCES, "tls", "certificate refused: %s", info.refused);
        hail_check_finish(c, -EACCES);
        return false;
    }
    c->phase = HAIL_CHECK_TALKING;
    c->step = c->hello.starttls ? hail_hello_secured(&c->hello)
                                : hail_hello_begin(&c->hello, c->kind, &c->ask);
    return true;
}

static bool shake(struct hail_check *c)
{
    int rc = hail_try_handshake(&c->ctx, c->stream);
    if (rc == 0)
        return secured(c);
    if (rc == -EAGAIN) {
        hail_check_await(c, hail_stream_wants(c->stream));
        hail_check_arm(c);
    } else {
        hail_check_finish(c, rc);
    }
    return false;
}

static bool secure(struct hail_check *c)
{
    c->phase = HAIL_CHECK_SECURING;
    int rc = c->tls_config ? 0 : c->configure(c);
    if (rc == 0)
        rc = hail_tls_client_start(&c->ctx, &c->stream, c->name, c->tls_config);
    if (rc == 0)
        return shake(c);
    hail_check_finish(c, rc);
    return false;
}

/* --- the hello --- */

void hail_check_note(struct hail_check *c)
{
    int64_t now = hail_now();
    c->heard_ns = now;
    if (c->hello.greeted && !c->greeted_ns)
        c->greeted_ns = now;
    if (c->hello.spoke && !c->spoke_ns) {
        c->spoke_ns = now;
        c->ctx.by = hail_deadline_min(c->ctx.by, hail_deadline_in(LEAVE_MS));
    }
}

/* Sends `out`. False: that has to wait. */
static bool flush(struct hail_check *c)
{
    struct hail_buf *out = &c->hello.out;
    while (out->len) {
        struct iovec piece = {out->p, out->len};
        ssize_t n = hail_try_writev(&c->ctx, c->stream, &piece, 1);
        if (n == -EAGAIN && c->step == HAIL_HELLO_MORE) {
            hail_check_await(c, hail_stream_wants(c->stream) | POLLIN);
            hail_check_arm(c);
            return false;
        }
        if (n < 0) {
            hail_buf_clear(out); /* what came before may still be read */
            break;
        }
        hail_buf_consume(out, (size_t)n);
    }
    return true;
}

/* Sends what is to be sent, and goes on with the step that it belongs to. */
static void go_on(struct hail_check *c)
{
    for (;;) {
        hail_check_note(c);
        if (!flush(c))
            return;
        if (c->step == HAIL_HELLO_MORE && c->at_once && c->hello.spoke)
            c->step = HAIL_HELLO_DONE;
        if (c->step != HAIL_HELLO_SECURE)
            break;
        if (!secure(c))
            return;
    }
    if (c->step < 0) {
        hail_check_finish_hello(c, c->step);
    } else if (c->step == HAIL_HELLO_DONE) {
        hail_check_finish(c, 0);
    } else {
        hail_check_await(c, POLLIN);
        hail_check_arm(c);
    }
}

void hail_check_step(struct hail_check *c, int step)
{
    c->step = step;
    if (!c->datagram) {
        go_on(c);
        return;
    }
    hail_check_note(c);
    hail_check_udp_flush(c);
}

/* Under TLS tickets come first: a server with Nagle's algorithm holds its words back until they are
 * acknowledged. */
static void acknowledge(const struct hail_check *c)
{
    if (c->stream->next)
        hail_sockopt_int(hail_stream_fd(c->stream), IPPROTO_TCP, TCP_QUICKACK, 1);
}

static void receive(struct hail_check *c)
{
    char buf[CHUNK];
    for (;;) {
        ssize_t n = hail_try_read(&c->ctx, c->stream, buf, sizeof buf);
        if (n == -EAGAIN) {
            acknowledge(c);
            hail_check_await(c, hail_stream_wants(c->stream) | (c->hello.out.len ? POLLOUT : 0));
            hail_check_arm(c);
            return;
        }
        if (n < 0) {
            broke(c, (int)n);
            return;
        }
        int step = n ? hail_hello_take(&c->hello, buf, (size_t)n) : hail_hello_end(&c->hello);
        if (step != HAIL_HELLO_MORE || c->hello.out.len || n == 0) {
            hail_check_step(c, step);
            return;
        }
        hail_check_note(c);
        if (!c->stream->next && (size_t)n < sizeof buf) { /* no layer keeps bytes back */
            hail_check_await(c, POLLIN);
            hail_check_arm(c);
            return;
        }
    }
}

void hail_check_ready(struct hail_check *c, int events)
{
    if (c->datagram)
        hail_check_udp_ready(c);
    else if (c->phase == HAIL_CHECK_SECURING) {
        if (shake(c))
            go_on(c);
    } else if (c->hello.out.len && !(events & (POLLIN | POLLERR | POLLHUP)))
        go_on(c);
    else
        receive(c);
}

void hail_check_connected(struct hail_check *c)
{
    int fd = c->race.fds[c->won];
    int rc =
        hail_stream_of_socket(&c->ctx, fd, &c->race.attempts[c->won].addr, NULL, 0, &c->stream);
    if (rc < 0) {
        hail_check_await(c, 0);
        hail_race_end(&c->race, rc);
        hail_check_finish(c, rc);
        return;
    }
    c->watches[c->won].w.fd = fd;
    if (c->race.was_reset)
        hail_stream_was_reset(c->stream);
    if (c->tls) {
        if (secure(c))
            go_on(c);
        return;
    }
    c->phase = HAIL_CHECK_TALKING;
    hail_check_step(c, hail_hello_begin(&c->hello, c->kind, &c->ask));
}
