/* test_check_settings.c - settings of `hail check` by their names: what each takes, what it does
 * not, what is inherited, and every allocation failing.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "check/settings.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct check_pool *pool;

static int pool_new(void **state)
{
    (void)state;
    pool = check_pool_new();
    return pool ? 0 : -1;
}

static int pool_free(void **state)
{
    (void)state;
    check_pool_free(pool);
    return 0;
}

static int set(struct check_settings *s, const char *name, const char *value)
{
    char why[CHECK_WHY] = "";
    int rc = check_set(s, pool, name, value ? guarded(value, strlen(value) + 1) : NULL, why);
    assert_true(rc == 0 || rc == -ENOMEM || *why);
    return rc;
}

static void takes_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* 0: is refused */
    } rows[] = {
        {"500ms", 500}, {"2s", 2000}, {"1.5", 1500},      {"3m", 180000}, {"1h", 3600000},
        {".5", 500},    {"0.1ms", 1}, {"1.5s", 1500},     {"10", 10000},  {"0", 0},
        {"", 0},        {"s", 0},     {"-1", 0},          {"+1", 0},      {" 1", 0},
        {"1 s", 0},     {"1d", 0},    {"0x10", 0},        {"1e3", 0},     {"nan", 0},
        {"inf", 0},     {"1.2.3", 0}, {"99999999999", 0}, {"1s2", 0},     {"1ms ", 0},
    };
    static const char *const names[] = {"timeout", "greeting", "every", "warn-time"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < 4; k++) {
            struct check_settings s = check_defaults;
            const int64_t *fields[] = {&s.timeout_ms, &s.greeting_ms, &s.every_ms, &s.warn_ms};
            int64_t before = *fields[k];
            int rc = set(&s, names[k], rows[i].text);
            if (rc != (rows[i].ms ? 0 : -EINVAL) ||
                *fields[k] != (rows[i].ms ? rows[i].ms : before))
                fail_msg("%s=%s: %d, %lld", names[k], rows[i].text, rc, (long long)*fields[k]);
        }
}

static void takes_statuses(void **state)
{
    static const struct {
        const char *text, *ranges; /* NULL: is refused */
    } rows[] = {
        {"200", "200-200 "},
        {"2xx", "200-299 "},
        {"4XX", "400-499 "},
        {"300-399", "300-399 "},
        {"200,300-399,2xx", "200-200 300-399 200-299 "},
        {"999", "999-999 "},
        {"", NULL},
        {"20", NULL},
        {"1000", NULL},
        {"0xx", NULL},
        {"2x", NULL},
        {"2xxx", NULL},
        {"399-300", NULL},
        {"200-", NULL},
        {"-200", NULL},
        {"200,", NULL},
        {",200", NULL},
        {"200,,201", NULL},
        {"200 201", NULL},
        {"200-300-400", NULL},
        {"+200", NULL},
        {"100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct check_settings s = check_defaults;
        char out[200] = "";
        int rc = set(&s, "expect-status", rows[i].text);
        for (size_t k = 0; k < s.nstatus; k++)
            snprintf(out + strlen(out), sizeof out - strlen(out), "%d-%d ", s.status[k][0],
                     s.status[k][1]);
        if (rc != (rows[i].ranges ? 0 : -EINVAL) ||
            strcmp(out, rows[i].ranges ? rows[i].ranges : "") != 0)
            fail_msg("%s: %d, %s", rows[i].text, rc, out);
    }
}

/* What is taken, and what is refused with a word of the reason. */
static const struct {
    const char *name, *value, *why; /* NULL: is taken */
} readings[] = {
    {"protocol", "smtp", NULL},
    {"protocol", "IMAPS", NULL},
    {"protocol", "gopher", "no protocol"},
    {"protocol", NULL, "wants a value"},
    {"tls", NULL, NULL},
    {"tls", "on", NULL},
    {"tls", "off", NULL},
    {"tls", "maybe", "off or on"},
    {"starttls", NULL, NULL},
    {"starttls", "try", NULL},
    {"starttls", "never", NULL},
    {"starttls", "require", NULL},
    {"starttls", "", "try, never or require"},
    {"family", "4", NULL},
    {"family", "6", NULL},
    {"family", "5", "4 or 6"},
    {"all-addresses", NULL, NULL},
    {"all-addresses", "on", "takes no value"},
    {"insecure", NULL, NULL},
    {"insecure", "", "takes no value"},
    {"warn-days", "14", NULL},
    {"warn-days", "0", "from 1"},
    {"warn-days", "-1", "number of days"},
    {"warn-days", "14d", "number of days"},
    {"warn-days", "99999999999999999999", "number of days"},
    {"warn-days", " 1", "number of days"},
    {"method", "GET", NULL},
    {"method", "", "a method"},
    {"method", "GE T", "a method"},
    {"method", "GET\r\n", "a method"},
    {"header", "X-A: b", NULL},
    {"header", "X-A:", NULL},
    {"header", "X-A:\tb", NULL},
    {"header", "X-A", "a field"},
    {"header", ": b", "a field"},
    {"header", "X A: b", "a field"},
    {"header", "X-A : b", "a field"},
    {"header", "X-A: b\r\nX-B: c", "a field"},
    {"header", "X-A: b\n", "a field"},
    {"header", "X-A: \x7F", "a field"},
    {"expect-body", "^ok$", NULL},
    {"expect-body", "(", "an expression"},
    {"reject-body", "a{2}", NULL},
    {"reject-body", "\\1", "an expression"},
    {"query", "example.org", NULL},
    {"query", "example.org/MX", NULL},
    {"query", "example.org/mx", NULL},
    {"query", "", "a name"},
    {"query", "/MX", "a name"},
    {"query", "example.org/NONE", "a name"},
    {"send", "PING\\r\\n\\c", NULL},
    {"send", "\\q", "send:"},
    {"expect", "^\\+PONG", NULL},
    {"expect", "[", "expect:"},
    {"reject", "^-", NULL},
    {"name", "the mail", NULL},
    {"label.team", "a", NULL},
    {"label._a9", "", NULL},
    {"label.team", NULL, "wants a value"},
    {"label.", "a", "label's name"},
    {"label.9a", "a", "label's name"},
    {"label.a-b", "a", "label's name"},
    {"label.__x", "a", "label's name"},
    {"label.target", "a", "label's name"},
    {"label.module", "a", "label's name"},
    {"label.name", "a", "label's name"},
    {"label.\xC3\xA4", "a", "label's name"},
    {"timout", "1", "did you mean 'timeout'"},
    {"warn_days", "1", "did you mean 'warn-days'"},
    {"zzzzzzzz", "1", "there is no setting"},
    {"", NULL, "there is no setting"},
};

static void takes_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        struct check_settings s = check_defaults;
        char why[CHECK_WHY] = "";
        int rc = check_set(&s, pool, readings[i].name, readings[i].value, why);
        bool refused = rc == -EINVAL || rc == -ENOENT;
        if (readings[i].why ? !refused || !strstr(why, readings[i].why) : rc != 0)
            fail_msg("%s=%s: %d, %s", readings[i].name,
                     readings[i].value ? readings[i].value : "(none)", rc, why);
    }
}

