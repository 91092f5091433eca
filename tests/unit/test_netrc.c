/* test_netrc.c - the .netrc as netrc(5) and its readers have it: entries, defaults, macros, quotes,
 * comments, and files that are malformed.
 */
#include "proto/challenge.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "user/password"; "": not there; NULL: malformed, in this line. */
static const struct {
    const char *text, *host, *user, *want;
    unsigned line;
} files[] = {
    {"", "h", "", "", 0},
    {"\n\n", "h", "", "", 0},
    {"machine h login u password p", "h", "", "u/p", 0},
    {"machine h password p login u\n", "h", "", "u/p", 0},
    {"machine h\n\tlogin u\n\tpassword p\n", "h", "", "u/p", 0},
    {"machine h\r\nlogin u\r\npassword p\r\n", "h", "", "u/p", 0},
    {"machine H.Example login u password p", "h.example", "", "u/p", 0},
    {"machine h login u", "h", "", "u/", 0},
    {"machine h password p", "h", "", "/p", 0},
    {"machine h", "h", "", "", 0},
    {"machine h account a", "h", "", "", 0},
    {"machine h login u password p account a", "h", "", "u/p", 0},
    {"machine h login u login v password p", "h", "", "v/p", 0},
    {"machine other login u password p", "h", "", "", 0},
    {"machine hh login u password p", "h", "", "", 0},
    {"machine o login x password y machine h login u password p", "h", "", "u/p", 0},
    {"machine h login u password p machine h login v password q", "h", "", "u/p", 0},
    {"machine h machine h login v password q", "h", "", "v/q", 0},
    /* a certain user */
    {"machine h login u password p machine h login v password q", "h", "v", "v/q", 0},
    {"machine h login u password p", "h", "v", "", 0},
    {"machine h password p", "h", "v", "", 0},
    {"machine h login U password p", "h", "u", "", 0},
    /* the default */
    {"default login d password e", "h", "", "d/e", 0},
    {"machine h login u password p default login d password e", "h", "", "u/p", 0},
    {"machine o login u password p default login d password e", "h", "", "d/e", 0},
    {"default login d password e machine h login u password p", "h", "", "d/e", 0},
    {"default login d password e machine h login u password p", "h", "u", "u/p", 0},
    {"default", "h", "", "", 0},
    /* comments stand where a keyword may */
    {"# machine h login x password y\nmachine h login u password p", "h", "", "u/p", 0},
    {"machine h # the host\nlogin u password p", "h", "", "u/p", 0},
    {"machine h login #u password #p", "h", "", "#u/#p", 0},
    {"machine h login u password p#q", "h", "", "u/p#q", 0},
    {"machine h login u password p #end", "h", "", "u/p", 0},
    {"#", "h", "", "", 0},
    /* quotes */
    {"machine h login \"u v\" password \"p \\\"q\\\" \\\\ \\t\"", "h", "", "u v/p \"q\" \\ \t", 0},
    {"machine \"h\" login \"\" password \"p\"", "h", "", "/p", 0},
    {"machine h login u password p\\q", "h", "", "u/p\\q", 0},
    {"machine h login u password p\"q", "h", "", "u/p\"q", 0},
    {"machine h login u password \"a\"machine x", "h", "", "u/a", 0},
    /* macros go to the next empty line */
    {"macdef m\ncd /\nmachine h login x password y\n\nmachine h login u password p", "h", "", "u/p",
     0},
    {"machine h login u password p\nmacdef init\ncd /\n\n", "h", "", "u/p", 0},
    {"macdef m\r\ncd /\r\n\r\nmachine h login u password p\r\n", "h", "", "u/p", 0},
    {"macdef m\n\nmachine h login u password p", "h", "", "u/p", 0},
    {"macdef m\ncd /\nmachine h login u password p", "h", "", "", 0},
    {"macdef", "h", "", "", 0},
    {"macdef m", "h", "", "", 0},
    {"macdef m\r", "h", "", "", 0},
    {"macdef m\n\r", "h", "", "", 0},
    /* malformed */
    {"machine", "h", "", NULL, 1},
    {"machine h login", "h", "", NULL, 1},
    {"machine h\nlogin u\npassword\n", "h", "", NULL, 4},
    {"machine h login u\npasswd p", "h", "", NULL, 2},
    {"Machine h login u password p", "h", "", NULL, 1},
    {"u:p", "h", "", NULL, 1},
    {"\n\nmachine h login \"u", "h", "", NULL, 3},
    {"machine h login \"u\nv\"", "h", "", NULL, 1},
    {"machine h login \"u\\\nv\"", "h", "", NULL, 1},
    {"machine h login \"u\\", "h", "", NULL, 1},
    {"machine h login \"", "h", "", NULL, 1},
    {"machine o login u password p\nnonsense", "h", "", NULL, 2},
    {"machine h login u password p\nnonsense", "h", "", "u/p", 0}, /* behind what is wanted */
    {"machine h login u password p\nmachine o\nnonsense", "h", "", "u/p", 0},
};

