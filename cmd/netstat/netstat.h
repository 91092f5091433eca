/* netstat.h - the rooms of `hail netstat`: what was asked, and who answers it.
 *
 *   netstat.c       the command: picks a view, repeats it with -c
 *   usage.c         net-tools' -h and -V
 *   options.c       net-tools' letters and words as getopt takes them, and hail's own beside them
 *   families.c      net-tools' names of address families (-A, --inet, ...)
 *   names.c         hosts, ports, protocols and users in net-tools' words
 *   legacy.c        net-tools' list of sockets: TCP, UDP, UDP-Lite, raw, byte for byte
 *   legacy_unix.c   ... of Unix sockets;  legacy_sctp.c  ... of SCTP
 *   legacy_old.c    ... of families from before
 *   routes.c        -r: which families; routes_inet.c routes_inet6.c routes_old.c  their tables
 *   interfaces.c    -i: the list;  interfaces_long.c  with -e
 *   groups.c statistics.c statistics_tables.c masquerade.c   -g, -s, -M
 *   endpoint.c      one end of a row in hail's words
 *   select.c        the sockets that were asked for, of one or all namespaces, for hail's own
 * views: table.c json.c  rows for people and for programs explain.c summary.c tree.c   what they
 * mean; counts; process to process watch.c kill.c  what changes; closing sockets
 *   metrics.c metrics_kernel.c tally.c   counts to be scraped
 */
#ifndef HAIL_CMD_NETSTAT_H
#define HAIL_CMD_NETSTAT_H

#include "cmd.h"

/* net-tools' words for an exit status. */
enum {
    NETSTAT_FAILED = 1,   /* an unknown family, a table that the kernel does not have */
    NETSTAT_USAGE = 3,    /* a wrong option, or two views at once */
    NETSTAT_NOTHING = 8,  /* the family has no routing table here */
    NETSTAT_BROKEN = 255, /* a table that is there and cannot be read */
};

/* What the command line says. The letters count as net-tools counts them; nothing is implied yet in
 * what options.c leaves but what net-tools itself makes of them before its first line. */
struct netstat {
    struct common *c;

    /* views: at most one */
    bool routes, interfaces, statistics, masquerade;
    bool groups; /* beside the list of sockets, not instead */

    /* which sockets */
    bool all, listening;
    bool tcp, udp, udplite, sctp, raw;
    bool inet, inet6, unix_, ipx, ax25, netrom, x25, rose, ddp, bluetooth;
    bool all_protocols;     /* the protocols were implied by a family: what is absent is no error */
    bool chosen;            /* any protocol or family: without, the list is of everything */
    char family_words[256]; /* net-tools' `afname`: the families' names as given, by commas */

    /* how */
    int extend; /* how often -e was given */
    bool programs, context, timers, continuous, verbose, wide, symbolic, fib, cache;
    bool numeric_hosts, numeric_ports, numeric_users;
    bool l2cap, rfcomm; /* of Bluetooth, which Debian's net-tools has not */

    /* hail's own, all by long options */
    bool own; /* one of hail's own long options was given */
    bool table, processes, info, memory, options, cgroup, explain, summary, tree, kill, yes;
    bool mptcp, vsock, packet, netlink; /* further kinds */
    int watch_ms;                       /* 0: not */
    bool quiet;                         /* what cannot be seen was said before */
    const char *netns;                  /* NAME, PID or "all"; NULL: this one */
    const char *metrics;                /* the endpoint to be scraped at, or NULL */
    struct hail_socket_filter *filter;  /* of the operands, or NULL */
    struct hail_holders *holders;       /* loaded by netstat_each() when asked for */
};

/* options.c: reads argv; -1 to go on, or the status to end with. */
int netstat_parse(struct netstat *n, struct common *c, int argc, char **argv);
extern const struct option_row netstat_options[]; /* hail's own */
int netstat_option(int letter, const char *value);

/* usage.c: each prints and returns the status. */
int netstat_usage(int status);
int netstat_version(void);

/* families.c: `words` of -A, by commas; 0, or NETSTAT_FAILED with a message. */
int netstat_family_option(struct netstat *n, const char *words);

