/* test_reply.c - replies of services followed and explained, in every split; what is said, what is
 * secret, the tables. */
#include "proto/reply.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What comes, up to what is said; then the explanations, each with '|' behind it. */
struct turn {
    const char *came, *texts, *said;
};

struct talk {
    enum hail_talk before, after;
    struct turn turns[14];
};

static const struct talk talks[] = {
    {HAIL_TALK_SMTP,
     HAIL_TALK_SMTP,
     {{"220 mx ESMTP\r\n", "220: the service is ready|", "EHLO me"},
      {"250-mx\r\n250-SIZE 100\r\n250 HELP\r\n", "250: done|", "MAIL FROM:<a@b>"},
      {"250 2.1.0 Ok\r\n", "250 2.1.0: done|", "RCPT TO:<x@y>"},
      {"550 5.1.1 <x@y>: no\r\n", "550 5.1.1: mailbox unavailable (no such mailbox); permanent|",
       "RCPT TO:<x@z>"},
      {"450 4.7.1 Greylisted\r\n451\r\n",
       "450 4.7.1: mailbox unavailable: busy, or blocked for now (the sender is not authorised; "
       "refused); temporary|451: a local error while processing; temporary|",
       "x"},
      {"550 5.99.99 odd\r\n", "550 5.99.99: mailbox unavailable; permanent|", "DATA"},
      {"550 5.1.1.1 no code\r\n550 4.1.1 other class\r\n",
       "550: mailbox unavailable; permanent|550: mailbox unavailable; permanent|", "DATA"},
      {"354 go\r\n", "354: send the message, and end it by a line with a single dot|", "."},
      {"Your name: ", "", "joe"},
      {"299 odd\r\n399 odd\n499 odd\n599 odd\n",
       "299: done|399: go on|499: refused; temporary|599: refused; permanent|", NULL}}},
    {HAIL_TALK_GENERIC, /* recognised by its greeting's second line */
     HAIL_TALK_FTP,
     {{"220-Welcome\r\n220-to our FTP server\r\n 221 no end\r\n220 ready\r\n",
       "220: the service is ready; log in with USER|", "USER x"},
      {"331 who\r\n", "331: the user is known; PASS is needed|", "PASS y"},
      {"230-Hi\r\n331 not the end\r\n230- nor this\r\n230 in\r\n", "230: logged in|", "FEAT"},
      {"211-Features:\r\n UTF8\r\n211 End\r\n", "211: system status or help|", "RETR x"},
      {"550 no\r\n", "550: the file is not available: not found, or no access; permanent|",
       "RETR y"},
      {"425 no\r\n999 what\r\n", "425: the data connection cannot be opened; temporary||", NULL}}},
    {HAIL_TALK_GENERIC,
     HAIL_TALK_POP3,
     {{"+OK hi\r\n", "|", "USER x"},
      {"+OK\r\n", "|", "PASS x"},
      {"-ERR [AUTH] no\r\n", "-ERR AUTH: wrong user or password|", "LIST"},
      {"+OK\r\n1 100\r\n-ERR no reply\r\n.\r\n", "|", "LIST 1"},
      {"+OK 1 100\r\n", "|", "RETR 1"},
      {"-ERR [SYS/TEMP] x\r\n", "-ERR SYS/TEMP: a fault of the system; temporary|", "RETR 2"},
      {"+OK\r\nSubject: x\r\n\r\n..\r\n.\r\n", "|", "DELE 9"},
      {"-ERR what\r\n", "-ERR: refused|", NULL}}},
    {HAIL_TALK_IMAP,
     HAIL_TALK_IMAP,
     {{"* OK [CAPABILITY IMAP4rev1] hi\r\n", "OK CAPABILITY: what the server can do|",
       "a SELECT x"},
      {"* 5 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\na NO [NONEXISTENT] no\r\n",
       "OK UIDVALIDITY: the UIDs hold as long as this number|"
       "NO NONEXISTENT: there is none by that name|",
       "b FETCH 1 BODY[]"},
      {"* 1 FETCH (BODY[] {14}\r\nb OK no reply\n)\r\nb OK done\r\n", "OK: done|", "c X"},
      {"* 1 FETCH (BODY[] {14+}\r\nc OK no reply\n)\r\nc BAD [WHAT] x\r\n",
       "BAD: not understood: the command is unknown, malformed, or not valid now|", "d IDLE"},
      {"+ idling\r\n* 2 FETCH {x}\r\n* BYE\r\n", "+: go on|BYE: the server closes the connection|",
       NULL}}},
    {HAIL_TALK_NNTP,
     HAIL_TALK_NNTP,
     {{"200 news\r\n", "200: ready; posting is allowed|", "GROUP x"},
      {"211 1 1 1 x\r\n", "211: the group is selected: how many, first, last, name|",
       "LISTGROUP x"},
      {"211 1 1 1 x\r\n1\r\n.\r\n", "211: the group is selected: how many, first, last, name|",
       "ARTICLE"},
      {"220 1 <x>\r\nSubject: x\r\n\r\n430 no reply\r\n.\r\n", "220: the article follows|",
       "ARTICLE 2"},
      {"423 none\r\n", "423: no article with that number|", NULL}}},
    {HAIL_TALK_GENERIC,
     HAIL_TALK_HTTP,
     {{"", "", "GET / HTTP/1.1"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
       "100 Continue|404 Not Found: there is nothing at this path|", "GET / HTTP/1.1"},
      {"HTTP/1.1 200 OK\r\n\r\n", "200 OK: the answer follows|", NULL}}},
    {HAIL_TALK_REDIS,
     HAIL_TALK_REDIS,
     {{"", "", "GET x"},
      {"-WRONGTYPE Operation\r\n", "-WRONGTYPE: the key holds another type of value|", "GET y"},
      {"$-1\r\n", "$-1: no such value (nil)|", "GET z"},
      {"$10\r\n-ERR no\r\n\r\n\r\n+OK\r\n-NOAUTH x\r\n_\r\n",
       "-NOAUTH: AUTH has to come first|_: no such value (nil)|", NULL}}},
    {HAIL_TALK_MEMCACHED,
     HAIL_TALK_MEMCACHED,
     {{"", "", "get x"},
      {"END\r\n", "END: nothing was found|", "get y"},
      {"VALUE y 0 5\r\nERROR\r\nEND\r\n", "", "foo"},
      {"ERROR\r\n", "ERROR: no such command|", "set x 0 0 1"},
      {"STORED\r\nSTAT pid 1\r\nEND\r\nVA 5\r\nERROR\r\nEN\r\n", "STORED: stored|EN: no such key|",
       NULL}}},
    {HAIL_TALK_GENERIC, /* said ahead of the greeting */
     HAIL_TALK_SMTP,
     {{"", "", "NOOP"},
      {"220 x ESMTP\r\n250 x\r\n", "220: the service is ready|250: done|", NULL}}},
    {HAIL_TALK_GENERIC, HAIL_TALK_GENERIC, {{"", "", "SET a b"}, {"+OK\r\n", "", NULL}}},
    {HAIL_TALK_GENERIC,
     HAIL_TALK_GENERIC,
     {{"SSH-2.0-OpenSSH\r\n550 x\r\n", "", "hello"}, {"550 x\r\n", "", NULL}}},
    {HAIL_TALK_GENERIC,
     HAIL_TALK_SMTP,
     {{"220 hi\r\n", "", "EHLO x"}, {"250 x\r\n", "250: done|"}}},
};

