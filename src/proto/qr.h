/* qr.h - QR Code symbols for short texts, by ISO/IEC 18004: byte mode, error correction level M,
 * versions 1 to 10.
 */
#ifndef HAIL_PROTO_QR_H
#define HAIL_PROTO_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAIL_QR_SIDE_MAX 57  /* modules of version 10 */
#define HAIL_QR_TEXT_MAX 213 /* bytes that it holds */

struct hail_qr {
    int side; /* modules; the quiet zone of 4 around them is the drawer's business */
    bool dark[HAIL_QR_SIDE_MAX][HAIL_QR_SIDE_MAX]; /* by row and column */
};

/* The smallest symbol that holds the `n` bytes. 0, or -EMSGSIZE. */
int hail_qr(const void *text, size_t n, struct hail_qr *out);

#endif
