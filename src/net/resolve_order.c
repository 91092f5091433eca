/* resolve_order.c - RFC 6724 section 6: in which order the addresses of a name are tried, and why.
 *
 * The rules are a table in their order. Each compares two destinations by what is known of them
 * (the destination, the source that the kernel would pick); the first that prefers one decides, and
 * gives the reason that is shown. Rule 9 is applied to IPv6 only: between IPv4 addresses it would
 * undo the rotation by which name servers spread load (its intent does not fit a world of NAT).
 */
#include "net/resolve.h"

#include <string.h>
#include <unistd.h>

/* A destination with what the rules look at. */
struct candidate {
    struct hail_address a;
    struct in6_addr to, from; /* IPv4 as mapped */
    bool usable, v6;
    int to_scope, from_scope;
    int to_label, from_label, precedence;
    unsigned flags;
};

/* Section 2.1. The first row that matches with the longest prefix wins: sorted so. */
static const struct {
    uint8_t prefix[16];
    uint8_t bits, precedence, label;
} policies[] = {
    {{[15] = 1}, 128, 50, 0},                /* ::1/128 */
    {{[10] = 0xFF, [11] = 0xFF}, 96, 35, 4}, /* ::ffff:0:0/96 */
    {{0}, 96, 1, 3},                         /* ::/96 */
    {{0x20, 0x01, 0x00, 0x00}, 32, 5, 5},    /* 2001::/32, Teredo */
    {{0x20, 0x02}, 16, 30, 2},               /* 2002::/16, 6to4 */
    {{0x3F, 0xFE}, 16, 1, 12},               /* 3ffe::/16 */
    {{0xFE, 0xC0}, 10, 1, 11},               /* fec0::/10 */
    {{0xFC}, 7, 3, 13},                      /* fc00::/7 */
    {{0}, 0, 40, 1},                         /* ::/0 */
};

/* The number of leading bits that two addresses share, at most `most`. */
static int common_bits(const uint8_t *a, const uint8_t *b, int most)
{
    int n = 0;
    while (n < most && !((a[n / 8] ^ b[n / 8]) & (0x80 >> (n % 8))))
        n++;
    return n;
}

static void find_policy(const struct in6_addr *a, int *label, int *precedence)
{
    size_t i = 0;
    while (common_bits(a->s6_addr, policies[i].prefix, policies[i].bits) < policies[i].bits)
        i++;
    *label = policies[i].label;
    if (precedence)
        *precedence = policies[i].precedence;
}

enum { LINK_LOCAL = 2, SITE_LOCAL = 5, GLOBAL = 14 };

/* Sections 3.1 and 3.2; RFC 4291 section 2.7 for multicast. */
static int scope_of(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(a))
        return b[12] == 127 || (b[12] == 169 && b[13] == 254) ? LINK_LOCAL : GLOBAL;
    if (b[0] == 0xFF)
        return b[1] & 0x0F;
    if (IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_LOOPBACK(a))
        return LINK_LOCAL;
    return IN6_IS_ADDR_SITELOCAL(a) ? SITE_LOCAL : GLOBAL;
}

static struct in6_addr as_ipv6(const struct hail_addr *a)
{
    struct in6_addr out = {0};
    if (a->len && a->u.sa.sa_family == AF_INET6)
        return a->u.in6.sin6_addr;
    out.s6_addr[10] = out.s6_addr[11] = 0xFF;
    memcpy(&out.s6_addr[12], &a->u.in4.sin_addr, 4);
    return out;
}

/* The rules: positive when `a` is to be preferred, negative when `b` is, else 0. */
static int by_usable(const struct candidate *a, const struct candidate *b)
{
    return a->usable - b->usable;
}

static int by_matching_scope(const struct candidate *a, const struct candidate *b)
{
    return (a->to_scope == a->from_scope) - (b->to_scope == b->from_scope);
}

static int by_deprecated(const struct candidate *a, const struct candidate *b)
{
    return !(a->flags & HAIL_OWN_DEPRECATED) - !(b->flags & HAIL_OWN_DEPRECATED);
}

static int by_home(const struct candidate *a, const struct candidate *b)
{
    return !!(a->flags & HAIL_OWN_HOME) - !!(b->flags & HAIL_OWN_HOME);
}

static int by_matching_label(const struct candidate *a, const struct candidate *b)
{
    return (a->to_label == a->from_label) - (b->to_label == b->from_label);
}

static int by_precedence(const struct candidate *a, const struct candidate *b)
{
    return a->precedence - b->precedence;
}

