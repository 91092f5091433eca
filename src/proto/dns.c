/* dns.c - DNS messages: names, records, the chain to an address; see dns.h. */
#include "proto/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER   12
#define NAME_OCT 255 /* octets of a name on the wire, RFC 1035 section 2.3.4 */

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

int hail_dns_begin(struct hail_dns_msg *m, const void *p, size_t n)
{
    const uint8_t *h = p;
    if (n < HEADER || !(h[2] & 0x80))
        return -EBADMSG;
    *m = (struct hail_dns_msg){.p = h, .n = n, .at = HEADER, .rcode = h[3] & 0x0F};
    for (int i = 0; i < 4; i++)
        m->left[i] = get16(h + 4 + (ptrdiff_t)2 * i);
    return 0;
}

/* One octet of a label as text, RFC 1035 section 5.1; returns the bytes written. */
static size_t put_octet(char *out, uint8_t c)
{
    if (c <= ' ' || c > '~') {
        out[0] = '\\';
        out[1] = (char)('0' + c / 100);
        out[2] = (char)('0' + c / 10 % 10);
        out[3] = (char)('0' + c % 10);
        return 4;
    }
    size_t n = 0;
    if (strchr(".\\\"();@$", c))
        out[n++] = '\\';
    out[n++] = (char)c;
    return n;
}

int hail_dns_name(const struct hail_dns_msg *m, size_t *at, char out[HAIL_DNS_NAME_MAX])
{
    size_t i = *at, run = *at; /* run: where the labels being read began */
    size_t end = 0, used = 1, len = 0;
    for (;;) {
        if (i >= m->n)
            return -EBADMSG;
        unsigned c = m->p[i++];
        if (c == 0)
            break;
        if (c >= 0xC0) { /* a pointer, section 4.1.4: only to what came before */
            if (i >= m->n)
                return -EBADMSG;
            size_t to = (size_t)(c & 0x3F) << 8 | m->p[i++];
            if (to >= run)
                return -EBADMSG;
            if (!end)
                end = i;
            i = run = to;
            continue;
        }
        if (c > 63 || m->n - i < c || (used += c + 1) > NAME_OCT)
            return -EBADMSG;
        for (unsigned k = 0; out && k < c; k++)
            len += put_octet(out + len, m->p[i + k]);
        i += c;
        if (out)
            out[len++] = '.';
    }
    if (out) {
        if (len == 0)
            out[len++] = '.';
        out[len] = '\0';
    }
    *at = end ? end : i;
    return 0;
}

int hail_dns_question(struct hail_dns_msg *m, char name[HAIL_DNS_NAME_MAX], uint16_t *type)
{
    if (!m->left[0])
        return 0;
    size_t at = m->at;
    int rc = hail_dns_name(m, &at, name);
    if (rc < 0 || m->n - at < 4)
        return -EBADMSG;
    *type = (uint16_t)get16(m->p + at);
    m->at = at + 4;
    m->left[0]--;
    return 1;
}

int hail_dns_next(struct hail_dns_msg *m, struct hail_dns_rr *rr)
{
    uint16_t type;
    int rc;
    while ((rc = hail_dns_question(m, NULL, &type)) > 0)
        ;
    if (rc < 0)
        return rc;
    int section = HAIL_DNS_ANSWER;
    while (section < HAIL_DNS_ADDITIONAL && !m->left[section])
        section++;
    if (!m->left[section])
        return 0;
    size_t at = m->at;
    rc = hail_dns_name(m, &at, rr->name);
    if (rc < 0 || m->n - at < 10)
        return -EBADMSG;
    const uint8_t *p = m->p + at;
    rr->section = (enum hail_dns_section)section;
    rr->type = (uint16_t)get16(p);
    rr->class = (uint16_t)get16(p + 2);
    rr->ttl = get32(p + 4);
    if (rr->ttl > INT32_MAX)
        rr->ttl = 0;
    rr->len = (uint16_t)get16(p + 8);
    rr->data = at + 10;
    if (m->n - rr->data < rr->len)
        return -EBADMSG;
    m->at = rr->data + rr->len;
    m->left[section]--;
    return 1;
}

