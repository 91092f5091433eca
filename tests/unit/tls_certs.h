/* tls_certs.h - certificates for the tests, made when the tests run. */
#ifndef TESTS_TLS_CERTS_H
#define TESTS_TLS_CERTS_H

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

/* What to make; all zero but the subject is a valid certificate for "localhost". */
struct made_cert {
    const char *cn;
    const char *san; /* "DNS:a,IP:127.0.0.1"; NULL: DNS:localhost; "": none */
    int from, days;  /* valid from so many days from now, for so long; 0: yesterday, 30 */
    bool ca;
    bool printable; /* the subject's name as PrintableString in place of UTF8String */
    X509 *issuer;   /* NULL: self-signed */
    EVP_PKEY *issuer_key;
};

static inline void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static inline X509 *make_cert(const struct made_cert *m, EVP_PKEY **key_out)
{
    static long serial = 1;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    int from = m->from ? m->from : -1;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), from * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(x), (from + (m->days ? m->days : 30)) * 86400L + 60);
    X509_NAME_add_entry_by_txt(name, "CN", m->printable ? V_ASN1_PRINTABLESTRING : MBSTRING_UTF8,
                               (const unsigned char *)m->cn, -1, -1, 0);
    X509 *issuer = m->issuer ? m->issuer : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    X509_set_pubkey(x, key);
    add_extension(x, issuer, NID_basic_constraints, m->ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!m->ca && (!m->san || *m->san))
        add_extension(x, issuer, NID_subject_alt_name, m->san ? m->san : "DNS:localhost");
    X509_sign(x, m->issuer_key ? m->issuer_key : key, EVP_sha256());
    *key_out = key;
    return x;
}

/* Writes certificate, key or both. */
static inline void write_pem(const char *path, X509 *cert, EVP_PKEY *key, const char *pass)
{
    FILE *f = fopen(path, "we");
    if (cert)
        PEM_write_X509(f, cert);
    if (key)
        PEM_write_PrivateKey(f, key, pass ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)pass);
    fclose(f);
}

#endif
