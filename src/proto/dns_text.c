/* dns_text.c - the data of DNS records in presentation form; see dns.h.
 *
 * A record is written field by field from a slice; a field that does not fit makes the whole
 * record fall back to the generic form of RFC 3597, so that nothing is shown that is not there.
 */
#include "proto/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* The data still to be written. */
struct slice {
    const struct hail_dns_msg *m;
    size_t at, end;
    struct hail_buf *out;
};

static size_t left(const struct slice *s)
{
    return s->end - s->at;
}

static int take16(struct slice *s, unsigned *v)
{
    if (left(s) < 2)
        return -EBADMSG;
    *v = (unsigned)s->m->p[s->at] << 8 | s->m->p[s->at + 1];
    s->at += 2;
    return 0;
}

/* `n` big-endian integers of 16 bits, each followed by a blank. */
static int put_ints(struct slice *s, int n)
{
    unsigned v;
    for (; n > 0; n--) {
        if (take16(s, &v) < 0)
            return -EBADMSG;
        hail_buf_printf(s->out, "%u ", v);
    }
    return 0;
}

static int put_name(struct slice *s)
{
    char name[HAIL_DNS_NAME_MAX];
    size_t at = s->at;
    if (hail_dns_name(s->m, &at, name) < 0 || at > s->end)
        return -EBADMSG;
    s->at = at;
    return hail_buf_str(s->out, name);
}

/* Octets inside double quotes, RFC 1035 section 5.1. A comma within a value list (RFC 9460
 * appendix A.1) is escaped twice. */
static void put_octets(struct slice *s, size_t n, bool list)
{
    for (; n > 0; n--) {
        uint8_t c = s->m->p[s->at++];
        if (c < ' ' || c > '~')
            hail_buf_printf(s->out, "\\%03u", c);
        else if (list && (c == ',' || c == '\\'))
            hail_buf_printf(s->out, "\\\\%s%c", c == '\\' ? "\\" : "", c);
        else if (c == '"' || c == '\\')
            hail_buf_printf(s->out, "\\%c", c);
        else
            hail_buf_char(s->out, (char)c);
    }
}

static void put_quoted(struct slice *s, size_t n)
{
    hail_buf_char(s->out, '"');
    put_octets(s, n, false);
    hail_buf_char(s->out, '"');
}

static int put_address(struct slice *s, int family)
{
    size_t n = family == AF_INET ? 4 : 16;
    char text[INET6_ADDRSTRLEN];
    if (left(s) < n)
        return -EBADMSG;
    inet_ntop(family, s->m->p + s->at, text, sizeof text);
    s->at += n;
    return hail_buf_str(s->out, text);
}

/* A run of character strings, RFC 1035 section 3.3.14. */
static int put_txt(struct slice *s)
{
    if (!left(s))
        return -EBADMSG;
    for (bool first = true; left(s); first = false) {
        size_t n = s->m->p[s->at++];
        if (left(s) < n)
            return -EBADMSG;
        if (!first)
            hail_buf_char(s->out, ' ');
        put_quoted(s, n);
    }
    return 0;
}

static int put_soa(struct slice *s)
{
    if (put_name(s) < 0)
        return -EBADMSG;
    hail_buf_char(s->out, ' ');
    if (put_name(s) < 0 || left(s) != 20)
        return -EBADMSG;
    for (; left(s); s->at += 4) {
        const uint8_t *p = s->m->p + s->at;
        hail_buf_printf(s->out, " %u",
                        (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3]);
    }
    return 0;
}

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 8659 section 4.1: flags, the tag's length, the tag, the value. */
static int put_caa(struct slice *s)
{
    if (left(s) < 2)
        return -EBADMSG;
    unsigned flags = s->m->p[s->at], tag = s->m->p[s->at + 1];
    s->at += 2;
    if (tag == 0 || left(s) < tag)
        return -EBADMSG;
    hail_buf_printf(s->out, "%u ", flags);
    for (; tag; tag--) {
        uint8_t c = s->m->p[s->at++];
        if (!is_alnum(c))
            return -EBADMSG;
        hail_buf_char(s->out, (char)c);
    }
    hail_buf_char(s->out, ' ');
    put_quoted(s, left(s));
    return 0;
}

/* Keys of service parameters, RFC 9460 section 14.3.2 and RFC 9461. */
enum { MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH, KNOWN_KEYS };
static const char *const svc_keys[KNOWN_KEYS] = {"mandatory", "alpn", "no-default-alpn", "port",
                                                 "ipv4hint",  "ech",  "ipv6hint",        "dohpath"};

