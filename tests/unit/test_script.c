/* test_script.c - written conversations: the form, regular expressions, and what is written
 * read again.
 *
 * link: --wrap=malloc
 * link: --wrap=realloc
 */
#include "proto/script.h"
#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails(ENOMEM) ? NULL : __real_malloc(n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails(ENOMEM) ? NULL : __real_realloc(p, n);
}

/* --- the form --- */

static int parse(struct hail_ctx *ctx, struct hail_script *s, const char *text)
{
    size_t n = strlen(text);
    *s = (struct hail_script){0};
    return hail_script_parse(ctx, s, "f", guarded(text, n), n);
}

static void reads_steps(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s;
    assert_int_equal(parse(&ctx, &s,
                           "# comment\n\n  S: ^220\r\nS+:STARTTLS\n\tC[2s]:  two  \\x41\\r\\c\n"
                           "R: ^[45]\nS[@1.250s,dot 500ms]: \nC:"),
                     0);
    assert_int_equal(s.n, 6);
    const struct {
        enum hail_script_verb verb;
        bool dot, no_end;
        unsigned line;
        int64_t limit_ms;
        const char *text;
        size_t n;
    } want[] = {
        {HAIL_SCRIPT_EXPECT, false, false, 3, 0, "^220", 4},
        {HAIL_SCRIPT_ALSO, false, false, 4, 0, "STARTTLS", 8},
        {HAIL_SCRIPT_SEND, false, true, 5, 2000, " two  A\r", 8},
        {HAIL_SCRIPT_REJECT, false, false, 6, 0, "^[45]", 5},
        {HAIL_SCRIPT_EXPECT, true, false, 7, 500, "", 0},
        {HAIL_SCRIPT_SEND, false, false, 8, 0, "", 0},
    };
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.v[i].verb, want[i].verb);
        assert_int_equal(s.v[i].dot, want[i].dot);
        assert_int_equal(s.v[i].no_end, want[i].no_end);
        assert_int_equal(s.v[i].line, want[i].line);
        assert_int_equal(s.v[i].limit_ms, want[i].limit_ms);
        assert_int_equal(s.v[i].n, want[i].n);
        assert_string_equal(s.v[i].text, want[i].text);
    }
    assert_int_equal(hail_script_step(&s, 0), 0);
    assert_int_equal(hail_script_step(&s, 1), 2);
    assert_int_equal(hail_script_step(&s, 3), 4);
    assert_int_equal(hail_script_step(&s, 6), 6);
    hail_script_free(&s);
}

static void says_where_and_why(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"X: 1", "f:1:1: a line begins with S: C: R: S+: or #"},
        {"S: ok\n S ^220", "f:2:3: a : is wanted here"},
        {"S: a\\", "f:1:5: a backslash at the end: write two"},
        {"S: ab(c", "f:1:4: a ( or ) without the other"},
        {"S: a[b", "f:1:5: a [ without its ]"},
        {"S: a[[:digit:]", "f:1:5: a [ without its ]"},
        {"S: [[:foo:]]", "f:1:4: an unknown class: there are [:alnum:], [:digit:] ..."},
        {"S: [z-a]", "f:1:4: a range that ends before it begins"},
        {"S: (a)\\1", "f:1:7: back-references take unbounded time"},
        {"S: a\\xg1", "f:1:5: an escape of x wants two hexadecimal digits"},
        {"S: a\\q", NULL},
        {"S: a\\r", "f:1:5: a line's end is no part of the line: write $"},
        {"S: ((xa{40}){40}b{3}){4}", "f:1:22: repeats too often"},
        {"S: [ab]{5001}", "f:1:8: repeats too often"},
        {"S: a{99999999999999999999}", "f:1:5: repeats too often"},
        {"S: a{9}{9}{9}{9}", "f:1:14: repeats too often"},
        {"S: a++++++++++++++", "f:1:17: repeats too often"},
        {"S: a**************", "f:1:17: repeats too often"},
        {"S: ((((((((((((((a*)*)*)*)*)*)*)*)*)*)*)*)*)*)*", "f:1:43: repeats too often"},
        {"C: a\\q", NULL},
        {"C: \\cx", "f:1:4: the escape c is for the end of a text"},
        {"C: \\x1", "f:1:4: an escape of x wants two hexadecimal digits"},
        {"C: \\", "f:1:4: a backslash at the end: write two"},
        {"S+: a", "f:1:5: S+ without an S: in front of it"},
        {"C: x\nS+: a", "f:2:5: S+ without an S: in front of it"},
        {"S[5]: a", "f:1:3: in brackets there are 5s or 500ms, dot and @1.250s"},
        {"S[0s]: a", NULL},
        {"S[-1s]: a", NULL},
        {"S[.5s]: a", NULL},
        {"S[99999999s]: a", NULL},
        {"S[@1]: a", "f:1:3: a time is written @1.250s"},
        {"C[dot]: a", "f:1:3: dot is for S"},
        {"R[1s]: a", "f:1:3: a time is for S and C"},
        {"S[1s", "f:1:5: a [ without its ]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_script s;
        if (parse(&ctx, &s, rows[i][0]) != -EINVAL)
            fail_msg("\"%s\" is taken", rows[i][0]);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
        if (rows[i][1])
            assert_string_equal(ctx.err.msg, rows[i][1]);
        hail_script_free(&s);
    }
}

