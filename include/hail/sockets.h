/* sockets.h - the kernel's table of sockets, and the processes that hold them. */
#ifndef HAIL_SOCKETS_H
#define HAIL_SOCKETS_H

#include <hail/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The states of TCP (RFC 9293 section 3.3.2) with the kernel's numbers. A UDP socket is
 * ESTABLISHED when it is connected and CLOSE otherwise. */
enum hail_socket_state {
    HAIL_ESTABLISHED = 1,
    HAIL_SYN_SENT,
    HAIL_SYN_RECV,
    HAIL_FIN_WAIT1,
    HAIL_FIN_WAIT2,
    HAIL_TIME_WAIT,
    HAIL_CLOSE,
    HAIL_CLOSE_WAIT,
    HAIL_LAST_ACK,
    HAIL_LISTEN,
    HAIL_CLOSING,
};

/* One socket of the table. */
struct hail_socket_info {
    int protocol; /* IPPROTO_TCP or IPPROTO_UDP */
    enum hail_socket_state state;
    struct hail_addr local, peer;
    uint32_t inode;          /* 0: no process has it any more (TIME_WAIT) */
    uint32_t uid;            /* of the owner */
    uint32_t recv_q, send_q; /* bytes; a listener's: waiting, and the most that may wait */
    uint32_t timer_ms; /* until the pending timer fires; TIME_WAIT: until it is gone; 0: none */
};

/* What to list. All zero but the protocol is everything. */
struct hail_socket_filter {
    int protocol;        /* IPPROTO_TCP or IPPROTO_UDP */
    int family;          /* AF_INET, AF_INET6, or 0 for both */
    uint32_t states;     /* bits 1 << enum hail_socket_state; 0: all. The kernel filters by it. */
    uint16_t local_port; /* 0: any */
    uint16_t peer_port;
};

/* Calls `each` for every socket of this network namespace that fits; stops when it returns non-zero
 * and returns that. Otherwise 0, or -errno with layer local (sock_diag(7)). Nothing is allocated.
 */
typedef int hail_socket_info_fn(void *arg, const struct hail_socket_info *info);
HAIL_API int hail_sockets_each(struct hail_ctx *ctx, const struct hail_socket_filter *filter,
                               hail_socket_info_fn *each, void *arg);

/* Calls `each` for every process that holds a socket with one of the `n` inodes, as far as /proc
 * shows them to this user (proc(5)); `name` is the program's (comm). Returns 0 or -errno when /proc
 * cannot be read at all. */
typedef void hail_owner_fn(void *arg, uint32_t inode, int pid, const char *name);
HAIL_API int hail_sockets_owners(struct hail_ctx *ctx, const uint32_t *inodes, size_t n,
                                 hail_owner_fn *each, void *arg);

/* "ESTABLISHED", ... ; "UNKNOWN" for another number. Static. */
HAIL_API const char *hail_socket_state_name(enum hail_socket_state state);

#ifdef __cplusplus
}
#endif
#endif
