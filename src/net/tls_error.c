/* tls_error.c - OpenSSL's failures in words, with the peer's name and address.
 *
 * OpenSSL's own strings are loaded here, when the first of them is needed: that costs more than the
 * whole set-up of a context should.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* ERR_load_*_strings(): the only late way to load them */

#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* --- what OpenSSL says --- */

static void load_strings(void)
{
    ERR_load_SSL_strings();
    ERR_load_X509_strings();
    ERR_load_PEM_strings();
    ERR_load_EVP_strings();
    ERR_load_ASN1_strings();
}

static const char *plain_words(unsigned long e)
{
    if (ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE)
        return "there is nothing in PEM form in it";
    if (ERR_GET_LIB(e) != ERR_LIB_SSL)
        return NULL;
    switch (ERR_GET_REASON(e)) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "no common TLS version";
    case SSL_R_NO_SHARED_CIPHER:
        return "no common cipher";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "the peer found no common settings (alert: handshake failure)";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the peer requires a client certificate";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "the client sent no certificate";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "the peer does not know the authority of our certificate (alert: unknown CA)";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        return "the peer does not accept our certificate (alert: bad certificate)";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "the peer says that our certificate has expired";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "the peer serves no such name (alert: unrecognized name)";
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return "no common application protocol (ALPN)";
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
        return "a record was damaged on its way";
    default:
        return NULL;
    }
}

void hail_tls_queue_text(char *out, size_t size)
{
    unsigned long e = ERR_get_error();
    const char *s = plain_words(e);
    if (!s) {
        load_strings();
        s = ERR_reason_error_string(e);
    }
    if (s)
        snprintf(out, size, "%s", s);
    else
        snprintf(out, size, "OpenSSL error %08lX", e);
    ERR_clear_error();
}

/* --- what it means for the stream --- */

/* "name (address)", or the address alone. */
static void who(const struct hail_tls *t, char *out, size_t size)
{
    char peer[HAIL_ENDPOINT_MAX];
    struct hail_endpoint ep = hail_peer(&t->stream);
    hail_endpoint_format(&ep, peer, sizeof peer);
    if (t->name[0])
        snprintf(out, size, "%s (%s)", t->name, peer);
    else
        snprintf(out, size, "%s", peer);
}

#define WHO_MAX (HAIL_HOST_MAX + HAIL_ENDPOINT_MAX + 4)

static int failed(struct hail_tls *t, int errnum, const char *op, const char *why)
{
    char peer[WHO_MAX];
    who(t, peer, sizeof peer);
    return hail_fail(t->ctx, HAIL_LAYER_TLS, errnum, "tls", "%s %s: %s", op, peer, why);
}

static int refused(struct hail_tls *t, const char *op)
{
    char why[256];
    snprintf(why, sizeof why, "certificate refused: %s",
             t->refused ? t->refused : X509_verify_cert_error_string(t->verify_code));
    int rc = failed(t, EPROTO, op, why);
    hail_set_detail(t->ctx, t->verify_code);
    switch (t->verify_code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        if (t->config->no_trust)
            hail_advise(t->ctx, "this machine has no trust store (package ca-certificates)");
        else if (t->verify_code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY)
            hail_advise(t->ctx, "the authority is private, or the peer does not send the "
                                "intermediate certificate");
        break;
    default:
        break;
    }
    return rc;
}

/* The peer does not speak TLS: shows what it said. */
static int no_tls(struct hail_tls *t, const char *op)
{
    char why[96];
    size_t n = t->hello_len, line = 0;
    while (line < n && t->hello[line] != '\r' && t->hello[line] != '\n')
        line++;
    snprintf(why, sizeof why, "the peer does not speak TLS here; it said \"%.*s%s\"", (int)line,
             t->hello, line == n ? "..." : "");
    int rc = failed(t, EPROTO, op, why);
    if (n >= 5 && memcmp(t->hello, "HTTP/", 5) == 0)
        hail_advise(t->ctx, "it is plain HTTP: use http://");
    else if (t->config->server)
        hail_advise(t->ctx, "a client without TLS came to a port with TLS");
    return rc;
}

static bool ssl_reason(unsigned long e, int reason)
{
    return ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == reason;
}

static bool not_tls(unsigned long e)
{
    return ssl_reason(e, SSL_R_WRONG_VERSION_NUMBER) || ssl_reason(e, SSL_R_HTTP_REQUEST) ||
           ssl_reason(e, SSL_R_HTTPS_PROXY_REQUEST) || ssl_reason(e, SSL_R_PACKET_LENGTH_TOO_LONG);
}

static int ended_early(struct hail_tls *t, const char *op)
{
    if (!t->open)
        return failed(t, EPROTO, op, "the peer closed the connection during the handshake");
    int rc = failed(t, EPROTO, op, "the peer cut the stream short (no close_notify)");
    hail_set_detail(t->ctx, HAIL_TRUNCATED);
    return rc;
}

/* The step failed in the layer below, which has recorded it; a handshake tells of itself. */
static int below_failed(struct hail_tls *t, const char *op)
{
    if (t->open)
        return t->lower_rc;
    return failed(t, -t->lower_rc, op, hail_errno_text(-t->lower_rc));
}

static int protocol_failed(struct hail_tls *t, const char *op)
{
    unsigned long e = ERR_peek_error();
    char why[200];
    if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
        ERR_clear_error();
        return hail_fail(t->ctx, HAIL_LAYER_LOCAL, ENOMEM, "tls", "TLS: out of memory");
    }
    if (ssl_reason(e, SSL_R_UNEXPECTED_EOF_WHILE_READING))
        return ended_early(t, op);
    if (t->verify_code && !t->config->insecure_certificate)
        return refused(t, op);
    if (!t->open && not_tls(e))
        return no_tls(t, op);
    hail_tls_queue_text(why, sizeof why);
    int rc = failed(t, EPROTO, op, why);
    if (ssl_reason(e, SSL_R_UNSUPPORTED_PROTOCOL) ||
        ssl_reason(e, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION))
        hail_advise(t->ctx, "TLS 1.2 is the least that is spoken here");
    return rc;
}

int hail_tls_step_failed(struct hail_tls *t, int rc, const char *op)
{
    int error = SSL_get_error(t->ssl, rc);
    if (t->dead_rc)
        return failed(t, -t->dead_rc, op, "TLS failed before");
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    if (error == SSL_ERROR_ZERO_RETURN)
        return t->open ? 0 : failed(t, EPROTO, op, "the peer ended the handshake");
    t->broken = true;
    /* a failure of the protocol comes first: the alert that tells the peer of it may have found the
     * connection gone */
    if (error == SSL_ERROR_SYSCALL && t->lower_rc < 0)
        rc = below_failed(t, op);
    else
        t->dead_rc = rc = protocol_failed(t, op);
    ERR_clear_error();
    return rc;
}

int hail_tls_refuse(struct hail_tls *t, int code, const char *op)
{
    t->broken = true;
    t->verify_code = code;
    return t->dead_rc = refused(t, op);
}

int hail_tls_wait_failed(struct hail_tls *t, int rc)
{
    return failed(t, -rc, "TLS handshake with", hail_errno_text(-rc));
}
