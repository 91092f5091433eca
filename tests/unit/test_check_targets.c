/* test_check_targets.c - targets as they are written, files of them, and what /probe may check.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "check/targets.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- one target --- */

static const struct row {
    const char *text, *protocol; /* protocol: a setting, NULL: none */
    const char *host;            /* NULL: is refused */
    const char *path;
    enum hail_hello_kind kind;
    uint16_t port;
    bool tls, udp;
} rows[] = {
    {"mail.example:25", NULL, "mail.example", NULL, HAIL_HELLO_SMTP, 25, false, false},
    {"smtp://mail.example", NULL, "mail.example", NULL, HAIL_HELLO_SMTP, 25, false, false},
    {"SMTP://mail.example:2525/", NULL, "mail.example", NULL, HAIL_HELLO_SMTP, 2525, false, false},
    {"smtps://m", NULL, "m", NULL, HAIL_HELLO_SMTP, 465, true, false},
    {"submissions://m", NULL, "m", NULL, HAIL_HELLO_SMTP, 465, true, false},
    {"submission://m", NULL, "m", NULL, HAIL_HELLO_SMTP, 587, false, false},
    {"ftp://m", NULL, "m", NULL, HAIL_HELLO_FTP, 21, false, false},
    {"ftps://m", NULL, "m", NULL, HAIL_HELLO_FTP, 990, true, false},
    {"ssh://m", NULL, "m", NULL, HAIL_HELLO_SSH, 22, false, false},
    {"telnet://m", NULL, "m", NULL, HAIL_HELLO_TELNET, 23, false, false},
    {"pop3://m", NULL, "m", NULL, HAIL_HELLO_POP3, 110, false, false},
    {"pop3s://m", NULL, "m", NULL, HAIL_HELLO_POP3, 995, true, false},
    {"imap://m", NULL, "m", NULL, HAIL_HELLO_IMAP, 143, false, false},
    {"imaps://m", NULL, "m", NULL, HAIL_HELLO_IMAP, 993, true, false},
    {"nntp://m", NULL, "m", NULL, HAIL_HELLO_NNTP, 119, false, false},
    {"nntps://m", NULL, "m", NULL, HAIL_HELLO_NNTP, 563, true, false},
    {"postgres://m", NULL, "m", NULL, HAIL_HELLO_POSTGRES, 5432, false, false},
    {"mysql://m", NULL, "m", NULL, HAIL_HELLO_MYSQL, 3306, false, false},
    {"redis://m", NULL, "m", NULL, HAIL_HELLO_REDIS, 6379, false, false},
    {"rediss://m:1", NULL, "m", NULL, HAIL_HELLO_REDIS, 1, true, false},
    {"memcached://m", NULL, "m", NULL, HAIL_HELLO_MEMCACHED, 11211, false, false},
    {"mqtt://m", NULL, "m", NULL, HAIL_HELLO_MQTT, 1883, false, false},
    {"mqtts://m", NULL, "m", NULL, HAIL_HELLO_MQTT, 8883, true, false},
    {"lmtp://m:24", NULL, "m", NULL, HAIL_HELLO_LMTP, 24, false, false},
    {"dns://m", NULL, "m", NULL, HAIL_HELLO_DNS, 53, false, true},
    {"ntp://m", NULL, "m", NULL, HAIL_HELLO_NTP, 123, false, true},
    {"m:53", NULL, "m", NULL, HAIL_HELLO_DNS, 53, false, true},
    {"udp:m:53", NULL, "m", NULL, HAIL_HELLO_DNS, 53, false, true},
    {"tcp:m:53", NULL, "m", NULL, HAIL_HELLO_DNS, 53, false, false},
    {"tcp://m:7", NULL, "m", NULL, HAIL_HELLO_NONE, 7, false, false},
    {"tls://m:7", NULL, "m", NULL, HAIL_HELLO_NONE, 7, true, false},
    {"tls:m:7", NULL, "m", NULL, HAIL_HELLO_NONE, 7, true, false},
    {"tls:m:443", NULL, "m", NULL, HAIL_HELLO_HTTP, 443, true, false},
    {"tls:m:2525", "smtp", "m", NULL, HAIL_HELLO_SMTP, 2525, true, false},
    {"m", "imaps", "m", NULL, HAIL_HELLO_IMAP, 993, true, false},
    {"m:1", "dns", "m", NULL, HAIL_HELLO_DNS, 1, false, true},
    {"[::1]:22", NULL, "::1", NULL, HAIL_HELLO_SSH, 22, false, false},
    {"unix:/run/s", NULL, "localhost", NULL, HAIL_HELLO_NONE, 0, false, false},
    {"unix:/run/s", "redis", "localhost", NULL, HAIL_HELLO_REDIS, 0, false, false},
    {"http://h", NULL, "h", "/", HAIL_HELLO_HTTP, 80, false, false},
    {"https://h/a?b=c#d", NULL, "h", "/a?b=c", HAIL_HELLO_HTTP, 443, true, false},
    {"HTTPS://H:8443/a b", NULL, "h", "/a%20b", HAIL_HELLO_HTTP, 8443, true, false},
    {"http://[::1]:8080/", NULL, "::1", "/", HAIL_HELLO_HTTP, 8080, false, false},
    {"http://0x7f.1/", NULL, "127.0.0.1", "/", HAIL_HELLO_HTTP, 80, false, false},
    {"http://u:p@h/", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"http://", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"gopher://h", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"://h", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"smtp://", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"smtp://h/path", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"smtp://h:99999", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"h:0x", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"udp:h:25", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"a b", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
    {"", NULL, NULL, NULL, HAIL_HELLO_NONE, 0, false, false},
};

static void reads_targets(void **state)
{
    struct check_targets t = {.n = 0};
    (void)state;
    assert_int_equal(check_targets_init(&t), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        struct check_settings s = check_defaults;
        struct check_target v = {.bare = false};
        char why[CHECK_WHY] = "";
        size_t column;
        if (r->protocol)
            assert_int_equal(check_set(&s, t.pool, "protocol", r->protocol, why), 0);
        int rc =
            check_target_parse(&t, guarded(r->text, strlen(r->text) + 1), &s, &v, why, &column);
        if (!r->host) {
            if (rc != -EINVAL || !*why)
                fail_msg("'%s' is taken", r->text);
            continue;
        }
        if (rc < 0)
            fail_msg("'%s': %s", r->text, why);
        struct hail_endpoint to = check_endpoint(&v);
        if (strcmp(v.host, r->host) != 0 || to.port != r->port || v.kind != r->kind ||
            v.tls != r->tls || (to.transport == HAIL_UDP) != r->udp || v.bare ||
            strcmp(v.path ? v.path : "", r->path ? r->path : "") != 0 ||
            strcmp(v.text, r->text) != 0)
            fail_msg("'%s': %s port %d, %s tls %d, path %s", r->text, v.host, to.port,
                     hail_hello_name(v.kind), v.tls, v.path ? v.path : "none");
    }
    check_targets_free(&t);
}

static void knows_a_host_alone(void **state)
{
    struct check_targets t = {.n = 0};
    struct check_target v;
    char why[CHECK_WHY];
    size_t column;
    (void)state;
    assert_int_equal(check_targets_init(&t), 0);
    assert_int_equal(check_target_parse(&t, "h", &check_defaults, &v, why, &column), 0);
    assert_true(v.bare);
    check_targets_free(&t);
}

/* --- files --- */

struct faults {
    char text[4096];
};

static void note(void *arg, size_t line, size_t column, const char *why)
{
    struct faults *f = arg;
    size_t n = strlen(f->text);
    assert_true(line > 0 && column > 0 && *why);
    snprintf(f->text + n, sizeof f->text - n, "%zu:%zu ", line, column);
}

static void reads(struct check_targets *t, struct faults *f, const char *p, size_t n)
{
    f->text[0] = '\0';
    *t = (struct check_targets){.n = 0};
    assert_int_equal(check_targets_init(t), 0);
    assert_int_equal(check_targets_parse(t, guarded(p, n), n, &check_defaults, note, f), 0);
}

static void reads_files(void **state)
{
#define FILE_ROW(text, targets, faults)                                                            \
    {                                                                                              \
        (text), sizeof(text) - 1, (targets), (faults)                                              \
    }
    static const struct {
        const char *text;
        size_t n;
        const char *targets, *faults;
    } files[] = {
        FILE_ROW("", "", ""),
        FILE_ROW("\xEF\xBB\xBF", "", ""),
        FILE_ROW("\xEF\xBB\xBFh:25", "h:25 ", ""),
        FILE_ROW("# only\r\n\r\n \t\n", "", ""),
        FILE_ROW("h:25\nh:25\n", "h:25 h:25 ", ""),
        FILE_ROW("h:25\r\nh:22\r", "h:25 h:22 ", ""),
        FILE_ROW("h:25 # comment\n", "h:25 ", ""),
        FILE_ROW("h:25 \\\n  warn-days=1\nh:22", "h:25 h:22 ", ""),
        FILE_ROW("h:25 \\\r\n  nme=1\nh:22", "h:22 ", "2:3 "),
        FILE_ROW("h:25\\\nwarn-days=x\n", "", "2:1 "),
        FILE_ROW("h:25 \\", "", "1:6 "),
        FILE_ROW("\"h:25\" name=\"a \\\" \\\\ b\"", "h:25 ", ""),
        FILE_ROW("h:25 name=\"open\nh:22", "h:22 ", "1:6 "),
        FILE_ROW("h:25 name=\"\xC3\xA4\xC3\xB6\" bad\n", "", "1:16 "),
        FILE_ROW("h:25 =x\n", "", "1:6 "),
        FILE_ROW("h:25 \0\nh:22", "h:22 ", "1:6 "),
        FILE_ROW("h:25 module=m\nmodule m\nh:22 module=m", "h:22 ", "1:13 "),
        FILE_ROW("module m\nmodule m warn-days=1\nmodule\n", "", "2:8 3:1 "),
        FILE_ROW("module m\nh:25 warn-days=1 module=m\n", "", "2:18 "),
        FILE_ROW("default warn-days=x\nh:25", "h:25 ", "1:9 "),
        FILE_ROW("allow\nallow a b\nallow a module=x\nallow a\n", "", "1:1 2:9 3:16 "),
        FILE_ROW("smtp://h:x\nh\n", "", "1:8 2:1 "),
        FILE_ROW("\"\"\nh:25", "h:25 ", "1:1 "),
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct check_targets t;
        struct faults f;
        char got[200] = "";
        reads(&t, &f, files[i].text, files[i].n);
        for (size_t k = 0; k < t.n; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", t.v[k].text);
        if (strcmp(got, files[i].targets) != 0 || strcmp(f.text, files[i].faults) != 0)
            fail_msg("file %zu, '%s': targets %s, faults %s", i, files[i].text, got, f.text);
        check_targets_free(&t);
    }
}

static const char WHOLE[] = "module web protocol=http expect-status=200 header=\"A: b\"\n"
                            "default timeout=3s label.site=x\n"
                            "allow https://*.example/* module=web\n"
                            "allow mail.example:*\n"
                            "a:80 module=web label.a=1 name=\"the web\"\n"
                            "b:25 warn-days=3\nc:25 warn-days=3\nd:25\ne:25\n"
                            "default timeout=4s\nf:25\n"
                            "g:7 send=PING expect=PONG\n";

static void keeps_what_lines_say(void **state)
{
    struct check_targets t;
    struct faults f;
    (void)state;
    reads(&t, &f, WHOLE, sizeof WHOLE - 1);
    assert_string_equal(f.text, "");
    assert_int_equal(t.n, 7);
    assert_string_equal(t.v[0].set->module, "web");
    assert_string_equal(t.v[0].set->name, "the web");
    assert_int_equal(t.v[0].set->timeout_ms, 10000);
    assert_int_equal(t.v[0].set->nlabels, 1);
    assert_int_equal(t.v[1].set->timeout_ms, 3000);
    assert_ptr_equal(t.v[1].set, t.v[2].set); /* written alike: shared */
    assert_ptr_not_equal(t.v[2].set, t.v[3].set);
    assert_ptr_equal(t.v[3].set, t.v[4].set);
    assert_int_equal(t.v[3].set->warn_days, 0);
    assert_int_equal(t.v[5].set->timeout_ms, 4000); /* another default: not shared */
    assert_int_equal(t.v[5].set->nlabels, 1);
    assert_int_equal(t.v[6].kind, HAIL_HELLO_SCRIPT);
    assert_non_null(check_find_module(&t, "web"));
    assert_null(check_find_module(&t, "we"));
    check_targets_free(&t);
}

static void allows_what_is_written(void **state)
{
    static const struct {
        const char *text, *module;
        bool allowed, listed;
    } asked[] = {
        {"a:80", NULL, true, true},
        {"a:80", "web", true, true},
        {"the web", NULL, true, true},
        {"a:80", "other", false, false},
        {"b:25", NULL, true, true},
        {"b:25", "web", false, false},
        {"B:25", NULL, false, false},
        {"b:025", NULL, false, false},
        {"smtp://b:25", NULL, false, false},
        {"https://x.example/y/z", "web", true, false},
        {"https://x.example/", NULL, false, false},
        {"https://x.example.evil/", "web", false, false},
        {"http://x.example/", "web", false, false},
        {"mail.example:2525", NULL, true, false},
        {"mail.example:2525", "web", true, false},
        {"xmail.example:25", NULL, false, false},
        {"", NULL, false, false},
    };
    struct check_targets t;
    struct faults f;
    (void)state;
    reads(&t, &f, WHOLE, sizeof WHOLE - 1);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const struct check_target *listed;
        bool allowed = check_allowed(&t, asked[i].text, asked[i].module, &listed);
        if (allowed != asked[i].allowed || (listed != NULL) != asked[i].listed)
            fail_msg("%s by %s: %d, %d", asked[i].text, asked[i].module ? asked[i].module : "none",
                     allowed, listed != NULL);
        assert_int_equal(check_allowed(&t, asked[i].text, asked[i].module, NULL), allowed);
    }
    check_targets_free(&t);
}

/* A line that fills its buffer to the last byte, and goes on with words that are empty. */
static void bounds_a_line(void **state)
{
    (void)state;
    for (size_t n = CHECK_TARGETS_LINE - 20; n < CHECK_TARGETS_LINE + 4; n++) {
        char text[CHECK_TARGETS_LINE + 100];
        struct check_targets t;
        struct faults f;
        size_t at = (size_t)snprintf(text, sizeof text, "h:25 name=");
        memset(text + at, 'x', n - at);
        memcpy(text + n, " \"\" \"\" \"\" bad\nh:22\n", 20);
        reads(&t, &f, text, n + 19);
        assert_int_equal(t.n, 1);
        assert_string_equal(t.v[0].text, "h:22");
        assert_int_equal(t.faults, 1);
        check_targets_free(&t);
    }
    struct check_targets t = {.n = 0};
    assert_int_equal(
        check_targets_parse(&t, "", CHECK_TARGETS_FILE + 1, &check_defaults, NULL, NULL),
        -EMSGSIZE);
}

/* Every front of a file is read without reading past it. */
static void reads_any_front(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof WHOLE; n++) {
        struct check_targets t;
        struct faults f;
        reads(&t, &f, WHOLE, n);
        check_targets_free(&t);
    }
}

