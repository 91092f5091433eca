/* tls_selfsigned.c - a certificate made on the fly, in memory, for a server that has none;
 * include/hail/tls.h, RFC 5280.
 *
 * Nobody vouches for it: who wants to be sure compares the fingerprint.
 */
#include "net/tls_layer.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define BACKDATED_S (60L * 60)           /* for clocks that are behind */
#define LIFETIME_S  (30L * 24 * 60 * 60) /* no server that is started by hand runs for longer */

/* A positive serial number of 127 random bits, RFC 5280 section 4.1.2.2. */
static bool set_serial(X509 *cert)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return set;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool added = e && X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    return added;
}

/* Whether the name can stand in a configuration of extensions, where a comma begins the next one.
 */
static bool is_name(const char *name)
{
    return *name && strlen(name) <= 253 &&
           name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*:")] ==
               '\0';
}

/* Whom it is for: this machine as it calls itself, and `name`. */
static bool set_names(X509 *cert, const char *name)
{
    char text[512] = "DNS:localhost,IP:127.0.0.1,IP:::1";
    unsigned char addr[16];
    size_t n = strlen(text);
    if (is_name(name)) {
        bool ip = inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
        if (ip || !strchr(name, ':'))
            snprintf(text + n, sizeof text - n, ",%s:%s", ip ? "IP" : "DNS", name);
    }
    return add_extension(cert, NID_subject_alt_name, text) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth");
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *name)
{
    static const unsigned char common[] = "hail: made for this run";
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATED_S) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), LIFETIME_S) &&
           X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, common,
                                      sizeof common - 1, -1, 0) &&
           X509_set_issuer_name(cert, subject) && X509_set_pubkey(cert, key) &&
           set_names(cert, name) && X509_sign(cert, key, EVP_sha256());
}

int hail_tls_self_sign(struct hail_ctx *ctx, SSL_CTX *x, const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? X509_new() : NULL;
    bool made = cert && fill(cert, key, name) && SSL_CTX_use_certificate(x, cert) == 1 &&
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
