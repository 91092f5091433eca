/* disposition.c - names for files that a server proposes; proto/disposition.h. */
#include "proto/disposition.h"

#include "base/text.h"
#include "proto/http_scan.h"
#include "proto/url_path.h"

#include <errno.h>
#include <string.h>

/* Takes "name=value" off the front, the value raw: quoted still, or a token. */
static bool next(struct hail_slice *rest, struct hail_slice *name, struct hail_slice *value)
{
    const char *p = rest->p, *end = rest->p + rest->n;
    while (p < end && (*p == ';' || *p == ' ' || *p == '\t'))
        p++;
    const char *from = p;
    while (p < end && *p != ';' && *p != '=' && *p != ' ' && *p != '\t')
        p++;
    *name = (struct hail_slice){from, (size_t)(p - from)};
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    *value = (struct hail_slice){p, 0};
    if (p < end && *p == '=') {
        p++;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        from = p;
        bool quoted = p < end && *p == '"';
        for (p += quoted; p < end && (quoted ? *p != '"' : *p != ';'); p++)
            p += quoted && *p == '\\' && end - p > 1;
        p += quoted && p < end;
        *value = (struct hail_slice){from, (size_t)(p - from)};
    }
    *rest = (struct hail_slice){p, (size_t)(end - p)};
    return name->n > 0;
}

/* The last segment, if it may be a file's name. */
static ssize_t usable(char *name, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (name[i] == '/' || name[i] == '\\')
            at = i + 1;
    n -= at;
    memmove(name, name + at, n);
    name[n] = '\0';
    if (n == 0 || n > 255 || *name == '.' || *name == '-' || !hail_utf8_valid(name, n))
        return -EINVAL;
    uint32_t cp;
    for (size_t i = 0; i < n; i += hail_utf8_next(name + i, n - i, &cp))
        if (hail_utf8_next(name + i, n - i, &cp) == 0 || hail_utf8_unsafe(cp))
            return -EINVAL;
    return (ssize_t)n;
}

static ssize_t plain(struct hail_slice v, char *out, size_t size)
{
    size_t n = 0;
    bool quoted = v.n >= 2 && *v.p == '"' && v.p[v.n - 1] == '"';
    for (size_t i = quoted; i < v.n - quoted; i++) {
        if (quoted && v.p[i] == '\\' && i + 1 < v.n - quoted)
            i++;
        if (n + 1 >= size || v.p[i] == '\0')
            return -EINVAL;
        out[n++] = v.p[i];
    }
    while (!quoted && n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    return usable(out, n);
}

static ssize_t decode(struct hail_slice v, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (hail_url_is_code(v.p + i, v.p + v.n)) {
            c = hail_url_code(v.p + i);
            i += 2;
        }
        if (n + 1 >= size || c == '\0')
            return -EINVAL;
        out[n++] = c;
    }
    return usable(out, n);
}

/* charset'language'percent-encoded, RFC 8187 section 3.2. */
static ssize_t extended(struct hail_slice v, char *out, size_t size)
{
    const char *quote = v.n ? memchr(v.p, '\'', v.n) : NULL;
    struct hail_slice charset = {v.p, quote ? (size_t)(quote - v.p) : 0};
    const char *second = quote ? memchr(quote + 1, '\'', v.n - charset.n - 1) : NULL;
    if (!second || !hail_slice_is_nocase(charset, "UTF-8"))
        return -EINVAL;
    return decode((struct hail_slice){second + 1, (size_t)(v.p + v.n - second - 1)}, out, size);
}

ssize_t hail_disposition_name(struct hail_slice value, char *out, size_t size)
{
    struct hail_slice rest = value, name, v, best = {0}, star = {0};
    next(&rest, &name, &v); /* the type: "attachment" */
    while (next(&rest, &name, &v)) {
        if (hail_slice_is_nocase(name, "filename*"))
            star = v;
        else if (hail_slice_is_nocase(name, "filename") && !best.p)
            best = v;
    }
    ssize_t n = star.p ? extended(star, out, size) : -ENOENT;
    if (n < 0 && best.p)
        n = plain(best, out, size);
    return n;
}

ssize_t hail_path_name(struct hail_slice path, char *out, size_t size)
{
    for (size_t i = path.n; i-- > 0;)
        if (path.p[i] == '/') {
            path.p += i + 1;
            path.n -= i + 1;
            break;
        }
    for (size_t i = 0; i + 2 < path.n; i++)
        if (hail_url_is_code(path.p + i, path.p + path.n) && path.p[i] == '%' &&
            hail_url_hex(path.p[i + 1]) == 2 && hail_url_hex(path.p[i + 2]) == 15)
            return -EINVAL; /* an encoded slash is no part of a name */
    return decode(path, out, size);
}
