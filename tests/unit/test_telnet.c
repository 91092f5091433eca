/* test_telnet.c - the stream of TELNET: data and commands taken apart wherever it is cut, line ends
 * both ways, SYNCH, TIMING MARK, and subnegotiations bounded in memory. */
#include "support.h"
#include "telnet_end.h"

enum { RAW = 1, LINES = 2, CRLF = 4, FOLD = 8, CRMOD = 16, CLIENT = 32, NO_SUB = 64 };

static void open_as(struct telnet_end *e, unsigned how)
{
    telnet_end_open(e, how & NO_SUB ? 0 : 64);
    e->t.newline.raw = how & RAW;
    e->t.newline.lines = how & LINES;
    e->t.newline.cr_crlf = how & CRLF;
    e->t.newline.fold_crlf = how & FOLD;
    e->t.newline.crmod = how & CRMOD;
    if (how & CLIENT)
        hail_telnet_allow_client(&e->t);
}

#define S(s)  s, sizeof(s) - 1

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const struct stream {
    unsigned how;
    const char *in;
    size_t n;
    const char *log;
    const char *sent;
    size_t sent_n;
    int end; /* what hail_telnet_end() says */
} streams[] = {
    /* data */
    {0, S("plain"), "\"plain\"|", S(""), 0},
    {0, S("a" IAC IAC "b"), "\"a\\xffb\"|", S(""), 0},
    {0, S(IAC IAC IAC IAC), "\"\\xff\\xff\"|", S(""), 0},
    {0, S("8 bit: \200\376"), "\"8 bit: \\x80\\xfe\"|", S(""), 0},
    {0, S("a\0b"), "\"a\\x00b\"|", S(""), 0},
    /* line ends */
    {0, S("a\r\nb\r\0c\rd\n"), "\"a\\r\\nb\\rc\\rd\\n\"|", S(""), 0},
    {0, S("a\r"), "\"a\\r\"|", S(""), 0},
    {0, S("\r\r\n\r\0\0\r\r"), "\"\\r\\r\\n\\r\\x00\\r\\r\"|", S(""), 0},
    {RAW, S("a\r\nb\r\0c"), "\"a\\r\\nb\\r\\x00c\"|", S(""), 0},
    {RAW | FOLD | CRMOD, S("a\r\nb\r\0c\rd"), "\"a\\r\\nb\\r\\x00c\\rd\"|", S(""), 0},
    {FOLD, S("a\r\nb\r\0c\rd\n\r\r\n"), "\"a\\nb\\rc\\rd\\n\\r\\n\"|", S(""), 0},
    {FOLD, S("a\r"), "\"a\\r\"|", S(""), 0},
    {FOLD, S("a\r" IAC "\371\n"), "\"a\\r\"|RCVD IAC GA|\"\\n\"|", S(""), 0},
    {FOLD, S("a\r" IAC IAC), "\"a\\r\\xff\"|", S(""), 0},
    {CRMOD, S("a\rb\r\nc\r\0d\r"), "\"a\\r\\nb\\r\\nc\\rd\\r\\n\"|", S(""), 0},
    {CRMOD | FOLD, S("a\rb\r\nc\r\0d\r\r"), "\"a\\r\\nb\\nc\\rd\\r\\n\\r\\n\"|", S(""), 0},
    {FOLD | CLIENT, S("a\r\n" IAC WILL "\001b\r\nc\r\0d"),
     "\"a\\n\"|RCVD WILL ECHO|SENT DO ECHO|theirs 1 on|\"b\\r\\nc\\rd\"|", S(IAC DO "\001"), 0},
    {FOLD | CLIENT, S(IAC WILL "\0a\r\n\r\0"),
     "RCVD WILL BINARY|SENT DO BINARY|theirs 0 on|\"a\\r\\n\\r\\x00\"|", S(IAC DO "\0"), 0},
    /* commands */
    {0, S("a" IAC "\366b" IAC "\361"), "\"a\"|RCVD IAC AYT|\"b\"|RCVD IAC NOP|", S(""), 0},
    {0, S(IAC "\354" IAC "\355" IAC "\356" IAC "\357" IAC "\360" IAC "\362" IAC "\363"),
     "RCVD IAC EOF|RCVD IAC SUSP|RCVD IAC ABORT|RCVD IAC EOR|RCVD IAC SE|RCVD IAC DMARK|"
     "RCVD IAC BRK|",
     S(""), 0},
    {0, S(IAC "\012x"), "RCVD IAC 10|\"x\"|", S(""), 0},
    {0, S("x" IAC), "\"x\"|", S(""), -EPROTO},
    {0, S(IAC WILL), "", S(""), -EPROTO},
    /* TIMING MARK: each DO answered, nothing else */
    {CLIENT, S(IAC DO "\006" IAC DO "\006" IAC DONT "\006" IAC WILL "\006" IAC WONT "\006"),
     "RCVD DO TIMING MARK|SENT WILL TIMING MARK|RCVD DO TIMING MARK|SENT WILL TIMING MARK|"
     "RCVD DONT TIMING MARK|RCVD WILL TIMING MARK|RCVD WONT TIMING MARK|",
     S(IAC WILL "\006" IAC WILL "\006"), 0},
    {0, S(IAC DO "\006"), "RCVD DO TIMING MARK|SENT WONT TIMING MARK|", S(IAC WONT "\006"), 0},
    /* subnegotiations */
    {0, S("a" IAC SB "\143ab" SE "b"), "\"a\"|RCVD IAC SB 99 (unknown) 97 98|\"b\"|", S(""), 0},
    {0, S(IAC SB "\143" IAC IAC "\r\0\n" SE), "RCVD IAC SB 99 (unknown) 255 13 0 10|", S(""), 0},
    {0, S(IAC SB "\143" SE), "RCVD IAC SB 99 (unknown)|", S(""), 0},
    {0, S(IAC SB IAC IAC "a" SE), "RCVD IAC SB 255 (unknown) 97|", S(""), 0},
    {0, S(IAC SB SE "x"), "RCVD IAC SB (Empty suboption?\?\?)|\"x\"|", S(""), 0},
    {0, S(IAC SB "\143a" IAC WILL "\001x"),
     "In SUBOPTION processing, RCVD IAC WILL|"
     "RCVD IAC SB (terminated by IAC WILL, not IAC SE!) 99 (unknown) 97|"
     "RCVD WILL ECHO|SENT DONT ECHO|\"x\"|",
     S(IAC DONT "\001"), 0},
    {0, S(IAC SB IAC SB "\143" IAC "\001x"),
     "In SUBOPTION processing, RCVD IAC SB|RCVD IAC SB (Empty suboption?\?\?)|"
     "In SUBOPTION processing, RCVD IAC 1|"
     "RCVD IAC SB (terminated by IAC ECHO, not IAC SE!) 99 (unknown)|RCVD IAC 1|\"x\"|",
     S(""), 0},
    {0, S(IAC SB "\143abc"), "", S(""), -EPROTO},
    {0, S(IAC SB "\030" SIXTY "1234" SE "x"),
     "RCVD IAC SB TERMINAL-TYPE - unknown qualifier 48 (0x30).|\"x\"|", S(""), 0},
    {0, S(IAC SB "\030" SIXTY "12345" SE "x"), "dropped 24|\"x\"|", S(""), 0},
    {0, S(IAC SB "\030" SIXTY SIXTY IAC IAC SIXTY SE "x"), "dropped 24|\"x\"|", S(""), 0},
    {NO_SUB, S(IAC SB "\030a" SE IAC SB "\031" SE),
     "dropped 24|RCVD IAC SB END OF RECORD (unknown)|", S(""), 0},
    {NO_SUB, S(IAC SB "\030" IAC IAC SE "x"), "dropped 24|\"x\"|", S(""), 0},
};

