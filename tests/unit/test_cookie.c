/* test_cookie.c - which cookies are taken from whom and sent back to whom: RFC 6265 sections 5.1.3
 * to 5.4 with the rules that RFC 6265bis adds, case by case.
 *
 * link: --wrap=malloc
 * link: --wrap=realloc
 */
#include "proto/cookie.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW ((int64_t)1700000000)
#define DAY ((int64_t)86400)

static struct hail_url url(const char *text)
{
    struct hail_url u;
    assert_int_equal(hail_url_parse(NULL, &u, text), 0);
    return u;
}

static enum hail_cookie_refusal set_at(struct hail_cookie_jar *jar, const char *from,
                                       const char *field, int64_t now)
{
    struct hail_url u = url(from);
    size_t n = strlen(field);
    return hail_cookie_set(jar, &u, (struct hail_slice){guarded(field, n), n}, now);
}

static enum hail_cookie_refusal set(struct hail_cookie_jar *jar, const char *from,
                                    const char *field)
{
    return set_at(jar, from, field, NOW);
}

static void sent_at(const struct hail_cookie_jar *jar, const char *to, const char *want,
                    int64_t now)
{
    struct hail_url u = url(to);
    struct hail_buf b;
    hail_buf_init(&b, 2 * HAIL_COOKIE_HEADER);
    size_t n = hail_cookie_header(jar, &u, now, &b);
    assert_string_equal(b.p ? b.p : "", want);
    assert_int_equal(n == 0, b.len == 0);
    hail_buf_free(&b);
}

static void sent(const struct hail_cookie_jar *jar, const char *to, const char *want)
{
    sent_at(jar, to, want, NOW);
}

