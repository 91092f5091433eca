/* resolve.h - the inside of name resolution (include/hail/resolve.h).
 *
 *   resolve.c ── resolve_idn.c            a name as people write it -> as DNS carries it
 *       │ ├───── resolve_hosts.c          /etc/hosts
 *       │ ├───── resolve_dns.c ── c-ares  questions to name servers, under our deadline
 *       │ │          └── resolve_conf.c   /etc/resolv.conf
 *       │ └───── resolve_order.c          RFC 6724
 *   resolve_records.c                     records of any type, names of an address
 *   resolve_fail.c                        what is said when there is no answer
 */
#ifndef HAIL_NET_RESOLVE_H
#define HAIL_NET_RESOLVE_H

#include <hail/resolve.h>

#include "net/trace.h"
#include "os/linux/source.h"
#include "proto/dns.h"

#define HAIL_RESOLVE_MAX 64 /* addresses of one name */
#define HAIL_SERVERS_MAX 8  /* name servers that are used */
#define HAIL_SEARCH_MAX  16 /* domains of the search list */
#define HAIL_HOSTS_PATH  "/etc/hosts"
#define HAIL_RESOLV_PATH "/etc/resolv.conf"

/* resolv.conf(5). */
struct hail_resolv_conf {
    struct hail_addr servers[HAIL_SERVERS_MAX];
    unsigned nservers;
    bool by_default; /* none was configured: this host is asked */
    char search[HAIL_SEARCH_MAX][HAIL_HOST_MAX + 1];
    unsigned nsearch;
    bool has_search; /* a line says so, be the list empty */
    unsigned ndots, timeout_s, attempts;
    bool rotate, tcp;
};

/* The state without any file: ndots 1, 5 s, 2 attempts. */
void hail_resolv_conf_init(struct hail_resolv_conf *c);
/* Adds what the text of a resolv.conf says; malformed lines are skipped, as everywhere. */
void hail_resolv_conf_parse(struct hail_resolv_conf *c, const char *p, size_t n);
/* The file `path` (NULL: the system's, LOCALDOMAIN and RES_OPTIONS with it), completed by the
 * defaults. A file that is not there is empty; -errno when it cannot be read. */
int hail_resolv_conf_load(struct hail_resolv_conf *c, const char *path);

/* The i-th name to ask for `name` by the search list: 1 and `out`, or 0 when there are no more. */
int hail_search_name(const struct hail_resolv_conf *c, const char *name, bool no_search, unsigned i,
                     char out[HAIL_HOST_MAX + 2]);

/* One line of a hosts file: slices of the text. `names` holds at least one name. */
struct hail_hosts_line {
    const char *addr, *names;
    size_t addr_len, names_len;
};
/* Calls `each` for every complete line of a hosts file (hosts(5)) that has an address and a name,
 * until it returns non-zero. With `last` the end of the text ends a line. Returns the bytes
 * consumed. */
typedef int hail_hosts_line_fn(void *arg, const struct hail_hosts_line *line);
size_t hail_hosts_scan(const char *p, size_t n, bool last, hail_hosts_line_fn *each, void *arg);
/* The next name of a line: its length, 0 at the end. */
size_t hail_hosts_next_name(struct hail_hosts_line *line, const char **name);
/* The address of a line, IPv6 zones included; false when it is none. */
bool hail_hosts_addr(const struct hail_hosts_line *line, struct hail_addr *out);

/* All addresses of `name` in the hosts file `path` (NULL: the system's) of `family`, at most `max`
 * into `v`. Returns the count; a file that cannot be read has none. `canonical` is the first name
 * of the first line that matched. */
int hail_hosts_lookup(const char *path, const char *name, int family, struct hail_address *v,
                      size_t max, char canonical[HAIL_HOST_MAX + 1]);
/* Calls `each` for the names of `addr` (its port does not count). Returns how many. */
int hail_hosts_reverse(const char *path, const struct hail_addr *addr, hail_name_fn *each,
                       void *arg);

/* `name` in the form of DNS: ASCII unchanged, other scripts as A-labels (IDNA 2008, UTS #46).
 * 0, or -EINVAL recorded in the context. */
int hail_idn_to_ascii(struct hail_ctx *ctx, const char *name, char out[HAIL_HOST_MAX + 1]);

/* Bits of enum hail_own_flags. */
typedef unsigned hail_own_flags_fn(const struct hail_addr *from);

/* Puts addresses in the order of RFC 6724 section 6 by their `addr` and `from`, stable, and fills
 * every `reason`. `flags` tells of sources, and is not called when there is one address only. */
void hail_order(struct hail_address *v, size_t n, hail_own_flags_fn *flags);
/* Fills `from` with what the kernel would pick (a connected UDP socket; no packet is sent). */
void hail_find_source(struct hail_address *a);

/* One question, and what came of it. */
struct hail_question {
    uint16_t type;
    int rc;          /* 0: there is a message (NXDOMAIN as well); -errno */
    unsigned rcode;  /* of the message, or of the last refusal when rc is -EAGAIN */
    uint8_t *answer; /* the message; freed by hail_dns_close() or the next ask */
    size_t len;
    bool useful; /* the answer has an address */
    struct hail_asker *asker;
};

/* A conversation with the configured name servers. */
struct hail_asker {
    struct hail_resolv_conf conf;
    const char *path; /* of resolv.conf, for messages */
    void *channel;    /* c-ares' */
    struct hail_ctx *ctx;
    unsigned pending;
    unsigned rcode;                 /* of the last response seen over UDP; 0: none */
    char server[HAIL_ENDPOINT_MAX]; /* asked first */
    char last[HAIL_ENDPOINT_MAX];   /* asked last */
};

/* Reads the configuration; does not ask yet. 0 or -errno, recorded. */
int hail_dns_open(struct hail_ctx *ctx, struct hail_asker *a, const struct hail_resolve_opts *opts,
                  bool edns);
/* Asks all questions about `name` at once and waits for the answers. With `race`, once one of them
 * has given an address the others get a second, or four times as long as it took. 0 when at least
 * one has an answer; -ETIMEDOUT, -ECANCELED, -EAGAIN, -ENOMEM: nothing is recorded yet. */
int hail_dns_ask(struct hail_asker *a, const char *name, struct hail_question *q, size_t n,
                 bool race);
void hail_dns_close(struct hail_asker *a, struct hail_question *q, size_t n);

/* Tells the trace of bytes to (`out`) or from the name server that `fd` is connected to. */
void hail_dns_trace(struct hail_ctx *ctx, int fd, bool out, const void *data, size_t n);

/* Records the error of a name that was not resolved; returns -errno. `rc` as of hail_dns_ask(). */
int hail_dns_fail(struct hail_asker *a, const char *name, int rc);
int hail_name_fail(struct hail_ctx *ctx, int errnum, int detail, const char *name, const char *why);

/* Whether `name` is `domain` or below it, ASCII case and a final dot apart. */
bool hail_name_within(const char *name, const char *domain);

#endif
