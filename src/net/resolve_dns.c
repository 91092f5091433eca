/* resolve_dns.c - asking name servers: c-ares for the questions, poll(2) for the waiting.
 *
 * c-ares chooses ids and servers, asks again, checks what comes back against what was asked and
 * goes over to TCP when an answer is truncated. The sockets are opened here (by its socket
 * functions), so that link-local servers have their zone, nothing raises SIGPIPE, and the trace can
 * say who was asked. The time is the caller's: its deadline and its cancellation come first.
 */
#define CARES_NO_DEPRECATED /* 1.18 is the oldest that is supported, its calls are used */
#include "net/resolve.h"

#include "base/error.h"

#include <ares.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define EDNS_SIZE 1232 /* octets of a UDP answer that no path fragments (DNS flag day 2020) */
#define GRACE_NS  INT64_C(1000000000)

static ares_socket_t open_socket(int family, int type, int protocol, void *arg)
{
    (void)arg;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    int one = 1;
    if (fd >= 0 && type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int close_socket(ares_socket_t fd, void *arg)
{
    (void)arg;
    return close(fd);
}

/* Connects to a server; c-ares 1.18 knows no zones, so the one of the configuration is put in. */
static int connect_socket(ares_socket_t fd, const struct sockaddr *sa, ares_socklen_t len,
                          void *arg)
{
    struct hail_asker *a = arg;
    struct hail_addr to = {0};
    if (len > (ares_socklen_t)sizeof to.u) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&to.u, sa, len);
    to.len = len;
    for (unsigned i = 0; sa->sa_family == AF_INET6 && i < a->conf.nservers; i++) {
        const struct sockaddr_in6 *in6 = &a->conf.servers[i].u.in6;
        if (in6->sin6_family == AF_INET6 && in6->sin6_port == to.u.in6.sin6_port &&
            IN6_ARE_ADDR_EQUAL(&in6->sin6_addr, &to.u.in6.sin6_addr)) {
            to.u.in6.sin6_scope_id = in6->sin6_scope_id;
            break;
        }
    }
    struct hail_endpoint ep = hail_endpoint_of(&to);
    hail_endpoint_format(&ep, a->last, sizeof a->last);
    if (!*a->server)
        memcpy(a->server, a->last, sizeof a->server);
    int type = 0;
    socklen_t size = sizeof type;
    if (hail_tracing(a->ctx) && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
        hail_trace_note(a->ctx, HAIL_LAYER_NAME, "resolve", "asks %s over %s", a->last,
                        type == SOCK_STREAM ? "TCP" : "UDP");
    return connect(fd, &to.u.sa, to.len);
}

/* Over UDP (there is a `from`) what is no response is dropped here, so that an empty or a reflected
 * datagram does not end a question; a refusal's code is kept for the message. */
static ares_ssize_t receive(ares_socket_t fd, void *buf, size_t size, int flags,
                            struct sockaddr *from, ares_socklen_t *len, void *arg)
{
    struct hail_asker *a = arg;
    struct hail_dns_msg m;
    for (;;) {
        ssize_t n = recvfrom(fd, buf, size, flags, from, len);
        if (n > 0)
            hail_dns_trace(a->ctx, fd, false, buf, (size_t)n);
        if (n < 0 || !from)
            return n;
        if (hail_dns_begin(&m, buf, (size_t)n) == 0) {
            a->rcode = m.rcode;
            return n;
        }
    }
}

static ares_ssize_t send_all(ares_socket_t fd, const struct iovec *iov, int n, void *arg)
{
    const struct hail_asker *a = arg;
    struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
    ssize_t left = sent;
    for (int i = 0; i < n && left > 0; left -= (ssize_t)iov[i++].iov_len)
        hail_dns_trace(a->ctx, fd, true, iov[i].iov_base,
                       left < (ssize_t)iov[i].iov_len ? (size_t)left : iov[i].iov_len);
    return sent;
}

static const struct ares_socket_functions socket_functions = {
    .asocket = open_socket,
    .aclose = close_socket,
    .aconnect = connect_socket,
    .arecvfrom = receive,
    .asendv = send_all,
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void start_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static int errno_of(int status)
{
    return status == ARES_ENOMEM ? ENOMEM : EIO;
}

/* The servers as c-ares reads them: "[::1]:53,127.0.0.1:53", in the order in which to ask. */
static int set_servers(struct hail_asker *a)
{
    char csv[HAIL_SERVERS_MAX * HAIL_ENDPOINT_MAX];
    size_t at = 0, n = a->conf.nservers;
    size_t first = a->conf.rotate ? (size_t)(hail_now() / 1000 + getpid()) % n : 0;
    for (size_t i = 0; i < n; i++) {
        struct hail_endpoint ep = hail_endpoint_of(&a->conf.servers[(first + i) % n]);
        ep.zone[0] = '\0';
        if (i)
            csv[at++] = ',';
        at += (size_t)hail_endpoint_format(&ep, csv + at, sizeof csv - at);
    }
    return ares_set_servers_ports_csv(a->channel, csv);
}

static int open_channel(struct hail_asker *a, bool edns)
{
    static char lookups[] = "b", nowhere[] = "/dev/null";
    struct ares_options o = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | (edns ? ARES_FLAG_EDNS : 0) |
                 (a->conf.tcp ? ARES_FLAG_USEVC : 0),
        .timeout = (int)a->conf.timeout_s * 1000,
        .tries = (int)a->conf.attempts,
        .ndots = (int)a->conf.ndots,
        .lookups = lookups,
        .ednspsz = EDNS_SIZE,
        .resolvconf_path = nowhere,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
               ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_NOROTATE | ARES_OPT_EDNSPSZ |
               ARES_OPT_RESOLVCONF;
    pthread_once(&library_once, start_library);
    int status = library_status;
    ares_channel channel = NULL;
    if (status == ARES_SUCCESS)
        status = ares_init_options(&channel, &o, mask);
    if (status == ARES_SUCCESS) {
        a->channel = channel;
        ares_set_socket_functions(channel, &socket_functions, a);
        status = set_servers(a);
    }
    if (status != ARES_SUCCESS)
        return hail_fail(a->ctx, HAIL_LAYER_LOCAL, errno_of(status), "resolve",
                         "start the resolver: %s", ares_strerror(status));
    return 0;
}

/* The one server that the caller names; its own name is looked up by the system's. */
static int use_server(struct hail_ctx *ctx, struct hail_asker *a, const char *text)
{
    struct hail_endpoint ep;
    struct hail_addrs addrs;
    int rc = hail_endpoint_parse(ctx, &ep, text, 53);
    if (rc < 0)
        return rc;
    if (ep.kind == HAIL_HOST_UNIX || ep.kind == HAIL_HOST_ABSTRACT)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "parse",
                         "endpoint '%s': a name server is asked over UDP or TCP", text);
    a->conf.by_default = false;
    a->conf.tcp = a->conf.tcp || ep.transport == HAIL_TCP;
    a->conf.nservers = 1;
    if (hail_endpoint_addr(&ep, AF_INET, &a->conf.servers[0]) == 0 && ep.kind != HAIL_HOST_ANY)
        return 0;
    rc = hail_resolve(ctx, &ep, NULL, &addrs);
    if (rc < 0)
        return rc;
    for (a->conf.nservers = 0; a->conf.nservers < HAIL_SERVERS_MAX && a->conf.nservers < addrs.n;
         a->conf.nservers++)
        a->conf.servers[a->conf.nservers] = addrs.v[a->conf.nservers].addr;
    hail_addrs_free(&addrs);
    return 0;
}

int hail_dns_open(struct hail_ctx *ctx, struct hail_asker *a, const struct hail_resolve_opts *opts,
                  bool edns)
{
    const char *path = opts ? opts->resolv_conf : NULL;
    a->ctx = ctx;
    a->path = path ? path : HAIL_RESOLV_PATH;
    a->channel = NULL;
    a->pending = a->rcode = 0;
    a->server[0] = a->last[0] = '\0';
    int rc = hail_resolv_conf_load(&a->conf, path);
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "resolve", "read %s: %s", a->path,
                         hail_errno_text(-rc));
    if (opts && opts->tcp)
        a->conf.tcp = true;
    if (opts && opts->server && (rc = use_server(ctx, a, opts->server)) < 0)
        return rc;
    rc = open_channel(a, edns);
    if (rc < 0)
        hail_dns_close(a, NULL, 0);
    return rc;
}

static void drop_answers(struct hail_question *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(q[i].answer);
        q[i].answer = NULL;
        q[i].len = 0;
    }
}

