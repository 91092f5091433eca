/* precondition.h - conditional requests, RFC 9110 section 13. */
#ifndef HAIL_PROTO_PRECONDITION_H
#define HAIL_PROTO_PRECONDITION_H

#include <hail/http.h>

/* What a representation is told apart by. */
struct hail_validators {
    const char *etag; /* strong, with its quotes; NULL: none */
    int64_t modified; /* seconds since 1970; negative: not known */
};

/* Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since of a GET or HEAD for
 * a representation that exists, in the order of section 13.2.2. `now` in seconds since 1970.
 * Returns 0 (go on), 304 or 412. */
int hail_preconditions(const struct hail_http_fields *fields, const struct hail_validators *v,
                       int64_t now);

/* Whether Range is to be looked at: no If-Range, or one that holds by the strong comparison,
 * section 13.1.5. A date is exact, and counts only if the representation is older than a second
 * (section 8.8.2.2). */
bool hail_if_range(const struct hail_http_fields *fields, const struct hail_validators *v,
                   int64_t now);

#endif
