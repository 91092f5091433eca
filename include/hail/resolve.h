/* resolve.h - from names to addresses and back, and plain DNS questions.
 *
 * Addresses: a numeric host never asks; "localhost" and names below it are the loopback
 * (RFC 6761 section 6.3); then /etc/hosts; then DNS by c-ares with /etc/resolv.conf's options and
 * search list, AAAA and A in parallel. The order is RFC 6724's, and says why.
 */
#ifndef HAIL_RESOLVE_H
#define HAIL_RESOLVE_H

#include <hail/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hail_source {
    HAIL_SOURCE_LITERAL, /* written as a number, or a Unix address */
    HAIL_SOURCE_LOCAL,   /* localhost, or ":port" */
    HAIL_SOURCE_HOSTS,   /* /etc/hosts */
    HAIL_SOURCE_DNS,
};

/* One address, in the order in which it would be tried. */
struct hail_address {
    struct hail_addr addr; /* with the endpoint's port */
    enum hail_source source;
    int32_t ttl;           /* seconds; -1: not from DNS */
    const char *reason;    /* why it stands after the one before it, or first; static */
    struct hail_addr from; /* the source address the kernel would pick; len 0: no route, or the
                              address is the only one and opts.sources was not set */
};

/* The addresses of one endpoint. Owned by the caller until hail_addrs_free(). */
struct hail_addrs {
    struct hail_address *v;
    size_t n;
    char canonical[HAIL_HOST_MAX + 1]; /* the name after CNAMEs and search list; may be empty */
    char server[HAIL_ENDPOINT_MAX];    /* the name server that was asked first; may be empty */
};

/* How to look up. All zero is the system's configuration. The pointers are only read. */
struct hail_resolve_opts {
    int family;              /* AF_UNSPEC, AF_INET, AF_INET6 */
    const char *server;      /* endpoint of a name server in place of resolv.conf's */
    const char *resolv_conf; /* another file than /etc/resolv.conf */
    const char *hosts_file;  /* another file than /etc/hosts */
    bool no_search;          /* the name is complete */
    bool tcp;                /* ask over TCP from the start */
    bool sources;            /* fill `from` of a single address too, where the order needs it not */
};

/* All addresses of `ep`. `opts` may be NULL. Returns 0, or with layer name: -ENOENT (detail
 * HAIL_NAME_NOT_FOUND or HAIL_NAME_NO_DATA), -EAGAIN (HAIL_NAME_SERVFAIL), -ETIMEDOUT,
 * -ECANCELED, -EINVAL for a name that cannot be one. */
HAIL_API int hail_resolve(struct hail_ctx *ctx, const struct hail_endpoint *ep,
                          const struct hail_resolve_opts *opts, struct hail_addrs *out);
HAIL_API void hail_addrs_free(struct hail_addrs *addrs);

/* The names of an address: /etc/hosts, then PTR (RFC 1035 section 3.5, RFC 3596 section 2.5). Calls
 * `each` for every name with its TTL (-1: not from DNS). Errors as for hail_resolve(). */
typedef void hail_name_fn(void *arg, const char *name, enum hail_source source, int32_t ttl);
HAIL_API int hail_resolve_reverse(struct hail_ctx *ctx, const struct hail_addr *addr,
                                  const struct hail_resolve_opts *opts, hail_name_fn *each,
                                  void *arg);

/* One record of an answer; strings are valid during the callback. */
struct hail_dns_record {
    const char *name;
    const char *type; /* "MX" */
    uint32_t ttl;
    const char *data;    /* presentation form, RFC 1035 section 5.1 and the types' own RFCs */
    const char *section; /* "answer", "authority", "additional" */
};
typedef void hail_dns_fn(void *arg, const struct hail_dns_record *record);

/* Asks DNS for records of one type: A AAAA CNAME MX TXT NS SOA SRV CAA HTTPS SVCB PTR (ASCII case
 * folded). Returns the number of answers (0: the name has none of that type) or as hail_resolve().
 */
HAIL_API int hail_dns_query(struct hail_ctx *ctx, const char *name, const char *type,
                            const struct hail_resolve_opts *opts, hail_dns_fn *each, void *arg);

HAIL_API const char *hail_source_name(enum hail_source source); /* "literal", "hosts", ... */

#ifdef __cplusplus
}
#endif
#endif
