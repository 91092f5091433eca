/* digest.c - answering a Digest challenge: RFC 7616 section 3.4; proto/challenge.h. */
#include "proto/challenge.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define HEX_MAX 65 /* of the longest digest, and NUL */

static const struct {
    const char *name;
    const EVP_MD *(*of)(void);
} algorithms[] = {
    [HAIL_DIGEST_MD5] = {"MD5", EVP_md5},
    [HAIL_DIGEST_SHA256] = {"SHA-256", EVP_sha256},
    [HAIL_DIGEST_SHA512_256] = {"SHA-512-256", EVP_sha512_256},
};

/* The text without the ending, if it has it. */
static bool without(struct hail_slice *s, const char *ending)
{
    size_t n = strlen(ending);
    if (s->n <= n || !hail_slice_is_nocase((struct hail_slice){s->p + s->n - n, n}, ending))
        return false;
    s->n -= n;
    return true;
}

/* No algorithm is MD5: RFC 7616 section 3.3. */
static int read_algorithm(const struct hail_challenge *c, struct hail_digest *d)
{
    char text[32];
    ssize_t n = hail_challenge_param(c, "algorithm", text, sizeof text);
    if (n == -ENOENT)
        return 0;
    struct hail_slice name = {text, n > 0 ? (size_t)n : 0};
    d->has_algorithm = true;
    d->session = without(&name, "-sess");
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (hail_slice_is_nocase(name, algorithms[i].name)) {
            d->algorithm = (enum hail_digest_algorithm)i;
            return 0;
        }
    return -EOPNOTSUPP;
}

/* "auth" is the one that is answered; no qop at all is RFC 2069's. */
static int read_qop(const struct hail_challenge *c, struct hail_digest *d)
{
    char text[64];
    ssize_t n = hail_challenge_param(c, "qop", text, sizeof text);
    if (n == -ENOENT)
        return 0;
    if (n < 0)
        return -EPROTO;
    for (char *save, *word = strtok_r(text, ", \t", &save); word;
         word = strtok_r(NULL, ", \t", &save))
        d->qop |= hail_slice_is_nocase(hail_slice(word), "auth");
    return d->qop ? 0 : -EOPNOTSUPP;
}

static bool is_true(const struct hail_challenge *c, const char *name, const char *word)
{
    char text[16];
    return hail_challenge_param(c, name, text, sizeof text) > 0 &&
           hail_slice_is_nocase(hail_slice(text), word);
}

/* What would end the line or the string that it is put into. */
static bool has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7F)
            return true;
    return false;
}

int hail_digest_read(const struct hail_challenge *c, struct hail_digest *out)
{
    struct hail_digest d = {0};
    if (hail_challenge_param(c, "realm", d.realm, sizeof d.realm) < 0 ||
        hail_challenge_param(c, "nonce", d.nonce, sizeof d.nonce) < 0)
        return -EPROTO;
    ssize_t opaque = hail_challenge_param(c, "opaque", d.opaque, sizeof d.opaque);
    if (opaque < 0 && opaque != -ENOENT)
        return -EPROTO;
    if (has_control(d.realm) || has_control(d.nonce) || has_control(d.opaque))
        return -EPROTO;
    d.has_opaque = opaque >= 0;
    d.stale = is_true(c, "stale", "true");
    d.userhash = is_true(c, "userhash", "true");
    d.utf8 = is_true(c, "charset", "utf-8");
    int rc = read_algorithm(c, &d);
    rc = rc < 0 ? rc : read_qop(c, &d);
    if (rc == 0)
        *out = d;
    return rc;
}

/* The hash of the parts with ':' between them, in hexadecimal; false without memory, or where the
 * system's policy forbids the algorithm. */
static bool hash(const struct hail_digest *d, char hex[HEX_MAX], const struct hail_slice *parts,
                 size_t n)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned made = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool done = md && EVP_DigestInit_ex(md, algorithms[d->algorithm].of(), NULL) == 1;
    for (size_t i = 0; done && i < n; i++)
        done = (i == 0 || EVP_DigestUpdate(md, ":", 1) == 1) &&
               EVP_DigestUpdate(md, parts[i].p, parts[i].n) == 1;
    done = done && EVP_DigestFinal_ex(md, raw, &made) == 1;
    EVP_MD_CTX_free(md);
    size_t size = done ? made : 0;
    for (size_t i = 0; i < size && 2 * i + 2 < HEX_MAX; i++) {
        hex[2 * i] = digits[raw[i] >> 4];
        hex[2 * i + 1] = digits[raw[i] & 15];
    }
    hex[2 * size] = '\0';
    return done;
}

/* Quoted, with '"' and '\' escaped: RFC 9110 section 5.6.4. */
static void put_quoted(struct hail_buf *out, const char *name, struct hail_slice value)
{
    hail_buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            hail_buf_char(out, '\\');
        hail_buf_char(out, value.p[i]);
    }
    hail_buf_char(out, '"');
}

#define PARTS(...)                                                                                 \
    (const struct hail_slice[])                                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define HASH(d, hex, ...)                                                                          \
    hash(d, hex, PARTS(__VA_ARGS__), sizeof PARTS(__VA_ARGS__) / sizeof(struct hail_slice))

int hail_digest_answer(const struct hail_digest *d, const char *user, const char *password,
                       const char *method, struct hail_slice target, const char *cnonce,
                       unsigned nc, struct hail_buf *out)
{
    char ha1[HEX_MAX], ha2[HEX_MAX], answer[HEX_MAX], hidden[HEX_MAX], count[16];
    struct hail_slice nonce = hail_slice(d->nonce), cn = hail_slice(cnonce);
    struct hail_slice name = hail_slice(user), realm = hail_slice(d->realm);
    if (has_control(user))
        return out->failed = -EINVAL;
    snprintf(count, sizeof count, "%08x", nc);
    bool done = HASH(d, ha1, name, realm, hail_slice(password));
    if (d->session)
        done = done && HASH(d, ha1, hail_slice(ha1), nonce, cn);
    done = done && HASH(d, ha2, hail_slice(method), target);
    if (d->qop)
        done = done && HASH(d, answer, hail_slice(ha1), nonce, hail_slice(count), cn,
                            hail_slice("auth"), hail_slice(ha2));
    else
        done = done && HASH(d, answer, hail_slice(ha1), nonce, hail_slice(ha2));
    if (d->userhash) {
        done = done && HASH(d, hidden, name, realm);
        name = hail_slice(hidden);
    }
    explicit_bzero(ha1, sizeof ha1);
    if (!done)
        return out->failed = -EOPNOTSUPP;
    put_quoted(out, "Digest username", name);
    put_quoted(out, ", realm", realm);
    put_quoted(out, ", nonce", nonce);
    put_quoted(out, ", uri", target);
    if (d->qop) {
        put_quoted(out, ", cnonce", cn);
        hail_buf_printf(out, ", nc=%s, qop=auth", count);
    }
    put_quoted(out, ", response", hail_slice(answer));
    if (d->has_opaque)
        put_quoted(out, ", opaque", hail_slice(d->opaque));
    if (d->has_algorithm)
        hail_buf_printf(out, ", algorithm=%s%s", algorithms[d->algorithm].name,
                        d->session ? "-sess" : "");
    if (d->userhash)
        hail_buf_str(out, ", userhash=true");
    return out->failed;
}
