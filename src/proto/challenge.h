/* challenge.h - HTTP authentication: challenges (RFC 9110 section 11), Basic (RFC 7617), Digest
 * (RFC 7616), and the user's own secrets in a .netrc. Sans-I/O. */
#ifndef HAIL_PROTO_CHALLENGE_H
#define HAIL_PROTO_CHALLENGE_H

#include <hail/slice.h>
#include <sys/types.h>

#include "base/buf.h"

#define HAIL_CHALLENGE_PARAMS 16
#define HAIL_SECRET_MAX       1024 /* bytes of a user's name or a password with their NUL */

/* One challenge of a WWW-Authenticate or Proxy-Authenticate field; slices of its value. */
struct hail_challenge {
    struct hail_slice scheme, token68;
    struct {
        struct hail_slice name, value; /* the value without its quotes, escapes still in it */
    } params[HAIL_CHALLENGE_PARAMS];
    size_t n; /* more than fit are left out */
};

/* Takes the next challenge off the front of a field's value: 1, 0 at the end, -EPROTO. */
int hail_challenge_next(struct hail_slice *rest, struct hail_challenge *out);

/* A parameter's value without escapes, NUL-ended; its length, -ENOENT, or -EMSGSIZE. */
ssize_t hail_challenge_param(const struct hail_challenge *c, const char *name, char *out,
                             size_t size);

/* Appends "Basic dXNlcjpwYXNz". Returns out->failed. */
int hail_basic_answer(const char *user, const char *password, struct hail_buf *out);

enum hail_digest_algorithm { HAIL_DIGEST_MD5, HAIL_DIGEST_SHA256, HAIL_DIGEST_SHA512_256 };

/* What a server asks of a Digest. */
struct hail_digest {
    enum hail_digest_algorithm algorithm;
    bool session; /* "-sess" */
    bool qop;     /* qop "auth"; without one it is RFC 2069's */
    bool stale;   /* the password was right, the nonce too old */
    bool userhash, utf8, has_opaque, has_algorithm;
    char realm[256], nonce[256], opaque[256];
};

/* 0, -EPROTO for what is malformed, -EOPNOTSUPP for an algorithm or qop that is not known. */
int hail_digest_read(const struct hail_challenge *c, struct hail_digest *out);

/* Appends "Digest username=...": the answer for a request of `method` and `target`. `cnonce` is
 * random text, `nc` counts the requests with this nonce, from 1. Returns out->failed; that is
 * -EINVAL for a user with control bytes, which no quoted string holds, and -EOPNOTSUPP where the
 * algorithm cannot be had. */
int hail_digest_answer(const struct hail_digest *d, const char *user, const char *password,
                       const char *method, struct hail_slice target, const char *cnonce,
                       unsigned nc, struct hail_buf *out);

/* Looks `host` up in the text of a .netrc (netrc(5)). `user` is empty, or the one whose password is
 * wanted; both have HAIL_SECRET_MAX bytes. 1: found, 0: not there, -EINVAL: malformed
 * before both were found, with the line's number in *line. */
int hail_netrc_find(struct hail_slice text, const char *host, char *user, char *password,
                    unsigned *line);

#endif