static void bounds_what_it_takes(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s = {0};
    static char big[HAIL_SCRIPT_TEXT + 2];
    memset(big, 'a', sizeof big);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_SEND, big, HAIL_SCRIPT_TEXT), 0);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_SEND, big, HAIL_SCRIPT_TEXT + 1),
                     -E2BIG);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_EXPECT, big, HAIL_SCRIPT_PATTERN), 0);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_EXPECT, big, HAIL_SCRIPT_PATTERN + 1),
                     -EINVAL);
    for (int i = 0; i < HAIL_SCRIPT_GROUP - 1; i++)
        assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_ALSO, "x", 1), 0);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_ALSO, "x", 1), -EINVAL);
    for (int i = 0; i < HAIL_SCRIPT_REJECTS; i++)
        assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_REJECT, "x", 1), 0);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_REJECT, "x", 1), -E2BIG);
    while (s.n < HAIL_SCRIPT_STEPS)
        assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_SEND, "x", 1), 0);
    assert_int_equal(hail_script_add(&ctx, &s, HAIL_SCRIPT_SEND, "x", 1), -E2BIG);
    assert_int_equal(hail_script_parse(&ctx, &s, "f", big, HAIL_SCRIPT_FILE + 1), -E2BIG);
    hail_script_free(&s);
}

/* --- regular expressions --- */

static void matches_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *line;
        size_t n;
        bool matches;
    } rows[] = {
        {"^220", "220 x", 5, true},
        {"^220", " 220", 4, false},
        {"x$", "220 x", 5, true},
        {"^$", "", 0, true},
        {"", "any", 3, true},
        {"a|b", "b", 1, true},
        {"^\\d+$", "0123", 4, true},
        {"^\\d+$", "d", 1, false},
        {"a\\.b", "axb", 3, false},
        {"\\x41\\x2e", "A.", 2, true},
        {"\\x41\\x2e", "Ax", 2, false},
        {"^\\x00$", "\0", 1, true},
        {"^\\x00$", "\1", 1, false},
        {"^a\\0b$", "a\0b", 3, true},
        {"b$", "a\0b", 3, true},
        {"^b", "a\0b", 3, false},
        {"^\\xff\\x80$", "\xff\x80", 2, true},
        {"^..$", "\xc3\xa9", 2, true}, /* bytes, whatever the locale */
        {"\xc3\xa9", "caf\xc3\xa9", 5, true},
        {"^[^\\]$", "\\", 1, false}, /* in brackets a backslash is itself */
        {"[]x]", "]", 1, true},
        {"[[:digit:]a]{2}", "1a", 2, true},
        {"\\[\\]\\{\\}\\$\\^", "[]{}$^", 6, true},
        {"\\bSTARTTLS\\b", "250-STARTTLS", 12, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        regex_t re;
        struct hail_script_fault fault = {0};
        size_t n = strlen(rows[i].pattern);
        assert_int_equal(hail_script_compile(guarded(rows[i].pattern, n), n, &re, &fault), 0);
        if (hail_script_match(&re, guarded(rows[i].line, rows[i].n + 1), rows[i].n) !=
            rows[i].matches)
            fail_msg("\"%s\" and \"%s\"", rows[i].pattern, rows[i].line);
        regfree(&re);
    }
}

