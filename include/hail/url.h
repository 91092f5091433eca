/* url.h - URLs of http and https (RFC 3986, and the WHATWG's repairs of what people type), and the
 * safe path of a request's target. Sans-I/O: the name in a URL is not looked up here.
 */
#ifndef HAIL_URL_H
#define HAIL_URL_H

#include <hail/slice.h>
#include <net/if.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HAIL_URL_MAX      8192 /* bytes of a normalised URL */
#define HAIL_URL_HOST_MAX 253

/* Where a part stands in hail_url.text; `there` tells an empty one from none. */
struct hail_url_part {
    uint16_t at, n;
    bool there;
};

/* A value: copy it freely, it owns nothing.
 *
 *   http://user:pw@host:8080/path?query#fragment
 *          ------- ---------           --------
 *          user    authority           fragment
 *                           -----------
 *                           target = path [ "?" query ]
 *
 * The authority is what a Host field says: without user, zone and the default port. An IPv6 zone is
 * not part of `text`. Each part is percent-encoded by the standard's set for it; dot segments are
 * gone; an IPv4 address in any spelling ("0x7f.1") is dotted. */
struct hail_url {
    bool https;
    bool ipv6;                        /* the host was in brackets */
    uint16_t port;                    /* written or 80, 443 */
    char host[HAIL_URL_HOST_MAX + 1]; /* without brackets, lower case, A-labels */
    char zone[IF_NAMESIZE];           /* of an IPv6 address; empty: none */
    struct hail_url_part user, authority, target, path, query, fragment;
    uint16_t len;
    char text[HAIL_URL_MAX + 1]; /* NUL-ended */
};

/* A part as a slice of `u`; {NULL, 0} when it is not there. */
HAIL_API struct hail_slice hail_url_slice(const struct hail_url *u, struct hail_url_part part);

/* Reads `text` as browsers do (the WHATWG's URL standard); without a scheme it is http
 * ("host:8080/x"). White space around it is dropped, and so are TAB, CR and LF within.
 * Returns 0, or -EINVAL (-EPROTONOSUPPORT for another scheme, -ENAMETOOLONG) with layer usage; the
 * message gives the column, counted from 1. A name that IDNA does not know is -EINVAL with layer
 * name. */
HAIL_API int hail_url_parse(struct hail_ctx *ctx, struct hail_url *u, const char *text);

/* The same, but dot segments stay in the path. */
HAIL_API int hail_url_parse_as_is(struct hail_ctx *ctx, struct hail_url *u, const char *text);

/* Resolves a reference (a Location field's value) against `base`, as browsers do; the
 * fragment of the base is inherited where the reference has none (RFC 9110 section 10.2.2). `u` may
 * be `base`. The same errors. */
HAIL_API int hail_url_resolve(struct hail_ctx *ctx, struct hail_url *u, const struct hail_url *base,
                              struct hail_slice ref);

/* Scheme, host and port are the same: RFC 6454 section 5. */
HAIL_API bool hail_url_same_origin(const struct hail_url *a, const struct hail_url *b);

/* For servers: decodes a request's path ("/a/%62/../c") into a path relative to the root ("a/c"),
 * NUL-ended, in `out`. Percent-encoding is undone first, then "." and ".." go and empty segments
 * are joined; nothing climbs above the root. A final '/' stays; the root itself is "". An encoded
 * slash or NUL is refused, since it would mean another path than the one that was written.
 * A path that does not begin with '/' is refused, too.
 * Returns the length, -EINVAL, or -ENAMETOOLONG; `out` holds nothing of use then. */
HAIL_API ssize_t hail_url_path(struct hail_slice path, char *out, size_t size);

/* Percent-encodes what may not stand in a URL's path (all but RFC 3986 pchar and '/'), to make
 * links from file names. Returns the length without the NUL, or -ENAMETOOLONG. */
HAIL_API ssize_t hail_url_encode_path(struct hail_slice path, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
