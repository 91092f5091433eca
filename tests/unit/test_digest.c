/* test_digest.c - answers to Digest challenges: the examples of RFC 7616 section 3.9 and RFC 2617
 * section 3.5, what servers leave out, and what is refused. The answers that no RFC prints were
 * computed with Python's hashlib.
 *
 * link: --wrap=realloc
 */
#include "proto/challenge.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int read_field(const char *field, struct hail_digest *d)
{
    struct hail_challenge c;
    size_t n = strlen(field);
    struct hail_slice rest = {guarded(field, n), n};
    assert_int_equal(hail_challenge_next(&rest, &c), 1);
    assert_int_equal(rest.n, 0);
    return hail_digest_read(&c, d);
}

struct question {
    const char *user, *password, *method, *target, *cnonce;
    unsigned nc;
};

static void answers(const char *field, struct question q, const char *want)
{
    struct hail_digest d;
    struct hail_buf b;
    assert_int_equal(read_field(field, &d), 0);
    hail_buf_init(&b, 4096);
    size_t n = strlen(q.target);
    assert_int_equal(hail_digest_answer(&d, q.user, q.password, q.method,
                                        (struct hail_slice){guarded(q.target, n), n}, q.cnonce,
                                        q.nc, &b),
                     0);
    assert_string_equal(b.p, want);
    hail_buf_free(&b);
}

#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define FIELD(algorithm)                                                                           \
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=" algorithm         \
    ", nonce=\"" NONCE "\", opaque=\"" OPAQUE "\""
#define ANSWER(target, nc, response, algorithm)                                                    \
    "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"" NONCE                  \
    "\", uri=\"" target "\", cnonce=\"" CNONCE "\", nc=" nc ", qop=auth, response=\"" response     \
    "\", opaque=\"" OPAQUE "\", algorithm=" algorithm

static const struct question mufasa = {"Mufasa",          "Circle of Life", "GET",
                                       "/dir/index.html", CNONCE,           1};

static void test_rfc_7616(void **state)
{
    (void)state;
    answers(FIELD("MD5"), mufasa,
            ANSWER("/dir/index.html", "00000001", "8ca523f5e9506fed4657c9700eebdbec", "MD5"));
    answers(FIELD("SHA-256"), mufasa,
            ANSWER("/dir/index.html", "00000001",
                   "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", "SHA-256"));
}

/* Section 3.9.2. The RFC prints hashes of SHA-512 cut to 256 bits; these are SHA-512/256's. */
static void test_userhash(void **state)
{
    (void)state;
    answers("Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
            "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
            "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
            (struct question){"J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json",
                              "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm", 1},
            "Digest "
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", "
            "realm=\"api@example.org\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
            "uri=\"/doe.json\", cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm\", nc=00000001, "
            "qop=auth, response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"
            "\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", algorithm=SHA-512-256, "
            "userhash=true");
}

