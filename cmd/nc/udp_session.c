/* udp_session.c - datagrams both ways until one of the reasons to end; udp.h.
 *
 * While the row or the batch holds what its sink did not take, its source is left alone.
 */
#include "nc/udp.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 1000 /* after the first datagram: a refusal so soon is the address's */
#define ROUNDS    16   /* without poll(2), while one side has more than we can take */
#define LATE      16 /* batches that are taken after the session is over: what was there already */
#define RETRY_MS  5  /* where poll(2) does not tell of room: a Unix peer that is not connected */

struct session {
    struct hail_ctx *ctx;
    struct hail_datagram *d;
    const struct udp_session_opts *o;
    struct udp_source in;
    struct udp_sink out;
    struct udp_row row;
    struct udp_batch batch;
    int slots; /* messages that are received at once */
    char *pool;
    struct hail_addr peer; /* `many`: the one that spoke last; len 0: none yet */
    uint64_t received;
    bool local; /* Unix */
    bool connected, net_ready;
    bool net_full, net_retry; /* it took no more: until POLLOUT, or to be tried again */
    bool retried;             /* the first of the row failed once */
    bool in_over, out_over, over, refused;
    bool stale; /* what is received now may have come before the refusal: errors overtake it */
    unsigned late;
    int error; /* -errno of the first failure, of which `why` tells */
    struct hail_error why;
    struct hail_deadline quit, idle, next_line, settled;
};

/* The first failure is the session's. It goes on with what it can. */
static void keep_error(struct session *s, int rc)
{
    if (s->error)
        return;
    s->error = rc;
    s->why = s->ctx->err;
}

static void failed(struct session *s, int rc, const char *op, const char *what)
{
    hail_fail(s->ctx, HAIL_LAYER_LOCAL, -rc, op, "%s %s: %s", op, what, hail_errno_text(-rc));
    keep_error(s, rc);
}

/* Ends the session; `late`: with what has arrived already. */
static void end(struct session *s, bool late)
{
    s->over = true;
    s->net_ready = late;
}

static void use(struct session *s, struct hail_datagram *d)
{
    s->d = d;
    s->connected = hail_datagram_peer(d).kind != HAIL_HOST_ANY;
    if (!s->local && !s->o->limit)
        (void)hail_datagram_gro(s->ctx, d, true); /* without it they come one by one */
}

/* Whether a refusal now would mean that this was the wrong address from the beginning. */
static bool may_change(const struct session *s)
{
    return s->o->elsewhere && !s->received && hail_deadline_ms(s->settled) != 0;
}

/* To another address, with what was sent last. */
static bool went_elsewhere(struct session *s, int rc)
{
    struct hail_datagram *other = may_change(s) ? s->o->elsewhere(s->o->arg, -rc) : NULL;
    if (!other)
        return false;
    use(s, other);
    if (!s->o->interval_ms)
        s->row.sent = s->row.at = 0;
    return true;
}

/* Told once until something is heard again. */
static void refused(struct session *s, int rc)
{
    if (went_elsewhere(s, rc))
        return;
    if (!s->refused && s->o->refused)
        s->o->refused(s->o->arg, -rc);
    s->refused = s->stale = s->net_ready = true;
    if (s->o->hang_up || (s->in_over && !s->o->many))
        end(s, true);
}

/* --- out: from the source to the socket --- */

/* What was received is the sink's now. */
static bool is_written(const struct session *s)
{
    return s->batch.next == s->batch.n && !s->out.staged;
}

static bool has_peer(const struct session *s)
{
    return s->o->many ? s->peer.len > 0 : s->connected;
}

/* The source has ended, and its last datagram is sent. */
static void end_in(struct session *s)
{
    s->in_over = true;
    if (s->o->quit_ms > 0)
        s->quit = hail_deadline_in(s->o->quit_ms);
    if ((s->refused && !s->o->many) || s->o->quit_ms == 0)
        end(s, true);
}

static bool fill(struct session *s)
{
    if (s->over || s->in_over || s->row.sent < s->row.n || !s->in.ready || !has_peer(s))
        return false;
    int n = udp_source_read(&s->in, &s->row);
    if (n == 0) {
        end_in(s);
    } else if (n == -EMSGSIZE) {
        failed(s, n, "send", "a datagram from standard input");
    } else if (n < 0 && n != -EAGAIN) {
        failed(s, n, "read", "standard input");
        end_in(s);
    }
    return n != -EAGAIN;
}

static void show_sent(const struct session *s, const char *data, size_t n)
{
    if (s->o->seen)
        s->o->seen(s->o->arg, 0, NULL, data, n);
}

