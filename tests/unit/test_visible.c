/* test_visible.c - what a peer sends made safe to look at: tables, in every split. */
#include "base/text.h"
#include "base/visible.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *in;
    const char *out;
    size_t n; /* 0: strlen(in) */
};

static void filter(struct hail_visible *v, struct hail_buf *out, const char *p, size_t n)
{
    assert_int_equal(hail_visible_add(v, out, guarded(p, n), n), 0);
}

static void same(const struct hail_buf *b, const struct row *r)
{
    if (b->len != strlen(r->out) || memcmp(b->p ? b->p : "", r->out, b->len) != 0)
        fail_msg("\"%s\" became \"%s\", not \"%s\"", r->in, b->p ? b->p : "", r->out);
}

/* Whole, in two pieces at every place, in three, and byte by byte. */
static void each_split(const struct row *r, enum hail_visible_mode mode, bool utf8)
{
    size_t n = r->n ? r->n : strlen(r->in);
    for (size_t i = 0; i <= n; i++)
        for (size_t k = i; k <= n; k++) {
            struct hail_visible v;
            struct hail_buf b;
            hail_visible_init(&v, mode, utf8);
            hail_buf_init(&b, 10000);
            filter(&v, &b, r->in, i);
            filter(&v, &b, r->in + i, k - i);
            for (size_t j = k; j < n; j++)
                filter(&v, &b, r->in + j, 1);
            assert_int_equal(hail_visible_end(&v, &b), 0);
            same(&b, r);
            hail_buf_free(&b);
        }
}

static void table(const struct row *r, size_t n, enum hail_visible_mode mode, bool utf8)
{
    for (size_t i = 0; i < n; i++)
        each_split(&r[i], mode, utf8);
}
#define TABLE(rows, mode, utf8) table(rows, sizeof rows / sizeof *(rows), mode, utf8)

static const struct row conversation[] = {
    {"220 ready\r\n", "220 ready\r\n"},
    {"a\tb\nc", "a\tb\nc"},
    {"over\rwritten", "over^Mwritten"},
    {"\r", "^M"},
    {"\r\r\n\r", "^M\r\n^M"},
    {"a\rb\r\n", "a^Mb\r\n"},
    {"nul\0!", "nul^@!", 5},
    {"\1\5\7\10\13\14\16\32\33\34\35\36\37\177", "^A^E^G^H^K^L^N^Z^[^\\^]^^^_^?"},
    {"\33[31mred\33[0m", "^[[31mred^[[0m"},
    {"\33]52;c;aGk=\7", "^[]52;c;aGk=^G"},
    {"\23331m\235", "\\x9b31m\\x9d"},
    {"\302\23331m", "<U+009B>31m"},
    {"\302\205", "<U+0085>"},
    {"M\303\274ller \342\202\254 \360\237\230\200", "M\303\274ller \342\202\254 \360\237\230\200"},
    {"\342\200\256txt.exe", "<U+202E>txt.exe"},
    {"\342\200\213\357\273\277\302\255", "<U+200B><U+FEFF><U+00AD>"},
    {"\363\240\201\201", "<U+E0041>"},
    {"\377\376", "\\xff\\xfe"},
    {"\300\233", "\\xc0\\x9b"},                                     /* an overlong ESC */
    {"\355\240\200\355\260\200", "\\xed\\xa0\\x80\\xed\\xb0\\x80"}, /* surrogates */
    {"\364\220\200\200", "\\xf4\\x90\\x80\\x80"},                   /* over U+10FFFF */
    {"\342\202", "\\xe2\\x82"},                                     /* cut at the end */
    {"\342\202\r\n", "\\xe2\\x82\r\n"},
    {"\342\202\303\274", "\\xe2\\x82\303\274"},
    {"\342\33[", "\\xe2^[["},
    {"\r\303", "^M\\xc3"},
    {"^[ \\x9b", "^[ \\x9b"}, /* not told from what was shown so */
};

static const struct row conversation_8bit[] = {
    {"M\303\274\r\n\33", "M\\xc3\\xbc\r\n^["},
    {"\302\233\233\240\377", "\\xc2\\x9b\\x9b\\xa0\\xff"},
};

