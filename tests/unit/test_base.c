/* test_base.c - buffer, safe text, JSON, errors and deadlines. */
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_buf(void **state)
{
    (void)state;
    struct hail_buf b;
    hail_buf_init(&b, 10);
    assert_int_equal(hail_buf_str(&b, "12345"), 0);
    assert_int_equal(hail_buf_printf(&b, "%d", 678), 0);
    assert_string_equal(b.p, "12345678");
    assert_int_equal(hail_buf_str(&b, "9ab"), -EMSGSIZE);
    assert_int_equal(hail_buf_char(&b, 'x'), -EMSGSIZE); /* remembered */
    assert_string_equal(b.p, "12345678");
    hail_buf_consume(&b, 5);
    assert_string_equal(b.p, "678");
    hail_buf_clear(&b);
    assert_int_equal(hail_buf_str(&b, "1234567890"), 0);
    assert_int_equal(b.len, 10);
    hail_buf_free(&b);
    hail_buf_free(&b);
}

static void safe(const char *in, size_t n, const char *want)
{
    struct hail_buf b;
    hail_buf_init(&b, 1000);
    assert_int_equal(hail_text_safe(&b, in, n, false), 0);
    assert_string_equal(b.p ? b.p : "", want);
    hail_buf_free(&b);
}

static void test_safe(void **state)
{
    (void)state;
    safe("plain", 5, "plain");
    safe("", 0, "");
    safe("\033[31mred\007", 9, "\\e[31mred\\x07");
    safe("a\nb\tc\rd\\", 8, "a\\nb\\tc\\rd\\\\");
    safe("nul\0!", 5, "nul\\x00!");
    safe("\302\23331m", 5, "\\u{009b}31m");     /* C1 CSI */
    safe("\342\200\256xyz", 6, "\\u{202e}xyz"); /* right-to-left override */
    safe("\377\303\274", 3, "\\xff\303\274");
    safe("\342\202", 2, "\\xe2\\x82"); /* cut in the middle of a character */
    safe("\300\200\355\240\200", 5, "\\xc0\\x80\\xed\\xa0\\x80"); /* overlong, surrogate */
    char small[6];
    assert_int_equal(hail_text_safe_into(small, sizeof small, "abc\033\033", 5), 5);
    assert_string_equal(small, "abc\\e");
    assert_int_equal(hail_text_safe_into(small, sizeof small, "abcd\033", 5), 4);
}

static void test_json(void **state)
{
    (void)state;
    struct hail_buf b;
    hail_buf_init(&b, 1000);
    struct hail_json j = {.out = &b};
    hail_json_object(&j, NULL);
    hail_json_int(&j, "n", -5);
    hail_json_str(&j, "s", "a\"b\\\n\033\377\342\200\256");
    hail_json_array(&j, "v");
    hail_json_bool(&j, NULL, true);
    hail_json_null(&j, NULL);
    hail_json_object(&j, NULL);
    hail_json_end_object(&j);
    hail_json_end_array(&j);
    hail_json_seconds(&j, "t", 1000000001);
    hail_json_seconds(&j, "u", -1);
    hail_json_bytes(&j, "d", "\377\0a", 3);
    hail_json_bytes(&j, "e", "ok", 2);
    hail_json_bytes(&j, "f", "\302\255\363\240\200\201", 6); /* soft hyphen, U+E0001 */
    hail_json_end_object(&j);
    assert_string_equal(b.p, "{\"n\":-5,\"s\":\"a\\\"b\\\\\\n\\u001b\xEF\xBF\xBD\\u202e\","
                             "\"v\":[true,null,{}],\"t\":1.000000001,\"u\":-0.000000001,"
                             "\"d_base64\":\"/wBh\",\"e\":\"ok\","
                             "\"f\":\"\\u00ad\\udb40\\udc01\"}");
    hail_buf_free(&b);
}

static void test_error(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    assert_int_equal(hail_fail(&ctx, HAIL_LAYER_CONNECT, ECONNREFUSED, "connect", "%s\033: %s", "x",
                               hail_errno_text(ECONNREFUSED)),
                     -ECONNREFUSED);
    assert_string_equal(ctx.err.msg, "x\\e: connection refused");
    hail_advise(&ctx, "try %d", 1);
    assert_string_equal(ctx.err.advice, "try 1");
    hail_fail(&ctx, HAIL_LAYER_LOCAL, EIO, "read", "y");
    assert_string_equal(ctx.err.advice, "");
    assert_int_equal(hail_fail(NULL, HAIL_LAYER_LOCAL, EIO, "read", "y"), -EIO);
}

static void test_deadline(void **state)
{
    (void)state;
    struct hail_deadline never = {0}, soon = hail_deadline_in(100), past = {1};
    assert_int_equal(hail_deadline_ms(never), -1);
    assert_int_equal(hail_deadline_ms(past), 0);
    assert_in_range(hail_deadline_ms(soon), 0, 100);
    assert_int_equal(hail_deadline_min(never, soon).ns, soon.ns);
    assert_int_equal(hail_deadline_min(past, soon).ns, past.ns);
    assert_int_equal(hail_deadline_in(-1).ns, 0);
    assert_int_equal(hail_deadline_in(INT64_MAX).ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf),   cmocka_unit_test(test_safe),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_error), cmocka_unit_test(test_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
