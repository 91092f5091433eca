/* url.c - reading URLs of http and https, and resolving references, as browsers do it: the parser
 * of the WHATWG's URL standard, written as what comes of its states (url_host.c lists what
 * differs).
 *
 *   text --clean()--> --split()--> raw parts --build()--> struct hail_url, normalised
 *
 * A reference takes from its base the parts that it lacks, between the last two steps.
 */
#include <hail/url.h>

#include "base/error.h"
#include "proto/url_host.h"
#include "proto/url_path.h"

#include <errno.h>
#include <stdio.h>

/* Percent-encoded besides control bytes and those above 0x7E: the standard's sets. */
static const char in_fragment[] = " \"<>`", in_query[] = " \"#<>'", in_path[] = " \"#<>?^`{}",
                  in_user[] = " \"#<>?^`{}/:;=@[\\]|";

/* A URL taken apart, the rest still raw; p is NULL for what is not there. */
struct parts {
    bool https, has_authority, dots; /* `dots`: dot segments stay */
    struct hail_url_authority who;
    struct hail_slice above; /* of the base's path, in front of `path` */
    struct hail_slice path, query, fragment;
};

/* TAB, LF and CR have no meaning anywhere in a URL. */
static bool skipped(char c)
{
    return c == '\t' || c == '\n' || c == '\r';
}

int hail_url_bad(const struct hail_url_reader *r, int errnum, const char *at, const char *why)
{
    enum { SHOWN = 56 }; /* each byte may take four columns, and the column must not be cut off */
    struct hail_slice w = r->whole;
    size_t column = 0, kept = (size_t)(at - r->text);
    while (column < w.n && (unsigned char)w.p[column] <= ' ')
        column++;
    for (; column < w.n && (kept > 0 || skipped(w.p[column])); column++)
        kept -= !skipped(w.p[column]);
    return hail_fail(r->ctx, HAIL_LAYER_USAGE, errnum, "parse", "URL \"%.*s%s\": %s at column %zu",
                     w.n > SHOWN ? SHOWN : (int)w.n, w.p, w.n > SHOWN ? "..." : "", why,
                     column + 1);
}

/* Takes the text in. */
static int clean(struct hail_url_reader *r, struct hail_ctx *ctx, struct hail_slice text)
{
    r->ctx = ctx;
    r->whole = text;
    r->len = 0;
    const char *p = text.p, *end = p + text.n;
    while (p < end && (unsigned char)*p <= ' ')
        p++;
    while (end > p && (unsigned char)end[-1] <= ' ')
        end--;
    for (; p < end; p++) {
        if (skipped(*p))
            continue;
        if (r->len == sizeof r->text)
            return hail_url_bad(r, ENAMETOOLONG, r->text, "too long");
        r->text[r->len++] = *p;
    }
    return 0;
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

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
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

/* Reads the scheme at *p, if there is one, and passes it; with `bare`, "name:" may as well be a
 * host's name and what follows its port. *https keeps its value without one. 1: there was one, 0,
 * or -errno. */
static int scheme(const struct hail_url_reader *r, bool bare, const char **p, bool *https)
{
    const char *end = r->text + r->len, *colon = scheme_end(*p, end);
    if (!colon)
        return 0;
    struct hail_slice name = span(*p, colon);
    bool secure = hail_slice_is_nocase(name, "https");
    if (!secure && !hail_slice_is_nocase(name, "http")) {
        if (bare && !(end - colon >= 3 && is_slash(colon[1]) && is_slash(colon[2])))
            return 0;
        return hail_url_bad(r, EPROTONOSUPPORT, *p, "a scheme other than http and https");
    }
    *https = secure;
    *p = colon + 1;
    return 1;
}

/* Takes the text apart. Without a base, what has no scheme begins with a host (what people type);
 * with one, it is a reference. */
static int split(const struct hail_url_reader *r, const struct hail_url *base, struct parts *parts)
{
    const char *p = r->text, *end = p + r->len, *stop;
    memset(parts, 0, sizeof *parts);
    parts->https = base && base->https;
    int named = scheme(r, !base, &p, &parts->https);
    if (named < 0)
        return named;
    /* "http:x" is relative to a base of the same scheme */
    if (named && base && parts->https == base->https &&
        !(end - p >= 2 && p[0] == '/' && p[1] == '/'))
        named = 0;
    size_t slashes = 0;
    while (p + slashes < end && is_slash(p[slashes]))
        slashes++;
    if (!base || named || slashes >= 2) {
        p += named || slashes >= 2 ? slashes : 0;
        stop = find(p, end, "/\\?#");
        int rc = hail_url_authority(r, p, stop, &parts->who);
        if (rc < 0)
            return rc;
        parts->has_authority = true;
        p = stop;
    }
    stop = find(p, end, "?#");
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

static void put_encoded(struct hail_url *u, bool *full, struct hail_slice s, const char *set)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool encode = c < ' ' || c >= 0x7F || strchr(set, c);
        char code[3] = {'%', digits[c >> 4], digits[c & 15]};
        put(u, full, encode ? code : s.p + i, encode ? 3 : 1);
    }
}

/* A path: "\\" is '/'. */
static void put_path(struct hail_url *u, bool *full, struct hail_slice s)
{
    while (s.n > 0) {
        const char *end = s.p + s.n, *stop = find(s.p, end, "\\");
        put_encoded(u, full, span(s.p, stop), in_path);
        if (stop < end)
            put(u, full, "/", 1);
        s = span(stop + (stop < end), end);
    }
}

