/* listen.c - endpoints that wait for connections; include/hail/listen.h, net/bind.h.
 *
 *      endpoint --open_at()--> bound socket --hail_listener_start()--> listening --accept4(2)-->
 * stream
 *
 * The options of the socket (TCP_NODELAY, keep-alive, buffers) are set once here: what it accepts
 * has them from it.
 */
#include "net/bind.h"

#include "base/error.h"
#include "net/layer.h"
#include "net/sockopt.h"
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAST_OPEN_QUEUE  256 /* half-open connections with data, RFC 7413 section 5.1 */
#define LISTEN_FDS_FIRST 3   /* sd_listen_fds(3) */

struct hail_listener {
    int fd;
    struct hail_endpoint at;
    struct hail_unix_path file;
};

static const char *advice_for(int errnum, const struct hail_endpoint *at)
{
    bool path = at->kind == HAIL_HOST_UNIX;
    switch (errnum) {
    case EADDRINUSE:
        return path ? "something listens there, or the file is not a socket that was left behind"
                    : "another process has the port; `hail netstat -ltnp` names it";
    case EACCES:
        return path ? "the directory's permissions do not allow it"
                    : "ports under 1024 need root or the capability cap_net_bind_service";
    case EADDRNOTAVAIL:
        return "no interface of this machine has the address";
    case EMFILE:
        return "this process may open no more files (ulimit -n)";
    default:
        return NULL;
    }
}

static int listen_failed(struct hail_ctx *ctx, const struct hail_endpoint *at, int rc)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(at, text, sizeof text);
    bool local = rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
    hail_fail(ctx, local ? HAIL_LAYER_LOCAL : HAIL_LAYER_CONNECT, -rc, "listen", "listen on %s: %s",
              text, hail_errno_text(-rc));
    const char *advice = advice_for(-rc, at);
    if (advice)
        hail_advise(ctx, "%s", advice);
    return rc;
}

/* The address to listen at; `family` narrows. A name's first address counts. */
static int address_of(struct hail_ctx *ctx, const struct hail_endpoint *at, int family,
                      const struct hail_opts *opts, struct hail_addr *out)
{
    if (at->kind != HAIL_HOST_NAME) {
        int rc = hail_endpoint_addr(at, family, out);
        bool ip = rc == 0 && out->u.sa.sa_family != AF_UNIX;
        if (ip && family && out->u.sa.sa_family != family)
            rc = -EAFNOSUPPORT;
        return rc < 0 ? listen_failed(ctx, at, rc) : 0;
    }
    struct hail_resolve_opts how = opts->resolve ? *opts->resolve : (struct hail_resolve_opts){0};
    how.family = family ? family : how.family;
    struct hail_addrs addrs = {0};
    int rc = hail_resolve(ctx, at, &how, &addrs);
    if (rc == 0 && addrs.n)
        *out = addrs.v[0].addr;
    else if (rc == 0)
        rc = listen_failed(ctx, at, -EADDRNOTAVAIL);
    hail_addrs_free(&addrs);
    return rc;
}

static int set_options(int fd, int family, const struct hail_opts *opts)
{
    int rc = 0;
    if (family == AF_UNIX)
        return 0;
    rc = hail_sockopt_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && opts->reuseport)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6)
        rc = hail_sockopt_int(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                              opts->v6only || opts->family == AF_INET6);
    if (rc == 0 && opts->fast_open) /* where the kernel has it not, the plain handshake serves */
        hail_sockopt_int(fd, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE);
    return rc;
}

/* Opens and binds a socket at `addr`. On success l->fd and l->file are set. */
static int open_at(struct hail_listener *l, const struct hail_addr *addr,
                   const struct hail_opts *opts)
{
    int family = addr->u.sa.sa_family;
    int fd = hail_sockopt_open(addr, opts);
    if (fd < 0)
        return fd;
    int rc = set_options(fd, family, opts);
    if (rc == 0 && family == AF_UNIX && addr->u.un.sun_path[0])
        rc = hail_unix_path_bind(fd, addr, opts->unix_mode, &l->file);
    else if (rc == 0 && bind(fd, &addr->u.sa, addr->len) < 0)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    l->fd = fd;
    return 0;
}

/* Asks the kernel where the socket is. The IPv6 wildcard that takes IPv4 too is every address. */
static int ask_where(struct hail_listener *l)
{
    struct hail_addr a = {.len = sizeof a.u};
    int only = 1;
    socklen_t len = sizeof only;
    if (getsockname(l->fd, &a.u.sa, &a.len) < 0)
        return -errno;
    l->at = hail_endpoint_of(&a);
    if (a.u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a.u.in6.sin6_addr) &&
        getsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && !only)
        l->at = (struct hail_endpoint){
            .kind = HAIL_HOST_ANY, .has_port = true, .port = hail_addr_port(&a)};
    return 0;
}

static int bind_listener(struct hail_ctx *ctx, const struct hail_endpoint *at,
                         const struct hail_opts *opts, struct hail_listener *l)
{
    struct hail_addr addr = {.len = 0};
    if (at->transport == HAIL_UDP)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "listen",
                         "listen: datagrams are not listened for");
    int rc = address_of(ctx, at, opts->family, opts, &addr);
    if (rc < 0)
        return rc;
    rc = open_at(l, &addr, opts);
    bool no_ipv6 = rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL;
    if (no_ipv6 && at->kind == HAIL_HOST_ANY && !opts->family && !opts->v6only &&
        hail_endpoint_addr(at, AF_INET, &addr) == 0)
        rc = open_at(l, &addr, opts);
    if (rc == 0)
        rc = ask_where(l);
    return rc < 0 ? listen_failed(ctx, at, rc) : 0;
}

