/* check_talk.c - TLS and the hello over a stream; loop/check.h. */
#include "loop/check.h"

#include "base/error.h"
#include "net/layer.h"

#include <errno.h>
#include <poll.h>

#define CHUNK 16384

/* The stream broke: what the hello has is all there will be. */
static void broke(struct hail_check *c, int rc)
{
    if (c->hello.spoke)
        hail_check_finish(c, 0);
    else
        hail_check_finish(c, rc);
}

/* --- TLS --- */

static void secured(struct hail_check *c)
{
    struct hail_tls_info info;
    c->secured_ns = c->heard_ns = hail_now();
    if (hail_tls_info(c->stream, &info) == 0 && *info.refused && !c->trust_any) {
        hail_fail(&c->ctx, HAIL_LAYER_TLS, EACCES, "tls", "certificate refused: %s", info.refused);
        hail_check_finish(c, -EACCES);
        return;
    }
    c->phase = HAIL_CHECK_TALKING;
    hail_check_step(c, c->hello.starttls ? hail_hello_secured(&c->hello)
                                         : hail_hello_begin(&c->hello, c->kind, &c->ask));
}

static void shake(struct hail_check *c)
{
    int rc = hail_try_handshake(&c->ctx, c->stream);
    if (rc == -EAGAIN) {
        hail_check_await(c, hail_stream_wants(c->stream));
        hail_check_arm(c);
    } else if (rc < 0) {
        hail_check_finish(c, rc);
    } else {
        secured(c);
    }
}

static void secure(struct hail_check *c)
{
    c->phase = HAIL_CHECK_SECURING;
    int rc = hail_tls_client_start(&c->ctx, &c->stream, c->name, c->tls_config);
    if (rc < 0)
        hail_check_finish(c, rc);
    else
        shake(c);
}

/* --- the hello --- */

void hail_check_note(struct hail_check *c)
{
    int64_t now = hail_now();
    c->heard_ns = now;
    if (c->hello.greeted && !c->greeted_ns)
        c->greeted_ns = now;
    if (c->hello.spoke && !c->spoke_ns)
        c->spoke_ns = now;
}

/* What is to be sent is; goes on with the step that it belongs to. */
static void go_on(struct hail_check *c)
{
    if (c->step < 0) {
        hail_check_finish_hello(c, c->step);
    } else if (c->step == HAIL_HELLO_DONE) {
        hail_check_finish(c, 0);
    } else if (c->step == HAIL_HELLO_SECURE) {
        secure(c);
    } else {
        hail_check_await(c, POLLIN);
        hail_check_arm(c);
    }
}

static void flush(struct hail_check *c)
{
    struct hail_buf *out = &c->hello.out;
    while (out->len) {
        struct iovec piece = {out->p, out->len};
        ssize_t n = hail_try_writev(&c->ctx, c->stream, &piece, 1);
        if (n == -EAGAIN && c->step == HAIL_HELLO_MORE) {
            hail_check_await(c, hail_stream_wants(c->stream) | POLLIN);
            hail_check_arm(c);
            return;
        }
        if (n < 0) {
            hail_buf_clear(out); /* what came before may still be read */
            break;
        }
        hail_buf_consume(out, (size_t)n);
    }
    go_on(c);
}

void hail_check_step(struct hail_check *c, int step)
{
    c->step = step;
    hail_check_note(c);
    if (c->datagram)
        hail_check_udp_flush(c);
    else
        flush(c);
}

static void receive(struct hail_check *c)
{
    char buf[CHUNK];
    for (;;) {
        ssize_t n = hail_try_read(&c->ctx, c->stream, buf, sizeof buf);
        if (n == -EAGAIN) {
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
    else if (c->phase == HAIL_CHECK_SECURING)
        shake(c);
    else if (c->hello.out.len && !(events & (POLLIN | POLLERR | POLLHUP)))
        flush(c);
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
        secure(c);
        return;
    }
    c->phase = HAIL_CHECK_TALKING;
    hail_check_step(c, hail_hello_begin(&c->hello, c->kind, &c->ask));
}
