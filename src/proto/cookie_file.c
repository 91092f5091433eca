/* cookie_file.c - the Netscape cookie file, line by line; proto/cookie.h. */
#include "proto/cookie_jar.h"

#include <errno.h>
#include <string.h>

static bool is_true(struct hail_slice s)
{
    return hail_slice_is_nocase(s, "TRUE");
}

/* What no cookie of a response can have, and what would end the line of a Cookie field. */
static bool has_control(struct hail_slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7F)
            return true;
    return false;
}

int hail_cookie_line(struct hail_cookie_jar *jar, struct hail_slice line, int64_t now)
{
    struct hail_cookie_reading r = {.http_only =
                                        line.n > 10 && memcmp(line.p, "#HttpOnly_", 10) == 0};
    struct hail_slice rest = line;
    while (rest.n && (rest.p[rest.n - 1] == '\r' || rest.p[rest.n - 1] == '\n'))
        rest.n--;
    rest.p += r.http_only ? 10 : 0;
    rest.n -= r.http_only ? 10 : 0;
    if (rest.n == 0 || *rest.p == '#')
        return 0;
    if (has_control(rest))
        return -EINVAL;
    r.domain = hail_cookie_cut(&rest, '\t');
    bool below = is_true(hail_cookie_cut(&rest, '\t'));
    r.path = hail_cookie_cut(&rest, '\t');
    r.secure = is_true(hail_cookie_cut(&rest, '\t'));
    struct hail_slice expires = hail_cookie_cut(&rest, '\t');
    r.name = hail_cookie_cut(&rest, '\t');
    r.value = rest;
    for (size_t i = 0; i < expires.n; i++) {
        if (expires.p[i] < '0' || expires.p[i] > '9')
            return -EINVAL;
        /* curl writes the largest number there is for a Max-Age that is larger */
        r.expires = r.expires >= INT64_MAX / 10 ? INT64_MAX : r.expires * 10 + (expires.p[i] - '0');
    }
    if (r.domain.n && *r.domain.p == '.')
        r.domain.p++, r.domain.n--;
    if (r.domain.n == 0 || *r.domain.p == '.' || *r.domain.p == '#' ||
        r.domain.n > HAIL_URL_HOST_MAX || r.path.n == 0 || *r.path.p != '/' ||
        r.path.n > HAIL_COOKIE_ATTRIBUTE_MAX || r.name.n + r.value.n == 0 ||
        r.name.n + r.value.n > HAIL_COOKIE_MAX)
        return -EINVAL;
    struct hail_cookie *c = hail_cookie_make(&r, !below);
    if (!c)
        return -ENOMEM;
    hail_cookie_put(jar, c, r.expires && r.expires <= now);
    return 1;
}

int hail_cookie_put_lines(const struct hail_cookie_jar *jar, int64_t now, struct hail_buf *out)
{
    for (const struct hail_cookie *c = jar->first; c; c = c->next)
        if (c->expires == 0 || c->expires > now)
            hail_buf_printf(out, "%s%s%s\t%s\t%s\t%s\t%lld\t%s\t%s\n",
                            c->http_only ? "#HttpOnly_" : "", c->host_only ? "" : ".", c->domain,
                            c->host_only ? "FALSE" : "TRUE", c->path, c->secure ? "TRUE" : "FALSE",
                            (long long)c->expires, c->name, c->value);
    return out->failed;
}
