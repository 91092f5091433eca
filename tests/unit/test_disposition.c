/* test_disposition.c - names for files out of Content-Disposition and out of paths: RFC 6266 and
 * RFC 8187, what servers make of them, and names that would do harm.
 */
#include "proto/disposition.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NONE ((const char *)0) /* there is no name */
#define BAD  "\001"            /* there is one, and it is not to be used */

struct row {
    const char *in, *name;
};

static const struct row fields[] = {
    {"", NONE},
    {"attachment", NONE},
    {"attachment;", NONE},
    {"attachment; size=5", NONE},
    {"attachment; filename=a.txt", "a.txt"},
    {"attachment; filename=\"a.txt\"", "a.txt"},
    {"ATTACHMENT;FILENAME=a.txt", "a.txt"},
    {"inline; filename=\"a b.txt\"; size=5", "a b.txt"},
    {"attachment; size=5; filename=a", "a"},
    {"attachment;;; filename=a", "a"},
    {"attachment; filename = \"a\"", "a"},
    {"attachment;\tfilename\t=\ta", "a"},
    {"attachment; filename=a b.txt ", "a b.txt"},
    {"attachment; filename=\"a;b.txt\"; x", "a;b.txt"},
    {"attachment; filename=\"a\\\"b\\\\c\"", "c"}, /* a backslash parts directories, too */
    {"attachment; filename=\"a\\\"b\"", "a\"b"},
    {"attachment; filename=\"a%20b\"", "a%20b"}, /* no percent-encoding without '*' */
    {"attachment; filename=\"\xc3\xa4.txt\"", "\xc3\xa4.txt"},
    {"attachment; filename=\"a\"; filename=\"b\"", "a"},
    {"attachment; xfilename=a", NONE},
    {"attachment; filenam=a", NONE},
    {"attachment; filename", ""},
    {"attachment; x=\"filename=b\"; filename=a", "a"},
    {"attachment; x=\"\\\"; filename=b\"; filename=a", "a"},
    {"attachment; filename=\"a", "\"a"},
    {"filename=b; filename=a", "a"}, /* the type comes first, whatever it is */
    /* filename*, RFC 8187 */
    {"attachment; filename*=UTF-8''a.txt", "a.txt"},
    {"attachment; filename*=utf-8'en'%c3%A4%20b", "\xc3\xa4 b"},
    {"attachment; filename=a; filename*=UTF-8''b", "b"},
    {"attachment; filename*=UTF-8''b; filename=a", "b"},
    {"attachment; FileName*=UTF-8''b", "b"},
    {"attachment; filename*=UTF-8''%E2%82%AC%20rates", "\xe2\x82\xac rates"},
    {"attachment; filename*=UTF-8''a%zzb%4", "a%zzb%4"},
    {"attachment; filename=a; filename*=ISO-8859-1''%E4", "a"},
    {"attachment; filename=a; filename*=UTF-8''%E4", "a"},
    {"attachment; filename=a; filename*=UTF-8'b", "a"},
    {"attachment; filename=a; filename*=b", "a"},
    {"attachment; filename=a; filename*=", "a"},
    {"attachment; filename=a; filename*=\"UTF-8''b\"", "a"},
    {"attachment; filename=a; filename*=UTF-8''..", "a"},
    {"attachment; filename*=UTF-8''", BAD},
    {"attachment; filename*=b", BAD},
    /* what would be written elsewhere, be hidden, be an option, or write to a terminal */
    {"attachment; filename=/etc/passwd", "passwd"},
    {"attachment; filename=\"../../a\"", "a"},
    {"attachment; filename=\"..\\\\..\\\\a\"", "a"},
    {"attachment; filename*=UTF-8''..%2F..%2fa", "a"},
    {"attachment; filename*=UTF-8''x%5ca", "a"},
    {"attachment; filename=a/", BAD},
    {"attachment; filename=\"\"", BAD},
    {"attachment; filename=", BAD},
    {"attachment; filename=.", BAD},
    {"attachment; filename=..", BAD},
    {"attachment; filename=.bashrc", BAD},
    {"attachment; filename=x/.bashrc", BAD},
    {"attachment; filename=-rf", BAD},
    {"attachment; filename=\"a\033[2Jb\"", BAD},
    {"attachment; filename=\"a\tb\"", BAD},
    {"attachment; filename=\"a\nb\"", BAD},
    {"attachment; filename=\"a\x7f\"", BAD},
    {"attachment; filename=\"a\xff\"", BAD},
    {"attachment; filename=\"a\xc2\x9b\"", BAD},            /* CSI as one code point */
    {"attachment; filename=\"a\xe2\x80\xaetxt.exe\"", BAD}, /* from right to left */
    {"attachment; filename*=UTF-8''a%00b", BAD},
    {"attachment; filename*=UTF-8''a%0ab", BAD},
    {"attachment; filename*=UTF-8''a%1b%5bm", BAD},
    {"attachment; filename*=UTF-8''%c0%ae%c0%ae%c0%afa", BAD},
};

