/* url_host.c - who is meant by a URL: names, IPv4 addresses in all their spellings, IPv6 addresses,
 * ports, by the host parser of the WHATWG's URL standard. Called by url.c.
 *
 * What differs from the standard, and why: an IPv6 address may have a zone (RFC 6874), since
 * link-local addresses are nothing without; port 0 is refused, since nobody listens there; a name
 * has at most 253 bytes, since DNS carries no longer one; labels that are not ASCII obey IDNA 2008,
 * which has no emoji, no punctuation and no '-' at their ends; and what is ASCII goes to DNS as it
 * is, be it "xn--" and no A-label.
 */
#include "proto/url_host.h"

#include "base/error.h"
#include "proto/idn.h"
#include "proto/url_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/* The first `c` from `p` on, or `end`. */
static const char *find(const char *p, const char *end, char c)
{
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
}

/* --- addresses --- */

/* The text of RFC 5952 without its dotted form: the longest run of zeros, two at least, is left
 * out, the first of equals. */
static void put_ipv6(const uint8_t a[16], char *out, size_t size)
{
    unsigned v[8], run = 8, len = 1;
    for (size_t i = 0; i < 8; i++)
        v[i] = a[2 * i] * 256U + a[2 * i + 1];
    for (unsigned i = 0, n; i < 8; i += n + 1) {
        for (n = 0; i + n < 8 && v[i + n] == 0;)
            n++;
        if (n > len) {
            run = i;
            len = n;
        }
    }
    size_t n = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (i == run) {
            n += (size_t)snprintf(out + n, size - n, i == 0 ? "::" : ":");
            i += len - 1;
        } else {
            n += (size_t)snprintf(out + n, size - n, i == 7 ? "%x" : "%x:", v[i]);
        }
    }
}

/* IPv6 [ "%" zone ], the zone also as RFC 6874's "%25". */
static int ipv6_host(const struct hail_url_reader *r, const char *p, const char *close,
                     struct hail_url_authority *who)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    const char *stop = find(p, close, '%'), *zone = stop;
    size_t n = (size_t)(stop - p);
    if (n >= sizeof text)
        return hail_url_bad(r, EINVAL, p, "not an IPv6 address");
    memcpy(text, p, n);
    text[n] = '\0';
    if (memchr(text, '\0', n) || inet_pton(AF_INET6, text, &addr) != 1)
        return hail_url_bad(r, EINVAL, p, "not an IPv6 address");
    if (zone < close) {
        zone += close - zone > 3 && memcmp(zone, "%25", 3) == 0 ? 3 : 1;
        n = (size_t)(close - zone);
        if (n == 0 || n >= sizeof who->zone)
            return hail_url_bad(r, EINVAL, zone, "not a zone");
        for (const char *q = zone; q < close; q++)
            if (!hail_http_is(*q, HAIL_HTTP_HOSTCHAR) || *q == '%')
                return hail_url_bad(r, EINVAL, q, "not a zone");
        memcpy(who->zone, zone, n);
        who->zone[n] = '\0';
    }
    who->ipv6 = true;
    put_ipv6(addr.s6_addr, who->host, sizeof who->host);
    return 0;
}

/* "10", "0xa", "012": the IPv4 number parser. Values above 32 bits stay above. */
static bool number(const char *p, const char *end, uint64_t *v)
{
    int base = 10;
    *v = 0;
    if (p == end)
        return false;
    if (end - p >= 2 && *p == '0') {
        base = 8;
        if (*++p == 'x') {
            base = 16;
            p++;
        }
    }
    for (; p < end; p++) {
        int digit = hail_url_hex(*p);
        if (digit < 0 || digit >= base)
            return false;
        if (*v <= UINT32_MAX)
            *v = *v * (unsigned)base + (unsigned)digit;
    }
    return true;
}

/* Makes the dotted form of a host that ends in a number; one to four parts, the last fills the
 * bytes that are left. 1: done so, 0: it is a name, -1: neither. */
