/* cookie_jar.h - what cookie.c and cookie_file.c share: a cookie as it was read, on its way into
 * the jar. */
#ifndef HAIL_PROTO_COOKIE_JAR_H
#define HAIL_PROTO_COOKIE_JAR_H

#include "proto/cookie.h"

#define HAIL_COOKIE_ATTRIBUTE_MAX 1024 /* bytes of a domain or path: RFC 6265bis section 5.6 */

/* A Set-Cookie field taken apart, or a line of a file. */
struct hail_cookie_reading {
    struct hail_slice name, value, domain, path; /* domain without its first '.'; p NULL: none */
    int64_t expires;
    bool has_max_age, has_expires, secure, http_only;
};

/* Up to the next `by` or the end; what is behind it stays in `rest`. */
struct hail_slice hail_cookie_cut(struct hail_slice *rest, char by);

/* A cookie with its own copies of the texts; NULL without memory. */
struct hail_cookie *hail_cookie_make(const struct hail_cookie_reading *r, bool host_only);

/* Puts it in, or with `expired` takes its like out; the jar owns it then. */
void hail_cookie_put(struct hail_cookie_jar *jar, struct hail_cookie *c, bool expired);

#endif
