/* coding_decode.c - content out of a coding, by zlib, brotli and zstd; proto/coding.h. */
#include "proto/coding.h"

#include <brotli/decode.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define GZIP_WINDOW 31    /* inflateInit2(): the greatest window, and a gzip header */
#define ZLIB_WINDOW 15    /* ... and a zlib header */
#define RAW_WINDOW  (-15) /* ... and none */
#define ZSTD_WINDOW 23    /* log 2 of 8 MiB: RFC 9659 */

struct hail_decoder {
    enum hail_coding coding;
    bool begun; /* a byte of the present member or frame was taken */
    bool ended; /* the last one is complete */
    z_stream z;
    BrotliDecoderState *br;
    ZSTD_DStream *zstd;
};

int hail_decoding_of(struct hail_slice name)
{
    if (hail_slice_is_nocase(name, "deflate"))
        return HAIL_CODING_DEFLATE;
    return hail_coding_of(name);
}

int hail_decoder_new(enum hail_coding c, struct hail_decoder **out)
{
    struct hail_decoder *d = calloc(1, sizeof *d);
    bool made = false;
    if (!d)
        return -ENOMEM;
    d->coding = c;
    if (c == HAIL_CODING_BR) {
        d->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
        made = d->br != NULL;
    } else if (c == HAIL_CODING_ZSTD) {
        d->zstd = ZSTD_createDStream();
        made = d->zstd &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW));
    } else {
        made = inflateInit2(&d->z, c == HAIL_CODING_GZIP ? GZIP_WINDOW : ZLIB_WINDOW) == Z_OK;
    }
    if (!made) {
        hail_decoder_free(d);
        return -ENOMEM;
    }
    *out = d;
    return 0;
}

/* Some send "deflate" without the zlib format around it: RFC 9110 section 8.4.1.2. The first byte
 * tells: no encoder begins the bare format with a method of 8. */
static int choose_window(struct hail_decoder *d, const struct hail_slice *in)
{
    unsigned char first = (unsigned char)*in->p;
    bool zlib = (first & 0x0F) == Z_DEFLATED && first >> 4 <= 7;
    return inflateReset2(&d->z, zlib ? ZLIB_WINDOW : RAW_WINDOW) == Z_OK ? 0 : -EPROTO;
}

static int inflate_some(struct hail_decoder *d, struct hail_slice *in, char *out, size_t size,
                        size_t *made)
{
    if (!d->begun && in->n) {
        if (d->ended && d->coding == HAIL_CODING_DEFLATE)
            return -EPROTO;
        int rc = d->coding == HAIL_CODING_DEFLATE ? choose_window(d, in)
                 : d->ended                       ? -(inflateReset(&d->z) != Z_OK)
                                                  : 0;
        if (rc)
            return -EPROTO;
        d->begun = true;
    }
    d->z.next_in = (Bytef *)(uintptr_t)in->p;
    d->z.avail_in = (uInt)(in->n < UINT_MAX ? in->n : UINT_MAX);
    d->z.next_out = (Bytef *)out;
    d->z.avail_out = (uInt)(size < UINT_MAX ? size : UINT_MAX);
    int rc = inflate(&d->z, Z_NO_FLUSH);
    *made = (size_t)((char *)d->z.next_out - out);
    in->n -= (size_t)((const char *)d->z.next_in - in->p);
    in->p = (const char *)d->z.next_in;
    if (rc == Z_STREAM_END) {
        d->begun = false;
        d->ended = true;
        return 1;
    }
    if (rc == Z_MEM_ERROR)
        return -ENOMEM;
    return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -EPROTO;
}

static int brotli_some(struct hail_decoder *d, struct hail_slice *in, char *out, size_t size,
                       size_t *made)
{
    const uint8_t *from = (const uint8_t *)in->p;
    uint8_t *to = (uint8_t *)out;
    size_t room = size;
    if (d->ended)
        return in->n ? -EPROTO : 1;
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(d->br, &in->n, &from, &room, &to, NULL);
    in->p = (const char *)from;
    *made = size - room;
    if (rc == BROTLI_DECODER_RESULT_SUCCESS) {
        d->ended = true;
        return 1;
    }
    if (rc != BROTLI_DECODER_RESULT_ERROR)
        return 0;
    BrotliDecoderErrorCode why = BrotliDecoderGetErrorCode(d->br);
    return why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                   why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? -ENOMEM
               : -EPROTO;
}

static int zstd_some(struct hail_decoder *d, struct hail_slice *in, char *out, size_t size,
                     size_t *made)
{
    if (d->ended && in->n == 0) /* zstd itself would wait for another frame */
        return 1;
    ZSTD_inBuffer from = {in->p, in->n, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t rc = ZSTD_decompressStream(d->zstd, &to, &from);
    in->p += from.pos;
    in->n -= from.pos;
    *made = to.pos;
    if (ZSTD_isError(rc))
        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM : -EPROTO;
    d->ended = rc == 0;
    return d->ended;
}

int hail_decode(struct hail_decoder *d, struct hail_slice *in, char *out, size_t size, size_t *made)
{
    *made = 0;
    if (d->coding == HAIL_CODING_BR)
        return brotli_some(d, in, out, size, made);
    if (d->coding == HAIL_CODING_ZSTD)
        return zstd_some(d, in, out, size, made);
    return inflate_some(d, in, out, size, made);
}

void hail_decoder_free(struct hail_decoder *d)
{
    if (!d)
        return;
    if (d->coding == HAIL_CODING_BR)
        BrotliDecoderDestroyInstance(d->br);
    else if (d->coding == HAIL_CODING_ZSTD)
        ZSTD_freeDStream(d->zstd);
    else
        inflateEnd(&d->z);
    free(d);
}
