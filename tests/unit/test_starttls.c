/* test_starttls.c - what comes before TLS in each protocol: whole, byte by byte, cut anywhere,
 * ending at an unreadable page; what refuses, what spoils; the ports. */
#include "peer.h"

#include <hail/starttls.h>

/* What is heard and said, in turn; `in` NULL: it is this side's word first. */
struct turn {
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
};
#define TURN(in, out)                                                                              \
    {                                                                                              \
        in, sizeof in - 1, out, sizeof out - 1                                                     \
    }
#define TURNS 4

struct dialog {
    enum hail_starttls protocol;
    bool greeted;
    struct turn turns[TURNS]; /* after the last one the handshake is next */
};

#define LDAP_ASKS                                                                                  \
    "\x30\x1d\2\1\1\x77\x18\x80\x16"                                                               \
    "1.3.6.1.4.1.1466.20037"
#define POSTGRES_ASK "\0\0\0\10\4\xd2\x16\x2f"
#define XMPP_OPENS                                                                                 \
    "<?xml version='1.0'?><stream:stream to='a.example' xmlns='jabber:client' "                    \
    "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
#define XMPP_ASKS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define MYSQL_GREETS(flags)                                                                        \
    "\x2a\0\0\0\x0a"                                                                               \
    "8.0.36\0"                                                                                     \
    "\x08\0\0\0"                                                                                   \
    "abcdefgh\0" flags "\x21\2\0\xff\xdf\x15"                                                      \
    "\0\0\0\0\0\0\0\0\0\0"                                                                         \
    "ij\0"
#define MYSQL_ASKS "\x20\0\0\1\0\x8a\0\0\0\0\0\1\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* clang-format off */
static const struct dialog good[] = {
    {HAIL_STARTTLS_SMTP, false, {TURN("220-a\r\n220 b\r\n", "EHLO localhost\r\n"),
                                 TURN("250-me\r\n250-starttls\r\n250 X\r\n", "STARTTLS\r\n"),
                                 TURN("220 go\r\n", "")}},
    {HAIL_STARTTLS_SMTP, true, {TURN("", "EHLO localhost\r\n"),
                                TURN("250-me\n250 STARTTLS\n", "STARTTLS\r\n"), TURN("220\n", "")}},
    {HAIL_STARTTLS_LMTP, false, {TURN("220 a\r\n", "LHLO localhost\r\n"),
                                 TURN("250 STARTTLS\r\n", "STARTTLS\r\n"), TURN("220 go\r\n", "")}},
    {HAIL_STARTTLS_POP3, false, {TURN("+OK a\r\n", "STLS\r\n"), TURN("+OK\r\n", "")}},
    {HAIL_STARTTLS_IMAP, false, {TURN("* OK a\r\n", "a001 STARTTLS\r\n"),
                                 TURN("* CAPABILITY X\r\na001 OK b\r\n", "")}},
    {HAIL_STARTTLS_IMAP, true, {TURN("", "a001 STARTTLS\r\n"), TURN("A001 ok\r\n", "")}},
    {HAIL_STARTTLS_FTP, false, {TURN("120 b\r\n220-a\r\nin 530 it\r\n220 c\r\n", "AUTH TLS\r\n"),
                                TURN("234-a\r\n230 b\r\n234 go\r\n", "")}},
    {HAIL_STARTTLS_NNTP, false, {TURN("200 a\r\n", "STARTTLS\r\n"), TURN("382 go\r\n", "")}},
    {HAIL_STARTTLS_SIEVE, false, {TURN("\"SIEVE\" \"x\"\r\n\"STARTTLS\"\r\nOK \"a\"\r\n",
                                       "STARTTLS\r\n"), TURN("OK\r\n", "")}},
    {HAIL_STARTTLS_POSTGRES, false, {TURN("", POSTGRES_ASK), TURN("S", "")}},
    {HAIL_STARTTLS_MYSQL, false, {TURN(MYSQL_GREETS("\xff\xff"), MYSQL_ASKS)}},
    {HAIL_STARTTLS_LDAP, false, {TURN("", LDAP_ASKS),
                                 TURN("\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0", "")}},
    {HAIL_STARTTLS_LDAP, true, {TURN("", LDAP_ASKS),
        TURN("\x30\x84\0\0\0\x10\2\1\1\x78\x84\0\0\0\7\x0a\1\0\4\0\4\0", "")}},
    {HAIL_STARTTLS_XMPP, false, {TURN("", XMPP_OPENS),
        TURN("<stream:stream id='1'>\n<stream:features><starttls xmlns='x'/></stream:features>",
             XMPP_ASKS),
        TURN("<proceed xmlns='x'/>", "")}},
};
/* clang-format on */

