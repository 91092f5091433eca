/* test_conditional.c - what decides which part of a file is sent, and in which coding: entity tags,
 * preconditions, ranges, qualities; RFC 9110 sections 8.8.3, 12, 13 and 14.
 */
#include "proto/accept.h"
#include "proto/answer.h"
#include "proto/etag.h"
#include "proto/precondition.h"
#include "proto/range.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TAG   "\"abc\""
#define NOW   2000000000
#define SINCE "Sun, 09 Sep 2001 01:46:40 GMT" /* 1,000,000,000 */

/* A head with these field lines; everything in it ends at an unreadable page. */
static const struct hail_http_fields *fields_of(const char *lines)
{
    static struct hail_http_field v[16];
    static struct hail_http_head head;
    char text[4096];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines);
    hail_http_head_init(&head, v, 16, NULL);
    assert_int_equal(hail_http_request_parse(&head, guarded(text, (size_t)n), (size_t)n), n);
    return &head.fields;
}

static struct hail_slice guarded_slice(const char *s)
{
    size_t n = strlen(s);
    return (struct hail_slice){guarded(s, n), n};
}

/* --- entity tags --- */

static const struct {
    const char *list;
    bool strong, weak;
} lists[] = {
    {TAG, true, true},
    {"*", true, true},
    {"W/" TAG, false, true},
    {"\"x\", " TAG, true, true},
    {"\"x\"," TAG ",\"y\"", true, true},
    {" ,\t, " TAG, true, true},
    {"W/\"x\", W/" TAG, false, true},
    {"\"ab\"", false, false},
    {"\"abcd\"", false, false},
    {"abc", false, false},
    {"\"abc", false, false},
    {"", false, false},
    {",", false, false},
    {"w/" TAG, false, false},
    {"W/", false, false},
    {"\"a\"b\"," TAG, false, false}, /* well-formed only to "a" */
    {"\"x\" " TAG, true, true},
    {"** ", false, false},
};

static void test_lists_of_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct hail_slice s = guarded_slice(lists[i].list);
        if (hail_etag_listed(s, TAG, false) != lists[i].strong ||
            hail_etag_listed(s, TAG, true) != lists[i].weak)
            fail_msg("%s", lists[i].list);
    }
}

static void test_a_tag_tells_files_and_codings_apart(void **state)
{
    char tags[6][HAIL_ETAG_MAX];
    (void)state;
    hail_etag_of_file(1, 2, 3, HAIL_CODING_IDENTITY, tags[0]);
    hail_etag_of_file(2, 2, 3, HAIL_CODING_IDENTITY, tags[1]);
    hail_etag_of_file(1, 3, 3, HAIL_CODING_IDENTITY, tags[2]);
    hail_etag_of_file(1, 2, 4, HAIL_CODING_IDENTITY, tags[3]);
    hail_etag_of_file(1, 2, 3, HAIL_CODING_GZIP, tags[4]);
    hail_etag_of_file(UINT64_MAX, INT64_MIN, UINT64_MAX, HAIL_CODING_ZSTD, tags[5]);
    for (int i = 0; i < 6; i++) {
        size_t n = strlen(tags[i]);
        assert_true(n > 2 && tags[i][0] == '"' && tags[i][n - 1] == '"');
        assert_null(strpbrk(tags[i] + 1, " \\,"));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(tags[i], tags[j]);
    }
}

/* --- preconditions --- */

static const struct {
    const char *lines;
    int status;
} conditions[] = {
    {"", 0},
    {"If-None-Match: " TAG "\r\n", 304},
    {"If-None-Match: \"x\"\r\n", 0},
    {"If-None-Match: \"x\"\r\nIf-None-Match: " TAG "\r\n", 304},
    {"If-None-Match: \"x\"\r\nIf-Modified-Since: " SINCE "\r\n", 0},
    {"If-Match: " TAG "\r\n", 0},
    {"If-Match: W/" TAG "\r\n", 412},
    {"If-Match: \"x\"\r\n", 412},
    {"If-Match: \"x\"\r\nIf-Match: " TAG "\r\n", 0},
    {"If-Match: " TAG "\r\nIf-None-Match: " TAG "\r\n", 304},
    {"If-Match: *\r\nIf-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT\r\n", 0},
    {"If-Unmodified-Since: Sat, 08 Sep 2001 01:46:40 GMT\r\n", 412},
    {"If-Unmodified-Since: " SINCE "\r\n", 0},
    {"If-Unmodified-Since: never\r\n", 0},
    {"If-Modified-Since: " SINCE "\r\n", 304},
    {"If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT\r\n", 0},
    {"If-Modified-Since: Sun, 09 Sep 2001 01:46:41 GMT\r\n", 304},
    {"If-Modified-Since: yesterday\r\n", 0},
};

static void test_preconditions(void **state)
{
    const struct hail_validators v = {TAG, 1000000000};
    (void)state;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (hail_preconditions(fields_of(conditions[i].lines), &v, NOW) != conditions[i].status)
            fail_msg("%s", conditions[i].lines);
}