static int find(const char *text, size_t n, const char *host, char *user, char *password,
                unsigned *line)
{
    return hail_netrc_find((struct hail_slice){guarded(text, n), n}, host, user, password, line);
}

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char user[HAIL_SECRET_MAX], password[HAIL_SECRET_MAX] = "", got[2 * HAIL_SECRET_MAX] = "";
        unsigned line = 0;
        snprintf(user, sizeof user, "%s", files[i].user);
        int rc = find(files[i].text, strlen(files[i].text), files[i].host, user, password, &line);
        if (rc == 1)
            snprintf(got, sizeof got, "%s/%s", user, password);
        int want = !files[i].want ? -EINVAL : *files[i].want != '\0';
        if (rc != want || (rc >= 0 && strcmp(got, files[i].want) != 0))
            fail_msg("'%s': %d, %s", files[i].text, rc, got);
        if (rc < 0)
            assert_int_equal(line, files[i].line);
        else if (rc == 0)
            assert_string_equal(user, files[i].user); /* left as it was */
    }
}

static void test_nul(void **state)
{
    static const char text[] = "machine h login u\0v password p";
    char user[HAIL_SECRET_MAX] = "", password[HAIL_SECRET_MAX];
    unsigned line;
    (void)state;
    assert_int_equal(find(text, sizeof text - 1, "h", user, password, &line), -EINVAL);
}

static void test_byte_by_byte(void **state)
{
    static const char text[] = "# mine\nmachine h login \"u\\\"v\"\npassword \"p\\n\"\nmacdef m\r\n"
                               "x\r\n\r\ndefault login d # all\n";
    (void)state;
    for (size_t n = 0; n < sizeof text; n++) {
        char user[HAIL_SECRET_MAX] = "", password[HAIL_SECRET_MAX];
        unsigned line = 0;
        int rc = find(text, n, "h", user, password, &line);
        assert_true(rc == 0 || rc == 1 || rc == -EINVAL);
        assert_true(line >= 1 && line <= 8);
        if (rc == 1)
            assert_string_equal(user, "u\"v");
    }
}

static void test_bounds(void **state)
{
    static char text[4 * HAIL_SECRET_MAX];
    (void)state;
    for (int over = 0; over < 2; over++) {
        char user[HAIL_SECRET_MAX] = "", password[HAIL_SECRET_MAX];
        unsigned line;
        int n = snprintf(text, sizeof text, "machine h\nlogin %0*d\npassword \"%0*d\"",
                         HAIL_SECRET_MAX - 1, 1, HAIL_SECRET_MAX - 1 + over, 2);
        assert_int_equal(find(text, (size_t)n, "h", user, password, &line), over ? -EINVAL : 1);
        assert_int_equal(line, 3);
        assert_int_equal(strlen(user), over ? 0 : HAIL_SECRET_MAX - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
