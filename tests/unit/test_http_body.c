/* test_http_body.c - the content: by length, chunked with trailers, until close; whole, in pieces
 * of every size, and cut off at every place. */
#include <hail/http.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_TRAILERS 4

struct result {
    int rc;
    enum hail_http_error error;
    size_t used, n; /* bytes consumed, bytes of content */
    char content[256];
    size_t ntrailers;
    struct hail_http_body body;
};

/* Reads `n` bytes at `text`, of which a step sees `step` more each time; what is consumed is gone.
 * Each call gets memory of its very size, so that asan sees a byte too many. */
static void run(struct result *r, enum hail_http_framing framing, uint64_t length, const char *text,
                size_t n, size_t step)
{
    struct hail_http_head head = {.framing = framing, .length = length};
    head.limits = (struct hail_http_limits){.line = 64, .head = 64, .extension = 8, .trailer = 32};
    struct hail_http_field v[MAX_TRAILERS];
    memset(r, 0, sizeof *r);
    hail_http_body_init(&r->body, &head, v, MAX_TRAILERS);
    size_t seen = 0;
    for (;;) {
        size_t len = seen - r->used, used;
        char *exact = malloc(len + (len == 0));
        assert_non_null(exact);
        memcpy(exact, text + r->used, len);
        struct hail_slice data;
        r->rc = hail_http_body_read(&r->body, exact, len, &used, &data);
        assert_true(used <= len && data.n <= used && r->n + data.n <= sizeof r->content);
        assert_true(data.n == 0 || (data.p >= exact && data.p + data.n <= exact + used));
        if (data.n)
            memcpy(r->content + r->n, data.p, data.n);
        r->n += data.n;
        r->used += used;
        free(exact);
        if (r->rc == 1 || r->rc == -EPROTO || (r->rc == -EAGAIN && seen == n))
            break;
        if (r->rc == -EAGAIN)
            seen = seen + step > n ? n : seen + step;
    }
    r->error = r->body.error;
    r->ntrailers = r->body.trailers.n;
}

/* The same whatever the pieces are; before its end every content is incomplete. */
static void check(struct result *r, enum hail_http_framing framing, uint64_t length,
                  const char *text, size_t n)
{
    run(r, framing, length, text, n, n ? n : 1);
    for (size_t step = 1; step < n; step++) {
        struct result s;
        run(&s, framing, length, text, n, step);
        if (s.rc != r->rc || s.error != r->error)
            fail_msg("%s in steps of %zu: %d, %s", text, step, s.rc, hail_http_error_text(s.error));
        assert_int_equal(s.n, r->n);
        assert_memory_equal(s.content, r->content, r->n);
        assert_int_equal(s.ntrailers, r->ntrailers);
        if (r->rc == 1)
            assert_int_equal(s.used, r->used);
    }
    for (size_t cut = 0; r->rc == 1 && cut < r->used; cut++) {
        struct result s;
        run(&s, framing, length, text, cut, cut ? cut : 1);
        assert_int_equal(s.rc, -EAGAIN);
        assert_int_equal(hail_http_body_end(&s.body), -EPROTO);
        assert_int_equal(s.body.error, HAIL_HTTP_TRUNCATED);
    }
    if (r->rc == 1)
        assert_int_equal(hail_http_body_end(&r->body), 0);
}

static const struct good {
    enum hail_http_framing framing;
    uint64_t length;
    const char *text, *content;
    size_t left, ntrailers;
} goods[] = {
    {HAIL_HTTP_NO_BODY, 0, "next", "", 4, 0},
    {HAIL_HTTP_LENGTH, 0, "next", "", 4, 0},
    {HAIL_HTTP_LENGTH, 5, "hello", "hello", 0, 0},
    {HAIL_HTTP_LENGTH, 5, "hellonext", "hello", 4, 0},
    {HAIL_HTTP_CHUNKED, 0, "0\r\n\r\n", "", 0, 0},
    {HAIL_HTTP_CHUNKED, 0, "00\r\n\r\nnext", "", 4, 0},
    {HAIL_HTTP_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\n", "hello", 0, 0},
    {HAIL_HTTP_CHUNKED, 0, "5\r\nhello\r\nA\r\n, world!\r\n\r\n0\r\n\r\nx", "hello, world!\r\n", 1,
     0},
    {HAIL_HTTP_CHUNKED, 0, "0000000000000001\r\nx\r\n0\r\n\r\n", "x", 0, 0},
    {HAIL_HTTP_CHUNKED, 0, "1;a=b;c\r\nx\r\n1;a=\"\\\";\"\r\ny\r\n0;z\r\n\r\n", "xy", 0, 0},
    {HAIL_HTTP_CHUNKED, 0, "1 \t;a = b\r\nx\r\n0\r\n\r\n", "x", 0, 0},
    {HAIL_HTTP_CHUNKED, 0, "1\r\nx\r\n0\r\nA: b\r\nC:  d \r\n\r\nnext", "x", 4, 2},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        struct result r;
        size_t n = strlen(g->text);
        check(&r, g->framing, g->length, g->text, n);
        if (r.rc != 1 || n - r.used != g->left || r.ntrailers != g->ntrailers)
            fail_msg("%s: %d, %s, %zu left, %zu trailers", g->text, r.rc,
                     hail_http_error_text(r.error), n - r.used, r.ntrailers);
        assert_int_equal(r.n, strlen(g->content));
        assert_memory_equal(r.content, g->content, r.n);
        assert_int_equal(r.body.total, r.n);
    }
}

