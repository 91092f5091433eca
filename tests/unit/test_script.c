/* test_script.c - written conversations: the form, regular expressions, replies in every split, and
 * what is written read again.
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

/* --- replies --- */

struct talk {
    const char *script; /* the first step is waited for */
    const char *came;
    enum hail_expect_verdict verdict;
    const char *reply; /* what is kept */
    const char *rest;  /* what is not taken */
};

static const struct talk talks[] = {
    {"S: ^220", "220 me\r\n", HAIL_EXPECT_MET, "220 me", ""},
    {"S: me$", "220 me\r\n250 x", HAIL_EXPECT_MET, "220 me", "250 x"},
    {"S: me$", "220 me\n", HAIL_EXPECT_MET, "220 me", ""},
    {"S: me$", "220 me", HAIL_EXPECT_MORE, NULL, ""},
    {"S: ^220", "554 no\r\n220 yes\r\n", HAIL_EXPECT_WRONG, "554 no", "220 yes\r\n"},
    {"S: ^220", "120 wait\r\n220 yes\r\n", HAIL_EXPECT_MET, "220 yes", ""},
    {"S: SIZE", "250-a\r\n250-SIZE\r\n250 z\r\nx", HAIL_EXPECT_MET, "250-a\n250-SIZE\n250 z", "x"},
    {"S: SIZE", "250-a\r\n250-SIZE\r\n", HAIL_EXPECT_MORE, "250-a\n250-SIZE", ""},
    {"S: z", "250-a\r\n250-b\r\n250 c\r\n", HAIL_EXPECT_WRONG, "250-a\n250-b\n250 c", ""},
    {"S: a\nS+: b", "250-a\r\n250 b\r\n", HAIL_EXPECT_MET, "250-a\n250 b", ""},
    {"S: a\nS+: b", "250 a\r\n250 b\r\n", HAIL_EXPECT_WRONG, "250 a", "250 b\r\n"},
    {"S: a.*b", "250-a\r\n250 b\r\n", HAIL_EXPECT_WRONG, "250-a\n250 b", ""},
    /* RFC 959: lines in between are anything, other codes as well; RFC 5321: a bare code ends */
    {"S: ^211", "211-a\r\n 211 x\r\n230 y\r\n211\r\n", HAIL_EXPECT_MET, "211-a\n 211 x\n230 y\n211",
     ""},
    {"S: OPENSSH", "hello\r\nSSH-2.0-OPENSSH\r\n", HAIL_EXPECT_MET, "SSH-2.0-OPENSSH", ""},
    {"S: ^\\+OK", "-ERR no\r\n", HAIL_EXPECT_WRONG, "-ERR no", ""},
    {"S: ^a1 OK", "* x\r\na1 NO y\r\n", HAIL_EXPECT_WRONG, "a1 NO y", ""},
    {"S: ^a1 OK", "* x\r\na1 OK y\r\n", HAIL_EXPECT_MET, "a1 OK y", ""},
    {"S: 200", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 404 N\r\n", HAIL_EXPECT_WRONG, "HTTP/1.1 404 N", ""},
    {"S: Type: text", "HTTP/1.1 100 C\r\nContent-Type: text\r\n", HAIL_EXPECT_MET,
     "Content-Type: text", ""},
    {"S[dot]: TOP", "+OK\r\nTOP\r\n..x\r\n.\r\nrest", HAIL_EXPECT_MET, "+OK\nTOP\n..x\n.", "rest"},
    {"S[dot]: ^.x", "+OK\r\n..x\r\n.\r\n", HAIL_EXPECT_MET, "+OK\n..x\n.", ""},
    {"S[dot]: ^\\.$", "+OK\r\n..\r\n.\r\n", HAIL_EXPECT_MET, "+OK\n..\n.", ""},
    {"S[dot]: ^\\.$", "+OK\r\n.\r\n", HAIL_EXPECT_WRONG, "+OK\n.", ""},
    {"S[dot]: ^101", "500 no\r\n", HAIL_EXPECT_WRONG, "500 no", ""},
    {"S: ^2\nR: ^5", "hi\r\n550 x\r\n", HAIL_EXPECT_REJECTED, "550 x", ""},
    {"R: bad\nS: ^2", "250-ok\r\n250-bad\r\n250 z\r\n", HAIL_EXPECT_REJECTED, "250-ok\n250-bad",
     "250 z\r\n"},
    {"S: ok\nC: x\nR: ok", "ok\r\n", HAIL_EXPECT_MET, "ok", ""}, /* from there on */
    {"S: a\\x00b", NULL, HAIL_EXPECT_MET, NULL, ""},             /* below */
};

static enum hail_expect_verdict feed(struct hail_expect *e, const char *p, size_t n, size_t a,
                                     size_t b, size_t *took)
{
    const size_t ends[] = {a, b, n};
    enum hail_expect_verdict verdict = HAIL_EXPECT_MORE;
    *took = 0;
    for (size_t i = 0; i < 3 && verdict == HAIL_EXPECT_MORE; i++) {
        size_t len = ends[i] - *took;
        *took += hail_expect_take(e, guarded(p + *took, len), len, &verdict);
    }
    return verdict;
}

static void one_talk(const struct talk *t, const char *came, size_t n)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s;
    assert_int_equal(parse(&ctx, &s, t->script), 0);
    struct hail_expect *e = calloc(1, sizeof *e);
    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n; b++) {
            size_t took;
            assert_int_equal(hail_expect_begin(e, &s, hail_script_step(&s, 0)), 0);
            e->n = 0;
            if (feed(e, came, n, a, b, &took) != t->verdict)
                fail_msg("\"%s\" on \"%s\" at %zu and %zu", t->script, came, a, b);
            assert_string_equal(came + took, t->rest);
            if (t->reply) {
                assert_int_equal(e->nreply, strlen(t->reply));
                assert_memory_equal(e->reply, t->reply, e->nreply);
            }
            hail_expect_free(e);
        }
    free(e);
    hail_script_free(&s);
}

