/* dial.c - from an endpoint to a stream; include/hail/stream.h.
 *
 *      endpoint --targets()--> addresses --hail_race_run()--> socket --> hail_stream
 *
 * A numeric or Unix endpoint is its own address and goes past the resolver. What failed is told as
 * the most specific of the attempts' errors, with the other attempts as advice.
 */
#include <hail/stream.h>
#include <hail/trace.h>

#include "base/error.h"
#include "net/dial.h"
#include "net/layer.h"
#include "net/proxy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line under construction; what does not fit is cut. */
struct line {
    char text[512];
    size_t len;
};

static void HAIL_PRINTF(2, 3) add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->len, sizeof l->text - l->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->len = l->len + (size_t)n < sizeof l->text ? l->len + (size_t)n : sizeof l->text - 1;
}

static void add_endpoint(struct line *l, struct hail_endpoint ep, bool with_port)
{
    char text[HAIL_ENDPOINT_MAX];
    ep.transport = HAIL_TRANSPORT_ANY;
    ep.has_port = with_port && ep.has_port;
    hail_endpoint_format(&ep, text, sizeof text);
    add(l, "%s", text);
}

/* --- errors --- */

static bool is_local(int errnum)
{
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM || errnum == ENOBUFS;
}

/* How much an error says: this machine's own trouble, then the peer's word, then the network's,
 * then silence. */
static int specificity(int errnum)
{
    static const int vague[] = {ECANCELED,     ETIMEDOUT,   EAFNOSUPPORT,
                                EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH};
    const int n = sizeof vague / sizeof *vague;
    for (int i = 0; i < n; i++)
        if (vague[i] == errnum)
            return i;
    if (is_local(errnum))
        return n + 2;
    return errnum == ECONNREFUSED ? n + 1 : n;
}

static const char *advice_for(int errnum, const struct hail_endpoint *to)
{
    bool path = to->kind == HAIL_HOST_UNIX;
    switch (errnum) {
    case ECONNREFUSED:
        if (to->kind == HAIL_HOST_ABSTRACT)
            return "nothing listens at this name";
        return path ? "the socket file is there, but nothing listens on it"
                    : "nothing listens there, or a firewall rejects it";
    case ENOENT:
        return "nothing has made a socket of this name";
    case ETIMEDOUT:
        return "no answer: the host is down, or a firewall drops the packets";
    case ENETUNREACH:
        return "this machine has no route there";
    case EHOSTUNREACH:
        return "the host does not answer on its network, or a router says there is no way";
    case ECONNRESET:
        return "the peer accepted the connection and cut it at once";
    case EADDRNOTAVAIL:
        return "this machine has no such address, or no free port for it";
    case EMFILE:
        return "this process may open no more files (ulimit -n)";
    case EACCES:
    case EPERM:
        return path ? "the socket file's permissions do not allow it"
                    : "a rule of this machine's firewall or sandbox forbids it";
    default:
        return NULL;
    }
}

int hail_dial_failed(struct hail_race *r, const struct hail_endpoint *to, int rc)
{
    struct line what = {.len = 0}, advice = {.len = 0};
    size_t best = 0;
    for (size_t i = 1; i < r->started; i++)
        if (specificity(r->attempts[i].errnum) > specificity(r->attempts[best].errnum))
            best = i;
    const struct hail_attempt *a = &r->attempts[best];
    int errnum = rc == -ECANCELED || rc == -ENOMEM ? -rc : a->errnum;
    bool binding = r->bind_failed >> best & 1;
    if (binding) {
        add(&what, "bind to ");
        add_endpoint(&what, hail_endpoint_of(r->from), true);
        add(&what, " for ");
    }
    add(&what, "connect to ");
    add_endpoint(&what, *to, true);
    if (to->kind == HAIL_HOST_NAME || to->kind == HAIL_HOST_ANY) {
        add(&what, " (");
        add_endpoint(&what, hail_endpoint_of(&a->addr), false);
        add(&what, ")");
    }
    const char *hint = advice_for(errnum, to);
    if (hint)
        add(&advice, "%s", hint);
    const char *before = hint ? "; other addresses tried: " : "other addresses tried: ";
    for (size_t i = 0; i < r->started && errnum != ECANCELED; i++) {
        if (i == best)
            continue;
        add(&advice, "%s", before);
        add_endpoint(&advice, hail_endpoint_of(&r->attempts[i].addr), false);
        add(&advice, " %s", hail_errno_text(r->attempts[i].errnum));
        before = ", ";
    }
    hail_fail(r->ctx, is_local(errnum) ? HAIL_LAYER_LOCAL : HAIL_LAYER_CONNECT, errnum,
              binding ? "bind" : "connect", "%s: %s", what.text, hail_errno_text(errnum));
    if (advice.len)
        hail_advise(r->ctx, "%s", advice.text);
    return -errnum;
}

static int HAIL_PRINTF(4, 5)
    refuse(struct hail_ctx *ctx, const struct hail_endpoint *to, int errnum, const char *fmt, ...)
{
    struct line what = {.len = 0};
    char why[160];
    add_endpoint(&what, *to, true);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return hail_fail(ctx, HAIL_LAYER_USAGE, errnum, "connect", "connect to %s: %s", what.text, why);
}

/* --- addresses --- */

