/* test_get_pretty.c - JSON and markup as `hail get` shows them on a terminal: the layout, the
 * colours, what is no JSON and no markup; the same in any pieces, and nothing lost.
 *
 * link: --wrap=realloc
 */
#include "get/pretty.h"

#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY     "\033[34;1m"
#define STRING  "\033[32m"
#define WORD    "\033[36m"
#define COMMENT "\033[2m"
#define OFF     "\033[0m"

typedef void shower(bool colour, const char *p, size_t n, size_t piece, struct hail_buf *out);

static void show_json(bool colour, const char *p, size_t n, size_t piece, struct hail_buf *out)
{
    struct pretty_json j = {.colour = colour};
    for (size_t i = 0; i < n; i += piece) {
        size_t now = n - i < piece ? n - i : piece;
        pretty_json_add(&j, guarded(p + i, now), now, out);
    }
}

static void show_markup(bool colour, const char *p, size_t n, size_t piece, struct hail_buf *out)
{
    struct pretty_markup m = {.colour = colour};
    for (size_t i = 0; i < n; i += piece) {
        size_t now = n - i < piece ? n - i : piece;
        pretty_markup_add(&m, guarded(p + i, now), now, out);
    }
    pretty_markup_end(&m, out);
}

/* In one piece, in pieces of any size: always the same. */
static void shows(shower *show, bool colour, const char *in, const char *want)
{
    size_t n = strlen(in);
    for (size_t piece = 1; piece <= n + 1; piece++) {
        struct hail_buf b;
        hail_buf_init(&b, 1 << 20);
        show(colour, in, n, piece, &b);
        assert_int_equal(b.failed, 0);
        if (strcmp(b.p ? b.p : "", want) != 0)
            fail_msg("'%s' by %zu: '%s', not '%s'", in, piece, b.p ? b.p : "", want);
        hail_buf_free(&b);
    }
}

static const struct {
    const char *in, *want;
} layouts[] = {
    {"", ""},
    {" \t\r\n", ""},
    {"1", "1"},
    {"\"a\"", "\"a\""},
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"[[],{}]", "[\n  [],\n  {}\n]"},
    {"{\"a\":1,\"b\":[true,null,\"x,y\"],\"c\":{},\"d\":[]}",
     "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null,\n    \"x,y\"\n  ],\n  \"c\": {},\n"
     "  \"d\": []\n}"},
    {"{ \"a\" :\n1 }", "{\n  \"a\": 1\n}"},
    {"[-1.5e+3, 0]", "[\n  -1.5e+3,\n  0\n]"},
    {"{\"a b\\\"{[,:\":\" \\\\\"}", "{\n  \"a b\\\"{[,:\": \" \\\\\"\n}"},
    {"\"\xc3\xa4\\u00e4\"", "\"\xc3\xa4\\u00e4\""},
    /* one document behind another */
    {"{}\n{}\n", "{}\n{}"},
    {"{}{}", "{}\n{}"},
    {"1 2\n\"3\"", "1\n2\n\"3\""},
    {"[1]\n[2]", "[\n  1\n]\n[\n  2\n]"},
    {"1,2", "1,\n2"},
    /* what is no JSON stays what it was */
    {"[1 2]", "[\n  1 2\n]"},
    {"[\"a\"\"b\" c]", "[\n  \"a\" \"b\" c\n]"},
    {"{\"a\" 1}", "{\n  \"a\" 1\n}"},
    {"[1,] 2", "[\n  1,\n  \n]\n2"},
    {"{\"a\":} 2", "{\n  \"a\": \n}\n2"},
    {"[1}, 2] x", "[\n  1}, 2] x"},
    {"] a  b", "] a  b"},
    {"{\"a", "{\n  \"a"},
    {"Not Found", "Not\nFound"},
};

static void test_json_layout(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        shows(show_json, false, layouts[i].in, layouts[i].want);
}

static void test_json_colours(void **state)
{
    (void)state;
    shows(show_json, true, "{\"a\":\"b\",\"c\":[1,\"d\"],\"e\":{\"f\":null}}",
          "{\n  " KEY "\"a\"" OFF ": " STRING "\"b\"" OFF ",\n  " KEY "\"c\"" OFF ": [\n    " WORD
          "1" OFF ",\n    " STRING "\"d\"" OFF "\n  ],\n  " KEY "\"e\"" OFF ": {\n    " KEY
          "\"f\"" OFF ": " WORD "null" OFF "\n  }\n}");
    shows(show_json, true, "[true ] 1 ", "[\n  " WORD "true" OFF "\n]\n" WORD "1" OFF);
    shows(show_json, true, "[1}", "[\n  " WORD "1" OFF "}");
}

