/* probe.c - -zu: what a scan says, in netcat's words where it has any; probe.h.
 *
 * netcat says "succeeded" of whatever does not refuse. Here it takes a reply; of silence it is said
 * that nothing is known, which is not success.
 */
#include "nc/probe.h"
#include "nc/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct report {
    struct nc *nc;
    const struct hail_addr *addrs;
    size_t n; /* ports */
    bool replied, later;
    int status; /* of standard output */
};

static void tell_reply(const struct report *r, const struct probe_port *p, const char *address)
{
    struct nc *nc = r->nc;
    fprintf(stderr, "Connection to %s%s %u port [udp/%s] succeeded! reply: ", nc->o.host, address,
            p->port, nc_service(nc, p->port));
    if (p->words)
        fprintf(stderr, "%s %s\n", hail_probe_name((enum hail_probe)p->asked), p->words);
    else
        fprintf(stderr, "%u byte%s\n", p->bytes, p->bytes == 1 ? "" : "s");
}

/* A document; the schema is in hail-nc(1). Of silence, `open` is null. */
static void tell_json(struct report *r, const struct probe_port *p, const char *address)
{
    static const char *const answers[] = {
        [PROBE_UNKNOWN] = "unknown", [PROBE_REFUSED] = "refused", [PROBE_REPLY] = "reply"};
    const char *service = nc_service(r->nc, p->port);
    struct hail_buf b;
    hail_buf_init(&b, 4096);
    struct hail_json j = {.out = &b};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.nc/1");
    hail_json_str(&j, "host", r->nc->o.host);
    hail_json_str(&j, "address", address);
    hail_json_int(&j, "port", p->port);
    hail_json_str(&j, "service", *service == '*' ? NULL : service);
    if (p->verdict == PROBE_UNKNOWN)
        hail_json_null(&j, "open");
    else
        hail_json_bool(&j, "open", p->verdict == PROBE_REPLY);
    hail_json_str(&j, "error", p->errnum ? strerror(p->errnum) : NULL);
    hail_json_str(&j, "answer", answers[p->verdict]);
    hail_json_str(&j, "asked", p->words ? hail_probe_name((enum hail_probe)p->asked) : NULL);
    hail_json_str(&j, "says", p->words);
    hail_json_end_object(&j);
    int status = put_json(&b);
    hail_buf_free(&b);
    r->status = r->status ? r->status : status;
}

static void tell_port(struct report *r, const struct probe_port *p)
{
    struct nc *nc = r->nc;
    char number[NC_NAME_BYTES], address[NC_NAME_BYTES + 4] = "";
    nc_numeric_host(&r->addrs[p->by], number);
    if (nc->c->json)
        tell_json(r, p, number);
    if (strcmp(nc->o.host, number) != 0)
        snprintf(address, sizeof address, " (%s)", number);
    switch ((enum probe_verdict)p->verdict) {
    case PROBE_REPLY:
        if (nc->o.verbose)
            tell_reply(r, p, address);
        break;
    case PROBE_REFUSED:
        if (nc->o.verbose)
            nc_fail("connect to %s%s port %u (udp) failed: %s", nc->o.host, address, p->port,
                    strerror(p->errnum));
        break;
    case PROBE_UNKNOWN: /* who is not told would take it for netcat's yes, or for a no */
        if (nc->o.verbose || (r->n == 1 && !nc->c->json))
            nc_fail("%s%s port %u (udp) unknown: %s", nc->o.host, address, p->port,
                    p->errnum ? strerror(p->errnum) : "no reply, no refusal");
        break;
    }
}

static void on_port(void *arg, const struct probe_port *p)
{
    struct report *r = arg;
    r->replied |= p->verdict == PROBE_REPLY;
    if (!r->later)
        tell_port(r, p);
}

static int scan_address(struct nc *nc, struct probe_scan *s)
{
    struct hail_endpoint from;
    struct hail_datagram *d;
    const struct hail_opts opts = nc_udp_opts(nc, s->to.u.sa.sa_family);
    bool bound = nc->o.source || nc->o.source_port;
    if (bound && nc_udp_source(nc, opts.family, &from))
        return NC_FAILED;
    int rc = hail_datagram_open(&nc->c->ctx, bound ? &from : NULL, &opts, &d);
    if (rc == -ECANCELED)
        return NC_FAILED; /* an option: it was told */
    if (rc < 0)
        return nc_fail("bind failed: %s", strerror(-rc));
    int status = probe_scan(&nc->c->ctx, d, s) < 0 ? fail(nc->c) : 0;
    hail_datagram_close(d);
    return status;
}

/* Of two addresses of a name, a reply says more than silence, and that more than a refusal. */
static void keep_best(struct probe_port *best, const struct probe_port *now, size_t n, uint8_t by)
{
    static const uint8_t rank[] = {[PROBE_REFUSED] = 0, [PROBE_UNKNOWN] = 1, [PROBE_REPLY] = 2};
    for (size_t i = 0; i < n; i++) {
        if (by && rank[now[i].verdict] <= rank[best[i].verdict])
            continue;
        best[i] = now[i];
        best[i].by = by;
    }
}

/* Every address in turn; what is best of each port is in `best` then. */
static int scan(struct nc *nc, struct probe_scan *s, struct report *r, int count,
                struct probe_port *best)
{
    int status = 0;
    for (int i = 0; i < count && !status; i++) {
        s->to = r->addrs[i];
        status = scan_address(nc, s);
        keep_best(best, s->v, s->n, (uint8_t)i);
    }
    for (size_t i = 0; i < s->n && !status && r->later; i++)
        tell_port(r, &best[i]);
    status = status ? status : r->status;
    return status ? status : r->replied ? 0 : NC_FAILED;
}

int nc_udp_scan(struct nc *nc, const uint16_t *ports, size_t n)
{
    struct hail_addr addrs[NC_ADDRS_MAX];
    const struct nc_options *o = &nc->o;
    char text[8];
    snprintf(text, sizeof text, "%u", ports[0]);
    int count = nc_resolve(nc, o->host, text, true, addrs, NC_ADDRS_MAX);
    if (count < 0)
        return NC_FAILED;
    int64_t wait_ms = o->timeout_s < 0 ? PROBE_WAIT_MS : o->timeout_s * INT64_C(1000);
    struct report r = {.nc = nc, .addrs = addrs, .n = n, .later = count > 1};
    struct probe_scan s = {.ask = o->probe || o->verbose,
                           .wait_ms = wait_ms ? wait_ms : 1,
                           .interval_ms = o->interval_s * INT64_C(1000),
                           .n = n,
                           .tell = on_port,
                           .arg = &r};
    struct probe_port *v = calloc(n, sizeof *v), *best = calloc(n, sizeof *best);
    int status = NC_FAILED;
    s.v = v;
    for (size_t i = 0; v && i < n; i++)
        v[i].port = ports[i];
    if (v && best)
        status = scan(nc, &s, &r, count, best);
    else
        nc_fail("%s", strerror(ENOMEM));
    free(best);
    free(v);
    return status;
}
