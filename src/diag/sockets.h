/* sockets.h - one dump of sock_diag(7) or of a file in /proc/net; between sockets.c, which walks
 * over kinds and families, and dump.c, proc_dump.c, which read one. */
#ifndef HAIL_DIAG_SOCKETS_H
#define HAIL_DIAG_SOCKETS_H

#include <hail/diag.h>

#include "diag/rows.h"

/* A listing on its way to the caller. */
struct hail_listing {
    struct hail_ctx *ctx;
    const struct hail_socket_query *query;
    struct hail_diag_gaps *gaps;
    hail_socket_info_fn *each;
    void *arg;
    struct hail_kept *kept;   /* while both families of TCP are dumped at once */
    int stopped;              /* what `each` returned, when it was not 0 */
    size_t told;              /* rows of this dump that were read */
    bool no_code;             /* the filter runs here alone */
    struct hail_diag_row row; /* the one that is told */
};

/* What the query asks of a row and the kernel did not decide; then `each`. Non-zero: stop. */
int hail_listing_tell(struct hail_listing *l);

/* One dump of a kind and family over netlink. 0, or -errno; -ENOENT when the kernel has no module
 * for it. */
int hail_dump_diag(struct hail_listing *l, enum hail_socket_kind kind, int family);

/* TCP's both families in one pass over the kernel's table, IPv4 first. -ENOENT, and others: nothing
 * was told, the families may be asked for one by one. */
int hail_dump_tcp(struct hail_listing *l);

/* The same from /proc/net; -ENOENT when there is no such file. */
int hail_dump_proc(struct hail_listing *l, enum hail_socket_kind kind, int family);

#endif
