/* proxy.h - connections through somebody else: SOCKS 4, 4a and 5, HTTP CONNECT.
 *
 *      hail_dial(target) with opts.proxy:  dial the proxy --> [TLS] --> ask it for the target
 */
#ifndef HAIL_PROXY_H
#define HAIL_PROXY_H

#include <hail/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hail_proxy_kind {
    HAIL_PROXY_SOCKS4,  /* IPv4 only; names are looked up here */
    HAIL_PROXY_SOCKS4A, /* names are the proxy's to look up */
    HAIL_PROXY_SOCKS5,  /* RFC 1928, RFC 1929; names are looked up here */
    HAIL_PROXY_SOCKS5H, /* the same, names are the proxy's */
    HAIL_PROXY_HTTP,    /* CONNECT, RFC 9110 section 9.3.6; names are the proxy's */
    HAIL_PROXY_HTTPS,   /* the same, TLS to the proxy */
};

#define HAIL_PROXY_WORD 255 /* bytes of a user or password: RFC 1929 */

struct hail_proxy {
    enum hail_proxy_kind kind;
    struct hail_endpoint at;
    char user[HAIL_PROXY_WORD + 1]; /* empty: none */
    char password[HAIL_PROXY_WORD + 1];
    bool insecure_certificate; /* HTTPS: take any */
    /* Set by a dial that the proxy refused: its status line, "" for SOCKS; not made safe to show.
     * The error's detail is the SOCKS reply or the HTTP status. */
    char said[160];
};

/* Reads "socks5://user:password@host:port" with one of the schemes socks4, socks4a, socks5,
 * socks5h, http and https; percent-encoding in user and password is undone. Without a port: 1080,
 * and 3128 for HTTP. 0 or -EINVAL. */
HAIL_API int hail_proxy_parse(struct hail_ctx *ctx, const char *url, struct hail_proxy *out);

/* "socks5", as in a URL. */
HAIL_API const char *hail_proxy_name(enum hail_proxy_kind kind);

#ifdef __cplusplus
}
#endif
#endif