/* A field, what is made of it, and what is sent back to where it came from. */
static const struct {
    const char *field;
    enum hail_cookie_refusal why;
    const char *back;
} pairs[] = {
    {"a=b", HAIL_COOKIE_TAKEN, "a=b"},
    {" a = b ", HAIL_COOKIE_TAKEN, "a=b"},
    {"\ta\t=\tb\t", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b;", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; ;;", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b=c", HAIL_COOKIE_TAKEN, "a=b=c"},
    {"a==b", HAIL_COOKIE_TAKEN, "a==b"},
    {"a=", HAIL_COOKIE_TAKEN, "a="},
    {"a= ; Secure", HAIL_COOKIE_TAKEN, "a="},
    {"a", HAIL_COOKIE_TAKEN, "a"},
    {"=a", HAIL_COOKIE_TAKEN, "a"},
    {"a b=c d", HAIL_COOKIE_TAKEN, "a b=c d"},
    {"a=\"b; c\"", HAIL_COOKIE_TAKEN, "a=\"b"},
    {"a=\"b\"", HAIL_COOKIE_TAKEN, "a=\"b\""},
    {"a=b,c=d", HAIL_COOKIE_TAKEN, "a=b,c=d"},
    {"a=b\tc", HAIL_COOKIE_TAKEN, "a=b\tc"},
    {"\xc3\xa4=\xff", HAIL_COOKIE_TAKEN, "\xc3\xa4=\xff"},
    {"a=b; c=d; Unknown; SameSite=None", HAIL_COOKIE_TAKEN, "a=b"},
    {"", HAIL_COOKIE_MALFORMED, ""},
    {"=", HAIL_COOKIE_MALFORMED, ""},
    {" ; Secure", HAIL_COOKIE_MALFORMED, ""},
    {"=; Secure", HAIL_COOKIE_MALFORMED, ""},
    {";a=b", HAIL_COOKIE_MALFORMED, ""},
    {"a=b\001c", HAIL_COOKIE_MALFORMED, ""},
    {"a\rb=c", HAIL_COOKIE_MALFORMED, ""},
    {"a=b; Path=/\x7f", HAIL_COOKIE_MALFORMED, ""},
    {"a\tb=c", HAIL_COOKIE_MALFORMED, ""},
    {"a=b; Path=/\tTRUE\t0\tc\td", HAIL_COOKIE_TAKEN, "a=b"}, /* one column of a jar's line */
    /* the domain */
    {"a=b; Domain=www.a.example", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; domain=.A.EXAMPLE", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Domain=", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Domain", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Domain=other.example; Domain=a.example", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Domain=a.example; Domain=other.example", HAIL_COOKIE_OTHER_DOMAIN, ""},
    {"a=b; Domain=x.www.a.example", HAIL_COOKIE_OTHER_DOMAIN, ""},
    {"a=b; Domain=w.a.example", HAIL_COOKIE_OTHER_DOMAIN, ""},
    {"a=b; Domain=.example", HAIL_COOKIE_PUBLIC_SUFFIX, ""},
    {"a=b; Domain=..a.example", HAIL_COOKIE_OTHER_DOMAIN, ""},
    {"a=b; Domain=a.example.", HAIL_COOKIE_OTHER_DOMAIN, ""},
    {"a=b; Domain=.", HAIL_COOKIE_TAKEN, "a=b"},
    /* the path */
    {"a=b; Path=/", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Path=/dir", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Path=/dir/", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Path=/di", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Path=/other", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Path=other", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Path=/other; Path=", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Path=; Path=/other", HAIL_COOKIE_TAKEN, ""},
    /* the time */
    {"a=b; Max-Age=1", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=0", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Max-Age=-1", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Max-Age=99999999999999999999999", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=-99999999999999999999999", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Max-Age=", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=-", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=+0", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=0x", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=0; Max-Age=5", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Expires=Mon, 01 Jan 1601 00:00:00 GMT", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Expires=never", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", HAIL_COOKIE_TAKEN, "a=b"},
    {"a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT; Max-Age=0", HAIL_COOKIE_TAKEN, ""},
    {"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=x", HAIL_COOKIE_TAKEN, ""},
    /* prefixes */
    {"__Secure-a=b; Secure", HAIL_COOKIE_TAKEN, "__Secure-a=b"},
    {"__Secure-a=b", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__SECURE-a=b", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__Host-a=b; Secure; Path=/", HAIL_COOKIE_TAKEN, "__Host-a=b"},
    {"__Host-a=b; Secure", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__Host-a=b; Path=/", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__Host-a=b; Secure; Path=/dir", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__host-a=b; Secure; Path=/; Domain=www.a.example", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__Host=b", HAIL_COOKIE_TAKEN, "__Host=b"},
    {"=__Host-a=b; Secure; Path=/", HAIL_COOKIE_BAD_PREFIX, ""}, /* would be sent as one */
    {"=__secure-a=b; Secure", HAIL_COOKIE_BAD_PREFIX, ""},
    {"__Secure-a; Secure", HAIL_COOKIE_BAD_PREFIX, ""},
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct hail_cookie_jar jar = {0};
        enum hail_cookie_refusal why = set(&jar, "https://www.a.example/dir/page", pairs[i].field);
        if (why != pairs[i].why)
            fail_msg("'%s': %s", pairs[i].field, hail_cookie_refusal_text(why));
        sent(&jar, "https://www.a.example/dir/page", pairs[i].back);
        hail_cookie_jar_free(&jar);
        assert_int_equal(jar.n, 0);
    }
}

/* Whatever its end is cut off, nothing is read beyond it. */
static void test_byte_by_byte(void **state)
{
    static const char field[] = "sid=\"v\"; Domain=.a.example; Path=/dir; Expires=Wed, 09 Jun 2100 "
                                "10:18:14 GMT; Max-Age=60; Secure; HttpOnly; SameSite=Lax";
    struct hail_url u = url("https://www.a.example/dir/page");
    (void)state;
    for (size_t n = 0; n < sizeof field; n++) {
        struct hail_cookie_jar jar = {0};
        enum hail_cookie_refusal why =
            hail_cookie_set(&jar, &u, (struct hail_slice){guarded(field, n), n}, NOW);
        assert_int_equal(why == HAIL_COOKIE_MALFORMED, n == 0);
        hail_cookie_jar_free(&jar);
    }
}

static void test_domains(void **state)
{
    struct hail_cookie_jar jar = {0};
    (void)state;
    assert_int_equal(set(&jar, "http://a.example/", "host=1"), HAIL_COOKIE_TAKEN);
    assert_int_equal(set(&jar, "http://a.example/", "all=2; Domain=a.example"), HAIL_COOKIE_TAKEN);
    sent(&jar, "http://a.example/", "host=1; all=2");
    sent(&jar, "http://a.example:8080/", "host=1; all=2"); /* ports are not told apart */
    sent(&jar, "http://www.a.example/", "all=2");
    sent(&jar, "http://ba.example/", "");
    sent(&jar, "http://example/", "");
    hail_cookie_jar_free(&jar);
    assert_int_equal(set(&jar, "http://192.0.2.1/", "a=1; Domain=192.0.2.1"), HAIL_COOKIE_TAKEN);
    assert_int_equal(set(&jar, "http://192.0.2.1/", "a=1; Domain=2.1"), HAIL_COOKIE_OTHER_DOMAIN);
    assert_int_equal(set(&jar, "http://[2001:db8::1]/", "b=2"), HAIL_COOKIE_TAKEN);
    sent(&jar, "http://192.0.2.1/", "a=1");
    sent(&jar, "http://[2001:db8::1]/", "b=2");
    sent(&jar, "http://[2001:db8::2]/", "");
    hail_cookie_jar_free(&jar);
    assert_int_equal(set(&jar, "http://x.co.uk/", "a=1; Domain=co.uk"), HAIL_COOKIE_PUBLIC_SUFFIX);
    assert_int_equal(set(&jar, "http://u.github.io/", "a=1; Domain=github.io"),
                     HAIL_COOKIE_PUBLIC_SUFFIX);
    assert_int_equal(set(&jar, "http://localhost/", "a=1; Domain=localhost"), HAIL_COOKIE_TAKEN);
    sent(&jar, "http://localhost/", "a=1");
    sent(&jar, "http://x.localhost/", ""); /* a suffix alone is for its host alone */
    hail_cookie_jar_free(&jar);
}

static void test_paths(void **state)
{
    static const struct {
        const char *from, *to;
        bool goes;
    } cases[] = {
        {"/a/b", "/a/b", true},   {"/a/b", "/a", true},        {"/a/b", "/a/", true},
        {"/a/b", "/a/c/d", true}, {"/a/b", "/ab", false},      {"/a/b", "/", false},
        {"/a/", "/a", true},      {"/a", "/", true},           {"/a", "/x/y", true},
        {"/", "/x/y", true},      {"/a/b/?/c", "/a/b/", true}, {"/a/b?/c/d", "/a/c", true},
        {"/a/b/", "/a/b", true},  {"/a/b/", "/a/", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hail_cookie_jar jar = {0};
        char from[64], to[64];
        snprintf(from, sizeof from, "http://h.example%s", cases[i].from);
        snprintf(to, sizeof to, "http://h.example%s", cases[i].to);
        assert_int_equal(set(&jar, from, "a=1"), HAIL_COOKIE_TAKEN);
        sent(&jar, to, cases[i].goes ? "a=1" : "");
        hail_cookie_jar_free(&jar);
    }
}

static void test_secure(void **state)
{
    struct hail_cookie_jar jar = {0};
    (void)state;
    assert_int_equal(set(&jar, "http://a.example/", "s=1; Secure"), HAIL_COOKIE_NOT_SECURE);
    assert_int_equal(set(&jar, "https://a.example/x/", "s=1; Secure; Path=/x"), HAIL_COOKIE_TAKEN);
    sent(&jar, "http://a.example/x/", "");
    sent(&jar, "https://a.example/x/", "s=1");
    /* http neither replaces nor shadows nor removes it; beside its path it may */
    assert_int_equal(set(&jar, "http://a.example/x/", "s=2; Path=/x"), HAIL_COOKIE_NOT_SECURE);
    assert_int_equal(set(&jar, "http://a.example/x/", "s=2; Path=/x/y"), HAIL_COOKIE_NOT_SECURE);
    assert_int_equal(set(&jar, "http://a.example/x/", "s=; Path=/x; Max-Age=0"),
                     HAIL_COOKIE_NOT_SECURE);
    assert_int_equal(set(&jar, "http://w.a.example/x/", "s=2; Domain=a.example"),
                     HAIL_COOKIE_NOT_SECURE);
    assert_int_equal(set(&jar, "http://a.example/", "s=2; Path=/"), HAIL_COOKIE_TAKEN);
    sent(&jar, "https://a.example/x/", "s=1; s=2");
    assert_int_equal(set(&jar, "https://a.example/x/", "s=; Path=/x; Max-Age=0"),
                     HAIL_COOKIE_TAKEN);
    sent(&jar, "https://a.example/x/", "s=2");
    hail_cookie_jar_free(&jar);
}

static void test_order_and_replacing(void **state)
{
    struct hail_cookie_jar jar = {0};
    const char *at = "http://a.example/x/y/z";
    (void)state;
    set(&jar, at, "a=1; Path=/");
    set(&jar, at, "b=2; Path=/x/y");
    set(&jar, at, "c=3; Path=/x");
    set(&jar, at, "d=4; Path=/x/y");
    sent(&jar, at, "b=2; d=4; c=3; a=1");
    set(&jar, at, "b=5; Path=/x/y"); /* keeps its turn */
    set(&jar, at, "a=6; Path=/x/y");
    sent(&jar, at, "b=5; d=4; a=6; c=3; a=1");
    set(&jar, at, "d=; Path=/x/y; Max-Age=0");
    sent(&jar, at, "b=5; a=6; c=3; a=1");
    set(&jar, at, "a=7; Path=/; Domain=a.example"); /* not the same as the host's own */
    sent(&jar, at, "b=5; a=6; c=3; a=1; a=7");
    assert_int_equal(jar.n, 5);
    hail_cookie_jar_free(&jar);
}

static void test_time(void **state)
{
    struct hail_cookie_jar jar = {0};
    const char *at = "http://a.example/";
    (void)state;
    set(&jar, at, "a=1; Max-Age=10");
    set(&jar, at, "b=2");
    set(&jar, at, "c=3; Max-Age=99999999999");
    set(&jar, at, "d=4; Expires=Fri, 31 Dec 9999 23:59:59 GMT");
    sent_at(&jar, at, "a=1; b=2; c=3; d=4", NOW + 9);
    sent_at(&jar, at, "b=2; c=3; d=4", NOW + 10);
    sent_at(&jar, at, "b=2; c=3; d=4", NOW + 400 * DAY - 1); /* none lives longer than 400 days */
    sent_at(&jar, at, "b=2", NOW + 400 * DAY);
    hail_cookie_end_session(&jar);
    sent(&jar, at, "a=1; c=3; d=4");
    assert_int_equal(jar.n, 3);
    hail_cookie_jar_free(&jar);
}

static void test_bounds(void **state)
{
    struct hail_cookie_jar jar = {0};
    static char field[3 * HAIL_COOKIE_MAX], want[2 * HAIL_COOKIE_HEADER];
    const char *at = "http://a.example/";
    (void)state;
    int n = snprintf(field, sizeof field, "n=%0*d", HAIL_COOKIE_MAX - 1, 7);
    assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TAKEN);
    snprintf(field + n, sizeof field - (size_t)n, "x");
    assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TOO_LONG);
    snprintf(field, sizeof field, "p=1; Path=/%01024d; Domain=%01025d", 1, 1); /* not looked at */
    assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TAKEN);
    snprintf(field, sizeof field, "p=1; Domain=%0300d", 1);
    assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TOO_LONG);
    snprintf(field, sizeof field, "%s%01024d/", at, 1);
    assert_int_equal(set(&jar, field, "p=1"), HAIL_COOKIE_TOO_LONG);
    hail_cookie_jar_free(&jar);

    for (int i = 0; i <= HAIL_COOKIES_SITE; i++) {
        snprintf(field, sizeof field, "n%d=%d", i, i);
        assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TAKEN);
    }
    assert_int_equal(jar.n, HAIL_COOKIES_SITE);
    assert_string_equal(jar.first->name, "n1"); /* the oldest went */
    for (int i = 0; i < HAIL_COOKIES_MAX; i++) {
        snprintf(field, sizeof field, "http://h%d.example/", i);
        assert_int_equal(set(&jar, field, "a=1"), HAIL_COOKIE_TAKEN);
    }
    assert_int_equal(jar.n, HAIL_COOKIES_MAX);
    assert_string_equal(jar.first->domain, "h0.example");
    hail_cookie_jar_free(&jar);

    for (int i = 0; i < 4; i++) { /* more than fits into one field: those that do not, stay */
        snprintf(field, sizeof field, "%c=%0*d", 'a' + i, i == 1 ? 4000 : 2500, i);
        assert_int_equal(set(&jar, at, field), HAIL_COOKIE_TAKEN);
    }
    snprintf(want, sizeof want, "a=%02500d; b=%04000d", 0, 1);
    sent(&jar, at, want);
    hail_cookie_jar_free(&jar);
}