static void test_without_validators(void **state)
{
    const struct hail_validators none = {NULL, -1};
    (void)state;
    assert_int_equal(hail_preconditions(fields_of("If-None-Match: \"x\"\r\n"), &none, NOW), 0);
    assert_int_equal(hail_preconditions(fields_of("If-Match: \"x\"\r\n"), &none, NOW), 412);
    assert_int_equal(hail_preconditions(fields_of("If-Modified-Since: " SINCE "\r\n"), &none, NOW),
                     0);
    assert_false(hail_if_range(fields_of("If-Range: " TAG "\r\n"), &none, NOW));
}

static const struct {
    const char *lines;
    bool holds;
} if_ranges[] = {
    {"", true},
    {"If-Range: " TAG "\r\n", true},
    {"If-Range: \"x\"\r\n", false},
    {"If-Range: W/" TAG "\r\n", false},
    {"If-Range: *\r\n", false},
    {"If-Range: " SINCE "\r\n", true},
    {"If-Range: Sun, 09 Sep 2001 01:46:41 GMT\r\n", false},
    {"If-Range: nonsense\r\n", false},
};

static void test_if_range(void **state)
{
    const struct hail_validators v = {TAG, 1000000000};
    (void)state;
    for (size_t i = 0; i < sizeof if_ranges / sizeof *if_ranges; i++)
        if (hail_if_range(fields_of(if_ranges[i].lines), &v, NOW) != if_ranges[i].holds)
            fail_msg("%s", if_ranges[i].lines);
    /* a file that was changed in this second may change in it once more */
    assert_false(hail_if_range(fields_of("If-Range: " SINCE "\r\n"), &v, 1000000000));
}

/* --- ranges --- */

static const struct {
    const char *value;
    int n; /* -ERANGE: 416 */
    struct hail_range r[3];
} ranges[] = {
    {"bytes=0-0", 1, {{0, 1}}},
    {"bytes=0-", 1, {{0, 100}}},
    {"bytes=99-", 1, {{99, 1}}},
    {"bytes=-1", 1, {{99, 1}}},
    {"bytes=-100", 1, {{0, 100}}},
    {"bytes=-101", 1, {{0, 100}}},
    {"bytes=50-1000", 1, {{50, 50}}},
    {"BYTES=0-9", 1, {{0, 10}}},
    {"bytes= 0-9 , 20-29", 2, {{0, 10}, {20, 10}}},
    {"bytes=20-29,0-9", 2, {{20, 10}, {0, 10}}},
    {"bytes=0-9,10-19", 1, {{0, 20}}},
    {"bytes=0-50,20-60", 1, {{0, 61}}},
    {"bytes=0-9,,20-29,", 2, {{0, 10}, {20, 10}}},
    {"bytes=0-9,200-", 1, {{0, 10}}},
    {"bytes=5-18446744073709551615", 1, {{5, 95}}},
    {"bytes=5-99999999999999999999999", 1, {{5, 95}}},
    {"bytes=100-", -ERANGE, {{0}}},
    {"bytes=100-200", -ERANGE, {{0}}},
    {"bytes=-0", -ERANGE, {{0}}},
    {"bytes=18446744073709551616-", -ERANGE, {{0}}},
    {"bytes=9-1", 0, {{0}}},
    {"bytes=", 0, {{0}}},
    {"bytes", 0, {{0}}},
    {"bytes=-", 0, {{0}}},
    {"bytes=a-b", 0, {{0}}},
    {"bytes=1-2-3", 0, {{0}}},
    {"bytes=+1-2", 0, {{0}}},
    {"bytes=1 -2", 0, {{0}}},
    {"lines=0-1", 0, {{0}}},
    {"", 0, {{0}}},
};

static void test_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct hail_range r[16];
        int n = hail_ranges(guarded_slice(ranges[i].value), 100, r, 16);
        if (n != ranges[i].n)
            fail_msg("%s: %d", ranges[i].value, n);
        for (int k = 0; k < n; k++)
            if (r[k].first != ranges[i].r[k].first || r[k].length != ranges[i].r[k].length)
                fail_msg("%s: the range at %d", ranges[i].value, k);
    }
}

static void test_more_ranges_than_there_is_room_for(void **state)
{
    struct hail_range r[4];
    (void)state;
    assert_int_equal(hail_ranges(guarded_slice("bytes=0-0,2-2,4-4,6-6"), 100, r, 4), 4);
    assert_int_equal(hail_ranges(guarded_slice("bytes=0-0,2-2,4-4,6-6,8-8"), 100, r, 4), 0);
    assert_int_equal(hail_ranges(guarded_slice("bytes=0-0"), 0, r, 4), -ERANGE);
}

