/* probe_scan.c - the loop of a scan; probe.h. */
#include "nc/probe.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define RETRIES 8 /* of a call that failed with an error of an earlier datagram */

struct running {
    struct hail_ctx *ctx;
    struct hail_datagram *d;
    struct probe_scan *s;
    uint8_t nonce[HAIL_PROBE_NONCE];
    size_t next, told;           /* ports that were begun; told */
    size_t window[PROBE_WINDOW]; /* the ports being asked, by their place in v */
    size_t asking;
    struct hail_deadline begin; /* the next port, with an interval */
    bool full;                  /* the socket has no room */
    bool self;                  /* it is this host that is scanned */
    int64_t now;                /* the clock, when it was last waited */
};

/* A port's own, so that an answer to one is none to another. */
static void nonce_of(const struct running *r, uint16_t port, uint8_t nonce[HAIL_PROBE_NONCE])
{
    memcpy(nonce, r->nonce, HAIL_PROBE_NONCE);
    nonce[0] ^= (uint8_t)(port >> 8);
    nonce[1] ^= (uint8_t)port;
}

static void done(struct probe_port *p, enum probe_verdict verdict, int errnum)
{
    p->verdict = (uint8_t)verdict;
    p->errnum = errnum;
    p->done = true;
}

/* --- what comes --- */

/* Whether datagrams to an address come from it. */
static bool is_self(struct hail_ctx *ctx, const struct hail_addr *to)
{
    struct hail_endpoint at = hail_endpoint_of(to);
    struct hail_datagram *d;
    at.port = 1; /* nothing is sent there */
    if (hail_datagram_connect(ctx, &at, NULL, &d) < 0)
        return false;
    struct hail_endpoint from = hail_datagram_local(d);
    hail_datagram_close(d);
    from.port = at.port;
    return hail_endpoint_equal(&from, &at);
}

static struct probe_port *port_of(struct running *r, const struct hail_addr *from)
{
    struct hail_addr a = *from;
    uint16_t port = hail_addr_port(from);
    hail_addr_set_port(&a, hail_addr_port(&r->s->to));
    if (!hail_addr_equal(&a, &r->s->to))
        return NULL; /* somebody else's */
    if (r->self && port == hail_datagram_local(r->d).port)
        return NULL; /* what was sent to this very socket */
    for (size_t i = 0; i < r->asking; i++)
        if (r->s->v[r->window[i]].port == port)
            return &r->s->v[r->window[i]];
    return NULL;
}

static void replied(struct running *r, struct probe_port *p, const void *data, size_t n)
{
    uint8_t nonce[HAIL_PROBE_NONCE];
    enum hail_probe kind = (enum hail_probe)p->asked;
    p->bytes = (uint16_t)n; /* the buffer holds no more */
    done(p, PROBE_REPLY, 0);
    if (kind == HAIL_PROBE_NONE)
        return;
    nonce_of(r, p->port, nonce);
    char *words = r->s->words[kind];
    if (hail_probe_check(kind, nonce, data, n, words) < 0)
        snprintf(words, HAIL_PROBE_WORDS, "%u bytes that do not answer the question", p->bytes);
    p->words = words;
}

static void take_errors(struct running *r)
{
    struct hail_addr from;
    int errnum;
    while ((errnum = hail_try_recv_error(r->ctx, r->d, &from)) > 0) {
        struct probe_port *p = port_of(r, &from);
        if (p && !p->done && errnum != EMSGSIZE)
            done(p, errnum == ECONNREFUSED ? PROBE_REFUSED : PROBE_UNKNOWN, errnum);
    }
}

/* Everything that is there. An error that comes in the middle is what receiving fails with, once;
 * it is in the queue then. 0 or -errno. */
static int take(struct running *r)
{
    char data[2048];
    struct hail_message m = {.data = data, .size = sizeof data};
    int rc = -EAGAIN;
    for (int i = 0; i < RETRIES; i++) {
        take_errors(r);
        while ((rc = hail_try_recv_batch(r->ctx, r->d, &m, 1)) == 1) {
            struct probe_port *p = port_of(r, &m.addr);
            if (p && p->verdict != PROBE_REPLY)
                replied(r, p, data, m.len);
        }
        if (rc == -EAGAIN)
            return 0;
    }
    return rc;
}

/* --- what goes --- */

