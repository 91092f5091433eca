/* relay.c - hail nc ENDPOINT ENDPOINT: connections passed on; nc.h.
 *
 * "listen:" in front of an endpoint waits there, "tls:" behind that speaks TLS.
 */
#include "nc/nc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

struct relay {
    struct nc *nc;
    struct hail_loop *loop;
    struct hail_watch cancel;
    bool once; /* neither side listens */
    int status;
};

static int read_side(struct nc *nc, const char *text, struct hail_relay_side *side)
{
    if (strncmp(text, "listen:", 7) == 0) {
        side->listen = true;
        text += 7;
    }
    if (hail_endpoint_parse(&nc->c->ctx, &side->at, text, 0) < 0)
        return fail(nc->c);
    bool unix_socket = side->at.kind == HAIL_HOST_UNIX || side->at.kind == HAIL_HOST_ABSTRACT;
    if (side->at.transport == HAIL_UDP)
        return usage_error(&command_nc, "a relay passes streams on, not datagrams: '%s'", text);
    if (!unix_socket && !side->at.has_port)
        return usage_error(&command_nc, "the port is missing in '%s'", text);
    return side->at.transport == HAIL_TLS ? nc_tls_config(nc, side->listen, &side->tls) : 0;
}

static void format(const struct hail_endpoint *ep, char out[HAIL_ENDPOINT_MAX])
{
    if (ep->kind == HAIL_HOST_ANY && !ep->has_port)
        snprintf(out, HAIL_ENDPOINT_MAX, "?");
    else
        hail_endpoint_format(ep, out, HAIL_ENDPOINT_MAX);
}

static void on_event(void *arg, const struct hail_relay_event *e)
{
    struct relay *r = arg;
    char a[HAIL_ENDPOINT_MAX], b[HAIL_ENDPOINT_MAX];
    format(&e->peer[0], a);
    format(&e->peer[1], b);
    if (e->error) {
        struct common c = {.ctx = {.err = *e->error}};
        int status = fail(&c);
        if (r->once)
            r->status = status;
    } else if (r->nc->o.verbose && e->kind == HAIL_RELAY_OPENED) {
        fprintf(stderr, "%s <-> %s: open, %u in all\n", a, b, e->open);
    } else if (r->nc->o.verbose) {
        fprintf(stderr, "%s <-> %s: ended, %llu bytes ->, %llu bytes <-, %u left\n", a, b,
                (unsigned long long)e->bytes[0], (unsigned long long)e->bytes[1], e->open);
    }
    if (r->once && (e->kind == HAIL_RELAY_CLOSED || e->kind == HAIL_RELAY_FAILED))
        hail_loop_stop(r->loop);
}

static void on_cancel(struct hail_loop *loop, struct hail_watch *w, int events)
{
    (void)w;
    (void)events;
    hail_loop_stop(loop);
}

static void tell_listening(const struct relay *r, const struct hail_relay *relay, int side,
                           const struct hail_relay_side *asked)
{
    char at[HAIL_ENDPOINT_MAX];
    struct hail_endpoint real = hail_relay_at(relay, side);
    if (!r->nc->o.verbose && asked->at.port)
        return;
    format(&real, at);
    fprintf(stderr, "listening at %s\n", at);
}

static int run(struct relay *r, const struct hail_relay_side sides[2])
{
    const struct hail_relay_opts opts = {.idle_ms = r->nc->o.idle_ms, .event = on_event, .arg = r};
    struct hail_ctx *ctx = &r->nc->c->ctx;
    struct hail_relay *relay;
    r->cancel = (struct hail_watch){ctx->cancel_fd, on_cancel};
    if (ctx->cancel_fd >= 0)
        (void)hail_loop_add(r->loop, &r->cancel, POLLIN);
    if (hail_relay_new(ctx, r->loop, sides, &opts, &relay) < 0)
        return fail(r->nc->c);
    for (int i = 0; i < 2; i++)
        if (sides[i].listen)
            tell_listening(r, relay, i, &sides[i]);
    int rc = hail_loop_run(r->loop);
    if (rc < 0)
        r->status = local_error("wait for", "connections", -rc);
    hail_relay_free(relay);
    return r->status;
}

int nc_relay(struct nc *nc)
{
    const struct hail_opts opts = {.family = nc->o.family};
    struct hail_relay_side sides[2] = {{.opts = &opts}, {.opts = &opts}};
    int status = read_side(nc, nc->o.host, &sides[0]);
    if (!status)
        status = read_side(nc, nc->o.second, &sides[1]);
    struct relay r = {.nc = nc, .once = !sides[0].listen && !sides[1].listen};
    if (!status && hail_loop_new(&nc->c->ctx, &r.loop) < 0)
        status = fail(nc->c);
    if (!status) {
        status = run(&r, sides);
        hail_loop_free(r.loop);
    }
    for (int i = 0; i < 2; i++)
        hail_tls_config_free(sides[i].tls);
    return status;
}
