/* tls.c - TLS under a conversation: from its first byte, after the protocol's own STARTTLS, or from
 * the middle of a session on.
 *
 *      dial.c --> telnet_tls_begin() --> [dialog of <hail/starttls.h>] --> handshake
 *      telnet> starttls              --> pump away, the same, pump back
 *
 * What was agreed is told in two lines on standard error; --trace has the certificate in full.
 */
#include "session.h"

#include <errno.h>
#include <string.h>

#define NAMES_SHOWN 200   /* bytes of a certificate's names */
#define LATER_MS    30000 /* that `starttls` may take */

/* --- telling --- */

/* The names of a certificate, as many as fit well. */
static void short_names(char out[NAMES_SHOWN + 8], const char *names)
{
    int n = snprintf(out, NAMES_SHOWN, "%s", names);
    if (n < NAMES_SHOWN)
        return;
    char *comma = strrchr(out, ',');
    strcpy(comma ? comma : out, ", ...");
}

static void tell(const struct telnet *t)
{
    struct hail_tls_info i;
    char names[NAMES_SHOWN + 8];
    if (t->script || hail_tls_info(t->stream, &i) < 0)
        return;
    const char *alpn = *i.alpn ? ", ALPN " : "", *why = *i.refused ? ": " : "";
    telnet_complain("TLS: %s, %s%s%s, certificate %s%s%s\n", i.version, i.cipher, alpn, i.alpn,
                    i.verified ? "verified" : "NOT verified", why, i.refused);
    if (!i.not_after)
        return;
    short_names(names, i.names);
    telnet_complain("Certificate: %s%s(%s), issued by %s, ", i.subject, *i.subject ? " " : "",
                    names, i.issuer);
    if (i.days_left < 0)
        telnet_complain("expired\n");
    else
        telnet_complain("%d day%s left\n", i.days_left, i.days_left == 1 ? "" : "s");
}

/* --- laying it --- */

/* 0 or -errno. `name`: the host's. */
static int lay(struct telnet *t, enum hail_starttls protocol, bool greeted, const char *name)
{
    const struct telnet_tls_options *o = &t->opt.tls;
    struct hail_ctx *ctx = &t->c->ctx;
    name = o->name ? o->name : name;
    int rc = protocol ? hail_starttls(ctx, &t->stream, protocol, name, greeted, &o->how)
                      : hail_tls_client(ctx, &t->stream, name, &o->how);
    if (rc < 0)
        return rc;
    t->tls = true;
    tell(t);
    return 0;
}

/* By the name telnet a port says nothing: there nobody expects it. */
static bool at_once(const struct telnet *t, const struct hail_endpoint *to)
{
    const struct telnet_tls_options *o = &t->opt.tls;
    if (o->off || o->starttls)
        return false;
    return o->on || to->transport == HAIL_TLS ||
           (to->transport == HAIL_TRANSPORT_ANY && !t->is_unix && !t->c->by_name &&
            hail_tls_by_port(t->port));
}

int telnet_tls_begin(struct telnet *t, const struct hail_endpoint *to)
{
    const struct telnet_tls_options *o = &t->opt.tls;
    enum hail_starttls protocol = HAIL_STARTTLS_NONE;
    if (o->starttls)
        protocol = o->protocol ? o->protocol : hail_starttls_by_port(t->port);
    if (o->starttls && !protocol) {
        t->status = usage_error(t->c->cmd,
                                "--starttls: port %u does not say in which protocol; "
                                "--starttls=smtp, or another",
                                t->port);
        telnet_hang_up(t);
        return -1;
    }
    if (!protocol && !at_once(t, to))
        return 0;
    if (lay(t, protocol, false, t->is_unix ? "" : to->host) == 0)
        return 0;
    t->status = fail(t->c);
    telnet_hang_up(t);
    return -1;
}

/* --- telnet> starttls --- */

static int wrong_words(const struct telnet *t, bool help)
{
    printf("usage: starttls [protocol]\n");
    if (help)
        printf("protocols: smtp lmtp pop3 imap ftp nntp sieve postgres ldap; without one as port "
               "%u says (%s)\n",
               t->port, hail_starttls_name(hail_starttls_by_port(t->port)));
    return TELNET_STAY;
}

/* Whether the dialog came to nothing in a way that the conversation survives. */
static bool still_plain(const struct hail_error *e)
{
    return strcmp(e->op, "starttls") == 0 && (e->errnum == ECONNREFUSED || e->errnum == ENOTSUP ||
                                              e->errnum == EBUSY || e->errnum == EINVAL);
}

/* The host's name without what stands around it in an endpoint. */
static const char *host_name(struct telnet *t, struct hail_endpoint *ep)
{
    if (t->is_unix)
        return "";
    if (!t->c->by_name && hail_endpoint_parse(&t->c->ctx, ep, t->host, t->port) == 0)
        return ep->host;
    return t->host;
}

int telnet_starttls(struct telnet *t, int argc, char **argv)
{
    struct hail_ctx *ctx = &t->c->ctx;
    const struct hail_deadline by = ctx->by;
    struct hail_endpoint ep;
    bool greeted = t->pump; /* not yet when it stands in ~/.telnetrc */
    enum hail_starttls protocol =
        argc > 1 ? hail_starttls_by_name(argv[1]) : hail_starttls_by_port(t->port);
    if (t->tls) {
        printf("?TLS is in force already.\n");
        return TELNET_STAY;
    }
    if (argc > 2 || !protocol)
        return wrong_words(t, argc == 2 && strcmp(argv[1], "?") == 0);
    ctx->by = hail_deadline_min(by, hail_deadline_in(LATER_MS));
    int rc = greeted ? telnet_pump_away(t) : 0;
    const char *name = host_name(t, &ep);
    if (rc >= 0)
        rc = lay(t, protocol, greeted, name);
    ctx->by = by;
    if (rc < 0) {
        int status = fail(t->c);
        if (!still_plain(&ctx->err)) {
            telnet_hang_up(t);
            t->leave = true;
            t->status = status;
            return TELNET_GO;
        }
    }
    if (greeted && telnet_pump_back(t) < 0) {
        t->leave = true;
        t->status = fail(t->c);
        telnet_hang_up(t);
    }
    return TELNET_GO;
}
