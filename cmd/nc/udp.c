/* udp.c - -u: what the letters ask of a session of datagrams, and the listener; udp.h, nc.h.
 *
 * A listener takes the first who speaks for its peer; with -k it hears everybody, and answers go to
 * the one that spoke last. Nothing is sent that was not on standard input.
 */
#include "nc/udp.h"
#include "nc/session.h"

#include <hail/telnet.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RCVBUF (4 << 20) /* so that a burst is not lost; without privilege the system bounds it */

struct talk {
    struct nc *nc;
    struct hail_datagram *d;
    struct nc_watcher *watcher; /* --hexdump, --progress */
    struct hail_telnet telnet;  /* -t */
    const struct hail_addr *from;
    struct udp_way *way; /* a client's other addresses, or NULL */
};

bool udp_is_refusal(int rc, bool local)
{
    switch (rc) {
    case -ECONNREFUSED:
        return true;
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -EHOSTDOWN:
    case -ENOPROTOOPT:
    case -EPROTO:
        return !local;
    case -ENOENT:
    case -ENOTCONN:
    case -ECONNRESET:
    case -EPIPE:
        return local;
    default:
        return false;
    }
}

/* --- the session --- */

static void on_refused(void *arg, int errnum)
{
    const struct talk *t = arg;
    struct hail_endpoint peer = hail_datagram_peer(t->d);
    if (t->nc->o.family == AF_UNIX)
        nc_fail("%s: %s", t->nc->o.host, strerror(errnum));
    else
        nc_fail("%s port %u (udp): %s", peer.host, peer.port, strerror(errnum));
}

/* The next address of the host, when there is one. */
static struct hail_datagram *on_elsewhere(void *arg, int errnum)
{
    struct talk *t = arg;
    struct hail_endpoint peer = hail_datagram_peer(t->d);
    struct hail_datagram *other = NULL;
    if (t->way->next == t->way->n)
        return NULL;
    if (t->nc->o.verbose)
        nc_fail("connect to %s port %u (udp) failed: %s", peer.host, peer.port, strerror(errnum));
    if (nc_udp_connect(t->nc, t->way, &other))
        return NULL;
    hail_datagram_close(t->d);
    t->d = other;
    return other;
}

static void on_seen(void *arg, int flow, const struct hail_addr *from, const char *data, size_t n)
{
    struct talk *t = arg;
    if (t->watcher)
        nc_watch(t->watcher, flow, data, n);
    t->from = from;
    if (t->nc->o.telnet && flow == 1)
        (void)hail_telnet_receive(&t->telnet, data, n);
}

/* An answer of -t is a datagram of its own; what refuses it is told by the session. */
static int answer(void *arg, const void *p, size_t n, bool urgent)
{
    const struct talk *t = arg;
    struct hail_ctx scratch = HAIL_CTX_INIT;
    (void)urgent;
    (void)hail_send_to(&scratch, t->d, t->nc->o.keep ? t->from : NULL, p, n);
    return 0;
}

static void nothing(void *arg, const struct hail_telnet_event *e)
{
    (void)arg;
    (void)e;
}

