/* test_script_replies.c - written conversations: replies in every split, and the bounds of what is
 * kept. */
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

static int parse(struct hail_ctx *ctx, struct hail_script *s, const char *text)
{
    size_t n = strlen(text);
    *s = (struct hail_script){0};
    return hail_script_parse(ctx, s, "f", guarded(text, n), n);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_replies),
        cmocka_unit_test(takes_a_prompt_when_it_is_quiet),
        cmocka_unit_test(keeps_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
