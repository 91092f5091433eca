/* tls_selfsigned.c - a certificate made on the fly, in memory, for a server that has none;
 * include/hail/tls.h, RFC 5280.
 *
 * Nobody vouches for it: who wants to be sure compares the fingerprint.
 */
#include "net/tls_issue.h"
#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>

#define LIFETIME_S (30L * 24 * 60 * 60) /* no server that is started by hand runs for longer */

static bool sign(X509 *cert, EVP_PKEY *key, const char *names)
{
    return X509_set_issuer_name(cert, X509_get_subject_name(cert)) &&
           hail_tls_for_server(cert, cert, names) && X509_sign(cert, key, EVP_sha256());
}

int hail_tls_self_sign(struct hail_ctx *ctx, SSL_CTX *x, const char *names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? hail_tls_new_cert(key, "hail: made for this run", LIFETIME_S) : NULL;
    bool made = cert && sign(cert, key, names) && SSL_CTX_use_certificate(x, cert) == 1 &&
                SSL_CTX_use_PrivateKey(x, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    if (made)
        return 0;
    char why[160];
    hail_tls_queue_text(why, sizeof why);
    return hail_fail(ctx, HAIL_LAYER_TLS, EIO, "tls", "TLS: make a certificate: %s", why);
}

int hail_tls_config_fingerprint(const struct hail_tls_config *config, char *out, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n;
    const X509 *cert = SSL_CTX_get0_certificate(config->ssl_ctx);
    if (!cert)
        return -ENOENT;
    if (X509_digest(cert, EVP_sha256(), digest, &n) != 1) {
        ERR_clear_error();
        return -EIO;
    }
    if (size < (size_t)n * 3)
        return -ENOSPC;
    for (unsigned i = 0; i < n; i++)
        snprintf(out + (size_t)i * 3, size - (size_t)i * 3, i + 1 < n ? "%02X:" : "%02X",
                 digest[i]);
    return 0;
}
