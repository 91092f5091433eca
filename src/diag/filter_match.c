/* filter_match.c - whether a row fits a filter, and what has to be known for that; diag/filter.h.
 */
#include "diag/filter.h"

#include <fnmatch.h>
#include <string.h>

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    unsigned rest = bits % 8;
    return !rest || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

/* The bytes of an address for a prefix of `family`; NULL when it can not be one of it. */
static const unsigned char *bytes_of(const struct hail_addr *a, int family)
{
    if (a->u.sa.sa_family == AF_INET && family == AF_INET)
        return (const void *)&a->u.in4.sin_addr;
    if (a->u.sa.sa_family != AF_INET6)
        return NULL;
    const unsigned char *in6 = (const void *)&a->u.in6.sin6_addr;
    if (family == AF_INET6)
        return in6;
    return IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr) ? in6 + 12 : NULL;
}

static bool loopback(const struct hail_addr *a)
{
    const unsigned char *v4 = bytes_of(a, AF_INET);
    if (v4)
        return v4[0] == 127;
    return a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
}

static bool host(const struct hail_filter_term *t, const struct hail_socket_info *info,
                 const struct hail_addr *a)
{
    const struct hail_filter_host *h = &t->host;
    if (h->family == AF_UNIX) {
        char name[sizeof info->local.u.un.sun_path + 1];
        size_t n = info->name_len < sizeof name - 1 ? info->name_len : sizeof name - 1;
        if (info->family != AF_UNIX || t->field == HAIL_FIELD_DST)
            return false;
        for (size_t i = 0; i < n; i++)
            name[i] = info->name[i] ? info->name[i] : '@';
        name[n] = '\0';
        return fnmatch(t->text, name, 0) == 0;
    }
    if (h->family == AF_VSOCK) {
        bool source = t->field == HAIL_FIELD_SRC;
        return info->family == AF_VSOCK &&
               (h->any_cid || t->low == (source ? info->cid : info->peer_cid)) &&
               (h->any_port || t->high == (source ? info->port : info->peer_port));
    }
    if (h->family == AF_PACKET || h->family == AF_NETLINK)
        return info->family == h->family;
    if (!a->len || (h->port >= 0 && hail_addr_port(a) != h->port))
        return false;
    if (h->localhost)
        return loopback(a);
    if (!h->family)
        return true;
    const unsigned char *bytes = bytes_of(a, h->family);
    return bytes && same_bits(bytes, h->bytes, h->bits);
}

static bool process(const struct hail_filter_term *t, const struct hail_socket_info *info,
                    const struct hail_holders *holders)
{
    struct hail_holder one;
    for (size_t i = 0; holders && hail_holder_get(holders, info->inode, i, &one); i++) {
        uint64_t pid = (uint64_t)one.process->pid;
        if (t->field == HAIL_FIELD_PID ? pid >= t->low && pid <= t->high
                                       : fnmatch(t->text, one.process->name, 0) == 0 ||
                                             fnmatch(t->text, one.process->program, 0) == 0)
            return true;
    }
    return false;
}

/* The path itself or one below it, or the unit that it names. */
static bool cgroup(const struct hail_filter_term *t, const struct hail_socket_info *info)
{
    char path[1024], unit[256];
    size_t n = strlen(t->text);
    if (!(info->has & HAIL_HAS_CGROUP) || hail_cgroup_path(info->cgroup, path, sizeof path) < 0)
        return false;
    if (t->text[0] == '/')
        return strncmp(path, t->text, n) == 0 &&
               (n == 1 || path[n] == '\0' || path[n] == '/' || t->text[n - 1] == '/');
    hail_cgroup_unit(path, unit, sizeof unit);
    return fnmatch(t->text, unit, 0) == 0;
}

static bool netns(const struct hail_filter_term *t, const struct hail_socket_info *info)
{
    return info->netns && strcmp(info->netns->name, t->text) == 0;
}

static bool within(const struct hail_filter_term *t, uint64_t v)
{
    return v >= t->low && v <= t->high;
}

static bool port(const struct hail_filter_term *t, const struct hail_socket_info *info,
                 const struct hail_addr *a, uint32_t vsock)
{
    if (info->family == AF_VSOCK)
        return within(t, vsock);
    return a->len && within(t, hail_addr_port(a));
}

