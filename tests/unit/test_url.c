/* test_url.c - URLs: read, normalised, resolved against a base (the tables of url_cases.h and
 * url_references.h), refused with the column; and paths that stay below the root. */
#include <hail/url.h>

#include "support.h"
#include "url_cases.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct good {
    const char *text, *normal, *host, *zone, *authority, *target;
    int port;
    bool https;
} goods[] = {
    {"example.org", "http://example.org/", "example.org", "", "example.org", "/", 80, false},
    {"http://example.org", "http://example.org/", "example.org", "", "example.org", "/", 80, false},
    {"HTTPS://Example.ORG:443/A", "https://example.org/A", "example.org", "", "example.org", "/A",
     443, true},
    {"localhost:8080/x", "http://localhost:8080/x", "localhost", "", "localhost:8080", "/x", 8080,
     false},
    {"localhost:/x", "http://localhost/x", "localhost", "", "localhost", "/x", 80, false},
    {"http://h:0080/", "http://h/", "h", "", "h", "/", 80, false},
    {"https://h:80?q", "https://h:80/?q", "h", "", "h:80", "/?q", 80, true},
    {"//h/x", "http://h/x", "h", "", "h", "/x", 80, false},
    {"h#f", "http://h/#f", "h", "", "h", "/", 80, false},
    {"http://u:p@h/", "http://u:p@h/", "h", "", "h", "/", 80, false},
    {"http://u@x:p%40@h/", "http://u%40x:p%40@h/", "h", "", "h", "/", 80, false},
    {"http://@h/", "http://h/", "h", "", "h", "/", 80, false},
    {"http://[::1]:81/", "http://[::1]:81/", "::1", "", "[::1]:81", "/", 81, false},
    {"http://[2001:DB8:0::1]", "http://[2001:db8::1]/", "2001:db8::1", "", "[2001:db8::1]", "/", 80,
     false},
    {"http://[fe80::1%25eth0]/", "http://[fe80::1]/", "fe80::1", "eth0", "[fe80::1]", "/", 80,
     false},
    {"http://[fe80::1%eth0]/", "http://[fe80::1]/", "fe80::1", "eth0", "[fe80::1]", "/", 80, false},
    {"http://ex%61mple/", "http://example/", "example", "", "example", "/", 80, false},
    {"http://b\xc3\xbc.de/\xc3\xbc", "http://xn--b-eha.de/%C3%BC", "xn--b-eha.de", "",
     "xn--b-eha.de", "/%C3%BC", 80, false},
    {" \thttp://h/a b\t?c d#e f\r\n", "http://h/a%20b?c%20d#e%20f", "h", "", "h", "/a%20b?c%20d",
     80, false},
    {"http://h/%zz%4a%", "http://h/%zz%4a%", "h", "", "h", "/%zz%4a%", 80, false},
    {"HTTP:0X7F.1", "http://127.0.0.1/", "127.0.0.1", "", "127.0.0.1", "/", 80, false},
    {"[::FFFF:1.2.3.4]:1\\x", "http://[::ffff:102:304]:1/x", "::ffff:102:304", "",
     "[::ffff:102:304]:1", "/x", 1, false},
    {"http://h/a/./b/../c/%2E%2e/d/..", "http://h/a/", "h", "", "h", "/a/", 80, false},
    {"http://h/../../x//y/", "http://h/x//y/", "h", "", "h", "/x//y/", 80, false},
    {"http://h?a?b/..#c#d", "http://h/?a?b/..#c#d", "h", "", "h", "/?a?b/..", 80, false},
    {"http://h/?", "http://h/?", "h", "", "h", "/?", 80, false},
};

