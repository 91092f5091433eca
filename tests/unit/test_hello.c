/* test_hello.c - the first words with services: whole, byte by byte, ending at an unreadable page,
 * and with memory failing; what else is refused, and by which word; what bytes look like.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 * link: --wrap=realloc
 */
#include "peer.h"

#include "proto/hello.h"

/* What the peer says, and what is said then; `in` empty: it is this side's word first. */
struct turn {
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
};
#define TURN(in, out)                                                                              \
    {                                                                                              \
        in, sizeof(in) - 1, out, sizeof(out) - 1                                                   \
    }
#define TURNS 6

enum { TLS_NEVER = 1, TLS_WANTED = 2, SECURED = 4, DATAGRAM = 8, QUERY = 16 };

struct talk {
    enum hail_hello_kind kind;
    unsigned how;
    const char *fact, *value; /* one that is known at the end */
    struct turn turns[TURNS];
};

#define NONCE     "abcdefghijkl"
#define DNS_ASK   "ab\0\0\0\1\0\0\0\0\0\0\0\0\2\0\1"
#define DNS_QUERY "ab\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\1\0\1"
#define DNS_ANSWER                                                                                 \
    "ab\x81\x80\0\1\0\1\0\0\0\0\1x\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3"
#define NTP_ASK    "\x23" ZEROS10 ZEROS10 ZEROS10 "\0\0\0\0\0\0\0\0\0abcdefgh"
#define NTP_ANSWER "\x24\2\0\0" ZEROS10 ZEROS10 "abcdefgh" ZEROS10 "\0\0\0\0\0\0"
#define ZEROS10    "\0\0\0\0\0\0\0\0\0\0"
#define MYSQL_GREETS(flags)                                                                        \
    "\x2a\0\0\0\x0a"                                                                               \
    "8.0.36\0"                                                                                     \
    "\x08\0\0\0"                                                                                   \
    "abcdefgh\0" flags "\x21\2\0\0\0\x15" ZEROS10 "ij\0"
#define MYSQL_LOGIN                                                                                \
    "\x3c\0\0\1\0\x82\x08\0\0\0\0\1\x2d" ZEROS10 ZEROS10 "\0\0\0hail\0\0mysql_native_password"
#define PG_START "\0\0\0\x25\0\3\0\0user\0hail\0database\0postgres\0\0"
#define KEX                                                                                        \
    "\0\0\0\x5c\4\x14" ZEROS10 "\0\0\0\0\0\0"                                                      \
    "\0\0\0\x08"                                                                                   \
    "kex1,kex"                                                                                     \
    "\0\0\0\7ssh-dss"                                                                              \
    "\0\0\0\5aes,x\0\0\0\3aes\0\0\0\1m\0\0\0\1m\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* clang-format off */
