/* tls_issue.h - making certificates, RFC 5280: what the self-signed one of a run and a local
 * authority share.
 */
#ifndef HAIL_NET_TLS_ISSUE_H
#define HAIL_NET_TLS_ISSUE_H

#include <stdbool.h>

#include <openssl/x509v3.h>

/* A version 3 certificate for `key` with a random serial number, valid from an hour ago (for clocks
 * that are behind) for `seconds`, with `common` as its subject. NULL: OpenSSL says why. */
X509 *hail_tls_new_cert(EVP_PKEY *key, const char *common, long seconds);

/* Adds an extension in the form of x509v3_config(5). */
bool hail_tls_add_extension(X509 *cert, X509 *issuer, int nid, const char *value);

/* Makes it one of a server: localhost, its addresses, and `names`, a list with commas of DNS names
 * and addresses. What is neither is left out. */
bool hail_tls_for_server(X509 *cert, X509 *issuer, const char *names);

#endif