static const struct row paths[] = {
    {"/a.txt", "a.txt"},
    {"/x/y/a.txt", "a.txt"},
    {"a", "a"},
    {"/x/a%20b", "a b"},
    {"/%C3%A4", "\xc3\xa4"},
    {"/a%zz%4", "a%zz%4"},
    {"/a+b;c=d", "a+b;c=d"},
    {"/a%252Fb", "a%2Fb"},
    {"/", BAD},
    {"", BAD},
    {"/x/", BAD},
    {"/x/%2e%2e", BAD},
    {"/.hidden", BAD},
    {"/-a", BAD},
    {"/a%2Fb", BAD},
    {"/a%2fb", BAD},
    {"/%2F", BAD},
    {"/x%5C..", BAD},
    {"/x%5Ca", "a"},
    {"/a%00", BAD},
    {"/a%1b", BAD},
    {"/a%0d%0a", BAD},
    {"/%ff", BAD},
};

static void judge(const char *in, ssize_t n, const char *out, const char *want)
{
    bool right = !want                ? n == -ENOENT
                 : !*want             ? n == -EINVAL
                 : !strcmp(want, BAD) ? n == -EINVAL
                                      : n == (ssize_t)strlen(want) && !strcmp(out, want);
    if (!right)
        fail_msg("'%s': %zd, '%s'", in, n, n >= 0 ? out : "");
}

static void test_fields(void **state)
{
    char out[256];
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t n = strlen(fields[i].in);
        judge(fields[i].in,
              hail_disposition_name((struct hail_slice){guarded(fields[i].in, n), n}, out,
                                    sizeof out),
              out, fields[i].name);
    }
}

static void test_paths(void **state)
{
    char out[256];
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t n = strlen(paths[i].in);
        judge(paths[i].in,
              hail_path_name((struct hail_slice){guarded(paths[i].in, n), n}, out, sizeof out), out,
              paths[i].name);
    }
}

static void test_byte_by_byte(void **state)
{
    static const char field[] = "attachment; filename=\"a\\\"b\"; filename*=UTF-8''%c3%a4; x=\"\\";
    static const char path[] = "/x/%c3%a4%2";
    char out[256];
    (void)state;
    for (size_t n = 0; n < sizeof field; n++) {
        ssize_t got =
            hail_disposition_name((struct hail_slice){guarded(field, n), n}, out, sizeof out);
        assert_true(got == -ENOENT || got == -EINVAL || (got > 0 && (size_t)got == strlen(out)));
    }
    for (size_t n = 0; n < sizeof path; n++) {
        ssize_t got = hail_path_name((struct hail_slice){guarded(path, n), n}, out, sizeof out);
        assert_true(got == -EINVAL || (got > 0 && (size_t)got == strlen(out)));
    }
}

/* 255 bytes are what a file system takes; a smaller `out` takes less. */
static void test_bounds(void **state)
{
    char field[600], out[512];
    (void)state;
    for (int n = 255; n <= 256; n++) {
        snprintf(field, sizeof field, "a; filename=%0*d", n, 1);
        assert_int_equal(hail_disposition_name(hail_slice(field), out, sizeof out),
                         n == 255 ? n : -EINVAL);
        snprintf(field, sizeof field, "a; filename*=UTF-8''%0*d", n, 1);
        assert_int_equal(hail_disposition_name(hail_slice(field), out, sizeof out),
                         n == 255 ? n : -EINVAL);
        snprintf(field, sizeof field, "/%0*d", n, 1);
        assert_int_equal(hail_path_name(hail_slice(field), out, sizeof out),
                         n == 255 ? n : -EINVAL);
    }
    for (size_t size = 1; size < 8; size++) {
        char *end = guarded("1234567", size);
        ssize_t want = size > 4 ? 4 : -EINVAL;
        assert_int_equal(hail_disposition_name(hail_slice("a; filename=abcd"), end, size), want);
        assert_int_equal(hail_disposition_name(hail_slice("a; filename=\"abcd\""), end, size),
                         want);
        assert_int_equal(hail_disposition_name(hail_slice("a; filename*=UTF-8''abcd"), end, size),
                         want);
        assert_int_equal(hail_path_name(hail_slice("/abcd"), end, size), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
