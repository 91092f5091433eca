/* tls_config.c - credentials and settings that many TLS streams share; include/hail/tls.h.
 *
 * OpenSSL is started here, with the first config, and with as little as is needed: no
 * configuration file, no error strings (tls_error.c loads them when there is an error to explain),
 * no clean-up at exit.
 */
#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- credentials --- */

/* A key with a pass phrase: never ask on the terminal, as OpenSSL would. */
static int no_pass_phrase(char *buf, int size, int writing, void *asked)
{
    (void)writing;
    if (size > 0)
        buf[0] = '\0';
    *(bool *)asked = true;
    return -1;
}

static int file_failed(struct hail_ctx *ctx, const char *what, const char *path, const char *why)
{
    ERR_clear_error();
    return hail_fail(ctx, HAIL_LAYER_LOCAL, EINVAL, "read", "read %s %s: %s", what, path, why);
}

/* OpenSSL's own failures to open a file have no errno. */
static int check_readable(struct hail_ctx *ctx, const char *what, const char *path)
{
    if (access(path, R_OK) == 0)
        return 0;
    return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "read", "read %s %s: %s", what, path,
                     hail_errno_text(errno));
}

static int load_cert(struct hail_ctx *ctx, SSL_CTX *x, const struct hail_tls_opts *opts)
{
    const char *key = opts->key_file ? opts->key_file : opts->cert_file;
    bool asked = false;
    char why[160];
    int rc = check_readable(ctx, "the certificate", opts->cert_file);
    if (rc == 0)
        rc = check_readable(ctx, "the key", key);
    if (rc < 0)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(x, opts->cert_file) != 1) {
        hail_tls_queue_text(why, sizeof why);
        return file_failed(ctx, "the certificate", opts->cert_file, why);
    }
    SSL_CTX_set_default_passwd_cb(x, no_pass_phrase);
    SSL_CTX_set_default_passwd_cb_userdata(x, &asked);
    rc = SSL_CTX_use_PrivateKey_file(x, key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(x, NULL);
    SSL_CTX_set_default_passwd_cb(x, NULL);
    if (rc == 1)
        return 0;
    unsigned long e = ERR_peek_error();
    if (asked)
        return file_failed(ctx, "the key", key, "it is encrypted with a pass phrase");
    if (ERR_GET_LIB(e) == ERR_LIB_X509 && ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH)
        return file_failed(ctx, "the key", key, "it does not belong to the certificate");
    hail_tls_queue_text(why, sizeof why);
    return file_failed(ctx, "the key", key, why);
}

/* --- ALPN, RFC 7301 --- */

/* "h2,http/1.1" as bytes, each protocol after its length. */
static int alpn_wire(struct hail_ctx *ctx, const char *list, unsigned char *out, unsigned *len)
{
    unsigned at = 0;
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ",");
        if (n == 0 || n > 255 || at + 1 + n > HAIL_TLS_ALPN_MAX)
            return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "tls",
                             "ALPN protocols \"%s\": a name is empty or the list too long", list);
        out[at++] = (unsigned char)n;
        memcpy(out + at, p, n);
        at += (unsigned)n;
        p += n;
        if (!*p)
            break;
    }
    *len = at;
    return 0;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                       const unsigned char *in, unsigned inlen, void *arg)
{
    const struct hail_tls_config *c = arg;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, outlen, c->alpn, c->alpn_len, in, inlen) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int set_alpn(struct hail_ctx *ctx, struct hail_tls_config *c, const char *list)
{
    int rc = alpn_wire(ctx, list, c->alpn, &c->alpn_len);
    if (rc < 0)
        return rc;
    if (c->server)
        SSL_CTX_set_alpn_select_cb(c->ssl_ctx, choose_alpn, c);
    else if (SSL_CTX_set_alpn_protos(c->ssl_ctx, c->alpn, c->alpn_len) != 0)
        return -ENOMEM;
    return 0;
}

/* --- both sides --- */

