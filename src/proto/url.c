/* url.c - reading URLs of http and https, and resolving references: RFC 3986 sections 3, 5 and 6.
 *
 *   text --split()--> raw parts --build()--> struct hail_url, normalised
 *
 * A reference takes from its base the parts that it lacks, between the two steps.
 */
#include <hail/url.h>

#include "base/error.h"
#include "proto/http_scan.h"
#include "proto/url_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/* Who is meant: checked and decoded. */
struct authority {
    struct hail_slice user; /* raw; p NULL: none */
    bool ipv6;
    uint16_t port; /* 0: the scheme's */
    char host[HAIL_URL_HOST_MAX + 1], zone[IF_NAMESIZE];
};

/* A URL taken apart, the rest still raw; p is NULL for what is not there. */
struct parts {
    bool https, has_authority;
    struct authority who;
    struct hail_slice above; /* of the base's path, in front of `path` */
    struct hail_slice path, query, fragment;
};

/* The text being read, and where errors are told. */
struct reader {
    struct hail_ctx *ctx;
    struct hail_slice text;
};

/* Fails at `at`, with the column. Returns -errnum. */
static int bad(const struct reader *r, int errnum, const char *at, const char *why)
{
    enum { SHOWN = 56 }; /* each byte may take four columns, and the column must not be cut off */
    int n = r->text.n > SHOWN ? SHOWN : (int)r->text.n;
    return hail_fail(r->ctx, HAIL_LAYER_USAGE, errnum, "parse", "URL \"%.*s%s\": %s at column %zu",
                     n, r->text.p, r->text.n > SHOWN ? "..." : "", why,
                     (size_t)(at - r->text.p) + 1);
}

static struct hail_slice span(const char *from, const char *to)
{
    return (struct hail_slice){from, (size_t)(to - from)};
}

/* The first byte of `set` from `p` on, or `end`. */
static const char *find(const char *p, const char *end, const char *set)
{
    while (p < end && (*p == '\0' || !strchr(set, *p)))
        p++;
    return p;
}

/* "[" IPv6 [ "%" zone ] "]", the zone also as RFC 6874's "%25". */
static int ipv6_host(const struct reader *r, const char *p, const char *close,
                     struct authority *who)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    const char *stop = find(p, close, "%"), *zone = stop;
    size_t n = (size_t)(stop - p);
    if (n >= sizeof text)
        return bad(r, EINVAL, p, "not an IPv6 address");
    memcpy(text, p, n);
    text[n] = '\0';
    if (memchr(text, '\0', n) || inet_pton(AF_INET6, text, &addr) != 1)
        return bad(r, EINVAL, p, "not an IPv6 address");
    if (zone < close) {
        zone += close - zone > 3 && memcmp(zone, "%25", 3) == 0 ? 3 : 1;
        n = (size_t)(close - zone);
        if (n == 0 || n >= sizeof who->zone)
            return bad(r, EINVAL, zone, "not a zone");
        for (const char *q = zone; q < close; q++)
            if (!hail_http_is(*q, HAIL_HTTP_HOSTCHAR) || *q == '%')
                return bad(r, EINVAL, q, "not a zone");
        memcpy(who->zone, zone, n);
        who->zone[n] = '\0';
    }
    who->ipv6 = true;
    inet_ntop(AF_INET6, &addr, who->host, sizeof who->host);
    return 0;
}

