/* tls_bundle.c - many certificates in one file, of which few are wanted: a lookup for OpenSSL's
 * store.
 *
 *      file ---- base64 decoded ----> DER ... DER ... DER        when the first one is wanted
 *                                          |
 *      subject wanted == subject in it ? --+--> X509, into the store
 *
 * OpenSSL would build all of some 150 certificates first, which takes longer than the rest of a
 * request. Here the file is read when the config is made, so that a bad path is told early; a
 * search compares encoded names, and only where none is equal byte by byte are they compared as
 * RFC 5280 section 7.1 says (case, spaces and string types aside).
 */
#include "net/tls_layer.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_MAX (16u << 20) /* bytes of a file at most */

/* The file's text at first; the certificates one after another once it is decoded. */
struct bundle {
    size_t len;
    bool decoded;
    unsigned char data[];
};

/* --- DER --- */

struct der {
    const unsigned char *p, *end;
};

/* Enters or skips one element: its head at `d->p`, RFC 5280's subset of X.690. False: malformed. */
static bool der_next(struct der *d, unsigned char *tag, struct der *body)
{
    if (d->end - d->p < 2)
        return false;
    *tag = d->p[0];
    size_t len = d->p[1];
    d->p += 2;
    if (len > 0x80) {
        size_t n = len - 0x80;
        if (n > 3 || (size_t)(d->end - d->p) < n)
            return false;
        for (len = 0; n > 0; n--)
            len = len << 8 | *d->p++;
    }
    if (len == 0x80 || (size_t)(d->end - d->p) < len)
        return false;
    *body = (struct der){d->p, d->p + len};
    d->p += len;
    return true;
}

/* The encoded subject of a certificate: RFC 5280 section 4.1. */
static bool der_subject(struct der cert, struct der *subject)
{
    struct der outer, tbs, skip;
    unsigned char tag;
    if (!der_next(&cert, &tag, &outer) || !der_next(&outer, &tag, &tbs))
        return false;
    if (!der_next(&tbs, &tag, &skip))
        return false;
    /* version [0] may be left out; then serial, signature, issuer, validity */
    for (int i = tag == 0xA0 ? 0 : 1; i < 4; i++)
        if (!der_next(&tbs, &tag, &skip))
            return false;
    subject->p = tbs.p;
    bool ok = der_next(&tbs, &tag, &skip);
    subject->end = tbs.p;
    return ok;
}

/* --- PEM, RFC 7468 --- */

/* The value of a base64 digit; 64 for white space, 65 for what ends the text. */
static unsigned base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    if (c == '+' || c == '/')
        return c == '+' ? 62 : 63;
    return c == '\n' || c == '\r' || c == ' ' || c == '\t' ? 64 : 65;
}

/* Decodes up to the first '-' or '='; `out` may be `p` or before it. Returns the end of output. */
static unsigned char *base64_decode(const unsigned char *p, const unsigned char *end,
                                    unsigned char *out)
{
    uint32_t acc = 0;
    int bits = 0;
    for (; p < end; p++) {
        unsigned v = base64_value(*p);
        if (v == 65)
            break;
        if (v == 64)
            continue;
        acc = acc << 6 | v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (unsigned char)(acc >> bits);
        }
    }
    return out;
}

static const unsigned char *find(const unsigned char *p, const unsigned char *end, const char *s)
{
    const unsigned char *at = memmem(p, (size_t)(end - p), s, strlen(s));
    return at ? at : end;
}

/* Replaces the text by the certificates in it, in place: they are smaller. */
static void decode(struct bundle *b)
{
    const unsigned char *p = b->data, *end = b->data + b->len;
    unsigned char *out = b->data;
    b->decoded = true;
    for (;;) {
        p = find(p, end, "-----BEGIN ");
        const unsigned char *label_end = find(p, end, "CERTIFICATE-----");
        const unsigned char *line_end = find(p, end, "\n");
        if (label_end == end)
            break;
        p = line_end;
        if (label_end > line_end) /* a key or something else */
            continue;
        unsigned char *der = out;
        out = base64_decode(p, end, out);
        /* a certificate is walked by its own lengths: keep only what is one element, and any
         * trust settings after it (TRUSTED CERTIFICATE) go */
        struct der d = {der, out}, body;
        unsigned char tag;
        out = der_next(&d, &tag, &body) ? der + (d.p - der) : der;
    }
    b->len = (size_t)(out - b->data);
}

