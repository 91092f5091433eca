/* tls_layer.h - what the files of the TLS layer share (include/hail/tls.h).
 *
 *      tls.c          the layer: steps, handshake, close        of one stream
 *      tls_write.c    its write step
 *      tls_config.c   credentials and settings: the SSL_CTX     of many streams
 *      tls_selfsigned.c a certificate made on the fly           for a config
 *      tls_bio.c      OpenSSL's way to the layer below
 *      tls_session.c  sessions to resume, key log               of a config
 *      tls_trust.c    which authorities are trusted; tls_bundle.c reads them from one big file
 *      tls_cert.c     certificates in words, and why one is refused
 *      tls_error.c    OpenSSL's failures in words
 */
#ifndef HAIL_NET_TLS_LAYER_H
#define HAIL_NET_TLS_LAYER_H

#include <hail/tls.h>

#include "net/layer.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

#define HAIL_TLS_RECORD    16384 /* plaintext bytes of a record at most, RFC 8446 section 5.1 */
#define HAIL_TLS_SESSIONS  32    /* sessions that a client's config keeps at most */
#define HAIL_TLS_ALPN_MAX  256   /* bytes of the protocols' list in wire form */
#define HAIL_TLS_TEXT_MAX  16384 /* bytes of a certificate's description at most */
#define HAIL_TLS_HELLO_MAX 40    /* first bytes of the peer that are kept to be shown */

struct hail_tls_config {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio;            /* the way to the layer below */
    X509_LOOKUP_METHOD *bundle; /* NULL: no bundle is searched */
    atomic_uint refs;
    bool server;
    bool insecure_certificate, insecure_name;
    bool no_trust; /* no trust store was found on this machine */
    int keylog_fd; /* SSLKEYLOGFILE; -1: off */
    unsigned alpn_len;
    unsigned char alpn[HAIL_TLS_ALPN_MAX]; /* server: what it chooses from */
    struct {
        char *name;
        SSL_SESSION *session;
    } sessions[HAIL_TLS_SESSIONS]; /* a ring, the newest before `next_session` */
    unsigned next_session;
};

/* One TLS stream: the handle and all of the layer's own in one allocation. */
struct hail_tls {
    struct hail_stream stream;
    SSL *ssl;
    struct hail_tls_config *config;
    struct hail_ctx *ctx; /* of the step under way, for the way down */
    int lower_rc;         /* what the lower layer's failed step returned in this step; 0: none */
    size_t sealed;        /* bytes of a record that is encrypted, but that waits for room below */
    uint32_t span;        /* of the handshake in the trace; 0: none, or over */
    bool open;            /* the handshake is done */
    bool broken;          /* a fatal failure: nothing more can be sent */
    int dead_rc;      /* how the protocol failed: nothing more can be read either; 0: it did not */
    bool send_lost;   /* the peer takes no more of the handshake; it may have said why */
    bool lower_ended; /* the lower layer's end was read */
    uint8_t hello_len;
    char hello[HAIL_TLS_HELLO_MAX]; /* the peer's first bytes */
    int verify_code;                /* X509_V_ERR_..., the first; 0: none */
    char *refused;                  /* why, in words */
    struct hail_tls_info *info;     /* once somebody wanted to know */
    char *text;                     /* its strings */
    char name[];                    /* client: whom it wants to reach */
};

static inline struct hail_tls *hail_tls_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* tls.c: begins a step: every call of OpenSSL needs an empty queue of errors to be told apart by.
 */
struct hail_tls *hail_tls_begin_step(struct hail_ctx *ctx, struct hail_stream *s);
/* tls_write.c: the `writev` of struct hail_layer_ops, once the handshake is done. */
ssize_t hail_tls_write(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                       int iovcnt);

/* tls_bio.c: the method of a BIO whose data is the struct hail_tls; NULL: no memory. */
BIO_METHOD *hail_tls_bio(void);

/* tls_session.c */
int hail_tls_keep_session(SSL *ssl, SSL_SESSION *session); /* OpenSSL's callback: 1: kept */
void hail_tls_resume(struct hail_tls *t);                  /* offers a kept session, if any */
void hail_tls_drop_sessions(struct hail_tls_config *config);
int hail_tls_keylog(struct hail_ctx *ctx, struct hail_tls_config *config); /* SSLKEYLOGFILE */

/* tls_selfsigned.c: makes a key and a certificate for `names` and sets both. */
int hail_tls_self_sign(struct hail_ctx *ctx, SSL_CTX *x, const char *names);
/* tls_authority.c: the same, signed by the authority in `folder`. */
int hail_tls_certify(struct hail_ctx *ctx, SSL_CTX *x, const char *folder, const char *names);

/* tls_trust.c: what opts say, or the system's store. */
int hail_tls_trust(struct hail_ctx *ctx, struct hail_tls_config *config,
                   const struct hail_tls_opts *opts);
/* tls_bundle.c: the certificates in a file of PEM blocks, decoded when one of them is wanted. */
int hail_tls_bundle(struct hail_ctx *ctx, struct hail_tls_config *config, const char *path);

/* tls_cert.c: the verification's callback; records the first reason in the stream's `refused`. */
int hail_tls_verify(int ok, X509_STORE_CTX *verify);
/* Whether `name`, a DNS name or a numeric address, is one that the certificate is for. */
bool hail_tls_name_matches(X509 *cert, const char *name);
/* Works out what hail_tls_info() says, once. */
int hail_tls_describe(struct hail_tls *t, const struct hail_tls_info **out);
/* Tells the trace of it, within `span`. */
void hail_tls_trace_cert(struct hail_ctx *ctx, struct hail_tls *t);

/* tls_error.c. What a step that returned `rc` <= 0 comes to: -EAGAIN with `wants` set, 0 for the
 * peer's close_notify, or the recorded failure of `op`. */
int hail_tls_step_failed(struct hail_tls *t, int rc, const char *op);
/* Refuses the peer after the handshake, for `code` (X509_V_ERR_...). */
int hail_tls_refuse(struct hail_tls *t, int code, const char *op);
/* The same for a wait during the handshake that ended with `rc`: timed out, cancelled. */
int hail_tls_wait_failed(struct hail_tls *t, int rc);
/* The oldest error in OpenSSL's queue, in words, into `out`. Empties the queue. */
void hail_tls_queue_text(char *out, size_t size);

#endif