/* A name or an IPv4 address: decoded, in lower case; what it means is the resolver's business. */
static int name_host(const struct reader *r, const char *p, const char *end, struct authority *who)
{
    size_t n = 0;
    if (p == end)
        return bad(r, EINVAL, p, "no host");
    while (p < end) {
        const char *at = p;
        char c = *p++;
        if (hail_url_is_code(at, end)) {
            c = (char)(hail_url_hex(at[1]) * 16 + hail_url_hex(at[2]));
            p = at + 3;
        }
        if ((unsigned char)c <= ' ' || c == 0x7F || strchr("\"#%/:<>?@[\\]^`{|}", c))
            return bad(r, EINVAL, at, "a byte that no host has");
        if (n == HAIL_URL_HOST_MAX)
            return bad(r, ENAMETOOLONG, at, "the host is too long");
        who->host[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    who->host[n] = '\0';
    return 0;
}

/* [ user "@" ] host [ ":" port ], RFC 3986 section 3.2. */
static int authority(const struct reader *r, const char *p, const char *end, struct authority *who)
{
    memset(who, 0, sizeof *who);
    for (const char *q = end; q > p; q--)
        if (q[-1] == '@') {
            if (q - 1 > p)
                who->user = span(p, q - 1);
            p = q;
            break;
        }
    const char *stop;
    int rc;
    if (p < end && *p == '[') {
        stop = find(p, end, "]");
        if (stop == end)
            return bad(r, EINVAL, p, "'[' without ']'");
        rc = ipv6_host(r, p + 1, stop++, who);
    } else {
        stop = find(p, end, ":");
        rc = name_host(r, p, stop, who);
    }
    if (rc < 0 || stop == end)
        return rc;
    if (*stop != ':')
        return bad(r, EINVAL, stop, "neither ':' nor '/' after the host");
    unsigned port = 0;
    for (p = stop + 1; p < end; p++) {
        if ((unsigned char)(*p - '0') > 9)
            return bad(r, EINVAL, p, "the port is not a number");
        port = port * 10 + (unsigned)(*p - '0');
        if (port > 65535)
            return bad(r, EINVAL, stop + 1, "the port is above 65535");
    }
    if (port == 0 && end > stop + 1)
        return bad(r, EINVAL, stop + 1, "there is no port 0");
    who->port = (uint16_t)port;
    return 0;
}

/* The end of a scheme's name (where its ':' is) at `p`, or NULL. */
static const char *scheme_end(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && (((unsigned)(*q | 0x20) - 'a') < 26 ||
                       (q > p && (((unsigned)*q - '0') < 10 || strchr("+-.", *q)) && *q)))
        q++;
    return q > p && q < end && *q == ':' ? q : NULL;
}

/* Takes `r->text` apart. With `bare`, what has no "scheme://" begins with a host (what people
 * type); without, it is a reference. */
static int split(const struct reader *r, bool bare, bool https, struct parts *parts)
{
    const char *p = r->text.p, *end = p + r->text.n;
    memset(parts, 0, sizeof *parts);
    while (p < end && (unsigned char)*p <= ' ')
        p++;
    while (end > p && (unsigned char)end[-1] <= ' ')
        end--;
    const char *colon = scheme_end(p, end);
    if (colon && bare && (end - colon < 3 || colon[1] != '/' || colon[2] != '/'))
        colon = NULL;
    parts->https = https;
    if (colon) {
        struct hail_slice scheme = span(p, colon);
        parts->https = hail_slice_is_nocase(scheme, "https");
        if (!parts->https && !hail_slice_is_nocase(scheme, "http"))
            return bad(r, EPROTONOSUPPORT, p, "a scheme other than http and https");
        p = colon + 1;
        if (end - p < 2 || p[0] != '/' || p[1] != '/')
            return bad(r, EINVAL, p, "no \"//\" after the scheme");
    }
    bool slashes = end - p >= 2 && p[0] == '/' && p[1] == '/';
    if (slashes || bare) {
        p += slashes ? 2 : 0;
        const char *stop = find(p, end, "/?#");
        int rc = authority(r, p, stop, &parts->who);
        if (rc < 0)
            return rc;
        parts->has_authority = true;
        p = stop;
    }
    const char *stop = find(p, end, "?#");
    parts->path = span(p, stop);
    if (stop < end && *stop == '?') {
        p = stop + 1;
        stop = find(p, end, "#");
        parts->query = span(p, stop);
    }
    if (stop < end)
        parts->fragment = span(stop + 1, end);
    return 0;
}

/* Appends; a URL that is full stays so, and is told at the end. */
static void put(struct hail_url *u, bool *full, const char *p, size_t n)
{
    if (*full || n > (size_t)(HAIL_URL_MAX - u->len)) {
        *full = true;
        return;
    }
    memcpy(u->text + u->len, p, n);
    u->len = (uint16_t)(u->len + n);
}

/* Percent-encodes what no URL may have, and the byte `also` ('\0': none). */
static void put_encoded(struct hail_url *u, bool *full, struct hail_slice s, unsigned char also)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        const char *p = s.p + i;
        unsigned char c = (unsigned char)*p;
        bool encode = c <= ' ' || c >= 0x7F || strchr("\"#<>\\^`{|}", c) || c == also;
        if (c == '%')
            encode = !hail_url_is_code(p, s.p + s.n);
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        put(u, full, encode ? code : p, encode ? 3 : 1);
    }
}

static struct hail_url_part part(size_t at, size_t to, bool there)
{
    return (struct hail_url_part){(uint16_t)at, (uint16_t)(to - at), there};
}