/* legacy*.c: net-tools' list of one protocol, without the title. The status. */
int netstat_legacy_inet(struct netstat *n, enum hail_socket_kind kind);
int netstat_legacy_sctp(struct netstat *n);
int netstat_legacy_unix(struct netstat *n); /* with its title */
/* ... and of ipx, ax25, x25, netrom and rose, in this order; with their titles */
int netstat_legacy_old(struct netstat *n);
struct row;
/* " PID/Program" and the security context of a socket's first holder, as far as -p and -Z ask. */
void netstat_legacy_program(struct netstat *n, struct row *r, uint32_t inode);
void netstat_program_banner(const struct netstat *n);
/* The holders for -p, with net-tools' warnings; once a round. */
void netstat_legacy_holders(struct netstat *n);

/* Each prints its view once and returns the exit status; with -c netstat.c calls it again each
 * second for as long as it returns 0. */
int netstat_routes(struct netstat *n);
int netstat_interfaces(struct netstat *n);
int netstat_groups(struct netstat *n); /* headed by its own title; below the sockets */
int netstat_statistics(struct netstat *n);
int netstat_masquerade(struct netstat *n);

/* hail's own views; each prints once (watch: until it is stopped) and returns the exit status. */
int netstat_table(struct netstat *n);
int netstat_json(struct netstat *n);
int netstat_explain(struct netstat *n);
int netstat_summary(struct netstat *n);
int netstat_tree(struct netstat *n);
int netstat_watch(struct netstat *n);
int netstat_kill(struct netstat *n);
int netstat_metrics(struct netstat *n); /* until it is stopped */

/* json.c: the members of a row, into an object that is open; what the row and n have. */
#define NETSTAT_SCHEMA "hail.netstat/1"
void netstat_json_row(struct netstat *n, struct hail_json *j, const struct hail_socket_info *row);
void netstat_json_tcp_info(struct hail_json *j, const struct hail_tcp_info *t,
                           const char *congestion);
/* The option of bit `bit` of enum hail_socket_option ("freebind"); NULL behind the last. */
const char *netstat_option_name(unsigned bit);

/* table.c: "nginx[123] +3": who holds a socket, made safe; "" when nobody is known. "5s", "3h":
 * a duration in few letters. Each returns `out`. */
char *netstat_holder_name(struct netstat *n, uint32_t inode, char *out, size_t size);
char *netstat_duration(double seconds, char *out, size_t size);

/* select.c: tells every socket that the command line asks for (kinds, families, states by -a and
 * -l, filter, namespaces), with `want` (bits of enum hail_socket_has) beside what the options ask
 * for. With -p or a filter by process n->holders is loaded anew first. What could not be seen is
 * said on standard error. Returns 0, what `each` stopped with, or -errno with n->c->ctx.err. */
int netstat_each(struct netstat *n, unsigned want, hail_socket_info_fn *each, void *arg);

/* endpoint.c: "0.0.0.0:80", "[fe80::1%eth0]:https", "/run/x", "@abstract", "#1234" (a Unix socket
 * by its inode), "*" for none: one end of a row as hail writes endpoints, never cut, safe to show;
 * names as the numeric options say. NETSTAT_ENDPOINT_MAX bytes always suffice. Returns `out`. */
#define NETSTAT_ENDPOINT_MAX 1200
char *netstat_endpoint(struct netstat *n, const struct hail_socket_info *row, bool peer, char *out,
                       size_t size);
/* NETLINK_ROUTE: "route"; static. */
const char *netstat_netlink_name(int protocol);

/* names.c: as net-tools shows them without -W's cut. The strings are valid until the same function
 * is called four times more. A protocol is "tcp", "udp", "raw"; others have no names. */
struct hail_addr;
const char *netstat_host(struct netstat *n, const struct hail_addr *addr);
const char *netstat_port(struct netstat *n, uint16_t port, const char *protocol);
const char *netstat_user(struct netstat *n, uint32_t uid);

/* What a route of the IPv4 table leads to: "default", a host's name for `host` or where bits are
 * set outside of `mask`, else a network's, or the number. Both are in network byte order. */
struct in_addr;
const char *netstat_destination(struct netstat *n, struct in_addr to, struct in_addr mask,
                                bool host);

/* The name of a network in host byte order, networks(5); false without. */
bool netstat_network(uint32_t network, char *out, size_t size);

/* "netstat: no support for `WHAT' on this system." on standard error. */
void netstat_unsupported(const char *what);

#endif
