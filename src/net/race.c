/* race.c - connecting to several addresses beside each other; net/race.h.
 *
 *      address 1  |------- in progress -------------> lost
 *      address 2  |  250 ms  |---- refused
 *      address 3             |     |--- connected: won
 *
 * The next address is tried when the delay is over, or at once when one fails. The first that
 * connects wins, the others are closed. One address alone costs socket, connect and one poll.
 */
#include "net/race.h"

#include "net/sockopt.h"
#include "net/trace.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#define ATTEMPT_DELAY_MS 250 /* RFC 8305 section 8: the recommended Connection Attempt Delay */
#define UNIX_RETRY_MS    50  /* the longest pause while a Unix listener's queue is full */

static void trace_start(struct hail_race *r, size_t i)
{
    r->spans[i] = 0;
    if (!hail_tracing(r->ctx))
        return;
    struct hail_endpoint peer = hail_endpoint_of(&r->attempts[i].addr);
    r->spans[i] = hail_trace_new_span(r->ctx);
    hail_trace_emit(r->ctx, (struct hail_event){.span = r->spans[i],
                                                .parent = r->ctx->span,
                                                .kind = HAIL_EVENT_START,
                                                .layer = HAIL_LAYER_CONNECT,
                                                .op = "attempt",
                                                .peer = &peer});
}

/* The attempt is decided: 0 connected, else why not. */
static void decide(struct hail_race *r, size_t i, int errnum)
{
    struct hail_attempt *a = &r->attempts[i];
    a->errnum = errnum;
    a->end_ns = hail_now();
    if (errnum && r->fds[i] >= 0) {
        close(r->fds[i]);
        r->fds[i] = -1;
    }
    if (errnum)
        r->next_ns = 0;
    if (!r->spans[i])
        return;
    struct hail_endpoint peer = hail_endpoint_of(&a->addr);
    hail_trace_emit(r->ctx,
                    (struct hail_event){.at_ns = a->end_ns,
                                        .span = r->spans[i],
                                        .parent = r->ctx->span,
                                        .kind = HAIL_EVENT_DONE,
                                        .layer = HAIL_LAYER_CONNECT,
                                        .op = "attempt",
                                        .peer = &peer,
                                        .text = errnum ? hail_errno_text(errnum) : "connected",
                                        .errnum = errnum});
}

/* Binds to r->from. A port that was asked for may still be in TIME_WAIT from the last time; one
 * that was not is picked by connect(2), which knows the peer (ip(7), IP_BIND_ADDRESS_NO_PORT). */
static int bind_from(struct hail_race *r, size_t i, int fd)
{
    int rc = hail_addr_port(r->from) ? hail_sockopt_int(fd, SOL_SOCKET, SO_REUSEADDR, 1)
                                     : hail_sockopt_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (rc == 0 && bind(fd, &r->from->u.sa, r->from->len) < 0)
        rc = -errno;
    if (rc < 0)
        r->bind_failed |= UINT32_C(1) << i;
    return rc;
}

/* A Unix listener whose queue is full says EAGAIN, and poll(2) cannot tell when there is room. */
static int connect_unix(struct hail_race *r, const struct hail_addr *to, int fd)
{
    for (int pause_ms = 1;;
         pause_ms = pause_ms * 2 < UNIX_RETRY_MS ? pause_ms * 2 : UNIX_RETRY_MS) {
        if (connect(fd, &to->u.sa, to->len) == 0)
            return 0;
        if ((errno != EAGAIN && errno != EINTR) || r->stepwise)
            return -errno;
        struct hail_ctx pause = {
            .by = hail_deadline_min(r->ctx->by, hail_deadline_in(pause_ms)),
            .cancel_fd = r->ctx->cancel_fd,
        };
        int rc = hail_wait(&pause, -1, 0);
        if (rc != -ETIMEDOUT || hail_deadline_ms(r->ctx->by) == 0)
            return rc;
    }
}

/* Begins attempt `i`. Returns 0 connected, -EINPROGRESS, or another -errno. */
static int start(struct hail_race *r, size_t i)
{
    const struct hail_addr *to = &r->attempts[i].addr;
    r->fds[i] = -1;
    r->attempts[i].start_ns = hail_now();
    trace_start(r, i);
    int fd = hail_sockopt_open(to, r->opts);
    if (fd < 0)
        return fd;
    r->fds[i] = fd;
    int rc = r->from ? bind_from(r, i, fd) : 0;
    if (rc < 0)
        return rc;
    if (to->u.sa.sa_family == AF_UNIX)
        return connect_unix(r, to, fd);
    if (r->opts->fast_open) /* where the kernel has it not, the handshake is the plain one */
        hail_sockopt_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    if (connect(fd, &to->u.sa, to->len) == 0)
        return 0;
    return errno == EINTR ? -EINPROGRESS : -errno;
}