static void quotes_any_bytes(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b += 3) {
            const char bytes[] = {(char)a, (char)b, ' ', 0};
            struct hail_buf text;
            struct hail_script_fault fault;
            regex_t re;
            char back[64];
            size_t len;
            bool no_end;
            hail_buf_init(&text, 100);
            assert_int_equal(hail_script_quote(&text, bytes, 3), 0);
            assert_int_equal(hail_script_compile(text.p, text.len, &re, &fault), 0);
            assert_true(hail_script_match(&re, bytes, 3));
            const char other[] = {(char)a, (char)(b ^ 1), ' ', 0};
            assert_false(hail_script_match(&re, other, 3));
            regfree(&re);
            hail_buf_clear(&text);
            assert_int_equal(hail_script_escape(&text, bytes, 3), 0);
            assert_int_equal(hail_script_unescape(text.p, text.len, back, &len, &no_end, &fault),
                             0);
            assert_int_equal(len, 3);
            assert_memory_equal(back, bytes, 3);
            hail_buf_free(&text);
        }
}

/* --- transcripts --- */

static void same_text(struct hail_buf *out, const char *want)
{
    assert_int_equal(out->failed, 0);
    assert_string_equal(out->p, want);
    hail_buf_clear(out);
}

static void writes_conversations(void **state)
{
    (void)state;
    struct hail_script_writer *w = malloc(sizeof *w);
    struct hail_buf out;
    hail_buf_init(&out, 100000);
    hail_script_writer_init(w, &out);
    const int64_t s = 1000000000;
    hail_script_writer_came(w, 0, "22", 2);
    hail_script_writer_came(w, s, "0 me (x)\r", 9);
    hail_script_writer_came(w, s, "\n", 1);
    hail_script_writer_said(w, s + s / 4, "EHLO \\ ", 7);
    hail_script_writer_said(w, 2 * s, "\r\n", 2);
    hail_script_writer_came(w, 2 * s, "250-me\r\n250-A\r\n", 15);
    same_text(&out, "S[@0.000s]: ^220 me \\(x\\)$\nC[@1.250s]: EHLO \\\\\\x20\n");
    hail_script_writer_said(w, 2 * s, "early\n", 6);
    hail_script_writer_came(w, 3 * s, "250 B\r\nlog\xff: ", 13);
    hail_script_writer_said(w, 4 * s, "me", 2);
    hail_script_writer_came(w, 4 * s, "\r\n22", 4);
    hail_script_writer_said(w, 5 * s, "x\r\n", 3);
    hail_script_writer_came(w, 5 * s, "0\ra\r\n\r\nend", 10);
    hail_script_writer_end(w);
    same_text(&out, "C[@2.000s]: early\\x0a\\c\nS[@2.000s]: ^250-me$\nS+: ^250-A$\nS+: ^250 B$\n"
                    "S[@3.000s]: ^log\\xff:\\x20\nC[@4.000s]: me\\c\nS[@4.000s]: ^$\n"
                    "C[@5.000s]: x\nS[@4.000s]: ^220\\x0da$\nS[@5.000s]: ^$\nS[@5.000s]: ^end$\n");
    hail_script_writer_came(w, 0, "250-a\r\n", 7);
    hail_script_writer_end(w);
    same_text(&out, "# a reply without its end:\n#   S[@0.000s]: ^250-a$\n");
    hail_script_writer_free(w);
    hail_buf_free(&out);
    free(w);
}

static int without_memory(const void *arg)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s = {0};
    static struct hail_expect e;
    int rc = hail_script_parse(&ctx, &s, "f", arg, strlen(arg));
    if (rc < 0)
        assert_int_equal(ctx.err.errnum, ENOMEM);
    if (rc == 0)
        rc = hail_expect_begin(&e, &s, 0);
    hail_expect_free(&e);
    hail_script_free(&s);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    each_call_fails(without_memory, "S: ^220\nS+: b\nR: c\nC: d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_steps),
        cmocka_unit_test(says_where_and_why),
        cmocka_unit_test(bounds_what_it_takes),
        cmocka_unit_test(matches_bytes),
        cmocka_unit_test(quotes_any_bytes),
        cmocka_unit_test(writes_conversations),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
