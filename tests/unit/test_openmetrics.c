/* test_openmetrics.c - the writer of metrics (cmd/openmetrics.h): both formats to the byte, what is
 * escaped, numbers, and what a client accepts. */
#include "openmetrics.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct hail_buf buf;
static struct openmetrics m;

static void begin(bool open)
{
    hail_buf_init(&buf, 4096);
    openmetrics_begin(&m, &buf, open, "x_");
}

static void expect(const char *text)
{
    assert_int_equal(buf.failed, 0);
    assert_string_equal(buf.p, text);
    hail_buf_free(&buf);
}

static void put_each(void)
{
    openmetrics_counter(&m, "seen", "What was seen.", 18446744073709551615u);
    openmetrics_gauge(&m, "now", "What is.", 0);
    openmetrics_family(&m, "made", OPENMETRICS_INFO, "By whom.");
    openmetrics_put_count(&m, (const struct openmetrics_label[]){{"by", "us"}, {"at", ""}, {0}}, 1);
    openmetrics_family(&m, "took_seconds", OPENMETRICS_HISTOGRAM, "Time.");
    openmetrics_put_bucket(&m, NULL, "0.5", 1);
    openmetrics_put_bucket(&m, (const struct openmetrics_label[]){{"a", "b"}, {0}}, "+Inf", 2);
    openmetrics_put_sum_ns(&m, NULL, 1000000001, 2);
    openmetrics_end(&m);
}

static void test_openmetrics(void **state)
{
    (void)state;
    begin(true);
    put_each();
    expect("# HELP x_seen What was seen.\n# TYPE x_seen counter\n"
           "x_seen_total 18446744073709551615\n"
           "# HELP x_now What is.\n# TYPE x_now gauge\nx_now 0\n"
           "# HELP x_made By whom.\n# TYPE x_made info\nx_made_info{by=\"us\",at=\"\"} 1\n"
           "# HELP x_took_seconds Time.\n# TYPE x_took_seconds histogram\n"
           "x_took_seconds_bucket{le=\"0.5\"} 1\n"
           "x_took_seconds_bucket{a=\"b\",le=\"+Inf\"} 2\n"
           "x_took_seconds_sum 1.000000001\nx_took_seconds_count 2\n# EOF\n");
}

static void test_older(void **state)
{
    (void)state;
    begin(false);
    put_each();
    expect("# HELP x_seen_total What was seen.\n# TYPE x_seen_total counter\n"
           "x_seen_total 18446744073709551615\n"
           "# HELP x_now What is.\n# TYPE x_now gauge\nx_now 0\n"
           "# HELP x_made_info By whom.\n# TYPE x_made_info gauge\n"
           "x_made_info{by=\"us\",at=\"\"} 1\n"
           "# HELP x_took_seconds Time.\n# TYPE x_took_seconds histogram\n"
           "x_took_seconds_bucket{le=\"0.5\"} 1\n"
           "x_took_seconds_bucket{a=\"b\",le=\"+Inf\"} 2\n"
           "x_took_seconds_sum 1.000000001\nx_took_seconds_count 2\n");
}

static void test_escapes(void **state)
{
    (void)state;
    begin(true);
    openmetrics_family(&m, "a", OPENMETRICS_GAUGE, "\"q\" \\ \n");
    openmetrics_put_count(
        &m, (const struct openmetrics_label[]){{"l", "\"\\\n\x1b\xC3\xA4\xFF\xC3"}, {0}}, 1);
    expect("# HELP x_a \\\"q\\\" \\\\ \\n\n# TYPE x_a gauge\n"
           "x_a{l=\"\\\"\\\\\\n\x1b\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\"} 1\n");
    begin(false); /* quotes stay as they are in its HELP */
    openmetrics_family(&m, "a", OPENMETRICS_GAUGE, "\"q\" \\ \n");
    expect("# HELP x_a \"q\" \\\\ \\n\n# TYPE x_a gauge\n");
}

static void test_numbers(void **state)
{
    static const double v[] = {0, 0.1, -1.5, 1e300, 1767225600, 1.0 / 3, NAN, INFINITY, -INFINITY};
    (void)state;
    begin(false);
    openmetrics_family(&m, "n", OPENMETRICS_GAUGE, "N.");
    hail_buf_clear(&buf);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        openmetrics_put(&m, NULL, v[i]);
    expect("x_n 0\nx_n 0.1\nx_n -1.5\nx_n 1e+300\nx_n 1767225600\nx_n 0.3333333333333333\n"
           "x_n NaN\nx_n +Inf\nx_n -Inf\n");
}

static void test_bound(void **state)
{
    (void)state;
    hail_buf_init(&buf, 64);
    openmetrics_begin(&m, &buf, true, "x_");
    put_each();
    assert_int_equal(buf.failed, -EMSGSIZE);
    hail_buf_free(&buf);
}

static bool accepted(const char *accept)
{
    struct hail_http_field field = {hail_slice("Accept"), hail_slice(accept)};
    const struct hail_http_fields fields = {&field, 1, 1};
    return openmetrics_accepted(&fields);
}

static void test_accept(void **state)
{
    (void)state;
    const struct hail_http_fields none = {0};
    assert_false(openmetrics_accepted(&none));
    assert_false(accepted("*/*"));
    assert_false(accepted("text/plain"));
    assert_true(accepted("application/openmetrics-text;version=1.0.0,*/*;q=0.1"));
    assert_true(accepted("application/openmetrics-text;q=0.5,text/plain;q=0.2"));
    assert_false(accepted("application/openmetrics-text;q=0.2,text/plain;q=0.5"));
    assert_non_null(strstr(openmetrics_content_type(true), "openmetrics-text; version=1.0.0"));
    assert_non_null(strstr(openmetrics_content_type(false), "text/plain; version=0.0.4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openmetrics), cmocka_unit_test(test_older),
        cmocka_unit_test(test_escapes),     cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_bound),       cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
