/* socks.c - asking a SOCKS proxy for a connection; socks.h. */
#include "proto/socks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
    VERSION_4_REPLY, /* VN CD DSTPORT DSTIP */
    METHOD,          /* VER METHOD */
    AUTHENTICATED,   /* VER STATUS, RFC 1929 */
    REPLY,           /* VER REP RSV ATYP, and the first byte of the address */
    ADDRESS,         /* the rest of the address, and the port */
};

enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_REFUSED = 0xff };
enum { ADDRESS_IPV4 = 1, ADDRESS_NAME = 3, ADDRESS_IPV6 = 4 };

static void put(struct hail_socks *s, const void *p, size_t n)
{
    memcpy(s->out + s->out_len, p, n);
    s->out_len += n;
}

static void put_byte(struct hail_socks *s, unsigned c)
{
    s->out[s->out_len++] = (unsigned char)c;
}

static void put_port(struct hail_socks *s)
{
    put_byte(s, s->to->port >> 8);
    put_byte(s, s->to->port & 0xff);
}

/* A length and at most 255 bytes. */
static void put_word(struct hail_socks *s, const char *word)
{
    size_t n = strlen(word);
    n = n < HAIL_PROXY_WORD ? n : HAIL_PROXY_WORD;
    put_byte(s, (unsigned)n);
    put(s, word, n);
}

static bool is_name(const struct hail_endpoint *to)
{
    return to->kind == HAIL_HOST_NAME;
}

/* --- version 4 and 4a --- */

static int begin_4(struct hail_socks *s)
{
    struct in_addr address = {htonl(1)}; /* 0.0.0.x: a name follows, 4a */
    bool by_name = is_name(s->to) && s->kind == HAIL_PROXY_SOCKS4A;
    if (!by_name && inet_pton(AF_INET, s->to->host, &address) != 1)
        return -EINVAL;
    put_byte(s, 4);
    put_byte(s, 1); /* CONNECT */
    put_port(s);
    put(s, &address, 4);
    put(s, s->user, strnlen(s->user, HAIL_PROXY_WORD));
    put_byte(s, 0);
    if (by_name)
        put(s, s->to->host, strlen(s->to->host) + 1);
    s->state = VERSION_4_REPLY;
    s->need = 8;
    return 0;
}

static int take_4(struct hail_socks *s, const unsigned char *p)
{
    if (p[0] != 0)
        return -EPROTO;
    s->code = p[1];
    return p[1] == 90 ? 1 : -ECONNREFUSED;
}

/* --- version 5 --- */

static int begin_5(struct hail_socks *s)
{
    if (is_name(s->to) && s->kind != HAIL_PROXY_SOCKS5H)
        return -EINVAL;
    put_byte(s, 5);
    put_byte(s, *s->user ? 2 : 1);
    put_byte(s, METHOD_NONE);
    if (*s->user)
        put_byte(s, METHOD_PASSWORD);
    s->state = METHOD;
    s->need = 2;
    return 0;
}

static int ask(struct hail_socks *s)
{
    struct in_addr v4;
    struct in6_addr v6;
    put_byte(s, 5);
    put_byte(s, 1); /* CONNECT */
    put_byte(s, 0);
    if (inet_pton(AF_INET, s->to->host, &v4) == 1) {
        put_byte(s, ADDRESS_IPV4);
        put(s, &v4, sizeof v4);
    } else if (inet_pton(AF_INET6, s->to->host, &v6) == 1) {
        put_byte(s, ADDRESS_IPV6);
        put(s, &v6, sizeof v6);
    } else {
        put_byte(s, ADDRESS_NAME);
        put_word(s, s->to->host);
    }
    put_port(s);
    s->state = REPLY;
    s->need = 5;
    return 0;
}

static int authenticate(struct hail_socks *s)
{
    put_byte(s, 1);
    put_word(s, s->user);
    put_word(s, s->password);
    s->state = AUTHENTICATED;
    s->need = 2;
    return 0;
}

static int take_method(struct hail_socks *s, const unsigned char *p)
{
    if (p[0] != 5)
        return -EPROTO;
    if (p[1] == METHOD_NONE)
        return ask(s);
    if (p[1] == METHOD_PASSWORD && *s->user)
        return authenticate(s);
    s->code = p[1];
    return p[1] == METHOD_REFUSED ? -EACCES : -EPROTO;
}

static int take_reply(struct hail_socks *s, const unsigned char *p)
{
    if (p[0] != 5)
        return -EPROTO;
    s->code = p[1];
    if (p[1] != 0)
        return -ECONNREFUSED;
    static const size_t rest[] = {
        [ADDRESS_IPV4] = 3 + 2, [ADDRESS_IPV6] = 15 + 2, [ADDRESS_NAME] = 2};
    if (p[3] > ADDRESS_IPV6 || !rest[p[3]])
        return -EPROTO;
    s->need = rest[p[3]] + (p[3] == ADDRESS_NAME ? p[4] : 0);
    s->state = ADDRESS;
    return 0;
}

int hail_socks_begin(struct hail_socks *s, enum hail_proxy_kind kind,
                     const struct hail_endpoint *to, const char *user, const char *password)
{
    s->out_len = s->need = 0;
    s->code = 0;
    s->kind = kind;
    s->to = to;
    s->user = user;
    s->password = password;
    return kind == HAIL_PROXY_SOCKS4 || kind == HAIL_PROXY_SOCKS4A ? begin_4(s) : begin_5(s);
}

int hail_socks_take(struct hail_socks *s, const unsigned char *p)
{
    s->out_len = 0;
    switch (s->state) {
    case VERSION_4_REPLY:
        return take_4(s, p);
    case METHOD:
        return take_method(s, p);
    case AUTHENTICATED:
        s->code = p[1];
        return p[1] == 0 ? ask(s) : -EACCES;
    case REPLY:
        return take_reply(s, p);
    default:
        return 1;
    }
}

const char *hail_socks_reason(enum hail_proxy_kind kind, int code)
{
    static const char *const five[] = {"succeeded",
                                       "general SOCKS server failure",
                                       "connection not allowed by ruleset",
                                       "network unreachable",
                                       "host unreachable",
                                       "connection refused",
                                       "TTL expired",
                                       "command not supported",
                                       "address type not supported"};
    static const char *const four[] = {"granted", "rejected or failed",
                                       "rejected: no identd on the client",
                                       "rejected: identd disagrees about the user"};
    bool old = kind == HAIL_PROXY_SOCKS4 || kind == HAIL_PROXY_SOCKS4A;
    if (old)
        return code >= 90 && code < 94 ? four[code - 90] : "unknown reply";
    return code >= 0 && code < 9 ? five[code] : "unknown reply";
}
