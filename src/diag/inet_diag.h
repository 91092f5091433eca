/* inet_diag.h - reading the kernel's answers to a question about sockets, sans-I/O. */
#ifndef HAIL_DIAG_INET_DIAG_H
#define HAIL_DIAG_INET_DIAG_H

#include <hail/sockets.h>

/* Reads the netlink messages in `n` bytes at `buf` (aligned as malloc(3) does) and calls `each` for
 * every socket. Returns 0 to go on with the next datagram, 1 at the end of the dump (NLMSG_DONE),
 * or negative: what NLMSG_ERROR said, -EINTR when the table changed under the dump, -EBADMSG for
 * bytes that are not netlink's. *stopped is what `each` returned, when it was not 0; then 1. */
int hail_inet_diag_read(const void *buf, size_t n, int protocol, hail_socket_info_fn *each,
                        void *arg, int *stopped);

#endif
