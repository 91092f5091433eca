/* route.c - by which way a URL is reached: which address, through which proxy.
 *
 *     --unix-socket > --connect-to, --resolve > --proxy, --socks5 > the environment > directly
 *
 * What reaches the same server by the same way has the same key, and may share a connection.
 */
#include "get.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int usage(struct get_session *s, const char *option, const char *value)
{
    return hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "get", "%s '%s': not understood", option,
                     value);
}

/* --- no_proxy --- */

static bool within(const char *host, const char *domain, size_t n)
{
    size_t len = strlen(host);
    while (n && *domain == '.')
        domain++, n--;
    while (n && domain[n - 1] == '.')
        n--;
    if (n == 0 || len < n || strncasecmp(host + len - n, domain, n) != 0)
        return false;
    return len == n || host[len - n - 1] == '.';
}

/* "10.0.0.0/8", "[fd00::]/16" */
static bool in_network(const char *host, const char *text, size_t n)
{
    char net[INET6_ADDRSTRLEN + 8];
    unsigned char a[16], b[16];
    if (n >= sizeof net)
        return false;
    memcpy(net, text, n);
    net[n] = '\0';
    char *slash = strchr(net, '/');
    if (!slash)
        return false;
    *slash++ = '\0';
    int family = strchr(net, ':') ? AF_INET6 : AF_INET;
    char *end;
    long bits = strtol(slash, &end, 10);
    if (*end || bits < 0 || bits > (family == AF_INET ? 32 : 128) ||
        inet_pton(family, net, a) != 1 || inet_pton(family, host, b) != 1)
        return false;
    for (long i = 0; i < bits; i++)
        if ((a[i / 8] ^ b[i / 8]) & (0x80 >> (i % 8)))
            return false;
    return true;
}

bool get_no_proxy(const char *list, const char *host, uint16_t port)
{
    char end[8];
    snprintf(end, sizeof end, ":%u", port);
    while (list && *list) {
        list += strspn(list, ", \t");
        size_t n = strcspn(list, ", \t"), bare = n;
        if (n == 1 && *list == '*')
            return true;
        size_t m = strlen(end);
        if (n > m && strncmp(list + n - m, end, m) == 0)
            bare = n - m;
        const char *name = list;
        if (bare >= 2 && *name == '[' && name[bare - 1] == ']')
            name++, bare -= 2;
        if (bare && (within(host, name, bare) || in_network(host, name, bare)))
            return true;
        list += n;
    }
    return false;
}

/* --- --resolve and --connect-to --- */

/* Takes "host" or "[v6]" and the ':' behind it off the front; *n of it, without brackets. */
static const char *take_host(const char **at, size_t *n)
{
    const char *p = *at, *from = p;
    if (*p == '[') {
        from = ++p;
        p += strcspn(p, "]");
        *n = (size_t)(p - from);
        p += *p == ']';
    } else {
        p += strcspn(p, ":");
        *n = (size_t)(p - from);
    }
    if (*p != ':')
        return NULL;
    *at = p + 1;
    return from;
}

static bool is_host(const struct hail_url *u, const char *p, size_t n)
{
    return n == 0 || (strlen(u->host) == n && strncasecmp(u->host, p, n) == 0);
}

/* A port and the ':' behind it; 0 when there is none, -1. */
static long take_port(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    long port = strtol(digits ? *at : "0", NULL, 10);
    if ((*at)[digits] != ':' || digits > 5 || port > 65535)
        return -1;
    *at += digits + 1;
    return port;
}

/* The last that fits wins. 1: `host` and `port` are set. */
static int connect_to(struct get_session *s, const struct hail_url *u, char *host, size_t size,
                      uint16_t *port)
{
    const struct get_words *w = &s->asked->connect_to;
    for (size_t i = 0; i < w->n; i++) {
        const char *at = w->v[i];
        size_t n, m;
        const char *from = take_host(&at, &n);
        long p1 = from ? take_port(&at) : -1;
        const char *to = p1 >= 0 ? take_host(&at, &m) : NULL;
        char *end = NULL;
        long p2 = to ? strtol(at, &end, 10) : -1;
        if (!to || *end || p2 < 0 || p2 > 65535 || m >= size)
            return usage(s, "--connect-to", w->v[i]);
        if (!is_host(u, from, n) || (p1 && p1 != u->port))
            continue;
        if (m)
            snprintf(host, size, "%.*s", (int)m, to);
        *port = p2 ? (uint16_t)p2 : *port;
        return 1;
    }
    return 0;
}