static void test_content_range_and_parts(void **state)
{
    const struct hail_range r = {10, 20};
    char value[HAIL_CONTENT_RANGE_MAX], part[512];
    (void)state;
    hail_content_range(&r, 100, value);
    assert_string_equal(value, "bytes 10-29/100");
    hail_content_range(NULL, 100, value);
    assert_string_equal(value, "bytes */100");
    hail_content_range(&(const struct hail_range){UINT64_MAX - 1, 1}, UINT64_MAX, value);
    assert_string_equal(value, "bytes 18446744073709551614-18446744073709551614/"
                               "18446744073709551615");
    int n = hail_range_part(&r, 100, "text/plain", "edge", part, sizeof part);
    assert_int_equal((size_t)n, strlen(part));
    assert_non_null(strstr(part, "--edge\r\n"));
    assert_non_null(strstr(part, "Content-Type: text/plain\r\n"));
    assert_non_null(strstr(part, "Content-Range: bytes 10-29/100\r\n\r\n"));
    hail_range_part(NULL, 100, "text/plain", "edge", part, sizeof part);
    assert_string_equal(part, "\r\n--edge--\r\n");
}

/* --- qualities --- */

static const struct {
    const char *lines;
    unsigned identity, gzip, br, zstd;
} codings[] = {
    {"", 1, 0, 0, 0},
    {"Accept-Encoding: gzip\r\n", 1, 1000, 0, 0},
    {"Accept-Encoding: x-gzip, BR;q=0.5\r\n", 1, 1000, 500, 0},
    {"Accept-Encoding: gzip;q=0.123, zstd;q=1.000\r\n", 1, 123, 0, 1000},
    {"Accept-Encoding: *\r\n", 1000, 1000, 1000, 1000},
    {"Accept-Encoding: *;q=0.1, br;q=0\r\n", 100, 100, 0, 100},
    {"Accept-Encoding: identity;q=0, gzip\r\n", 0, 1000, 0, 0},
    {"Accept-Encoding: *;q=0\r\n", 0, 0, 0, 0},
    {"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", 1, 1000, 1000, 0},
    {"Accept-Encoding: gzip;q=2, br;q=0.1234, zstd;q=-1\r\n", 1, 0, 0, 0},
    {"Accept-Encoding:\r\n", 1, 0, 0, 0},
    {"Accept-Encoding: ,;,gzip;;q=0.5;x,\r\n", 1, 500, 0, 0},
};

static void test_codings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        unsigned q[HAIL_CODINGS];
        hail_accept_codings(fields_of(codings[i].lines), q);
        if (q[HAIL_CODING_IDENTITY] != codings[i].identity ||
            q[HAIL_CODING_GZIP] != codings[i].gzip || q[HAIL_CODING_BR] != codings[i].br ||
            q[HAIL_CODING_ZSTD] != codings[i].zstd)
            fail_msg("%s: %u %u %u %u", codings[i].lines, q[0], q[1], q[2], q[3]);
    }
}

static const struct {
    const char *lines;
    unsigned html, json;
} types[] = {
    {"", 1000, 1000},
    {"Accept: */*\r\n", 1000, 1000},
    {"Accept: text/html\r\n", 1000, 0},
    {"Accept: text/*;q=0.5, application/json;q=0.7\r\n", 500, 700},
    {"Accept: text/html;q=0, */*\r\n", 0, 1000},
    {"Accept: */*;q=0.1, TEXT/HTML;level=1\r\n", 1000, 100},
    {"Accept: text/htmlx, application/jso\r\n", 0, 0},
    {"Accept: text\r\n", 0, 0},
};

static void test_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const struct hail_http_fields *f = fields_of(types[i].lines);
        if (hail_accept_type(f, "text/html") != types[i].html ||
            hail_accept_type(f, "application/json") != types[i].json)
            fail_msg("%s", types[i].lines);
    }
}

/* --- names with a hash --- */

static void test_names_that_carry_a_hash(void **state)
{
    static const char *const hashed[] = {"app.3f2a9c1b.js", "a/b/index-DiwrgT4a.css",
                                         "chunk.8d9f0a1b2c3d4e5f.js", "x-0123456789abcdef.woff2"};
    static const char *const plain[] = {"app.js",
                                        "jquery-3.7.1.min.js",
                                        "a.bcdefghij.js",
                                        "deadbeef.js",
                                        "version-20240101.css",
                                        "README",
                                        "3f2a9c1b/app.js",
                                        "",
                                        "."};
    (void)state;
    for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++)
        if (!hail_answer_is_hashed(hashed[i]))
            fail_msg("%s", hashed[i]);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (hail_answer_is_hashed(plain[i]))
            fail_msg("%s", plain[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_of_tags),
        cmocka_unit_test(test_a_tag_tells_files_and_codings_apart),
        cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_without_validators),
        cmocka_unit_test(test_if_range),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_more_ranges_than_there_is_room_for),
        cmocka_unit_test(test_content_range_and_parts),
        cmocka_unit_test(test_codings),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_names_that_carry_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