static void put_key(struct slice *s, unsigned key)
{
    if (key < KNOWN_KEYS)
        hail_buf_str(s->out, svc_keys[key]);
    else
        hail_buf_printf(s->out, "key%u", key);
}

static int put_mandatory(struct slice *v)
{
    for (bool first = true; left(v); first = false) {
        unsigned key;
        if (take16(v, &key) < 0)
            return -EBADMSG;
        if (!first)
            hail_buf_char(v->out, ',');
        put_key(v, key);
    }
    return 0;
}

static int put_alpn(struct slice *v)
{
    hail_buf_char(v->out, '"');
    for (bool first = true; left(v); first = false) {
        size_t n = v->m->p[v->at++];
        if (n == 0 || left(v) < n)
            return -EBADMSG;
        if (!first)
            hail_buf_char(v->out, ',');
        put_octets(v, n, true);
    }
    hail_buf_char(v->out, '"');
    return 0;
}

static int put_hints(struct slice *v, int family)
{
    for (bool first = true; left(v); first = false) {
        if (!first)
            hail_buf_char(v->out, ',');
        if (put_address(v, family) < 0)
            return -EBADMSG;
    }
    return 0;
}

static int put_param(struct slice *v, unsigned key)
{
    unsigned port;
    put_key(v, key);
    if (key == NO_DEFAULT_ALPN)
        return left(v) ? -EBADMSG : 0;
    if (!left(v)) /* only a key that is not known here may be without a value */
        return key < KNOWN_KEYS ? -EBADMSG : 0;
    hail_buf_char(v->out, '=');
    switch (key) {
    case MANDATORY:
        return put_mandatory(v);
    case ALPN:
        return put_alpn(v);
    case PORT:
        if (left(v) != 2 || take16(v, &port) < 0)
            return -EBADMSG;
        return hail_buf_printf(v->out, "%u", port);
    case IPV4HINT:
        return put_hints(v, AF_INET);
    case IPV6HINT:
        return put_hints(v, AF_INET6);
    case ECH:
        hail_buf_base64(v->out, v->m->p + v->at, left(v));
        v->at = v->end;
        return 0;
    default:
        put_quoted(v, left(v));
        return 0;
    }
}

/* RFC 9460 section 2.2: priority, target, parameters in strictly ascending order of their keys. */
static int put_svcb(struct slice *s)
{
    if (put_ints(s, 1) < 0 || put_name(s) < 0)
        return -EBADMSG;
    for (int last = -1; left(s);) {
        unsigned key, len;
        if (take16(s, &key) < 0 || take16(s, &len) < 0 || left(s) < len || (int)key <= last)
            return -EBADMSG;
        struct slice value = {s->m, s->at, s->at + len, s->out};
        hail_buf_char(s->out, ' ');
        if (put_param(&value, key) < 0 || left(&value))
            return -EBADMSG;
        s->at += len;
        last = (int)key;
    }
    return 0;
}

/* The data by its type; -EBADMSG when it does not fit the type, or the type is not known. */
static int put_known(struct slice *s, uint16_t type)
{
    switch (type) {
    case HAIL_DNS_A:
        return put_address(s, AF_INET);
    case HAIL_DNS_AAAA:
        return put_address(s, AF_INET6);
    case HAIL_DNS_NS:
    case HAIL_DNS_CNAME:
    case HAIL_DNS_PTR:
    case HAIL_DNS_DNAME:
        return put_name(s);
    case HAIL_DNS_MX:
        return put_ints(s, 1) < 0 ? -EBADMSG : put_name(s);
    case HAIL_DNS_SRV:
        return put_ints(s, 3) < 0 ? -EBADMSG : put_name(s);
    case HAIL_DNS_TXT:
        return put_txt(s);
    case HAIL_DNS_SOA:
        return put_soa(s);
    case HAIL_DNS_CAA:
        return put_caa(s);
    case HAIL_DNS_SVCB:
    case HAIL_DNS_HTTPS:
        return put_svcb(s);
    default:
        return -EBADMSG;
    }
}

int hail_dns_data_text(const struct hail_dns_msg *m, const struct hail_dns_rr *rr,
                       struct hail_buf *out)
{
    size_t before = out->len;
    struct slice s = {m, rr->data, rr->data + rr->len, out};
    if (rr->class == 1 && put_known(&s, rr->type) >= 0 && !left(&s))
        return out->failed;
    if (out->failed)
        return out->failed;
    out->len = before;
    hail_buf_printf(out, "\\# %u", rr->len);
    for (size_t i = 0; i < rr->len; i++)
        hail_buf_printf(out, i ? "%02x" : " %02x", m->p[rr->data + i]);
    return out->failed;
}
