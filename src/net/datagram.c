/* datagram.c - datagrams one by one; include/hail/datagram.h. Batches are in datagram_batch.c, the
 * options of UDP sockets in datagram_options.c.
 */
#include "net/datagram.h"

#include "base/error.h"
#include "net/sockopt.h"
#include "net/trace.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static const char *advice_for(int errnum)
{
    switch (errnum) {
    case ECONNREFUSED:
        return "the host answered by ICMP that nobody receives at this port";
    case EMSGSIZE:
        return "a datagram carries at most 65,507 bytes over IPv4, less where the path is narrower";
    case EADDRINUSE:
        return "another process has the port; `hail ports` names it";
    case EACCES:
        return "broadcast must be allowed first, and ports under 1024 need cap_net_bind_service";
    default:
        return NULL;
    }
}

int hail_datagram_failed(struct hail_ctx *ctx, const struct hail_datagram *d, const char *op,
                         const struct hail_addr *to, int rc)
{
    struct hail_endpoint end = to             ? hail_endpoint_of(to)
                               : d->connected ? hail_endpoint_of(&d->peer)
                                              : hail_datagram_local(d);
    char text[HAIL_ENDPOINT_MAX];
    end.transport = d->family == AF_UNIX ? HAIL_TRANSPORT_ANY : HAIL_UDP;
    hail_endpoint_format(&end, text, sizeof text);
    bool local = rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
    bool connect = rc == -ECONNREFUSED || rc == -ENETUNREACH || rc == -EHOSTUNREACH ||
                   rc == -EADDRINUSE || rc == -EADDRNOTAVAIL || rc == -EACCES;
    enum hail_layer layer = local     ? HAIL_LAYER_LOCAL
                            : connect ? HAIL_LAYER_CONNECT
                                      : HAIL_LAYER_STREAM;
    hail_fail(ctx, layer, -rc, op, "%s %s: %s", op, text, hail_errno_text(-rc));
    const char *advice = advice_for(-rc);
    if (advice)
        hail_advise(ctx, "%s", advice);
    return rc;
}

void hail_datagram_trace(struct hail_ctx *ctx, const struct hail_datagram *d, bool out,
                         const struct hail_addr *peer, const void *data, size_t n)
{
    struct hail_endpoint local = hail_datagram_local(d);
    struct hail_endpoint other = peer && peer->len ? hail_endpoint_of(peer) : hail_datagram_peer(d);
    hail_trace_emit(ctx, (struct hail_event){.span = ctx->span,
                                             .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                             .layer = HAIL_LAYER_STREAM,
                                             .op = "datagram",
                                             .local = &local,
                                             .peer = &other,
                                             .data = data,
                                             .len = n});
}

static int set_options(int fd, int family, const struct hail_opts *o)
{
    int rc = 0;
    if (o->rcvbuf)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf);
    if (rc == 0 && o->sndbuf)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf);
    if (rc == 0 && o->reuseport && family != AF_UNIX)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6)
        rc = hail_sockopt_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6only || o->family == AF_INET6);
    return rc;
}

int hail_datagram_ready(struct hail_ctx *ctx, struct hail_datagram *d, int family)
{
    if (d->fd >= 0)
        return 0;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hail_datagram_failed(ctx, d, "open", NULL, -errno);
    const struct hail_addr at = {.len = sizeof(sa_family_t), .u.sa.sa_family = (sa_family_t)family};
    int rc = set_options(fd, family, &d->opts);
    if (rc == 0 && d->opts.prepare)
        rc = d->opts.prepare(d->opts.arg, fd, &at);
    if (rc < 0) {
        close(fd);
        return hail_datagram_failed(ctx, d, "open", NULL, rc);
    }
    d->fd = fd;
    d->family = family;
    return 0;
}

