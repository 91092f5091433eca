/* filter.h - the filters of hail_socket_filter_parse() (include/hail/diag.h), and what of them the
 * kernel can do. Sans-I/O but for the names of interfaces, services and users,
 * and the range of ports that the system picks from.
 *
 *   filter     = { states } [ expr ]         any of the states named, none excluded, and expr
 *   states     = ( "state" | "exclude" ) state { "," state }
 *   expr       = term { ( "or" | "||" | "|" ) term }
 *   term       = factor { [ "and" | "&&" | "&" ] factor }
 *   factor     = ( "not" | "!" ) factor | "(" expr ")" | condition
 *   condition  = ( "src" | "dst" ) [ equal ] host
 *              | ( "sport" | "dport" ) compare port [ "-" port ]
 *              | ( "recv-q" | "send-q" | "inode" | "pid" ) compare number
 *              | ( "state" | "exclude" ) [ equal ] state { "," state }
 *              | ( "dev" | "interface" ) equal name       SO_BINDTODEVICE, or the packet socket's
 *              | "process" equal glob                     any holder's name or program
 *              | "user" equal ( name | number )
 *              | "cgroup" equal ( path | unit )
 *              | "netns" equal name
 *              | "family" equal ( "inet" | "inet6" | "unix" | "packet" | "netlink" | "vsock" )
 *              | "fwmark" equal number [ "/" mask ]
 *              | "autobound"                   a port of net.ipv4.ip_local_port_range
 *   equal      = "=" | "==" | "eq" | "!=" | "ne" | "neq"
 *   compare    = equal | ">" | "gt" | "<" | "lt" | ">=" | "ge" | "geq" | "<=" | "le" | "leq"
 *   port       = [ ":" ] ( number | service )
 *   host       = [ "inet:" | "inet6:" ] ( "*" | address [ "/" bits ] ) [ ":" port ]
 *              | "localhost" [ ":" port ] | [ "unix:" ] glob     a glob begins with "/" or "@"
 *              | "vsock:" ( "*" | number ) [ ":" ( "*" | number ) ] | ( "link:" | "netlink:" ) "*"
 *   state      = ss's and netstat's names, case folded: established, syn-sent or SYN_SENT, ...,
 *                all, connected, synchronized, bucket, big
 *
 * Words are folded in ASCII. "and" binds tighter than "or". States before the expression that "and"
 * or "or" follows are conditions of it.
 *
 * An IPv6 address before a port or bits stands in brackets. An IPv4 prefix also fits the mapped
 * addresses of IPv6 sockets (RFC 4291 section 2.5.5.2), as in ss.
 *
 *   filter_lex.c     words    filter_values.c  what stands to the right of an operator
 *   filter.c         parser   filter_match.c   a row     filter_code.c  the kernel's part
 */
#ifndef HAIL_DIAG_FILTER_H
#define HAIL_DIAG_FILTER_H

#include <hail/diag.h>

#define HAIL_BYTECODE_MAX     4096 /* bytes of a program for the kernel */
#define HAIL_FILTER_NODES_MAX 256
#define HAIL_FILTER_DEPTH_MAX 32 /* of parentheses and nots */
#define HAIL_FILTER_TEXT_MAX  256

enum hail_filter_field {
    HAIL_FIELD_SRC,
    HAIL_FIELD_DST,
    HAIL_FIELD_SPORT,
    HAIL_FIELD_DPORT,
    HAIL_FIELD_RECV_Q,
    HAIL_FIELD_SEND_Q,
    HAIL_FIELD_INODE,
    HAIL_FIELD_PID,
    HAIL_FIELD_STATE,
    HAIL_FIELD_INTERFACE,
    HAIL_FIELD_PROCESS,
    HAIL_FIELD_USER,
    HAIL_FIELD_CGROUP,
    HAIL_FIELD_NETNS,
    HAIL_FIELD_FAMILY,
    HAIL_FIELD_MARK,
    HAIL_FIELD_AUTOBOUND,
};

/* Where a condition can be true: in the range, or not in it. */
struct hail_filter_host {
    int family;              /* AF_INET, ...; 0: any of the Internet's */
    bool localhost;          /* 127.0.0.0/8 and ::1 */
    unsigned char bytes[16]; /* the address, network order */
    unsigned bits;           /* of it that count */
    int port;                /* -1: any */
    bool any_cid, any_port;  /* vsock: without the term's low, high */
};

struct hail_filter_term {
    enum hail_filter_field field;
    bool unequal;       /* the condition is turned round */
    uint64_t low, high; /* numbers and ports: both ends are in; mark: value and mask */
    uint32_t states;    /* bits */
    struct hail_filter_host host;
    char text[HAIL_FILTER_TEXT_MAX]; /* a glob, a path, a name */
};

enum hail_filter_op { HAIL_FILTER_TERM, HAIL_FILTER_AND, HAIL_FILTER_OR, HAIL_FILTER_NOT };

struct hail_filter_node {
    enum hail_filter_op op;
    short left, right;             /* of AND and OR; NOT has left alone */
    struct hail_filter_term *term; /* owned */
};

struct hail_socket_filter {
    struct hail_filter_node node[HAIL_FILTER_NODES_MAX];
    int n, root;     /* root -1: no expression */
    uint32_t states; /* of the words before the expression */
    bool named;      /* a state was named anywhere */
    unsigned wants;
    bool wants_holders;
};

/* --- words --- */

struct hail_filter_lex {
    const char *text, *p;
    size_t column;    /* of the word, counted from 1 */
    const char *word; /* not NUL-ended */
    size_t len;       /* 0: the end */
};

/* Goes on to the next word: a parenthesis, an operator, or anything up to a blank or one of them.
 */
void hail_filter_next(struct hail_filter_lex *l);
bool hail_filter_is(const struct hail_filter_lex *l, const char *word); /* ASCII case folded */
/* "column 9: 'dprt' <what>" in the context; -EINVAL. */
int hail_filter_bad(struct hail_ctx *ctx, const struct hail_filter_lex *l, const char *fmt, ...)
    HAIL_PRINTF(3, 4);

/* --- values: each reads the word at hand into the term; 0, or -EINVAL with the error --- */

int hail_filter_host_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t);
int hail_filter_port_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *low,
                           uint64_t *high);
int hail_filter_number_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *v);
int hail_filter_states_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint32_t *set);
int hail_filter_user_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *uid);
int hail_filter_family_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *family);
void hail_filter_autobound_value(struct hail_filter_term *t); /* the ports the system picks */
int hail_filter_mark_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t);
int hail_filter_text_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t);

/* Whether one condition holds for a row. */
bool hail_filter_term_match(const struct hail_filter_term *t, const struct hail_socket_info *info,
                            const struct hail_holders *holders);

/* Writes a program of INET_DIAG_REQ_BYTECODE (linux/inet_diag.h) that lets through at least every
 * row that fits; what it does not decide, hail_socket_filter_match() does. Returns its length, or 0
 * when the kernel can decide nothing of it, or it does not fit. */
size_t hail_filter_bytecode(const struct hail_socket_filter *filter, void *out, size_t size);

#endif
