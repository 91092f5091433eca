/* endpoint.h - endpoints as a person writes them, and addresses as the kernel knows them.
 *
 * Grammar (white space only where shown; a port is a number or a service's name):
 *
 *   endpoint  = [ "tcp:" | "udp:" | "tls:" ] where
 *   where     = host ":" port | host " " port | host | ":" port | unix
 *   host      = name | IPv4 | "[" IPv6 [ "%" zone ] "]" | IPv6 [ "%" zone ]   (bare: without port)
 *             | "*"                                                           (every address)
 *   unix      = "unix:" path | "unix:@" abstract-name
 *
 * RFC 3986 section 3.2.2 and RFC 6874 for the brackets, RFC 4007 section 11 for zones.
 */
#ifndef HAIL_ENDPOINT_H
#define HAIL_ENDPOINT_H

#include <hail/ctx.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hail_transport {
    HAIL_TRANSPORT_ANY = 0, /* none was written: the caller's default */
    HAIL_TCP,
    HAIL_UDP,
    HAIL_TLS, /* TLS over TCP */
};

enum hail_host {
    HAIL_HOST_ANY = 0,  /* ":port" or "*:port": every local address, or the loopback to dial */
    HAIL_HOST_NAME,     /* to be resolved */
    HAIL_HOST_IPV4,     /* dotted decimal */
    HAIL_HOST_IPV6,     /* RFC 5952 text, zone apart */
    HAIL_HOST_UNIX,     /* a path */
    HAIL_HOST_ABSTRACT, /* Linux: a name in the abstract namespace, unix(7) */
};

#define HAIL_HOST_MAX 253 /* bytes of a name, RFC 1035 section 2.3.4 in text form */
/* A formatted endpoint with its final NUL: "tcp:[" host "%" zone "]:65535". */
#define HAIL_ENDPOINT_MAX (HAIL_HOST_MAX + IF_NAMESIZE + 16)

/* A value: copy it freely, it owns nothing. All zero is "every address, no port". */
struct hail_endpoint {
    enum hail_transport transport;
    enum hail_host kind;
    bool has_port;                /* there is a port, written or by default (0: the system picks) */
    uint16_t port;                /* host byte order */
    char zone[IF_NAMESIZE];       /* IPv6 zone: an interface's name or index; empty: none */
    char host[HAIL_HOST_MAX + 1]; /* name, canonical address, path or abstract name; NUL-ended */
};

/* A socket address of any family that hail speaks. */
struct hail_addr {
    socklen_t len; /* 0: unset */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
};

/* Reads `text`. Without a port in it, `default_port` is taken when it is not 0. A service's name
 * stands for its port with the transport that was written (TCP if none).
 * Returns 0, or -EINVAL with layer usage; the message gives the column, counted from 1. */
HAIL_API int hail_endpoint_parse(struct hail_ctx *ctx, struct hail_endpoint *ep, const char *text,
                                 uint16_t default_port);

/* The same for a host and a port or service given apart ("host service" as two words); `service`
 * may be NULL: `host` may then carry the port itself. */
HAIL_API int hail_endpoint_parse2(struct hail_ctx *ctx, struct hail_endpoint *ep, const char *host,
                                  const char *service, uint16_t default_port);

/* Writes the canonical text, which hail_endpoint_parse() reads back as an equal endpoint, into
 * `out` (HAIL_ENDPOINT_MAX always suffices). Returns the length without the NUL, as snprintf(3). */
HAIL_API int hail_endpoint_format(const struct hail_endpoint *ep, char *out, size_t size);

HAIL_API bool hail_endpoint_equal(const struct hail_endpoint *a, const struct hail_endpoint *b);

/* The endpoint of a socket address; IPv4-mapped IPv6 becomes IPv4 (RFC 4291 section 2.5.5.2). */
HAIL_API struct hail_endpoint hail_endpoint_of(const struct hail_addr *addr);

/* The address of a numeric, Unix or any endpoint (any: the IPv6 wildcard, or IPv4's for
 * family AF_INET); no name is looked up. Returns 0, -ENOTSUP for a name, -ENODEV for an unknown
 * zone, -ENAMETOOLONG for a Unix path over 107 bytes. Sets no error. */
HAIL_API int hail_endpoint_addr(const struct hail_endpoint *ep, int family, struct hail_addr *out);

/* The address's port in host byte order; 0 for Unix. */
HAIL_API uint16_t hail_addr_port(const struct hail_addr *addr);
HAIL_API void hail_addr_set_port(struct hail_addr *addr, uint16_t port);

/* Same family, address, zone and port. */
HAIL_API bool hail_addr_equal(const struct hail_addr *a, const struct hail_addr *b);

#ifdef __cplusplus
}
#endif
#endif