/* Gives the bytes in pieces: the first `cut` of them, then `piece` at a time. */
static int give(struct hail_starttls_dialog *d, const char *p, size_t n, size_t cut, size_t piece)
{
    int rc = 0;
    for (size_t at = 0; at < n;) {
        size_t m = at < cut ? cut : piece;
        m = m < n - at ? m : n - at;
        rc = hail_starttls_take(d, guarded(p + at, m), m);
        at += m;
        if (rc != 0 || (d->out_len > 0 && at < n))
            assert_int_equal(at, n); /* nothing is decided early */
    }
    return rc;
}

static void hold(const struct dialog *g, size_t cut, size_t piece)
{
    struct hail_starttls_dialog d;
    int rc = hail_starttls_begin(&d, g->protocol, "a.example", g->greeted);
    for (int i = 0; i < TURNS && g->turns[i].in; i++) {
        const struct turn *t = &g->turns[i];
        assert_int_equal(rc, 0);
        if (t->in_len)
            rc = give(&d, t->in, t->in_len, cut < t->in_len ? cut : 0, piece);
        assert_int_equal(d.out_len, t->out_len);
        assert_memory_equal(d.out, t->out, t->out_len);
    }
    assert_int_equal(rc, 1);
}

static void dialogs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        hold(&good[i], 0, 10000);
        hold(&good[i], 0, 1);
        for (size_t cut = 1; cut < 120; cut++)
            hold(&good[i], cut, 10000);
    }
}

/* Up to the last turn of the i-th dialog that is good. */
static const struct turn *last_turn(struct hail_starttls_dialog *d, const struct dialog *g)
{
    assert_int_equal(hail_starttls_begin(d, g->protocol, "a.example", g->greeted), 0);
    int i = 0;
    for (; i + 1 < TURNS && g->turns[i + 1].in; i++)
        if (g->turns[i].in_len)
            assert_int_equal(hail_starttls_take(d, g->turns[i].in, g->turns[i].in_len), 0);
    return &g->turns[i];
}

static void nothing_may_follow(void **state)
{
    (void)state;
    struct hail_starttls_dialog d;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const struct turn *t = last_turn(&d, &good[i]);
        char more[256];
        memcpy(more, t->in, t->in_len);
        more[t->in_len] = 'x';
        assert_int_equal(hail_starttls_take(&d, guarded(more, t->in_len + 1), t->in_len + 1),
                         -EPROTO);
        assert_non_null(strstr(d.why, "behind the word"));
    }
}

/* What comes as an answer to the last word, or first; how it ends. */
struct bad {
    enum hail_starttls protocol;
    bool first;
    const char *in;
    size_t in_len;
    int rc;
};
#define BAD(protocol, first, in, rc)                                                               \
    {                                                                                              \
        HAIL_STARTTLS_##protocol, first, in, sizeof in - 1, rc                                     \
    }

