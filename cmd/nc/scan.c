/* scan.c - -z over a range of ports: many at once, told in their order; nc.h.
 *
 *      ports:  told | decided, not told yet | under way (WINDOW at most) | not begun
 *
 * The host is looked up once. Where it has several addresses, those after the first are tried for
 * the ports that the first one refused, as netcat does, one by one: few ports are left then.
 */
#include "nc/nc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WINDOW 256 /* connections under way */

struct probe {
    int fd; /* kept for the next port after a refusal; -1: none */
    bool decided;
    int errnum;       /* 0: open */
    int64_t until_ns; /* 0: the kernel's own time-out */
};

struct scan {
    struct nc *nc;
    const struct hail_addr *addrs;
    int naddrs;
    const uint16_t *ports;
    size_t n, told, begun;
    struct probe probes[WINDOW]; /* a ring by the port's index */
    bool any;                    /* one is open */
    int status;
};

static struct probe *probe_of(struct scan *s, size_t i)
{
    return &s->probes[i % WINDOW];
}

static void shut(struct probe *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

/* A socket for the family: the slot's last one, if that was refused. */
static int open_socket(struct scan *s, struct probe *p, const struct hail_addr *to)
{
    if (p->fd >= 0)
        return 0;
    p->fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return errno;
    s->status = nc_socket_options(s->nc, p->fd, to);
    return 0;
}

/* What connect(2) says of a connection on its way: EALREADY, or what came of it. */
static int ask(const struct probe *p, const struct hail_addr *to)
{
    if (connect(p->fd, &to->u.sa, to->len) == 0 || errno == EISCONN)
        return 0;
    return errno;
}

static void decide(struct probe *p, int errnum)
{
    p->decided = true;
    p->errnum = errnum;
    if (errnum != ECONNREFUSED)
        shut(p);
}

/* Over loopback the answer is there when connect(2) returns, but only the next call tells. */
static void begin(struct scan *s, const struct hail_addr *to, struct probe *p)
{
    p->decided = false;
    p->until_ns = s->nc->o.timeout_s >= 0 ? hail_now() + s->nc->o.timeout_s * 1000000000LL : 0;
    int errnum = open_socket(s, p, to);
    if (errnum == 0 && (errnum = ask(p, to)) == EINPROGRESS)
        errnum = ask(p, to);
    if (errnum != EALREADY)
        decide(p, errnum);
}

/* A document of what one address said of one port; the schema is in hail-nc(1). */
static void tell_json(struct scan *s, const char *address, uint16_t port, int errnum)
{
    const char *service = nc_service(s->nc, port);
    struct hail_buf b;
    hail_buf_init(&b, 4096);
    struct hail_json j = {.out = &b};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.nc/1");
    hail_json_str(&j, "host", s->nc->o.host);
    hail_json_str(&j, "address", address);
    hail_json_int(&j, "port", port);
    hail_json_str(&j, "service", *service == '*' ? NULL : service);
    hail_json_bool(&j, "open", errnum == 0);
    hail_json_str(&j, "error", errnum ? strerror(errnum) : NULL);
    hail_json_end_object(&j);
    int status = put_json(&b);
    hail_buf_free(&b);
    s->status = s->status ? s->status : status;
}

static void tell(struct scan *s, const struct hail_addr *addr, uint16_t port, int errnum)
{
    char number[NC_NAME_BYTES], address[NC_NAME_BYTES + 4] = "";
    const char *host = s->nc->o.host;
    s->any |= errnum == 0;
    nc_numeric_host(addr, number);
    if (s->nc->c->json)
        tell_json(s, number, port, errnum);
    if (!s->nc->o.verbose)
        return;
    if (strcmp(host, number) != 0)
        snprintf(address, sizeof address, " (%s)", number);
    if (errnum == 0)
        fprintf(stderr, "Connection to %s%s %u port [tcp/%s] succeeded!\n", host, address, port,
                nc_service(s->nc, port));
    else if (errnum == ETIMEDOUT && s->nc->o.timeout_s >= 0)
        nc_fail("connect to %s%s port %u (tcp) timed out: %s", host, address, port,
                strerror(EINPROGRESS));
    else
        nc_fail("connect to %s%s port %u (tcp) failed: %s", host, address, port, strerror(errnum));
}

/* Waits for one connection alone. */
static int alone(struct scan *s, const struct hail_addr *to)
{
    struct probe p = {.fd = -1};
    begin(s, to, &p);
    if (p.decided) {
        shut(&p);
        return p.errnum;
    }
    struct hail_ctx ctx = s->nc->c->ctx;
    if (p.until_ns)
        ctx.by = (struct hail_deadline){p.until_ns};
    int rc = hail_wait(&ctx, p.fd, POLLOUT);
    int errnum = rc < 0 ? -rc : ask(&p, to);
    shut(&p);
    return errnum;
}

/* The first address's answer, and the others' where it is no. */
static void tell_port(struct scan *s, size_t i)
{
    int errnum = probe_of(s, i)->errnum;
    struct hail_addr to = s->addrs[0];
    for (int a = 0;;) {
        tell(s, &to, s->ports[i], errnum);
        if (errnum == 0 || ++a == s->naddrs)
            return;
        to = s->addrs[a];
        hail_addr_set_port(&to, s->ports[i]);
        errnum = alone(s, &to);
    }
}

static void begin_more(struct scan *s)
{
    struct hail_addr to = s->addrs[0];
    for (; s->begun < s->n && s->begun - s->told < WINDOW; s->begun++) {
        hail_addr_set_port(&to, s->ports[s->begun]);
        begin(s, &to, probe_of(s, s->begun));
    }
}

static int time_left(const struct probe *p, int ms)
{
    if (!p->until_ns)
        return ms;
    int left = hail_deadline_ms((struct hail_deadline){p->until_ns});
    return ms < 0 || left < ms ? left : ms;
}

/* Asks what came of the i-th port: `ready`, poll(2) said so. */
static void look(struct scan *s, size_t i, bool ready)
{
    struct probe *p = probe_of(s, i);
    struct hail_addr to = s->addrs[0];
    hail_addr_set_port(&to, s->ports[i]);
    if (ready)
        decide(p, ask(p, &to));
    else if (p->until_ns && hail_now() >= p->until_ns)
        decide(p, ETIMEDOUT);
}

/* Waits until something is decided. 0 or -errno. */
static int wait_for_some(struct scan *s)
{
    struct pollfd v[WINDOW + 1];
    size_t of[WINDOW];
    nfds_t n = 0;
    struct hail_deadline by = s->nc->c->ctx.by;
    int ms = hail_deadline_ms(by);
    for (size_t i = s->told; i < s->begun; i++) {
        const struct probe *p = probe_of(s, i);
        if (p->decided)
            continue;
        of[n] = i;
        v[n++] = (struct pollfd){.fd = p->fd, .events = POLLOUT};
        ms = time_left(p, ms);
    }
    v[n] = (struct pollfd){.fd = s->nc->c->ctx.cancel_fd, .events = POLLIN};
    if (poll(v, n + 1, ms) < 0)
        return errno == EINTR ? 0 : -errno;
    if (v[n].revents)
        return -ECANCELED;
    for (nfds_t i = 0; i < n; i++)
        look(s, of[i], v[i].revents != 0);
    return by.ns && hail_deadline_ms(by) == 0 ? -ETIMEDOUT : 0;
}

static int sweep(struct scan *s)
{
    while (s->told < s->n) {
        begin_more(s);
        for (; s->told < s->begun && probe_of(s, s->told)->decided; s->told++)
            tell_port(s, s->told);
        if (s->status)
            return s->status;
        if (s->told == s->begun)
            continue;
        int rc = wait_for_some(s);
        if (rc < 0)
            return rc == -ETIMEDOUT ? STATUS_TIMEOUT : STATUS_LOCAL;
    }
    return s->any ? 0 : NC_FAILED;
}

int nc_scan(struct nc *nc, const uint16_t *ports, size_t n)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    char text[8];
    snprintf(text, sizeof text, "%u", ports[0]);
    int naddrs = nc_resolve(nc, nc->o.host, text, true, addrs, NC_ADDRS_MAX);
    if (naddrs < 0)
        return NC_FAILED;
    struct scan *s = calloc(1, sizeof *s);
    if (!s)
        return nc_fail("%s", strerror(ENOMEM));
    *s = (struct scan){.nc = nc, .addrs = addrs, .naddrs = naddrs, .ports = ports, .n = n};
    for (int i = 0; i < WINDOW; i++)
        s->probes[i].fd = -1;
    int status = sweep(s);
    for (int i = 0; i < WINDOW; i++)
        shut(&s->probes[i]);
    free(s);
    return status;
}