static int set_client(struct hail_ctx *ctx, struct hail_tls_config *c,
                      const struct hail_tls_opts *opts)
{
    SSL_CTX_set_verify(c->ssl_ctx, SSL_VERIFY_PEER, hail_tls_verify);
    SSL_CTX_set_session_cache_mode(c->ssl_ctx,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(c->ssl_ctx, hail_tls_keep_session);
    /* RFC 9525: only subject alternative names count, and a wildcard is a whole label */
    X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(c->ssl_ctx),
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return hail_tls_trust(ctx, c, opts);
}

static int set_server(struct hail_ctx *ctx, struct hail_tls_config *c,
                      const struct hail_tls_opts *opts)
{
    static const unsigned char id[] = "hail";
    if (!opts->cert_file && !opts->self_signed && !opts->authority)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "tls",
                         "TLS server: it needs a certificate");
    SSL_CTX_set_session_id_context(c->ssl_ctx, id, sizeof id - 1);
    SSL_CTX_set_dh_auto(c->ssl_ctx, 1);
    /* the session is in its ticket, of which a client needs one: there is no table of sessions */
    SSL_CTX_set_session_cache_mode(c->ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c->ssl_ctx, 1);
    if (!opts->verify_client)
        return 0;
    SSL_CTX_set_verify(c->ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       hail_tls_verify);
    if (opts->ca_file) {
        /* tells clients which of their certificates will do */
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(opts->ca_file);
        ERR_clear_error();
        SSL_CTX_set_client_CA_list(c->ssl_ctx, names);
    } else if (!opts->ca_dir && !opts->insecure_certificate) {
        return hail_fail(
            ctx, HAIL_LAYER_USAGE, EINVAL, "tls",
            "TLS server: to verify clients it needs the authority that certifies them");
    }
    return hail_tls_trust(ctx, c, opts);
}

static int set_common(struct hail_ctx *ctx, struct hail_tls_config *c,
                      const struct hail_tls_opts *opts)
{
    SSL_CTX *x = c->ssl_ctx;
    SSL_CTX_set_min_proto_version(x, opts->min_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(x, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(x, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    /* a record's head and body in one read of the layer below */
    SSL_CTX_set_read_ahead(x, 1);
    if (SSL_CTX_set1_groups_list(x, "X25519:P-256:P-384:X448:P-521") != 1)
        return -ENOMEM;
    int rc = 0;
    if (opts->cert_file)
        rc = load_cert(ctx, x, opts);
    else if (c->server && opts->authority)
        rc = hail_tls_certify(ctx, x, opts->authority, opts->self_signed ? opts->self_signed : "");
    else if (c->server && opts->self_signed)
        rc = hail_tls_self_sign(ctx, x, opts->self_signed);
    if (rc == 0 && opts->alpn)
        rc = set_alpn(ctx, c, opts->alpn);
    if (rc == 0)
        rc = hail_tls_keylog(ctx, c);
    return rc;
}

static void destroy(struct hail_tls_config *config)
{
    if (!config)
        return;
    hail_tls_drop_sessions(config);
    SSL_CTX_free(config->ssl_ctx);
    X509_LOOKUP_meth_free(config->bundle);
    BIO_meth_free(config->bio);
    if (config->keylog_fd >= 0)
        close(config->keylog_fd);
    free(config);
}

int hail_tls_config_new(struct hail_ctx *ctx, bool server, const struct hail_tls_opts *opts,
                        struct hail_tls_config **out)
{
    static const struct hail_tls_opts defaults;
    if (!opts)
        opts = &defaults;
    if (opts->min_version != 0 && opts->min_version != 12 && opts->min_version != 13)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "tls",
                         "TLS version %d: the least is 12 (1.2) or 13 (1.3)", opts->min_version);
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS |
                         OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
                     NULL);
    int rc = -ENOMEM;
    struct hail_tls_config *c = calloc(1, sizeof *c);
    if (!c)
        goto failed;
    c->refs = 1;
    c->keylog_fd = -1;
    c->server = server;
    c->insecure_certificate = opts->insecure_certificate;
    c->insecure_name = opts->insecure_name;
    c->bio = hail_tls_bio();
    c->ssl_ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!c->bio || !c->ssl_ctx)
        goto failed;
    rc = set_common(ctx, c, opts);
    if (rc == 0)
        rc = server ? set_server(ctx, c, opts) : set_client(ctx, c, opts);
    if (rc == 0) {
        *out = c;
        return 0;
    }
failed:
    ERR_clear_error();
    destroy(c);
    if (rc == -ENOMEM)
        hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "tls", "TLS: out of memory");
    return rc;
}

void hail_tls_config_free(struct hail_tls_config *config)
{
    if (config && atomic_fetch_sub(&config->refs, 1) == 1)
        destroy(config);
}
