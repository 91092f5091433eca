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
    HAIL_CODINGS,
    HAIL_CODING_DEFLATE = HAIL_CODINGS, /* RFC 1950, or RFC 1951 bare: decoded, never made */
};

/* "gzip", and the ending of a file's name that has it already: ".gz". Identity: "identity", "". */
const char *hail_coding_name(enum hail_coding c);
const char *hail_coding_ending(enum hail_coding c);

/* The coding of a name (any case; "x-gzip" is gzip), or -1. */
int hail_coding_of(struct hail_slice name);

/* Appends `n` bytes of content in the coding, at a level that makes some tens of MB a second; 0,
 * -ENOMEM, -EMSGSIZE when the buffer's bound is reached. zlib's, brotli's and zstd's encoders. */
int hail_encode(enum hail_coding c, const void *p, size_t n, struct hail_buf *out);

/* The coding of a name for a decoder: the above, and deflate; -1. */
int hail_decoding_of(struct hail_slice name);

/* Content out of a coding, in pieces of any size. */
struct hail_decoder;

/* Not of identity. 0, or -ENOMEM. */
int hail_decoder_new(enum hail_coding c, struct hail_decoder **out);

/* Takes bytes off the front of `in` and writes at most `size` of content to `out`, *made of them.
 *   0         more of either is needed: `in` is empty, or `out` is full
 *   1         the content is complete with the bytes taken so far. More may follow where the format
 *             allows for it (a gzip member, a zstd frame): call again with them
 *   -EPROTO   not in this coding, or a window above 8 MiB (RFC 9659); -ENOMEM */
int hail_decode(struct hail_decoder *d, struct hail_slice *in, char *out, size_t size,
                size_t *made);
void hail_decoder_free(struct hail_decoder *d); /* accepts NULL */

#endif