static int by_native_transport(const struct candidate *a, const struct candidate *b)
{
    return !(a->flags & HAIL_OWN_TUNNEL) - !(b->flags & HAIL_OWN_TUNNEL);
}

static int by_smaller_scope(const struct candidate *a, const struct candidate *b)
{
    return b->to_scope - a->to_scope;
}

/* Up to 64 bits, the part of an IPv6 source that is not its interface identifier (section 2.2). */
static int by_longest_prefix(const struct candidate *a, const struct candidate *b)
{
    if (!a->v6 || !b->v6)
        return 0;
    return common_bits(a->to.s6_addr, a->from.s6_addr, 64) -
           common_bits(b->to.s6_addr, b->from.s6_addr, 64);
}

static const struct {
    int (*prefer)(const struct candidate *, const struct candidate *);
    const char *won, *lost; /* the reason, of the one in front and of the one behind */
} rules[] = {
    {by_usable, "rule 1: there is a route to it", "rule 1: no route to it"},
    {by_matching_scope, "rule 2: same scope as its source", "rule 2: other scope than its source"},
    {by_deprecated, "rule 3: its source is not deprecated", "rule 3: its source is deprecated"},
    {by_home, "rule 4: its source is a home address", "rule 4: its source is a care-of address"},
    {by_matching_label, "rule 5: same policy label as its source",
     "rule 5: other policy label than its source"},
    {by_precedence, "rule 6: higher precedence", "rule 6: lower precedence"},
    {by_native_transport, "rule 7: reached natively", "rule 7: reached through a tunnel"},
    {by_smaller_scope, "rule 8: smaller scope", "rule 8: larger scope"},
    {by_longest_prefix, "rule 9: more bits in common with its source",
     "rule 9: fewer bits in common with its source"},
    {NULL, "rule 10: as it was given", "rule 10: as it was given"},
};

/* The rule that decides between two: its index; *sign as the rules return it. */
static size_t decide(const struct candidate *a, const struct candidate *b, int *sign)
{
    size_t i = 0;
    *sign = rules[0].prefer(a, b);
    /* without a source there is nothing more to compare */
    while (*sign == 0 && a->usable && rules[++i].prefer)
        *sign = rules[i].prefer(a, b);
    return *sign ? i : sizeof rules / sizeof *rules - 1;
}

static void learn(struct candidate *c, hail_own_flags_fn *flags)
{
    c->to = as_ipv6(&c->a.addr);
    c->from = as_ipv6(&c->a.from);
    c->usable = c->a.from.len > 0;
    c->v6 = c->a.addr.u.sa.sa_family == AF_INET6;
    c->to_scope = scope_of(&c->to);
    c->from_scope = scope_of(&c->from);
    find_policy(&c->to, &c->to_label, &c->precedence);
    find_policy(&c->from, &c->from_label, NULL);
    c->flags = c->usable ? flags(&c->a.from) : 0;
}

void hail_order(struct hail_address *v, size_t n, hail_own_flags_fn *flags)
{
    struct candidate c[HAIL_RESOLVE_MAX];
    int sign;
    if (n == 1)
        v[0].reason = "the only address";
    if (n < 2)
        return;
    if (n > HAIL_RESOLVE_MAX)
        n = HAIL_RESOLVE_MAX;
    for (size_t i = 0; i < n; i++) { /* insertion keeps equals as they came */
        struct candidate x = {.a = v[i]};
        learn(&x, flags);
        size_t at = i;
        while (at > 0 && (decide(&x, &c[at - 1], &sign), sign > 0)) {
            c[at] = c[at - 1];
            at--;
        }
        c[at] = x;
    }
    for (size_t i = 0; i < n; i++) {
        size_t rule = decide(&c[i ? i - 1 : 0], &c[i ? i : 1], &sign);
        v[i] = c[i].a;
        v[i].reason = i ? rules[rule].lost : rules[rule].won;
    }
}

void hail_find_source(struct hail_address *a)
{
    int family = a->addr.u.sa.sa_family;
    a->from.len = 0;
    if (family != AF_INET && family != AF_INET6)
        return;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    struct hail_addr to = a->addr, from;
    if (!hail_addr_port(&to))
        hail_addr_set_port(&to, 53); /* any: nothing is sent */
    from.len = sizeof from.u;
    if (connect(fd, &to.u.sa, to.len) == 0 && getsockname(fd, &from.u.sa, &from.len) == 0) {
        hail_addr_set_port(&from, 0);
        a->from = from;
    }
    close(fd);
}
