/* test_challenge.c - what servers ask of those who log in: challenges as RFC 9110 section 11 writes
 * them and as servers do, several in a field, malformed ones; and Basic by RFC 7617's examples.
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

/* A field's value, and all its challenges: scheme, then "(token68)" or "[name=value]" each. '!' at
 * the end: what follows is malformed. */
static const struct {
    const char *field, *want;
} fields[] = {
    {"", ""},
    {" \t,, ,", ""},
    {"Basic", "Basic"},
    {"Basic ", "Basic"},
    {"Basic realm=\"a\"", "Basic[realm=a]"},
    {"BASIC REALM=a", "BASIC[REALM=a]"},
    {"Basic realm=\"\"", "Basic[realm=]"},
    {"Basic   realm = \"a\" ", "Basic[realm=a]"},
    {"Basic\trealm\t=\ta", "Basic[realm=a]"},
    {"Basic realm=\"a, Digest nonce=\\\"\"", "Basic[realm=a, Digest nonce=\\\"]"},
    {"Basic realm=\"a\\\\\"", "Basic[realm=a\\\\]"},
    {"Basic realm=\"a\", charset=\"UTF-8\"", "Basic[realm=a][charset=UTF-8]"},
    {"Basic realm=\"a\",charset=\"UTF-8\"", "Basic[realm=a][charset=UTF-8]"},
    {"Basic realm=\"a\", , charset=\"UTF-8\",", "Basic[realm=a][charset=UTF-8]"},
    {"Basic , realm=\"a\"", "Basic[realm=a]"},
    {"Basic realm=\"a\", Digest realm=\"b\", nonce=c, qop=\"auth,auth-int\"",
     "Basic[realm=a] Digest[realm=b][nonce=c][qop=auth,auth-int]"},
    {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
     "Newauth[realm=apps][type=1][title=Login to \\\"apps\\\"] Basic[realm=simple]"},
    {"Negotiate, NTLM, Basic realm=a", "Negotiate NTLM Basic[realm=a]"},
    {"Negotiate , Basic realm=a", "Negotiate Basic[realm=a]"},
    {"Negotiate ,NTLM", "Negotiate NTLM"},
    {"Negotiate YII+/-._~Az==", "Negotiate(YII+/-._~Az==)"},
    {"Negotiate a= , Basic realm=a", "Negotiate(a=) Basic[realm=a]"},
    {"Negotiate a=,Basic realm=a", "Negotiate(a=) Basic[realm=a]"},
    {"Bearer error=\"invalid_token\"", "Bearer[error=invalid_token]"},
    {"Basic a=b=c", "!"},
    {"Basic realm", "Basic(realm)"}, /* what it means is another matter */
    {"Basic realm=", "Basic(realm=)"},
    {"Basic realm=\"a", "!"},
    {"Basic realm=\"a\\", "!"},
    {"Basic realm=\"a\\\"", "!"},
    {"Basic realm=\"a\"b", "!"},
    {"Basic realm=\"a\" charset=b", "!"},
    {"Basic realm=a b", "!"},
    {"Basic x y", "!"},
    {"Basic realm=a, nonce=\"b", "!"},
    {"Basic @", "!"},
    {"Basic,@", "Basic !"},
    {"\"Basic\"", "!"},
    {"Basic=a", "!"},
    {"Basic;realm=a", "!"},
    {"Ba\xc3\xa4 realm=a", "!"},
    {"Basic realm=a, =b", "Basic[realm=a] !"},
    {"Basic realm=a; charset=b", "!"},
};

static void put(struct hail_buf *b, struct hail_slice s)
{
    hail_buf_add(b, s.p, s.n);
}