static void test_older_rfcs(void **state)
{
    static const char nonce[] = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    char field[256], want[512];
    struct question q = {"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1};
    (void)state;
    snprintf(
        field, sizeof field,
        "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"%s\", opaque=\"\"",
        nonce);
    snprintf(want, sizeof want,
             "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"%s\", "
             "uri=\"/dir/index.html\", cnonce=\"0a4f113b\", nc=00000001, qop=auth, "
             "response=\"6629fae49393a05397450978507c4ef1\", opaque=\"\"",
             nonce);
    answers(field, q, want);
    q.password = "CircleOfLife"; /* RFC 2069 section 2.4, as its errata have it: no qop */
    snprintf(field, sizeof field, "Digest realm=\"testrealm@host.com\", nonce=\"%s\"", nonce);
    snprintf(want, sizeof want,
             "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"%s\", "
             "uri=\"/dir/index.html\", response=\"1949323746fe6a43ef61f9606e7febea\"",
             nonce);
    answers(field, q, want);
}

static void test_sessions(void **state)
{
    struct question q = mufasa;
    (void)state;
    q.method = "POST";
    q.target = "/x?q=\"1\"";
    q.nc = 10;
#define SESSION(algorithm, response)                                                               \
    answers(FIELD(algorithm), q, ANSWER("/x?q=\\\"1\\\"", "0000000a", response, algorithm))
    SESSION("MD5-sess", "76b52c6b18d4e0c59979a9aff23d2271");
    SESSION("SHA-256-sess", "a96e0d73d1c83b0565a334305ac9c80c23d36943d8a959c1b4626d7a8c947c41");
    SESSION("SHA-512-256-sess", "4b35a5a5badd9d9ce338f55724321c6f45fdcd1824020de1fe8e8be8efe1a1b1");
}

/* What has to be escaped is, and is hashed as it is meant. */
static void test_quotes(void **state)
{
    (void)state;
    answers("Digest realm=\"r\\\"e\", nonce=n, qop=AUTH",
            (struct question){"a\"b\\c", "p", "GET", "/", "c", 1},
            "Digest username=\"a\\\"b\\\\c\", realm=\"r\\\"e\", nonce=\"n\", uri=\"/\", "
            "cnonce=\"c\", nc=00000001, qop=auth, response=\"67582c2f9566b5a66761cd4966f31920\"");
}

static void test_what_is_read(void **state)
{
    struct hail_digest d;
    (void)state;
    assert_int_equal(read_field("Digest realm=r, nonce=n, algorithm=sha-256-SESS, stale=TRUE, "
                                "charset=utf-8, userhash=True, opaque=o, qop=\"auth-int,auth\"",
                                &d),
                     0);
    assert_int_equal(d.algorithm, HAIL_DIGEST_SHA256);
    assert_true(d.session && d.stale && d.utf8 && d.userhash && d.has_opaque && d.qop);
    assert_true(d.has_algorithm);
    assert_string_equal(d.realm, "r");
    assert_string_equal(d.nonce, "n");
    assert_string_equal(d.opaque, "o");
    assert_int_equal(read_field("Digest realm=r, nonce=n, stale=false, userhash=1", &d), 0);
    assert_int_equal(d.algorithm, HAIL_DIGEST_MD5);
    assert_false(d.session || d.stale || d.utf8 || d.userhash || d.has_opaque || d.qop);
    assert_false(d.has_algorithm);
}

static void test_refused(void **state)
{
    static const struct {
        const char *field;
        int rc;
    } cases[] = {
        {"Digest", -EPROTO},
        {"Digest realm=r", -EPROTO},
        {"Digest nonce=n", -EPROTO},
        {"Digest realm=r, nonce=n, algorithm=SHA-1", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, algorithm=-sess", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, algorithm=\"\"", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, algorithm=MD5-sess-sess", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, algorithm=a-name-that-is-longer-than-any-known", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, qop=auth-int", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, qop=\"\"", -EOPNOTSUPP},
        {"Digest realm=r, nonce=n, qop=\"authentic\"", -EOPNOTSUPP},
        {"Digest realm=\"a\tb\", nonce=n", -EPROTO},
        {"Digest realm=\"a\rb\", nonce=n", -EPROTO},
        {"Digest realm=r, nonce=\"a\x7f\"", -EPROTO},
        {"Digest realm=r, nonce=n, opaque=\"a\nb\"", -EPROTO},
    };
    struct hail_digest d;
    char field[1024];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (read_field(cases[i].field, &d) != cases[i].rc)
            fail_msg("%s", cases[i].field);
    for (int n = 255; n <= 256; n++) {
        snprintf(field, sizeof field, "Digest realm=r, nonce=%0*d", n, 1);
        assert_int_equal(read_field(field, &d), n > 255 ? -EPROTO : 0);
        snprintf(field, sizeof field, "Digest realm=r, nonce=n, opaque=%0*d", n, 1);
        assert_int_equal(read_field(field, &d), n > 255 ? -EPROTO : 0);
    }
    snprintf(field, sizeof field, "Digest realm=r, nonce=n, qop=\"%065d\"", 1);
    assert_int_equal(read_field(field, &d), -EPROTO);
}

/* A URL may bring such a name: it must not become a line of the request. */
static void test_users_with_control_bytes(void **state)
{
    static const char *const users[] = {"a\r\nX: y", "a\nb", "\x7f", "a\tb"};
    struct hail_digest d = {.realm = "r", .nonce = "n"};
    (void)state;
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        struct hail_buf b;
        hail_buf_init(&b, 4096);
        assert_int_equal(hail_digest_answer(&d, users[i], "p", "GET", hail_slice("/"), "c", 1, &b),
                         -EINVAL);
        assert_int_equal(b.len, 0);
        hail_buf_free(&b);
    }
}

static int answer(const void *arg)
{
    struct hail_digest d = {.realm = "r", .nonce = "n", .qop = true};
    struct hail_buf b;
    (void)arg;
    hail_buf_init(&b, 4096);
    int rc = hail_digest_answer(&d, "u", "p", "GET",
                                hail_slice("/a/path/that/takes/the/buffer/over/its/first/size"
                                           "/so/that/it/has/to/grow/more/than/once/or/twice"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                           "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                                "c", 1, &b);
    assert_int_equal(rc, has_failed() ? -ENOMEM : 0);
    hail_buf_free(&b);
    return rc;
}

static void test_without_memory(void **state)
{
    struct hail_digest d = {.realm = "r", .nonce = "n"};
    struct hail_buf b;
    (void)state;
    each_call_fails(answer, NULL);
    hail_buf_init(&b, 50);
    assert_int_equal(hail_digest_answer(&d, "u", "p", "GET", hail_slice("/"), "c", 1, &b),
                     -EMSGSIZE);
    hail_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7616),       cmocka_unit_test(test_userhash),
        cmocka_unit_test(test_older_rfcs),     cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_quotes),         cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_users_with_control_bytes),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