/* All of `came`, in pieces of one size; the explanations are appended. */
static void take(struct hail_reply *r, const char *came, size_t piece, char *texts, size_t size)
{
    size_t n = strlen(came);
    for (size_t i = 0; i < n;) {
        char text[HAIL_REPLY_TEXT];
        size_t now = n - i < piece ? n - i : piece;
        size_t took = hail_reply_take(r, guarded(came + i, now), now, text);
        assert_in_range(took, 1, now);
        i += took;
        if (text[0]) {
            assert_int_equal(came[i - 1], '\n');
            size_t at = strlen(texts);
            snprintf(texts + at, size - at, "%s|", text);
        }
    }
}

static void test_talks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++)
        for (size_t piece = 1; piece < 200; piece += piece < 20 ? 1 : 37) {
            struct hail_reply r;
            hail_reply_init(&r, talks[i].before);
            for (const struct turn *t = talks[i].turns; t->came; t++) {
                char texts[1000] = "", want[1000] = "";
                take(&r, t->came, piece, texts, sizeof texts);
                for (const char *p = t->texts; *p; p++) /* "||": said nothing */
                    if (!(*p == '|' && (p == t->texts || p[-1] == '|')))
                        snprintf(want + strlen(want), sizeof want - strlen(want), "%c", *p);
                assert_string_equal(texts, want);
                if (t->said)
                    hail_reply_said(&r, t->said, strlen(t->said));
            }
            assert_int_equal(r.talk, talks[i].after);
        }
}