/* With an interval, the next line of the row's datagram is one by itself. */
static int send_line(struct session *s)
{
    struct udp_row *r = &s->row;
    uint32_t *left = &r->len[r->sent];
    const char *at = r->data + r->at, *lf = memchr(at, '\n', *left);
    uint32_t n = lf ? (uint32_t)(lf - at) + 1 : *left;
    int rc = hail_try_send_row(s->ctx, s->d, s->o->many ? &s->peer : NULL, at, &n, 1);
    if (rc != 1)
        return rc;
    show_sent(s, at, n);
    s->next_line = hail_deadline_in(s->o->interval_ms);
    r->at += n;
    *left -= n;
    return *left == 0;
}

/* What sending came to: datagrams that are sent, or -errno. */
static void was_sent(struct session *s, int n)
{
    struct udp_row *r = &s->row;
    s->net_retry = n == -ENOBUFS || (n == -EAGAIN && s->local && s->o->many);
    s->net_full = s->net_retry || n == -EAGAIN;
    if (s->net_full)
        return;
    bool refusal = udp_is_refusal(n, s->local), first = n < 0 && !s->retried && !s->local;
    /* mostly it is an error of one that was sent before: this one is to be sent yet */
    s->retried = first && (refusal || n == -EMSGSIZE);
    if (refusal)
        refused(s, n);
    else if (n < 0 && !s->retried)
        keep_error(s, n);
    if (n < 0 && !s->retried)
        udp_row_drop(r);
    for (int i = 0; i < n; i++) {
        if (!s->o->interval_ms)
            show_sent(s, r->data + r->at, r->len[r->sent]);
        udp_row_drop(r);
    }
}

static bool drain(struct session *s)
{
    struct udp_row *r = &s->row;
    if (r->sent == r->n || s->net_full || (s->next_line.ns && hail_deadline_ms(s->next_line)))
        return false;
    if (s->o->interval_ms)
        was_sent(s, send_line(s));
    else
        was_sent(s, hail_try_send_row(s->ctx, s->d, s->o->many ? &s->peer : NULL, r->data + r->at,
                                      r->len + r->sent, r->n - r->sent));
    if (!s->settled.ns)
        s->settled = hail_deadline_in(SETTLE_MS);
    s->net_ready |= may_change(s);
    return !s->net_full;
}

/* --- in: from the socket to the sink --- */

static void count(struct session *s)
{
    struct udp_batch *b = &s->batch;
    for (int i = 0; i < b->n; i++) {
        const struct hail_message *m = &b->v[i];
        size_t size = m->segment ? m->segment : m->len, at = 0;
        s->received += m->segment && m->len ? (m->len + m->segment - 1) / m->segment : 1;
        do {
            size_t n = m->len - at < size ? m->len - at : size;
            if (s->o->seen)
                s->o->seen(s->o->arg, 1, &m->addr, (const char *)m->data + at, n);
            at += n;
        } while (s->o->seen && at < m->len);
    }
    const struct hail_addr *from = &b->v[b->n - 1].addr;
    if (from->len > sizeof(sa_family_t)) /* a Unix peer without a name cannot be answered */
        s->peer = *from;
    if (!s->stale)
        s->refused = false;
}

static bool receive(struct session *s)
{
    struct udp_batch *b = &s->batch;
    size_t want = (size_t)s->slots;
    if (s->out_over || !is_written(s) || !s->net_ready)
        return false;
    if (s->o->limit && s->o->limit - s->received < want)
        want = (size_t)(s->o->limit - s->received);
    int n = hail_try_recv_batch(s->ctx, s->d, b->v, want);
    b->n = n > 0 ? n : 0;
    b->next = 0;
    b->at = 0;
    s->net_ready = n == (int)want && !(s->over && ++s->late == LATE);
    if (n > 0)
        count(s);
    else if (udp_is_refusal(n, s->local))
        refused(s, n);
    else if (n != -EAGAIN && n != -EMSGSIZE) /* which is of one that was sent */
        keep_error(s, n);
    s->stale = s->stale && s->net_ready;
    return n != -EAGAIN;
}

static void sink_is_gone(struct session *s, int errnum)
{
    failed(s, -errnum, "write", "standard output");
    s->out_over = true;
    s->batch.next = s->batch.n;
    s->out.staged = 0;
}

static bool deliver(struct session *s)
{
    struct udp_batch *b = &s->batch;
    if (is_written(s) || s->out.full)
        return false;
    int rc = udp_sink_write(&s->out, b);
    if (rc < 0 && rc != -EAGAIN)
        sink_is_gone(s, -rc);
    if (s->o->limit && s->received >= s->o->limit && is_written(s))
        end(s, false);
    return rc != -EAGAIN;
}

/* --- the loop --- */

static bool is_over(struct session *s)
{
    if (s->quit.ns && hail_deadline_ms(s->quit) == 0)
        return true;
    if (s->over)
        return is_written(s) && (!s->net_ready || s->out_over);
    return s->out_over && s->in_over && s->row.sent == s->row.n;
}

