/* netlink.c - messages and attributes of netlink(7); diag/netlink.h. */
#include "diag/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

/* `whole` bytes of the rest are done; the last message or attribute may lack its padding. */
static void advance(struct hail_nl *nl, size_t whole)
{
    if (whole > nl->n)
        whole = nl->n;
    nl->p += whole;
    nl->n -= whole;
}

int hail_nl_next(struct hail_nl *nl, struct hail_nl_message *m)
{
    struct nlmsghdr h;
    if (nl->n == 0)
        return 0;
    if (nl->n < sizeof h)
        return -EBADMSG;
    memcpy(&h, nl->p, sizeof h);
    if (h.nlmsg_len < sizeof h || h.nlmsg_len > nl->n)
        return -EBADMSG;
    *m = (struct hail_nl_message){h.nlmsg_type, h.nlmsg_flags, nl->p + NLMSG_HDRLEN,
                                  h.nlmsg_len - NLMSG_HDRLEN};
    advance(nl, NLMSG_ALIGN(h.nlmsg_len));
    return 1;
}

int hail_nl_error(const struct hail_nl_message *m)
{
    int32_t error = 0;
    if (m->type == NLMSG_DONE && m->len < sizeof error)
        return 0; /* old kernels end a dump without a status */
    if (m->len < sizeof error)
        return -EBADMSG;
    memcpy(&error, m->payload, sizeof error);
    return error <= 0 && error > -4096 ? error : -EBADMSG;
}

bool hail_nl_attr(struct hail_nl *nl, struct hail_nl_attr *a)
{
    struct nlattr h;
    if (nl->n < sizeof h)
        return false;
    memcpy(&h, nl->p, sizeof h);
    if (h.nla_len < sizeof h || h.nla_len > nl->n)
        return false;
    *a = (struct hail_nl_attr){h.nla_type & NLA_TYPE_MASK, nl->p + NLA_HDRLEN,
                               h.nla_len - NLA_HDRLEN};
    advance(nl, NLA_ALIGN(h.nla_len));
    return true;
}

static bool number(const struct hail_nl_attr *a, void *v, size_t size)
{
    if (a->len != size)
        return false;
    memcpy(v, a->data, size);
    return true;
}

bool hail_nl_u8(const struct hail_nl_attr *a, uint8_t *v)
{
    return number(a, v, sizeof *v);
}

bool hail_nl_u32(const struct hail_nl_attr *a, uint32_t *v)
{
    return number(a, v, sizeof *v);
}

bool hail_nl_u64(const struct hail_nl_attr *a, uint64_t *v)
{
    return number(a, v, sizeof *v);
}
