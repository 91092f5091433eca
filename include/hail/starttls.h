/* starttls.h - from plain text to TLS on one connection: what each protocol says before the
 * handshake.
 *
 *      begin --> [send out[0..out_len), give what came to take()] ... --> 1: the handshake is next
 *
 * Sans-I/O; hail_starttls() is the same over a stream, with the handshake. Bytes behind the peer's
 * last word are refused: whoever put them there meant them to be taken for what TLS protects
 * (RFC 3207 section 6).
 */
#ifndef HAIL_STARTTLS_H
#define HAIL_STARTTLS_H

#include <hail/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hail_starttls {
    HAIL_STARTTLS_NONE = 0,
    HAIL_STARTTLS_SMTP,     /* RFC 3207 */
    HAIL_STARTTLS_LMTP,     /* RFC 2033, RFC 3207 */
    HAIL_STARTTLS_POP3,     /* STLS, RFC 2595 */
    HAIL_STARTTLS_IMAP,     /* RFC 9051 section 6.2.1 */
    HAIL_STARTTLS_FTP,      /* AUTH TLS, RFC 4217 */
    HAIL_STARTTLS_NNTP,     /* RFC 4642 */
    HAIL_STARTTLS_SIEVE,    /* RFC 5804 section 2.2 */
    HAIL_STARTTLS_POSTGRES, /* SSLRequest of the frontend/backend protocol */
    HAIL_STARTTLS_MYSQL,    /* SSLRequest of the client/server protocol */
    HAIL_STARTTLS_LDAP,     /* RFC 4511 section 4.14 */
    HAIL_STARTTLS_XMPP,     /* RFC 6120 section 5 */
};

/* By its name ("smtp", "imap", ...); NONE if there is no such. */
HAIL_API enum hail_starttls hail_starttls_by_name(const char *name);
HAIL_API const char *hail_starttls_name(enum hail_starttls protocol);
/* What is spoken on a port as a rule, NONE if nothing that could start TLS. */
HAIL_API enum hail_starttls hail_starttls_by_port(uint16_t port);
/* Whether a port's service speaks TLS from the first byte (443, 465, 993 ...). */
HAIL_API bool hail_tls_by_port(uint16_t port);

#define HAIL_STARTTLS_LINE 8192  /* bytes of a line, or of a message, at most */
#define HAIL_STARTTLS_ALL  65536 /* bytes before the handshake altogether */

/* One dialog, in the caller's memory. */
struct hail_starttls_dialog {
    char out[512];
    size_t out_len; /* to be sent now; 0: nothing */
    char why[240];  /* a failure: a clause for people; may hold what the peer said, not made safe */
    /* private */
    enum hail_starttls protocol;
    int state;
    bool offered; /* STARTTLS is among what the peer can do */
    int within;   /* the code of a reply that goes on; 0: none */
    size_t in_len, all;
    char in[HAIL_STARTTLS_LINE];
};

/* `name` is whom one wants to reach, for XMPP. `greeted`: the peer's first words were read before,
 * in a conversation that has begun. 0, or -EINVAL: MySQL and XMPP cannot be joined that late; a
 * name that has no place in XML. */
HAIL_API int hail_starttls_begin(struct hail_starttls_dialog *d, enum hail_starttls protocol,
                                 const char *name, bool greeted);

/* Takes what came. 0: more is needed, after `out` was sent; 1: the handshake may begin; negative,
 * with `why`: -ECONNREFUSED (the peer will not), -ENOTSUP (it does not offer it), -EPROTO
 * (something else came), -EMSGSIZE (too much of it). */
HAIL_API int hail_starttls_take(struct hail_starttls_dialog *d, const char *p, size_t n);

/* The dialog over *top, then TLS laid on it as hail_tls_client() does. The error's `op` is
 * "starttls" when it was the dialog that failed: then the conversation may go on in plain text
 * after -ECONNREFUSED, -ENOTSUP, -EINVAL, and after -EBUSY: `greeted`, and bytes of the peer wait
 * unread, nothing was said. */
HAIL_API int hail_starttls(struct hail_ctx *ctx, struct hail_stream **top,
                           enum hail_starttls protocol, const char *name, bool greeted,
                           const struct hail_tls_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
