/* test_telnet_linemode.c - LINEMODE (RFC 1184): the mode acknowledged once, FORWARDMASK refused,
 * and the special characters agreed on level by level. */
#include "telnet_end.h"

static struct telnet_end e;

/* Levels as a terminal would have them: SUSP may change, EOF may not, AO is the peer's to say. */
static void open_client(void)
{
    telnet_end_open(&e, sizeof e.sub);
    hail_telnet_allow_client(&e.t);
    struct hail_telnet_slc *slc = e.terminal.slc;
    slc[HAIL_TELNET_SLC_IP] =
        (struct hail_telnet_slc){HAIL_TELNET_SLC_VALUE | HAIL_TELNET_SLC_FLUSHIN, 3};
    slc[HAIL_TELNET_SLC_AO] = (struct hail_telnet_slc){HAIL_TELNET_SLC_DEFAULT, 0};
    slc[HAIL_TELNET_SLC_EOF] = (struct hail_telnet_slc){HAIL_TELNET_SLC_CANTCHANGE, 4};
    slc[HAIL_TELNET_SLC_EC] = (struct hail_telnet_slc){HAIL_TELNET_SLC_VALUE, 0177};
}

#define L SB "\042"

static void test_begin(void **state)
{
    (void)state;
    open_client();
    assert_int_equal(hail_telnet_slc_export(&e.t), 0); /* LINEMODE is off */
    assert_int_equal(hail_telnet_slc_import(&e.t, true), 0);
    SENT(&e, "");
    TAKES(&e, IAC DO "\042");
    LOG(&e, "RCVD DO LINEMODE|SENT DO SUPPRESS GO AHEAD|SENT WILL LINEMODE|ours 34 on|"
            "SENT IAC SB LINEMODE SLC IP VARIABLE|FLUSHIN 3; AO NOSUPPORT 0; EOF CANTCHANGE 4; "
            "EC VARIABLE 127;|");
    SENT(&e,
         IAC DO "\003" IAC WILL "\042" IAC L "\003\003\102\003\004\0\0\010\001\004\012\002\177" SE);
    assert_int_equal(hail_telnet_slc(&e.t, HAIL_TELNET_SLC_IP).value, 3);
    assert_int_equal(hail_telnet_slc(&e.t, HAIL_TELNET_NSLC).flags, 0);
    telnet_end_close(&e);
}

static void open_on(void)
{
    open_client();
    TAKES(&e, IAC DO "\042");
    telnet_end_log(&e);
    hail_buf_clear(&e.out);
}

static void test_mode(void **state)
{
    (void)state;
    open_on();
    TAKES(&e, IAC L "\001\003" SE);
    SENT(&e, IAC L "\001\007" SE);
    LOG(&e, "RCVD IAC SB LINEMODE MODE EDIT|TRAPSIG|SENT IAC SB LINEMODE MODE EDIT|TRAPSIG|ACK|"
            "mode 3|");
    /* the same again, an acknowledgement, and what is malformed, are not answered */
    TAKES(&e, IAC L "\001\003" SE IAC L "\001\007" SE IAC L "\001\014" SE IAC L "\001" SE IAC L
                    "\001\001\001" SE IAC L SE);
    SENT(&e, "");
    assert_int_equal(hail_telnet_mode(&e.t), 3);
    /* bits that nobody knows are not taken */
    TAKES(&e, IAC L "\001\371" SE);
    SENT(&e, IAC L "\001\035" SE);
    assert_int_equal(hail_telnet_mode(&e.t), 0x19);
    TAKES(&e, IAC DONT "\042" IAC L "\001\002" SE);
    SENT(&e, IAC WONT "\042");
    assert_int_equal(hail_telnet_mode(&e.t), 0);
    telnet_end_close(&e);
}

/* A mode proposed from here is in force at once; the peer may take it back. */
static void test_ask_mode(void **state)
{
    (void)state;
    open_client();
    assert_int_equal(hail_telnet_ask_mode(&e.t, 1), -EOPNOTSUPP);
    telnet_end_close(&e);
    open_on();
    TAKES(&e, IAC L "\001\003" SE);
    hail_buf_clear(&e.out);
    assert_int_equal(hail_telnet_ask_mode(&e.t, 3), 0);
    SENT(&e, "");
    assert_int_equal(hail_telnet_ask_mode(&e.t, 2 | HAIL_TELNET_MODE_ACK), 0);
    SENT(&e, IAC L "\001\002" SE);
    assert_int_equal(hail_telnet_mode(&e.t), 2);
    TAKES(&e, IAC L "\001\006" SE); /* agreed */
    SENT(&e, "");
    TAKES(&e, IAC L "\001\003" SE); /* taken back */
    SENT(&e, IAC L "\001\007" SE);
    assert_int_equal(hail_telnet_mode(&e.t), 3);
    telnet_end_close(&e);
}

static void test_forwardmask(void **state)
{
    (void)state;
    open_on();
    TAKES(&e, IAC L DO "\002\001\002\003" SE);
    SENT(&e, IAC L WONT "\002" SE);
    TAKES(&e, IAC L WILL "\002" SE);
    SENT(&e, IAC L DONT "\002" SE);
    TAKES(&e, IAC L DONT "\002" SE IAC L WONT "\002" SE IAC L DO SE IAC L "\011" SE);
    SENT(&e, "");
    telnet_end_close(&e);
}

