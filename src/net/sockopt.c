/* sockopt.c - the options of stream sockets; net/sockopt.h. */
#include "net/sockopt.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

int hail_sockopt_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int hail_sockopt_apply(int fd, int family, const struct hail_opts *opts)
{
    int rc = 0;
    if (opts->rcvbuf)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_RCVBUF, opts->rcvbuf);
    if (rc == 0 && opts->sndbuf)
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_SNDBUF, opts->sndbuf);
    if (family == AF_UNIX)
        return rc;
    if (rc == 0 && !opts->nagle)
        rc = hail_sockopt_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0 && opts->keepalive_s > 0) {
        rc = hail_sockopt_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        if (rc == 0)
            rc = hail_sockopt_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, opts->keepalive_s);
    }
    return rc;
}

int hail_sockopt_open(const struct hail_addr *at, const struct hail_opts *opts)
{
    int family = at->u.sa.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = hail_sockopt_apply(fd, family, opts);
    if (rc == 0 && opts->prepare)
        rc = opts->prepare(opts->arg, fd, at);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}
