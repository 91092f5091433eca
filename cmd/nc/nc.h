/* nc.h - `hail nc`: the map of its files, and what they share.
 *
 *   nc.c         the command: which of the things below is asked for
 *   options.c    the command line: netcat-openbsd's letters and messages, hail's own long options
 *   values.c     the values of those letters: numbers, TOS, ports and ranges of ports
 *   usage.c      netcat's help
 *   names.c      hosts, services and errors of names in netcat's words
 *   client.c     reaching the other end, one port or a range: addresses in turn, messages
 *   scan.c       -z over TCP: many ports at once, told in their order
 *   listen.c     -l: one connection at a time; Unix sockets, too
 *   sockets.c    options of sockets: -D -I -O -M -m -S -T -b
 *   tls.c        --tls
 *   proxy.c      -x, -X, -P, --proxy
 *   session.c    bytes between the connection and standard input and output: the pump and its rules
 *   pass_fd.c    -F; exec.c: --exec, --sh-exec
 *   lines.c      -C and -i; watcher.c: --hexdump, --progress
 *   many.c       -lk: every client at once
 *   relay.c      ENDPOINT ENDPOINT
 *   dccp.c       -Z
 *   udp.c        -u: datagrams, the listener; udp_client.c: the client
 *   udp_session.c, udp_source.c, udp_sink.c: what passes, what comes in, what goes out
 *   probe.c      -zu: what is said of a port; probe_scan.c: asking many
 */
#ifndef HAIL_CMD_NC_H
#define HAIL_CMD_NC_H

#include "cmd.h"

#define NC_FAILED     1 /* netcat's status for whatever failed */
#define NC_ADDRS_MAX  32
#define NC_NAME_BYTES 256

/* What the command line asks for. Numbers are -1 where the option was not given. */
struct nc_options {
    int family;              /* -4, -6, -U; AF_UNSPEC */
    bool broadcast;          /* -b */
    bool crlf;               /* -C */
    bool debug;              /* -D */
    bool detached;           /* -d */
    bool pass_fd;            /* -F */
    bool keep;               /* -k */
    bool listen;             /* -l */
    bool shut;               /* -N, or -q with a time */
    bool numeric;            /* -n */
    bool random;             /* -r */
    bool md5;                /* -S */
    bool telnet;             /* -t */
    bool datagrams;          /* -u */
    bool dccp;               /* -Z */
    bool zero_io;            /* -z */
    int verbose;             /* -v, how often */
    int rcvbuf, sndbuf;      /* -I, -O: bytes */
    long interval_s;         /* -i; 0: none */
    int ttl, minttl;         /* -M, -m */
    int quit_s;              /* -q; negative: never */
    int tos;                 /* -T */
    int recv_limit;          /* -W; 0: none */
    int timeout_s;           /* -w */
    const char *proxy;       /* -x ADDRESS[:PORT] */
    int proxy_kind;          /* -X: 4, 5, or 0 for connect */
    const char *proxy_user;  /* -P */
    const char *source;      /* -s */
    const char *source_port; /* -p */
    const char *host, *port; /* the operands; NULL: none */
    char *const *ports;      /* a client's: `port` and those behind it */
    size_t nports;
    struct split_words *words; /* what `ports` lies in, malloc'ed */
    const char *second;        /* two endpoints: `host` is the first, this the other */

    /* hail's own */
    bool tls, insecure_certificate;
    const char *cert, *key, *ca, *alpn, *sni;
    const char *proxy_url; /* --proxy */
    const char *exec;      /* --exec, --sh-exec */
    bool exec_by_shell;
    bool hexdump;             /* --hexdump[=FILE] */
    const char *hexdump_file; /* NULL: standard error */
    bool progress, probe;
    int64_t idle_ms; /* --idle-timeout */
};

struct nc {
    struct common *c;
    struct nc_options o;
    struct hail_tls_config *tls;    /* with --tls; the side that -l says */
    struct hail_listener *listener; /* -l: while it listens */
    struct hail_proxy proxy;        /* -x, --proxy */
    bool proxied;
    char proxy_host[NC_NAME_BYTES]; /* -x: as they were written */
    const char *proxy_port;
    int asked;        /* how often for the proxy's password */
    char md5_key[81]; /* -S; TCP_MD5SIG_MAXKEYLEN and a NUL */
};

