/* socket.c - the plain socket abstraction; include/hail/socket.h.
 *
 * A hail_socket is a listener, a stream or a datagram socket, once bind, connect or the kind says
 * which; until then it is only what it shall become. It carries the context that the library's own
 * calls are given: the time-out of each call makes its deadline.
 */
#include <hail/datagram.h>
#include <hail/socket.h>

#include "base/error.h"
#include "net/bind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hail_socket {
    int family, type;
    double timeout; /* seconds; negative: none */
    struct hail_ctx ctx;
    struct hail_listener *listener; /* bound, and listening when `listening` */
    bool listening;
    struct hail_stream *stream;
    struct hail_datagram *datagram;
    bool connected; /* the datagram socket has a peer */
};

/* Every call begins here: its deadline, and no error yet. */
static struct hail_ctx *begin(struct hail_socket *s)
{
    s->ctx.by = s->timeout < 0 || s->timeout > 1e9 ? (struct hail_deadline){0}
                                                   : hail_deadline_in((int64_t)(s->timeout * 1e3));
    s->ctx.err = (struct hail_error){0};
    return &s->ctx;
}

/* ... and ends here: a socket that never waits says EAGAIN where others time out. */
static ssize_t end(const struct hail_socket *s, ssize_t rc)
{
    return rc == -ETIMEDOUT && s->timeout == 0 ? -EAGAIN : rc;
}

static int misused(struct hail_socket *s, int errnum, const char *op)
{
    return hail_fail(&s->ctx, HAIL_LAYER_USAGE, errnum, op, "%s: %s", op, hail_errno_text(errnum));
}

static struct hail_socket *new_socket(int family, int type)
{
    struct hail_socket *s = malloc(sizeof *s);
    if (s)
        *s = (struct hail_socket){
            .family = family, .type = type, .timeout = -1, .ctx = HAIL_CTX_INIT};
    return s;
}

/* The options of every socket that this one may become. */
static struct hail_opts options(const struct hail_socket *s)
{
    return (struct hail_opts){.family = s->family == AF_UNIX ? AF_UNSPEC : s->family};
}

struct hail_socket *hail_socket(int family, int type)
{
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if (type != SOCK_STREAM && type != SOCK_DGRAM) {
        errno = EPROTONOSUPPORT;
        return NULL;
    }
    struct hail_socket *s = new_socket(family, type);
    if (!s || type == SOCK_STREAM)
        return s;
    struct hail_opts opts = {.family = family};
    int rc = hail_datagram_open(&s->ctx, NULL, &opts, &s->datagram);
    if (rc == 0)
        return s;
    free(s);
    errno = -rc;
    return NULL;
}

/* The endpoint that a (host, port) means to a socket of this family. */
static int endpoint_of(struct hail_socket *s, const char *host, uint16_t port,
                       struct hail_endpoint *out)
{
    char number[8];
    struct hail_endpoint ep = {.kind = HAIL_HOST_ANY, .has_port = true, .port = port};
    if (s->family == AF_UNIX) {
        bool abstract = host && host[0] == '@';
        ep = (struct hail_endpoint){.kind = abstract ? HAIL_HOST_ABSTRACT : HAIL_HOST_UNIX};
        size_t n = host ? strlen(host + abstract) : 0;
        if (n == 0 || n >= sizeof ep.host)
            return hail_fail(&s->ctx, HAIL_LAYER_USAGE, n ? ENAMETOOLONG : EINVAL, "parse",
                             "a Unix socket's path is missing or too long");
        memcpy(ep.host, host + abstract, n);
    } else if (host && *host) {
        snprintf(number, sizeof number, "%u", port);
        int rc = hail_endpoint_parse2(&s->ctx, &ep, host, number, 0);
        if (rc < 0)
            return rc;
    }
    *out = ep;
    return 0;
}

int hail_socket_bind(struct hail_socket *s, const char *host, uint16_t port)
{
    struct hail_ctx *ctx = begin(s);
    struct hail_endpoint at = {.kind = HAIL_HOST_ANY};
    struct hail_opts opts = options(s);
    if (s->listener || s->stream)
        return misused(s, EINVAL, "bind");
    int rc = endpoint_of(s, host, port, &at);
    if (rc < 0)
        return rc;
    if (s->type == SOCK_STREAM) {
        if (at.kind == HAIL_HOST_ANY && s->family == AF_INET6)
            opts.family = AF_UNSPEC; /* as in Python, the IPv6 wildcard takes IPv4 as well */
        return hail_listener_bind(ctx, &at, &opts, &s->listener);
    }
    struct hail_datagram *bound;
    rc = hail_datagram_open(ctx, &at, &opts, &bound);
    if (rc < 0)
        return rc;
    hail_datagram_close(s->datagram);
    s->datagram = bound;
    return 0;
}

