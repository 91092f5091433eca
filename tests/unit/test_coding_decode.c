/* test_coding_decode.c - content out of gzip, deflate, br and zstd: in pieces of all sizes, cut
 * off, damaged, one behind another, and with windows that are too large.
 *
 * link: --wrap=calloc
 */
#include "proto/coding.h"

#include "support.h"

#include <brotli/encode.h>
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define CODED_MAX ((size_t)64 * 1024)

/* deflate stands twice: within the zlib format, as it should be, and bare. */
enum { GZIP, BR, ZSTD, ZLIB, BARE, KINDS };
static const enum hail_coding codings[KINDS] = {HAIL_CODING_GZIP, HAIL_CODING_BR, HAIL_CODING_ZSTD,
                                                HAIL_CODING_DEFLATE, HAIL_CODING_DEFLATE};

static size_t encode(int kind, const char *p, size_t n, char *out)
{
    if (kind < ZLIB) {
        struct hail_buf b;
        hail_buf_init(&b, CODED_MAX);
        assert_int_equal(hail_encode(codings[kind], p, n, &b), 0);
        size_t len = b.len;
        memcpy(out, b.p, len);
        hail_buf_free(&b);
        return len;
    }
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p,
                  .avail_in = (uInt)n,
                  .next_out = (Bytef *)out,
                  .avail_out = CODED_MAX};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, kind == BARE ? -15 : 15, 8, 0), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static struct hail_decoder *decoder(int kind)
{
    struct hail_decoder *d = NULL;
    assert_int_equal(hail_decoder_new(codings[kind], &d), 0);
    return d;
}

/* Feeds it all, `piece` bytes at a time, each ending at an unreadable page; what comes out is taken
 * `size` bytes at a time and compared with `want`. The last verdict; *made is how much came. */
static int feed(struct hail_decoder *d, const char *p, size_t n, size_t piece, size_t size,
                const char *want, size_t *made)
{
    static char out[CODED_MAX];
    int rc = 0;
    *made = 0;
    for (size_t at = 0; at < n && rc >= 0; at += piece) {
        size_t now = n - at < piece ? n - at : piece, got;
        struct hail_slice in = {guarded(p + at, now), now};
        do {
            rc = hail_decode(d, &in, out, size, &got);
            assert_true(got <= size);
            if (want && rc >= 0)
                assert_memory_equal(out, want + *made, got);
            *made += got;
        } while (rc >= 0 && (in.n || got == size));
    }
    return rc;
}

static const char text[] = "To be, or not to be, that is the question: to be, to be, to be or not, "
                           "or not, or not; whether 'tis nobler in the mind to suffer the slings";

static void test_pieces(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 7, 64, 1000};
    static char coded[CODED_MAX];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = encode(kind, text, sizeof text, coded), made;
        for (size_t piece = 1; piece <= n; piece++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                struct hail_decoder *d = decoder(kind);
                assert_int_equal(feed(d, coded, n, piece, sizes[i], text, &made), 1);
                assert_int_equal(made, sizeof text);
                hail_decoder_free(d);
            }
    }
}

/* Without its end it is never complete, and nothing is made up. */
static void test_cut_off(void **state)
{
    static char coded[CODED_MAX];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = encode(kind, text, sizeof text, coded), made;
        for (size_t len = 0; len < n; len++) {
            struct hail_decoder *d = decoder(kind);
            assert_int_equal(feed(d, coded, len, len + 1, 64, text, &made), 0);
            assert_true(made <= sizeof text);
            hail_decoder_free(d);
        }
    }
}

static void test_empty(void **state)
{
    static char coded[CODED_MAX];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = encode(kind, "", 0, coded), made;
        struct hail_decoder *d = decoder(kind);
        char out[8];
        struct hail_slice none = {coded, 0};
        assert_int_equal(hail_decode(d, &none, out, sizeof out, &made), 0);
        assert_int_equal(feed(d, coded, n, 1, 8, "", &made), 1);
        assert_int_equal(made, 0);
        hail_decoder_free(d);
    }
}

/* gzip and zstd may go on with another member, another frame; what is else behind the end is none
 * of it. */
static void test_behind_the_end(void **state)
{
    static char coded[CODED_MAX], twice[2 * sizeof text];
    (void)state;
    memcpy(twice, text, sizeof text);
    memcpy(twice + sizeof text, text, sizeof text);
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = encode(kind, text, sizeof text, coded), made;
        bool goes_on = kind == GZIP || kind == ZSTD;
        memcpy(coded + n, coded, n);
        for (size_t piece = 1; piece <= 2 * n; piece++) {
            struct hail_decoder *d = decoder(kind);
            assert_int_equal(feed(d, coded, 2 * n, piece, 64, twice, &made), goes_on ? 1 : -EPROTO);
            assert_int_equal(made, goes_on ? sizeof twice : sizeof text);
            hail_decoder_free(d);
        }
        struct hail_decoder *d = decoder(kind);
        strcpy(coded + n, "garbage behind it");
        assert_int_equal(feed(d, coded, n + 17, n + 17, 64, text, &made), -EPROTO);
        assert_int_equal(made, sizeof text);
        hail_decoder_free(d);
    }
}

/* A byte of another value is found out by gzip's, zlib's and zstd's sums; nowhere does it harm. */
static void test_damaged(void **state)
{
    static char coded[CODED_MAX];
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = encode(kind, text, sizeof text, coded), made;
        for (size_t i = 0; i < n; i++)
            for (int bit = 0; bit < 8; bit++) {
                struct hail_decoder *d = decoder(kind);
                coded[i] ^= (char)(1 << bit);
                int rc = feed(d, coded, n, n, 64, NULL, &made);
                assert_true(rc == 0 || rc == 1 || rc == -EPROTO);
                if (kind == GZIP && i >= n - 8)
                    assert_int_equal(rc, -EPROTO);
                coded[i] ^= (char)(1 << bit);
                hail_decoder_free(d);
            }
    }
}