/* The whole conversation with the input cut into `first` bytes, then pieces of `step`. */
static void converse(const struct stream *s, size_t first, size_t step)
{
    static struct telnet_end e;
    open_as(&e, s->how);
    for (size_t at = 0; at < s->n;) {
        size_t n = at == 0 && first ? first : step;
        n = n < s->n - at ? n : s->n - at;
        telnet_end_takes(&e, guarded(s->in + at, n), n);
        at += n;
    }
    assert_int_equal(hail_telnet_end(&e.t), s->end);
    LOG(&e, s->log);
    telnet_end_sent(&e, s->sent, s->sent_n);
    telnet_end_close(&e);
}

static void test_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const struct stream *s = &streams[i];
        converse(s, 0, s->n);
        converse(s, 0, 1);
        for (size_t cut = 1; cut < s->n; cut++)
            converse(s, cut, s->n);
    }
}

static const struct sending {
    unsigned how;
    const char *data;
    size_t n;
    const char *wire;
    size_t wire_n;
} sendings[] = {
    {0, S("keys\r\n\t\200" IAC), S("keys\r\0\n\t\200" IAC IAC)},
    {CRLF, S("a\rb\n\r"), S("a\r\nb\n\r\n")},
    {LINES, S("a\nb\r\nc\rd\r\r\n\n"), S("a\r\nb\r\nc\r\0d\r\0\r\n\r\n")},
    {LINES, S("a\r"), S("a\r\0")},
    {LINES | CRLF, S("a\rb\r\nc\r"), S("a\r\nb\r\nc\r\n")},
    {LINES, S("\r" IAC), S("\r\0" IAC IAC)},
    {RAW, S("a\r\nb\rc\n" IAC), S("a\r\nb\rc\n" IAC IAC)},
    {RAW | LINES, S("a\nb\r"), S("a\nb\r")},
};

