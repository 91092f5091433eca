/* proxy.c - -x, -X, -P and --proxy: which proxy, and its refusals in netcat's words; nc.h. */
#include "nc/nc.h"

#include <errno.h>
#include <string.h>

/* -x ADDRESS[:PORT] by -X; an address with colons may stand in brackets. 0, or the status after a
 * message. */
static int of_letters(struct nc *nc, struct hail_proxy *p)
{
    const struct nc_options *o = &nc->o;
    const char *host = o->proxy, *end = strrchr(host, ':');
    p->kind = o->proxy_kind == 4 ? HAIL_PROXY_SOCKS4 : HAIL_PROXY_SOCKS5H;
    nc->proxy_port = "1080";
    if (o->proxy_kind == 0) {
        p->kind = HAIL_PROXY_HTTP;
        nc->proxy_port = "3128";
    }
    if (*host == '[') {
        host++;
        end = strchr(host, ']');
        if (!end)
            return nc_fail("missing closing bracket in proxy");
        if (end[1] != ':' && end[1])
            return nc_fail("garbage proxy port delimiter");
        if (end[1])
            nc->proxy_port = end + 2;
    } else if (end) {
        nc->proxy_port = end + 1;
    } else {
        end = host + strlen(host);
    }
    if ((size_t)(end - host) >= sizeof nc->proxy_host)
        return nc_fail("%s", strerror(ENAMETOOLONG));
    memcpy(nc->proxy_host, host, (size_t)(end - host));
    return 0;
}

int nc_proxy(struct nc *nc)
{
    const struct nc_options *o = &nc->o;
    if (!o->proxy && !o->proxy_url)
        return 0;
    nc->proxied = true;
    if (o->proxy)
        return of_letters(nc, &nc->proxy);
    int rc = hail_proxy_parse(&nc->c->ctx, o->proxy_url, &nc->proxy);
    nc->proxy.insecure_certificate = o->insecure_certificate;
    return rc < 0 ? fail(nc->c) : 0;
}

static const char *reason_4(int code)
{
    static const char *const words[] = {"Request rejected or failed",
                                        "SOCKS server cannot connect to identd on the client",
                                        "Client program and identd report different user-ids"};
    return code >= 91 && code <= 93 ? words[code - 91] : "Unknown error";
}

static const char *reason_5(int code)
{
    static const char *const words[] = {
        "General SOCKS server failure", "Connection not allowed by ruleset",
        "Network unreachable",          "Host unreachable",
        "Connection refused",           "TTL expired",
        "Command not supported",        "Address type not supported"};
    return code >= 1 && code <= 8 ? words[code - 1] : "Unknown error";
}

int nc_proxy_refused(struct nc *nc, const struct hail_error *err)
{
    const struct hail_proxy *p = &nc->proxy;
    if (nc->o.proxy_url || err->layer != HAIL_LAYER_CONNECT) {
        struct common c = {.ctx = {.err = *err}};
        return fail(&c);
    }
    if (p->kind == HAIL_PROXY_HTTP && *p->said)
        return nc_fail("Proxy error: \"%s\"", p->said);
    if (p->kind == HAIL_PROXY_SOCKS5H && err->errnum == EACCES)
        return nc_fail("authentication method negotiation failed");
    if (err->errnum == ECONNREFUSED && err->detail > 0)
        return p->kind == HAIL_PROXY_SOCKS4
                   ? nc_fail("connection failed, SOCKSv4 error: %s", reason_4(err->detail))
                   : nc_fail("connection failed, SOCKSv5 error: %s", reason_5(err->detail));
    struct common c = {.ctx = {.err = *err}};
    fail(&c);
    return NC_FAILED;
}

bool nc_proxy_ask(struct nc *nc)
{
    char prompt[2 * NC_NAME_BYTES];
    struct hail_proxy *p = &nc->proxy;
    if (!nc->o.proxy_user || nc->asked == 2)
        return false;
    nc->asked++;
    snprintf(prompt, sizeof prompt, "Proxy password for %.200s@%.200s: ", nc->o.proxy_user,
             p->at.host);
    snprintf(p->user, sizeof p->user, "%s", nc->o.proxy_user);
    if (nc_ask(prompt, p->password, sizeof p->password))
        return true;
    nc_fail("Unable to read proxy passphrase");
    return false;
}