/* options.c: what `parse` of struct command is. */
int nc_parse(struct common *c, int argc, char **argv);
extern struct nc_options nc_asked;
extern const struct option_row nc_own_options[];

/* nc.c: does what is asked for; the exit status. */
int nc_run(struct nc *nc);

/* usage.c: on standard error, as netcat prints them. */
void nc_usage(void);
void nc_help(void);

/* values.c */
/* A decimal number within [low, high]; else *error is "invalid", "too small" or "too large". */
long long nc_number(const char *text, long long low, long long high, const char **error);
/* -T: a keyword or number; -1 if it is neither. */
int nc_tos(const char *text);
/* The ports of the operands "80", "http", "20-30", in the order of trying: malloc'ed, *n of them;
 * NULL: the message was printed. */
uint16_t *nc_ports(const struct nc_options *o, size_t *n);

/* "nc: ..." on standard error. Returns NC_FAILED. */
int nc_fail(const char *fmt, ...) HAIL_PRINTF(1, 2);

/* names.c */
/* The addresses of a host in netcat's order, with the port; their number, or NC_FAILED negated
 * after getaddrinfo(3)'s message for it. A host of NULL is every address. */
int nc_resolve(struct nc *nc, const char *host, const char *port, bool told_host,
               struct hail_addr *out, size_t max);
/* The address's host: by name unless -n or there is none; and its port as a number. */
void nc_host_of(struct nc *nc, const struct hail_addr *addr, char out[NC_NAME_BYTES]);
void nc_numeric_host(const struct hail_addr *addr, char out[NC_NAME_BYTES]);
/* The registered service's name, "*" for none or with -n. */
const char *nc_service(const struct nc *nc, uint16_t port);

/* client.c: 0, or the exit status. */
int nc_unix_client(struct nc *nc);
int nc_client(struct nc *nc);
/* listen.c */
/* The Unix socket's name: a path, or an abstract one behind '@'. 0, or the status after a
 * message. */
int nc_unix_endpoint(const char *name, struct hail_endpoint *out);
int nc_listen(struct nc *nc);
void nc_tell_received(struct nc *nc, const struct hail_stream *s);
/* scan.c: every port of the list, TCP. */
int nc_scan(struct nc *nc, const uint16_t *ports, size_t n);
/* many.c: after the listener is there */
int nc_many(struct nc *nc, struct hail_listener *listener);
/* udp.c: -u, client and listener. */
int nc_udp(struct nc *nc);
/* dccp.c: -Z, client and listener. */
int nc_dccp(struct nc *nc);
/* relay.c */
int nc_relay(struct nc *nc);

/* sockets.c: sets on a socket, before connect(2) or listen(2), what the options ask for. 0, or the
 * exit status after a message. */
int nc_socket_options(const struct nc *nc, int fd, const struct hail_addr *at);
/* -S: asks for the password. 0, or the exit status. */
int nc_ask_md5(struct nc *nc);
/* A secret from the terminal, without echo. Whether one was typed. */
bool nc_ask(const char *prompt, char *out, size_t size);

/* proxy.c: reads -x, -X, --proxy into nc->proxy. 0, or the exit status. */
int nc_proxy(struct nc *nc);
/* The proxy's refusal in netcat's words; the exit status. */
int nc_proxy_refused(struct nc *nc, const struct hail_error *err);
/* -P: after a 407, whether there is a password now to try again with. */
bool nc_proxy_ask(struct nc *nc);

/* tls.c. A config for --cert, --ca ... ; and TLS laid over a stream, when --tls asks for it. 0, or
 * the exit status after a message. */
int nc_tls_config(struct nc *nc, bool server, struct hail_tls_config **out);
int nc_tls_begin(struct nc *nc, struct hail_stream **s);

/* pass_fd.c: -F of a connected socket. 0, or the exit status. */
int nc_pass_fd(int fd);

/* exec.c: a program in place of standard input and output; waits for it unless -k. Its exit
 * status, or one after a message. */
int nc_exec(struct nc *nc, struct hail_stream *s);

/* nc.c: what is done with a connection: TLS, then -F, --exec or a session. The exit status. */
int nc_converse(struct nc *nc, struct hail_stream **s);

/* session.c: bytes both ways until the rules say that it is over. Returns the exit status; the
 * stream stays the caller's. */
int nc_session(struct nc *nc, struct hail_stream *s);

#endif