static void same(struct hail_slice s, const char *text)
{
    if (!hail_slice_is(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.p ? s.p : "", text);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_url u, again;
        if (hail_url_parse(&ctx, &u, g->text) < 0)
            fail_msg("%s: %s", g->text, ctx.err.msg);
        assert_string_equal(u.text, g->normal);
        assert_int_equal(u.len, strlen(g->normal));
        assert_string_equal(u.host, g->host);
        assert_string_equal(u.zone, g->zone);
        same(hail_url_slice(&u, u.authority), g->authority);
        same(hail_url_slice(&u, u.target), g->target);
        assert_int_equal(u.port, g->port);
        assert_int_equal(u.https, g->https);
        assert_int_equal(hail_url_parse(&ctx, &again, u.text), 0);
        assert_string_equal(again.text, u.text); /* normal is normal */
    }
    struct hail_url u;
    assert_int_equal(hail_url_parse(NULL, &u, "http://u:p@h:1/p/q?r=1#s"), 0);
    same(hail_url_slice(&u, u.user), "u:p");
    same(hail_url_slice(&u, u.path), "/p/q");
    same(hail_url_slice(&u, u.query), "r=1");
    same(hail_url_slice(&u, u.fragment), "s");
    assert_int_equal(hail_url_parse(NULL, &u, "h/p"), 0);
    assert_null(hail_url_slice(&u, u.user).p);
    assert_null(hail_url_slice(&u, u.query).p);
    assert_null(hail_url_slice(&u, u.fragment).p);
}

#define SIXTEEN "\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96\x96"
static const struct {
    const char *text;
    int errnum, column;
} bads[] = {
    {"", EINVAL, 1},
    {"http://", EINVAL, 8},
    {"http:///", EINVAL, 9},
    {"/x", EINVAL, 1},
    {" h\t:\nx", EINVAL, 6},
    {"\thttp:\r\n//a\tb\t:65536", EINVAL, 16},
    {"http://1.2.3.4.5/", EINVAL, 8},
    {"http://b\xc3\xbc|", EINVAL, 11},
    {"http://\xef\xbc\x85", EINVAL, 8},
    {"http://\xc2\xad", EINVAL, 8},
    {":80", EINVAL, 1},
    {"http://u@/", EINVAL, 10},
    {"http://h:port/", EINVAL, 10},
    {"http://h:65536/", EINVAL, 10},
    {"http://h:4294967376/", EINVAL, 10},
    {"http://h:0/", EINVAL, 10},
    {"http://h:-1/", EINVAL, 10},
    {"http://a b/", EINVAL, 9},
    {"http://a%00b/", EINVAL, 9},
    {"http://a%2Fb/", EINVAL, 9},
    {"http://a%zz/", EINVAL, 9},
    {"http://[::1/", EINVAL, 8},
    {"http://[::1]x/", EINVAL, 13},
    {"http://[::g]/", EINVAL, 9},
    {"http://[1.2.3.4]/", EINVAL, 9},
    {"http://[::1%]/", EINVAL, 13},
    {"http://[::1%25a b]/", EINVAL, 16},
    {"http://[::1%0123456789abcdef]/", EINVAL, 13},
    {SIXTEEN SIXTEEN SIXTEEN SIXTEEN SIXTEEN "%20", EINVAL, 81}, /* the text is cut, not why */
    {"ftp://h/", EPROTONOSUPPORT, 1},
    {"  file:///etc/passwd", EPROTONOSUPPORT, 3},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_url u;
        memset(&u, 0x5A, sizeof u);
        int rc = hail_url_parse(&ctx, &u, bads[i].text);
        char column[32];
        snprintf(column, sizeof column, "at column %d", bads[i].column);
        if (rc != -bads[i].errnum || !strstr(ctx.err.msg, column))
            fail_msg("%s: %d, %s, expected %s", bads[i].text, rc, ctx.err.msg, column);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
        for (size_t k = 0; k < sizeof u; k++)
            assert_int_equal(((const unsigned char *)&u)[k], 0x5A);
    }
}