static bool holds(const struct hail_filter_term *t, const struct hail_socket_info *info,
                  const struct hail_holders *holders)
{
    switch (t->field) {
    case HAIL_FIELD_SRC:
        return host(t, info, &info->local);
    case HAIL_FIELD_DST:
        return host(t, info, &info->peer);
    case HAIL_FIELD_SPORT:
        return port(t, info, &info->local, info->port);
    case HAIL_FIELD_DPORT:
        return port(t, info, &info->peer, info->peer_port);
    case HAIL_FIELD_RECV_Q:
        return within(t, info->recv_q);
    case HAIL_FIELD_SEND_Q:
        return within(t, info->send_q);
    case HAIL_FIELD_INODE:
        return within(t, info->inode);
    case HAIL_FIELD_STATE:
        return t->states >> info->state & 1;
    case HAIL_FIELD_INTERFACE:
        return info->interface == t->low;
    case HAIL_FIELD_PID:
    case HAIL_FIELD_PROCESS:
        return process(t, info, holders);
    case HAIL_FIELD_USER:
        return info->uid == t->low;
    case HAIL_FIELD_CGROUP:
        return cgroup(t, info);
    case HAIL_FIELD_NETNS:
        return netns(t, info);
    case HAIL_FIELD_FAMILY:
        return (uint64_t)info->family == t->low;
    case HAIL_FIELD_MARK:
        return (info->mark & t->high) == t->low;
    case HAIL_FIELD_AUTOBOUND:
        return info->local.len && within(t, hail_addr_port(&info->local));
    }
    return false;
}

bool hail_filter_term_match(const struct hail_filter_term *t, const struct hail_socket_info *info,
                            const struct hail_holders *holders)
{
    return holds(t, info, holders) != t->unequal;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, HAIL_FILTER_NODES_MAX at most */
static bool match(const struct hail_socket_filter *f, int i, const struct hail_socket_info *info,
                  const struct hail_holders *holders)
{
    const struct hail_filter_node *n = &f->node[i];
    switch (n->op) {
    case HAIL_FILTER_AND:
        return match(f, n->left, info, holders) && match(f, n->right, info, holders);
    case HAIL_FILTER_OR:
        return match(f, n->left, info, holders) || match(f, n->right, info, holders);
    case HAIL_FILTER_NOT:
        return !match(f, n->left, info, holders);
    default:
        return hail_filter_term_match(n->term, info, holders);
    }
}

bool hail_socket_filter_match(const struct hail_socket_filter *filter,
                              const struct hail_socket_info *info,
                              const struct hail_holders *holders)
{
    return (unsigned)info->state <= HAIL_BOUND && (filter->states >> info->state & 1) &&
           (filter->root < 0 || match(filter, filter->root, info, holders));
}

/* --- what it asks for --- */

unsigned hail_socket_filter_wants(const struct hail_socket_filter *filter)
{
    return filter->wants;
}

bool hail_socket_filter_wants_holders(const struct hail_socket_filter *filter)
{
    return filter->wants_holders;
}

/* The states in which a node can be true; with `negated`, false. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree, HAIL_FILTER_NODES_MAX at most */
static uint32_t possible(const struct hail_socket_filter *f, int i, bool negated)
{
    const uint32_t all = HAIL_STATES_ALL | 1u << HAIL_BOUND;
    if (i < 0)
        return all;
    const struct hail_filter_node *n = &f->node[i];
    if (n->op == HAIL_FILTER_NOT)
        return possible(f, n->left, !negated);
    if (n->op == HAIL_FILTER_TERM) {
        if (n->term->field != HAIL_FIELD_STATE)
            return all;
        return n->term->unequal != negated ? all & ~n->term->states : n->term->states;
    }
    uint32_t left = possible(f, n->left, negated), right = possible(f, n->right, negated);
    return (n->op == HAIL_FILTER_AND) != negated ? left & right : left | right;
}

uint32_t hail_socket_filter_states(const struct hail_socket_filter *filter, bool *named)
{
    *named = filter->named;
    return filter->states & possible(filter, filter->root, false);
}