static bool secret(const struct hail_reply *r, const char *line)
{
    return hail_reply_secret(r, guarded(line, strlen(line)), strlen(line));
}

static void test_secret_lines(void **state)
{
    (void)state;
    static const char *const secrets[] = {
        "PASS x",
        "pass x",
        "AUTH PLAIN AGEAYg==",
        "AUTH LOGIN",
        "AUTHINFO PASS x",
        "a LOGIN u p",
        "a1 AUTHENTICATE PLAIN",
        "APOP u d",
        "Authorization: Basic x",
        "authorization:Basic x",
        "Cookie: a=b",
        "AUTH x",
        "AUTH",
        "HELLO 3 AUTH u p",
        "CONFIG SET requirepass x",
        "ACL SETUSER x",
        "GET /?password=x HTTP/1.1",
        "  PASS x",
        "CONFIG SET masterauth x",
    };
    static const char *const open[] = {
        "EHLO x",         "USER x", "AUTH TLS",      "MAIL FROM:<a> AUTH=<>",
        "GET / HTTP/1.1", "",       "a LIST \"\" *", "PASSIVE"};
    struct hail_reply r;
    hail_reply_init(&r, HAIL_TALK_GENERIC);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        assert_true(secret(&r, secrets[i]));
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_false(secret(&r, open[i]));
}

/* What is typed between AUTH and its end, and after a prompt, is secret whatever it looks like. */
static void test_secret_dialogues(void **state)
{
    (void)state;
    static const struct {
        enum hail_talk talk;
        const char *begin, *ask, *end;
    } dialogues[] = {
        {HAIL_TALK_SMTP, "AUTH LOGIN", "334 VXNlcm5hbWU6\r\n", "535 5.7.8 no\r\n"},
        {HAIL_TALK_LMTP, "AUTH PLAIN", "334 \r\n", "235 ok\r\n"},
        {HAIL_TALK_POP3, "AUTH PLAIN", "+ \r\n", "-ERR no\r\n"},
        {HAIL_TALK_IMAP, "a AUTHENTICATE LOGIN", "+ x\r\n", "a OK in\r\n"},
        {HAIL_TALK_NNTP, "AUTHINFO SASL PLAIN", "383 =\r\n", "481 no\r\n"},
    };
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++) {
        struct hail_reply r;
        char texts[1000] = "";
        hail_reply_init(&r, dialogues[i].talk);
        assert_false(secret(&r, "aGk="));
        hail_reply_said(&r, dialogues[i].begin, strlen(dialogues[i].begin));
        take(&r, dialogues[i].ask, 100, texts, sizeof texts);
        assert_true(secret(&r, "aGk="));
        hail_reply_said(&r, "aGk=", 4);
        assert_true(secret(&r, "aGk="));
        take(&r, dialogues[i].end, 100, texts, sizeof texts);
        assert_false(secret(&r, "aGk="));
    }
    struct hail_reply r;
    char texts[1000] = "";
    hail_reply_init(&r, HAIL_TALK_GENERIC);
    take(&r, "Password:\r\nname: ", 100, texts, sizeof texts);
    assert_false(secret(&r, "joe"));
    take(&r, "\r\nYour password: ", 100, texts, sizeof texts);
    assert_true(secret(&r, "joe"));
}

