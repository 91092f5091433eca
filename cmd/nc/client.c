/* client.c - reaching the other end: the addresses of a host, one port or a range; nc.h.
 *
 * The addresses race as everywhere in hail (RFC 8305), but what failed is told in their order, in
 * netcat's words.
 */
#include "nc/nc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One port of one host, while it is being reached. */
struct reach {
    struct nc *nc;
    const char *host; /* as it is called in messages: the proxy, if there is one */
    const char *port;
    int status;        /* of an option that could not be set */
    bool tried_failed; /* no address was reached */
};

static void tell_failure(const struct reach *r, const struct hail_attempt *a)
{
    const struct nc *nc = r->nc;
    char number[NC_NAME_BYTES], address[NC_NAME_BYTES + 4] = "";
    nc_numeric_host(&a->addr, number);
    if (!nc->proxied && strcmp(r->host, number) != 0)
        snprintf(address, sizeof address, " (%s)", number);
    if (a->errnum == ETIMEDOUT && nc->o.timeout_s >= 0)
        nc_fail("connect to %s%s port %s (tcp) timed out: %s", r->host, address, r->port,
                strerror(EINPROGRESS));
    else
        nc_fail("connect to %s%s port %s (tcp) failed: %s", r->host, address, r->port,
                strerror(a->errnum));
}

/* Whether it was bind(2) that failed, for which there is a message of its own. */
static bool is_of_binding(const struct nc *nc, int errnum)
{
    return (nc->o.source || nc->o.source_port) &&
           (errnum == EADDRNOTAVAIL || errnum == EADDRINUSE || errnum == EACCES);
}

static void on_tried(void *arg, const struct hail_attempt *v, size_t n)
{
    struct reach *r = arg;
    r->tried_failed = true;
    for (size_t i = 0; i < n; i++)
        r->tried_failed &= v[i].errnum != 0;
    for (size_t i = 0; i < n && r->nc->o.verbose; i++)
        if (v[i].errnum && v[i].errnum != ECANCELED && !is_of_binding(r->nc, v[i].errnum))
            tell_failure(r, &v[i]);
}

static int on_prepare(void *arg, int fd, const struct hail_addr *at)
{
    struct reach *r = arg;
    r->status = nc_socket_options(r->nc, fd, at);
    return r->status ? -ECANCELED : 0;
}

static void tell_success(struct nc *nc, const struct hail_stream *s, uint16_t port)
{
    struct hail_endpoint peer = hail_peer(s);
    char address[HAIL_HOST_MAX + IF_NAMESIZE + 4] = "";
    if (!nc->proxied && strcmp(nc->o.host, peer.host) != 0)
        snprintf(address, sizeof address, " (%s%s%s)", peer.host, *peer.zone ? "%" : "", peer.zone);
    fprintf(stderr, "Connection to %s%s %u port [tcp/%s] succeeded!\n", nc->o.host, address, port,
            nc_service(nc, port));
}

/* The address to bind, -s and -p. 0, or the status after a message. */
static int source_of(struct nc *nc, int family, struct hail_endpoint *out)
{
    struct hail_addr from[NC_ADDRS_MAX];
    struct nc local = *nc;
    local.o.family = family;
    int n = nc_resolve(&local, nc->o.source, nc->o.source_port, false, from, NC_ADDRS_MAX);
    if (n <= 0)
        return NC_FAILED;
    *out = hail_endpoint_of(&from[0]);
    return 0;
}

static int dial_failed(const struct reach *r, const struct hail_ctx *ctx, int rc)
{
    struct nc *nc = r->nc;
    if (rc == -ECANCELED && !r->status)
        return -STATUS_LOCAL;
    if (nc->proxied && !r->tried_failed)
        return -nc_proxy_refused(nc, &ctx->err);
    if (is_of_binding(nc, -rc))
        nc_fail("bind failed: %s", strerror(-rc));
    return r->status || is_of_binding(nc, -rc) ? -NC_FAILED : NC_FAILED;
}

/* 0 with *out; NC_FAILED when nothing answered; else negative: give up. */
static int dial(struct reach *r, const struct hail_endpoint *to, const struct hail_endpoint *from,
                struct hail_stream **out)
{
    struct nc *nc = r->nc;
    const struct hail_opts opts = {.family = nc->o.family,
                                   .from = from,
                                   .proxy = nc->proxied ? &nc->proxy : NULL,
                                   .prepare = on_prepare,
                                   .tried = on_tried,
                                   .arg = r};
    struct hail_ctx ctx = nc->c->ctx;
    int rc;
    if (nc->o.timeout_s >= 0)
        ctx.by = hail_deadline_in(nc->o.timeout_s ? nc->o.timeout_s * 1000LL : 1);
    do
        rc = hail_dial(&ctx, to, &opts, out);
    while (rc == -EACCES && nc->proxied && ctx.err.detail == 407 && nc_proxy_ask(nc));
    return rc == 0 ? 0 : dial_failed(r, &ctx, rc);
}