static const struct talk good[] = {
    {HAIL_HELLO_SMTP, TLS_NEVER, "banner", "a b", {
        TURN("220-a\r\n220 b\r\n", "EHLO localhost\r\n"),
        TURN("250-me\r\n250-STARTTLS\r\n250 SIZE 9\r\n", "QUIT\r\n"), TURN("221 bye\r\n", "")}},
    {HAIL_HELLO_SMTP, 0, "capability", "AUTH PLAIN", {
        TURN("220 a\r\n", "EHLO localhost\r\n"), TURN("250 STARTTLS\r\n", "QUIT\r\n"),
        TURN("221-a\r\n221 b\r\n", "")}}, /* the first line is a name */
    {HAIL_HELLO_SMTP, 0, "banner", "a", {
        TURN("220 a\n", "EHLO localhost\r\n"), TURN("502 no\n", "HELO localhost\r\n"),
        TURN("250 hi\n", "QUIT\r\n"), TURN("221\n", "")}},
    {HAIL_HELLO_LMTP, 0, "server", "me", {
        TURN("220 a\r\n", "LHLO localhost\r\n"), TURN("250 me\r\n", "QUIT\r\n"),
        TURN("221\r\n", "")}},
    {HAIL_HELLO_FTP, 0, "capability", "SIZE", {
        TURN("120 soon\r\n220-a\r\n 220 x\r\n220 b\r\n", "FEAT\r\n"),
        TURN("211-F\r\n SIZE\r\n211 E\r\n", "QUIT\r\n"), TURN("221\r\n", "")}},
    {HAIL_HELLO_FTP, SECURED, "banner", "a", {
        TURN("220 a\r\n", "FEAT\r\n"), TURN("211-F\r\n AUTH TLS\r\n211 E\r\n", "QUIT\r\n"),
        TURN("221\r\n", "")}},
    {HAIL_HELLO_POP3, 0, "auth", "PLAIN", {
        TURN("+OK a\r\n", "CAPA\r\n"), TURN("+OK\r\nSASL PLAIN X\r\n.\r\n", "QUIT\r\n"),
        TURN("+OK\r\n", "")}},
    {HAIL_HELLO_IMAP, 0, "capability", "IMAP4rev1", {
        TURN("* OK [X] a\r\n", "a1 CAPABILITY\r\n"),
        TURN("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK\r\n", "a3 LOGOUT\r\n"),
        TURN("* BYE\r\na3 OK\r\n", "")}},
    {HAIL_HELLO_NNTP, 0, "capability", "VERSION 2", {
        TURN("201 a\r\n", "CAPABILITIES\r\n"), TURN("101\r\nVERSION 2\r\n.\r\n", "QUIT\r\n"),
        TURN("205\r\n", "")}},
    {HAIL_HELLO_SSH, 0, "weak", "ssh-dss", {
        TURN("hello\r\nSSH-2.0-X_1\r\n", "SSH-2.0-hail\r\n"), TURN(KEX, "")}},
    {HAIL_HELLO_HTTP, 0, "banner", "HTTP/1.1 204 No", {
        TURN("", "HEAD / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: hail-check\r\n"
                 "Accept: */*\r\n\r\n"),
        TURN("HTTP/1.1 103 E\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "")}},
    {HAIL_HELLO_DNS, DATAGRAM, "status", "REFUSED", {
        TURN("", DNS_ASK), TURN("ab\x80\5\0\1\0\0\0\0\0\0\0\0\2\0\1", "")}},
    {HAIL_HELLO_DNS, 0, "status", "REFUSED", {
        TURN("", "\0\x11" DNS_ASK), TURN("\0\x11" "ab\x80\5\0\1\0\0\0\0\0\0\0\0\2\0\1", "")}},
    {HAIL_HELLO_DNS, QUERY, "answer", "10.1.2.3", {
        TURN("", "\0\x18" DNS_QUERY), TURN("\0\x28" DNS_ANSWER, "")}},
    {HAIL_HELLO_NTP, DATAGRAM, "status", "stratum 2", {TURN("", NTP_ASK), TURN(NTP_ANSWER, "")}},
    {HAIL_HELLO_POSTGRES, 0, "auth", "md5", {
        TURN("", "\0\0\0\10\4\xd2\x16\x2f"), TURN("N", PG_START),
        TURN("R\0\0\0\x0c\0\0\0\5salt", "X\0\0\0\4")}},
    {HAIL_HELLO_POSTGRES, TLS_NEVER, "error", "no such role", {
        TURN("", PG_START), TURN("E\0\0\0\x21" "SFATAL\0C28000\0Mno such role\0\0", "")}},
    {HAIL_HELLO_MYSQL, 0, "software", "8.0.36", {
        TURN(MYSQL_GREETS("\xff\xf7"), MYSQL_LOGIN "\0"),
        TURN("\x0b\0\0\2\xff\x15\4#28000no", "")}},
    {HAIL_HELLO_MYSQL, 0, "software", "8.0.36", {
        TURN(MYSQL_GREETS("\xff\xf7"), MYSQL_LOGIN "\0"), TURN("\1\0\0\2\xfe", "\0\0\0\3"),
        TURN("\7\0\0\4\0\0\0\2\0\0\0", "\1\0\0\0\1")}},
    {HAIL_HELLO_REDIS, 0, "banner", "PONG", {
        TURN("", "*1\r\n$4\r\nPING\r\n"), TURN("+PONG\r\n", "")}},
    {HAIL_HELLO_MEMCACHED, 0, "software", "1.6", {
        TURN("", "version\r\n"), TURN("VERSION 1.6\r\n", "quit\r\n")}},
    {HAIL_HELLO_MQTT, 0, "status", "connection accepted", {
        TURN("", "\x10\x1c\0\4MQTT\4\2\0\x0a\0\x10" "hail616263646566"),
        TURN("\x20\2\0\0", "\xe0\0")}},
};
/* clang-format on */

static struct hail_hello_opts options(unsigned how)
{
    struct hail_hello_opts o = {.host = "a.example",
                                .starttls = how & TLS_NEVER    ? HAIL_HELLO_TLS_NEVER
                                            : how & TLS_WANTED ? HAIL_HELLO_TLS_REQUIRED
                                                               : HAIL_HELLO_TLS_TRY,
                                .secured = how & SECURED,
                                .datagram = how & DATAGRAM,
                                .query = how & QUERY ? "x.test" : NULL};
    memcpy(o.nonce, NONCE, HAIL_HELLO_NONCE);
    return o;
}

/* Holds the conversation, its turns in pieces of so many bytes. The last step, or what failed. */
static int hold(const struct talk *t, size_t piece, bool strict)
{
    struct hail_hello h;
    const struct hail_hello_opts o = options(t->how);
    int step = hail_hello_begin(&h, t->kind, &o);
    for (int i = 0; i < TURNS && t->turns[i].in && step == HAIL_HELLO_MORE; i++) {
        const struct turn *turn = &t->turns[i];
        size_t n = t->how & DATAGRAM ? turn->in_len : piece;
        for (size_t at = 0; at < turn->in_len && step == HAIL_HELLO_MORE; at += n) {
            size_t left = turn->in_len - at < n ? turn->in_len - at : n;
            step = hail_hello_take(&h, guarded(turn->in + at, left), left);
        }
        if (strict) {
            assert_int_equal(h.out.len, turn->out_len);
            if (turn->out_len)
                assert_memory_equal(h.out.p, turn->out, turn->out_len);
        }
        hail_buf_clear(&h.out);
    }
    if (strict) {
        const char *value = hail_hello_fact(&h, t->fact);
        if (step != HAIL_HELLO_DONE)
            fail_msg("%s: %d: %s", hail_hello_name(t->kind), step, h.why);
        assert_true(h.spoke && h.greeted);
        if (strcmp(t->fact, "capability") != 0 || strcmp(t->value, "AUTH PLAIN") != 0) {
            assert_non_null(value);
            assert_string_equal(value, t->value);
        }
    }
    hail_hello_free(&h);
    return step;
}

static void conversations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        hold(&good[i], 100000, true);
        for (size_t piece = 1; piece < 12; piece++)
            hold(&good[i], piece, true);
    }
}

/* Facts that had no room are left out; all else is told. */
static int without_memory(const void *arg)
{
    int step = hold(arg, 7, false);
    assert_true(step == HAIL_HELLO_DONE || step == HAIL_HELLO_MORE || step < 0);
    return step < 0 ? step : 0;
}

static void memory_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        each_call_fails(without_memory, &good[i]);
}