void hail_dns_close(struct hail_asker *a, struct hail_question *q, size_t n)
{
    if (a->channel)
        ares_destroy(a->channel);
    a->channel = NULL;
    drop_answers(q, n);
}

/* What a status of c-ares means when there is no answer to read. */
static int rc_of(int status)
{
    switch (status) {
    case ARES_ETIMEOUT:
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED: /* by us, when the time was over */
        return -ETIMEDOUT;
    case ARES_ENOMEM:
        return -ENOMEM;
    case ARES_EBADNAME:
        return -EINVAL;
    case ARES_EBADRESP:
        return -EBADMSG;
    default:
        return -EAGAIN;
    }
}

static bool has_addresses(const struct hail_question *q)
{
    struct hail_dns_addresses found;
    return (q->type == HAIL_DNS_A || q->type == HAIL_DNS_AAAA) &&
           hail_dns_addresses(q->answer, q->len, q->type, &found) == 0 && found.n > 0;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
    struct hail_question *q = arg;
    struct hail_dns_msg m;
    (void)timeouts;
    q->asker->pending--;
    q->rc = rc_of(status);
    q->rcode = q->asker->rcode;
    bool answered = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    if (!answered)
        return;
    if (len <= 0 || hail_dns_begin(&m, msg, (size_t)len) < 0) {
        q->rc = -EBADMSG;
        return;
    }
    q->rcode = m.rcode;
    q->answer = malloc((size_t)len);
    if (!q->answer) {
        q->rc = -ENOMEM;
        return;
    }
    memcpy(q->answer, msg, (size_t)len);
    q->len = (size_t)len;
    q->rc = 0;
    q->useful = has_addresses(q);
}