static int resolve(struct get_session *s, const struct hail_url *u, char *host, size_t size)
{
    const struct get_words *w = &s->asked->resolve;
    for (size_t i = w->n; i-- > 0;) {
        const char *at = w->v[i] + (*w->v[i] == '+' || *w->v[i] == '-');
        size_t n;
        const char *from = take_host(&at, &n);
        long port = from ? take_port(&at) : -1;
        struct hail_endpoint numeric;
        size_t m = strcspn(at, ",");
        char text[INET6_ADDRSTRLEN + 32];
        bool bare6 = *at != '[' && memchr(at, ':', m);
        int len = snprintf(text, sizeof text, bare6 ? "[%.*s]" : "%.*s", (int)m, at);
        if (port < 0 || m == 0 || len >= (int)sizeof text ||
            hail_endpoint_parse(&s->c.ctx, &numeric, text, 1) < 0)
            return usage(s, "--resolve", w->v[i]);
        if (!(n == 1 && *from == '*') && !is_host(u, from, n))
            continue;
        if (port && port != u->port)
            continue;
        snprintf(host, size, "%s", numeric.host);
        return 1;
    }
    return 0;
}

/* --- proxies --- */

/* The proxy in words for this URL; NULL: none. */
static const char *proxy_text(struct get_session *s, const struct hail_url *u)
{
    const struct get_asked *a = s->asked;
    const char *no = a->no_proxy ? a->no_proxy : s->shared->proxies[3];
    const char *all = s->shared->proxies[2], *mine = s->shared->proxies[u->https];
    const char *text = a->proxy ? a->proxy : mine ? mine : all;
    return text && *text && !get_no_proxy(no, u->host, u->port) ? text : NULL;
}

static int read_proxy(struct get_session *s, const char *text, struct hail_proxy *out)
{
    const struct get_asked *a = s->asked;
    char whole[2 * HAIL_ENDPOINT_MAX + 2 * HAIL_PROXY_WORD];
    bool own = a->proxy == text && a->proxy_kind >= 0;
    const char *scheme = own ? hail_proxy_name((enum hail_proxy_kind)a->proxy_kind) : "http";
    const char *bare = own && strstr(text, "://") ? strstr(text, "://") + 3 : text;
    int n = snprintf(whole, sizeof whole, "%s%s%s", own || !strstr(text, "://") ? scheme : "",
                     own || !strstr(text, "://") ? "://" : "", bare);
    if (n < 0 || (size_t)n >= sizeof whole)
        return usage(s, "--proxy", text);
    while (n > 0 && whole[n - 1] == '/')
        whole[--n] = '\0';
    int rc = hail_proxy_parse(&s->c.ctx, whole, out);
    if (rc == 0 && a->proxy_user) {
        const char *colon = strchr(a->proxy_user, ':');
        size_t m = colon ? (size_t)(colon - a->proxy_user) : strlen(a->proxy_user);
        if (m > HAIL_PROXY_WORD || (colon && strlen(colon + 1) > HAIL_PROXY_WORD))
            return usage(s, "--proxy-user", "...");
        snprintf(out->user, sizeof out->user, "%.*s", (int)m, a->proxy_user);
        snprintf(out->password, sizeof out->password, "%s", colon ? colon + 1 : "");
    }
    out->insecure_certificate = a->proxy_insecure;
    return rc;
}

static bool speaks_http(const struct hail_proxy *p)
{
    return p->kind == HAIL_PROXY_HTTP || p->kind == HAIL_PROXY_HTTPS;
}

/* --- the whole --- */

static void make_key(const struct hail_url *u, const char *name, struct get_route *r)
{
    char to[HAIL_ENDPOINT_MAX], via[HAIL_ENDPOINT_MAX] = "";
    hail_endpoint_format(&r->to, to, sizeof to);
    if (r->has_proxy)
        hail_endpoint_format(&r->proxy.at, via, sizeof via);
    snprintf(r->key, sizeof r->key, "%s %s %s %s %.64s", u->https && !r->forwarding ? "tls" : "tcp",
             to,
             r->has_proxy    ? hail_proxy_name(r->proxy.kind)
             : r->forwarding ? "http"
                             : "-",
             via, u->https && !r->forwarding ? name : "");
}

int get_route(struct get_session *s, const struct hail_url *u, struct get_route *out)
{
    struct hail_ctx *ctx = &s->c.ctx;
    char host[HAIL_URL_HOST_MAX + IF_NAMESIZE + 2], where[sizeof host + 16];
    uint16_t port = u->port;
    memset(out, 0, sizeof *out);
    snprintf(host, sizeof host, *u->zone ? "%s%%%s" : "%s%s", u->host, u->zone);
    int rc = connect_to(s, u, host, sizeof host, &port);
    if (rc == 0)
        rc = resolve(s, u, host, sizeof host);
    if (rc < 0)
        return rc;
    snprintf(where, sizeof where, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    if (s->asked->unix_socket)
        snprintf(where, sizeof where, "unix:%s", s->asked->unix_socket);
    rc = hail_endpoint_parse(ctx, &out->to, where, 0);
    const char *text = s->asked->unix_socket ? NULL : proxy_text(s, u);
    if (rc == 0 && text) {
        rc = read_proxy(s, text, &out->proxy);
        out->forwarding = rc == 0 && speaks_http(&out->proxy) && !u->https && !s->asked->tunnel;
        out->has_proxy = rc == 0 && !out->forwarding;
        if (out->forwarding) {
            out->forward = out->proxy;
            out->to = out->proxy.at;
        }
    }
    if (rc == 0)
        make_key(u, u->host, out);
    return rc;
}
