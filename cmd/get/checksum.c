/* checksum.c - --checksum sha256:HEX: of the content as it is written. */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct get_checksum {
    EVP_MD_CTX *md;
    const EVP_MD *kind;
    const char *name, *wanted; /* "sha256", the digits */
};

static const struct {
    const char *name;
    const EVP_MD *(*of)(void);
} kinds[] = {
    {"sha1", EVP_sha1}, {"sha256", EVP_sha256}, {"sha384", EVP_sha384}, {"sha512", EVP_sha512}};

static int find(const char *wanted)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].name);
        if (strncasecmp(wanted, kinds[i].name, n) == 0 && (wanted[n] == ':' || wanted[n] == '='))
            return (int)i;
    }
    return -1;
}

int get_checksum_known(const char *wanted)
{
    int i = find(wanted);
    if (i < 0)
        return -EINVAL;
    const char *digits = wanted + strlen(kinds[i].name) + 1;
    size_t n = 2 * (size_t)EVP_MD_get_size(kinds[i].of());
    return strlen(digits) == n && strspn(digits, "0123456789abcdefABCDEF") == n ? 0 : -EINVAL;
}

int get_checksum_new(struct get_session *s, const char *wanted, struct get_checksum **out)
{
    int i = find(wanted);
    struct get_checksum *c = calloc(1, sizeof *c);
    if (c) {
        c->md = EVP_MD_CTX_new();
        c->kind = kinds[i].of();
        c->name = kinds[i].name;
        c->wanted = wanted + strlen(c->name) + 1;
    }
    if (!c || !c->md || EVP_DigestInit_ex(c->md, c->kind, NULL) != 1) {
        get_checksum_free(c);
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ENOMEM, "check",
                         "make a checksum: out of memory");
    }
    *out = c;
    return 0;
}

void get_checksum_add(struct get_checksum *c, const void *p, size_t n)
{
    EVP_DigestUpdate(c->md, p, n);
}

void get_checksum_restart(struct get_checksum *c)
{
    EVP_DigestInit_ex(c->md, c->kind, NULL);
}

int get_checksum_file(struct get_checksum *c, int fd)
{
    char buf[65536];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, buf, sizeof buf, at)) > 0) {
        get_checksum_add(c, buf, (size_t)n);
        at += n;
    }
    return n < 0 ? -errno : 0;
}

/* `is` gets "sha256:HEX". */
bool get_checksum_right(struct get_checksum *c, char *is, size_t size)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_DigestFinal_ex(c->md, raw, &n);
    int at = snprintf(is, size, "%s:", c->name);
    const char *digits = is + at;
    for (unsigned i = 0; i < n && (size_t)at + 3 <= size; i++)
        at += snprintf(is + at, size - (size_t)at, "%02x", raw[i]);
    return strcasecmp(digits, c->wanted) == 0;
}

void get_checksum_free(struct get_checksum *c)
{
    if (c)
        EVP_MD_CTX_free(c->md);
    free(c);
}
