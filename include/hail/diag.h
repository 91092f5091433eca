/* diag.h - the kernel's sockets: a row each, the processes that hold them, the filters of ss(8),
 * network namespaces, the news of sockets that close, and closing one from outside.
 *
 * Everything streams: a row is told to a callback and gone; nothing is allocated for it. What the
 * kernel cannot answer over sock_diag(7) (a module that is not there) is read from /proc/net
 * (proc(5)) as far as that goes, and hail_diag_gaps says what was missed.
 */
#ifndef HAIL_DIAG_H
#define HAIL_DIAG_H

#include <hail/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The states of TCP (RFC 9293 section 3.3.2) with the kernel's numbers. A UDP socket is
 * ESTABLISHED when it is connected and CLOSE otherwise; so are Unix sockets, which also LISTEN. */
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
    HAIL_BOUND = 13, /* the kernel's BOUND_INACTIVE: bound to a port, neither connected nor
                        listening; Linux 6.8 and later, and only when asked for */
};
/* Every state but HAIL_BOUND, as /proc/net/tcp shows them. */
#define HAIL_STATES_ALL ((1u << (HAIL_CLOSING + 2)) - 2)

/* What kind of socket a row is. */
enum hail_socket_kind {
    HAIL_KIND_TCP,
    HAIL_KIND_MPTCP, /* RFC 8684; its subflows are rows of TCP */
    HAIL_KIND_UDP,
    HAIL_KIND_UDPLITE, /* RFC 3828 */
    HAIL_KIND_SCTP,    /* RFC 9260 */
    HAIL_KIND_RAW,
    HAIL_KIND_UNIX,
    HAIL_KIND_PACKET,
    HAIL_KIND_NETLINK,
    HAIL_KIND_VSOCK,
    HAIL_KIND_COUNT,
};
#define HAIL_KIND_BIT(kind) (1u << (kind))
#define HAIL_KINDS_INET                                                                            \
    (HAIL_KIND_BIT(HAIL_KIND_TCP) | HAIL_KIND_BIT(HAIL_KIND_MPTCP) |                               \
     HAIL_KIND_BIT(HAIL_KIND_UDP) | HAIL_KIND_BIT(HAIL_KIND_UDPLITE) |                             \
     HAIL_KIND_BIT(HAIL_KIND_SCTP) | HAIL_KIND_BIT(HAIL_KIND_RAW))
#define HAIL_KINDS_ALL ((1u << HAIL_KIND_COUNT) - 1)

/* The timer that is pending. */
enum hail_socket_timer {
    HAIL_TIMER_NONE,
    HAIL_TIMER_RETRANSMIT,
    HAIL_TIMER_KEEPALIVE,
    HAIL_TIMER_TIME_WAIT,
    HAIL_TIMER_PROBE, /* of a closed window */
};

/* Memory of a socket in bytes (SO_MEMINFO, linux/sock_diag.h). */
struct hail_socket_memory {
    uint32_t receive_used, receive_max; /* rmem_alloc, rcvbuf */
    uint32_t send_used, send_max;       /* wmem_alloc, sndbuf */
    uint32_t forward;                   /* fwd_alloc: reserved, not used yet */
    uint32_t queued;                    /* wmem_queued: being sent, with overhead */
    uint32_t options;                   /* optmem */
    uint32_t backlog;
    uint32_t drops; /* a count: what did not fit */
};

/* TCP_INFO as the kernel lays it out (linux/tcp.h); fields that an older kernel does not give are
 * 0. Times are microseconds but where the name says ms, rates bytes a second. */
struct hail_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options;
    uint8_t wscale;      /* send in the low four bits, receive in the high */
    uint8_t app_limited; /* bit 0: the rate is limited by the application; 1-2: fast open failed */
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent_ms, last_ack_sent_ms, last_data_recv_ms, last_ack_recv_ms;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
    uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time_ms;
};

