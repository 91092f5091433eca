/* resolve_fail.c - why a name was not resolved, in words: the cause, who said so, what to do. */
#include "net/resolve.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>

int hail_name_fail(struct hail_ctx *ctx, int errnum, int detail, const char *name, const char *why)
{
    hail_fail(ctx, HAIL_LAYER_NAME, errnum, "resolve", "resolve %s: %s", name, why);
    hail_set_detail(ctx, detail);
    return -errnum;
}

static void advise_server(struct hail_asker *a, const char *what)
{
    if (a->conf.by_default)
        hail_advise(a->ctx, "no name server configured in %s, so this host was asked (%s)", a->path,
                    a->last);
    else
        hail_advise(a->ctx, "%s", what);
}

int hail_dns_fail(struct hail_asker *a, const char *name, int rc)
{
    char why[HAIL_ENDPOINT_MAX + 64], scratch[16];
    const char *server = *a->last ? a->last : "the name server";
    switch (rc) {
    case -ETIMEDOUT:
        snprintf(why, sizeof why, "no answer from %s in time", server);
        rc = hail_name_fail(a->ctx, ETIMEDOUT, 0, name, why);
        advise_server(a, "the name server is silent: not reachable, or a firewall drops port 53");
        return rc;
    case -EBADMSG:
        snprintf(why, sizeof why, "%s sent an answer that is malformed", server);
        return hail_name_fail(a->ctx, EAGAIN, HAIL_NAME_SERVFAIL, name, why);
    case -ELOOP:
        snprintf(why, sizeof why, "more than %d aliases, or aliases in a circle",
                 HAIL_DNS_CHAIN_MAX);
        return hail_name_fail(a->ctx, EAGAIN, HAIL_NAME_SERVFAIL, name, why);
    case -EAGAIN:
        break;
    case -EINVAL:
        return hail_name_fail(a->ctx, EINVAL, 0, name, "this cannot be a name in DNS");
    case -ENOMEM:
        return hail_fail(a->ctx, HAIL_LAYER_LOCAL, ENOMEM, "resolve", "resolve %s: %s", name,
                         hail_errno_text(ENOMEM));
    default:
        return hail_name_fail(a->ctx, -rc, 0, name, hail_errno_text(-rc));
    }
    if (a->rcode) {
        snprintf(why, sizeof why, "%s answered %s", server, hail_dns_rcode_name(a->rcode, scratch));
        rc = hail_name_fail(a->ctx, EAGAIN, HAIL_NAME_SERVFAIL, name, why);
        advise_server(a, "the name server cannot or will not answer this; ask another one");
        return rc;
    }
    snprintf(why, sizeof why, "no usable answer from %s", server);
    rc = hail_name_fail(a->ctx, EAGAIN, HAIL_NAME_SERVFAIL, name, why);
    advise_server(a, "nothing listens there, or what listens is no name server for this");
    return rc;
}