static void reads_many(void **state)
{
    enum { LINES = 50000 };
    struct hail_buf b;
    struct check_targets t = {.n = 0};
    (void)state;
    hail_buf_init(&b, CHECK_TARGETS_FILE);
    hail_buf_str(&b, "module web warn-days=14\n");
    for (int i = 0; i < LINES; i++)
        hail_buf_printf(&b, "http://host%d.example/health module=web\n", i);
    assert_int_equal(b.failed, 0);
    assert_int_equal(check_targets_init(&t), 0);
    assert_int_equal(check_targets_parse(&t, b.p, b.len, &check_defaults, NULL, NULL), 0);
    assert_int_equal(t.n, LINES);
    assert_int_equal(t.faults, 0);
    assert_ptr_equal(t.v[0].set, t.v[LINES - 1].set);
    check_targets_free(&t);
    hail_buf_free(&b);
}

static int reads_whole(const void *arg)
{
    struct check_targets t = {.n = 0};
    int rc = check_targets_init(&t);
    (void)arg;
    if (rc == 0)
        rc = check_targets_parse(&t, WHOLE, sizeof WHOLE - 1, &check_defaults, NULL, NULL);
    assert_true(rc == -ENOMEM || (rc == 0 && t.faults == 0 && t.n == 7));
    check_targets_free(&t);
    return rc;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    each_call_fails(reads_whole, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_targets),
        cmocka_unit_test(knows_a_host_alone),
        cmocka_unit_test(reads_files),
        cmocka_unit_test(keeps_what_lines_say),
        cmocka_unit_test(allows_what_is_written),
        cmocka_unit_test(bounds_a_line),
        cmocka_unit_test(reads_any_front),
        cmocka_unit_test(reads_many),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
