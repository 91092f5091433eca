/* url_path.c - between the path of a URL and the name of a file: include/hail/url.h. */
#include <hail/url.h>

#include "proto/url_path.h"

#include <errno.h>

/* How many dots a segment is: 1 for "." and "%2e", 2 for "..", 0 for another. */
static int dots(const char *p, const char *end)
{
    int n = 0;
    while (p < end) {
        bool code = hail_url_is_code(p, end) && p[1] == '2' && (p[2] | 0x20) == 'e';
        if ((!code && *p != '.') || ++n > 2)
            return 0;
        p += code ? 3 : 1;
    }
    return n;
}

char *hail_url_remove_dots(char *start, const char *end)
{
    char *out = start;
    for (char *p = start; p < end;) {
        char *stop = p + 1;
        while (stop < end && *stop != '/')
            stop++;
        int n = dots(p + 1, stop);
        if (n == 2) {
            while (out > start && *--out != '/')
                ;
        }
        if (n == 0) {
            memmove(out, p, (size_t)(stop - p));
            out += stop - p;
        } else if (stop == end) {
            *out++ = '/';
        }
        p = stop;
    }
    return out;
}

/* Decodes the segment from `p` to `end` to `out`, at most `room` bytes. Its length, or -errno. */
static ssize_t decode_segment(const char *p, const char *end, char *out, size_t room)
{
    size_t n = 0;
    while (p < end) {
        char c = *p++;
        if (c == '%') {
            int high = end - p >= 2 ? hail_url_hex(p[0]) : -1,
                low = high >= 0 ? hail_url_hex(p[1]) : -1;
            if (low < 0)
                return -EINVAL;
            c = (char)(high * 16 + low);
            p += 2;
            if (c == '/')
                return -EINVAL;
        }
        if (c == '\0')
            return -EINVAL;
        if (n == room)
            return -ENAMETOOLONG;
        out[n++] = c;
    }
    return (ssize_t)n;
}

/* Where the last of the `len` bytes' segments begins, with the '/' in front of it. */
static size_t parent(const char *out, size_t len)
{
    while (len > 0 && out[--len] != '/')
        ;
    return len;
}

ssize_t hail_url_path(struct hail_slice path, char *out, size_t size)
{
    const char *p = path.p, *end = p + path.n;
    size_t len = 0;
    bool directory = false; /* the last segment names none: a '/' at the end */
    if (path.n == 0 || *p != '/')
        return -EINVAL;
    if (size == 0)
        return -ENAMETOOLONG;
    while (p < end) {
        const char *stop = memchr(p + 1, '/', (size_t)(end - p - 1));
        stop = stop ? stop : end;
        size_t at = len + (len > 0);
        if (at >= size)
            return -ENAMETOOLONG;
        ssize_t n = decode_segment(p + 1, stop, out + at, size - 1 - at);
        if (n < 0)
            return n;
        p = stop;
        const char *segment = out + at;
        bool up = n == 2 && segment[0] == '.' && segment[1] == '.';
        directory = up || n == 0 || (n == 1 && segment[0] == '.');
        if (up) {
            len = parent(out, len);
        } else if (!directory) {
            if (len > 0)
                out[len] = '/';
            len = at + (size_t)n;
        }
    }
    if (directory && len > 0) {
        if (len + 1 >= size)
            return -ENAMETOOLONG;
        out[len++] = '/';
    }
    out[len] = '\0';
    return (ssize_t)len;
}

ssize_t hail_url_encode_path(struct hail_slice path, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        /* RFC 3986 section 3.3: a pchar is what a host may have, ':' and '@' */
        bool plain = (hail_http_is((char)c, HAIL_HTTP_HOSTCHAR) && c != '%') || c == ':' ||
                     c == '@' || c == '/';
        if (len + (plain ? 1 : 3) >= size)
            return -ENAMETOOLONG;
        if (plain) {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = digits[c >> 4];
        out[len++] = digits[c & 15];
    }
    if (len >= size)
        return -ENAMETOOLONG;
    out[len] = '\0';
    return (ssize_t)len;
}
