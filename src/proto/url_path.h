/* url_path.h - percent codes and dot segments: what url.c and url_path.c share. */
#ifndef HAIL_PROTO_URL_PATH_H
#define HAIL_PROTO_URL_PATH_H

#include "proto/http_scan.h"

/* The value of a hexadecimal digit, or -1. */
static inline int hail_url_hex(char c)
{
    if (!hail_http_is(c, HAIL_HTTP_HEX))
        return -1;
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Does "%" and two digits stand at `p`? */
static inline bool hail_url_is_code(const char *p, const char *end)
{
    return end - p >= 3 && *p == '%' && hail_url_hex(p[1]) >= 0 && hail_url_hex(p[2]) >= 0;
}

/* The byte that the code at `p` stands for. */
static inline char hail_url_code(const char *p)
{
    return (char)(hail_url_hex(p[1]) * 16 + hail_url_hex(p[2]));
}

/* Takes the dot segments (also written as "%2e") out of the path from `start`, which begins with
 * '/', to `end`, in place: RFC 3986 section 5.2.4. Returns its new end. */
char *hail_url_remove_dots(char *start, const char *end);

#endif
