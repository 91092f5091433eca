/* coding_encode.c - content in a coding, by zlib, brotli and zstd; proto/coding.h. */
#include "proto/coding.h"

#include <brotli/encode.h>
#include <errno.h>
#include <limits.h>
#include <zlib.h>
#include <zstd.h>

#define GZIP_LEVEL     6
#define BROTLI_QUALITY 5
#define ZSTD_LEVEL     9
#define GZIP_WINDOW    (15 + 16) /* the greatest window, and a gzip header: deflateInit2() */

/* Room for `most` bytes behind what is there. */
static int reserve(struct hail_buf *out, size_t most)
{
    int rc = hail_buf_reserve(out, most);
    if (rc < 0)
        out->failed = rc;
    return rc;
}

static int gzip(const void *p, size_t n, struct hail_buf *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n};
    if (n > INT_MAX || deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY))
        return n > INT_MAX ? -EMSGSIZE : -ENOMEM;
    size_t most = deflateBound(&z, n);
    int rc = reserve(out, most);
    if (rc == 0) {
        z.next_out = (Bytef *)out->p + out->len;
        z.avail_out = (uInt)most;
        rc = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -EMSGSIZE;
        out->len += rc == 0 ? z.total_out : 0;
    }
    deflateEnd(&z);
    return rc;
}

static int brotli(const void *p, size_t n, struct hail_buf *out)
{
    size_t most = BrotliEncoderMaxCompressedSize(n);
    int rc = most ? reserve(out, most) : -EMSGSIZE;
    if (rc < 0)
        return rc;
    if (!BrotliEncoderCompress(BROTLI_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, n, p, &most,
                               (uint8_t *)out->p + out->len))
        return -ENOMEM;
    out->len += most;
    return 0;
}

static int zstd(const void *p, size_t n, struct hail_buf *out)
{
    size_t most = ZSTD_compressBound(n);
    int rc = reserve(out, most);
    if (rc < 0)
        return rc;
    most = ZSTD_compress(out->p + out->len, most, p, n, ZSTD_LEVEL);
    if (ZSTD_isError(most))
        return -ENOMEM;
    out->len += most;
    return 0;
}

int hail_encode(enum hail_coding c, const void *p, size_t n, struct hail_buf *out)
{
    switch (c) {
    case HAIL_CODING_GZIP:
        return gzip(p, n, out);
    case HAIL_CODING_BR:
        return brotli(p, n, out);
    case HAIL_CODING_ZSTD:
        return zstd(p, n, out);
    default:
        return hail_buf_add(out, p, n);
    }
}