/* Whether standard input can be read; main() has put something in its place if it was closed. */
static bool can_read(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

static int64_t idle_ms(const struct nc_options *o)
{
    if (o->timeout_s >= 0 && !o->keep)
        return o->timeout_s ? o->timeout_s * INT64_C(1000) : 1;
    return o->idle_ms > 0 ? o->idle_ms : -1;
}

static int status_of_session(struct nc *nc, int rc)
{
    if (rc >= 0)
        return rc ? NC_FAILED : 0;
    int status = fail(nc->c);
    bool network = status != STATUS_TIMEOUT && nc->c->ctx.err.layer != HAIL_LAYER_LOCAL;
    return network && rc != -ECANCELED ? NC_FAILED : status;
}

int nc_udp_talk(struct nc *nc, struct udp_way *way, struct hail_datagram **d)
{
    const struct nc_options *o = &nc->o;
    struct talk t = {.nc = nc, .d = *d, .way = way};
    struct hail_telnet_config config = {.arg = &t, .event = nothing, .send = answer};
    if (nc_watcher_new(nc, NULL, &t.watcher) < 0)
        return STATUS_LOCAL;
    if (o->telnet)
        hail_telnet_init(&t.telnet, &config);
    const struct udp_session_opts opts = {
        .in = o->detached || !can_read(STDIN_FILENO) ? -1 : STDIN_FILENO,
        .out = STDOUT_FILENO,
        .idle_ms = idle_ms(o),
        .quit_ms = o->quit_s < 0 ? -1 : o->quit_s * INT64_C(1000),
        .interval_ms = o->interval_s * INT64_C(1000),
        .limit = (uint64_t)o->recv_limit,
        .crlf = o->crlf,
        .many = o->keep,
        .hang_up = !o->keep && (o->listen || o->family == AF_UNIX),
        .refused = on_refused,
        .elsewhere = way && way->n > 1 ? on_elsewhere : NULL,
        .seen = t.watcher || o->telnet ? on_seen : NULL,
        .arg = &t,
    };
    int status = status_of_session(nc, udp_session(&nc->c->ctx, t.d, &opts));
    *d = t.d;
    nc_watcher_free(t.watcher);
    return status;
}

/* --- sockets --- */

/* -m: the kernel looks at IP_MINTTL for TCP only, so that a filter drops what came from too far. */
static int refuse_far(int fd, bool v6, int minttl)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_NET_OFF + (v6 ? 7 : 8))),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)minttl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* What the letters set. -M holds for groups, too. */
static int on_prepare(void *arg, int fd, const struct hail_addr *at)
{
    struct nc *nc = arg;
    int family = at->u.sa.sa_family;
    bool v6 = family == AF_INET6;
    int on = 1, ttl = nc->o.ttl;
    int room = RCVBUF;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (nc_socket_options(nc, fd, at))
        return -ECANCELED;
    if (family == AF_UNIX)
        return 0;
    if (nc->o.minttl > 0 && refuse_far(fd, v6, nc->o.minttl) < 0)
        return -errno;
    if (nc->o.broadcast && setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0)
        return -errno;
    if (ttl >= 0 && setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                               v6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL, &ttl, sizeof ttl) < 0)
        return -errno;
    return 0;
}

struct hail_opts nc_udp_opts(struct nc *nc, int family)
{
    return (struct hail_opts){.family = family, .v6only = true, .prepare = on_prepare, .arg = nc};
}

/* --- the listener --- */

static int open_listener(struct nc *nc, struct hail_datagram **out)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    const struct hail_opts opts = nc_udp_opts(nc, AF_UNSPEC);
    struct hail_endpoint at;
    int n = 1, rc = -EINVAL;
    bool local = nc->o.family == AF_UNIX;
    if (local) {
        if (nc_unix_endpoint(nc->o.host, &at))
            return NC_FAILED;
        rc = hail_datagram_open(&nc->c->ctx, &at, &opts, out);
    } else {
        n = nc_resolve(nc, nc->o.host, nc->o.port, false, addrs, NC_ADDRS_MAX);
        if (n < 0)
            return NC_FAILED;
    }
    for (int i = 0; i < n && rc < 0 && !local; i++) {
        at = hail_endpoint_of(&addrs[i]);
        rc = hail_datagram_open(&nc->c->ctx, &at, &opts, out);
    }
    if (rc == -ECANCELED)
        return NC_FAILED; /* an option: it was told */
    return rc < 0 ? nc_fail("%s", strerror(-rc)) : 0;
}

static void tell(struct nc *nc, const char *what, struct hail_endpoint end)
{
    char host[NC_NAME_BYTES];
    struct hail_addr addr;
    if (!nc->o.verbose)
        return;
    if (nc->o.family == AF_UNIX) {
        fprintf(stderr, "%s on %s\n", what, nc->o.host);
    } else if (hail_endpoint_addr(&end, nc->o.family, &addr) == 0) {
        nc_host_of(nc, &addr, host);
        fprintf(stderr, "%s on %s %u\n", what, host, end.port);
    }
}

static int listener(struct nc *nc)
{
    struct hail_datagram *d = NULL;
    int status = open_listener(nc, &d);
    if (!d)
        return status;
    tell(nc, "Bound", hail_datagram_local(d));
    if (!nc->o.keep) {
        int rc = hail_datagram_accept(&nc->c->ctx, d);
        if (rc < 0)
            status = fail(nc->c);
        else
            tell(nc, "Connection received", hail_datagram_peer(d));
    }
    if (!status)
        status = nc_udp_talk(nc, NULL, &d);
    hail_datagram_close(d);
    return status;
}

int nc_udp(struct nc *nc)
{
    if (nc->o.listen)
        return listener(nc);
    return nc->o.family == AF_UNIX ? nc_udp_unix_client(nc) : nc_udp_client(nc);
}