static void build_authority(struct hail_url *u, const struct parts *p, bool *full)
{
    const struct authority *who = &p->who;
    u->https = p->https;
    u->ipv6 = who->ipv6;
    memcpy(u->host, who->host, sizeof u->host);
    memcpy(u->zone, who->zone, sizeof u->zone);
    uint16_t standard = p->https ? 443 : 80;
    u->port = who->port ? who->port : standard;
    put(u, full, "https://", p->https ? 5 : 4);
    put(u, full, "://", 3);
    size_t at = u->len;
    if (who->user.p) {
        put_encoded(u, full, who->user, '@');
        u->user = part(at, u->len, true);
        put(u, full, "@", 1);
        at = u->len;
    }
    char text[HAIL_URL_HOST_MAX + 16];
    int n = snprintf(text, sizeof text, u->ipv6 ? "[%s]" : "%s", u->host);
    if (u->port != standard)
        n += snprintf(text + n, sizeof text - (size_t)n, ":%u", u->port);
    put(u, full, text, (size_t)n);
    u->authority = part(at, u->len, true);
}

/* Writes the normalised URL; `out` may be what the parts point into. */
static int build(const struct reader *r, const struct parts *p, struct hail_url *out)
{
    struct hail_url u;
    bool full = false;
    memset(&u, 0, offsetof(struct hail_url, text));
    build_authority(&u, p, &full);
    size_t at = u.len;
    struct hail_slice first = p->above.n ? p->above : p->path;
    if (first.n == 0 || first.p[0] != '/')
        put(&u, &full, "/", 1);
    put_encoded(&u, &full, p->above, '\0');
    put_encoded(&u, &full, p->path, '\0');
    if (!full)
        u.len = (uint16_t)(hail_url_remove_dots(u.text + at, u.text + u.len) - u.text);
    u.path = u.target = part(at, u.len, true);
    if (p->query.p) {
        put(&u, &full, "?", 1);
        put_encoded(&u, &full, p->query, '\0');
        u.query = part(u.target.at + u.target.n + 1U, u.len, true);
        u.target = part(at, u.len, true);
    }
    if (p->fragment.p) {
        put(&u, &full, "#", 1);
        at = u.len;
        put_encoded(&u, &full, p->fragment, '\0');
        u.fragment = part(at, u.len, true);
    }
    if (full)
        return bad(r, ENAMETOOLONG, r->text.p, "too long");
    u.text[u.len] = '\0';
    memcpy(out, &u, offsetof(struct hail_url, text) + u.len + 1U);
    return 0;
}

struct hail_slice hail_url_slice(const struct hail_url *u, struct hail_url_part part)
{
    return part.there ? (struct hail_slice){u->text + part.at, part.n} : (struct hail_slice){0};
}

int hail_url_parse(struct hail_ctx *ctx, struct hail_url *u, const char *text)
{
    struct reader r = {ctx, hail_slice(text)};
    struct parts parts;
    int rc = split(&r, true, false, &parts);
    return rc < 0 ? rc : build(&r, &parts, u);
}

/* The parts of a URL that was read, for another to be made of. */
static struct authority authority_of(const struct hail_url *u)
{
    struct authority who = {.user = hail_url_slice(u, u->user), .ipv6 = u->ipv6, .port = u->port};
    memcpy(who.host, u->host, sizeof who.host);
    memcpy(who.zone, u->zone, sizeof who.zone);
    return who;
}

int hail_url_resolve(struct hail_ctx *ctx, struct hail_url *u, const struct hail_url *base,
                     struct hail_slice ref)
{
    struct reader r = {ctx, ref.p ? ref : hail_slice("")};
    struct parts parts;
    int rc = split(&r, false, base->https, &parts);
    if (rc < 0)
        return rc;
    if (!parts.has_authority) { /* RFC 3986 section 5.2.2 */
        parts.who = authority_of(base);
        struct hail_slice path = hail_url_slice(base, base->path);
        if (parts.path.n == 0) {
            parts.path = path;
            if (!parts.query.p)
                parts.query = hail_url_slice(base, base->query);
        } else if (parts.path.p[0] != '/') {
            while (path.n > 0 && path.p[path.n - 1] != '/')
                path.n--;
            parts.above = path;
        }
    }
    if (!parts.fragment.p)
        parts.fragment = hail_url_slice(base, base->fragment);
    return build(&r, &parts, u);
}

int hail_url_set_host(struct hail_ctx *ctx, struct hail_url *u, const char *host)
{
    struct reader r = {ctx, hail_slice(host)};
    struct parts parts = {.https = u->https, .who = authority_of(u)};
    parts.who.ipv6 = false;
    parts.who.zone[0] = '\0';
    int rc = name_host(&r, r.text.p, r.text.p + r.text.n, &parts.who);
    if (rc < 0)
        return rc;
    parts.path = hail_url_slice(u, u->path);
    parts.query = hail_url_slice(u, u->query);
    parts.fragment = hail_url_slice(u, u->fragment);
    return build(&r, &parts, u);
}

bool hail_url_same_origin(const struct hail_url *a, const struct hail_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->zone, b->zone) == 0;
}