/* NULL when there is no memory, which is recorded. */
static struct hail_datagram *new_datagram(struct hail_ctx *ctx, const struct hail_opts *opts)
{
    struct hail_datagram *d = calloc(1, sizeof *d);
    if (!d) {
        hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "open", "open a datagram socket: %s",
                  hail_errno_text(ENOMEM));
        return NULL;
    }
    d->fd = -1;
    d->file.dir = -1;
    if (opts)
        d->opts = *opts;
    d->opts.from = NULL;
    d->opts.resolve = NULL;
    return d;
}

/* The first address of an endpoint: to bind, "every address" is the wildcard; to send, this host.
 */
static int first_address(struct hail_ctx *ctx, const struct hail_endpoint *ep,
                         const struct hail_opts *opts, bool to_bind, struct hail_addr *out)
{
    int family = opts ? opts->family : AF_UNSPEC;
    if (to_bind && ep->kind == HAIL_HOST_ANY)
        return hail_endpoint_addr(ep, family, out);
    struct hail_resolve_opts how = {0};
    if (opts && opts->resolve)
        how = *opts->resolve;
    how.family = family ? family : how.family;
    struct hail_addrs addrs = {0};
    int rc = hail_resolve(ctx, ep, &how, &addrs);
    if (rc == 0)
        *out = addrs.v[0].addr;
    hail_addrs_free(&addrs);
    return rc;
}

static int bind_at(struct hail_datagram *d, const struct hail_addr *addr)
{
    if (d->family == AF_UNIX && addr->u.un.sun_path[0]) {
        int rc = hail_unix_path_bind(d->fd, addr, d->opts.unix_mode, &d->file);
        hail_unix_path_unlock(&d->file);
        return rc;
    }
    return bind(d->fd, &addr->u.sa, addr->len) < 0 ? -errno : 0;
}

static int open_at(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_endpoint *at,
                   const struct hail_opts *opts)
{
    struct hail_addr addr = {0};
    int rc = first_address(ctx, at, opts, true, &addr);
    if (rc == 0)
        rc = hail_datagram_ready(ctx, d, addr.u.sa.sa_family);
    if (rc < 0)
        return rc;
    rc = bind_at(d, &addr);
    return rc < 0 ? hail_datagram_failed(ctx, d, "bind", &addr, rc) : 0;
}