/* --- the lookup --- */

static bool same_name(const struct der *encoded, const X509_NAME *name, bool exact)
{
    const unsigned char *wanted;
    size_t len;
    if (exact)
        return X509_NAME_get0_der(name, &wanted, &len) == 1 &&
               len == (size_t)(encoded->end - encoded->p) && memcmp(wanted, encoded->p, len) == 0;
    const unsigned char *p = encoded->p;
    X509_NAME *other = d2i_X509_NAME(NULL, &p, encoded->end - encoded->p);
    bool same = other && X509_NAME_cmp(other, name) == 0;
    X509_NAME_free(other);
    return same;
}

/* Puts every certificate of this subject into the store; *found is the first, owned by the store
 * (a later one may be the same again, which the store does not keep). */
static void add_matching(X509_STORE *store, const struct bundle *b, const X509_NAME *name,
                         bool exact, X509 **found)
{
    struct der rest = {b->data, b->data + b->len}, body, subject;
    unsigned char tag;
    while (rest.p < rest.end) {
        struct der cert = {rest.p, rest.end};
        if (!der_next(&rest, &tag, &body))
            break;
        cert.end = rest.p;
        if (!der_subject(cert, &subject) || !same_name(&subject, name, exact))
            continue;
        const unsigned char *p = cert.p;
        X509 *x = d2i_X509(NULL, &p, cert.end - cert.p);
        if (x && X509_STORE_add_cert(store, x) && !*found)
            *found = x;
        X509_free(x);
    }
}

static int by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                      X509_OBJECT *out)
{
    struct bundle *b = X509_LOOKUP_get_method_data(lookup);
    X509 *found = NULL;
    if (type != X509_LU_X509 || !b)
        return 0;
    if (!b->decoded)
        decode(b);
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    add_matching(store, b, name, true, &found);
    if (!found)
        add_matching(store, b, name, false, &found);
    ERR_clear_error();
    if (!found || !X509_OBJECT_set1_X509(out, found))
        return 0;
    X509_free(found); /* the caller counts a reference of its own: X509_LOOKUP_meth_new(3) */
    return 1;
}

static void forget(X509_LOOKUP *lookup)
{
    free(X509_LOOKUP_get_method_data(lookup));
}

static int read_all(int fd, struct bundle *b, size_t size)
{
    while (b->len < size) {
        ssize_t n = read(fd, b->data + b->len, size - b->len);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            b->len += (size_t)n;
    }
    return 0;
}

/* The file as it is; NULL with *error, a negative errno. */
static struct bundle *read_bundle(const char *path, int *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;
    if (fd < 0) {
        *error = -errno;
        return NULL;
    }
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(st.st_mode))
        rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    if (rc == 0 && st.st_size > BUNDLE_MAX)
        rc = -EFBIG;
    struct bundle *b = rc == 0 ? malloc(sizeof *b + (size_t)st.st_size) : NULL;
    if (b) {
        *b = (struct bundle){0};
        rc = read_all(fd, b, (size_t)st.st_size);
    } else if (rc == 0) {
        rc = -ENOMEM;
    }
    close(fd);
    *error = rc;
    if (rc == 0)
        return b;
    free(b);
    return NULL;
}

static int add_lookup(struct hail_tls_config *config, struct bundle *b)
{
    X509_LOOKUP_METHOD *m = X509_LOOKUP_meth_new("PEM bundle");
    config->bundle = m;
    if (!m || !X509_LOOKUP_meth_set_get_by_subject(m, by_subject) ||
        !X509_LOOKUP_meth_set_free(m, forget))
        return -ENOMEM;
    X509_LOOKUP *l = X509_STORE_add_lookup(SSL_CTX_get_cert_store(config->ssl_ctx), m);
    return l && X509_LOOKUP_set_method_data(l, b) ? 0 : -ENOMEM;
}

int hail_tls_bundle(struct hail_ctx *ctx, struct hail_tls_config *config, const char *path)
{
    int rc;
    struct bundle *b = read_bundle(path, &rc);
    if (!b)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "read", "read the authorities in %s: %s", path,
                         hail_errno_text(-rc));
    if (!memmem(b->data, b->len, "CERTIFICATE-----", 16)) {
        free(b);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, EINVAL, "read",
                         "read the authorities in %s: there is no certificate in PEM form in it",
                         path);
    }
    rc = add_lookup(config, b);
    if (rc < 0)
        free(b);
    return rc;
}
