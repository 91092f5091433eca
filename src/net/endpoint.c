/* endpoint.c - reading and writing endpoints; the grammar is in include/hail/endpoint.h.
 *
 * The reader goes once from left to right over a slice; every complaint names the column where the
 * part that is wrong begins. Addresses are in addr.c.
 */
#include <hail/endpoint.h>
#include <hail/services.h>

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is being read, for the error messages. */
struct reader {
    struct hail_ctx *ctx;
    const char *text;
    struct hail_endpoint ep;
};

static const char *const transports[] = {NULL, "tcp:", "udp:", "tls:"};

static int bad(struct reader *r, const char *at, const char *why)
{
    return hail_fail(r->ctx, HAIL_LAYER_USAGE, EINVAL, "parse", "endpoint '%s', column %d: %s",
                     r->text, (int)(at - r->text) + 1, why);
}

static bool is_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return n > 0;
}

/* A port: a number, or a service's name in the IANA registry. */
static int read_port(struct reader *r, const char *p, size_t n)
{
    if (n == 0)
        return bad(r, p, "a port or a service is missing here");
    if (is_digits(p, n)) {
        unsigned long v = 0;
        for (size_t i = 0; i < n && v <= 65535; i++)
            v = v * 10 + (unsigned long)(p[i] - '0');
        if (v > 65535)
            return bad(r, p, "a port is at most 65535");
        r->ep.port = (uint16_t)v;
        r->ep.has_port = true;
        return 0;
    }
    char name[64];
    if (n >= sizeof name)
        return bad(r, p, "too long for a service's name");
    memcpy(name, p, n);
    name[n] = '\0';
    bool udp = r->ep.transport == HAIL_UDP;
    if (hail_service_port(name, udp ? HAIL_SERVICE_UDP : HAIL_SERVICE_TCP, &r->ep.port) < 0)
        return bad(r, p, udp ? "no UDP service of this name" : "no TCP service of this name");
    r->ep.has_port = true;
    return 0;
}

static int read_ipv6(struct reader *r, const char *p, size_t n)
{
    const char *zone = memchr(p, '%', n);
    size_t len = zone ? (size_t)(zone - p) : n;
    char text[INET6_ADDRSTRLEN];
    struct in6_addr in6;
    if (len >= sizeof text)
        return bad(r, p, "not an IPv6 address");
    memcpy(text, p, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &in6) != 1)
        return bad(r, p, "not an IPv6 address");
    if (zone) {
        size_t zlen = n - len - 1;
        if (zlen == 0 || zlen >= sizeof r->ep.zone)
            return bad(r, zone + 1, "a zone is an interface's name of 1 to 15 bytes, or its index");
        for (size_t i = 1; i <= zlen; i++)
            if (zone[i] <= ' ' || zone[i] > '~' || strchr("/[]%", zone[i]))
                return bad(r, zone + i, "this cannot be in a zone");
        memcpy(r->ep.zone, zone + 1, zlen);
    }
    r->ep.kind = HAIL_HOST_IPV6;
    inet_ntop(AF_INET6, &in6, r->ep.host, sizeof r->ep.host);
    return 0;
}

/* Characters that no host name has, and that mean something in URLs or shells. */
static const char not_in_names[] = "/\\?#@[]<>^`{|}:%\"'()*,;!$&=+~";

/* A name: labels of 1 to 63 bytes, UTF-8 for IDN; a last label of digits must be IPv4. */
static int read_name(struct reader *r, const char *p, size_t n)
{
    if (n > HAIL_HOST_MAX)
        return bad(r, p, "a host name has at most 253 bytes");
    size_t label = 0; /* where the present label begins */
    size_t last = 0, last_len = 0;
    for (size_t i = 0; i <= n;) {
        if (i == n || p[i] == '.') {
            if (i == label && !(i == n && i > 0))
                return bad(r, p + i, "a name has an empty part here");
            if (i - label > 63)
                return bad(r, p + label, "a part of a name has at most 63 bytes");
            if (i > label) {
                last = label;
                last_len = i - label;
            }
            label = ++i;
            continue;
        }
        uint32_t cp;
        size_t len = hail_utf8_next(p + i, n - i, &cp);
        if (!len || cp <= ' ' || (cp >= 0x7F && cp < 0xA0) ||
            (cp < 0x80 && strchr(not_in_names, (int)cp)))
            return bad(r, p + i, "this cannot be in a host name");
        i += len;
    }
    memcpy(r->ep.host, p, n);
    r->ep.host[n] = '\0';
    r->ep.kind = HAIL_HOST_NAME;
    if (!is_digits(p + last, last_len))
        return 0;
    struct in_addr in4;
    if (inet_pton(AF_INET, r->ep.host, &in4) != 1)
        return bad(r, p,
                   last_len == n ? "a number is no host; a port alone is written \":PORT\""
                                 : "not an IPv4 address");
    inet_ntop(AF_INET, &in4, r->ep.host, sizeof r->ep.host);
    r->ep.kind = HAIL_HOST_IPV4;
    return 0;
}

static int read_unix(struct reader *r, const char *p, size_t n)
{
    bool abstract = n > 0 && *p == '@';
    p += abstract;
    n -= abstract;
    if (n == 0)
        return bad(r, p, "a path or @name is missing here");
    if (n >= sizeof((struct sockaddr_un *)0)->sun_path)
        return bad(r, p, "a Unix address has at most 107 bytes");
    r->ep.kind = abstract ? HAIL_HOST_ABSTRACT : HAIL_HOST_UNIX;
    memcpy(r->ep.host, p, n);
    return 0;
}

