/* cookie.c - taking cookies and sending them back: RFC 6265 sections 5.1 to 5.4; proto/cookie.h. */
#include "proto/cookie_jar.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIFE_MAX ((int64_t)400 * 24 * 3600) /* seconds: RFC 6265bis section 5.5 */

const char *hail_cookie_refusal_text(enum hail_cookie_refusal why)
{
    static const char *const texts[] = {
        [HAIL_COOKIE_TAKEN] = "taken",
        [HAIL_COOKIE_MALFORMED] = "malformed",
        [HAIL_COOKIE_TOO_LONG] = "too long",
        [HAIL_COOKIE_OTHER_DOMAIN] = "its Domain is not the server's",
        [HAIL_COOKIE_PUBLIC_SUFFIX] = "its Domain is a public suffix",
        [HAIL_COOKIE_NOT_SECURE] = "Secure, but it came over http",
        [HAIL_COOKIE_BAD_PREFIX] = "its name promises what its attributes do not keep",
        [HAIL_COOKIE_NO_MEMORY] = "out of memory",
    };
    return texts[why];
}

/* --- the jar --- */

void hail_cookie_jar_free(struct hail_cookie_jar *jar)
{
    for (struct hail_cookie *c = jar->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *jar = (struct hail_cookie_jar){0};
}

static void drop(struct hail_cookie_jar *jar, struct hail_cookie **at)
{
    struct hail_cookie *c = *at;
    *at = c->next;
    free(c);
    jar->n--;
}

void hail_cookie_end_session(struct hail_cookie_jar *jar)
{
    for (struct hail_cookie **at = &jar->first; *at;)
        if ((*at)->expires == 0)
            drop(jar, at);
        else
            at = &(*at)->next;
}

/* The oldest of a domain (NULL: of all) makes room. */
static void make_room(struct hail_cookie_jar *jar, const char *domain)
{
    size_t n = 0;
    struct hail_cookie **oldest = NULL;
    for (struct hail_cookie **at = &jar->first; *at; at = &(*at)->next) {
        if (domain && strcmp((*at)->domain, domain) != 0)
            continue;
        n++;
        oldest = oldest ? oldest : at;
    }
    if (oldest && n >= (domain ? HAIL_COOKIES_SITE : HAIL_COOKIES_MAX))
        drop(jar, oldest);
}

static const char *keep(char **to, struct hail_slice s, bool lower)
{
    char *p = *to;
    for (size_t i = 0; i < s.n; i++)
        p[i] = lower && s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    p[s.n] = '\0';
    *to += s.n + 1;
    return p;
}

struct hail_cookie *hail_cookie_make(const struct hail_cookie_reading *r, bool host_only)
{
    size_t n = r->name.n + r->value.n + r->domain.n + r->path.n + 4;
    struct hail_cookie *c = malloc(sizeof *c + n);
    if (!c)
        return NULL;
    char *at = (char *)(c + 1);
    *c = (struct hail_cookie){.expires = r->expires,
                              .host_only = host_only,
                              .secure = r->secure,
                              .http_only = r->http_only};
    c->name = keep(&at, r->name, false);
    c->value = keep(&at, r->value, false);
    c->domain = keep(&at, r->domain, true);
    c->path = keep(&at, r->path, false);
    return c;
}

/* One with the same name, domain and path is replaced, in its place; an expired one removes it. */
void hail_cookie_put(struct hail_cookie_jar *jar, struct hail_cookie *c, bool expired)
{
    struct hail_cookie **at = &jar->first;
    while (*at && (strcmp((*at)->name, c->name) != 0 || strcmp((*at)->domain, c->domain) != 0 ||
                   strcmp((*at)->path, c->path) != 0 || (*at)->host_only != c->host_only))
        at = &(*at)->next;
    if (*at) {
        c->next = (*at)->next;
        free(*at);
        *at = c;
        if (expired)
            drop(jar, at);
        return;
    }
    if (expired) {
        free(c);
        return;
    }
    make_room(jar, c->domain);
    make_room(jar, NULL);
    for (at = &jar->first; *at; at = &(*at)->next)
        continue;
    *at = c;
    jar->n++;
}

/* --- matching --- */

static bool is_address(const char *host)
{
    unsigned char addr[16];
    return inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1;
}

/* RFC 6265 section 5.1.3; both in lower case. */
static bool domain_matches(const char *host, const char *domain)
{
    size_t n = strlen(host), m = strlen(domain);
    if (n == m)
        return strcmp(host, domain) == 0;
    return n > m && strcmp(host + n - m, domain) == 0 && host[n - m - 1] == '.' &&
           !is_address(host);
}

/* RFC 6265 section 5.1.4. */
static bool path_matches(struct hail_slice path, const char *of)
{
    size_t n = strlen(of);
    if (path.n < n || memcmp(path.p, of, n) != 0)
        return false;
    return path.n == n || (n > 0 && of[n - 1] == '/') || path.p[n] == '/';
}

static struct hail_slice default_path(const struct hail_url *u)
{
    struct hail_slice path = hail_url_slice(u, u->path);
    while (path.n > 0 && path.p[path.n - 1] != '/')
        path.n--;
    if (path.n > 1)
        path.n--; /* without the last '/' */
    return path.n ? path : hail_slice("/");
}

/* --- taking --- */

struct hail_slice hail_cookie_cut(struct hail_slice *rest, char by)
{
    const char *at = rest->n ? memchr(rest->p, by, rest->n) : NULL;
    struct hail_slice s = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
    size_t used = s.n + (at != NULL);
    rest->p += used;
    rest->n -= used;
    return s;
}

static struct hail_slice trim(struct hail_slice s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Seconds from now, or a time that has long gone; what is no number leaves all as it was. */
static void max_age(struct hail_cookie_reading *r, struct hail_slice v, int64_t now)
{
    const int64_t most = LIFE_MAX;
    bool negative = v.n && *v.p == '-';
    int64_t s = 0;
    for (size_t i = negative; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return;
        s = s > most ? s : s * 10 + (v.p[i] - '0');
    }
    if (v.n == negative)
        return;
    r->has_max_age = true;
    r->expires = negative || s == 0 ? 1 : now + (s > most ? most : s);
}

static void attribute(struct hail_cookie_reading *r, struct hail_slice name, struct hail_slice v,
                      int64_t now)
{
    int64_t at;
    if (hail_slice_is_nocase(name, "Expires")) {
        if (!r->has_max_age && hail_cookie_date(v, &at) == 0)
            r->expires = at <= 0 ? 1 : at - LIFE_MAX > now ? now + LIFE_MAX : at;
    } else if (hail_slice_is_nocase(name, "Max-Age")) {
        max_age(r, v, now);
    } else if (hail_slice_is_nocase(name, "Domain")) {
        if (v.n && *v.p == '.')
            v.p++, v.n--;
        r->domain = v.n ? v : (struct hail_slice){0};
    } else if (hail_slice_is_nocase(name, "Path")) {
        r->path = v.n && *v.p == '/' && !memchr(v.p, '\t', v.n) ? v : (struct hail_slice){0};
    } else if (hail_slice_is_nocase(name, "Secure")) {
        r->secure = true;
    } else if (hail_slice_is_nocase(name, "HttpOnly")) {
        r->http_only = true;
    }
}

static enum hail_cookie_refusal take_apart(struct hail_cookie_reading *r, struct hail_slice value,
                                           int64_t now)
{
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') || value.p[i] == 0x7F)
            return HAIL_COOKIE_MALFORMED;
    struct hail_slice rest = value, pair = hail_cookie_cut(&rest, ';');
    bool named = pair.n && memchr(pair.p, '=', pair.n);
    r->name = named ? trim(hail_cookie_cut(&pair, '=')) : (struct hail_slice){"", 0};
    r->value = trim(pair);
    if (r->name.n + r->value.n == 0)
        return HAIL_COOKIE_MALFORMED;
    if (r->name.n + r->value.n > HAIL_COOKIE_MAX)
        return HAIL_COOKIE_TOO_LONG;
    if (r->name.n && memchr(r->name.p, '\t', r->name.n))
        return HAIL_COOKIE_MALFORMED; /* a column of its own in the file */
    while (rest.n) {
        struct hail_slice a = hail_cookie_cut(&rest, ';'), name = trim(hail_cookie_cut(&a, '='));
        a = trim(a);
        if (a.n <= HAIL_COOKIE_ATTRIBUTE_MAX)
            attribute(r, name, a, now);
    }
    return HAIL_COOKIE_TAKEN;
}

static bool has_prefix(struct hail_slice name, const char *prefix)
{
    size_t n = strlen(prefix);
    return name.n >= n && strncasecmp(name.p, prefix, n) == 0;
}

/* Whether a prefix of the name is kept to: RFC 6265bis section 5.7, steps 20 to 22. Without a name
 * the value is what is sent first. */
static bool keeps_prefix(const struct hail_cookie_reading *r, bool bare_host)
{
    if (!r->name.n)
        return !has_prefix(r->value, "__Secure-") && !has_prefix(r->value, "__Host-");
    return (r->secure || !has_prefix(r->name, "__Secure-")) &&
           ((r->secure && bare_host) || !has_prefix(r->name, "__Host-"));
}

/* Whether a site may set a cookie for the domain: RFC 6265 section 5.3, steps 5 and 6. */
static enum hail_cookie_refusal check_domain(struct hail_cookie_reading *r, const char *host,
                                             bool *host_only)
{
    char domain[HAIL_URL_HOST_MAX + 1], *at = domain;
    *host_only = !r->domain.p;
    if (!r->domain.p) {
        r->domain = hail_slice(host);
        return HAIL_COOKIE_TAKEN;
    }
    if (r->domain.n > HAIL_URL_HOST_MAX)
        return HAIL_COOKIE_TOO_LONG;
    keep(&at, r->domain, true);
    if (!domain_matches(host, domain))
        return HAIL_COOKIE_OTHER_DOMAIN;
    if (is_address(host) || psl_is_public_suffix(psl_builtin(), domain)) {
        if (strcmp(host, domain) != 0)
            return HAIL_COOKIE_PUBLIC_SUFFIX;
        *host_only = true;
    }
    return HAIL_COOKIE_TAKEN;
}

/* A cookie from http may not take the place of a secure one: RFC 6265bis section 5.7, step 15. */
static bool over_secure(const struct hail_cookie_jar *jar, const struct hail_cookie *c)
{
    for (const struct hail_cookie *o = jar->first; o; o = o->next)
        if (o->secure && strcmp(o->name, c->name) == 0 &&
            (domain_matches(o->domain, c->domain) || domain_matches(c->domain, o->domain)) &&
            path_matches(hail_slice(c->path), o->path))
            return true;
    return false;
}

enum hail_cookie_refusal hail_cookie_set(struct hail_cookie_jar *jar, const struct hail_url *from,
                                         struct hail_slice value, int64_t now)
{
    struct hail_cookie_reading r = {0};
    bool host_only;
    enum hail_cookie_refusal why = take_apart(&r, value, now);
    bool bare_host = !r.domain.p && r.path.p && hail_slice_is(r.path, "/");
    if (why == HAIL_COOKIE_TAKEN)
        why = check_domain(&r, from->host, &host_only);
    if (why != HAIL_COOKIE_TAKEN)
        return why;
    if (r.secure && !from->https)
        return HAIL_COOKIE_NOT_SECURE;
    if (!keeps_prefix(&r, bare_host))
        return HAIL_COOKIE_BAD_PREFIX;
    if (!r.path.p)
        r.path = default_path(from);
    if (r.path.n > HAIL_COOKIE_ATTRIBUTE_MAX)
        return HAIL_COOKIE_TOO_LONG;
    struct hail_cookie *c = hail_cookie_make(&r, host_only);
    if (!c)
        return HAIL_COOKIE_NO_MEMORY;
    if (!from->https && over_secure(jar, c)) {
        free(c);
        return HAIL_COOKIE_NOT_SECURE;
    }
    hail_cookie_put(jar, c, r.expires && r.expires <= now);
    return HAIL_COOKIE_TAKEN;
}

/* --- sending --- */

static bool goes_to(const struct hail_cookie *c, const struct hail_url *to, struct hail_slice path,
                    int64_t now)
{
    return (c->expires == 0 || c->expires > now) && (!c->secure || to->https) &&
           (c->host_only ? strcmp(c->domain, to->host) == 0
                         : domain_matches(to->host, c->domain)) &&
           path_matches(path, c->path);
}

/* Longest path first; of one length, in the order of the jar, which is that of their coming. */
size_t hail_cookie_header(const struct hail_cookie_jar *jar, const struct hail_url *to, int64_t now,
                          struct hail_buf *out)
{
    struct hail_slice path = hail_url_slice(to, to->path);
    size_t n = 0, at_most = SIZE_MAX;
    for (;;) {
        size_t longest = 0;
        bool more = false;
        for (const struct hail_cookie *c = jar->first; c; c = c->next) {
            size_t len = strlen(c->path);
            if (len < at_most && (!more || len > longest) && goes_to(c, to, path, now)) {
                longest = len;
                more = true;
            }
        }
        if (!more)
            return n;
        for (const struct hail_cookie *c = jar->first; c; c = c->next) {
            if (strlen(c->path) != longest || !goes_to(c, to, path, now) ||
                out->len + strlen(c->name) + strlen(c->value) + 3 > HAIL_COOKIE_HEADER)
                continue;
            hail_buf_printf(out, "%s%s%s%s", n++ ? "; " : "", c->name, *c->name ? "=" : "",
                            c->value);
        }
        at_most = longest;
    }
}
