/* tables.h - between the files of -r, -i and -s; netstat.h. */
#ifndef HAIL_CMD_NETSTAT_TABLES_H
#define HAIL_CMD_NETSTAT_TABLES_H

#include "netstat/netstat.h"

#include <net/if.h>
#include <netinet/in.h>

/* route.h(7) has not all of them. */
enum {
    ROUTE_UP = 0x1,
    ROUTE_GATEWAY = 0x2,
    ROUTE_HOST = 0x4,
    ROUTE_REINSTATE = 0x8,
    ROUTE_DYNAMIC = 0x10,
    ROUTE_MODIFIED = 0x20,
    ROUTE_MTU = 0x40,
    ROUTE_WINDOW = 0x80,
    ROUTE_IRTT = 0x100,
    ROUTE_REJECT = 0x200,
    ROUTE_NOT_CACHED = 0x400,
    ROUTE_DEFAULT = 0x10000,
    ROUTE_ALL_ON_LINK = 0x20000,
    ROUTE_ADDRCONF = 0x40000,
    ROUTE_NO_NEXT_HOP = 0x200000,
    ROUTE_EXPIRES = 0x400000,
    ROUTE_CACHE = 0x1000000,
    ROUTE_FLOW = 0x2000000,
    ROUTE_POLICY = 0x4000000,
    ROUTE_LOCAL = (int)0x80000000,
};

#define ROUTE_FLAGS_MAX 32 /* letters, with the NUL */

struct route_letter {
    unsigned flag;
    const char *letters;
};

/* `first` (two letters at most) and the letters of the flags that are set, in the order of `table`,
 * which ends with {0}. */
void netstat_route_letters(const char *first, const struct route_letter *table, unsigned flags,
                           char out[ROUTE_FLAGS_MAX]);

/* What the columns are: by how often -e was given. */
enum route_columns {
    ROUTE_COLUMNS_NONE = 0, /* -eee shows none */
    ROUTE_COLUMNS_METRIC = 1,
    ROUTE_COLUMNS_MSS = 2,
    ROUTE_COLUMNS_ALL = 3,
};

/* Each prints the table of its family, or says that there is none; the status. */
int netstat_routes_inet(struct netstat *n, enum route_columns columns);
int netstat_routes_inet_cache(struct netstat *n, enum route_columns columns);
int netstat_routes_inet6(struct netstat *n, bool cache);
int netstat_routes_ax25(struct netstat *n);
int netstat_routes_netrom(struct netstat *n);
int netstat_routes_rose(struct netstat *n);
int netstat_routes_ipx(struct netstat *n);
int netstat_routes_ddp(struct netstat *n);
int netstat_routes_x25(struct netstat *n);

/* Novell's addresses, as the sockets and the routes of IPX have them. */
struct netstat_ipx {
    uint32_t network; /* 0: none */
    uint8_t node[6];  /* all zero: none */
};
#define IPX_TEXT_MAX 24
const char *netstat_ipx_network(struct netstat_ipx *a, const char *text);
void netstat_ipx_node(struct netstat_ipx *a, const char *text);
char *netstat_ipx_text(const struct netstat_ipx *a, char out[IPX_TEXT_MAX]);

/* One interface, or one IPv4 address of it under a name of its own ("eth0:1"). */
struct interface {
    char name[IFNAMSIZ];
    bool counted; /* the counters are there: not those of an address */
    /* received, then sent, in the order of /proc/net/dev: bytes, packets, errors, dropped, fifo,
     * frame (sent: collisions), compressed (carrier), multicast (compressed) */
    uint64_t counters[16];
    int16_t flags;  /* IFF_ */
    int16_t type;   /* ARPHRD_ */
    int mtu, queue; /* queue -1: not known */
    unsigned char hardware[32];
    struct ifmap map;
    bool has_address;
    struct sockaddr_in address, destination, broadcast, netmask;
    int outfill, keepalive; /* of a serial line */
};

enum {
    RX_BYTES,
    RX_PACKETS,
    RX_ERRORS,
    RX_DROPPED,
    RX_FIFO,
    RX_FRAME,
    RX_COMPRESSED,
    RX_MULTICAST,
    TX_BYTES,
    TX_PACKETS,
    TX_ERRORS,
    TX_DROPPED,
    TX_FIFO,
    TX_COLLISIONS,
    TX_CARRIER,
    TX_COMPRESSED,
};

/* The name, safe for where standard output leads to; valid until the next call. */
const char *netstat_interface_name(const struct netstat *n, const char *name);
/* What -ie prints of one. */
void netstat_interface_long(const struct netstat *n, const struct interface *i);

/* How a counter of -s is shown. */
enum counter_kind {
    COUNTER,          /* always */
    COUNTER_NOT_ZERO, /* when it counted something */
    COUNTER_SETTING,  /* never: no option of net-tools asks for it */
    COUNTER_ICMP_IN,  /* when it counted something, below the title of its histogram */
    COUNTER_ICMP_OUT,
};

struct counter {
    const char *name; /* as the kernel has it */
    const char *text; /* with # for the number; "": not shown */
    enum counter_kind kind;
};

/* A table of counters; its order is net-tools' own, where a binary search does not find all. */
struct counter_table {
    const char *title;
    const struct counter *v;
    size_t n;
    size_t shown; /* the offset of the flag in struct netstat that asks for it */
};

extern const struct counter_table netstat_snmp_tables[], netstat_snmp6_tables[]; /* end with {0} */

#endif