int hail_socket_listen(struct hail_socket *s, int backlog)
{
    begin(s);
    if (s->type != SOCK_STREAM || s->stream)
        return misused(s, EOPNOTSUPP, "listen");
    int rc = s->listener ? 0 : hail_socket_bind(s, NULL, 0);
    if (rc == 0)
        rc = hail_listener_start(&s->ctx, s->listener, backlog);
    s->listening = s->listening || rc == 0;
    return rc;
}

struct hail_socket *hail_socket_accept(struct hail_socket *s)
{
    struct hail_ctx *ctx = begin(s);
    struct hail_socket *peer = NULL;
    int rc = s->listening ? 0 : misused(s, EINVAL, "accept");
    if (rc == 0) {
        peer = new_socket(s->family, s->type);
        rc = peer ? hail_accept(ctx, s->listener, &peer->stream)
                  : hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "accept", "accept: out of memory");
    }
    if (rc == 0)
        return peer;
    free(peer);
    errno = (int)-end(s, rc);
    return NULL;
}

static int connect_stream(struct hail_socket *s, const struct hail_endpoint *to)
{
    struct hail_opts opts = options(s);
    struct hail_endpoint from = {.kind = HAIL_HOST_ANY};
    if (s->stream || s->listening)
        return misused(s, EISCONN, "connect");
    if (s->listener) {
        from = hail_listener_at(s->listener);
        opts.from = &from;
        hail_listener_close(s->listener); /* its address is taken by the connection */
        s->listener = NULL;
    }
    return hail_dial(&s->ctx, to, &opts, &s->stream);
}

static int connect_datagram(struct hail_socket *s, const struct hail_endpoint *to)
{
    struct hail_opts opts = options(s);
    struct hail_endpoint from = hail_socket_getsockname(s);
    struct hail_datagram *connected;
    bool bound = from.has_port && from.port;
    if (bound) {
        opts.from = &from;
        hail_datagram_close(s->datagram);
        s->datagram = NULL;
    }
    int rc = hail_datagram_connect(&s->ctx, to, &opts, &connected);
    if (rc < 0)
        return rc;
    hail_datagram_close(s->datagram);
    s->datagram = connected;
    s->connected = true;
    return 0;
}

int hail_socket_connect(struct hail_socket *s, const char *host, uint16_t port)
{
    struct hail_endpoint to = {.kind = HAIL_HOST_ANY};
    begin(s);
    int rc = endpoint_of(s, host, port, &to);
    if (rc < 0)
        return rc;
    return s->type == SOCK_STREAM ? connect_stream(s, &to) : connect_datagram(s, &to);
}

ssize_t hail_socket_send(struct hail_socket *s, const void *buf, size_t size)
{
    struct hail_ctx *ctx = begin(s);
    if (s->datagram && s->connected) {
        int rc = hail_send_to(ctx, s->datagram, NULL, buf, size);
        return rc < 0 ? end(s, rc) : (ssize_t)size;
    }
    if (!s->stream)
        return misused(s, ENOTCONN, "send");
    const struct iovec iov = {(void *)buf, size};
    ssize_t n;
    while ((n = hail_try_writev(ctx, s->stream, &iov, 1)) == -EAGAIN) {
        int rc = hail_wait(ctx, hail_stream_fd(s->stream), hail_stream_wants(s->stream));
        if (rc < 0) {
            hail_fail(ctx, HAIL_LAYER_STREAM, -rc, "send", "send: %s", hail_errno_text(-rc));
            return end(s, rc);
        }
    }
    return n;
}

int hail_socket_sendall(struct hail_socket *s, const void *buf, size_t size)
{
    if (!s->stream)
        return hail_socket_send(s, buf, size) < 0 ? -s->ctx.err.errnum : 0;
    return (int)end(s, hail_write(begin(s), s->stream, buf, size, NULL));
}

