/* tls.h - TLS 1.2 and 1.3 as a layer of a stream, by OpenSSL. Nothing is loaded before the first
 * use. */
#ifndef HAIL_TLS_H
#define HAIL_TLS_H

#include <hail/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero: verify against the system's trust store and the name, TLS 1.2 or later. The pointers
 * are only read. */
struct hail_tls_opts {
    const char *ca_file;   /* PEM bundle in place of the system's trust store */
    const char *ca_dir;    /* hashed directory, openssl-rehash(1) */
    const char *cert_file; /* own certificate chain, PEM; a server needs one, or self_signed */
    const char *key_file;  /* its private key; NULL: in cert_file */
    const char *alpn;      /* protocols in order of preference, comma-separated: "h2,http/1.1" */
    int min_version;       /* 0 or 12: TLS 1.2; 13: TLS 1.3 */
    bool verify_client;    /* server: ask for and require a certificate by ca_file */
    bool insecure_certificate; /* take any certificate for any name */
    bool insecure_name;        /* verify the chain, take any name */
    /* server without cert_file: a certificate is made in memory, for localhost and these names and
     * addresses (separated by commas), valid for 30 days. Nobody vouches for it; see
     * hail_tls_config_fingerprint(). */
    const char *self_signed;
    /* ... unless there is a folder with an authority, hail_tls_authority(), which signs it then,
     * for 397 days; made if there is none yet. */
    const char *authority;
};

/* Credentials, trust and session cache, made once and used by many streams; reference counted, so
 * that it may be freed while streams live. A server's may be shared by threads, a client's not. */
struct hail_tls_config;
HAIL_API int hail_tls_config_new(struct hail_ctx *ctx, bool server,
                                 const struct hail_tls_opts *opts, struct hail_tls_config **out);
HAIL_API void hail_tls_config_free(struct hail_tls_config *config);

/* The SHA-256 of the own certificate as "AB:CD:...", HAIL_FINGERPRINT_MAX bytes at most. 0,
 * -ENOENT without one, -ENOSPC. */
#define HAIL_FINGERPRINT_MAX 96
HAIL_API int hail_tls_config_fingerprint(const struct hail_tls_config *config, char *out,
                                         size_t size);

/* A local certificate authority, for development: its key, made once, and only for its owner to
 * read, and its certificate are in `folder` (made with its parents if it is not there). Whoever
 * trusts the certificate trusts it for localhost, this machine's name, names that are only local
 * (.localhost, .local, .test, .internal, .lan, .home.arpa), and loopback and private addresses:
 * RFC 5280 section 4.2.1.10 confines it. Gives the path of the certificate (PEM), at most `size`
 * bytes with its NUL. 0, or -errno recorded. */
HAIL_API int hail_tls_authority(struct hail_ctx *ctx, const char *folder, char *path, size_t size);

/* Lays TLS over *top, which becomes the new handle, and completes the handshake. `name` is sent as
 * SNI (unless numeric) and must match the certificate: DNS names and IP addresses by RFC 6125 and
 * RFC 9525. On failure *top is the unchanged lower stream, fit only for closing. */
HAIL_API int hail_tls_client(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                             const struct hail_tls_opts *opts);
HAIL_API int hail_tls_client_with(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                                  struct hail_tls_config *config);
HAIL_API int hail_tls_server(struct hail_ctx *ctx, struct hail_stream **top,
                             struct hail_tls_config *config);

/* For loops: lays the layer without a handshake; hail_try_handshake() is the step until it
 * returns 0. A write step that returned -EAGAIN may have sealed a record: the next one must offer
 * the same bytes again (more may follow them). */
HAIL_API int hail_tls_client_start(struct hail_ctx *ctx, struct hail_stream **top, const char *name,
                                   struct hail_tls_config *config);
HAIL_API int hail_tls_server_start(struct hail_ctx *ctx, struct hail_stream **top,
                                   struct hail_tls_config *config);
HAIL_API int hail_try_handshake(struct hail_ctx *ctx, struct hail_stream *s);

/* What was agreed, and who the peer is. Strings live as long as the stream. */
struct hail_tls_info {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    const char *alpn;    /* empty: none */
    const char *sni;
    bool resumed;
    bool verified;       /* the chain and the name were checked and hold */
    const char *subject; /* of the peer's certificate, RFC 2253; empty: none was sent */
    const char *issuer;
    const char *names;   /* subject alternative names, "DNS:a, IP:::1" */
    const char *refused; /* why it was or would be refused, in plain words; empty: it was not */
    int64_t not_before, not_after; /* seconds since the epoch; 0 without a certificate */
    int64_t chain_not_after;       /* when the first one ends of all that were sent */
    int days_left;                 /* negative: expired */
};
/* -ENOTCONN when the top layer is not TLS. */
HAIL_API int hail_tls_info(const struct hail_stream *s, struct hail_tls_info *out);

#ifdef __cplusplus
}
#endif
#endif