/* What beyond the basics a row shall carry (query) or does (row). */
enum hail_socket_has {
    HAIL_HAS_TCP_INFO = 1 << 0,   /* tcp, congestion */
    HAIL_HAS_MEMORY = 1 << 1,     /* memory */
    HAIL_HAS_OPTIONS = 1 << 2,    /* tos, tclass, options, shutdown, mark, v6only */
    HAIL_HAS_CGROUP = 1 << 3,     /* cgroup */
    HAIL_HAS_PEER = 1 << 4,       /* Unix: peer_inode */
    HAIL_HAS_REFERENCES = 1 << 5, /* Unix: references, as only /proc/net/unix has them */
    HAIL_HAS_PROBES = 1 << 6,     /* TCP: retransmits and probes both (costs what tcp does) */
};

/* Socket options that are on (HAIL_HAS_OPTIONS). */
enum hail_socket_option {
    HAIL_OPT_RECVERR = 1 << 0,
    HAIL_OPT_IS_ICSK = 1 << 1,
    HAIL_OPT_FREEBIND = 1 << 2,
    HAIL_OPT_HDRINCL = 1 << 3,
    HAIL_OPT_MC_LOOP = 1 << 4,
    HAIL_OPT_TRANSPARENT = 1 << 5,
    HAIL_OPT_MC_ALL = 1 << 6,
    HAIL_OPT_NODEFRAG = 1 << 7,
    HAIL_OPT_BIND_NO_PORT = 1 << 8,
    HAIL_OPT_RECVERR_RFC4884 = 1 << 9,
    HAIL_OPT_DEFER_CONNECT = 1 << 10,
};

struct hail_netns;

/* One row. Everything is valid during the callback only. */
struct hail_socket_info {
    enum hail_socket_kind kind;
    int family;   /* AF_INET, AF_INET6, AF_UNIX, AF_PACKET, AF_NETLINK, AF_VSOCK */
    int type;     /* SOCK_STREAM, ... */
    int protocol; /* IPPROTO_*; a raw socket's own; AF_PACKET: ethertype; NETLINK_* */
    enum hail_socket_state state;
    /* Internet sockets; len 0 with the others, whose names are below. */
    struct hail_addr local, peer;
    uint32_t interface;      /* index of the one that it is bound to, or 0 */
    uint32_t inode;          /* 0: no process has it any more (TIME_WAIT), or not yet */
    uint32_t uid;            /* of the owner */
    uint64_t cookie;         /* the kernel's own number, never given twice (SO_COOKIE) */
    uint32_t recv_q, send_q; /* bytes; a listener's: waiting, and the most that may wait */
    enum hail_socket_timer timer;
    uint32_t timer_ms; /* until the pending timer fires; TIME_WAIT: until it is gone; 0: none */
    uint32_t retransmits, probes;   /* in a row, unanswered; without HAIL_HAS_PROBES the pending
                                       timer's alone */
    const struct hail_netns *netns; /* as in the query */

    /* Unix: the path, or the abstract name after a NUL byte; NULL without. Not NUL-ended. */
    const char *name;
    size_t name_len;
    uint32_t peer_inode, references;

    uint32_t port_id, groups;     /* netlink: the port (often the PID), the groups */
    uint32_t cid, port;           /* vsock: local ... */
    uint32_t peer_cid, peer_port; /* ... and peer */

    unsigned has;  /* bits of enum hail_socket_has: which of these are there */
    uint32_t mark; /* SO_MARK, which takes CAP_NET_ADMIN to see */
    const struct hail_tcp_info *tcp;
    const char *congestion; /* "cubic"; "" without */
    const struct hail_socket_memory *memory;
    uint64_t cgroup;               /* the id of its cgroup (v2) */
    unsigned options;              /* bits of enum hail_socket_option */
    uint8_t tos, tclass, shutdown; /* shutdown: 1 receive, 2 send */
    bool v6only;
};

/* A filter, compiled from ss(8)'s language; src/diag/filter.h has the grammar. */
struct hail_socket_filter;
struct hail_holders;

/* Reads `text`. Returns 0, -EINVAL with layer usage (the message names the word and its column,
 * counted from 1), or -ENOMEM. Owned by the caller. */
