/* datagram.h - the inside of a datagram socket, for datagram.c and its batches and options. */
#ifndef HAIL_NET_DATAGRAM_H
#define HAIL_NET_DATAGRAM_H

#include <hail/datagram.h>

#include "net/unix_path.h"

struct hail_datagram {
    int fd; /* -1: opened unbound; made for the family of the first destination */
    int family;
    bool connected;
    bool no_segments;      /* the kernel or the device cannot cut (UDP_SEGMENT) */
    uint16_t too_long;     /* segments of this size or more do not fit the path; 0: none known */
    struct hail_opts opts; /* what an unbound socket is made with; its pointers are not kept */
    struct hail_addr peer; /* of a connected socket */
    struct hail_unix_path file;
};

/* Makes the socket for `family` if there is none yet. 0 or -errno, recorded. */
int hail_datagram_ready(struct hail_ctx *ctx, struct hail_datagram *d, int family);

/* Records why `op` failed on `d`, with the other end (`to`, or the peer) and advice; returns rc. */
int hail_datagram_failed(struct hail_ctx *ctx, const struct hail_datagram *d, const char *op,
                         const struct hail_addr *to, int rc);

/* Tells the trace of one datagram; call only when tracing. */
void hail_datagram_trace(struct hail_ctx *ctx, const struct hail_datagram *d, bool out,
                         const struct hail_addr *peer, const void *data, size_t n);

/* Control data of one message: room for one 16-bit or int value. */
union hail_datagram_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Has the kernel cut what `h` sends into datagrams of `segment` bytes, UDP_SEGMENT of udp(7). */
void hail_datagram_segment(struct msghdr *h, union hail_datagram_control *c, uint16_t segment);

#endif