static int set_and_send(const void *arg)
{
    struct hail_cookie_jar jar = {0};
    struct hail_url u;
    struct hail_buf b;
    int rc = hail_url_parse(NULL, &u, "http://a.example/");
    (void)arg;
    assert_int_equal(rc, 0);
    hail_buf_init(&b, 4096);
    enum hail_cookie_refusal one = hail_cookie_set(&jar, &u, hail_slice("a=1"), NOW),
                             two = hail_cookie_set(&jar, &u, hail_slice("a=2"), NOW);
    bool failed = one == HAIL_COOKIE_NO_MEMORY || two == HAIL_COOKIE_NO_MEMORY;
    hail_cookie_header(&jar, &u, NOW, &b);
    assert_int_equal(has_failed(), failed || b.failed == -ENOMEM);
    if (!b.failed) /* what was there stays when its successor cannot be made */
        assert_string_equal(b.p, two == HAIL_COOKIE_TAKEN ? "a=2" : "a=1");
    rc = failed ? -ENOMEM : b.failed;
    hail_buf_free(&b);
    hail_cookie_jar_free(&jar);
    return rc;
}

static void test_without_memory(void **state)
{
    (void)state;
    each_call_fails(set_and_send, NULL);
}

static void test_refusals_have_texts(void **state)
{
    (void)state;
    for (int i = 0; i <= HAIL_COOKIE_NO_MEMORY; i++)
        assert_true(strlen(hail_cookie_refusal_text((enum hail_cookie_refusal)i)) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),         cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_domains),        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_secure),         cmocka_unit_test(test_order_and_replacing),
        cmocka_unit_test(test_time),           cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_without_memory), cmocka_unit_test(test_refusals_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