static struct hail_url_part part(size_t at, size_t to, bool there)
{
    return (struct hail_url_part){(uint16_t)at, (uint16_t)(to - at), there};
}

/* The user and the password, each encoded; a user without a name and a password is none. */
static void build_user(struct hail_url *u, struct hail_slice user, bool *full)
{
    const char *end = user.p + user.n, *colon = find(user.p, end, ":");
    size_t at = u->len;
    put_encoded(u, full, span(user.p, colon), in_user);
    if (end - colon > 1) {
        put(u, full, ":", 1);
        put_encoded(u, full, span(colon + 1, end), in_user);
    }
    if (u->len > at) {
        u->user = part(at, u->len, true);
        put(u, full, "@", 1);
    }
}

static void build_authority(struct hail_url *u, const struct parts *p, bool *full)
{
    const struct hail_url_authority *who = &p->who;
    u->https = p->https;
    u->ipv6 = who->ipv6;
    memcpy(u->host, who->host, sizeof u->host);
    memcpy(u->zone, who->zone, sizeof u->zone);
    uint16_t standard = p->https ? 443 : 80;
    u->port = who->port ? who->port : standard;
    put(u, full, "https://", p->https ? 5 : 4);
    put(u, full, "://", 3);
    if (who->user.p)
        build_user(u, who->user, full);
    size_t at = u->len;
    char text[HAIL_URL_HOST_MAX + 16];
    int n = snprintf(text, sizeof text, u->ipv6 ? "[%s]" : "%s", u->host);
    if (u->port != standard)
        n += snprintf(text + n, sizeof text - (size_t)n, ":%u", u->port);
    put(u, full, text, (size_t)n);
    u->authority = part(at, u->len, true);
}

/* Writes the normalised URL; `out` may be what the parts point into. */
static int build(const struct hail_url_reader *r, const struct parts *p, struct hail_url *out)
{
    struct hail_url u;
    bool full = false;
    memset(&u, 0, offsetof(struct hail_url, text));
    build_authority(&u, p, &full);
    size_t at = u.len;
    struct hail_slice first = p->above.n ? p->above : p->path;
    if (first.n == 0 || !is_slash(first.p[0]))
        put(&u, &full, "/", 1);
    put_path(&u, &full, p->above);
    put_path(&u, &full, p->path);
    if (!full && !p->dots)
        u.len = (uint16_t)(hail_url_remove_dots(u.text + at, u.text + u.len) - u.text);
    u.path = u.target = part(at, u.len, true);
    if (p->query.p) {
        put(&u, &full, "?", 1);
        put_encoded(&u, &full, p->query, in_query);
        u.query = part(u.target.at + u.target.n + 1U, u.len, true);
        u.target = part(at, u.len, true);
    }
    if (p->fragment.p) {
        put(&u, &full, "#", 1);
        at = u.len;
        put_encoded(&u, &full, p->fragment, in_fragment);
        u.fragment = part(at, u.len, true);
    }
    if (full)
        return hail_url_bad(r, ENAMETOOLONG, r->text, "too long");
    u.text[u.len] = '\0';
    memcpy(out, &u, offsetof(struct hail_url, text) + u.len + 1U);
    return 0;
}

struct hail_slice hail_url_slice(const struct hail_url *u, struct hail_url_part part)
{
    return part.there ? (struct hail_slice){u->text + part.at, part.n} : (struct hail_slice){0};
}

static int parse(struct hail_ctx *ctx, struct hail_url *u, const char *text, bool dots)
{
    struct hail_url_reader r;
    struct parts parts;
    int rc = clean(&r, ctx, hail_slice(text));
    rc = rc < 0 ? rc : split(&r, NULL, &parts);
    if (rc < 0)
        return rc;
    parts.dots = dots;
    return build(&r, &parts, u);
}

int hail_url_parse(struct hail_ctx *ctx, struct hail_url *u, const char *text)
{
    return parse(ctx, u, text, false);
}

int hail_url_parse_as_is(struct hail_ctx *ctx, struct hail_url *u, const char *text)
{
    return parse(ctx, u, text, true);
}

/* The parts of a URL that was read, for another to be made of. */
static struct hail_url_authority authority_of(const struct hail_url *u)
{
    struct hail_url_authority who = {
        .user = hail_url_slice(u, u->user), .ipv6 = u->ipv6, .port = u->port};
    memcpy(who.host, u->host, sizeof who.host);
    memcpy(who.zone, u->zone, sizeof who.zone);
    return who;
}

int hail_url_resolve(struct hail_ctx *ctx, struct hail_url *u, const struct hail_url *base,
                     struct hail_slice ref)
{
    struct hail_url_reader r;
    struct parts parts;
    int rc = clean(&r, ctx, ref.p ? ref : hail_slice(""));
    rc = rc < 0 ? rc : split(&r, base, &parts);
    if (rc < 0)
        return rc;
    if (!parts.has_authority) {
        parts.who = authority_of(base);
        struct hail_slice path = hail_url_slice(base, base->path);
        if (parts.path.n == 0) {
            parts.path = path;
            if (!parts.query.p)
                parts.query = hail_url_slice(base, base->query);
        } else if (!is_slash(parts.path.p[0])) {
            while (path.n > 0 && path.p[path.n - 1] != '/')
                path.n--;
            parts.above = path;
        }
    }
    if (!parts.fragment.p)
        parts.fragment = hail_url_slice(base, base->fragment);
    return build(&r, &parts, u);
}

bool hail_url_same_origin(const struct hail_url *a, const struct hail_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->zone, b->zone) == 0;
}
