/* test_telnet_negotiate.c - options negotiated by RFC 1143: each state against each message, the
 * loops that its section 2 describes, and two ends that talk to each other until both are quiet,
 * whatever either of them wants. */
#include "telnet_end.h"

#include <stdlib.h>

/* An option that hail knows nothing about, so that nothing but the negotiation happens. */
#define X  "\110"
#define XN 0110

static void open_plain(struct telnet_end *e, bool allowed)
{
    telnet_end_open(e, 64);
    hail_telnet_allow(&e->t, XN, allowed, allowed);
}

/* How to bring the peer's side of the option into each state of RFC 1143, from allowed. */
enum { NO, NO_REFUSED, YES, WANTNO, WANTNO_OPPOSITE, WANTYES, WANTYES_OPPOSITE, NSTATES };

static void enter(struct telnet_end *e, int state)
{
    open_plain(e, state != NO_REFUSED);
    if (state == YES || state == WANTNO || state == WANTNO_OPPOSITE)
        TAKES(e, IAC WILL X);
    if (state == WANTNO || state == WANTNO_OPPOSITE)
        hail_telnet_ask(&e->t, HAIL_TELNET_DONT, XN);
    if (state == WANTNO_OPPOSITE || state == WANTYES || state == WANTYES_OPPOSITE)
        hail_telnet_ask(&e->t, HAIL_TELNET_DO, XN);
    if (state == WANTYES_OPPOSITE)
        hail_telnet_ask(&e->t, HAIL_TELNET_DONT, XN);
    telnet_end_log(e);
    hail_buf_clear(&e->out);
}

/* What section 7 of RFC 1143 says comes of it. */
static const struct {
    int state;
    enum { WILL_CAME, WONT_CAME, ASK_ON, ASK_OFF } what;
    const char *sent; /* the verb, or "" */
    bool on, wanted, pending;
} steps[] = {
    {NO, WILL_CAME, DO, true, true, false},
    {NO_REFUSED, WILL_CAME, DONT, false, false, false},
    {YES, WILL_CAME, "", true, true, false},
    {WANTNO, WILL_CAME, "", false, false, false},
    {WANTNO_OPPOSITE, WILL_CAME, "", true, true, false},
    {WANTYES, WILL_CAME, "", true, true, false},
    {WANTYES_OPPOSITE, WILL_CAME, DONT, false, false, true},
    {NO, WONT_CAME, "", false, false, false},
    {YES, WONT_CAME, DONT, false, false, false},
    {WANTNO, WONT_CAME, "", false, false, false},
    {WANTNO_OPPOSITE, WONT_CAME, DO, false, true, true},
    {WANTYES, WONT_CAME, "", false, false, false},
    {WANTYES_OPPOSITE, WONT_CAME, "", false, false, false},
    {NO, ASK_ON, DO, false, true, true},
    {NO_REFUSED, ASK_ON, DO, false, true, true},
    {YES, ASK_ON, "", true, true, false},
    {WANTNO, ASK_ON, "", false, true, true},
    {WANTNO_OPPOSITE, ASK_ON, "", false, true, true},
    {WANTYES, ASK_ON, "", false, true, true},
    {WANTYES_OPPOSITE, ASK_ON, "", false, true, true},
    {NO, ASK_OFF, "", false, false, false},
    {YES, ASK_OFF, DONT, false, false, true},
    {WANTNO, ASK_OFF, "", false, false, true},
    {WANTNO_OPPOSITE, ASK_OFF, "", false, false, true},
    {WANTYES, ASK_OFF, "", false, false, true},
    {WANTYES_OPPOSITE, ASK_OFF, "", false, false, true},
};

