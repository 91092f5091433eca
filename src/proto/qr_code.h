/* qr_code.h - what qr.c (where modules go) and qr_words.c (which they are) share. */
#ifndef HAIL_PROTO_QR_CODE_H
#define HAIL_PROTO_QR_CODE_H

#include <stddef.h>
#include <stdint.h>

#define QR_VERSIONS  10
#define QR_WORDS_MAX 346

/* ISO/IEC 18004, tables 1 and 9, for level M. The blocks behind the first `blocks` - `longer` hold
 * one data codeword more. */
struct qr_version {
    uint8_t blocks, longer, data, correction; /* codewords of a block */
    uint8_t align[3];                         /* centres of alignment patterns; 0: no more */
};

extern const struct qr_version hail_qr_versions[QR_VERSIONS + 1];

int hail_qr_capacity(int version); /* bytes of text */
/* All codewords, in the order in which they are drawn. Returns how many. */
size_t hail_qr_words(int version, const uint8_t *text, size_t n, uint8_t out[QR_WORDS_MAX]);

#endif
