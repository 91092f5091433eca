/* tls_cert.c - the peer's certificate in words, and why it is refused.
 *
 * Everything in a certificate was written by somebody else: names are made safe to show, and cut
 * where there are many.
 */
#include "net/tls_layer.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "net/trace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMES_SHOWN 5   /* of a certificate, in an error message */
#define NAMES_KEPT  100 /* of a certificate, in hail_tls_info() */

/* --- names --- */

/* Appends a distinguished name by RFC 2253 (RFC 4514), characters beyond ASCII as UTF-8. */
static void add_name(struct hail_buf *out, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long n = BIO_get_mem_data(bio, &text);
        if (n > 0)
            hail_text_safe(out, text, (size_t)n, false);
    }
    BIO_free(bio);
}

static void add_ip(struct hail_buf *out, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(ip);
    if ((len == 4 || len == 16) &&
        inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof text))
        hail_buf_str(out, text);
    else
        hail_buf_str(out, "(malformed)");
}

static void add_alt_name(struct hail_buf *out, const GENERAL_NAME *name, bool typed)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const char *label = type == GEN_DNS     ? "DNS:"
                        : type == GEN_URI   ? "URI:"
                        : type == GEN_EMAIL ? "email:"
                        : type == GEN_IPADD ? "IP:"
                                            : NULL;
    if (!label) {
        hail_buf_str(out, "(a name of another kind)");
        return;
    }
    if (typed)
        hail_buf_str(out, label);
    if (type == GEN_IPADD)
        add_ip(out, value);
    else
        hail_text_safe(out, (const char *)ASN1_STRING_get0_data(value),
                       (size_t)ASN1_STRING_length(value), false);
}

/* Appends the subject alternative names, at most `max`, and how many more there are. */
static int add_alt_names(struct hail_buf *out, X509 *cert, int max, bool typed)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int n = names ? sk_GENERAL_NAME_num(names) : 0;
    for (int i = 0; i < n; i++) {
        if (i == max) {
            hail_buf_printf(out, " and %d more", n - max);
            break;
        }
        if (i)
            hail_buf_str(out, ", ");
        add_alt_name(out, sk_GENERAL_NAME_value(names, i), typed);
    }
    GENERAL_NAMES_free(names);
    return n;
}

/* --- times --- */

static int64_t seconds_of(const ASN1_TIME *at)
{
    struct tm tm;
    return ASN1_TIME_to_tm(at, &tm) ? (int64_t)timegm(&tm) : 0;
}

static int64_t days_between(int64_t from, int64_t to)
{
    int64_t s = to - from;
    return s >= 0 ? s / 86400 : -((-s + 86399) / 86400);
}

static void add_date(struct hail_buf *out, int64_t at)
{
    char text[32];
    time_t t = (time_t)at;
    struct tm tm;
    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm))
        hail_buf_str(out, text);
}

/* --- why --- */

bool hail_tls_name_matches(X509 *cert, const char *name)
{
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    unsigned char ip[16];
    if (inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1)
        return X509_check_ip_asc(cert, name, flags) == 1;
    return X509_check_host(cert, name, 0, flags, NULL) == 1;
}

static void add_wrong_name(struct hail_buf *out, X509 *cert, const char *name)
{
    size_t start = out->len;
    hail_buf_str(out, "it is for ");
    if (add_alt_names(out, cert, NAMES_SHOWN, false) == 0) {
        out->len = start;
        hail_buf_str(out, "it names no host (no subject alternative name)");
    }
    hail_buf_str(out, ", not for ");
    hail_text_safe(out, name, strlen(name), false);
}

static void add_expired(struct hail_buf *out, X509 *cert)
{
    int64_t end = seconds_of(X509_get0_notAfter(cert));
    long long days = (long long)days_between(end, time(NULL));
    hail_buf_str(out, "it expired on ");
    add_date(out, end);
    if (days > 0)
        hail_buf_printf(out, ", %lld day%s ago", days, days == 1 ? "" : "s");
}