static int ipv4_host(char *host, size_t size)
{
    const char *end = host + strlen(host);
    if (end > host && end[-1] == '.')
        end--;
    const char *last = end;
    while (last > host && last[-1] != '.')
        last--;
    uint64_t v[4], addr;
    if (!number(last, end, &addr) &&
        (last == end || strspn(last, "0123456789") < (size_t)(end - last)))
        return 0;
    unsigned n = 0;
    for (const char *p = host;; n++) {
        const char *stop = find(p, end, '.');
        if (n == 4 || !number(p, stop, &v[n]))
            return -1;
        if (stop == end)
            break;
        if (v[n] > 255)
            return -1;
        p = stop + 1;
    }
    if (v[n] >= UINT64_C(1) << (8 * (4 - n)))
        return -1;
    addr = v[n];
    for (unsigned i = 0; i < n; i++)
        addr |= v[i] << (8 * (3 - i));
    snprintf(host, size, "%u.%u.%u.%u", (unsigned)(addr >> 24), (unsigned)(addr >> 16 & 255),
             (unsigned)(addr >> 8 & 255), (unsigned)(addr & 255));
    return 1;
}

/* --- names --- */

/* A forbidden domain code point. */
static bool forbidden(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F || strchr("#%/:<>?@[\\]^|", c);
}

/* Undoes percent-encoding. *out is NUL-ended, in lower case as far as it is ASCII. */
static int decode(const struct hail_url_reader *r, const char *p, const char *end, char *out,
                  size_t size)
{
    size_t n = 0;
    while (p < end) {
        const char *at = p;
        char c = *p++;
        if (hail_url_is_code(at, end)) {
            c = hail_url_code(at);
            p = at + 3;
        }
        if (forbidden(c))
            return hail_url_bad(r, EINVAL, at, "a byte that no host has");
        if (n == size - 1)
            return hail_url_bad(r, ENAMETOOLONG, at, "the host is too long");
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    out[n] = '\0';
    return 0;
}

/* A name, as DNS and the wire have it, or an IPv4 address. */
static int name_host(const struct hail_url_reader *r, const char *p, const char *end,
                     struct hail_url_authority *who)
{
    char name[4 * HAIL_URL_HOST_MAX]; /* UTF-8 may be longer than what becomes of it */
    const char *why;
    int rc = decode(r, p, end, name, sizeof name);
    if (rc < 0)
        return rc;
    rc = hail_idn_map(name, who->host, sizeof who->host, &why);
    if (rc == -ENAMETOOLONG)
        return hail_url_bad(r, ENAMETOOLONG, p, "the host is too long");
    if (rc == -ENOMEM)
        return hail_fail(r->ctx, HAIL_LAYER_LOCAL, ENOMEM, "parse", "URL: no memory");
    if (rc < 0)
        return hail_fail(r->ctx, HAIL_LAYER_NAME, EINVAL, "parse",
                         "URL: %s is not an internationalized domain name: %s", name, why);
    if (!who->host[0])
        return hail_url_bad(r, EINVAL, p, "no host");
    for (const char *q = who->host; *q; q++) /* "\uFF05" became '%' */
        if (forbidden(*q))
            return hail_url_bad(r, EINVAL, p, "a character that no host has");
    return ipv4_host(who->host, sizeof who->host) < 0
               ? hail_url_bad(r, EINVAL, p, "it ends in a number, and is no IPv4 address")
               : 0;
}

/* --- all of it --- */

static int port(const struct hail_url_reader *r, const char *p, const char *end,
                struct hail_url_authority *who)
{
    unsigned value = 0;
    for (const char *q = p; q < end; q++) {
        if ((unsigned char)(*q - '0') > 9)
            return hail_url_bad(r, EINVAL, q, "the port is not a number");
        value = value * 10 + (unsigned)(*q - '0');
        if (value > 65535)
            return hail_url_bad(r, EINVAL, p, "the port is above 65535");
    }
    if (value == 0 && end > p)
        return hail_url_bad(r, EINVAL, p, "there is no port 0");
    who->port = (uint16_t)value;
    return 0;
}

int hail_url_authority(const struct hail_url_reader *r, const char *p, const char *end,
                       struct hail_url_authority *who)
{
    memset(who, 0, sizeof *who);
    for (const char *q = end; q > p; q--) /* the last '@': the others are the user's */
        if (q[-1] == '@') {
            who->user = (struct hail_slice){p, (size_t)(q - 1 - p)};
            p = q;
            break;
        }
    const char *stop;
    int rc;
    if (p < end && *p == '[') {
        stop = find(p, end, ']');
        if (stop == end)
            return hail_url_bad(r, EINVAL, p, "'[' without ']'");
        rc = ipv6_host(r, p + 1, stop++, who);
    } else {
        stop = find(p, end, ':');
        rc = name_host(r, p, stop, who);
    }
    if (rc < 0 || stop == end)
        return rc;
    if (*stop != ':')
        return hail_url_bad(r, EINVAL, stop, "neither ':' nor '/' after the host");
    return port(r, stop + 1, end, who);
}
