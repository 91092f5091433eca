/* listen.c - -l: waiting for somebody; one connection at a time, or all at once with -k; nc.h. */
#include "nc/nc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int on_prepare(void *arg, int fd, const struct hail_addr *at)
{
    return nc_socket_options(arg, fd, at) ? -ECANCELED : 0;
}

int nc_unix_endpoint(const char *name, struct hail_endpoint *out)
{
    *out = (struct hail_endpoint){.kind = *name == '@' ? HAIL_HOST_ABSTRACT : HAIL_HOST_UNIX};
    if (*name == '@')
        name++;
    if (strlen(name) > sizeof((struct sockaddr_un *)NULL)->sun_path - 1)
        return nc_fail("unix_bind: %s", strerror(ENAMETOOLONG));
    memcpy(out->host, name, strlen(name) + 1);
    return 0;
}

/* Listens at the first address that lets us. */
static int open_listener(struct nc *nc, struct hail_listener **out)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    const struct hail_opts opts = {
        .prepare = on_prepare, .arg = nc, .backlog = nc->o.keep ? 0 : 1, .v6only = true};
    struct hail_endpoint at;
    int n = 1, rc = -EINVAL;
    if (nc->o.family == AF_UNIX) {
        if (nc_unix_endpoint(nc->o.host, &at))
            return NC_FAILED;
        rc = hail_listen(&nc->c->ctx, &at, &opts, out);
        if (rc == 0 && nc->o.verbose)
            fprintf(stderr, "Bound on %s\n", nc->o.host);
    } else {
        n = nc_resolve(nc, nc->o.host, nc->o.port, false, addrs, NC_ADDRS_MAX);
        if (n < 0)
            return NC_FAILED;
    }
    for (int i = 0; i < n && rc < 0 && nc->o.family != AF_UNIX; i++) {
        at = hail_endpoint_of(&addrs[i]);
        at.has_port = true;
        rc = hail_listen(&nc->c->ctx, &at, &opts, out);
    }
    return rc < 0 ? nc_fail("%s", strerror(-rc)) : 0;
}

static void tell_listening(struct nc *nc, const struct hail_listener *l)
{
    char host[NC_NAME_BYTES];
    struct hail_addr addr;
    struct hail_endpoint at = hail_listener_at(l);
    if (!nc->o.verbose)
        return;
    if (nc->o.family == AF_UNIX) {
        fprintf(stderr, "Listening on %s\n", nc->o.host);
        return;
    }
    if (hail_endpoint_addr(&at, nc->o.family, &addr) < 0)
        return;
    nc_host_of(nc, &addr, host);
    fprintf(stderr, "Listening on %s %u\n", host, at.port);
}

void nc_tell_received(struct nc *nc, const struct hail_stream *s)
{
    char host[NC_NAME_BYTES];
    struct hail_addr addr;
    struct hail_endpoint peer = hail_peer(s);
    if (!nc->o.verbose)
        return;
    if (nc->o.family == AF_UNIX) {
        fprintf(stderr, "Connection received on %s\n", nc->o.host);
        return;
    }
    if (hail_endpoint_addr(&peer, AF_UNSPEC, &addr) < 0)
        return;
    nc_host_of(nc, &addr, host);
    fprintf(stderr, "Connection received on %s %u\n", host, peer.port);
}

static int one(struct nc *nc, struct hail_listener *l)
{
    struct hail_stream *s;
    if (hail_accept(&nc->c->ctx, l, &s) < 0)
        return fail(nc->c);
    if (!nc->o.keep)
        hail_listener_close(l);
    nc_tell_received(nc, s);
    int status = nc_converse(nc, &s);
    hail_close(s);
    return status;
}

/* What is done with each byte, or counted, is done for one client after another. */
static bool one_by_one(const struct nc_options *o)
{
    return o->telnet || o->interval_s || o->recv_limit || o->hexdump || o->progress || o->idle_ms ||
           o->quit_s > 0 || o->timeout_s >= 0;
}

int nc_listen(struct nc *nc)
{
    struct hail_listener *l = NULL;
    int status = open_listener(nc, &l);
    if (status)
        return status;
    tell_listening(nc, l);
    nc->listener = l;
    if (!nc->o.keep)
        return one(nc, l);
    if (!one_by_one(&nc->o)) {
        status = nc_many(nc, l);
    } else {
        while (!status || status == NC_FAILED)
            status = one(nc, l);
    }
    hail_listener_close(l);
    return status;
}