static void add_not_yet(struct hail_buf *out, X509 *cert)
{
    hail_buf_str(out, "it is not valid before ");
    add_date(out, seconds_of(X509_get0_notBefore(cert)));
    hail_buf_str(out, "; this machine's clock says ");
    add_date(out, time(NULL));
}

static void add_unknown(struct hail_buf *out, X509 *cert)
{
    hail_buf_str(out, "it is signed by an unknown authority (");
    add_name(out, X509_get_issuer_name(cert));
    hail_buf_char(out, ')');
}

/* What the verification says of `cert`, the one at fault: "it expired on ...". */
static void add_fault(struct hail_buf *out, int code, X509 *cert, const char *name)
{
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        add_expired(out, cert);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        add_not_yet(out, cert);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        add_wrong_name(out, cert, name);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        hail_buf_str(out, "it is self-signed");
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        add_unknown(out, cert);
        break;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        hail_buf_str(out, "its key is too weak");
        break;
    case X509_V_ERR_CA_MD_TOO_WEAK:
        hail_buf_str(out, "it is signed with too weak a digest");
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        hail_buf_str(out, "its signature is not its issuer's");
        break;
    case X509_V_ERR_INVALID_CA:
        hail_buf_str(out, "it signs others and may not: it is no authority's");
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        hail_buf_str(out, "it is not meant for this use");
        break;
    default:
        hail_buf_str(out, X509_verify_cert_error_string(code));
        break;
    }
}

/* The whole reason; malloc'ed, or NULL. A fault above the peer's own certificate names whose. */
static char *reason(int code, int depth, X509 *cert, const char *name)
{
    struct hail_buf b;
    hail_buf_init(&b, HAIL_TLS_TEXT_MAX);
    if (depth > 0 && cert && code != X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN &&
        code != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) {
        hail_buf_str(&b, "its authority's certificate (");
        add_name(&b, X509_get_subject_name(cert));
        hail_buf_str(&b, "): ");
    }
    if (cert)
        add_fault(&b, code, cert, name);
    else
        hail_buf_str(&b, X509_verify_cert_error_string(code));
    return b.p;
}

int hail_tls_verify(int ok, X509_STORE_CTX *verify)
{
    if (ok)
        return 1;
    const SSL *ssl = X509_STORE_CTX_get_ex_data(verify, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct hail_tls *t = hail_tls_of(ssl);
    if (!t->verify_code) {
        t->verify_code = X509_STORE_CTX_get_error(verify);
        t->refused = reason(t->verify_code, X509_STORE_CTX_get_error_depth(verify),
                            X509_STORE_CTX_get_current_cert(verify), t->name);
        ERR_clear_error();
    }
    return t->config->insecure_certificate;
}

/* --- what hail_tls_info() says --- */

/* The reason for a stream that was let through: by the callback, or for the name alone, or for what
 * was found when the resumed session was made. */
static void add_refused(struct hail_buf *out, struct hail_tls *t, X509 *cert)
{
    long code = SSL_get_verify_result(t->ssl);
    if (t->refused) {
        hail_buf_str(out, t->refused);
    } else if (code != X509_V_OK) {
        char *why = reason((int)code, 0, cert, t->name);
        if (why)
            hail_buf_str(out, why);
        free(why);
    } else if (t->name[0] && !hail_tls_name_matches(cert, t->name)) {
        add_wrong_name(out, cert, t->name);
    }
}

/* The strings that come from the peer, one after another in one block, safe to show. */
enum { ALPN, SNI, SUBJECT, ISSUER, NAMES, REFUSED, STRINGS };

static int write_strings(struct hail_tls *t, X509 *cert, struct hail_buf *b, size_t at[STRINGS])
{
    const char *sni = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn;
    unsigned alpn_len;
    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
    for (int i = 0; i < STRINGS; i++) {
        at[i] = b->len;
        if (i == ALPN)
            hail_text_safe(b, (const char *)alpn, alpn_len, false);
        else if (i == SNI && sni)
            hail_text_safe(b, sni, strlen(sni), false);
        else if (i == SUBJECT && cert)
            add_name(b, X509_get_subject_name(cert));
        else if (i == ISSUER && cert)
            add_name(b, X509_get_issuer_name(cert));
        else if (i == NAMES && cert)
            add_alt_names(b, cert, NAMES_KEPT, true);
        else if (i == REFUSED && cert)
            add_refused(b, t, cert);
        hail_buf_char(b, '\0');
    }
    ERR_clear_error();
    return b->failed;
}

/* The earliest end among the certificates that the peer sent, and `first`. */
static int64_t chain_end(const struct hail_tls *t, int64_t first)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);
    for (int i = 0; chain && i < sk_X509_num(chain); i++) {
        int64_t end = seconds_of(X509_get0_notAfter(sk_X509_value(chain, i)));
        first = end < first ? end : first;
    }
    return first;
}