static const struct {
    const char *name;
    uint16_t type;
} types[] = {
    {"A", HAIL_DNS_A},         {"AAAA", HAIL_DNS_AAAA}, {"CNAME", HAIL_DNS_CNAME},
    {"MX", HAIL_DNS_MX},       {"TXT", HAIL_DNS_TXT},   {"NS", HAIL_DNS_NS},
    {"SOA", HAIL_DNS_SOA},     {"SRV", HAIL_DNS_SRV},   {"CAA", HAIL_DNS_CAA},
    {"HTTPS", HAIL_DNS_HTTPS}, {"SVCB", HAIL_DNS_SVCB}, {"PTR", HAIL_DNS_PTR},
    {"DNAME", HAIL_DNS_DNAME}, {"OPT", HAIL_DNS_OPT},
};

int hail_dns_type_of(const char *mnemonic)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(types[i].name, mnemonic) == 0)
            return types[i].type;
    if (strncasecmp(mnemonic, "TYPE", 4) != 0 || mnemonic[4] < '1' || mnemonic[4] > '9')
        return -1;
    char *end;
    unsigned long v = strtoul(mnemonic + 4, &end, 10);
    return *end || v > 65535 ? -1 : (int)v;
}

const char *hail_dns_type_name(uint16_t type, char scratch[16])
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].name;
    snprintf(scratch, 16, "TYPE%u", type);
    return scratch;
}

const char *hail_dns_rcode_name(unsigned rcode, char scratch[16])
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    if (rcode < sizeof names / sizeof *names)
        return names[rcode];
    snprintf(scratch, 16, "RCODE %u", rcode & 0xFFF);
    return scratch;
}

/* What one pass over the answers finds for one owner. */
struct pass {
    const char *owner;
    uint16_t type;
    size_t octets; /* of an address */
    uint32_t ttl;  /* the smallest so far along the chain */
    bool alias;
    uint32_t alias_ttl;
    char target[HAIL_DNS_NAME_MAX];
};

static int scan_answers(const void *p, size_t n, struct pass *s, struct hail_dns_addresses *out)
{
    struct hail_dns_msg m;
    struct hail_dns_rr rr;
    int rc = hail_dns_begin(&m, p, n);
    if (rc < 0)
        return rc;
    while ((rc = hail_dns_next(&m, &rr)) > 0 && rr.section == HAIL_DNS_ANSWER) {
        if (rr.class != 1 || strcasecmp(rr.name, s->owner) != 0)
            continue;
        if (rr.type == s->type) {
            if (rr.len != s->octets)
                return -EBADMSG;
            if (out->n == HAIL_DNS_ADDRESSES_MAX)
                continue;
            memcpy(out->v[out->n].ip, m.p + rr.data, s->octets);
            out->v[out->n++].ttl = rr.ttl < s->ttl ? rr.ttl : s->ttl;
        } else if (rr.type == HAIL_DNS_CNAME && !s->alias) {
            size_t at = rr.data;
            if (hail_dns_name(&m, &at, s->target) < 0 || at != rr.data + rr.len)
                return -EBADMSG;
            s->alias = true;
            s->alias_ttl = rr.ttl;
        }
    }
    return rc < 0 ? rc : 0;
}

int hail_dns_addresses(const void *p, size_t n, uint16_t type, struct hail_dns_addresses *out)
{
    struct hail_dns_msg m;
    uint16_t asked;
    out->n = out->aliases = 0;
    if (hail_dns_begin(&m, p, n) < 0 || hail_dns_question(&m, out->canonical, &asked) != 1)
        return -EBADMSG;
    struct pass s = {.owner = out->canonical,
                     .type = type,
                     .octets = type == HAIL_DNS_A ? 4 : 16,
                     .ttl = INT32_MAX};
    for (;;) {
        s.alias = false;
        int rc = scan_answers(p, n, &s, out);
        if (rc < 0 || out->n || !s.alias)
            return rc;
        if (++out->aliases > HAIL_DNS_CHAIN_MAX)
            return -ELOOP;
        if (s.alias_ttl < s.ttl)
            s.ttl = s.alias_ttl;
        memcpy(out->canonical, s.target, sizeof s.target);
    }
}