static void test_states(void **state)
{
    (void)state;
    static struct telnet_end e;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enter(&e, steps[i].state);
        if (steps[i].what == WILL_CAME)
            TAKES(&e, IAC WILL X);
        else if (steps[i].what == WONT_CAME)
            TAKES(&e, IAC WONT X);
        else
            hail_telnet_ask(&e.t, steps[i].what == ASK_ON ? HAIL_TELNET_DO : HAIL_TELNET_DONT, XN);
        const char sent[] = {IAC[0], steps[i].sent[0], X[0]};
        telnet_end_sent(&e, sent, steps[i].sent[0] ? 3 : 0);
        assert_int_equal(hail_telnet_theirs(&e.t, XN), steps[i].on);
        assert_int_equal(hail_telnet_wanted(&e.t, XN, false), steps[i].wanted);
        assert_int_equal(hail_telnet_pending(&e.t, XN, false), steps[i].pending);
        assert_false(hail_telnet_ours(&e.t, XN));
        telnet_end_close(&e);
    }
}

/* The other side is the mirror image. */
static void test_ours(void **state)
{
    (void)state;
    static struct telnet_end e;
    open_plain(&e, true);
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_WILL, XN), 0);
    TAKES(&e, IAC DO X IAC DO X);
    assert_true(hail_telnet_ours(&e.t, XN));
    assert_false(hail_telnet_theirs(&e.t, XN));
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_WONT, XN), 0);
    TAKES(&e, IAC DONT X IAC DO X IAC DONT X);
    LOG(&e, "SENT WILL 72|RCVD DO 72|ours 72 on|RCVD DO 72|SENT WONT 72|ours 72 off|RCVD DONT 72|"
            "RCVD DO 72|SENT WILL 72|ours 72 on|RCVD DONT 72|SENT WONT 72|ours 72 off|");
    SENT(&e, IAC WILL X IAC WONT X IAC WILL X IAC WONT X);
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_SB, XN), -EINVAL);
    assert_int_equal(hail_telnet_ask(&e.t, HAIL_TELNET_IAC, XN), -EINVAL);
    telnet_end_close(&e);
}

/* Whatever a peer says, one message gets at most one answer, and nothing else goes on. */
static void test_at_most_one_answer(void **state)
{
    (void)state;
    static struct telnet_end e;
    for (int allowed = 0; allowed < 2; allowed++) {
        open_plain(&e, allowed);
        srand(1143);
        for (int i = 0; i < 20000; i++) {
            const uint8_t m[] = {HAIL_TELNET_IAC, (uint8_t)(HAIL_TELNET_WILL + rand() % 4), XN};
            hail_buf_clear(&e.out);
            telnet_end_takes(&e, m, sizeof m);
            assert_true(e.out.len == 0 || e.out.len == 3);
            if (i % 7 == 0)
                hail_telnet_ask(&e.t, (uint8_t)(HAIL_TELNET_WILL + rand() % 4), XN);
            hail_buf_clear(&e.log);
        }
        telnet_end_close(&e);
    }
}

/* All of 256 options, with nothing allowed: WILL gets DONT, DO gets WONT, the rest silence. */
static void test_refusal(void **state)
{
    (void)state;
    static struct telnet_end e;
    telnet_end_open(&e, 0);
    for (int option = 0; option < 256; option++) {
        for (int verb = HAIL_TELNET_WILL; verb <= HAIL_TELNET_DONT; verb++) {
            if (option == HAIL_TELOPT_TM && verb == HAIL_TELNET_WILL)
                continue;
            const uint8_t m[] = {HAIL_TELNET_IAC, (uint8_t)verb, (uint8_t)option};
            telnet_end_takes(&e, m, sizeof m);
            const uint8_t answer[] = {
                HAIL_TELNET_IAC,
                (uint8_t)(verb == HAIL_TELNET_WILL ? HAIL_TELNET_DONT : HAIL_TELNET_WONT),
                (uint8_t)option};
            bool on = verb == HAIL_TELNET_WILL || verb == HAIL_TELNET_DO;
            telnet_end_sent(&e, answer, on ? 3 : 0);
        }
        assert_false(hail_telnet_ours(&e.t, (uint8_t)option));
        assert_false(hail_telnet_theirs(&e.t, (uint8_t)option));
    }
    telnet_end_close(&e);
}