/* Waits once for the sockets of c-ares, its own timers, `by` and the cancellation, and lets c-ares
 * work. 0, -ETIMEDOUT, -ECANCELED or -errno. */
static int step(struct hail_asker *a, struct hail_deadline by)
{
    ares_socket_t socks[ARES_GETSOCK_MAXNUM];
    struct pollfd p[ARES_GETSOCK_MAXNUM + 1];
    unsigned bits = (unsigned)ares_getsock(a->channel, socks, ARES_GETSOCK_MAXNUM);
    nfds_t n = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        /* not by ares.h's macros: they shift a one into the sign */
        int events =
            (bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0);
        if (events)
            p[n++] = (struct pollfd){.fd = socks[i], .events = (short)events};
    }
    p[n] = (struct pollfd){.fd = a->ctx->cancel_fd, .events = POLLIN};
    struct timeval tv, *next = ares_timeout(a->channel, NULL, &tv);
    if (next)
        by = hail_deadline_min(
            by, hail_deadline_in(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000));
    int ready = poll(p, n + (a->ctx->cancel_fd >= 0), hail_deadline_ms(by));
    if (ready < 0 && errno != EINTR)
        return -errno;
    if (ready > 0 && p[n].fd >= 0 && p[n].revents)
        return -ECANCELED;
    bool any = false;
    for (nfds_t i = 0; ready > 0 && i < n; i++) {
        if (!p[i].revents)
            continue;
        bool broken = p[i].revents & (POLLERR | POLLHUP | POLLNVAL);
        bool in = p[i].revents & POLLIN || (broken && p[i].events & POLLIN);
        bool out = p[i].revents & POLLOUT || (broken && p[i].events & POLLOUT);
        ares_process_fd(a->channel, in ? p[i].fd : ARES_SOCKET_BAD,
                        out ? p[i].fd : ARES_SOCKET_BAD);
        any = true;
    }
    if (!any)
        ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return 0;
}

static bool has_passed(struct hail_deadline by)
{
    return by.ns && hail_now() >= by.ns;
}

static int wait_for_answers(struct hail_asker *a, struct hail_question *q, size_t n, bool race)
{
    int64_t began = hail_now();
    struct hail_deadline grace = {0};
    while (a->pending) {
        for (size_t i = 0; race && !grace.ns && i < n; i++) {
            if (!q[i].useful)
                continue;
            int64_t now = hail_now(), four = 4 * (now - began);
            grace.ns = now + (four > GRACE_NS ? four : GRACE_NS);
        }
        struct hail_deadline by = hail_deadline_min(a->ctx->by, grace);
        int rc = step(a, by);
        if (rc < 0)
            return rc;
        if (a->pending && has_passed(by))
            return -ETIMEDOUT;
    }
    return 0;
}

/* The outcome that tells most: an answer, else the error of the first question. */
static int outcome(const struct hail_question *q, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (q[i].rc == 0)
            return 0;
    return q[0].rc;
}

int hail_dns_ask(struct hail_asker *a, const char *name, struct hail_question *q, size_t n,
                 bool race)
{
    drop_answers(q, n);
    a->rcode = 0;
    a->pending = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        char scratch[16];
        q[i].asker = a;
        q[i].rc = -ETIMEDOUT;
        q[i].useful = false;
        hail_trace_note(a->ctx, HAIL_LAYER_NAME, "resolve", "question: %s %s", name,
                        hail_dns_type_name(q[i].type, scratch));
        ares_query(a->channel, name, 1, q[i].type, on_answer, &q[i]);
    }
    int rc = wait_for_answers(a, q, n, race);
    if (a->pending)
        ares_cancel(a->channel); /* each open question ends with ARES_ECANCELLED */
    return rc < 0 && rc != -ETIMEDOUT ? rc : outcome(q, n);
}
