/* tls_issue.c - making certificates; net/tls_issue.h. */
#include "net/tls_issue.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define BACKDATED_S (60L * 60)
#define NAMES_MAX   4096

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

X509 *hail_tls_new_cert(EVP_PKEY *key, const char *common, long seconds)
{
    X509 *cert = X509_new();
    if (cert && X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATED_S) &&
        X509_gmtime_adj(X509_getm_notAfter(cert), seconds) &&
        X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)common, -1, -1, 0) &&
        X509_set_pubkey(cert, key))
        return cert;
    X509_free(cert);
    return NULL;
}

bool hail_tls_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool added = e && X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
    return added;
}

/* ",DNS:name" or ",IP:address"; nothing for what could be something else in a configuration. */
static void add_name(char *text, size_t size, const char *name)
{
    unsigned char addr[16];
    size_t n = strlen(text);
    bool ip = inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
    bool plain =
        *name && strlen(name) <= 253 &&
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*")] ==
            '\0';
    if ((ip || plain) && n + strlen(name) + 6 < size)
        snprintf(text + n, size - n, ",%s:%s", ip ? "IP" : "DNS", name);
}

bool hail_tls_for_server(X509 *cert, X509 *issuer, const char *names)
{
    char text[NAMES_MAX] = "DNS:localhost,IP:127.0.0.1,IP:::1", name[256];
    while (*names) {
        size_t n = strcspn(names, ",");
        if (n < sizeof name) {
            memcpy(name, names, n);
            name[n] = '\0';
            add_name(text, sizeof text, name);
        }
        names += n + (names[n] == ',' ? 1 : 0);
    }
    return hail_tls_add_extension(cert, issuer, NID_subject_alt_name, text) &&
           hail_tls_add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           hail_tls_add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           hail_tls_add_extension(cert, issuer, NID_ext_key_usage, "serverAuth");
}