/* What passes a session as it is. */
static const char *const passes[] = {
    "login: \33[31mred\33[0m\r\n",
    "\r50%\r\n\10\t\7\13\14\16\17",
    "\33[?1049h\33[2J\33[H\33[1;24r\33[6n\33[c\33[>c\33[?25l\33[18t\33[22;0t\33[23;0t\33[4;1;2t",
    "\33[38;2;255;255;255;48;2;255;255;255;58;2;255;255;255;1;2;3;4;5;6;7;8;9;21m",
    "\0337\0338\33M\33=\33>\33(0lqk\33(B\33)0\33#8\33c\33 F\33Z",
    "\33[\n1m\33\r[2m", /* C0 controls within */
    "\33]8;;http://a/?q=1\33\\link\33]8;;\33\\",
    "\33]8;;http://a/?q=1\7link\33]8;;\7",
    "\33]4;1;rgb:00/00/00\7\33]104\7\33]10;red\33\\\33]7;file://h/p?\7\33]133;A\7",
    "\33]777;notify;really?;text\7",
    "\33]Rtext\33]P1ff0000more", /* the Linux console's */
    "\33Pq#0;2;0;0;0#0~~@@\33\\after",
    "\33P0;1;0q\"1;1;2;2~~\33\\\33P1$tx\33\\\33P=1s\33\\\33P=2s\33\\\33P1;1;0{@x\33\\",
    "\33\\\33[*x\33[1*x",
    "M\303\274ller \304\235 \342\202\254 \342\234\234\r\n", /* continuation bytes 9D, 9C */
    "\33]8;;\342\234\234\7",
    "\377\240\300",
    "\30\32",
};

static const struct row session[] = {
    {"a\5b", "ab"}, /* ENQ */
    {"a\33\5[\5m", "a\33[m"},
    {"a\33]52;c;aGk=\7b", "ab"},
    {"a\33]52;c;aGk=\33\\b", "ab"},
    {"a\33]52;c;?\7b", "ab"},
    {"a\33]052;c;aGk=\7b", "ab"},
    {"a\33]5\n2;c;aGk=\7b", "ab"},
    {"a\33\n]52;c;aGk=\7b", "ab"},
    {"a\33\0]52;c;aGk=\7b", "ab", 15},
    {"a\33\177]52;c;aGk=\7b", "ab"},
    {"a\33[\33]52;c;aGk=\7b", "ab"},
    {"a\33]\33]52;c;aGk=\7b", "ab"},
    {"a\33P\33]52;c;aGk=\7\33\\b", "a\33\\b"},
    {"a\33Pq\33]52;c;aGk=\7b", "a\33Pq\33\\b"},
    {"a\33Ptmux;\33\33]52;c;aGk=\7\33\\b", "a\33\\b"},
    {"a\33_G\33]52;c;x\7b", "ab"},
    {"a\33\30]52;c;x", "a]52;c;x"},
    {"a\33\32]52;c;x", "a]52;c;x"},
    {"a\33]52;c\30;x", "a;x"},
    {"a\23552;c;aGk=\7b", "a\\x9d52;c;aGk=\7b"}, /* C1 as a byte, and in UTF-8 */
    {"a\23552;c;aGk=\234b", "a\\x9d52;c;aGk=\234b"},
    {"a\302\23552;c;aGk=\302\234b", "a<U+009D>52;c;aGk=\302\234b"},
    {"a\342\23552;c;aGk=\7b", "a\342\\x9d52;c;aGk=\7b"},
    {"a\33]5522;type=read:x\7b", "ab"},
    {"a\33]1337;CopyToClipboard=x\7b", "ab"},
    {"a\33]0;title\7\33]1;t\33\\\33]2;t\7b\33]lx\33\\\33]Lx\33\\\33];x\7\33]t\7", "ab"},
    {"a\33ktitle\33\\b", "ab"},
    {"a\33]4;1;?\7\33]10;?\33\\\33]50;?\7\33]99;i=1:p=?;\7b", "ab"},
    {"a\33[21tb\33[20tc\33[021td\33[21;1te\33[2\n1tf", "abcdef"},
    {"a\23321tb\302\23321tc", "abc"},
    {"a\33[1*yb\33[1*zc\33[*\nyd", "abcd"},
    {"a\33P$qm\33\\b", "ab"}, /* DECRQSS */
    {"a\33P+q544e\33\\b", "ab"},
    {"a\220$qm\234b", "a\\x90$qm\234b"},
    {"a\230x\236y\237z\234b", "a\\x98x\\x9ey\\x9fz\234b"},
    {"\2333\303\274", "\\x9b3\303\274"},
    {"\302\2333;1\303\274", "<U+009B>3;1\303\274"},
    {"\233\233m\2331\33[m", "\\x9b\233m\\x9b1\33[m"},
    {"\33Pq\2201\33\\", "\33Pq\33\\\\x901\33\\"},
    {"a\33]8;;\235x", "a\\x9dx"},
    {"a\33P0;0|17/616263\33\\b", "ab"}, /* DECUDK */
    {"a\33P1;0;1!z1b5d\33\\b", "ab"},
    {"a\33P1v616263\33\\b", "ab"},
    {"a\33^msg\33\\b\33_title\33\\c\33Xsos\33\\d", "abcd"},
    {"a\33%@b\33%Gc\33%/Gd", "abcd"},
    {"a\33\303\274]52;c;x\7", "a\303\274]52;c;x\7"}, /* belongs to no sequence */
    {"a\33[3\303\274mb", "a\303\274mb"},
    {"a\33", "a"},
    {"a\33]8;;x", "a"},
    {"a\33[3", "a"},
};

