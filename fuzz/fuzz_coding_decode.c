/* fuzz_coding_decode.c - content in a coding: what comes out is the same in any pieces, and within
 * the memory that was given; and what hail codes itself comes back. Input: the coding, the size of
 * a piece, the size of the output, the content. */
#include "proto/coding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)1 << 18) /* compared of what comes out */

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The verdict at the end, or when MOST has come. */
static int decode(enum hail_coding c, const char *p, size_t n, size_t piece, size_t size,
                  struct hail_buf *all)
{
    struct hail_decoder *d;
    char *out = malloc(size);
    int rc = hail_decoder_new(c, &d);
    must(rc == 0 && out);
    for (size_t at = 0; at < n && rc >= 0 && all->len < MOST; at += piece) {
        size_t now = n - at < piece ? n - at : piece, made;
        struct hail_slice in = {p + at, now};
        do {
            rc = hail_decode(d, &in, out, size, &made);
            must(rc == 0 || rc == 1 || rc == -EPROTO || rc == -ENOMEM);
            must(made <= size && in.n <= now && in.p + in.n == p + at + now);
            must(hail_buf_add(all, out, made) == 0);
        } while (rc >= 0 && (in.n || made == size) && all->len < MOST);
    }
    hail_decoder_free(d);
    free(out);
    return rc;
}

static void same_in_pieces(enum hail_coding c, const char *p, size_t n, size_t piece, size_t size)
{
    struct hail_buf whole, pieces;
    hail_buf_init(&whole, 2 * MOST);
    hail_buf_init(&pieces, 2 * MOST);
    int one = decode(c, p, n, n + 1, 65536, &whole);
    int two = decode(c, p, n, piece, size, &pieces);
    size_t less = whole.len < pieces.len ? whole.len : pieces.len;
    must(less == 0 || memcmp(whole.p, pieces.p, less) == 0);
    if (one >= 0 && two >= 0 && less < MOST)
        must(one == two && whole.len == pieces.len);
    if (less < MOST) /* what is not whole may be seen to be broken, or only that more is wanted */
        must((one == 1) == (two == 1));
    hail_buf_free(&whole);
    hail_buf_free(&pieces);
}

static void comes_back(enum hail_coding c, const char *p, size_t n, size_t piece, size_t size)
{
    struct hail_buf coded, back;
    hail_buf_init(&coded, 2 * MOST);
    hail_buf_init(&back, 2 * MOST);
    must(hail_encode(c, p, n, &coded) == 0);
    must(decode(c, coded.p, coded.len, piece, size, &back) == 1);
    must(back.len == n && (n == 0 || memcmp(back.p, p, n) == 0));
    hail_buf_free(&coded);
    hail_buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    enum hail_coding c = (enum hail_coding)(1 + data[0] % HAIL_CODING_DEFLATE);
    size_t piece = (size_t)data[1] + 1, room = (size_t)data[2] * 16 + 1;
    const char *p = (const char *)data + 3;
    same_in_pieces(c, p, size - 3, piece, room);
    if (c < HAIL_CODINGS && size < 4096)
        comes_back(c, p, size - 3, piece, room);
    return 0;
}