/* The first words, and what they come to. */
static const struct {
    enum hail_hello_kind kind;
    unsigned how;
    const char *in;
    int rc;
    const char *why;
} bad[] = {
    {HAIL_HELLO_SMTP, 0, "554 no\r\n", -ECONNREFUSED, "the service says: 554 no"},
    {HAIL_HELLO_SMTP, 0, "SSH-2.0-x\r\n", -EPROTO, "expected SMTP, this is SSH-2.0-x"},
    {HAIL_HELLO_SMTP, 0, "220x\r\n", -EPROTO, "expected SMTP, but it says: 220x"},
    {HAIL_HELLO_SMTP, 0, "220-a\r\n221 b\r\n", -EPROTO, "expected SMTP"},
    {HAIL_HELLO_SMTP, 0, "\r\n", -EPROTO, "expected SMTP"},
    {HAIL_HELLO_SMTP, TLS_WANTED, "220 a\r\n250-a\r\n250 B\r\n", -ENOTSUP, "STARTTLS"},
    {HAIL_HELLO_POP3, TLS_WANTED, "+OK\r\n+OK\r\n.\r\n", -ENOTSUP, "STLS"},
    {HAIL_HELLO_IMAP, TLS_WANTED, "* OK\r\na1 OK\r\n", -ENOTSUP, "STARTTLS"},
    {HAIL_HELLO_NNTP, TLS_WANTED, "200\r\n101\r\n.\r\n", -ENOTSUP, "STARTTLS"},
    {HAIL_HELLO_FTP, TLS_WANTED, "220 a\r\n500 no\r\n500 no\r\n", -ENOTSUP, "AUTH TLS"},
    {HAIL_HELLO_FTP, 0, "421 no\r\n", -ECONNREFUSED, "421 no"},
    {HAIL_HELLO_NNTP, 0, "200-a\r\n", -EPROTO, "NNTP"},
    {HAIL_HELLO_SSH, 0, "220 an FTP\r\n", -EPROTO, "this is FTP"},
    {HAIL_HELLO_SSH, 0, "SSH-2.0-x\r\n\1\1\1\1\1\1", -EPROTO, "malformed"},
    {HAIL_HELLO_REDIS, 0, ":1\r\n", -EPROTO, "but it says: :1"},
    {HAIL_HELLO_HTTP, 0, "HTTP/1.1 200\nx\n\n", -EPROTO, "RFC 9112"},
    {HAIL_HELLO_HTTP, 0, "HTTP/1.1 503 x\r\n\r\n", -ECONNREFUSED, "503 x"},
    {HAIL_HELLO_POSTGRES, 0, "HTTP/1.0 400 x\r\n", -EPROTO, "expected PostgreSQL"},
    {HAIL_HELLO_MYSQL, 0, "220 a FTP\r\n", -EPROTO, "expected MySQL, this is"},
};

