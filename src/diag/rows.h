/* rows.h - from the kernel's messages to struct hail_socket_info, sans-I/O.
 *
 *   netlink.c      messages and attributes
 *   inet_diag.c    TCP, UDP, UDP-Lite, SCTP, raw, MPTCP
 *   other_diag.c   Unix, packet, netlink, vsock
 *   proc_net.c     a line of /proc/net, where sock_diag(7) has no module
 *   sockets.c      asks, waits, and calls these
 */
#ifndef HAIL_DIAG_ROWS_H
#define HAIL_DIAG_ROWS_H

#include <hail/diag.h>

/* A row with room for all that it points to. One is reused for a whole dump. */
struct hail_diag_row {
    struct hail_socket_info info;
    struct hail_tcp_info tcp;
    struct hail_socket_memory memory;
    char congestion[17]; /* TCP_CA_NAME_MAX and the NUL */
    char name[108];      /* sun_path, which may have no NUL */
};

/* Reads the payload of one SOCK_DIAG_BY_FAMILY message. `want` is the query's: attributes are read
 * only for it. The row's kind is set by the caller; all the rest of info is written. Returns 0, or
 * -EBADMSG for what is too short. */
int hail_inet_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);
int hail_unix_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);
int hail_packet_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);
int hail_netlink_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);
int hail_vsock_diag_row(const void *payload, size_t n, unsigned want, struct hail_diag_row *row);

/* Reads one line of /proc/net/{tcp,udp,udplite,raw}[6] (`n` bytes, no newline needed). Returns 0,
 * or -EBADMSG (the title, or a line that is none). proc(5). */
int hail_proc_inet_row(const char *line, size_t n, struct hail_diag_row *row);

/* The same for /proc/net/unix. A name may go on over lines, for it may hold newlines: the caller
 * joins them, hail_proc_unix_begins() says where a row starts. */
int hail_proc_unix_row(const char *line, size_t n, struct hail_diag_row *row);
bool hail_proc_unix_begins(const char *line, size_t n);

/* SO_MEMINFO, as INET_DIAG_SKMEMINFO, UNIX_DIAG_MEMINFO and the others carry it. */
struct hail_nl_attr;
void hail_diag_memory(const struct hail_nl_attr *a, struct hail_diag_row *row);

#endif