/* One address after the other, where each has its own source, or is the proxy's. */
static int in_turn(struct reach *r, const struct hail_addr *addrs, int n,
                   const struct hail_endpoint *behind, struct hail_stream **out)
{
    struct nc *nc = r->nc;
    bool bound = nc->o.source || nc->o.source_port;
    int rc = NC_FAILED;
    for (int i = 0; i < n && rc == NC_FAILED; i++) {
        struct hail_endpoint at = hail_endpoint_of(&addrs[i]), from;
        if (bound && source_of(nc, addrs[i].u.sa.sa_family, &from))
            return -NC_FAILED;
        if (nc->proxied)
            nc->proxy.at = at;
        rc = dial(r, nc->proxied ? behind : &at, bound ? &from : NULL, out);
    }
    return rc;
}

static int parse_host(struct nc *nc, uint16_t port, struct hail_endpoint *to)
{
    char text[HAIL_ENDPOINT_MAX + 2];
    snprintf(text, sizeof text, strchr(nc->o.host, ':') ? "[%s]" : "%s", nc->o.host);
    return hail_endpoint_parse(&nc->c->ctx, to, text, port) < 0 ? -fail(nc->c) : 0;
}

/* Connects to one port, as dial() does. */
static int reach(struct nc *nc, uint16_t port, struct hail_stream **out)
{
    char number[8];
    struct hail_addr addrs[NC_ADDRS_MAX];
    struct hail_endpoint to;
    struct reach r = {.nc = nc, .host = nc->o.host, .port = number};
    snprintf(number, sizeof number, "%u", port);
    if (nc->proxied) {
        r.host = nc->o.proxy ? nc->proxy_host : nc->proxy.at.host;
        r.port = nc->o.proxy ? nc->proxy_port : "";
        if (parse_host(nc, port, &to) < 0)
            return -NC_FAILED;
        if (nc->o.proxy_url)
            return dial(&r, &to, NULL, out);
    }
    int n = nc_resolve(nc, r.host, r.port, true, addrs, NC_ADDRS_MAX);
    if (n < 0)
        return -NC_FAILED;
    if (nc->proxied || nc->o.source || nc->o.source_port)
        return in_turn(&r, addrs, n, &to, out);
    if (n == 1)
        to = hail_endpoint_of(&addrs[0]);
    else if (parse_host(nc, port, &to) < 0)
        return -NC_FAILED;
    return dial(&r, &to, NULL, out);
}

/* -i between the ports of a range. */
static void pause_between(const struct nc *nc)
{
    if (nc->o.interval_s)
        sleep((unsigned)nc->o.interval_s);
}

static int one_port(struct nc *nc, uint16_t port)
{
    struct hail_stream *s;
    int rc = reach(nc, port, &s);
    if (rc)
        return rc;
    if (nc->o.verbose)
        tell_success(nc, s, port);
    int status = nc_converse(nc, &s);
    hail_close(s);
    return status;
}

int nc_client(struct nc *nc)
{
    size_t n;
    uint16_t *ports = nc_ports(&nc->o, &n);
    if (!ports)
        return NC_FAILED;
    int status = NC_FAILED;
    const struct nc_options *o = &nc->o;
    if (o->zero_io && (n > 1 || nc->c->json) && !o->interval_s && !nc->proxied && !o->source &&
        !o->source_port && !o->pass_fd) {
        status = nc_scan(nc, ports, n);
        free(ports);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        if (i)
            pause_between(nc);
        int rc = one_port(nc, ports[i]);
        if (rc < 0) {
            status = -rc;
            break;
        }
        status = rc == NC_FAILED ? status : rc;
    }
    free(ports);
    return status;
}

int nc_unix_client(struct nc *nc)
{
    struct hail_endpoint to;
    struct hail_stream *s;
    const struct hail_opts opts = {0};
    if (nc_unix_endpoint(nc->o.host, &to))
        return NC_FAILED;
    int rc = hail_dial(&nc->c->ctx, &to, &opts, &s);
    if (rc < 0)
        return nc_fail("%s: %s", nc->o.host, strerror(-rc));
    int status = nc_converse(nc, &s);
    hail_close(s);
    return status;
}
