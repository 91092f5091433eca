/* coding.h - content codings, RFC 9110 section 8.4.1. */
#ifndef HAIL_PROTO_CODING_H
#define HAIL_PROTO_CODING_H

#include <hail/slice.h>

#include "base/buf.h"

enum hail_coding {
    HAIL_CODING_IDENTITY = 0, /* as it is */
    HAIL_CODING_GZIP,         /* RFC 1952 */
    HAIL_CODING_BR,           /* RFC 7932 */
    HAIL_CODING_ZSTD,         /* RFC 8878 */
    HAIL_CODINGS
};

/* "gzip", and the ending of a file's name that has it already: ".gz". Identity: "identity", "". */
const char *hail_coding_name(enum hail_coding c);
const char *hail_coding_ending(enum hail_coding c);

/* The coding of a name (any case; "x-gzip" is gzip), or -1. */
int hail_coding_of(struct hail_slice name);

/* Appends `n` bytes of content in the coding, at a level that makes some tens of MB a second; 0,
 * -ENOMEM, -EMSGSIZE when the buffer's bound is reached. zlib's, brotli's and zstd's encoders. */
int hail_encode(enum hail_coding c, const void *p, size_t n, struct hail_buf *out);

#endif