ssize_t hail_socket_recv(struct hail_socket *s, void *buf, size_t size)
{
    return hail_socket_recvfrom(s, buf, size, NULL, 0, NULL);
}

ssize_t hail_socket_sendto(struct hail_socket *s, const void *buf, size_t size, const char *host,
                           uint16_t port)
{
    struct hail_ctx *ctx = begin(s);
    struct hail_endpoint to = {.kind = HAIL_HOST_ANY};
    struct hail_addr addr;
    if (!s->datagram)
        return misused(s, s->stream ? EISCONN : ENOTCONN, "sendto");
    int rc = endpoint_of(s, host, port, &to);
    if (rc < 0)
        return rc;
    if (to.kind == HAIL_HOST_NAME || to.kind == HAIL_HOST_ANY) {
        struct hail_resolve_opts opts = {.family = s->family};
        struct hail_addrs addrs = {0};
        rc = hail_resolve(ctx, &to, &opts, &addrs);
        if (rc == 0 && addrs.n == 0)
            rc = misused(s, EAFNOSUPPORT, "sendto");
        if (rc == 0)
            addr = addrs.v[0].addr;
        hail_addrs_free(&addrs);
    } else {
        rc = hail_endpoint_addr(&to, s->family, &addr);
        if (rc < 0)
            misused(s, -rc, "sendto");
    }
    if (rc == 0)
        rc = hail_send_to(ctx, s->datagram, &addr, buf, size);
    return rc < 0 ? end(s, rc) : (ssize_t)size;
}

/* An endpoint's host as hail_socket_connect() takes it. */
static void host_of(const struct hail_endpoint *ep, char *host, size_t size)
{
    snprintf(host, size, "%s%s%s%s", ep->kind == HAIL_HOST_ABSTRACT ? "@" : "", ep->host,
             ep->zone[0] ? "%" : "", ep->zone);
}

ssize_t hail_socket_recvfrom(struct hail_socket *s, void *buf, size_t size, char *host,
                             size_t host_size, uint16_t *port)
{
    struct hail_ctx *ctx = begin(s);
    struct hail_addr from = {0};
    if (!s->datagram && !s->stream)
        return misused(s, ENOTCONN, "recv");
    ssize_t n = s->datagram ? hail_recv_from(ctx, s->datagram, buf, size, &from)
                            : hail_read(ctx, s->stream, buf, size);
    if (n < 0)
        return end(s, n);
    if (host || port) {
        struct hail_endpoint peer = s->stream ? hail_peer(s->stream) : hail_endpoint_of(&from);
        if (host)
            host_of(&peer, host, host_size);
        if (port)
            *port = peer.port;
    }
    return (size_t)n > size ? (ssize_t)size : n; /* the rest of a datagram is lost, recv(2) */
}

int hail_socket_shutdown(struct hail_socket *s)
{
    struct hail_ctx *ctx = begin(s);
    return s->stream ? (int)end(s, hail_shutdown(ctx, s->stream))
                     : misused(s, ENOTCONN, "shutdown");
}

void hail_socket_close(struct hail_socket *s)
{
    if (!s)
        return;
    hail_close(s->stream);
    hail_listener_close(s->listener);
    hail_datagram_close(s->datagram);
    free(s);
}

struct hail_endpoint hail_socket_getsockname(const struct hail_socket *s)
{
    if (s->stream)
        return hail_local(s->stream);
    if (s->datagram)
        return hail_datagram_local(s->datagram);
    return s->listener ? hail_listener_at(s->listener) : (struct hail_endpoint){0};
}

struct hail_endpoint hail_socket_getpeername(const struct hail_socket *s)
{
    if (s->stream)
        return hail_peer(s->stream);
    return s->datagram ? hail_datagram_peer(s->datagram) : (struct hail_endpoint){0};
}

void hail_socket_settimeout(struct hail_socket *s, double seconds)
{
    s->timeout = seconds;
}

int hail_socket_fileno(const struct hail_socket *s)
{
    if (s->stream)
        return hail_stream_fd(s->stream);
    if (s->datagram)
        return hail_datagram_fd(s->datagram);
    return s->listener ? hail_listener_fd(s->listener) : -1;
}

const char *hail_socket_error(const struct hail_socket *s)
{
    return s->ctx.err.msg;
}