/* What lies too deep goes on as it came; the screen does not fill with blanks. */
static void test_json_depth(void **state)
{
    char in[2 * PRETTY_DEPTH + 8], want[PRETTY_DEPTH * (2 * PRETTY_DEPTH + 8)] = "";
    (void)state;
    memset(in, '[', PRETTY_DEPTH);
    strcpy(in + PRETTY_DEPTH, "[1, 2");
    for (size_t i = 0; i < PRETTY_DEPTH; i++)
        snprintf(want + strlen(want), sizeof want - strlen(want), "[\n%*s", (int)(2 * i + 2), "");
    strcat(want, "[1, 2");
    shows(show_json, false, in, want);
}

static const struct {
    const char *in, *want; /* want NULL: no colour at all */
} markups[] = {
    {"", NULL},
    {"text & \"quotes\" > 'here'\n", NULL},
    {"a < b", NULL},
    {"a <1 <= <> <", NULL},
    {"<a>", "<" KEY "a" OFF ">"},
    {"</a>", "<" KEY "/a" OFF ">"},
    {"<br/>", "<" KEY "br/" OFF ">"},
    {"<<a>", "<<" KEY "a" OFF ">"},
    {"x<a b>y", "x<" KEY "a" WORD " b" OFF ">y"},
    {"<a b=\"c>d\" e='\"'>",
     "<" KEY "a" WORD " b=" STRING "\"c>d\"" OFF WORD " e=" STRING "'\"'" OFF WORD OFF ">"},
    {"<?xml v?>", "<" KEY "?xml" WORD " v?" OFF ">"},
    {"<x:y-z\n>", "<" KEY "x:y-z" WORD "\n" OFF ">"},
    {"<\xc3\xa4>", "<" KEY "\xc3\xa4" OFF ">"},
    {"<!DOCTYPE html>t", "<" COMMENT "!DOCTYPE html>" OFF "t"},
    {"<!a--b>t", "<" COMMENT "!a--b>" OFF "t"},
    {"<!-- a > b -- c ->-->t", "<" COMMENT "!-- a > b -- c ->-->" OFF "t"},
    {"<!--a--->t", "<" COMMENT "!--a--->" OFF "t"},
    {"<!---->t", "<" COMMENT "!---->" OFF "t"},
    {"<!-->t", "<" COMMENT "!-->" OFF "t"},
    {"<!-a>t", "<" COMMENT "!-a>" OFF "t"},
    {"<!>t", "<" COMMENT "!>" OFF "t"},
    /* the end of what came ends the colours, too */
    {"<a", "<" KEY "a" OFF},
    {"<a b=\"c", "<" KEY "a" WORD " b=" STRING "\"c" OFF},
    {"<!-- a", "<" COMMENT "!-- a" OFF},
};

static void test_markup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof markups / sizeof *markups; i++) {
        const char *want = markups[i].want ? markups[i].want : markups[i].in;
        size_t n = strlen(want), dangling = strlen(markups[i].in);
        char ended[256];
        /* behind a last '<' nothing is known yet */
        snprintf(ended, sizeof ended, "%s%s", want,
                 dangling && markups[i].in[dangling - 1] == '<' ? OFF : "");
        assert_true(n < sizeof ended);
        shows(show_markup, true, markups[i].in, ended);
        shows(show_markup, false, markups[i].in, markups[i].in);
    }
}

/* Every text of up to four of these: without the colours it is what came. */
static void test_markup_loses_nothing(void **state)
{
    static const char set[] = "<>!-a/\"' ";
    char in[5];
    (void)state;
    for (unsigned code = 0; code < 9 * 9 * 9 * 9 * 9; code++) {
        struct hail_buf b;
        unsigned rest = code;
        for (int i = 0; i < 5; i++, rest /= 9)
            in[i] = set[rest % 9];
        hail_buf_init(&b, 256);
        show_markup(false, in, sizeof in, 2, &b);
        assert_int_equal(b.len, sizeof in);
        assert_memory_equal(b.p, in, sizeof in);
        hail_buf_free(&b);
    }
}

static void test_without_memory(void **state)
{
    struct hail_buf b;
    (void)state;
    for (int i = 0; i < 2; i++) {
        fail_nth(1);
        hail_buf_init(&b, 256);
        (i ? show_json : show_markup)(true, "[1] <a>", 7, 7, &b);
        fail_nth(0);
        assert_int_equal(b.failed, -ENOMEM);
        hail_buf_free(&b);
        hail_buf_init(&b, 5);
        (i ? show_json : show_markup)(true, "[1] <a>", 7, 7, &b);
        assert_int_equal(b.failed, -EMSGSIZE);
        assert_true(b.len <= 5);
        hail_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_layout),          cmocka_unit_test(test_json_colours),
        cmocka_unit_test(test_json_depth),           cmocka_unit_test(test_markup),
        cmocka_unit_test(test_markup_loses_nothing), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