int hail_datagram_open(struct hail_ctx *ctx, const struct hail_endpoint *at,
                       const struct hail_opts *opts, struct hail_datagram **out)
{
    struct hail_datagram *d = new_datagram(ctx, opts);
    if (!d)
        return -ENOMEM;
    int rc = 0;
    if (at)
        rc = open_at(ctx, d, at, opts);
    else if (opts && opts->family)
        rc = hail_datagram_ready(ctx, d, opts->family);
    if (rc < 0) {
        hail_datagram_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

static int connect_to(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_endpoint *to,
                      const struct hail_opts *opts)
{
    struct hail_addr addr = {0}, from;
    int rc = first_address(ctx, to, opts, false, &addr);
    if (rc == 0)
        rc = hail_datagram_ready(ctx, d, addr.u.sa.sa_family);
    if (rc < 0)
        return rc;
    if (opts && opts->from) {
        rc = hail_endpoint_addr(opts->from, d->family, &from);
        if (rc == 0)
            rc = bind_at(d, &from);
        if (rc < 0)
            return hail_datagram_failed(ctx, d, "bind", rc == -EINVAL ? NULL : &from, rc);
    }
    if (connect(d->fd, &addr.u.sa, addr.len) < 0)
        return hail_datagram_failed(ctx, d, "connect to", &addr, -errno);
    d->peer = addr;
    d->connected = true;
    return 0;
}

int hail_datagram_connect(struct hail_ctx *ctx, const struct hail_endpoint *to,
                          const struct hail_opts *opts, struct hail_datagram **out)
{
    struct hail_datagram *d = new_datagram(ctx, opts);
    if (!d)
        return -ENOMEM;
    int rc = connect_to(ctx, d, to, opts);
    if (rc < 0) {
        hail_datagram_close(d);
        return rc;
    }
    *out = d;
    return 0;
}

int hail_datagram_accept(struct hail_ctx *ctx, struct hail_datagram *d)
{
    struct hail_addr from;
    if (d->fd < 0)
        return hail_datagram_failed(ctx, d, "receive at", NULL, -ENOTCONN);
    for (;;) {
        from.len = sizeof from.u;
        if (recvfrom(d->fd, NULL, 0, MSG_PEEK, &from.u.sa, &from.len) >= 0)
            break;
        int rc = errno == EINTR ? 0 : -errno;
        if (rc == -EAGAIN)
            rc = hail_wait(ctx, d->fd, POLLIN);
        if (rc < 0)
            return hail_datagram_failed(ctx, d, "receive at", NULL, rc);
    }
    if (from.len <= sizeof(sa_family_t))
        return 0;
    if (connect(d->fd, &from.u.sa, from.len) < 0)
        return hail_datagram_failed(ctx, d, "connect to", &from, -errno);
    d->peer = from;
    d->connected = true;
    return 1;
}

int hail_send_to(struct hail_ctx *ctx, struct hail_datagram *d, const struct hail_addr *to,
                 const void *buf, size_t size)
{
    if (!to && !d->connected)
        return hail_datagram_failed(ctx, d, "send to", NULL, -EDESTADDRREQ);
    int rc = hail_datagram_ready(ctx, d, to ? to->u.sa.sa_family : d->family);
    if (rc < 0)
        return rc;
    for (;;) {
        ssize_t n = sendto(d->fd, buf, size, MSG_NOSIGNAL, to ? &to->u.sa : NULL, to ? to->len : 0);
        if (n >= 0)
            break;
        int waited = errno == EINTR ? 0 : -errno;
        if (waited == -EAGAIN)
            waited = hail_wait(ctx, d->fd, POLLOUT);
        if (waited < 0)
            return hail_datagram_failed(ctx, d, "send to", to, waited);
    }
    if (hail_tracing(ctx))
        hail_datagram_trace(ctx, d, true, to, buf, size);
    return 0;
}

ssize_t hail_recv_from(struct hail_ctx *ctx, struct hail_datagram *d, void *buf, size_t size,
                       struct hail_addr *from)
{
    struct hail_addr a;
    if (d->fd < 0)
        return hail_datagram_failed(ctx, d, "receive at", NULL, -ENOTCONN);
    for (;;) {
        a.len = sizeof a.u;
        ssize_t n = recvfrom(d->fd, buf, size, MSG_TRUNC, &a.u.sa, &a.len);
        if (n >= 0) {
            if (from)
                *from = a;
            if (hail_tracing(ctx))
                hail_datagram_trace(ctx, d, false, &a, buf, (size_t)n < size ? (size_t)n : size);
            return n;
        }
        int rc = errno == EINTR ? 0 : -errno;
        if (rc == -EAGAIN)
            rc = hail_wait(ctx, d->fd, POLLIN);
        if (rc < 0)
            return hail_datagram_failed(ctx, d, d->connected ? "receive from" : "receive at", NULL,
                                        rc);
    }
}

struct hail_endpoint hail_datagram_local(const struct hail_datagram *d)
{
    struct hail_addr a = {.len = sizeof a.u};
    if (d->fd < 0 || getsockname(d->fd, &a.u.sa, &a.len) < 0)
        return (struct hail_endpoint){0};
    return hail_endpoint_of(&a);
}

struct hail_endpoint hail_datagram_peer(const struct hail_datagram *d)
{
    return d->connected ? hail_endpoint_of(&d->peer) : (struct hail_endpoint){0};
}

int hail_datagram_fd(const struct hail_datagram *d)
{
    return d->fd;
}

void hail_datagram_close(struct hail_datagram *d)
{
    if (!d)
        return;
    hail_unix_path_remove(&d->file);
    if (d->fd >= 0)
        close(d->fd);
    free(d);
}