static void test_other_content(void **state)
{
    static const char *const others[] = {"<!doctype html>", "{\"a\": 1}",
                                         "\xff\xff\xff\xff\xff\xff"};
    size_t made;
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            struct hail_decoder *d = decoder(kind);
            int rc = feed(d, others[i], strlen(others[i]), 64, 64, NULL, &made);
            if (kind != BR) /* which has no mark at its beginning */
                assert_int_equal(rc, -EPROTO);
            assert_int_not_equal(rc, 1);
            hail_decoder_free(d);
        }
}

/* --- windows and growth --- */

/* Zeros as one zstd frame that says it needs a window of 2^log bytes. */
static size_t zstd_with_window(int log, char *out)
{
    static char zeros[1 << 16];
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_outBuffer to = {out, CODED_MAX, 0};
    assert_non_null(c);
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, log)));
    for (size_t i = 0; i < ((size_t)1 << log) / sizeof zeros + 1; i++) {
        ZSTD_inBuffer from = {zeros, sizeof zeros, 0};
        assert_false(ZSTD_isError(ZSTD_compressStream2(c, &to, &from, ZSTD_e_continue)));
    }
    ZSTD_inBuffer none = {NULL, 0, 0};
    assert_int_equal(ZSTD_compressStream2(c, &to, &none, ZSTD_e_end), 0);
    ZSTD_freeCCtx(c);
    return to.pos;
}

static void test_windows(void **state)
{
    static char coded[CODED_MAX];
    size_t made;
    (void)state;
    for (int log = 23; log <= 24; log++) {
        size_t n = zstd_with_window(log, coded);
        struct hail_decoder *d = decoder(ZSTD);
        assert_int_equal(feed(d, coded, n, n, CODED_MAX, NULL, &made), log == 23 ? 1 : -EPROTO);
        assert_int_equal(made, log == 23 ? ((size_t)1 << 23) + (1 << 16) : 0);
        hail_decoder_free(d);
    }
}

/* 16 MiB in some bytes: as much comes out as is asked for, no more. */
static size_t brotli_of_zeros(char *out)
{
    size_t n = CODED_MAX, zeros = (size_t)1 << 24;
    uint8_t *p = test_calloc(1, zeros);
    assert_int_equal(
        BrotliEncoderCompress(1, 24, BROTLI_MODE_GENERIC, zeros, p, &n, (uint8_t *)out),
        BROTLI_TRUE);
    test_free(p);
    return n;
}

static void test_growth(void **state)
{
    static char coded[CODED_MAX];
    size_t n = brotli_of_zeros(coded), made;
    struct hail_decoder *d = decoder(BR);
    char out[100];
    struct hail_slice in = {guarded(coded, n), n};
    (void)state;
    assert_true(n < 4000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(hail_decode(d, &in, out, sizeof out, &made), 0);
        assert_int_equal(made, sizeof out);
    }
    hail_decoder_free(d);
}

/* --- memory --- */

#ifndef HAIL_INSTRUMENTED
/* What a decoder says that has hardly more memory than it was made with. */
static int when_memory_is_short(int kind, const char *p, size_t n)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld", &pages), 1);
    fclose(f);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)2 << 20);
        static char out[CODED_MAX];
        struct hail_slice in = {p, n};
        struct hail_decoder *d;
        size_t made;
        int rc = 0;
        if (setrlimit(RLIMIT_AS, &(struct rlimit){most, most}) == 0)
            rc = hail_decoder_new(codings[kind], &d);
        while (rc == 0)
            rc = hail_decode(d, &in, out, sizeof out, &made);
        _exit(rc == -ENOMEM ? 0 : rc == -EPROTO ? 2 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

static void test_without_memory(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct hail_decoder *d = NULL;
        fail_nth(1);
        assert_int_equal(hail_decoder_new(codings[kind], &d), -ENOMEM);
        fail_nth(0);
        assert_null(d);
    }
    hail_decoder_free(NULL);
#ifndef HAIL_INSTRUMENTED
    static char coded[CODED_MAX];
    size_t n = zstd_with_window(23, coded);
    assert_int_equal(when_memory_is_short(ZSTD, coded, n), 0);
    n = brotli_of_zeros(coded);
    assert_int_equal(when_memory_is_short(BR, coded, n), 0);
#endif
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(hail_decoding_of(hail_slice("gzip")), HAIL_CODING_GZIP);
    assert_int_equal(hail_decoding_of(hail_slice("X-GZIP")), HAIL_CODING_GZIP);
    assert_int_equal(hail_decoding_of(hail_slice("Deflate")), HAIL_CODING_DEFLATE);
    assert_int_equal(hail_decoding_of(hail_slice("br")), HAIL_CODING_BR);
    assert_int_equal(hail_decoding_of(hail_slice("zstd")), HAIL_CODING_ZSTD);
    assert_int_equal(hail_decoding_of(hail_slice("identity")), HAIL_CODING_IDENTITY);
    assert_int_equal(hail_decoding_of(hail_slice("compress")), -1);
    assert_int_equal(hail_decoding_of(hail_slice("")), -1);
}

int main(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 16); /* what is freed is gone: see when_memory_is_short() */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),         cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_empty),          cmocka_unit_test(test_behind_the_end),
        cmocka_unit_test(test_damaged),        cmocka_unit_test(test_other_content),
        cmocka_unit_test(test_windows),        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