static const struct bad {
    enum hail_http_error error;
    const char *text;
} bads[] = {
    {HAIL_HTTP_BAD_CHUNK_SIZE, "\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "x\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "-1\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "+1\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "0x1\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, " 1\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "1 \r\nx"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "1 2\r\nx"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, ";a\r\n"},
    {HAIL_HTTP_BAD_CHUNK_SIZE, "00000000000000001\r\nx\r\n"},
    {HAIL_HTTP_CHUNK_TOO_LARGE, "8000000000000000\r\n"},
    {HAIL_HTTP_CHUNK_TOO_LARGE, "FFFFFFFFFFFFFFFF\r\n"},
    {HAIL_HTTP_CHUNK_TOO_LARGE, "1\r\nx\r\n7fffffffffffffff\r\n"},
    {HAIL_HTTP_BARE_LF, "1\nx\r\n0\r\n\r\n"},
    {HAIL_HTTP_BARE_LF, "1;a\nx\r\n0\r\n\r\n"},
    {HAIL_HTTP_BARE_CR, "1\rx\r\n0\r\n\r\n"},
    {HAIL_HTTP_BAD_CHUNK_EXTENSION, "1;a\x01\r\nx"},
    {HAIL_HTTP_BAD_CHUNK_EXTENSION, "1;\"a\r\nx"},
    {HAIL_HTTP_BAD_CHUNK_EXTENSION, "1;\"a\\\r\nx"},
    {HAIL_HTTP_BAD_CHUNK_EXTENSION, "1;(a)\r\nx"},
    {HAIL_HTTP_CHUNK_EXTENSION_TOO_LONG, "1;123456789\r\nx"},
    {HAIL_HTTP_BAD_CHUNK_END, "1\r\nxy\r\n0\r\n\r\n"},
    {HAIL_HTTP_BAD_CHUNK_END, "1\r\nx\n0\r\n\r\n"},
    {HAIL_HTTP_BAD_CHUNK_END, "1\r\nx\r0\r\n\r\n"},
    {HAIL_HTTP_SPACE_BEFORE_COLON, "0\r\nA : b\r\n\r\n"},
    {HAIL_HTTP_FOLDED_LINE, "0\r\nA: b\r\n c\r\n\r\n"},
    {HAIL_HTTP_NO_COLON, "0\r\nA\r\n\r\n"},
    {HAIL_HTTP_BARE_LF, "0\r\n\n"},
    {HAIL_HTTP_BAD_TRAILER, "0\r\nContent-Length: 5\r\n\r\n"},
    {HAIL_HTTP_BAD_TRAILER, "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {HAIL_HTTP_BAD_TRAILER, "0\r\nhOST: h\r\n\r\n"},
    {HAIL_HTTP_TOO_MANY_FIELDS, "0\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n"},
    {HAIL_HTTP_TRAILER_TOO_LARGE, "0\r\nA: 123456789012345678901234567\r\n\r\n"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct result r;
        check(&r, HAIL_HTTP_CHUNKED, 0, bads[i].text, strlen(bads[i].text));
        if (r.rc != -EPROTO || r.error != bads[i].error)
            fail_msg("row %zu, %s: %d, %s", i, bads[i].text, r.rc, hail_http_error_text(r.error));
        assert_int_equal(hail_http_body_end(&r.body), -EPROTO);
        assert_int_equal(r.body.error, bads[i].error); /* the first reason stays */
    }
}

/* Extensions and a trailer section exactly as long as they may be. */
static void test_limits(void **state)
{
    (void)state;
    static const char text[] = "1;12345678\r\nx\r\n0\r\nA: 1234567890123456789012345\r\n\r\n";
    struct result r;
    check(&r, HAIL_HTTP_CHUNKED, 0, text, sizeof text - 1);
    assert_int_equal(r.rc, 1);
    assert_int_equal(r.ntrailers, 1);
}

static void test_until_close(void **state)
{
    (void)state;
    for (int framing = HAIL_HTTP_UNTIL_CLOSE; framing <= HAIL_HTTP_TUNNEL; framing++) {
        struct result r;
        check(&r, (enum hail_http_framing)framing, 0, "any\r\nthing", 10);
        assert_int_equal(r.rc, -EAGAIN);
        assert_int_equal(r.n, 10);
        assert_int_equal(hail_http_body_end(&r.body), 0);
    }
}

/* What is written as chunks is read back. */
static void test_written(void **state)
{
    (void)state;
    char text[128];
    struct hail_http_out o = {.p = text, .size = sizeof text};
    hail_http_put_chunk(&o, "hello", 5);
    hail_http_put_chunk(&o, "", 0);
    hail_http_put_chunk_size(&o, 0x10);
    assert_memory_equal(text, "5\r\nhello\r\n10\r\n", o.len);
    memcpy(text + o.len, "0123456789abcdef\r\n", 18);
    o.len += 18;
    hail_http_put_last_chunk(&o);
    hail_http_put_field(&o, "Digest", "x");
    ssize_t n = hail_http_put_end(&o);
    struct result r;
    check(&r, HAIL_HTTP_CHUNKED, 0, text, (size_t)n);
    assert_int_equal(r.rc, 1);
    assert_int_equal(r.n, 21);
    assert_memory_equal(r.content, "hello0123456789abcdef", 21);
    assert_int_equal(r.ntrailers, 1);
    o = (struct hail_http_out){.p = text, .size = 9};
    hail_http_put_chunk(&o, "hello", 5);
    assert_int_equal(o.failed, -EMSGSIZE);
    assert_int_equal(o.len, 0);
    o = (struct hail_http_out){.p = text, .size = 9};
    hail_http_put_chunk(&o, "hello", SIZE_MAX - 2);
    assert_int_equal(o.failed, -EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_until_close),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