/* A URL of exactly HAIL_URL_MAX bytes, and of one more; a host of 253, and of 254. */
static void test_bounds(void **state)
{
    (void)state;
    static char text[HAIL_URL_MAX + 2];
    struct hail_url u;
    memset(text, 'a', HAIL_URL_MAX + 1);
    memcpy(text, "http://h/", 9);
    assert_int_equal(hail_url_parse(NULL, &u, text), -ENAMETOOLONG);
    text[HAIL_URL_MAX] = '\0';
    assert_int_equal(hail_url_parse(NULL, &u, text), 0);
    assert_int_equal(u.len, HAIL_URL_MAX);
    text[HAIL_URL_MAX - 1] = ' ';
    text[HAIL_URL_MAX - 2] = '{';
    assert_int_equal(hail_url_parse(NULL, &u, text), -ENAMETOOLONG);
    memset(text, 'a', HAIL_URL_HOST_MAX + 1);
    text[HAIL_URL_HOST_MAX + 1] = '\0';
    assert_int_equal(hail_url_parse(NULL, &u, text), -ENAMETOOLONG);
    text[HAIL_URL_HOST_MAX] = '\0';
    assert_int_equal(hail_url_parse(NULL, &u, text), 0);
    assert_string_equal(u.host, text);
}

/* By the standard; what is normal stays so, and every beginning of a text is read up to its end and
 * no further. */
static void test_standard(void **state)
{
    (void)state;
    struct hail_url base, u, again;
    assert_int_equal(hail_url_parse(NULL, &base, URL_BASE), 0);
    for (size_t i = 0; i < sizeof url_cases / sizeof *url_cases; i++) {
        const struct url_case *c = &url_cases[i];
        struct hail_ctx ctx = HAIL_CTX_INIT;
        int rc = hail_url_parse(&ctx, &u, c->text);
        if ((rc < 0) != !c->normal || (c->normal && strcmp(u.text, c->normal) != 0))
            fail_msg("%s: %d, %s, expected %s", c->text, rc, rc < 0 ? ctx.err.msg : u.text,
                     c->normal ? c->normal : "a refusal");
        if (rc == 0) {
            assert_int_equal(hail_url_parse(&ctx, &again, u.text), 0);
            assert_string_equal(again.text, u.text);
        }
        for (size_t n = 0; n <= strlen(c->text); n++)
            hail_url_resolve(NULL, &u, &base, (struct hail_slice){guarded(c->text, n), n});
    }
}

static void test_references(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_url base, u;
    assert_int_equal(hail_url_parse(&ctx, &base, URL_BASE), 0);
    for (size_t i = 0; i < sizeof url_references / sizeof *url_references; i++) {
        const struct url_case *c = &url_references[i];
        u = base;
        int rc = hail_url_resolve(&ctx, &u, &u, hail_slice(c->text)); /* `u` may be the base */
        if ((rc < 0) != !c->normal || (c->normal && strcmp(u.text, c->normal) != 0))
            fail_msg("%s: %d, %s, expected %s", c->text, rc, rc < 0 ? ctx.err.msg : u.text,
                     c->normal ? c->normal : "a refusal");
    }
    static const char *const others[] = {"g:h", "mailto:x", "javascript:alert(1)", "file:///x"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(hail_url_resolve(&ctx, &u, &base, hail_slice(others[i])),
                         -EPROTONOSUPPORT);
    assert_int_equal(hail_url_parse(&ctx, &base, "https://u:p@[fe80::1%lo]:8443/a#frag"), 0);
    assert_int_equal(hail_url_resolve(&ctx, &u, &base, hail_slice("b")), 0);
    assert_string_equal(u.text, "https://u:p@[fe80::1]:8443/b#frag");
    assert_string_equal(u.zone, "lo");
    assert_true(hail_url_same_origin(&u, &base));
    assert_int_equal(hail_url_resolve(&ctx, &u, &base, hail_slice("//[fe80::1]/b#x")), 0);
    assert_string_equal(u.text, "https://[fe80::1]/b#x");
    assert_false(hail_url_same_origin(&u, &base));
}

/* Dot segments stay; the next reference takes them away. */
static void test_as_is(void **state)
{
    (void)state;
    struct hail_url u;
    assert_int_equal(hail_url_parse_as_is(NULL, &u, "h\\a\\..\\%2e/b c/."), 0);
    assert_string_equal(u.text, "http://h/a/../%2e/b%20c/.");
    assert_int_equal(hail_url_resolve(NULL, &u, &u, hail_slice("d?e")), 0);
    assert_string_equal(u.text, "http://h/b%20c/d?e");
    assert_int_equal(hail_url_parse_as_is(NULL, &u, "http://h:x/"), -EINVAL);
}

/* IDNA's own refusals are of the name's layer. */
static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"http://a%E2%80%AEb/", "http://\xff/", "http://%ff%fe/",
                                        "http://\xe2\x98\x83.net/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_url u;
        assert_int_equal(hail_url_parse(&ctx, &u, names[i]), -EINVAL);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_NAME);
        assert_non_null(strstr(ctx.err.msg, "internationalized"));
    }
}