static const struct row session_8bit[] = {
    {"a\33\335"
     "52;c;x\7",
     "a\335"
     "52;c;x\7"}, /* ] with the eighth bit, after ESC */
    {"a\304\23552;c;x\7b", "a\304\\x9d52;c;x\7b"},
    {"a\304\274\r\n", "a\304\274\r\n"},
};

static void test_conversation(void **state)
{
    (void)state;
    TABLE(conversation, HAIL_VISIBLE_CONVERSATION, true);
    TABLE(conversation_8bit, HAIL_VISIBLE_CONVERSATION, false);
}

static void test_session(void **state)
{
    (void)state;
    TABLE(session, HAIL_VISIBLE_SESSION, true);
    TABLE(session_8bit, HAIL_VISIBLE_SESSION, false);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        each_split(&(struct row){passes[i], passes[i]}, HAIL_VISIBLE_SESSION, true);
}

/* Every byte, alone and before each other byte: nothing that a terminal acts on comes out. */
static void test_no_control(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair++) {
        char in[2] = {(char)(pair >> 8), (char)pair};
        struct hail_visible v;
        struct hail_buf b;
        hail_visible_init(&v, HAIL_VISIBLE_CONVERSATION, true);
        hail_buf_init(&b, HAIL_VISIBLE_GROWTH * 6);
        hail_visible_add(&v, &b, in, 2);
        assert_int_equal(hail_visible_end(&v, &b), 0);
        assert_true(hail_utf8_valid(b.p, b.len));
        for (size_t i = 0; i < b.len; i++) {
            unsigned char c = (unsigned char)b.p[i];
            bool crlf = c == '\r' && i + 1 < b.len && b.p[i + 1] == '\n';
            assert_true((c >= ' ' && c != 0x7F) || c == '\n' || c == '\t' || crlf);
        }
        hail_buf_free(&b);
    }
}

/* A string without an end is not kept, and what comes after it passes. */
static void test_bound(void **state)
{
    (void)state;
    static const char *const begins[] = {"\33]8;;", "\33]52;c;", "\33[", "\33P", "\33P$q", "\33_"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        struct hail_visible v;
        struct hail_buf b;
        hail_visible_init(&v, HAIL_VISIBLE_SESSION, true);
        hail_buf_init(&b, 100);
        filter(&v, &b, begins[i], strlen(begins[i]));
        for (int k = 0; k < 100000; k++)
            assert_int_equal(hail_visible_add(&v, &b, "1", 1), 0);
        filter(&v, &b, "m\33\\over", 7);
        assert_int_equal(v.blocked, 1);
        if (memcmp(b.p, "\33\\over", b.len) != 0)
            assert_string_equal(b.p, "over");
        hail_buf_free(&b);
    }
}

static void test_modes(void **state)
{
    (void)state;
    struct hail_visible v;
    struct hail_buf b;
    hail_visible_init(&v, HAIL_VISIBLE_CONVERSATION, true);
    hail_buf_init(&b, 1000);
    filter(&v, &b, "a\r", 2);
    assert_int_equal(hail_visible_mode(&v, &b, HAIL_VISIBLE_CONVERSATION), 0);
    assert_string_equal(b.p, "a");
    assert_int_equal(hail_visible_mode(&v, &b, HAIL_VISIBLE_SESSION), 0);
    filter(&v, &b, "\33[m\33]", 5);
    assert_int_equal(v.blocked, 0);
    assert_int_equal(hail_visible_mode(&v, &b, HAIL_VISIBLE_CONVERSATION), 0);
    assert_int_equal(v.blocked, 1);
    filter(&v, &b, "\33", 1);
    assert_string_equal(b.p, "a^M\33[m^[");
    hail_buf_free(&b);
    /* a full buffer, or no memory, is reported, and the state is kept */
    hail_buf_init(&b, 1);
    assert_true(hail_visible_add(&v, &b, "\33\33", 2) < 0);
    hail_buf_free(&b);
}

static void test_begins(void **state)
{
    (void)state;
    assert_true(hail_utf8_begins("\303", 1) && hail_utf8_begins("\340\240", 2) &&
                hail_utf8_begins("\360\220\200", 3) && hail_utf8_begins("\364\217", 2) &&
                hail_utf8_begins("\340", 1) && hail_utf8_begins("\360", 1));
    assert_false(hail_utf8_begins("\340\200", 2) || hail_utf8_begins("\355\240", 2) ||
                 hail_utf8_begins("\364\220", 2) || hail_utf8_begins("\300", 1) ||
                 hail_utf8_begins("a", 1) || hail_utf8_begins("\303\274", 2) ||
                 hail_utf8_begins("a\303", 2) || hail_utf8_begins("\200", 1) ||
                 hail_utf8_begins("", 0) || hail_utf8_begins("\360\220\200\200", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation), cmocka_unit_test(test_session),
        cmocka_unit_test(test_no_control),   cmocka_unit_test(test_bound),
        cmocka_unit_test(test_modes),        cmocka_unit_test(test_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
