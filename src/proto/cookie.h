/* cookie.h - cookies: RFC 6265 with what RFC 6265bis tightened, in memory, and the Netscape file.
 *
 *   Set-Cookie --hail_cookie_set()--> jar --hail_cookie_header()--> Cookie
 *   lines of a file --hail_cookie_line()--> jar --hail_cookie_put_lines()--> lines
 *
 * Sans-I/O: the time is the caller's, seconds since 1970. What a site may set for another is
 * decided by the list of public suffixes (libpsl's own, publicsuffix.org).
 */
#ifndef HAIL_PROTO_COOKIE_H
#define HAIL_PROTO_COOKIE_H

#include <hail/url.h>

#include "base/buf.h"

#define HAIL_COOKIE_MAX    4096 /* bytes of name and value together; of domain and path each 1,024 */
#define HAIL_COOKIES_SITE  180  /* of one domain; the oldest goes */
#define HAIL_COOKIES_MAX   3000 /* in the jar */
#define HAIL_COOKIE_HEADER 8192 /* bytes of a Cookie field */

/* The strings follow the struct in its own memory. */
struct hail_cookie {
    struct hail_cookie *next;
    int64_t expires; /* 0: at the session's end */
    bool host_only, secure, http_only;
    const char *name, *value, *domain, *path;
};

/* In the order in which the cookies came. */
struct hail_cookie_jar {
    struct hail_cookie *first;
    size_t n;
};

/* Empty is all zero. */
void hail_cookie_jar_free(struct hail_cookie_jar *jar);

/* Why a cookie was not taken. */
enum hail_cookie_refusal {
    HAIL_COOKIE_TAKEN = 0,
    HAIL_COOKIE_MALFORMED, /* neither name nor value, a control byte, or a TAB in the name */
    HAIL_COOKIE_TOO_LONG,
    HAIL_COOKIE_OTHER_DOMAIN,  /* the host is not within the Domain */
    HAIL_COOKIE_PUBLIC_SUFFIX, /* the Domain is everybody's: "co.uk" */
    HAIL_COOKIE_NOT_SECURE,    /* Secure, or over a secure one, from http */
    HAIL_COOKIE_BAD_PREFIX,    /* __Secure- or __Host- without what they promise */
    HAIL_COOKIE_NO_MEMORY,
};
const char *hail_cookie_refusal_text(enum hail_cookie_refusal why);

/* Takes the value of a Set-Cookie field of a response from `from`: RFC 6265 sections 5.2 and 5.3.
 * One that has expired removes its like. */
enum hail_cookie_refusal hail_cookie_set(struct hail_cookie_jar *jar, const struct hail_url *from,
                                         struct hail_slice value, int64_t now);

/* Appends the value of the Cookie field for a request of `to` ("a=1; b=2"; nothing if there is
 * none), longer paths first: RFC 6265 section 5.4. Returns how many. */
size_t hail_cookie_header(const struct hail_cookie_jar *jar, const struct hail_url *to, int64_t now,
                          struct hail_buf *out);

/* A line of a Netscape cookie file: domain, subdomains too, path, secure, expires, name, value,
 * with TABs between; 0 or nothing for expires is the session's end. 1: taken (one that has expired
 * removes its like), 0: a comment or empty, -EINVAL: malformed, -ENOMEM. */
int hail_cookie_line(struct hail_cookie_jar *jar, struct hail_slice line, int64_t now);

/* All that have not expired, a line each. Returns out->failed. */
int hail_cookie_put_lines(const struct hail_cookie_jar *jar, int64_t now, struct hail_buf *out);

/* Cookies without an expiry go. */
void hail_cookie_end_session(struct hail_cookie_jar *jar);

/* A date of an Expires attribute, which follows no format strictly: RFC 6265 section 5.1.1. Seconds
 * since 1970; 0, or -EINVAL. */
int hail_cookie_date(struct hail_slice text, int64_t *out);

#endif
