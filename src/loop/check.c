/* check.c - a check from its start to its end; loop/check.h. */
#include "loop/check.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define NAME_THREADS    8
#define LAST_ATTEMPT_MS 1000 /* for an answer of a peer that has said nothing */

static struct hail_check *check_of(struct hail_task *task)
{
    return (struct hail_check *)((char *)task - offsetof(struct hail_check, task));
}

/* --- watching --- */

static void watch(struct hail_check *c, int i, int events)
{
    struct hail_check_watch *w = &c->watches[i];
    struct hail_loop *loop = c->checker->loop;
    if (events == w->events)
        return;
    if (!events)
        hail_loop_remove(loop, &w->w);
    else if (!w->events)
        hail_loop_add(loop, &w->w, events);
    else
        hail_loop_change(loop, &w->w, events);
    w->events = events;
}

static void unwatch_all(struct hail_check *c)
{
    for (size_t i = 0; i < c->race.started; i++)
        watch(c, (int)i, 0);
}

void hail_check_await(struct hail_check *c, int events)
{
    watch(c, c->won, events);
}

void hail_check_arm(struct hail_check *c)
{
    int64_t at = c->ctx.by.ns;
    int64_t also[3] = {0};
    if (c->phase == HAIL_CHECK_CONNECTING && c->race.started < c->race.n)
        also[0] = c->race.next_ns;
    if (c->phase == HAIL_CHECK_TALKING && !c->hello.greeted)
        also[1] = c->connected_ns + c->greeting_ms * 1000000;
    int patience = c->phase == HAIL_CHECK_TALKING ? hail_hello_patience(&c->hello) : -1;
    if (patience >= 0)
        also[2] = c->heard_ns + (int64_t)patience * 1000000;
    for (int i = 0; i < 3; i++)
        if (also[i] && also[i] < at)
            at = also[i];
    if (c->again_ns && c->again_ns < at)
        at = c->again_ns;
    if (!c->tick.place || at != c->tick.at_ns)
        hail_timer_set(c->checker->loop, &c->tick, at);
}

/* --- the end --- */

void hail_check_finish(struct hail_check *c, int rc)
{
    c->rc = rc;
    c->phase = HAIL_CHECK_OVER;
    c->ended_ns = hail_now();
    unwatch_all(c);
    hail_timer_clear(c->checker->loop, &c->tick);
    c->done(c);
}

void hail_check_finish_hello(struct hail_check *c, int rc)
{
    enum hail_layer layer = rc == -ENOTSUP  ? HAIL_LAYER_TLS
                            : rc == -ENOMEM ? HAIL_LAYER_LOCAL
                                            : HAIL_LAYER_PROTO;
    c->refused = rc == -ECONNREFUSED;
    hail_fail(&c->ctx, layer, -rc, "hello", "hello");
    memcpy(c->ctx.err.msg, c->hello.why, sizeof c->ctx.err.msg); /* which is safe to show already */
    hail_check_finish(c, rc);
}

void hail_check_release(struct hail_check *c)
{
    if (c->hello.ops)
        hail_hello_free(&c->hello);
    hail_close(c->stream);
    hail_datagram_close(c->datagram);
    hail_buf_free(&c->sent);
    c->hello.ops = NULL;
    c->stream = NULL;
    c->datagram = NULL;
}

bool hail_check_abort(struct hail_check *c)
{
    if (c->phase == HAIL_CHECK_NAMING)
        return false;
    unwatch_all(c);
    hail_timer_clear(c->checker->loop, &c->tick);
    if (c->phase == HAIL_CHECK_CONNECTING)
        hail_race_end(&c->race, -ECANCELED);
    c->phase = HAIL_CHECK_OVER;
    return true;
}

/* --- connecting --- */

static void lost(struct hail_check *c, int rc)
{
    unwatch_all(c);
    hail_race_end(&c->race, rc);
    hail_check_finish(c, hail_dial_failed(&c->race, &c->to, rc));
}

static void won(struct hail_check *c, int i)
{
    for (size_t k = 0; k < c->race.started; k++)
        if ((int)k != i)
            watch(c, (int)k, 0);
    hail_race_end(&c->race, i);
    c->won = i;
    c->connected_ns = c->heard_ns = hail_now();
    hail_check_connected(c);
}

static void race_on(struct hail_check *c)
{
    int i = hail_race_step(&c->race);
    if (i >= 0) {
        won(c, i);
        return;
    }
    if (i == -ENOTCONN) {
        lost(c, i);
        return;
    }
    for (size_t k = 0; k < c->race.started; k++)
        if (c->race.fds[k] >= 0) {
            c->watches[k].w.fd = c->race.fds[k];
            watch(c, (int)k, POLLOUT);
        }
    hail_check_arm(c);
}

static void on_ready(struct hail_loop *loop, struct hail_watch *w, int events)
{
    struct hail_check_watch *at =
        (struct hail_check_watch *)((char *)w - offsetof(struct hail_check_watch, w));
    struct hail_check *c = at->check;
    (void)loop;
    if (c->phase != HAIL_CHECK_CONNECTING) {
        hail_check_ready(c, events);
        return;
    }
    size_t i = (size_t)(at - c->watches);
    if (events & (POLLERR | POLLHUP))
        watch(c, (int)i, 0); /* it may be closed */
    if (hail_race_ready(&c->race, i, events) == (int)i)
        won(c, (int)i);
    else
        race_on(c);
}

static void named(struct hail_check *c, int rc)
{
    c->named_ns = hail_now();
    if (rc < 0) {
        hail_check_finish(c, rc);
        return;
    }
    c->phase = HAIL_CHECK_CONNECTING;
    if (c->ask.datagram) {
        hail_check_udp(c);
        return;
    }
    hail_race_begin(&c->race);
    race_on(c);
}