static void read_all(const char *p, size_t n, struct hail_buf *b)
{
    struct hail_slice rest = {guarded(p, n), n};
    struct hail_challenge c;
    int rc;
    while ((rc = hail_challenge_next(&rest, &c)) == 1) {
        hail_buf_str(b, b->len ? " " : "");
        put(b, c.scheme);
        if (c.token68.p) {
            hail_buf_char(b, '(');
            put(b, c.token68);
            hail_buf_char(b, ')');
        }
        for (size_t i = 0; i < c.n; i++) {
            hail_buf_char(b, '[');
            put(b, c.params[i].name);
            hail_buf_char(b, '=');
            put(b, c.params[i].value);
            hail_buf_char(b, ']');
        }
    }
    if (rc < 0) {
        assert_int_equal(rc, -EPROTO);
        hail_buf_str(b, b->len ? " !" : "!");
    }
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct hail_buf b;
        hail_buf_init(&b, 4096);
        read_all(fields[i].field, strlen(fields[i].field), &b);
        if (strcmp(b.p ? b.p : "", fields[i].want) != 0)
            fail_msg("%s: %s, not %s", fields[i].field, b.p ? b.p : "", fields[i].want);
        hail_buf_free(&b);
    }
}

static void test_byte_by_byte(void **state)
{
    static const char field[] = "Basic realm=\"a \\\"b\\\"\" , Negotiate YII=, Digest nonce=\"c\"";
    (void)state;
    for (size_t n = 0; n < sizeof field; n++) {
        struct hail_buf b;
        hail_buf_init(&b, 4096);
        read_all(field, n, &b);
        hail_buf_free(&b);
    }
}

static void test_more_parameters_than_fit(void **state)
{
    char field[1024] = "X a0=0";
    struct hail_slice rest;
    struct hail_challenge c;
    (void)state;
    for (int i = 1; i < 2 * HAIL_CHALLENGE_PARAMS; i++)
        snprintf(field + strlen(field), sizeof field - strlen(field), ", a%d=%d", i, i);
    strcat(field, ", Basic realm=r");
    rest = hail_slice(field);
    assert_int_equal(hail_challenge_next(&rest, &c), 1);
    assert_int_equal(c.n, HAIL_CHALLENGE_PARAMS);
    assert_int_equal(hail_challenge_next(&rest, &c), 1);
    assert_true(hail_slice_is(c.scheme, "Basic"));
    assert_int_equal(hail_challenge_next(&rest, &c), 0);
}

static void test_parameters(void **state)
{
    struct hail_slice rest = hail_slice("X a=\"q\\\"\\\\\\x\", A=2, b=\"\"");
    struct hail_challenge c;
    char out[8];
    (void)state;
    assert_int_equal(hail_challenge_next(&rest, &c), 1);
    assert_int_equal(hail_challenge_param(&c, "A", out, sizeof out), 4); /* the first, any case */
    assert_string_equal(out, "q\"\\x");
    assert_int_equal(hail_challenge_param(&c, "b", out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(hail_challenge_param(&c, "c", out, sizeof out), -ENOENT);
    assert_int_equal(hail_challenge_param(&c, "a", out, 5), 4);
    assert_int_equal(hail_challenge_param(&c, "a", out, 4), -EMSGSIZE);
}

static void basic(const char *user, const char *password, const char *want)
{
    struct hail_buf b;
    hail_buf_init(&b, 4096);
    assert_int_equal(hail_basic_answer(user, password, &b), 0);
    assert_string_equal(b.p, want);
    hail_buf_free(&b);
}

static void test_basic(void **state)
{
    char most[HAIL_SECRET_MAX + 1], over[2 * HAIL_SECRET_MAX + 2];
    struct hail_buf b;
    (void)state;
    basic("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* RFC 7617 */
    basic("test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==");
    basic("", "", "Basic Og==");
    basic("u", "", "Basic dTo=");
    memset(most, 'x', HAIL_SECRET_MAX);
    most[HAIL_SECRET_MAX] = '\0';
    memset(over, 'x', sizeof over);
    over[sizeof over - 1] = '\0';
    hail_buf_init(&b, 16384);
    assert_int_equal(hail_basic_answer(most, most, &b), 0);
    assert_int_equal(hail_basic_answer(over, most, &b), -EMSGSIZE);
    hail_buf_free(&b);
    hail_buf_init(&b, 10); /* what does not fit is said */
    assert_int_equal(hail_basic_answer("Aladdin", "open sesame", &b), -EMSGSIZE);
    hail_buf_free(&b);
    fail_nth(1);
    hail_buf_init(&b, 4096);
    assert_int_equal(hail_basic_answer("Aladdin", "open sesame", &b), -ENOMEM);
    fail_nth(0);
    hail_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_more_parameters_than_fit),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_basic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