/* Bound; a path's directory is still locked. */
static int new_listener(struct hail_ctx *ctx, const struct hail_endpoint *at,
                        const struct hail_opts *opts, struct hail_listener **out)
{
    struct hail_listener *l = malloc(sizeof *l);
    if (!l)
        return listen_failed(ctx, at, -ENOMEM);
    *l = (struct hail_listener){.fd = -1, .file.dir = -1};
    int rc = bind_listener(ctx, at, opts, l);
    if (rc < 0) {
        hail_listener_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

static const struct hail_opts plain;

int hail_listener_bind(struct hail_ctx *ctx, const struct hail_endpoint *at,
                       const struct hail_opts *opts, struct hail_listener **out)
{
    int rc = new_listener(ctx, at, opts ? opts : &plain, out);
    if (rc == 0)
        hail_unix_path_unlock(&(*out)->file);
    return rc;
}

int hail_listener_start(struct hail_ctx *ctx, struct hail_listener *l, int backlog)
{
    int rc = listen(l->fd, backlog > 0 ? backlog : SOMAXCONN);
    if (rc < 0)
        rc = listen_failed(ctx, &l->at, -errno);
    hail_unix_path_unlock(&l->file);
    return rc;
}

int hail_listen(struct hail_ctx *ctx, const struct hail_endpoint *at, const struct hail_opts *opts,
                struct hail_listener **out)
{
    struct hail_listener *l;
    int rc = new_listener(ctx, at, opts ? opts : &plain, &l);
    if (rc < 0)
        return rc;
    rc = hail_listener_start(ctx, l, opts ? opts->backlog : 0);
    if (rc < 0) {
        hail_listener_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

/* --- socket activation --- */

/* A variable that is a decimal number; -1 otherwise. */
static long number_in(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long v = strtol(text, &end, 10);
    return *end || errno ? -1 : v;
}

int hail_listen_inherited(void)
{
    long n = number_in("LISTEN_FDS");
    return n > 0 && n < 4096 && number_in("LISTEN_PID") == (long)getpid() ? (int)n : 0;
}

int hail_listen_of_inherited(struct hail_ctx *ctx, int i, struct hail_listener **out)
{
    int fd = LISTEN_FDS_FIRST + i, type = 0, listening = 0;
    socklen_t len = sizeof type;
    if (i < 0 || i >= hail_listen_inherited())
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "listen", "inherited socket %d: not there",
                         i);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "listen", "inherited descriptor %d: %s", fd,
                         hail_errno_text(errno));
    if (type != SOCK_STREAM || !listening)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "listen",
                         "inherited descriptor %d: not a listening stream socket", fd);
    struct hail_listener *l = malloc(sizeof *l);
    if (!l)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "listen", "inherited descriptor %d: %s", fd,
                         hail_errno_text(ENOMEM));
    *l = (struct hail_listener){.fd = fd, .file.dir = -1};
    int rc = ask_where(l), flags = fcntl(fd, F_GETFL);
    if (rc == 0 && (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
                    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0))
        rc = -errno;
    if (rc == 0)
        rc = hail_sockopt_apply(fd, l->at.has_port ? AF_INET : AF_UNIX, &plain);
    if (rc < 0) {
        free(l);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "listen", "inherited descriptor %d: %s", fd,
                         hail_errno_text(-rc));
    }
    *out = l;
    return 0;
}

/* --- accepting --- */

/* What befell a connection that was gone before it was accepted is no failure of the listener:
 * accept(2), "Error handling". */
static bool is_transient(int errnum)
{
    static const int transient[] = {EINTR,     ECONNABORTED, EPROTO,       ENETDOWN,   ENOPROTOOPT,
                                    EHOSTDOWN, ENONET,       EHOSTUNREACH, ENETUNREACH};
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
        if (transient[i] == errnum)
            return true;
    return false;
}

static int accept_failed(struct hail_ctx *ctx, const struct hail_listener *l, int rc)
{
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&l->at, text, sizeof text);
    bool local = rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -ENOBUFS;
    hail_fail(ctx, local ? HAIL_LAYER_LOCAL : HAIL_LAYER_CONNECT, -rc, "accept", "accept at %s: %s",
              text, hail_errno_text(-rc));
    if (rc == -EMFILE)
        hail_advise(ctx, "%s", advice_for(EMFILE, &l->at));
    return rc;
}

int hail_try_accept(struct hail_ctx *ctx, struct hail_listener *l, struct hail_stream **out)
{
    struct hail_addr peer;
    int fd;
    do {
        peer.len = sizeof peer.u;
        fd = accept4(l->fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_transient(errno));
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return -EAGAIN;
    if (fd < 0)
        return accept_failed(ctx, l, -errno);
    int rc = hail_stream_of_socket(ctx, fd, &peer, NULL, 0, out);
    if (rc < 0)
        close(fd);
    return rc;
}

int hail_accept(struct hail_ctx *ctx, struct hail_listener *l, struct hail_stream **out)
{
    for (;;) {
        int rc = hail_try_accept(ctx, l, out);
        if (rc != -EAGAIN)
            return rc;
        rc = hail_wait(ctx, l->fd, POLLIN);
        if (rc < 0)
            return accept_failed(ctx, l, rc);
    }
}

struct hail_endpoint hail_listener_at(const struct hail_listener *l)
{
    return l->at;
}

int hail_listener_fd(const struct hail_listener *l)
{
    return l->fd;
}

void hail_listener_close(struct hail_listener *l)
{
    if (!l)
        return;
    hail_unix_path_remove(&l->file);
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}