static const struct bad bad[] = {
    BAD(SMTP, true, "554 no\r\n", -ECONNREFUSED),
    BAD(SMTP, true, "22 a\r\n", -EPROTO),
    BAD(SMTP, true, "220x\r\n", -EPROTO),
    BAD(SMTP, true, "\r\n", -EPROTO),
    BAD(SMTP, true, "220 a\r\n250 STARTTLS\r\n", -EPROTO),
    BAD(SMTP, false, "454 later\r\n", -ECONNREFUSED),
    BAD(POP3, true, "-ERR\r\n", -ECONNREFUSED),
    BAD(POP3, true, "OK\r\n", -EPROTO),
    BAD(POP3, false, "-ERR\r\n", -ECONNREFUSED),
    BAD(IMAP, true, "* BYE\r\n", -ECONNREFUSED),
    BAD(IMAP, true, "* PREAUTH\r\n", -ECONNREFUSED),
    BAD(IMAP, true, "* NO\r\n", -EPROTO),
    BAD(IMAP, false, "a001 NO\r\n", -ECONNREFUSED),
    BAD(IMAP, false, "a002 OK\r\n", -EPROTO),
    BAD(FTP, true, "421 no\r\n", -ECONNREFUSED),
    BAD(FTP, true, "hello\r\n", -EPROTO),
    BAD(FTP, false, "534 no\r\n", -ECONNREFUSED),
    BAD(NNTP, true, "400 no\r\n", -ECONNREFUSED),
    BAD(NNTP, true, "200-a\r\n", -EPROTO),
    BAD(NNTP, false, "580 no\r\n", -ECONNREFUSED),
    BAD(SIEVE, true, "OK\r\n", -ENOTSUP),
    BAD(SIEVE, true, "BYE\r\n", -ECONNREFUSED),
    BAD(SIEVE, true, "SIEVE\r\n", -EPROTO),
    BAD(SIEVE, false, "NO\r\n", -ECONNREFUSED),
    BAD(POSTGRES, true, "N", -ENOTSUP),
    BAD(POSTGRES, true, "E\0\0\0\10", -EPROTO),
    BAD(MYSQL, true, "\5\0\0\0\xff\x10\4no", -ECONNREFUSED),
    BAD(MYSQL, true, "\1\0\0\0\xff", -ECONNREFUSED),
    BAD(MYSQL, true, MYSQL_GREETS("\xff\xf7"), -ENOTSUP),
    BAD(MYSQL, true, "\0\0\0\0", -EPROTO),
    BAD(MYSQL, true,
        "\x03\0\0\0\x0a"
        "8\0",
        -EPROTO),
    BAD(MYSQL, true, "\xff\xff\xff\0", -EPROTO),
    BAD(LDAP, true, "\x30\x0c\2\1\1\x78\7\x0a\1\x34\4\0\4\0", -ECONNREFUSED),
    BAD(LDAP, true, "\x31\0", -EPROTO),
    BAD(LDAP, true, "\x30\0", -EPROTO),
    BAD(LDAP, true, "\x30\x80", -EPROTO),
    BAD(LDAP, true, "\x30\x85\0\0\0\0\0", -EPROTO),
    BAD(LDAP, true, "\x30\x84\xff\xff\xff\xff", -EPROTO),
    BAD(LDAP, true, "\x30\5\2\x7f\1\x78\7", -EPROTO),
    BAD(LDAP, true, "\x30\7\2\1\1\x78\2\x0a\0", -EPROTO),
    BAD(XMPP, true, "<stream:stream><stream:features/>", -ENOTSUP),
    BAD(XMPP, true, "<stream:features><x/></stream:features><starttls", -ENOTSUP),
    BAD(XMPP, true, "<stream:stream><stream:error", -ECONNREFUSED),
    BAD(XMPP, false, "<failure", -ECONNREFUSED),
};

