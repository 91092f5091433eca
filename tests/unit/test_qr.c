/* test_qr.c - proto/qr.h: what every symbol has, whatever its text. That they can be read is tested
 * with zbarimg, in tests/cli/test_serve_tls.py.
 */
#include "proto/qr.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Bytes of text that the versions hold, ISO/IEC 18004 table 7, level M. */
static const int capacities[] = {14, 26, 42, 62, 84, 106, 122, 152, 180, 213};

static void make(const char *text, size_t n, struct hail_qr *q)
{
    assert_int_equal(hail_qr(guarded(text, n), n, q), 0);
}

static void test_the_smallest_version_that_holds_it(void **state)
{
    char text[HAIL_QR_TEXT_MAX + 1];
    struct hail_qr q;
    (void)state;
    memset(text, 'x', sizeof text);
    for (int v = 0; v < 10; v++) {
        make(text, (size_t)capacities[v], &q);
        assert_int_equal(q.side, 21 + 4 * v);
        if (v < 9) {
            make(text, (size_t)capacities[v] + 1, &q);
            assert_int_equal(q.side, 25 + 4 * v);
        }
    }
    assert_int_equal(hail_qr(text, sizeof text, &q), -EMSGSIZE);
    make(text, 0, &q);
    assert_int_equal(q.side, 21);
}

static void assert_finder(const struct hail_qr *q, int row, int column)
{
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++) {
            int ring = i < j ? i : j, far = 6 - (i > j ? i : j);
            ring = ring < far ? ring : far;
            assert_int_equal(q->dark[row + i][column + j], ring != 1);
        }
}

/* The 15 bits of the format, both copies: BCH(15,5), section 7.9. Returns the mask. */
static unsigned format_of(const struct hail_qr *q)
{
    unsigned one = 0, two = 0;
    for (int i = 0; i < 15; i++) {
        int row = i < 6 ? i : i < 8 ? i + 1 : q->side - 15 + i;
        int column = i < 8 ? q->side - 1 - i : i == 8 ? 7 : 14 - i;
        one |= (unsigned)q->dark[row][8] << i;
        two |= (unsigned)q->dark[8][column] << i;
    }
    assert_int_equal(one, two);
    unsigned bits = one ^ 0x5412, rest = bits;
    for (int i = 14; i >= 10; i--)
        rest ^= rest >> i & 1 ? 0x537U << (i - 10) : 0;
    assert_int_equal(rest, 0);
    return bits >> 10;
}

static void test_patterns_and_format(void **state)
{
    char text[HAIL_QR_TEXT_MAX];
    struct hail_qr q;
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 37);
    for (size_t n = 0; n <= sizeof text; n++) {
        make(text, n, &q);
        assert_finder(&q, 0, 0);
        assert_finder(&q, 0, q.side - 7);
        assert_finder(&q, q.side - 7, 0);
        for (int i = 8; i < q.side - 8; i++) {
            assert_int_equal(q.dark[6][i], i % 2 == 0);
            assert_int_equal(q.dark[i][6], i % 2 == 0);
        }
        assert_true(q.dark[q.side - 8][8]);
        assert_true(format_of(&q) < 8); /* level M, and a mask */
    }
}

static void test_the_version_is_told_from_seven_on(void **state)
{
    char text[HAIL_QR_TEXT_MAX] = "";
    struct hail_qr q;
    (void)state;
    for (int v = 7; v <= 10; v++) {
        unsigned bits = 0, other = 0;
        make(text, (size_t)capacities[v - 1], &q);
        for (int i = 0; i < 18; i++) {
            bits |= (unsigned)q.dark[i / 3][q.side - 11 + i % 3] << i;
            other |= (unsigned)q.dark[q.side - 11 + i % 3][i / 3] << i;
        }
        assert_int_equal(bits, other);
        assert_int_equal(bits >> 12, v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_smallest_version_that_holds_it),
        cmocka_unit_test(test_patterns_and_format),
        cmocka_unit_test(test_the_version_is_told_from_seven_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
