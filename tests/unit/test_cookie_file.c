/* test_cookie_file.c - the Netscape cookie file: lines that curl, wget and Python write, lines that
 * are none, and a jar that is written down and read again.
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

static int read_line(struct hail_cookie_jar *jar, const char *line, size_t n)
{
    return hail_cookie_line(jar, (struct hail_slice){guarded(line, n), n}, NOW);
}

static char *written(const struct hail_cookie_jar *jar, struct hail_buf *b)
{
    hail_buf_init(b, 1 << 20);
    assert_int_equal(hail_cookie_put_lines(jar, NOW, b), 0);
    return b->p ? b->p : (char *)"";
}

#define L(s)  s, sizeof(s) - 1
#define LATER "2000000000"

static const struct {
    const char *line;
    size_t n;
    int rc;
    const char *again; /* as it is written down */
} lines[] = {
    {L("a.example\tFALSE\t/\tFALSE\t" LATER "\tn\tv"), 1,
     "a.example\tFALSE\t/\tFALSE\t" LATER "\tn\tv\n"},
    {L(".a.example\tTRUE\t/p\tTRUE\t" LATER "\tn\tv\r\n"), 1,
     ".a.example\tTRUE\t/p\tTRUE\t" LATER "\tn\tv\n"},
    {L("a.example\tTRUE\t/\tFALSE\t0\tn\tv"), 1, ".a.example\tTRUE\t/\tFALSE\t0\tn\tv\n"},
    {L(".A.Example\tFALSE\t/\tFALSE\t0\tn\tv"), 1, "a.example\tFALSE\t/\tFALSE\t0\tn\tv\n"},
    {L("#HttpOnly_a.example\tFALSE\t/\tFALSE\t0\tn\tv"), 1,
     "#HttpOnly_a.example\tFALSE\t/\tFALSE\t0\tn\tv\n"},
    {L("a.example\tfalse\t/\ttrue\t\tn\tv"), 1, /* Python's, of the session */
     "a.example\tFALSE\t/\tTRUE\t0\tn\tv\n"},
    {L("a.example\tFALSE\t/\tFALSE\t0\tn\t"), 1, "a.example\tFALSE\t/\tFALSE\t0\tn\t\n"},
    {L("a.example\tFALSE\t/\tFALSE\t0\tn"), 1, "a.example\tFALSE\t/\tFALSE\t0\tn\t\n"},
    {L("a.example\tFALSE\t/\tFALSE\t0\t\tv"), 1, "a.example\tFALSE\t/\tFALSE\t0\t\tv\n"},
    {L("a.example\tFALSE\t/\tFALSE\t0\tn\tv\tw"), 1, "a.example\tFALSE\t/\tFALSE\t0\tn\tv\tw\n"},
    {L("a.example\tFALSE\t/\tFALSE\t1699999999\tn\tv"), 1, ""},
    {L("a.example\tFALSE\t/\tFALSE\t922337203685477579\tn\tv"), 1,
     "a.example\tFALSE\t/\tFALSE\t922337203685477579\tn\tv\n"},
    {L("a.example\tFALSE\t/\tFALSE\t9223372036854775807\tn\tv"), 1, /* curl's last moment */
     "a.example\tFALSE\t/\tFALSE\t9223372036854775807\tn\tv\n"},
    {L("a.example\tFALSE\t/\tFALSE\t99999999999999999999\tn\tv"), 1,
     "a.example\tFALSE\t/\tFALSE\t9223372036854775807\tn\tv\n"},
    {L(""), 0, ""},
    {L("\r\n"), 0, ""},
    {L("# Netscape HTTP Cookie File"), 0, ""},
    {L("#a.example\tFALSE\t/\tFALSE\t0\tn\tv"), 0, ""},
    {L("#HttpOnly"), 0, ""},
    {L("#HttpOnly_"), 0, ""},
    {L("#HttpOnly_#a.example\tFALSE\t/\tFALSE\t0\tn\tv"), 0, ""},
    {L(" "), -EINVAL, ""},
    {L("a.example"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t0"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t0\t\t"), -EINVAL, ""},
    {L("\tFALSE\t/\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L(".\tFALSE\t/\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L("..a.example\tFALSE\t/\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L(".#a.example\tFALSE\t/\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L("a.example\tFALSE\t\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L("a.example\tFALSE\tp\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t-1\tn\tv"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t1e9\tn\tv"), -EINVAL, ""},
    {L("a.example FALSE / FALSE 0 n v"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t0\tn\tv\0w"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\tFALSE\t0\tn\tv\rw"), -EINVAL, ""},
    {L("a.example\tFALSE\t/\033[\tFALSE\t0\tn\tv"), -EINVAL, ""},
    {L("a.example\x7f\tFALSE\t/\tFALSE\t0\tn\tv"), -EINVAL, ""},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct hail_cookie_jar jar = {0};
        struct hail_buf b;
        int rc = read_line(&jar, lines[i].line, lines[i].n);
        if (rc != lines[i].rc)
            fail_msg("'%s': %d", lines[i].line, rc);
        assert_string_equal(written(&jar, &b), lines[i].again);
        hail_buf_free(&b);
        hail_cookie_jar_free(&jar);
    }
}

static void test_byte_by_byte(void **state)
{
    static const char line[] = "#HttpOnly_.a.example\tTRUE\t/p\tTRUE\t" LATER "\tname\tvalue\r\n";
    size_t name = (size_t)(strstr(line, "name") - line);
    (void)state;
    for (size_t n = 0; n < sizeof line; n++) {
        struct hail_cookie_jar jar = {0};
        int rc = read_line(&jar, line, n);
        assert_int_equal(rc, n <= strlen("#HttpOnly_") ? 0 : n <= name ? -EINVAL : 1);
        assert_int_equal(jar.n, rc == 1);
        hail_cookie_jar_free(&jar);
    }
}

static void test_bounds(void **state)
{
    static char line[2 * HAIL_COOKIE_MAX];
    struct hail_cookie_jar jar = {0};
    (void)state;
    for (int over = 0; over < 2; over++) {
        int n = snprintf(line, sizeof line, "%0*d\tFALSE\t/\tFALSE\t0\tn\tv",
                         HAIL_URL_HOST_MAX + over, 1);
        assert_int_equal(read_line(&jar, line, (size_t)n), over ? -EINVAL : 1);
        n = snprintf(line, sizeof line, "h\tFALSE\t/%0*d\tFALSE\t0\tn\tv", 1023 + over, 1);
        assert_int_equal(read_line(&jar, line, (size_t)n), over ? -EINVAL : 1);
        n = snprintf(line, sizeof line, "h\tFALSE\t/\tFALSE\t0\tn\t%0*d",
                     HAIL_COOKIE_MAX - 1 + over, 1);
        assert_int_equal(read_line(&jar, line, (size_t)n), over ? -EINVAL : 1);
    }
    hail_cookie_jar_free(&jar);
}

/* An expired line removes its like, and one that is newer replaces it. */
static void test_later_lines(void **state)
{
    struct hail_cookie_jar jar = {0};
    struct hail_buf b;
    (void)state;
    assert_int_equal(read_line(&jar, L("h\tFALSE\t/\tFALSE\t0\tn\t1")), 1);
    assert_int_equal(read_line(&jar, L("h\tFALSE\t/\tFALSE\t0\tm\t2")), 1);
    assert_int_equal(read_line(&jar, L("h\tFALSE\t/\tFALSE\t0\tn\t3")), 1);
    assert_string_equal(written(&jar, &b), "h\tFALSE\t/\tFALSE\t0\tn\t3\n"
                                           "h\tFALSE\t/\tFALSE\t0\tm\t2\n");
    hail_buf_free(&b);
    assert_int_equal(read_line(&jar, L("h\tFALSE\t/\tFALSE\t1\tn\t3")), 1);
    assert_string_equal(written(&jar, &b), "h\tFALSE\t/\tFALSE\t0\tm\t2\n");
    hail_buf_free(&b);
    hail_cookie_jar_free(&jar);
}

/* No field can bring a line into the file that is not its own. */
static void test_fields_stay_in_their_line(void **state)
{
    static const char *const fields[] = {
        "a=b\tc",
        "a=\"b\"; Path=/\tTRUE\t0\t__Host-x\ty",
        "=v; HttpOnly; Secure",
        "#x=y; Domain=a.example",
        "a=1; Path=/%0a; Max-Age=5",
    };
    struct hail_url u;
    struct hail_cookie_jar jar = {0}, back = {0};
    struct hail_buf b, again;
    (void)state;
    assert_int_equal(hail_url_parse(NULL, &u, "https://a.example/"), 0);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_int_equal(hail_cookie_set(&jar, &u, hail_slice(fields[i]), NOW), HAIL_COOKIE_TAKEN);
    char *text = written(&jar, &b);
    for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        assert_int_equal(read_line(&back, line, strlen(line)), 1);
    written(&jar, &again);
    hail_buf_free(&b);
    assert_string_equal(written(&back, &b), again.p);
    hail_buf_free(&b);
    hail_buf_free(&again);
    hail_cookie_jar_free(&jar);
    hail_cookie_jar_free(&back);
}

static int read_and_write(const void *arg)
{
    struct hail_cookie_jar jar = {0};
    struct hail_buf b;
    hail_buf_init(&b, 4096);
    int rc = hail_cookie_line(&jar, hail_slice(arg), NOW);
    int more = hail_cookie_line(&jar, hail_slice("h\tFALSE\t/\tFALSE\t0\tm\tv"), NOW);
    rc = rc < 0 ? rc : more;
    rc = rc < 0 ? rc : hail_cookie_put_lines(&jar, NOW, &b);
    assert_int_equal(rc, has_failed() ? -ENOMEM : 0);
    hail_buf_free(&b);
    hail_cookie_jar_free(&jar);
    return rc;
}

static void test_without_memory(void **state)
{
    (void)state;
    each_call_fails(read_and_write, "h\tFALSE\t/\tFALSE\t0\tn\tv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_later_lines),
        cmocka_unit_test(test_fields_stay_in_their_line),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