static void refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t piece = 1; piece < 200; piece += 199) {
            struct hail_hello h;
            const struct hail_hello_opts o = options(bad[i].how);
            int step = hail_hello_begin(&h, bad[i].kind, &o);
            size_t n = strlen(bad[i].in);
            for (size_t at = 0; at < n && step == HAIL_HELLO_MORE; at += piece) {
                size_t left = n - at < piece ? n - at : piece;
                step = hail_hello_take(&h, guarded(bad[i].in + at, left), left);
            }
            if (step == HAIL_HELLO_MORE)
                step = hail_hello_end(&h);
            if (step != bad[i].rc || !strstr(h.why, bad[i].why))
                fail_msg("%zu: %d: %s", i, step, h.why);
            hail_hello_free(&h);
        }
}

static void bounds(void **state)
{
    (void)state;
    static char line[HAIL_HELLO_LINE + 2];
    struct hail_hello h;
    const struct hail_hello_opts o = options(0);
    memset(line, 'x', sizeof line);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_SMTP, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, line, sizeof line), -EMSGSIZE);
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_SSH, &o), HAIL_HELLO_MORE);
    int step = HAIL_HELLO_MORE;
    line[1000] = '\n';
    size_t rounds = 0;
    for (; step == HAIL_HELLO_MORE && rounds < 1000; rounds++)
        step = hail_hello_take(&h, line, 1001);
    assert_int_equal(step, -EMSGSIZE);
    assert_in_range(rounds, 200, 300);
    hail_hello_free(&h);
}

static void silence(void **state)
{
    (void)state;
    struct hail_hello h;
    const struct hail_hello_opts o = options(0);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_IMAP, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_patience(&h), -1);
    assert_int_equal(hail_hello_silent(&h), HAIL_HELLO_MORE);
    assert_string_equal(h.out.p, "QUIT\r\n");
    assert_int_equal(hail_hello_take(&h, "\x15\3\3\0\2\2\x46", 7), -EPROTO);
    assert_string_equal(h.why, "expected IMAP, this is TLS (an alert)");
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_IMAP, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_silent(&h), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "* OK late\r\n", 11), -ETIMEDOUT);
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_TELNET, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_patience(&h), HAIL_HELLO_QUIET_MS);
    assert_int_equal(hail_hello_quiet(&h), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "\xff\xfd\x18welcome", 10), HAIL_HELLO_MORE);
    assert_memory_equal(h.out.p, "\xff\xfc\x18", 3);
    assert_int_equal(hail_hello_quiet(&h), HAIL_HELLO_DONE);
    assert_string_equal(hail_hello_fact(&h, "banner"), "welcome");
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_TELNET, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "\xff\xfd\x18log", 6), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "in: ", 4), HAIL_HELLO_DONE); /* a prompt */
    hail_hello_free(&h);
}