static void follows_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++)
        if (talks[i].came)
            one_talk(&talks[i], talks[i].came, strlen(talks[i].came));
        else
            one_talk(&talks[i], "xa\0b\r\n", 6);
}

static void takes_a_prompt_when_it_is_quiet(void **state)
{
    (void)state;
    static const struct {
        const char *script, *came;
        enum hail_expect_verdict quiet, end;
    } rows[] = {
        {"S: login: $", "Welcome\r\nlogin: ", HAIL_EXPECT_MET, HAIL_EXPECT_MET},
        {"S: ^22", "22", HAIL_EXPECT_MORE, HAIL_EXPECT_MET},
        {"S: ^22", "220", HAIL_EXPECT_MORE, HAIL_EXPECT_MET},
        {"S: ^22", "220-", HAIL_EXPECT_MORE, HAIL_EXPECT_MORE},
        {"S: ^22", "220-x\r\nlogin:", HAIL_EXPECT_MORE, HAIL_EXPECT_MORE},
        {"S: .", "+O", HAIL_EXPECT_MORE, HAIL_EXPECT_MET},
        {"S: .", "HTTP/1.", HAIL_EXPECT_MORE, HAIL_EXPECT_MET},
        {"S: .", "2200", HAIL_EXPECT_MET, HAIL_EXPECT_MET},
        {"S: name", "login: ", HAIL_EXPECT_MORE, HAIL_EXPECT_MORE},
        {"S: .\nR: denied", "denied ", HAIL_EXPECT_REJECTED, HAIL_EXPECT_REJECTED},
        {"S: x", "", HAIL_EXPECT_MORE, HAIL_EXPECT_MORE},
    };
    struct hail_expect *e = calloc(1, sizeof *e);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_script s;
        enum hail_expect_verdict verdict;
        assert_int_equal(parse(&ctx, &s, rows[i].script), 0);
        for (int end = 0; end < 2; end++) {
            memset(e, 0, sizeof *e);
            assert_int_equal(hail_expect_begin(e, &s, 0), 0);
            hail_expect_take(e, rows[i].came, strlen(rows[i].came), &verdict);
            assert_int_equal(verdict, HAIL_EXPECT_MORE);
            verdict = end ? hail_expect_end(e) : hail_expect_quiet(e);
            if (verdict != (end ? rows[i].end : rows[i].quiet))
                fail_msg("\"%s\" on \"%s\" gives %d", rows[i].script, rows[i].came, (int)verdict);
            hail_expect_free(e);
        }
        hail_script_free(&s);
    }
    free(e);
}

static void keeps_within_bounds(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s;
    enum hail_expect_verdict verdict;
    struct hail_expect *e = calloc(1, sizeof *e);
    char piece[1000];
    memset(piece, 'a', sizeof piece);
    assert_int_equal(parse(&ctx, &s, "S: ^a*b$\nS: ^a+$"), 0);
    for (size_t at = 0; at < 2; at++) {
        assert_int_equal(hail_expect_begin(e, &s, at), 0);
        for (int i = 0; i < 20; i++)
            assert_int_equal(hail_expect_take(e, piece, sizeof piece, &verdict), sizeof piece);
        hail_expect_take(e, "b\r\n", 3, &verdict);
        assert_int_equal(verdict, at ? HAIL_EXPECT_MET : HAIL_EXPECT_MORE); /* the front counts */
        assert_int_equal(e->nreply, HAIL_EXPECT_SHOWN);
    }
    for (int i = 0; i < 5000; i++)
        hail_expect_take(e, "250-\r\n", 6, &verdict);
    assert_true(e->nreply <= HAIL_EXPECT_SHOWN);
    hail_expect_free(e);
    hail_script_free(&s);
    free(e);
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
        cmocka_unit_test(follows_replies),
        cmocka_unit_test(takes_a_prompt_when_it_is_quiet),
        cmocka_unit_test(keeps_within_bounds),
        cmocka_unit_test(writes_conversations),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