/* A host alone: no port can be in it. */
static int read_host(struct reader *r, const char *p, size_t n)
{
    if (n == 0)
        return bad(r, p, "a host is missing here");
    if (n == 1 && *p == '*')
        return 0;
    if (*p == '[') {
        if (p[n - 1] != ']')
            return bad(r, p, "the bracket is not closed");
        return read_ipv6(r, p + 1, n - 2);
    }
    return memchr(p, ':', n) ? read_ipv6(r, p, n) : read_name(r, p, n);
}

/* host, host:port, :port, [v6]:port, or a bare IPv6 address. */
static int read_where(struct reader *r, const char *p, size_t n)
{
    const char *end = p + n;
    if (n > 0 && *p == '[') {
        const char *close = memchr(p, ']', n);
        if (!close)
            return bad(r, p, "the bracket is not closed");
        int rc = read_ipv6(r, p + 1, (size_t)(close - p) - 1);
        if (rc < 0 || close + 1 == end)
            return rc;
        if (close[1] != ':')
            return bad(r, close + 1, "only \":PORT\" can follow the bracket");
        return read_port(r, close + 2, (size_t)(end - close) - 2);
    }
    const char *colon = memchr(p, ':', n);
    if (!colon || memchr(colon + 1, ':', (size_t)(end - colon) - 1))
        return read_host(r, p, n);
    if (colon > p) {
        int rc = read_host(r, p, (size_t)(colon - p));
        if (rc < 0)
            return rc;
    }
    return read_port(r, colon + 1, (size_t)(end - colon) - 1);
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* Takes the transport's prefix off. A lone "tcp:80" would be a host named 80, which cannot be. */
static const char *read_transport(struct reader *r, const char *p)
{
    for (int t = HAIL_TCP; t <= HAIL_TLS; t++) {
        if (strncmp(p, transports[t], 4) == 0) {
            r->ep.transport = (enum hail_transport)t;
            return p + 4;
        }
    }
    return p;
}

static int read_endpoint(struct reader *r, const char *service)
{
    const char *p = read_transport(r, r->text);
    if (strncmp(p, "unix:", 5) == 0) {
        if (service)
            return bad(r, p, "a Unix address has no port");
        return read_unix(r, p + 5, strlen(p + 5));
    }
    size_t n = strlen(p);
    if (service) {
        int rc = read_host(r, p, n);
        if (rc < 0)
            return rc;
        struct reader port = {r->ctx, service, r->ep}; /* columns count in the second word */
        rc = read_port(&port, service, strlen(service));
        r->ep = port.ep;
        return rc;
    }
    size_t host = strcspn(p, " \t");
    if (host == n)
        return read_where(r, p, n);
    int rc = read_host(r, p, host);
    if (rc < 0)
        return rc;
    const char *port = skip_blanks(p + host);
    size_t len = strcspn(port, " \t");
    if (*skip_blanks(port + len))
        return bad(r, skip_blanks(port + len), "nothing can follow the port");
    return read_port(r, port, len);
}

int hail_endpoint_parse2(struct hail_ctx *ctx, struct hail_endpoint *ep, const char *host,
                         const char *service, uint16_t default_port)
{
    struct reader r = {.ctx = ctx, .text = host};
    int rc = read_endpoint(&r, service);
    if (rc < 0)
        return rc;
    bool is_unix = r.ep.kind == HAIL_HOST_UNIX || r.ep.kind == HAIL_HOST_ABSTRACT;
    if (!r.ep.has_port && default_port && !is_unix) {
        r.ep.port = default_port;
        r.ep.has_port = true;
    }
    *ep = r.ep;
    return 0;
}

int hail_endpoint_parse(struct hail_ctx *ctx, struct hail_endpoint *ep, const char *text,
                        uint16_t default_port)
{
    return hail_endpoint_parse2(ctx, ep, text, NULL, default_port);
}

/* A host that is called like a prefix is written apart from its port ("tls 443"), so that it is not
 * taken for one. */
static bool reads_as_prefix(const struct hail_endpoint *ep)
{
    if (strcmp(ep->host, "unix") == 0)
        return true;
    for (int t = HAIL_TCP; t <= HAIL_TLS; t++)
        if (strncmp(ep->host, transports[t], 3) == 0 && !ep->host[3])
            return ep->transport == HAIL_TRANSPORT_ANY;
    return false;
}

int hail_endpoint_format(const struct hail_endpoint *ep, char *out, size_t size)
{
    const char *transport = ep->transport ? transports[ep->transport] : "";
    char port[8] = "";
    if (ep->has_port)
        snprintf(port, sizeof port, "%c%u",
                 ep->kind == HAIL_HOST_NAME && reads_as_prefix(ep) ? ' ' : ':', ep->port);
    switch (ep->kind) {
    case HAIL_HOST_UNIX:
        return snprintf(out, size, "%sunix:%s", transport, ep->host);
    case HAIL_HOST_ABSTRACT:
        return snprintf(out, size, "%sunix:@%s", transport, ep->host);
    case HAIL_HOST_IPV6:
        return snprintf(out, size, "%s[%s%s%s]%s", transport, ep->host, *ep->zone ? "%" : "",
                        ep->zone, port);
    case HAIL_HOST_ANY:
        return snprintf(out, size, "%s%s%s", transport, ep->has_port ? "" : "*", port);
    case HAIL_HOST_IPV4:
    case HAIL_HOST_NAME:
        break;
    }
    return snprintf(out, size, "%s%s%s", transport, ep->host, port);
}

bool hail_endpoint_equal(const struct hail_endpoint *a, const struct hail_endpoint *b)
{
    return a->transport == b->transport && a->kind == b->kind && a->has_port == b->has_port &&
           a->port == b->port && strcmp(a->zone, b->zone) == 0 && strcmp(a->host, b->host) == 0;
}
