/* test_cookie_date.c - dates of cookies as servers write them: RFC 6265 section 5.1.1, case by
 * case.
 */
#include "proto/cookie.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONE INT64_MIN

static const struct {
    const char *text;
    int64_t at; /* NONE: no date */
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"06 Nov 1994 08:49:37", 784111777},
    {"08:49:37 06 November 1994", 784111777},
    {"1994 Nov 06 08:49:37", 784111777}, /* four digits are no day */
    {"nov 6 1994 8:49:37", 784111777},
    {"NOVEMBER\t6\t1994\t8:49:37", 784111777},
    {"novembre/6/1994/8:49:37", 784111777},
    {"6 Nov 94 08:49:37", 784111777},
    {"6 Nov 94 08:49:37 +0500", 784111777}, /* zones are not looked at */
    {"6 Nov 1994 08:49:37AM", 784111777},
    {"6th Nov 1994 08:49:37", 784111777},
    {"6 Nov 1994CE 08:49:37", 784111777},
    {"[6]{Nov}<1994>!08:49:37~", 784111777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Thu, 01 Jan 70 00:00:00 GMT", 0},
    {"31 Dec 1969 23:59:59", -1},
    {"31 Dec 69 23:59:59", 3155759999},
    {"1 Jan 00 0:0:0", 946684800},
    {"1 Jan 0 0:0:0", NONE}, /* a year has two digits at least */
    {"1 Jan 1601 00:00:00", -11644473600},
    {"31 Dec 1600 23:59:59", NONE},
    {"31 Dec 9999 23:59:59", 253402300799},
    {"1 Jan 10000 00:00:00", NONE},
    {"1 Jan 100 00:00:00", NONE},
    {"29 Feb 2000 00:00:00", 951782400},
    {"29 Feb 2001 00:00:00", NONE},
    {"29 Feb 1900 00:00:00", NONE},
    {"31 Apr 2020 00:00:00", NONE},
    {"32 Jan 2020 00:00:00", NONE},
    {"0 Jan 2020 00:00:00", NONE},
    {"001 Jan 2020 00:00:00", NONE},
    {"1 Jan 2020 24:00:00", NONE},
    {"1 Jan 2020 23:60:00", NONE},
    {"1 Jan 2020 23:59:60", NONE},
    {"1 Jan 2020 23:59", NONE},
    {"1 Jan 2020 23:59:", NONE},
    {"1 Jan 2020 23::59", NONE},
    {"1 Jan 2020 123:59:59", NONE},
    {"1 Jan 2020 23:59:001", NONE},
    {"1 Jan 2020 1:2:3:4", 1577840523}, /* ... what is behind the seconds is not */
    {"1 Jan 2020 1:2:3.5", 1577840523},
    {"1 Jan 2020 -1:2:3", 1577840523}, /* '-' is a delimiter */
    {"1 Ja 2020 00:00:00", NONE},
    {"1 Jax 2020 00:00:00", NONE},
    {"1 2020 00:00:00", NONE},
    {"Jan 2020 00:00:00", NONE}, /* 2020 is no day */
    {"1 Jan 00:00:00", NONE},
    {"1 Jan 2020", NONE},
    {"1 2 Jan 2020 00:00:00", 1577836800},
    {"1 12 Jan 2020 00:00:00", 1325376000},  /* ... of 2012 */
    {"1 Jan Feb 2020 00:00:00", 1577836800}, /* the first of its kind counts */
    {"1 Jan 2020 00:00:00 11:11:11 2 Feb 2021", 1577836800},
    {"", NONE},
    {" ", NONE},
    {",;:", NONE},
    {"0", NONE},
    {"Session", NONE},
};

static int read_date(const char *text, size_t n, int64_t *at)
{
    return hail_cookie_date((struct hail_slice){guarded(text, n), n}, at);
}

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int64_t at = NONE;
        int rc = read_date(dates[i].text, strlen(dates[i].text), &at);
        if (rc != (dates[i].at == NONE ? -EINVAL : 0) || at != dates[i].at)
            fail_msg("'%s': %d, %lld", dates[i].text, rc, (long long)at);
    }
}

static void test_byte_by_byte(void **state)
{
    static const char text[] = "Sun, 06 Nov 1994 08:49:37";
    int64_t at;
    (void)state;
    for (size_t n = 0; n < sizeof text - 1; n++) /* the seconds may have one digit */
        assert_int_equal(read_date(text, n, &at), n == sizeof text - 2 ? 0 : -EINVAL);
    assert_int_equal(at, 784111743);
}

/* Every byte between two tokens: the delimiters part them, all else makes one of them. */
static void test_delimiters(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = "6 Nov?1994 08:49:37";
        int64_t at;
        bool parts = c == 9 || (c >= 0x20 && c <= 0x2F) || (c >= 0x3B && c <= 0x40) ||
                     (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
        text[5] = (char)c;
        assert_int_equal(read_date(text, sizeof text - 1, &at), parts ? 0 : -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_delimiters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