/* What became of a connect(2) that poll(2) says is done. A connection that was made and reset
 * before we looked counts when bytes came with it; SO_ERROR has taken the reset from the kernel. */
static int outcome(struct hail_race *r, int fd, int revents)
{
    if (!(revents & (POLLERR | POLLHUP)))
        return 0;
    int errnum = 0;
    socklen_t len = sizeof errnum;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
        return -errno;
    char byte;
    if (errnum == EPIPE) /* reset after the peer's FIN: what it had to say is complete */
        return 0;
    if (errnum == ECONNRESET && recv(fd, &byte, 1, MSG_PEEK) > 0) {
        r->was_reset = true;
        return 0;
    }
    return -errnum;
}

int hail_race_step(struct hail_race *r)
{
    while (r->started < r->n && (r->live == 0 || hail_now() >= r->next_ns)) {
        size_t i = r->started++;
        int rc = start(r, i);
        if (rc == 0)
            return (int)i;
        if (rc != -EINPROGRESS) {
            decide(r, i, -rc);
            continue;
        }
        r->live++;
        if (r->started < r->n)
            r->next_ns = hail_deadline_in(r->opts->attempt_delay_ms > 0 ? r->opts->attempt_delay_ms
                                                                        : ATTEMPT_DELAY_MS)
                             .ns;
    }
    return r->live ? -EAGAIN : -ENOTCONN;
}

int hail_race_ready(struct hail_race *r, size_t i, int revents)
{
    int rc = outcome(r, r->fds[i], revents);
    if (rc == 0)
        return (int)i;
    decide(r, i, -rc);
    r->live--;
    return -EAGAIN;
}

void hail_race_end(struct hail_race *r, int won)
{
    if (won >= 0)
        decide(r, (size_t)won, 0);
    for (size_t i = 0; i < r->started; i++)
        if (r->fds[i] >= 0 && (int)i != won)
            decide(r, i, won < 0 ? -won : ECANCELED);
}

/* Waits for one of the attempts, the next one's turn, the deadline or the cancellation. Returns the
 * winner's index, -EAGAIN to go on, or the race's end. */
static int wait_live(struct hail_race *r)
{
    struct pollfd p[HAIL_ATTEMPTS_MAX + 1];
    size_t which[HAIL_ATTEMPTS_MAX + 1];
    nfds_t n = 0;
    for (size_t i = 0; i < r->started; i++)
        if (r->fds[i] >= 0) {
            which[n] = i;
            p[n++] = (struct pollfd){.fd = r->fds[i], .events = POLLOUT};
        }
    nfds_t cancel = n;
    if (r->ctx->cancel_fd >= 0)
        p[n++] = (struct pollfd){.fd = r->ctx->cancel_fd, .events = POLLIN};
    struct hail_deadline until = r->ctx->by;
    if (r->started < r->n)
        until = hail_deadline_min(until, (struct hail_deadline){r->next_ns});
    int ready = poll(p, n, hail_deadline_ms(until));
    if (ready < 0 && errno != EINTR)
        return -errno;
    if (ready > 0 && n > cancel && p[cancel].revents)
        return -ECANCELED;
    for (nfds_t k = 0; ready > 0 && k < cancel; k++) {
        int won = p[k].revents ? hail_race_ready(r, which[k], p[k].revents) : -EAGAIN;
        if (won >= 0)
            return won;
    }
    if (ready == 0 && r->ctx->by.ns && hail_now() >= r->ctx->by.ns)
        return -ETIMEDOUT;
    return -EAGAIN;
}

void hail_race_begin(struct hail_race *r)
{
    r->started = r->live = 0;
    r->bind_failed = 0;
    r->was_reset = false;
    r->next_ns = 0;
    r->stepwise = true;
}

int hail_race_run(struct hail_race *r)
{
    hail_race_begin(r);
    r->stepwise = false;
    int rc;
    while ((rc = hail_race_step(r)) == -EAGAIN && (rc = wait_live(r)) == -EAGAIN)
        ;
    hail_race_end(r, rc);
    return rc;
}
