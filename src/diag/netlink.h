/* netlink.h - the messages and attributes of netlink(7) in a buffer, sans-I/O: views, no copies. */
#ifndef HAIL_DIAG_NETLINK_H
#define HAIL_DIAG_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to read: set p and n to a datagram, aligned as malloc(3) does. */
struct hail_nl {
    const char *p;
    size_t n;
};

struct hail_nl_message {
    unsigned type, flags;
    const void *payload;
    size_t len;
};

/* Takes the next message off. Returns 1, 0 at the end, or -EBADMSG. */
int hail_nl_next(struct hail_nl *nl, struct hail_nl_message *m);

/* What an NLMSG_ERROR or NLMSG_DONE says: 0 or -errno; -EBADMSG for one that is too short. */
int hail_nl_error(const struct hail_nl_message *m);

struct hail_nl_attr {
    unsigned type; /* without the flags in its upper bits */
    const void *data;
    size_t len;
};

/* Takes the next attribute off what is left; false at the end, or when the rest is none. */
bool hail_nl_attr(struct hail_nl *nl, struct hail_nl_attr *a);

/* An attribute's number; false when it is of another size. */
bool hail_nl_u8(const struct hail_nl_attr *a, uint8_t *v);
bool hail_nl_u32(const struct hail_nl_attr *a, uint32_t *v);
bool hail_nl_u64(const struct hail_nl_attr *a, uint64_t *v);

#endif