static void test_known(void **state)
{
    (void)state;
    assert_int_equal(hail_talk_of("submission", 0), HAIL_TALK_SMTP);
    assert_int_equal(hail_talk_of("IMAPS", 25), HAIL_TALK_IMAP);
    assert_int_equal(hail_talk_of(NULL, 25), HAIL_TALK_SMTP);
    assert_int_equal(hail_talk_of("2525", 2525), HAIL_TALK_GENERIC);
    assert_int_equal(hail_talk_of(NULL, 11211), HAIL_TALK_MEMCACHED);
    assert_string_equal(hail_talk_name(HAIL_TALK_NNTP), "nntp");
    assert_string_equal(hail_talk_name(HAIL_TALK_N), "");
    size_t n;
    assert_null(hail_talk_verbs(HAIL_TALK_GENERIC, &n));
    assert_int_equal(n, 0);
    for (enum hail_talk t = HAIL_TALK_SMTP; t < HAIL_TALK_N; t++) {
        const struct hail_verb *v = hail_talk_verbs(t, &n);
        assert_true(n > 5);
        for (size_t i = 0; i < n; i++) /* a line of 80 columns holds them */
            assert_true(v[i].name[0] && v[i].help[0] &&
                        strlen(v[i].name) + strlen(v[i].args) < 48 && strlen(v[i].help) < 76);
    }
    static const struct {
        const char *line;
        enum hail_talk talk;
    } greetings[] = {
        {"220 mx ESMTP Postfix", HAIL_TALK_SMTP}, {"220 x LMTP", HAIL_TALK_LMTP},
        {"220 (vsFTPd 3.0.3)", HAIL_TALK_FTP},    {"200 x InterNetNews", HAIL_TALK_NNTP},
        {"201 no posting", HAIL_TALK_NNTP},       {"+OK x", HAIL_TALK_POP3},
        {"* PREAUTH x", HAIL_TALK_IMAP},          {"HTTP/1.1 400", HAIL_TALK_HTTP},
        {"220 hello", HAIL_TALK_GENERIC},         {"RFB 003.008", HAIL_TALK_GENERIC},
    };
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++)
        assert_int_equal(hail_talk_of_greeting(greetings[i].line), greetings[i].talk);
}

/* Lines and literals beyond any length, and more commands than are counted. */
static void test_bounds(void **state)
{
    (void)state;
    struct hail_reply r;
    char text[HAIL_REPLY_TEXT], a[1000];
    memset(a, 'a', sizeof a);
    hail_reply_init(&r, HAIL_TALK_SMTP);
    assert_int_equal(hail_reply_take(&r, "550 5.1.1 ", 10, text), 10);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(hail_reply_take(&r, a, sizeof a, text), sizeof a);
    assert_int_equal(hail_reply_take(&r, "\r\nmore", 6, text), 2);
    assert_string_equal(text, "550 5.1.1: mailbox unavailable (no such mailbox); permanent");
    assert_true(hail_reply_secret(&r, "PASS", 4));
    assert_false(hail_reply_secret(&r, a, HAIL_REPLY_LINE - 1));
    assert_true(hail_reply_secret(&r, a, HAIL_REPLY_LINE)); /* its end is not looked at */
    for (int i = 0; i < 100; i++)
        hail_reply_said(&r, a, sizeof a);
    static const char *const huge[] = {"* {99999999999999999999999}\r\n", "* {-1}\r\n"};
    for (size_t i = 0; i < 2; i++) {
        hail_reply_init(&r, HAIL_TALK_IMAP);
        hail_reply_take(&r, huge[i], strlen(huge[i]), text);
        hail_reply_take(&r, "a NO\r\n", 6, text);
        assert_string_equal(text, "NO: failed");
    }
    hail_reply_init(&r, HAIL_TALK_IMAP);
    hail_reply_take(&r, "* ", 2, text);
    for (int i = 0; i < 10; i++) /* a literal's number after what the line holds */
        hail_reply_take(&r, a, sizeof a, text);
    hail_reply_take(&r, "{6}\r\na NO\r\na BAD\r\n", 18, text);
    assert_string_equal(text,
                        "BAD: not understood: the command is unknown, malformed, or not valid "
                        "now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talks),
        cmocka_unit_test(test_secret_lines),
        cmocka_unit_test(test_secret_dialogues),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
