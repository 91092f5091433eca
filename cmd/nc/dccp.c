/* dccp.c - -Z: DCCP, RFC 4340, where the kernel has it (Linux before 6.16); nc.h.
 *
 * Without it netcat's client ends without a word, its listener with the kernel's. A packet is one
 * write; reading and writing are otherwise a stream's.
 */
#include "nc/nc.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(struct nc *nc, const struct hail_addr *at, int *fd)
{
    *fd = socket(at->u.sa.sa_family, SOCK_DCCP | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_DCCP);
    return *fd < 0 ? -errno : nc_socket_options(nc, *fd, at);
}

/* Waits for connect(2) or accept(2), up to -w. 0 or -errno. */
static int wait_for(struct nc *nc, int fd, int events, bool limited)
{
    struct hail_ctx ctx = nc->c->ctx;
    if (limited && nc->o.timeout_s >= 0)
        ctx.by = hail_deadline_in(nc->o.timeout_s ? nc->o.timeout_s * 1000LL : 1);
    int rc = hail_wait(&ctx, fd, events);
    return rc < 0 ? rc : 0;
}

static int connect_to(struct nc *nc, int fd, const struct hail_addr *to)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (connect(fd, &to->u.sa, to->len) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int rc = wait_for(nc, fd, POLLOUT, true);
    if (rc == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
        rc = -error;
    return rc;
}

/* Takes the descriptor. */
static int converse(struct nc *nc, int fd)
{
    struct hail_stream *s;
    if (hail_stream_of_fd(&nc->c->ctx, fd, &s) < 0) {
        close(fd);
        return fail(nc->c);
    }
    int status = nc_converse(nc, &s);
    hail_close(s);
    return status;
}

/* 0 and more: the status of the conversation; negative: not connected. */
static int one_address(struct nc *nc, const struct hail_addr *to, uint16_t port)
{
    int fd, rc = open_socket(nc, to, &fd);
    if (rc < 0)
        return -1;
    if (rc == 0)
        rc = connect_to(nc, fd, to);
    if (rc < 0 && nc->o.verbose)
        nc_fail("connect to %s port %u (dccp) failed: %s", nc->o.host, port, strerror(-rc));
    if (rc) {
        close(fd);
        return -1;
    }
    if (nc->o.verbose)
        fprintf(stderr, "Connection to %s %u port [dccp/%s] succeeded!\n", nc->o.host, port,
                nc_service(nc, port));
    return converse(nc, fd);
}

static int one_port(struct nc *nc, uint16_t port)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    char number[8];
    int rc = -1;
    snprintf(number, sizeof number, "%u", port);
    int n = nc_resolve(nc, nc->o.host, number, true, addrs, NC_ADDRS_MAX);
    for (int i = 0; i < n && rc < 0; i++)
        rc = one_address(nc, &addrs[i], port);
    return rc < 0 ? NC_FAILED : rc;
}

static int client(struct nc *nc)
{
    size_t n;
    int status = NC_FAILED;
    uint16_t *ports = nc_ports(&nc->o, &n);
    for (size_t i = 0; ports && i < n; i++) {
        int rc = one_port(nc, ports[i]);
        status = rc == NC_FAILED ? status : rc;
    }
    free(ports);
    return status;
}

/* A socket that listens at the first address that lets us; or -errno. */
static int open_listener(struct nc *nc)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    int on = 1, fd = -1, rc = -EINVAL;
    int n = nc_resolve(nc, nc->o.host, nc->o.port, false, addrs, NC_ADDRS_MAX);
    for (int i = 0; i < n; i++) {
        rc = open_socket(nc, &addrs[i], &fd);
        if (rc == 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
                        bind(fd, &addrs[i].u.sa, addrs[i].len) < 0 || listen(fd, 1) < 0))
            rc = -errno;
        if (rc == 0)
            return fd;
        if (fd >= 0)
            close(fd);
    }
    return rc < 0 ? rc : -ECANCELED;
}

static int server(struct nc *nc)
{
    int status = 0, fd = open_listener(nc);
    if (fd == -ECANCELED)
        return NC_FAILED; /* it was told */
    if (fd < 0)
        return nc_fail("%s", strerror(-fd));
    do {
        int rc = wait_for(nc, fd, POLLIN, false);
        int peer = rc < 0 ? -1 : accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        status = peer < 0 ? nc_fail("%s", strerror(rc < 0 ? -rc : errno)) : converse(nc, peer);
    } while (nc->o.keep && status == 0);
    close(fd);
    return status;
}

int nc_dccp(struct nc *nc)
{
    return nc->o.listen ? server(nc) : client(nc);
}