static int describe(struct hail_tls *t, struct hail_tls_info *out)
{
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    struct hail_buf b;
    size_t at[STRINGS];
    hail_buf_init(&b, HAIL_TLS_TEXT_MAX);
    int rc = write_strings(t, cert, &b, at);
    if (rc < 0) {
        hail_buf_free(&b);
        return rc;
    }
    *out = (struct hail_tls_info){.version = SSL_get_version(t->ssl),
                                  .cipher = SSL_get_cipher_name(t->ssl),
                                  .alpn = b.p + at[ALPN],
                                  .sni = b.p + at[SNI],
                                  .resumed = SSL_session_reused(t->ssl),
                                  .subject = b.p + at[SUBJECT],
                                  .issuer = b.p + at[ISSUER],
                                  .names = b.p + at[NAMES],
                                  .refused = b.p + at[REFUSED]};
    t->text = b.p;
    if (cert) {
        out->verified = !*out->refused && (t->config->server || t->name[0]);
        out->not_before = seconds_of(X509_get0_notBefore(cert));
        out->not_after = seconds_of(X509_get0_notAfter(cert));
        out->chain_not_after = chain_end(t, out->not_after);
        out->days_left = (int)days_between(time(NULL), out->not_after);
    }
    return 0;
}

int hail_tls_describe(struct hail_tls *t, const struct hail_tls_info **out)
{
    if (!t->info) {
        struct hail_tls_info *info = malloc(sizeof *info);
        int rc = info ? describe(t, info) : -ENOMEM;
        if (rc < 0) {
            free(info);
            return rc;
        }
        t->info = info;
    }
    *out = t->info;
    return 0;
}

/* hail_trace_note() within the handshake's span, which in a loop is not the context's. */
static void note(struct hail_ctx *ctx, const struct hail_tls *t, const char *fmt, ...)
    HAIL_PRINTF(3, 4);
static void note(struct hail_ctx *ctx, const struct hail_tls *t, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    hail_trace_emit(ctx, (struct hail_event){.span = t->span,
                                             .kind = HAIL_EVENT_NOTE,
                                             .layer = HAIL_LAYER_TLS,
                                             .op = "tls",
                                             .text = text});
}

void hail_tls_trace_cert(struct hail_ctx *ctx, struct hail_tls *t)
{
    const struct hail_tls_info *i;
    if (hail_tls_describe(t, &i) < 0)
        return;
    note(ctx, t, "%s, %s%s%s%s", i->version, i->cipher, *i->alpn ? ", ALPN " : "", i->alpn,
         i->resumed ? ", resumed" : "");
    if (!i->not_after)
        return;
    note(ctx, t, "certificate of %s%s%s", i->subject, *i->names ? ", for " : "", i->names);
    note(ctx, t, "issued by %s, %d days left%s%s", i->issuer, i->days_left,
         *i->refused ? "; not trusted: " : "", i->refused);
}
