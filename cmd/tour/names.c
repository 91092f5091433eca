/* names.c - pages 1 and 2: a host has a name and addresses; a service has a port. */
#include "tour/tour.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* How long the name server may take for this host's own name: the tour must go on without a
 * network. */
#define TOUR_RESOLVE_MS 500

static void show_addresses(struct tour *t, const char *name, const struct hail_addrs *addrs)
{
    for (size_t i = 0; i < addrs->n; i++) {
        const struct hail_address *a = &addrs->v[i];
        struct hail_endpoint ep = hail_endpoint_of(&a->addr);
        ep.has_port = false;
        char text[HAIL_ENDPOINT_MAX];
        hail_endpoint_format(&ep, text, sizeof text);
        tour_fact(t, "%-12s -> %-16s %-6s %s", i ? "" : name, text, hail_source_name(a->source),
                  a->reason ? a->reason : "");
        struct hail_json *j = tour_event(t, "address");
        hail_json_str(j, "name", name);
        hail_json_str(j, "address", text);
        hail_json_str(j, "source", hail_source_name(a->source));
        hail_json_str(j, "reason", a->reason);
        tour_event_end(t);
    }
}

/* One name; a name that does not resolve is a fact too. */
static int lookup(struct tour *t, const char *name)
{
    struct hail_ctx ctx = t->c->ctx;
    ctx.by = hail_deadline_min(ctx.by, hail_deadline_in(TOUR_RESOLVE_MS));
    struct hail_endpoint ep;
    struct hail_addrs addrs = {0};
    int rc = hail_endpoint_parse(&ctx, &ep, name, 0);
    if (rc == 0)
        rc = hail_resolve(&ctx, &ep, NULL, &addrs);
    if (rc < 0) {
        tour_fact(t, "%s", ctx.err.msg);
        struct hail_json *j = tour_event(t, "unresolved");
        hail_json_str(j, "name", name);
        hail_json_str(j, "error", ctx.err.msg);
        tour_event_end(t);
        return rc;
    }
    show_addresses(t, name, &addrs);
    hail_addrs_free(&addrs);
    return 0;
}

int tour_names(struct tour *t)
{
    tour_page(t, "A host has a name and addresses");
    tour_say(t,
             "People use names, the network uses addresses. A name becomes addresses by the file "
             "/etc/hosts or by asking a name server (DNS). There are often several, of both "
             "families, IPv6 and IPv4; they are tried in an order for which there are rules "
             "(RFC 6724).");
    tour_gap(t);
    char host[256] = "";
    int rc = lookup(t, "localhost");
    if (rc < 0)
        return fail(t->c);
    if (gethostname(host, sizeof host - 1) == 0 && *host && strcmp(host, "localhost") != 0) {
        tour_gap(t);
        tour_say(t, "This machine calls itself '%s':", host);
        lookup(t, host);
    }
    tour_gap(t);
    tour_say(t, "localhost is this machine, without any network. A numeric address is never asked "
                "for. Try it: hail lookup localhost");
    tour_page_end(t);
    return 0;
}

struct found {
    struct tour *t;
    char names[64];
    char description[160];
};

static int first_row(void *arg, const struct hail_service *s)
{
    struct found *f = arg;
    if (!*s->name || s->alias)
        return 0;
    snprintf(f->names, sizeof f->names, "%s", s->name);
    snprintf(f->description, sizeof f->description, "%s", s->description);
    return 1;
}

static void assigned(struct tour *t)
{
    static const uint16_t ports[] = {21, 22, 23, 25, 80, 110, 119, 443};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        struct found f = {.t = t};
        hail_services_by_port(ports[i], ports[i], first_row, &f);
        tour_fact(t, "%5u  %-10s %.50s", ports[i], f.names, f.description);
        struct hail_json *j = tour_event(t, "service");
        hail_json_int(j, "port", ports[i]);
        hail_json_str(j, "name", f.names);
        hail_json_str(j, "description", f.description);
        tour_event_end(t);
    }
}

/* Three ports that the system picks, each for a socket that is closed again. */
static int ephemeral(struct tour *t)
{
    struct hail_endpoint at = {
        .kind = HAIL_HOST_IPV4, .host = "127.0.0.1", .has_port = true, .port = 0};
    unsigned picked[3];
    for (size_t i = 0; i < 3; i++) {
        struct hail_listener *l;
        if (hail_listen(&t->c->ctx, &at, NULL, &l) < 0)
            return fail(t->c);
        picked[i] = hail_listener_at(l).port;
        hail_listener_close(l);
        struct hail_json *j = tour_event(t, "picked");
        hail_json_int(j, "port", picked[i]);
        tour_event_end(t);
    }
    char range[32] = "";
    int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, range, sizeof range - 1);
        range[n > 0 ? n : 0] = '\0';
        range[strcspn(range, "\n")] = '\0';
        for (char *tab = range; (tab = strchr(tab, '\t')) != NULL;)
            *tab = '-';
        close(fd);
    }
    tour_fact(t, "asked for port 0, got: %u, %u, %u", picked[0], picked[1], picked[2]);
    if (*range)
        tour_fact(t, "the range it picks from: %s", range);
    return 0;
}

int tour_ports(struct tour *t)
{
    tour_page(t, "A service has a port");
    tour_say(t, "One address has 65,535 ports, so that many services fit on one host. Some are "
                "preassigned, so that nobody has to ask where the service is:");
    tour_gap(t);
    assigned(t);
    tour_gap(t);
    tour_say(t,
             "The registry of %s compiled into hail has %zu rows. For everything else the "
             "system picks a port that is free:",
             hail_services_date(), hail_services_count());
    tour_gap(t);
    int status = ephemeral(t);
    if (status)
        return status;
    tour_gap(t);
    tour_say(t, "Try it: hail ports 25, hail ports imap, hail ports (what listens here)");
    tour_page_end(t);
    return 0;
}