static void test_path(void **state)
{
    (void)state;
    static const struct {
        const char *path, *result; /* NULL: refused */
    } rows[] = {
        {"/", ""},
        {"/a", "a"},
        {"/a/", "a/"},
        {"//a//b//", "a/b/"},
        {"/a/./b/.", "a/b/"},
        {"/a/%62/../c", "a/c"},
        {"/..", ""},
        {"/../../etc/passwd", "etc/passwd"},
        {"/%2e%2e/%2E./x", "x"},
        {"/a/b/../../../c/..", ""},
        {"/a/b/..", "a/"},
        {"/...", "..."},
        {"/a%20b%c3%bc", "a b\xc3\xbc"},
        {"/a\\..\\b", "a\\..\\b"},
        {"/%25", "%"},
        {"/%252e%252e/x", "%2e%2e/x"},
        {"/a%2fb", NULL},
        {"/..%2f..%2fetc", NULL},
        {"/a%00b", NULL},
        {"/a%", NULL},
        {"/a%4", NULL},
        {"/a%4g", NULL},
        {"", NULL},
        {"a", NULL},
        {"../secret", NULL},
        {"*", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[64];
        size_t n = strlen(rows[i].path);
        char *exact = malloc(n + (n == 0)); /* asan sees one byte too many */
        assert_non_null(exact);
        memcpy(exact, rows[i].path, n);
        struct hail_slice path = {exact, n};
        ssize_t rc = hail_url_path(path, out, sizeof out);
        if (!rows[i].result) {
            assert_int_equal(rc, -EINVAL);
        } else {
            assert_int_equal(rc, strlen(rows[i].result));
            assert_string_equal(out, rows[i].result);
            for (size_t size = 0; size <= (size_t)rc; size++)
                assert_int_equal(hail_url_path(path, out, size), -ENAMETOOLONG);
        }
        free(exact);
    }
    char out[64];
    assert_int_equal(hail_url_path((struct hail_slice){"/a\0b", 4}, out, sizeof out), -EINVAL);
}

static void test_encode(void **state)
{
    (void)state;
    char all[256], encoded[3 * 256 + 2], back[256];
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)(c == '/' ? 'x' : c);
    encoded[0] = '/';
    ssize_t n =
        hail_url_encode_path((struct hail_slice){all, 255}, encoded + 1, sizeof encoded - 1);
    assert_true(n > 255);
    assert_int_equal(hail_url_path(hail_slice(encoded), back, sizeof back), 255);
    assert_memory_equal(back, all, 255);
    assert_int_equal(hail_url_encode_path(hail_slice("a b?c#d/e"), encoded, sizeof encoded), 15);
    assert_string_equal(encoded, "a%20b%3Fc%23d/e");
    for (size_t size = 0; size <= 15; size++)
        assert_int_equal(hail_url_encode_path(hail_slice("a b?c#d/e"), encoded, size),
                         -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_standard),
        cmocka_unit_test(test_references), cmocka_unit_test(test_as_is),
        cmocka_unit_test(test_names),      cmocka_unit_test(test_path),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