HAIL_API int hail_socket_filter_parse(struct hail_ctx *ctx, const char *text,
                                      struct hail_socket_filter **out);
HAIL_API void hail_socket_filter_free(struct hail_socket_filter *filter); /* NULL is accepted */

/* What the filter asks of a row: bits of enum hail_socket_has, and whether it asks for processes
 * (process, pid): then hail_socket_filter_match() wants holders. */
HAIL_API unsigned hail_socket_filter_wants(const struct hail_socket_filter *filter);
HAIL_API bool hail_socket_filter_wants_holders(const struct hail_socket_filter *filter);

/* The states that any row must be in (bits 1 << state), and whether the text named states itself
 * (else the caller's default holds). */
HAIL_API uint32_t hail_socket_filter_states(const struct hail_socket_filter *filter, bool *named);

/* Whether the row fits. `holders` may be NULL where the filter does not want them. */
HAIL_API bool hail_socket_filter_match(const struct hail_socket_filter *filter,
                                       const struct hail_socket_info *info,
                                       const struct hail_holders *holders);

/* What to list. All zero but `kinds` is everything of them. */
struct hail_socket_query {
    unsigned kinds;      /* bits HAIL_KIND_BIT(...) */
    int family;          /* AF_INET, AF_INET6, or 0 for both; other families are not touched */
    uint32_t states;     /* bits 1 << enum hail_socket_state; 0: HAIL_STATES_ALL */
    uint16_t local_port; /* 0: any */
    uint16_t peer_port;
    unsigned want; /* bits of enum hail_socket_has; what a kind does not have is left out */
    const struct hail_socket_filter *filter; /* the kernel's part of it runs in the kernel */
    const struct hail_holders *holders;      /* for a filter that wants them */
    const struct hail_netns *netns;          /* NULL: the caller's */
};

/* Calls `each` for every socket that fits; stops when it returns non-zero and returns that.
 * Otherwise 0, or -errno with layer local. Nothing is allocated for a row. Kinds come in the order
 * of their numbers, IPv4 before IPv6, rows in the kernel's order. When the table changed under the
 * dump (NLM_F_DUMP_INTR), rows may be missing: the gap HAIL_GAP_CHANGED is set. `gaps` may be NULL;
 * it is added to, never cleared. */
typedef int hail_socket_info_fn(void *arg, const struct hail_socket_info *info);
struct hail_diag_gaps {
    unsigned changed;   /* kinds whose table changed during the dump: bits HAIL_KIND_BIT */
    unsigned no_module; /* kinds that the kernel does not show at all */
    unsigned from_proc; /* kinds read from /proc/net for lack of a module: fewer fields */
    unsigned denied;    /* kinds that this user may not list */
};
HAIL_API int hail_sockets_each(struct hail_ctx *ctx, const struct hail_socket_query *query,
                               struct hail_diag_gaps *gaps, hail_socket_info_fn *each, void *arg);

/* "ESTABLISHED", ... ; "UNKNOWN" for another number. Static. */
HAIL_API const char *hail_socket_state_name(enum hail_socket_state state);
/* "tcp", "udp", "unix", ...; "unknown". Static. */
HAIL_API const char *hail_socket_kind_name(enum hail_socket_kind kind);

/* --- who holds a socket --- */

/* A process that holds sockets. Lives as long as its hail_holders. */
struct hail_process {
    int pid;
    uint32_t uid;        /* effective */
    uint64_t started;    /* clock ticks after boot (proc_pid_stat(5), field 22); 0: unknown */
    const char *name;    /* comm, proc_pid_comm(5) */
    const char *program; /* argv[0] as net-tools shows it: the last part of an absolute path */
};

/* One descriptor that is the socket. */
struct hail_holder {
    uint32_t inode;
    int fd;
    const struct hail_process *process;
};

/* What to look for. All zero: every holder of every socket. */
struct hail_holders_query {
    const uint32_t
        *inodes; /* only these, and stop early when each has its first holder; NULL: all */
    size_t n;
    bool first; /* only the first holder of each socket (the lowest place in /proc), as netstat */
};

