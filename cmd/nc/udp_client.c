/* udp_client.c - -u: reaching the other end, at one port or a range, or through a Unix socket;
 * udp.h, nc.h.
 *
 * A datagram socket connects to anything; only a refusal tells that nobody is there. A client that
 * is refused before it heard anything goes on to the host's next address.
 */
#include "nc/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int nc_udp_source(struct nc *nc, int family, struct hail_endpoint *out)
{
    struct hail_addr from[NC_ADDRS_MAX];
    struct nc local = *nc;
    local.o.family = family;
    if (nc_resolve(&local, nc->o.source, nc->o.source_port, false, from, NC_ADDRS_MAX) <= 0)
        return NC_FAILED;
    *out = hail_endpoint_of(&from[0]);
    return 0;
}

static void tell_client(struct nc *nc, const struct hail_datagram *d)
{
    struct hail_endpoint peer = hail_datagram_peer(d);
    char address[HAIL_HOST_MAX + IF_NAMESIZE + 4] = "";
    if (!nc->o.verbose)
        return;
    if (strcmp(nc->o.host, peer.host) != 0)
        snprintf(address, sizeof address, " (%s%s%s)", peer.host, *peer.zone ? "%" : "", peer.zone);
    fprintf(stderr, "Sending to %s%s %u port [udp/%s]\n", nc->o.host, address, peer.port,
            nc_service(nc, peer.port));
}

/* Connects to the next address that this host has a way to. */
int nc_udp_connect(struct nc *nc, struct udp_way *w, struct hail_datagram **out)
{
    struct hail_endpoint to, from;
    int rc = -EINVAL;
    while (rc < 0 && w->next < w->n) {
        const struct hail_addr *addr = &w->v[w->next++];
        struct hail_opts opts = nc_udp_opts(nc, addr->u.sa.sa_family);
        to = hail_endpoint_of(addr);
        if (nc->o.source || nc->o.source_port) {
            if (nc_udp_source(nc, opts.family, &from))
                return NC_FAILED;
            opts.from = &from;
        }
        rc = hail_datagram_connect(&nc->c->ctx, &to, &opts, out);
        if (rc == -ECANCELED)
            return NC_FAILED; /* an option: it was told */
        if (rc < 0 && strcmp(nc->c->ctx.err.op, "bind") == 0)
            return nc_fail("bind failed: %s", strerror(-rc));
        if (rc < 0 && nc->o.verbose)
            nc_fail("connect to %s port %u (udp) failed: %s", to.host, to.port, strerror(-rc));
    }
    if (rc < 0)
        return NC_FAILED;
    tell_client(nc, *out);
    return 0;
}

static int one_port(struct nc *nc, uint16_t port)
{
    struct hail_datagram *d = NULL;
    struct udp_way way = {0};
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    way.n = nc_resolve(nc, nc->o.host, text, true, way.v, NC_ADDRS_MAX);
    int status = way.n < 0 ? NC_FAILED : nc_udp_connect(nc, &way, &d);
    if (d)
        status = nc->o.pass_fd ? nc_pass_fd(hail_datagram_fd(d)) : nc_udp_talk(nc, &way, &d);
    hail_datagram_close(d);
    return status;
}

int nc_udp_client(struct nc *nc)
{
    size_t n;
    uint16_t *ports = nc_ports(&nc->o, &n);
    if (!ports)
        return NC_FAILED;
    int status = nc->o.zero_io ? nc_udp_scan(nc, ports, n) : NC_FAILED;
    for (size_t i = 0; i < n && !nc->o.zero_io; i++) {
        if (i && nc->o.interval_s)
            sleep((unsigned)nc->o.interval_s);
        status = one_port(nc, ports[i]);
    }
    free(ports);
    return status;
}

/* A directory for our own end, so that answers can come: "/tmp/nc-XXXXXX/recv.sock". */
static int temporary(char dir[], struct hail_endpoint *from)
{
    strcpy(dir, "/tmp/nc-XXXXXX");
    if (!mkdtemp(dir))
        return nc_fail("mkdtemp: %s", strerror(errno));
    *from = (struct hail_endpoint){.kind = HAIL_HOST_UNIX};
    snprintf(from->host, sizeof from->host, "%s/recv.sock", dir);
    return 0;
}

int nc_udp_unix_client(struct nc *nc)
{
    struct hail_endpoint to, from;
    struct hail_datagram *d = NULL;
    char dir[32] = "";
    int status = nc_unix_endpoint(nc->o.host, &to);
    if (!status)
        status = nc->o.source ? nc_unix_endpoint(nc->o.source, &from) : temporary(dir, &from);
    if (status)
        return status;
    struct hail_opts opts = nc_udp_opts(nc, AF_UNSPEC);
    opts.from = &from;
    int rc = hail_datagram_connect(&nc->c->ctx, &to, &opts, &d);
    const char *own = nc->o.source ? nc->o.source : from.host;
    bool bound = rc == 0 || strcmp(nc->c->ctx.err.op, "bind") != 0;
    if (bound && nc->o.verbose)
        fprintf(stderr, "Bound on %s\n", own);
    if (rc < 0)
        status = nc_fail("%s: %s", bound ? nc->o.host : own, strerror(-rc));
    if (!status && !nc->o.zero_io)
        status = nc_udp_talk(nc, NULL, &d);
    hail_datagram_close(d);
    if (*dir)
        (void)rmdir(dir);
    return status;
}
