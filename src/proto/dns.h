/* dns.h - reading DNS messages: sans-I/O, over the caller's bytes, which nothing here trusts.
 *
 *   message = header (12 bytes) questions answers authority additional     RFC 1035 section 4
 *
 * Every name is bounded at 255 octets and its compression pointers must lead backwards, so that
 * no message can make the reader loop or leave the bytes it was given.
 */
#ifndef HAIL_PROTO_DNS_H
#define HAIL_PROTO_DNS_H

#include "base/buf.h"

/* A name as text: 255 octets, each at worst "\DDD", the dots and the final NUL. */
#define HAIL_DNS_NAME_MAX 1024
/* Aliases that are followed from a name to its addresses. */
#define HAIL_DNS_CHAIN_MAX 16
/* Addresses that are taken from one answer. */
#define HAIL_DNS_ADDRESSES_MAX 32
/* A record's data as text: 65,535 octets, each at worst "\DDD", and quotes. */
#define HAIL_DNS_TEXT_MAX ((size_t)6 * 65536)

/* Record types, IANA "Resource Record (RR) TYPEs". */
enum hail_dns_type {
    HAIL_DNS_A = 1,
    HAIL_DNS_NS = 2,
    HAIL_DNS_CNAME = 5,
    HAIL_DNS_SOA = 6,
    HAIL_DNS_PTR = 12,
    HAIL_DNS_MX = 15,
    HAIL_DNS_TXT = 16,
    HAIL_DNS_AAAA = 28,  /* RFC 3596 */
    HAIL_DNS_SRV = 33,   /* RFC 2782 */
    HAIL_DNS_DNAME = 39, /* RFC 6672 */
    HAIL_DNS_OPT = 41,   /* RFC 6891 */
    HAIL_DNS_SVCB = 64,  /* RFC 9460 */
    HAIL_DNS_HTTPS = 65, /* RFC 9460 */
    HAIL_DNS_CAA = 257,  /* RFC 8659 */
};

enum hail_dns_section {
    HAIL_DNS_ANSWER = 1,
    HAIL_DNS_AUTHORITY,
    HAIL_DNS_ADDITIONAL,
};

/* Response codes that matter here, RFC 1035 section 4.1.1. */
enum hail_dns_rcode {
    HAIL_DNS_NOERROR = 0,
    HAIL_DNS_RCODE_SERVFAIL = 2,
    HAIL_DNS_NXDOMAIN = 3,
};

/* A message that is being read. */
struct hail_dns_msg {
    const uint8_t *p;
    size_t n, at;     /* at: where the next question or record begins */
    unsigned left[4]; /* questions, then records by section, still to come */
    unsigned rcode;
};

struct hail_dns_rr {
    char name[HAIL_DNS_NAME_MAX]; /* absolute, with the final dot */
    enum hail_dns_section section;
    uint16_t type, class;
    uint32_t ttl; /* RFC 2181 section 8: at most 2^31 - 1, what is above counts as 0 */
    size_t data;  /* offset of the data in the message */
    uint16_t len; /* its octets */
};

/* Reads the header of a response. 0, or -EBADMSG. */
int hail_dns_begin(struct hail_dns_msg *m, const void *p, size_t n);

/* The next question's name (`name` may be NULL) and type. 1, 0 when there is none, -EBADMSG. */
int hail_dns_question(struct hail_dns_msg *m, char name[HAIL_DNS_NAME_MAX], uint16_t *type);

/* The next record, questions skipped. 1, 0 at the end, -EBADMSG. */
int hail_dns_next(struct hail_dns_msg *m, struct hail_dns_rr *rr);

/* The domain name at *at, which moves behind it; `out` may be NULL. 0 or -EBADMSG. */
int hail_dns_name(const struct hail_dns_msg *m, size_t *at, char out[HAIL_DNS_NAME_MAX]);

/* Appends a record's data in presentation form, printable ASCII only. Data that is not as its type
 * demands, and types that are not known, take the form of RFC 3597 section 5: "\# 2 abcd".
 * 0, or -errno of the buffer. */
int hail_dns_data_text(const struct hail_dns_msg *m, const struct hail_dns_rr *rr,
                       struct hail_buf *out);

/* The type of a mnemonic (ASCII case folded) or "TYPE123" (RFC 3597); -1 when there is none. */
int hail_dns_type_of(const char *mnemonic);
/* The mnemonic of a type, or "TYPE123" in `scratch`. */
const char *hail_dns_type_name(uint16_t type, char scratch[16]);
/* "NXDOMAIN" for 3; "RCODE 17" for what has no name, in `scratch`. */
const char *hail_dns_rcode_name(unsigned rcode, char scratch[16]);

/* The addresses that an answer gives for the name that it was asked. */
struct hail_dns_addresses {
    unsigned n, aliases;
    char canonical[HAIL_DNS_NAME_MAX]; /* the end of the chain of aliases, with the final dot */
    struct {
        uint8_t ip[16]; /* network order; 4 octets for A */
        uint32_t ttl;   /* the smallest along the chain */
    } v[HAIL_DNS_ADDRESSES_MAX];
};

/* Follows the aliases from the question to the records of `type` (A or AAAA). 0 (also with n == 0),
 * -EBADMSG, or -ELOOP when the chain is longer than HAIL_DNS_CHAIN_MAX. */
int hail_dns_addresses(const void *p, size_t n, uint16_t type, struct hail_dns_addresses *out);

#endif