/* Triplets that come, what is answered, and what the terminal hears of it. */
static const struct {
    const char *in;
    size_t in_n;
    const char *answer;
    size_t answer_n;
    const char *told;
} triplets[] = {
#define S(s) s, sizeof(s) - 1
    /* as it is */
    {S("\003\002\003"), S(""), ""},
    {S("\003\002\003\010\001\004\012\002\177"), S(""), ""},
    {S("\003\202\003"), S(""), ""},
    /* another value, no higher than ours: taken and acknowledged */
    {S("\003\002\005"), S("\003\202\005"), "slc 3 5|"},
    {S("\003\142\005"), S("\003\342\005"), "slc 3 5|"},
    {S("\003\001\005"), S("\003\201\005"), "slc 3 5|"},
    {S("\003\0\0"), S("\003\200\0"), "slc 3 0|"},
    {S("\010\0\0"), S("\010\200\0"), "slc 8 0|"},
    /* an acknowledgement of what was not said: the value is taken, no answer */
    {S("\003\202\005"), S(""), "slc 3 5|"},
    {S("\003\201\005"), S(""), ""},
    /* higher than ours: ours is told */
    {S("\010\002\005"), S("\010\001\004"), ""},
    {S("\001\002\005"), S("\001\0\0"), ""},
    {S("\001\002" IAC IAC), S("\001\0\0"), ""},
    /* asked for ours */
    {S("\003\003\0"), S("\003\102\003"), ""},
    {S("\003\203\0"), S("\003\102\003"), ""},
    {S("\004\003\0"), S("\004\0\0"), ""},
    /* the peer sets what we left to it */
    {S("\004\002\017"), S("\004\202\017"), "slc 4 15|"},
    /* functions that there are not */
    {S("\0\003\0"), S(""), ""},
    {S("\023\002\001\024\0\0" IAC IAC "\001\001"), S("\023\0\0" IAC IAC "\0\0"), ""},
    /* cut short */
    {S("\003\002"), S(""), ""},
    {S("\003\002\005\012\002"), S("\003\202\005"), "slc 3 5|"},
    {S(""), S(""), ""},
};

static void test_slc(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof triplets / sizeof *triplets; i++) {
        char wire[64] = IAC L "\003";
        size_t n = 4;
        memcpy(wire + n, triplets[i].answer, triplets[i].answer_n);
        n += triplets[i].answer_n;
        memcpy(wire + n, SE, 2);
        open_on();
        TAKES(&e, IAC L "\003");
        telnet_end_takes(&e, triplets[i].in, triplets[i].in_n);
        TAKES(&e, SE);
        telnet_end_sent(&e, wire, triplets[i].answer_n ? n + 2 : 0);
        const char *log = telnet_end_log(&e);
        if (triplets[i].told[0])
            assert_non_null(strstr(log, triplets[i].told));
        else
            assert_null(strstr(log, "slc "));
        telnet_end_close(&e);
    }
}

/* The terminal's characters change, are told again, or are asked of the peer. */
static void test_slc_commands(void **state)
{
    (void)state;
    open_on();
    assert_int_equal(hail_telnet_slc_check(&e.t), 0);
    SENT(&e, "");
    e.terminal.slc[HAIL_TELNET_SLC_IP].value = 5;
    e.terminal.slc[HAIL_TELNET_SLC_EC].value = 0;
    assert_int_equal(hail_telnet_slc_check(&e.t), 0);
    SENT(&e, IAC L "\003\003\102\005\012\0\0" SE);
    assert_int_equal(hail_telnet_slc_check(&e.t), 0);
    SENT(&e, "");
    assert_int_equal(hail_telnet_slc_import(&e.t, true), 0);
    SENT(&e, IAC L "\003\0\003\0" SE);
    assert_int_equal(hail_telnet_slc_import(&e.t, false), 0);
    SENT(&e, IAC L "\003\0\002\0" SE);
    assert_int_equal(hail_telnet_slc_export(&e.t), 0);
    SENT(&e, IAC L "\003\003\102\005\004\0\0\010\001\004\012\0\0" SE);
    telnet_end_close(&e);
}

/* Many triplets at once are answered in several subnegotiations, each once. */
static void test_slc_many(void **state)
{
    (void)state;
    open_on();
    TAKES(&e, IAC L "\003");
    for (int i = 0; i < 1000; i++)
        TAKES(&e, "\144\002\001");
    TAKES(&e, SE);
    size_t answered = 0;
    for (size_t i = 0; i + 3 <= e.out.len; i++)
        answered += memcmp(e.out.p + i, "\144\0\0", 3) == 0;
    assert_int_equal(answered, 1000);
    assert_in_range(e.out.len, 3000, 3200);
    telnet_end_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begin),    cmocka_unit_test(test_mode),
        cmocka_unit_test(test_ask_mode), cmocka_unit_test(test_forwardmask),
        cmocka_unit_test(test_slc),      cmocka_unit_test(test_slc_commands),
        cmocka_unit_test(test_slc_many),
    };
    return cmocka_run_group_tests_name("telnet linemode", tests, NULL, NULL);
}
