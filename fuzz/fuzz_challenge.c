/* fuzz_challenge.c - challenges, and what is answered to those for Digest: the answer is one line,
 * and reads as what was meant, whatever realm, user and target hold. Input: a field's value up to a
 * NUL, the user up to another, the target. */
#include "proto/challenge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool has_control(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7F)
            return true;
    return false;
}

static void within(struct hail_slice part, const char *p, size_t n)
{
    must(part.n == 0 || (part.p >= p && part.p + part.n <= p + n));
}

static void is(const struct hail_challenge *c, const char *name, const char *want)
{
    char value[4096];
    ssize_t n = hail_challenge_param(c, name, value, sizeof value);
    must(n >= 0 && (size_t)n == strlen(want) && strcmp(value, want) == 0);
}

/* Credentials have the form of a challenge (RFC 9110 section 11.4), so they are read as one. */
static void answer(const struct hail_digest *d, const char *user, struct hail_slice target)
{
    struct hail_buf b;
    hail_buf_init(&b, 65536);
    int rc = hail_digest_answer(d, user, "secret", "GET", target, "cnonce", 1, &b);
    must(rc == b.failed && (rc == 0 || rc == -EINVAL));
    if (rc == 0) {
        struct hail_slice rest = {b.p, b.len};
        struct hail_challenge c;
        must(!has_control(b.p, b.len));
        must(hail_challenge_next(&rest, &c) == 1 && rest.n == 0);
        must(hail_slice_is(c.scheme, "Digest"));
        is(&c, "realm", d->realm);
        is(&c, "nonce", d->nonce);
        if (d->has_opaque)
            is(&c, "opaque", d->opaque);
        if (!d->userhash)
            is(&c, "username", user);
    } else {
        must(has_control(user, strlen(user)));
    }
    hail_buf_free(&b);
}

static void read_all(const char *p, size_t n, const char *user, struct hail_slice target)
{
    struct hail_slice rest = {p, n};
    struct hail_challenge c;
    struct hail_digest d;
    size_t left = n + 1;
    int rc;
    while ((rc = hail_challenge_next(&rest, &c)) == 1) {
        must(c.scheme.n > 0 && rest.n < left && rest.p + rest.n == p + n);
        must(c.n <= HAIL_CHALLENGE_PARAMS && !(c.n && c.token68.n));
        left = rest.n;
        within(c.scheme, p, n);
        within(c.token68, p, n);
        for (size_t i = 0; i < c.n; i++) {
            within(c.params[i].name, p, n);
            within(c.params[i].value, p, n);
        }
        if (hail_digest_read(&c, &d) == 0)
            answer(&d, user, target);
    }
    must(rc == -EPROTO || (rc == 0 && rest.n == 0));
}

/* The next part as memory of its own, NUL-ended. */
static char *part(const uint8_t **data, size_t *size, size_t *n)
{
    const uint8_t *nul = *size ? memchr(*data, 0, *size) : NULL;
    *n = nul ? (size_t)(nul - *data) : *size;
    char *p = malloc(*n + 1);
    must(p != NULL);
    if (*n)
        memcpy(p, *data, *n);
    p[*n] = '\0';
    size_t used = *n + (nul != NULL);
    *data += used;
    *size -= used;
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t nfield, nuser, ntarget;
    char *field = part(&data, &size, &nfield), *user = part(&data, &size, &nuser);
    char *target = part(&data, &size, &ntarget);
    char *exact = malloc(nfield + (nfield == 0));
    must(exact != NULL);
    memcpy(exact, field, nfield);
    user[nuser < 1000 ? nuser : 1000] = '\0';
    ntarget = ntarget < 4000 ? ntarget : 4000;
    for (size_t i = 0; i < ntarget; i++) /* a request's target has none */
        target[i] = has_control(target + i, 1) ? '/' : target[i];
    read_all(exact, nfield, user, (struct hail_slice){target, ntarget});
    free(exact);
    free(field);
    free(user);
    free(target);
    return 0;
}