static void test_sending(void **state)
{
    (void)state;
    static struct telnet_end e;
    for (size_t i = 0; i < sizeof sendings / sizeof *sendings; i++) {
        const struct sending *s = &sendings[i];
        for (size_t cut = 0; cut <= s->n; cut++) {
            open_as(&e, s->how);
            hail_telnet_send_data(&e.t, guarded(s->data, cut), cut);
            hail_telnet_send_data(&e.t, guarded(s->data + cut, s->n - cut), s->n - cut);
            assert_int_equal(hail_telnet_send_data(&e.t, NULL, 0), 0);
            telnet_end_sent(&e, s->wire, s->wire_n);
            LOG(&e, "");
            telnet_end_close(&e);
        }
    }
    /* a CR at the end is sent at once, and completed by what follows */
    open_as(&e, LINES);
    hail_telnet_send_data(&e.t, "a\r", 2);
    SENT(&e, "a\r");
    hail_telnet_send_data(&e.t, "\nb\r", 3);
    SENT(&e, "\nb\r");
    assert_int_equal(hail_telnet_send_command(&e.t, HAIL_TELNET_AYT), 0);
    SENT(&e, "\0" IAC "\366");
    /* BINARY of ours leaves line ends alone, but IAC is doubled */
    TAKES(&e, IAC DO "\0");
    SENT(&e, IAC WONT "\0");
    hail_telnet_allow(&e.t, HAIL_TELOPT_BINARY, true, false);
    TAKES(&e, IAC DO "\0");
    SENT(&e, IAC WILL "\0");
    hail_telnet_send_data(&e.t, "\r\n\n" IAC, 4);
    SENT(&e, "\r\n\n" IAC IAC);
    telnet_end_close(&e);
}

/* What has a meaning is found wherever it stands in much that has none. */
static void test_far_apart(void **state)
{
    (void)state;
    static const char pairs[][3] = {"\r", "\r\n", IAC IAC};
    static struct telnet_end e;
    static char in[1024], out[sizeof in];
    open_as(&e, LINES | FOLD);
    for (size_t at = 0; at + 2 <= sizeof in; at += at % 256 > 2 && at % 256 < 250 ? 61 : 1)
        for (int kind = 0; kind < 3; kind++) {
            memset(in, 'x', sizeof in);
            memcpy(in + at, pairs[kind], 2); /* on the wire: CR NUL, CR LF, IAC IAC */
            memset(out, 'x', sizeof out);
            out[at] = "\r\n\377"[kind];
            telnet_end_takes(&e, in, sizeof in);
            assert_int_equal(e.data.len, sizeof in - 1);
            assert_memory_equal(e.data.p, out, sizeof in - 1);
            hail_buf_clear(&e.data);
            hail_telnet_send_data(&e.t, out, sizeof in - 1);
            telnet_end_sent(&e, in, sizeof in);
        }
    telnet_end_close(&e);
}

static void test_commands(void **state)
{
    (void)state;
    static struct telnet_end e;
    open_as(&e, 0);
    for (int c = 0; c < 256; c++) {
        bool is = (c >= HAIL_TELNET_EOF && c <= HAIL_TELNET_GA && c != HAIL_TELNET_SE);
        assert_int_equal(hail_telnet_send_command(&e.t, (uint8_t)c), is ? 0 : -EINVAL);
        const uint8_t wire[] = {HAIL_TELNET_IAC, (uint8_t)c};
        telnet_end_sent(&e, wire, is ? 2 : 0);
    }
    LOG(&e, "SENT IAC EOF|SENT IAC SUSP|SENT IAC ABORT|SENT IAC EOR|SENT IAC NOP|SENT IAC DMARK|"
            "SENT IAC BRK|SENT IAC IP|SENT IAC AO|SENT IAC AYT|SENT IAC EC|SENT IAC EL|"
            "SENT IAC GA|");
    /* the DM of a SYNCH, and only it, is urgent */
    e.urgent = 0;
    hail_telnet_send_data(&e.t, "ab", 2);
    assert_int_equal(e.urgent, 0);
    hail_telnet_send_command(&e.t, HAIL_TELNET_DM);
    assert_int_equal(e.urgent, 4);
    assert_int_equal(hail_telnet_send_sub(&e.t, 255, "a" IAC "b", 3), 0);
    SENT(&e, "ab" IAC "\362" IAC SB IAC IAC "a" IAC IAC "b" SE);
    assert_int_equal(hail_telnet_send_sub(&e.t, 31, "", 0), 0);
    SENT(&e, IAC SB "\037" SE);
    telnet_end_close(&e);
}