/* A value of any length is refused within `why`. */
static void bounds_what_it_says(void **state)
{
    static const char *const names[] = {"protocol",      "tls",         "timeout",
                                        "warn-days",     "method",      "header",
                                        "expect-status", "expect-body", "query"};
    char value[3000];
    (void)state;
    memset(value, '(', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct check_settings s = check_defaults;
        char why[CHECK_WHY];
        assert_int_equal(check_set(&s, pool, names[i], value, why), -EINVAL);
        assert_true(memchr(why, '\0', sizeof why) != NULL);
    }
    struct check_settings s = check_defaults;
    char why[CHECK_WHY];
    assert_int_equal(check_set(&s, pool, value, NULL, why), -ENOENT);
}

static void keeps_the_order_of_a_script(void **state)
{
    struct check_settings s = check_defaults;
    (void)state;
    assert_int_equal(set(&s, "send", "a\\x41"), 0);
    assert_int_equal(set(&s, "reject", "b"), 0);
    assert_int_equal(set(&s, "expect", "c"), 0);
    assert_int_equal(s.script->n, 3);
    assert_int_equal(s.script->v[0].verb, HAIL_SCRIPT_SEND);
    assert_memory_equal(s.script->v[0].text, "aA", 2);
    assert_int_equal(s.script->v[1].verb, HAIL_SCRIPT_REJECT);
    assert_int_equal(s.script->v[2].verb, HAIL_SCRIPT_EXPECT);
}

/* What is said below does not change what is above. */
static void inherits(void **state)
{
    struct check_settings base = check_defaults;
    (void)state;
    assert_int_equal(set(&base, "send", "a"), 0);
    assert_int_equal(set(&base, "header", "A: 1"), 0);
    assert_int_equal(set(&base, "label.a", "1"), 0);
    assert_int_equal(set(&base, "name", "n"), 0);
    struct check_settings s = check_derive(&base);
    assert_null(s.name);
    assert_ptr_equal(s.script, base.script);
    assert_int_equal(set(&s, "send", "b"), 0);
    assert_int_equal(set(&s, "header", "B: 2"), 0);
    assert_int_equal(set(&s, "label.a", "2"), 0);
    assert_int_equal(set(&s, "label.b", "3"), 0);
    assert_string_equal(s.fields, "A: 1\r\nB: 2\r\n");
    assert_string_equal(base.fields, "A: 1\r\n");
    assert_int_equal(base.script->n, 1);
    assert_int_equal(s.script->n, 1);
    assert_string_equal(s.script->v[0].text, "b");
    assert_int_equal(base.nlabels, 1);
    assert_string_equal(base.labels[0].value, "1");
    assert_int_equal(s.nlabels, 2);
    assert_string_equal(s.labels[0].value, "2");
}

static void has_room_for_labels(void **state)
{
    struct check_settings s = check_defaults;
    char name[24];
    (void)state;
    for (int i = 0; i <= CHECK_LABELS; i++) {
        snprintf(name, sizeof name, "label.l%d", i);
        assert_int_equal(set(&s, name, "x"), i < CHECK_LABELS ? 0 : -EINVAL);
    }
}

static int sets_all(const void *arg)
{
    static const char *const rows[][2] = {
        {"header", "A: b"}, {"expect-body", "x"}, {"send", "a"},    {"expect", "b"},
        {"query", "a/MX"},  {"label.a", "b"},     {"cacert", "/x"}, {"method", "GET"},
        {"name", "n"},      {"alpn", "h2"},       {"key", "k"},     {"servername", "s"},
    };
    struct check_settings s = check_defaults;
    struct check_pool *p = check_pool_new();
    char why[CHECK_WHY];
    int rc = p ? 0 : -ENOMEM;
    (void)arg;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rc == 0; i++)
        rc = check_set(&s, p, rows[i][0], rows[i][1], why);
    assert_true(rc == 0 || rc == -ENOMEM);
    check_pool_free(p);
    return rc;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    each_call_fails(sets_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_times),
        cmocka_unit_test(takes_statuses),
        cmocka_unit_test(takes_and_refuses),
        cmocka_unit_test(bounds_what_it_says),
        cmocka_unit_test(keeps_the_order_of_a_script),
        cmocka_unit_test(inherits),
        cmocka_unit_test(has_room_for_labels),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, pool_new, pool_free);
}