/* The order of RFC 8305 section 4: the resolver's, but the families in turn. */
static size_t interleave(const struct hail_addrs *in, int family, struct hail_attempt *out)
{
    size_t next[2] = {0, 0}, n = 0; /* the next of the first's family, and of the other */
    if (in->n == 0)
        return 0;
    int first = in->v[0].addr.u.sa.sa_family;
    for (int turn = 0, empty = 0; n < HAIL_ATTEMPTS_MAX && empty < 2; turn = !turn) {
        size_t i = next[turn];
        while (i < in->n && (in->v[i].addr.u.sa.sa_family != first) != turn)
            i++;
        next[turn] = i + 1;
        if (i >= in->n) {
            empty++;
            continue;
        }
        empty = 0;
        if (family == AF_UNSPEC || family == in->v[i].addr.u.sa.sa_family)
            out[n++].addr = in->v[i].addr;
    }
    return n;
}

int hail_dial_targets(struct hail_race *r, const struct hail_endpoint *to, int family)
{
    struct hail_addr *only = &r->attempts[0].addr;
    bool numeric = to->kind != HAIL_HOST_NAME && to->kind != HAIL_HOST_ANY;
    if (numeric) {
        int rc = hail_endpoint_addr(to, AF_UNSPEC, only);
        if (rc == -ENODEV)
            return refuse(r->ctx, to, ENODEV, "no network interface is called '%s'", to->zone);
        if (rc < 0)
            return refuse(r->ctx, to, -rc, "%s", hail_errno_text(-rc));
        r->n = 1;
        if (family == AF_UNSPEC || only->u.sa.sa_family == AF_UNIX ||
            only->u.sa.sa_family == family)
            return 0;
        return refuse(r->ctx, to, EAFNOSUPPORT, "not an %s address",
                      family == AF_INET ? "IPv4" : "IPv6");
    }
    struct hail_resolve_opts opts = {.family = family};
    if (r->opts->resolve) {
        opts = *r->opts->resolve;
        opts.family = family ? family : opts.family;
    }
    struct hail_addrs addrs = {0};
    int rc = hail_resolve(r->ctx, to, &opts, &addrs);
    if (rc < 0)
        return rc;
    r->n = interleave(&addrs, family, r->attempts);
    hail_addrs_free(&addrs);
    if (r->n == 0)
        return refuse(r->ctx, to, EAFNOSUPPORT, "no address of the wanted family");
    return 0;
}

/* The address to bind, and the family that it leaves: ":port" is of the target's family where that
 * is known, and IPv4's otherwise. */
static int source(struct hail_race *r, const struct hail_endpoint *to, struct hail_addr *from,
                  int *family)
{
    const struct hail_endpoint *ep = r->opts->from;
    r->from = NULL;
    if (!ep)
        return 0;
    if (to->kind == HAIL_HOST_UNIX || to->kind == HAIL_HOST_ABSTRACT ||
        ep->kind == HAIL_HOST_UNIX || ep->kind == HAIL_HOST_ABSTRACT)
        return refuse(r->ctx, to, EINVAL, "a Unix stream has no local address to bind");
    if (ep->kind == HAIL_HOST_ANY && !ep->port)
        return 0;
    int want = *family ? *family : to->kind == HAIL_HOST_IPV6 ? AF_INET6 : AF_INET;
    int rc = hail_endpoint_addr(ep, want, from);
    if (rc < 0)
        return refuse(r->ctx, to, -rc, "the local address to bind must be numeric: '%s'", ep->host);
    if (*family && *family != from->u.sa.sa_family)
        return refuse(r->ctx, to, EAFNOSUPPORT, "the local address is of the other family");
    *family = from->u.sa.sa_family;
    r->from = from;
    return 0;
}

/* `from` is the caller's, as the race refers to it. */
static int dial(struct hail_race *r, const struct hail_endpoint *to, struct hail_addr *from)
{
    int family = r->opts->family;
    int rc = source(r, to, from, &family);
    if (rc == 0)
        rc = hail_dial_targets(r, to, family);
    if (rc < 0)
        return rc;
    rc = hail_race_run(r);
    if (r->opts->tried)
        r->opts->tried(r->opts->arg, r->attempts, r->started);
    return rc < 0 ? hail_dial_failed(r, to, rc) : rc;
}

int hail_dial(struct hail_ctx *ctx, const struct hail_endpoint *to, const struct hail_opts *opts,
              struct hail_stream **out)
{
    static const struct hail_opts plain = {0};
    bool unix_socket = to->kind == HAIL_HOST_UNIX || to->kind == HAIL_HOST_ABSTRACT;
    if (to->transport == HAIL_UDP)
        return refuse(ctx, to, EINVAL, "a stream cannot be made over UDP");
    if (!unix_socket && !to->has_port)
        return refuse(ctx, to, EINVAL, "the port is missing");

    if (opts && opts->proxy)
        return hail_proxy_dial(ctx, to, opts, out);
    struct hail_race r;
    r.ctx = ctx;
    r.opts = opts ? opts : &plain;
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_CONNECT, "dial", to, NULL);
    struct hail_addr from;
    int won = dial(&r, to, &from);
    hail_trace_end(ctx, span, parent, HAIL_LAYER_CONNECT, "dial", won, "connected");
    if (won < 0)
        return won;

    struct hail_stream *s;
    const struct hail_attempt *a = &r.attempts[won];
    int rc = hail_stream_of_socket(ctx, r.fds[won], &a->addr, r.attempts, r.started, &s);
    if (rc < 0) {
        close(r.fds[won]);
        return rc;
    }
    if (r.was_reset)
        hail_stream_was_reset(s);
    *out = s;
    return 0;
}
