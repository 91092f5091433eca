/* socks.h - asking a SOCKS proxy for a connection: versions 4, 4a and 5 (RFC 1928, RFC 1929), the
 * client's side, sans-I/O.
 *
 *      begin --> [send out[0..out_len), read exactly `need` bytes, take()] ... --> 1: connected
 *
 * Never more is asked for than belongs to the reply: what follows is the target's.
 */
#ifndef HAIL_PROTO_SOCKS_H
#define HAIL_PROTO_SOCKS_H

#include <hail/proxy.h>
#include <stddef.h>

#define HAIL_SOCKS_MAX 1024 /* bytes of a message, either way */

struct hail_socks {
    unsigned char out[HAIL_SOCKS_MAX];
    size_t out_len; /* to be sent before the next bytes are read; 0: nothing */
    size_t need;    /* bytes that take() wants next */
    int code;       /* a refusal: the reply's code */
    /* private */
    enum hail_proxy_kind kind;
    int state;
    const struct hail_endpoint *to;
    const char *user, *password;
};

/* `to` is numeric but for 4a and 5h; the strings live as long as the conversation. 0, or -EINVAL
 * for what the version cannot say (IPv6 with 4, a name with 4 or 5). */
int hail_socks_begin(struct hail_socks *s, enum hail_proxy_kind kind,
                     const struct hail_endpoint *to, const char *user, const char *password);

/* Takes `need` bytes. 0: go on; 1: connected; -EPROTO: not SOCKS; -ECONNREFUSED: refused, with
 * `code`; -EACCES: no way of authentication, or user and password were refused. */
int hail_socks_take(struct hail_socks *s, const unsigned char *p);

/* A refusal in words: of a version 5 (RFC 1928 section 6) or version 4 reply. */
const char *hail_socks_reason(enum hail_proxy_kind kind, int code);

#endif