/* What goes out when the client begins, and what it agrees to when the peer does. */
static void test_client(void **state)
{
    (void)state;
    static struct telnet_end e;
    telnet_end_open(&e, 64);
    hail_telnet_allow_client(&e.t);
    assert_int_equal(hail_telnet_begin(&e.t), 0);
    SENT(&e, IAC DO "\003" IAC WILL "\030" IAC WILL "\037" IAC WILL "\040" IAC WILL "\041" IAC WILL
                    "\042" IAC WILL "\047" IAC DO "\005");
    telnet_end_close(&e);

    telnet_end_open(&e, 64);
    e.terminal.display = "h:0";
    hail_telnet_allow_client(&e.t);
    assert_int_equal(hail_telnet_begin(&e.t), 0);
    SENT(&e, IAC DO "\003" IAC WILL "\030" IAC WILL "\037" IAC WILL "\040" IAC WILL "\041" IAC WILL
                    "\042" IAC WILL "\047" IAC DO "\005" IAC WILL "\043");
    telnet_end_close(&e);

    telnet_end_open(&e, 64);
    hail_telnet_allow_client(&e.t);
    TAKES(&e, IAC DO "\001" IAC WILL "\001" IAC DO "\005" IAC WILL "\005" IAC WILL "\030" IAC DO
                     "\043" IAC DO "\045" IAC WILL "\046");
    SENT(&e, IAC WONT "\001" IAC DO "\001" IAC WONT "\005" IAC DO "\005" IAC DONT "\030" IAC WONT
                      "\043" IAC WONT "\045" IAC DONT "\046");
    telnet_end_close(&e);
}

/* --- two ends --- */

/* Hands over what either has sent until both are quiet. Returns the messages it took. */
static size_t settle(struct telnet_end *a, struct telnet_end *b)
{
    size_t messages = 0;
    while (a->out.len || b->out.len) {
        struct telnet_end *from = a->out.len ? a : b, *to = from == a ? b : a;
        assert_true(++messages < 100);
        struct hail_buf wire = from->out;
        hail_buf_init(&from->out, 1 << 22);
        telnet_end_takes(to, wire.p, wire.len);
        hail_buf_free(&wire);
    }
    return messages;
}

static void agree(const struct telnet_end *a, const struct telnet_end *b, uint8_t option)
{
    assert_int_equal(hail_telnet_ours(&a->t, option), hail_telnet_theirs(&b->t, option));
    assert_int_equal(hail_telnet_theirs(&a->t, option), hail_telnet_ours(&b->t, option));
    for (int side = 0; side < 2; side++) {
        assert_false(hail_telnet_pending(&a->t, option, side));
        assert_false(hail_telnet_pending(&b->t, option, side));
    }
}

/* Bits: what is allowed (ours, theirs), then up to three wishes one after the other, 0..4 each. */
static void wish(struct telnet_end *e, int wishes)
{
    for (; wishes > 0; wishes /= 5)
        if (wishes % 5)
            hail_telnet_ask(&e->t, (uint8_t)(HAIL_TELNET_WILL + wishes % 5 - 1), XN);
}

/* All policies of both, all wishes uttered before anything arrives, and again after it did. */
static void test_two_ends(void **state)
{
    (void)state;
    static struct telnet_end a, b;
    telnet_end_open(&a, 0);
    telnet_end_open(&b, 0);
    const struct hail_telnet_config ca = a.t.config, cb = b.t.config;
    for (int allowed = 0; allowed < 16; allowed++)
        for (int wa = 0; wa < 125; wa++)
            for (int wb = 0; wb < 125; wb++) {
                hail_telnet_init(&a.t, &ca);
                hail_telnet_init(&b.t, &cb);
                hail_telnet_allow(&a.t, XN, allowed & 1, allowed & 2);
                hail_telnet_allow(&b.t, XN, allowed & 4, allowed & 8);
                wish(&a, wa);
                wish(&b, wb);
                settle(&a, &b);
                agree(&a, &b, XN);
                wish(&b, wa);
                wish(&a, wb);
                settle(&a, &b);
                agree(&a, &b, XN);
                hail_buf_clear(&a.log);
                hail_buf_clear(&b.log);
            }
    telnet_end_close(&a);
    telnet_end_close(&b);
}

