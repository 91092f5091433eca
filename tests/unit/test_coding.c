/* test_coding.c - content codings: what is encoded is decoded by their own libraries again; bounds
 * and names.
 */
#include "proto/coding.h"

#include "support.h"

#include <brotli/decode.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define MOST ((size_t)1 << 20)

static size_t decode(enum hail_coding c, const struct hail_buf *in, char *out)
{
    size_t n = MOST;
    z_stream z = {.next_in = (unsigned char *)in->p,
                  .avail_in = (unsigned)in->len,
                  .next_out = (unsigned char *)out,
                  .avail_out = (unsigned)MOST};
    switch (c) {
    case HAIL_CODING_GZIP:
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        n = z.total_out;
        inflateEnd(&z);
        return n;
    case HAIL_CODING_BR:
        assert_int_equal(
            BrotliDecoderDecompress(in->len, (const uint8_t *)in->p, &n, (uint8_t *)out),
            BROTLI_DECODER_RESULT_SUCCESS);
        return n;
    default:
        n = ZSTD_decompress(out, MOST, in->p, in->len);
        assert_false(ZSTD_isError(n));
        return n;
    }
}

static void there_and_back(const char *text, size_t n)
{
    static char back[MOST];
    for (int c = HAIL_CODING_GZIP; c < HAIL_CODINGS; c++) {
        struct hail_buf out;
        hail_buf_init(&out, 2 * MOST);
        assert_int_equal(hail_encode((enum hail_coding)c, text, n, &out), 0);
        assert_int_equal(decode((enum hail_coding)c, &out, back), n);
        assert_memory_equal(back, text, n ? n : 1);
        hail_buf_free(&out);
    }
}

static void test_there_and_back(void **state)
{
    char *text = test_malloc(MOST);
    (void)state;
    memset(text, 'x', MOST);
    there_and_back(text, MOST);
    unsigned seed = 1;
    for (size_t i = 0; i < MOST; i++)
        text[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
    there_and_back(text, MOST - 1);
    for (size_t n = 0; n < 300; n++)
        there_and_back(text, n);
    test_free(text);
}

static void test_a_bound_that_is_reached(void **state)
{
    char text[20000];
    unsigned seed = 1;
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
    for (int c = HAIL_CODING_GZIP; c < HAIL_CODINGS; c++) {
        struct hail_buf out;
        hail_buf_init(&out, 100);
        assert_int_equal(hail_encode((enum hail_coding)c, text, sizeof text, &out), -EMSGSIZE);
        hail_buf_free(&out);
    }
}

static void test_names(void **state)
{
    static const char *const names[] = {"identity", "gzip", "br", "zstd"};
    static const char *const endings[] = {"", ".gz", ".br", ".zst"};
    (void)state;
    for (int c = 0; c < HAIL_CODINGS; c++) {
        assert_string_equal(hail_coding_name((enum hail_coding)c), names[c]);
        assert_string_equal(hail_coding_ending((enum hail_coding)c), endings[c]);
        assert_int_equal(hail_coding_of(hail_slice(names[c])), c);
    }
    assert_int_equal(hail_coding_of(hail_slice("GZip")), HAIL_CODING_GZIP);
    assert_int_equal(hail_coding_of(hail_slice("x-gzip")), HAIL_CODING_GZIP);
    assert_int_equal(hail_coding_of(hail_slice("gzi")), -1);
    assert_int_equal(hail_coding_of(hail_slice("")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_a_bound_that_is_reached),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