static void secured_on_the_way(void **state)
{
    (void)state;
    struct hail_hello h;
    const struct hail_hello_opts o = options(0);
    static const char greeting[] = "220 a\r\n250-a\r\n250-OLD\r\n250 STARTTLS\r\n220 go\r\n";
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_SMTP, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, greeting, sizeof greeting - 1), HAIL_HELLO_SECURE);
    hail_buf_clear(&h.out);
    assert_int_equal(hail_hello_secured(&h), HAIL_HELLO_MORE);
    assert_string_equal(h.out.p, "EHLO localhost\r\n");
    assert_int_equal(hail_hello_take(&h, "250-a\r\n250 NEW\r\n", 16), HAIL_HELLO_MORE);
    assert_true(h.spoke && h.starttls);
    assert_string_equal(hail_hello_fact(&h, "capability"), "NEW"); /* the old ones do not count */
    assert_int_equal(hail_hello_end(&h), HAIL_HELLO_DONE);
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_POSTGRES, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "S", 1), HAIL_HELLO_SECURE);
    hail_hello_free(&h);
    assert_int_equal(hail_hello_begin(&h, HAIL_HELLO_POSTGRES, &o), HAIL_HELLO_MORE);
    assert_int_equal(hail_hello_take(&h, "Sx", 2), -EPROTO);
    hail_hello_free(&h);
}

static void looks(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        enum hail_hello_kind kind;
        const char *text;
    } seen[] = {
        {"SSH-2.0-x\r\ny", HAIL_HELLO_SSH, "SSH-2.0-x"},
        {"HTTP/1.0 400 \x1b[0m\r\n", HAIL_HELLO_HTTP, "HTTP/1.0 400 \\e[0m"},
        {"220 a ESMTP\r\n", HAIL_HELLO_SMTP, "SMTP"},
        {"220 (vsFTPd)\r\n", HAIL_HELLO_FTP, "FTP"},
        {"220 a LMTP\r\n", HAIL_HELLO_LMTP, "LMTP"},
        {"220 a\r\n", HAIL_HELLO_SMTP, "SMTP or FTP"},
        {"201 news\r\n", HAIL_HELLO_NNTP, "NNTP"},
        {"\x15\3\1", HAIL_HELLO_NONE, "TLS (an alert)"},
        {"\xff\xfb\1", HAIL_HELLO_TELNET, "Telnet"},
        {"ERROR\r\n", HAIL_HELLO_MEMCACHED, "memcached"},
        {"ERRORS", HAIL_HELLO_NONE, ""},
        {"RFB 003.008\n", HAIL_HELLO_NONE, "VNC (RFB)"},
        {"hello", HAIL_HELLO_NONE, ""},
        {"", HAIL_HELLO_NONE, ""},
    };
    char out[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        size_t n = strlen(seen[i].in);
        hail_hello_looks(guarded(seen[i].in, n), n, &kind, out);
        assert_string_equal(out, seen[i].text);
        assert_int_equal(kind, seen[i].kind);
        for (size_t front = 0; front < n; front++)
            hail_hello_looks(guarded(seen[i].in, front), front, &kind, out);
    }
}

static void names(void **state)
{
    (void)state;
    bool tls = false;
    assert_int_equal(hail_hello_by_name("SMTPS", &tls), HAIL_HELLO_SMTP);
    assert_true(tls);
    assert_int_equal(hail_hello_by_name("gopher", &tls), HAIL_HELLO_KINDS);
    assert_int_equal(hail_hello_by_port(993, &tls), HAIL_HELLO_IMAP);
    assert_true(tls);
    assert_int_equal(hail_hello_by_port(24, &tls), HAIL_HELLO_LMTP);
    assert_false(tls);
    assert_int_equal(hail_hello_by_port(4711, &tls), HAIL_HELLO_NONE);
    assert_int_equal(hail_hello_by_port(0, &tls), HAIL_HELLO_NONE);
    assert_int_equal(hail_hello_port(HAIL_HELLO_SMTP, false), 25);
    assert_int_equal(hail_hello_port(HAIL_HELLO_SMTP, true), 465);
    assert_int_equal(hail_hello_port(HAIL_HELLO_SCRIPT, false), 0);
    for (int k = 0; k < HAIL_HELLO_KINDS; k++) {
        assert_true(*hail_hello_name((enum hail_hello_kind)k));
        assert_true(*hail_hello_title((enum hail_hello_kind)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations), cmocka_unit_test(memory_fails),
        cmocka_unit_test(refusals),      cmocka_unit_test(bounds),
        cmocka_unit_test(silence),       cmocka_unit_test(secured_on_the_way),
        cmocka_unit_test(looks),         cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
