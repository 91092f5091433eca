/* sockets.c - asking the kernel for its sockets over netlink; include/hail/sockets.h. */
#include "base/error.h"
#include "diag/inet_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <unistd.h>

#define DUMP_BYTES (64 << 10) /* the kernel fills at most 32 KiB of one datagram */

/* Passes on what fits the ports, which only a program in the kernel could filter. */
struct wanted {
    const struct hail_socket_filter *filter;
    hail_socket_info_fn *each;
    void *arg;
};

static int pass(void *arg, const struct hail_socket_info *info)
{
    const struct wanted *w = arg;
    const struct hail_socket_filter *f = w->filter;
    if ((f->local_port && hail_addr_port(&info->local) != f->local_port) ||
        (f->peer_port && hail_addr_port(&info->peer) != f->peer_port))
        return 0;
    return w->each(w->arg, info);
}

static int ask(int fd, int family, const struct hail_socket_filter *f)
{
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } q = {
        .h = {.nlmsg_len = sizeof q,
              .nlmsg_type = SOCK_DIAG_BY_FAMILY,
              .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .r = {.sdiag_family = (uint8_t)family,
              .sdiag_protocol = (uint8_t)f->protocol,
              .idiag_states = f->states ? f->states : 0xFFFFFFFFu},
    };
    return send(fd, &q, sizeof q, 0) < 0 ? -errno : 0;
}

/* One dump; 0, what `each` stopped with (in *stopped), or -errno. */
static int dump(struct hail_ctx *ctx, int fd, int family, struct wanted *w, int *stopped)
{
    _Alignas(struct nlmsghdr) char buf[DUMP_BYTES];
    int rc = ask(fd, family, w->filter);
    while (rc == 0) {
        ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            int ready = hail_wait(ctx, fd, POLLIN);
            rc = ready < 0 ? ready : 0;
        } else if (n < 0) {
            rc = errno == EINTR ? 0 : -errno;
        } else {
            rc = hail_inet_diag_read(buf, (size_t)n, w->filter->protocol, pass, w, stopped);
        }
    }
    return rc < 0 ? rc : 0;
}

static int each_family(struct hail_ctx *ctx, struct wanted *w, int *stopped)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2 && !*stopped; i++) {
        if (w->filter->family && w->filter->family != families[i])
            continue;
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (fd < 0)
            return -errno;
        int rc = dump(ctx, fd, families[i], w, stopped);
        close(fd);
        if (rc < 0 && rc != -EINTR) /* interrupted: the table changed, what was told is true */
            return rc;
    }
    return 0;
}

int hail_sockets_each(struct hail_ctx *ctx, const struct hail_socket_filter *filter,
                      hail_socket_info_fn *each, void *arg)
{
    struct wanted w = {filter, each, arg};
    int stopped = 0;
    int rc = each_family(ctx, &w, &stopped);
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "list",
                         "list the sockets of the kernel (sock_diag): %s", hail_errno_text(-rc));
    return stopped;
}

const char *hail_socket_state_name(enum hail_socket_state state)
{
    static const char *const names[] = {"UNKNOWN",    "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                        "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                        "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : names[0];
}