static void refused_or_spoilt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bad *b = &bad[i];
        const struct dialog *g = good;
        struct hail_starttls_dialog d;
        while (g->protocol != b->protocol)
            g++;
        if (b->first)
            assert_int_equal(hail_starttls_begin(&d, b->protocol, "a.example", false), 0);
        else
            last_turn(&d, g);
        int rc = hail_starttls_take(&d, guarded(b->in, b->in_len), b->in_len);
        if (rc != b->rc)
            print_error("case %zu: %d, not %d\n", i, rc, b->rc);
        assert_int_equal(rc, b->rc);
        assert_true(*d.why);
    }
}

static void not_offered(void **state)
{
    (void)state;
    static const char *const answers[] = {"250 me\r\n", "250\r\n", "250-STARTTLSX\r\n250 x\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct hail_starttls_dialog d;
        hail_starttls_begin(&d, HAIL_STARTTLS_SMTP, "", true);
        assert_int_equal(hail_starttls_take(&d, answers[i], strlen(answers[i])), -ENOTSUP);
    }
}

/* Every one stops asking for more. */
static void bounds(void **state)
{
    (void)state;
    static const char *const endless[] = {"220-x\r\n", "x", "<x/>", "* OK\r\n"};
    for (int p = HAIL_STARTTLS_SMTP; p <= HAIL_STARTTLS_XMPP; p++)
        for (size_t i = 0; i < 4; i++) {
            struct hail_starttls_dialog d;
            size_t n = 0;
            hail_starttls_begin(&d, (enum hail_starttls)p, "a.example", false);
            int rc = 0;
            while (rc == 0 && n <= HAIL_STARTTLS_ALL) {
                rc = hail_starttls_take(&d, endless[i], strlen(endless[i]));
                n += strlen(endless[i]);
            }
            assert_true(rc < 0);
        }
}

static void who_cannot_begin(void **state)
{
    (void)state;
    struct hail_starttls_dialog d;
    assert_int_equal(hail_starttls_begin(&d, HAIL_STARTTLS_MYSQL, "", true), -EINVAL);
    assert_int_equal(hail_starttls_begin(&d, HAIL_STARTTLS_XMPP, "a", true), -EINVAL);
    assert_int_equal(hail_starttls_begin(&d, HAIL_STARTTLS_XMPP, "a'b", false), -EINVAL);
    assert_int_equal(hail_starttls_begin(&d, HAIL_STARTTLS_NONE, "a", false), -EINVAL);
    char name[HAIL_HOST_MAX + 1];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(hail_starttls_begin(&d, HAIL_STARTTLS_XMPP, name, false), 0);
    assert_true(d.out_len < sizeof d.out && memchr(d.out, '>', d.out_len));
}

static void names_and_ports(void **state)
{
    (void)state;
    for (int p = HAIL_STARTTLS_SMTP; p <= HAIL_STARTTLS_XMPP; p++)
        assert_int_equal(hail_starttls_by_name(hail_starttls_name((enum hail_starttls)p)), p);
    assert_int_equal(hail_starttls_by_name("SMTP"), HAIL_STARTTLS_SMTP);
    assert_int_equal(hail_starttls_by_name("none"), HAIL_STARTTLS_NONE);
    assert_int_equal(hail_starttls_by_name(""), HAIL_STARTTLS_NONE);
    assert_int_equal(hail_starttls_by_port(587), HAIL_STARTTLS_SMTP);
    assert_int_equal(hail_starttls_by_port(80), HAIL_STARTTLS_NONE);
    int n = 0;
    for (int port = 0; port < 65536; port++) {
        bool tls = hail_tls_by_port((uint16_t)port);
        n += tls;
        assert_false(tls && hail_starttls_by_port((uint16_t)port));
    }
    assert_int_equal(n, 22);
    assert_true(hail_tls_by_port(443) && hail_tls_by_port(8443) && !hail_tls_by_port(80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogs),
        cmocka_unit_test(nothing_may_follow),
        cmocka_unit_test(refused_or_spoilt),
        cmocka_unit_test(not_offered),
        cmocka_unit_test(bounds),
        cmocka_unit_test(who_cannot_begin),
        cmocka_unit_test(names_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