/* The earliest of the times at which something is to be done, in milliseconds. */
static int timeout(const struct session *s)
{
    struct hail_deadline at = hail_deadline_min(s->ctx->by, s->quit);
    /* while something waits to be sent, nobody is idle */
    if (!s->over)
        at = hail_deadline_min(at, s->row.sent < s->row.n ? s->next_line : s->idle);
    if (s->net_retry)
        at = hail_deadline_min(at, hail_deadline_in(RETRY_MS));
    return hail_deadline_ms(at);
}

/* An error of the socket that receiving would have told, had there been room for what it gives. */
static void take_error(struct session *s)
{
    int errnum = 0;
    socklen_t len = sizeof errnum;
    if (getsockopt(hail_datagram_fd(s->d), SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 && errnum)
        refused(s, -errnum);
}

/* Waits until something can go on, or looks without waiting. 0, -ETIMEDOUT by the deadline,
 * -ECANCELED; *idle: nothing came for too long. */
static int look(struct session *s, bool wait)
{
    bool read = !s->in_over && !s->in.ready && s->row.sent == s->row.n && has_peer(s);
    bool receive = !s->out_over && is_written(s);
    short net = (short)((receive ? POLLIN : 0) | (s->net_full && !s->net_retry ? POLLOUT : 0));
    struct pollfd p[4] = {
        {.fd = read ? s->in.fd : -1, .events = POLLIN},
        {.fd = hail_datagram_fd(s->d), .events = net},
        {.fd = s->out_over ? -1 : s->out.fd, .events = (short)(s->out.full ? POLLOUT : 0)},
        {.fd = s->ctx->cancel_fd, .events = POLLIN}};
    int n = poll(p, 4, wait ? timeout(s) : 0);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    if (p[3].revents)
        return -ECANCELED;
    if (s->ctx->by.ns && hail_deadline_ms(s->ctx->by) == 0)
        return -ETIMEDOUT;
    s->in.ready |= p[0].revents != 0;
    s->net_ready |= receive && p[1].revents;
    if (!receive && (p[1].revents & POLLERR))
        take_error(s);
    if (s->net_retry || (p[1].revents & (POLLOUT | POLLERR)))
        s->net_full = s->net_retry = false;
    if (p[2].revents & POLLOUT)
        s->out.full = false;
    if (p[2].revents & (POLLERR | POLLNVAL)) /* nobody reads it any more */
        sink_is_gone(s, p[2].revents & POLLERR ? EPIPE : EBADF);
    if (n == 0 && s->idle.ns && hail_deadline_ms(s->idle) == 0 && s->row.sent == s->row.n)
        end(s, false);
    return 0;
}

static int run(struct session *s)
{
    for (unsigned round = 0; !is_over(s); round++) {
        bool moved = fill(s);
        moved |= drain(s);
        moved |= receive(s);
        moved |= deliver(s);
        if (moved && s->o->idle_ms >= 0)
            s->idle = hail_deadline_in(s->o->idle_ms);
        if (moved && round % ROUNDS)
            continue;
        if (is_over(s))
            break;
        int rc = look(s, !moved);
        if (rc < 0)
            return hail_fail(s->ctx, HAIL_LAYER_STREAM, -rc, "wait", "wait for datagrams: %s",
                             hail_errno_text(-rc));
    }
    return 0;
}

/* Messages for the pool: few large ones for Unix, where a datagram may be larger. */
static void share_pool(struct session *s, size_t slot)
{
    s->slots = (int)(UDP_POOL / slot);
    for (int i = 0; i < s->slots; i++)
        s->batch.v[i] = (struct hail_message){.data = s->pool + (size_t)i * slot, .size = slot};
}

int udp_session(struct hail_ctx *ctx, struct hail_datagram *d, const struct udp_session_opts *opts)
{
    struct hail_endpoint at = hail_datagram_local(d);
    bool local = at.kind == HAIL_HOST_UNIX || at.kind == HAIL_HOST_ABSTRACT;
    struct session *s = calloc(1, sizeof *s);
    char *memory = malloc(UDP_POOL + UDP_ROW_BYTES);
    int rc = -ENOMEM;
    if (s && memory) {
        *s = (struct session){.ctx = ctx, .o = opts, .local = local, .pool = memory};
        s->row.data = memory + UDP_POOL;
        share_pool(s, local ? UDP_UNIX_MAX : UDP_SLOT);
        use(s, d);
        udp_source_open(&s->in, opts->in, local ? UDP_UNIX_MAX : HAIL_DATAGRAM_MAX, opts->crlf);
        udp_sink_open(&s->out, opts->out);
        s->in_over = opts->in < 0;
        s->net_ready = true;
        if (opts->idle_ms >= 0)
            s->idle = hail_deadline_in(opts->idle_ms);
        rc = run(s);
        udp_source_close(&s->in);
        udp_sink_close(&s->out);
        if (rc == 0 && s->error) {
            ctx->err = s->why;
            rc = s->error;
        }
        rc = rc ? rc : s->refused;
    } else {
        hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "start", "start a session: %s",
                  hail_errno_text(ENOMEM));
    }
    free(memory);
    free(s);
    return rc;
}
