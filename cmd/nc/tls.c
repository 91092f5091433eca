/* tls.c - --tls and its options; nc.h. */
#include "nc/nc.h"

#include <sys/socket.h>

/* Whom a certificate made on the fly is for. */
static const char *own_name(const struct nc_options *o)
{
    if (o->sni)
        return o->sni;
    return o->host && o->family != AF_UNIX && !o->second ? o->host : "localhost";
}

int nc_tls_config(struct nc *nc, bool server, struct hail_tls_config **out)
{
    const struct nc_options *o = &nc->o;
    const struct hail_tls_opts opts = {.ca_file = o->ca,
                                       .cert_file = o->cert,
                                       .key_file = o->key,
                                       .alpn = o->alpn,
                                       .insecure_certificate = o->insecure_certificate,
                                       .self_signed = server ? own_name(o) : NULL};
    char print[HAIL_FINGERPRINT_MAX];
    if (hail_tls_config_new(&nc->c->ctx, server, &opts, out) < 0)
        return fail(nc->c);
    if (server && !o->cert && hail_tls_config_fingerprint(*out, print, sizeof print) == 0)
        fprintf(stderr, "certificate made for this run, SHA-256 %s\n", print);
    return 0;
}

int nc_tls_begin(struct nc *nc, struct hail_stream **s)
{
    struct hail_ctx *ctx = &nc->c->ctx;
    int rc;
    if (!nc->tls)
        return 0;
    if (nc->o.listen)
        rc = hail_tls_server(ctx, s, nc->tls);
    else
        rc = hail_tls_client_with(ctx, s, nc->o.sni ? nc->o.sni : nc->o.host, nc->tls);
    return rc < 0 ? fail(nc->c) : 0;
}