/* Data between the announcement and the DM is dropped, the rest is served: RFC 854. */
static void test_synch(void **state)
{
    (void)state;
    static struct telnet_end e;
    open_as(&e, CLIENT);
    TAKES(&e, "a");
    hail_telnet_urgent(&e.t);
    TAKES(&e, "b\r\nc" IAC IAC IAC "\366" IAC WILL "\003d" IAC "\362e");
    LOG(&e, "\"a\"|RCVD IAC AYT|RCVD WILL SUPPRESS GO AHEAD|SENT DO SUPPRESS GO AHEAD|"
            "theirs 3 on|RCVD IAC DMARK|\"e\"|");
    SENT(&e, IAC DO "\003");
    /* a DM that nobody announced is nothing */
    TAKES(&e, "f" IAC "\362g");
    LOG(&e, "\"f\"|RCVD IAC DMARK|\"g\"|");
    /* output silenced until the TIMING MARK, whatever the answer is; the last one counts */
    assert_int_equal(hail_telnet_flush_output(&e.t), 0);
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_DO, HAIL_TELOPT_TM), 0);
    SENT(&e, IAC DO "\006" IAC DO "\006");
    TAKES(&e, "h" IAC WILL "\006i" IAC WONT "\006j");
    LOG(&e, "SENT DO TIMING MARK|SENT DO TIMING MARK|RCVD WILL TIMING MARK|mark 1|"
            "RCVD WONT TIMING MARK|mark 0|\"j\"|");
    SENT(&e, "");
    telnet_end_close(&e);
}

/* A callback stops receive() after what it is at; what is left is given again. */
static void test_pause(void **state)
{
    (void)state;
    static struct telnet_end e;
    static const char in[] = IAC DO "\006" IAC DO "\006abc" IAC SB "\030x" SE "def";
    size_t n = sizeof in - 1;
    open_as(&e, CLIENT);
    for (size_t at = 0, rounds = 0; at < n; rounds++) {
        assert_true(rounds < 6);
        e.pause_after = 1;
        ssize_t got = hail_telnet_receive(&e.t, in + at, n - at);
        assert_true(got > 0);
        if (rounds == 0)
            assert_int_equal(got, 3);
        at += (size_t)got;
    }
    LOG(&e, "RCVD DO TIMING MARK|SENT WILL TIMING MARK|RCVD DO TIMING MARK|SENT WILL TIMING MARK|"
            "\"abc\"|RCVD IAC SB TERMINAL-TYPE - unknown qualifier 120 (0x78).|\"def\"|");
    SENT(&e, IAC WILL "\006" IAC WILL "\006");
    telnet_end_close(&e);
}

/* When send() fails, its error is what every call returns from then on. */
static void test_failed_send(void **state)
{
    (void)state;
    static struct telnet_end e;
    open_as(&e, CLIENT);
    e.fail_send = -EPIPE;
    assert_int_equal(hail_telnet_receive(&e.t, "abc", 3), 3);
    assert_int_equal(hail_telnet_receive(&e.t, S(IAC DO "\006abc")), -EPIPE);
    e.fail_send = 0;
    assert_int_equal(hail_telnet_receive(&e.t, "abc", 3), -EPIPE);
    assert_int_equal(hail_telnet_send_data(&e.t, "x", 1), -EPIPE);
    assert_int_equal(hail_telnet_send_command(&e.t, HAIL_TELNET_AYT), -EPIPE);
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_DO, 3), -EPIPE);
    assert_int_equal(hail_telnet_begin(&e.t), -EPIPE);
    assert_int_equal(hail_telnet_flush_output(&e.t), -EPIPE);
    SENT(&e, "");
    telnet_end_close(&e);
}

/* 100 MB of one subnegotiation: no memory beyond what was given, one report, and on it goes. */
static void test_endless_sub(void **state)
{
    (void)state;
    static struct telnet_end e;
    static char mega[1 << 20];
    memset(mega, 'x', sizeof mega);
    telnet_end_open(&e, sizeof e.sub);
    hail_telnet_allow_client(&e.t);
    TAKES(&e, IAC SB "\030");
    for (int i = 0; i < 100; i++)
        telnet_end_takes(&e, mega, sizeof mega);
    TAKES(&e, IAC IAC SE "after");
    LOG(&e, "dropped 24|\"after\"|");
    SENT(&e, "");
    telnet_end_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),     cmocka_unit_test(test_sending),
        cmocka_unit_test(test_commands),    cmocka_unit_test(test_synch),
        cmocka_unit_test(test_pause),       cmocka_unit_test(test_failed_send),
        cmocka_unit_test(test_endless_sub), cmocka_unit_test(test_far_apart),
    };
    return cmocka_run_group_tests_name("telnet", tests, NULL, NULL);
}