/* Walks /proc/PID/fd (proc(5)) on a few threads. What could not be read is counted, not an error:
 * hail_holders_denied(). -errno when /proc is not there. Owned by the caller. `query` may be NULL:
 * all.
 */
HAIL_API int hail_holders_load(struct hail_ctx *ctx, const struct hail_holders_query *query,
                               struct hail_holders **out);
HAIL_API void hail_holders_free(struct hail_holders *holders); /* NULL is accepted */
/* Processes whose descriptors this user may not see; whether hidepid hides processes altogether. */
HAIL_API size_t hail_holders_denied(const struct hail_holders *holders);
HAIL_API bool hail_holders_hidden(const struct hail_holders *holders);
/* Number of sockets that have a holder. */
HAIL_API size_t hail_holders_count(const struct hail_holders *holders);

/* The i-th holder of the socket, in the order of /proc; false when there are no more. */
HAIL_API bool hail_holder_get(const struct hail_holders *holders, uint32_t inode, size_t i,
                              struct hail_holder *out);

/* The cgroup's path below the mount ("/system.slice/nginx.service"), by its id; what it means: the
 * systemd unit or the container in it. Returns 0, -ENOENT (gone, or no cgroup2 mount seen). The
 * first call walks the tree; later ones look it up, and walk again for one that is not in it, every
 * five seconds at most. */
HAIL_API int hail_cgroup_path(uint64_t id, char *out, size_t size);
/* The last part of a cgroup's path that names a unit or container: "nginx.service",
 * "docker-0123456789ab.scope" as "0123456789ab"; the path itself when nothing does. */
HAIL_API void hail_cgroup_unit(const char *path, char *out, size_t size);

/* --- network namespaces, network_namespaces(7) --- */

struct hail_netns {
    uint64_t inode; /* what tells it from others; on nsfs */
    int fd;         /* open while the namespace is told */
    int pid;        /* a process in it, or 0 */
    bool own;       /* the caller's */
    char name[64];  /* ip-netns(8)'s name, or "" */
};

/* Every namespace that a process is in, or that ip-netns(8) named, each once, the caller's first.
 * Stops when `each` returns non-zero and returns that; 0, or -errno. `*hidden`, if not NULL, is
 * the number of processes whose namespace this user may not see. */
typedef int hail_netns_fn(void *arg, const struct hail_netns *netns);
HAIL_API int hail_netns_each(struct hail_ctx *ctx, hail_netns_fn *each, void *arg, size_t *hidden);
/* One, by ip-netns(8)'s name, by PID, or by path. -ENOENT, -EPERM. Close with hail_netns_close().
 */
HAIL_API int hail_netns_open(struct hail_ctx *ctx, const char *which, struct hail_netns *out);
HAIL_API void hail_netns_close(struct hail_netns *netns);

/* --- news, and closing from outside --- */

/* A descriptor that tells of Internet sockets as they close (SKNLGRP_INET_*_DESTROY; CAP_NET_ADMIN
 * is not needed, the kernel may lack it: -ENOTSUP). */
HAIL_API int hail_socket_closed_open(struct hail_ctx *ctx, const struct hail_netns *netns,
                                     unsigned kinds, int *fd);
/* Tells what has come, without waiting; 0, or -EAGAIN when there is nothing, -ENOBUFS when some
 * were lost. */
HAIL_API int hail_socket_closed_read(struct hail_ctx *ctx, int fd, hail_socket_info_fn *each,
                                     void *arg);

/* Closes a TCP or UDP socket of any process (SOCK_DESTROY; needs CAP_NET_ADMIN). Its owner sees
 * ECONNABORTED. -EPERM, -ENOENT (gone), -EOPNOTSUPP (the kernel was built without). */
HAIL_API int hail_socket_destroy(struct hail_ctx *ctx, const struct hail_socket_info *info);

#ifdef __cplusplus
}
#endif
#endif