/* Two clients, each of which would be the client of every option: it ends, subnegotiations
 * included. */
static void test_two_clients(void **state)
{
    (void)state;
    static struct telnet_end a, b;
    srand(1184);
    for (int round = 0; round < 200; round++) {
        telnet_end_open(&a, sizeof a.sub);
        telnet_end_open(&b, sizeof b.sub);
        for (uint8_t f = 1; f < HAIL_TELNET_NSLC; f++) {
            a.terminal.slc[f] = (struct hail_telnet_slc){(uint8_t)(rand() & 0x63), rand() & 3};
            b.terminal.slc[f] = (struct hail_telnet_slc){(uint8_t)(rand() & 0x63), rand() & 3};
        }
        for (int option = 0; option < 256; option++) {
            hail_telnet_allow(&a.t, (uint8_t)option, true, true);
            hail_telnet_allow(&b.t, (uint8_t)option, true, true);
        }
        hail_telnet_begin(&a.t);
        hail_telnet_begin(&b.t);
        settle(&a, &b);
        for (int option = 0; option < 256; option++)
            agree(&a, &b, (uint8_t)option);
        assert_true(hail_telnet_ours(&a.t, HAIL_TELOPT_LINEMODE));
        assert_true(hail_telnet_theirs(&a.t, HAIL_TELOPT_LINEMODE));
        for (uint8_t f = 1; f < HAIL_TELNET_NSLC; f++)
            a.terminal.slc[f].value = b.terminal.slc[f].value = rand() & 3;
        hail_telnet_slc_check(&a.t);
        hail_telnet_slc_check(&b.t);
        settle(&a, &b);
        telnet_end_close(&a);
        telnet_end_close(&b);
    }
}

/* RFC 1143 section 2: both change their minds at the same moment. */
static void test_crossing(void **state)
{
    (void)state;
    static struct telnet_end a, b;
    open_plain(&a, true);
    open_plain(&b, true);
    hail_telnet_ask(&a.t, HAIL_TELNET_WILL, XN);
    settle(&a, &b);
    assert_true(hail_telnet_ours(&a.t, XN));
    /* a goes off and on again while b asks it off */
    hail_telnet_ask(&a.t, HAIL_TELNET_WONT, XN);
    hail_telnet_ask(&a.t, HAIL_TELNET_WILL, XN);
    hail_telnet_ask(&b.t, HAIL_TELNET_DONT, XN);
    assert_true(settle(&a, &b) <= 6);
    agree(&a, &b, XN);
    /* both on at once: no answer is needed */
    hail_telnet_ask(&a.t, HAIL_TELNET_WONT, XN);
    settle(&a, &b);
    hail_telnet_ask(&a.t, HAIL_TELNET_WILL, XN);
    hail_telnet_ask(&b.t, HAIL_TELNET_DO, XN);
    assert_int_equal(settle(&a, &b), 2);
    assert_true(hail_telnet_ours(&a.t, XN));
    agree(&a, &b, XN);
    telnet_end_close(&a);
    telnet_end_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),      cmocka_unit_test(test_ours),
        cmocka_unit_test(test_refusal),     cmocka_unit_test(test_at_most_one_answer),
        cmocka_unit_test(test_client),      cmocka_unit_test(test_crossing),
        cmocka_unit_test(test_two_clients), cmocka_unit_test(test_two_ends),
    };
    return cmocka_run_group_tests_name("telnet negotiation", tests, NULL, NULL);
}