/* --- the name --- */

static int targets(struct hail_check *c)
{
    return hail_dial_targets(&c->race, &c->to, c->dial->family);
}

static void look_up(struct hail_task *task)
{
    struct hail_check *c = check_of(task);
    c->rc = targets(c);
}

static void looked_up(struct hail_task *task)
{
    struct hail_check *c = check_of(task);
    named(c, c->checker->ends ? -ECANCELED : c->rc);
}

static void find(struct hail_check *c)
{
    struct hail_checker *k = c->checker;
    if (c->to.kind != HAIL_HOST_NAME) {
        named(c, targets(c));
        return;
    }
    int rc = k->work ? 0 : hail_work_new(&c->ctx, k->loop, NAME_THREADS, &k->work);
    c->task = (struct hail_task){.run = look_up, .done = looked_up};
    if (rc == 0 && hail_work_add(k->work, &c->task) < 0)
        rc = hail_fail(&c->ctx, HAIL_LAYER_LOCAL, EAGAIN, "resolve",
                       "look up %s: no thread can be made", c->to.host);
    if (rc < 0)
        named(c, rc);
}

/* --- time --- */

static void silent(struct hail_check *c, int64_t now)
{
    c->hello.asked |= now >= c->ctx.by.ns;
    int rc = hail_hello_silent(&c->hello);
    if (rc < 0) {
        hail_check_finish_hello(c, rc);
        return;
    }
    c->ctx.by = hail_deadline_in(LAST_ATTEMPT_MS);
    c->greeting_ms = INT64_MAX / 2000000; /* from here on the other counts */
    hail_check_step(c, rc);
}

static void in_time(struct hail_check *c, int64_t now)
{
    int patience = hail_hello_patience(&c->hello);
    if (now >= c->ctx.by.ns ||
        (!c->hello.greeted && now >= c->connected_ns + c->greeting_ms * 1000000))
        silent(c, now);
    else if (c->again_ns && now >= c->again_ns)
        hail_check_udp_flush(c);
    else if (patience >= 0 && now >= c->heard_ns + (int64_t)patience * 1000000) {
        c->heard_ns = now;
        hail_check_step(c, hail_hello_quiet(&c->hello));
    } else
        hail_check_arm(c);
}

static void on_tick(struct hail_loop *loop, struct hail_timer *t)
{
    struct hail_check *c = (struct hail_check *)((char *)t - offsetof(struct hail_check, tick));
    int64_t now = hail_now();
    bool over = now >= c->ctx.by.ns;
    (void)loop;
    switch (c->phase) {
    case HAIL_CHECK_CONNECTING:
        if (over)
            lost(c, -ETIMEDOUT);
        else
            race_on(c);
        break;
    case HAIL_CHECK_SECURING:
        if (!over) {
            hail_check_arm(c);
            break;
        }
        hail_fail(&c->ctx, HAIL_LAYER_TLS, ETIMEDOUT, "tls",
                  "TLS handshake: connected, but the peer does not go on with it");
        hail_check_finish(c, -ETIMEDOUT);
        break;
    case HAIL_CHECK_TALKING:
        in_time(c, now);
        break;
    default: /* the look-up has the same deadline */
        break;
    }
}

/* --- the start --- */

void hail_check_start(struct hail_checker *k, struct hail_check *c)
{
    static const struct hail_opts plain;
    c->checker = k;
    c->phase = HAIL_CHECK_NAMING;
    c->dial = c->dial ? c->dial : &plain;
    c->ctx = (struct hail_ctx)HAIL_CTX_INIT;
    c->ctx.cancel_fd = k->cancel_fd;
    c->ctx.trace = k->ctx->trace;
    c->ctx.span = k->ctx->span;
    c->ctx.by = hail_deadline_in(c->timeout_ms);
    c->began_ns = hail_now();
    c->race.ctx = &c->ctx;
    c->race.opts = c->dial;
    c->race.from = NULL;
    c->tick.fire = on_tick;
    c->ask.secured = c->tls;
    c->ask.datagram = c->to.transport == HAIL_UDP;
    if (getrandom(c->ask.nonce, sizeof c->ask.nonce, 0) < 0) /* it is no secret */
        for (size_t i = 0; i < sizeof c->ask.nonce; i++)
            c->ask.nonce[i] = (uint8_t)(c->began_ns >> 8 * (i % 8));
    hail_buf_init(&c->sent, HAIL_HELLO_ALL);
    for (int i = 0; i < HAIL_ATTEMPTS_MAX; i++) {
        c->watches[i].w.ready = on_ready;
        c->watches[i].check = c;
    }
    find(c);
}

int hail_checker_new(struct hail_ctx *ctx, struct hail_loop *loop, struct hail_checker **out)
{
    struct hail_checker *k = calloc(1, sizeof *k);
    int rc = k ? 0 : -ENOMEM;
    if (k) {
        k->ctx = ctx;
        k->loop = loop;
        k->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = k->cancel_fd < 0 ? -errno : 0;
    }
    if (rc < 0) {
        free(k);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "open", "open a checker: %s",
                         hail_errno_text(-rc));
    }
    *out = k;
    return 0;
}

void hail_checker_free(struct hail_checker *k)
{
    if (!k)
        return;
    uint64_t one = 1;
    k->ends = true;
    ssize_t n = write(k->cancel_fd, &one, sizeof one);
    (void)n; /* a counter that is full cancels as well */
    hail_work_free(k->work);
    close(k->cancel_fd);
    free(k);
}