/* Asks once more. 0 or -errno. */
static int ask(struct running *r, struct probe_port *p)
{
    uint8_t nonce[HAIL_PROBE_NONCE], question[HAIL_PROBE_MAX];
    struct hail_addr to = r->s->to;
    hail_addr_set_port(&to, p->port);
    nonce_of(r, p->port, nonce);
    uint32_t n = (uint32_t)hail_probe_build((enum hail_probe)p->asked, nonce, question);
    int sent = 0;
    for (int i = 0; i < RETRIES; i++) {
        sent = hail_try_send_row(r->ctx, r->d, &to, question, &n, 1);
        if (sent == 1 || sent == -EAGAIN)
            break;
        int rc = take(r); /* perhaps an error of another port: this one was not sent to then */
        if (rc < 0 || p->done)
            return rc;
    }
    r->full = sent == -EAGAIN;
    if (sent == 1) {
        p->sends++;
        p->due.ns = r->now + r->s->wait_ms * 1000000 / (PROBE_SENDS + 1);
    } else if (!r->full) {
        done(p, PROBE_UNKNOWN, -sent); /* no route to it, or not allowed */
    }
    return 0;
}

static bool passed(const struct running *r, struct hail_deadline at)
{
    return at.ns && at.ns <= r->now;
}

/* Lets further ports into the window. */
static void begin(struct running *r)
{
    struct probe_scan *s = r->s;
    while (r->asking < PROBE_WINDOW && r->next < s->n && (!r->begin.ns || passed(r, r->begin))) {
        struct probe_port *p = &s->v[r->next];
        if (p->verdict != PROBE_REPLY) {
            *p = (struct probe_port){.port = p->port,
                                     .asked = s->ask ? (uint8_t)hail_probe_for(p->port) : 0,
                                     .end = {r->now + s->wait_ms * 1000000},
                                     .due = {r->now}};
            r->window[r->asking++] = r->next;
            if (s->interval_ms)
                r->begin.ns = r->now + s->interval_ms * 1000000;
        }
        r->next++;
    }
}

/* Whoever's time has come is asked again, or given up. 0 or -errno. */
static int go_on(struct running *r)
{
    for (size_t i = 0; i < r->asking;) {
        struct probe_port *p = &r->s->v[r->window[i]];
        if (!p->done && passed(r, p->end))
            done(p, PROBE_UNKNOWN, 0);
        int rc = 0;
        if (!p->done && p->sends < PROBE_SENDS && !r->full && passed(r, p->due))
            rc = ask(r, p);
        if (rc < 0)
            return rc;
        if (p->done)
            r->window[i] = r->window[--r->asking];
        else
            i++;
    }
    return 0;
}

static void tell(struct running *r)
{
    for (; r->told < r->s->n && r->s->v[r->told].done; r->told++)
        r->s->tell(r->s->arg, &r->s->v[r->told]);
}

/* Until something comes, or somebody's time does. 0 or -errno. */
static int await(struct running *r)
{
    struct hail_deadline at = r->ctx->by;
    for (size_t i = 0; i < r->asking; i++) {
        const struct probe_port *p = &r->s->v[r->window[i]];
        at = hail_deadline_min(at, p->sends < PROBE_SENDS && !r->full ? p->due : p->end);
    }
    if (r->asking < PROBE_WINDOW && r->next < r->s->n)
        at = hail_deadline_min(at, r->begin);
    struct pollfd p[2] = {{.fd = hail_datagram_fd(r->d), .events = POLLIN},
                          {.fd = r->ctx->cancel_fd, .events = POLLIN}};
    if (r->full)
        p[0].events |= POLLOUT;
    if (poll(p, 2, hail_deadline_ms(at)) < 0 && errno != EINTR)
        return -errno;
    r->now = hail_now();
    r->full = r->full && !p[0].revents;
    if (p[1].revents)
        return -ECANCELED;
    return passed(r, r->ctx->by) ? -ETIMEDOUT : take(r);
}

int probe_scan(struct hail_ctx *ctx, struct hail_datagram *d, struct probe_scan *s)
{
    struct running r = {.ctx = ctx, .d = d, .s = s, .now = hail_now()};
    if (getrandom(r.nonce, sizeof r.nonce, 0) != sizeof r.nonce)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "scan", "scan: %s", hail_errno_text(errno));
    int rc = hail_datagram_errors(ctx, d, true);
    r.self = is_self(ctx, &s->to);
    while (rc == 0 && (r.next < s->n || r.asking)) {
        begin(&r);
        rc = go_on(&r);
        tell(&r);
        if (rc == 0 && (r.asking || (r.next < s->n && r.begin.ns)))
            rc = await(&r);
    }
    tell(&r);
    if (rc == -ETIMEDOUT || rc == -ECANCELED)
        hail_fail(ctx, HAIL_LAYER_CONNECT, -rc, "scan", "scan: %s", hail_errno_text(-rc));
    return rc;
}
