/* test_telnet_options.c - what TELNET's options tell: window size, terminal type and speed,
 * display, status, flow control, and the environment, of which only what was exported is told. */
#include "support.h"
#include "telnet_end.h"

#include <stdio.h>

static struct telnet_end e;

static void open_client(void)
{
    telnet_end_open(&e, sizeof e.sub);
    hail_telnet_allow_client(&e.t);
}

/* The option comes on by the peer's DO; what was sent and told until then is forgotten. */
static void turn_on(uint8_t option)
{
    const uint8_t m[] = {HAIL_TELNET_IAC, HAIL_TELNET_DO, option};
    telnet_end_takes(&e, m, sizeof m);
    assert_true(hail_telnet_ours(&e.t, option));
    telnet_end_log(&e);
    hail_buf_clear(&e.out);
}

static void test_size(void **state)
{
    (void)state;
    static const struct {
        uint16_t columns, rows;
        const char *sent;
        size_t n;
    } sizes[] = {
        {132, 50, IAC SB "\037\0\204\0\062" SE, 9},
        {255, 24, IAC SB "\037\0" IAC IAC "\0\030" SE, 10},
        {80, 255, IAC SB "\037\0\120\0" IAC IAC SE, 10},
        {65535, 65280, IAC SB "\037" IAC IAC IAC IAC IAC IAC "\0" SE, 12},
        {0, 0, IAC SB "\037\0\0\0\0" SE, 9},
    };
    open_client();
    assert_int_equal(hail_telnet_resized(&e.t), 0); /* off: not told */
    SENT(&e, "");
    TAKES(&e, IAC DO "\037");
    SENT(&e, IAC WILL "\037" IAC SB "\037\0\120\0\030" SE);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        e.terminal.columns = sizes[i].columns;
        e.terminal.rows = sizes[i].rows;
        assert_int_equal(hail_telnet_resized(&e.t), 0);
        telnet_end_sent(&e, sizes[i].sent, sizes[i].n);
    }
    TAKES(&e, IAC DONT "\037");
    SENT(&e, IAC WONT "\037");
    hail_telnet_resized(&e.t);
    SENT(&e, "");
    telnet_end_close(&e);
}

static void next_type(const char *want)
{
    char wire[64];
    int n = snprintf(wire, sizeof wire, IAC SB "\030%c%s" SE, 0, want);
    TAKES(&e, IAC SB "\030\001" SE);
    telnet_end_sent(&e, wire, (size_t)n);
}

/* RFC 1091: each request gets the next, the last twice, then it begins again. */
static void test_type(void **state)
{
    (void)state;
    static const char *const types[] = {"XTERM-256COLOR", "XTERM", "VT100"};
    open_client();
    TAKES(&e, IAC SB "\030\001" SE); /* the option is off: not answered */
    SENT(&e, "");
    turn_on(HAIL_TELOPT_TTYPE);
    next_type("UNKNOWN");
    next_type("UNKNOWN");
    e.terminal.types = types;
    e.terminal.ntypes = 3;
    TAKES(&e, IAC DONT "\030");
    turn_on(HAIL_TELOPT_TTYPE);
    for (int round = 0; round < 2; round++) {
        next_type("XTERM-256COLOR");
        next_type("XTERM");
        next_type("VT100");
        next_type("VT100");
    }
    TAKES(&e, IAC SB "\030" SE IAC SB "\030\0X" SE IAC SB "\030\002" SE);
    SENT(&e, "");
    telnet_end_close(&e);
}

static void test_speed_and_display(void **state)
{
    (void)state;
    static char longest[257];
    open_client();
    turn_on(HAIL_TELOPT_TSPEED);
    e.terminal.ospeed = 115200;
    e.terminal.ispeed = 4294967295;
    TAKES(&e, IAC SB "\040\001" SE);
    SENT(&e, IAC SB "\040\000115200,4294967295" SE);
    TAKES(&e, IAC SB "\040\0001,1" SE);
    SENT(&e, "");
    /* no display, no option; and it goes off when there no longer is one */
    TAKES(&e, IAC DO "\043");
    SENT(&e, IAC WONT "\043");
    e.terminal.display = "far.example:0.0";
    hail_telnet_allow_client(&e.t);
    turn_on(HAIL_TELOPT_XDISPLOC);
    TAKES(&e, IAC SB "\043\001" SE);
    SENT(&e, IAC SB "\043\0far.example:0.0" SE);
    memset(longest, 'x', 256);
    e.terminal.display = longest;
    TAKES(&e, IAC SB "\043\001" SE IAC SB "\043\001" SE);
    SENT(&e, IAC WONT "\043");
    telnet_end_close(&e);
}

static void test_flow(void **state)
{
    (void)state;
    open_client();
    TAKES(&e, IAC SB "\041\001" SE);
    LOG(&e, "RCVD IAC SB TOGGLE-FLOW-CONTROL ON|");
    TAKES(&e, IAC DO "\041" IAC SB "\041\0" SE IAC SB "\041\002" SE IAC SB "\041\003" SE);
    LOG(&e, "RCVD DO LFLOW|SENT WILL LFLOW|ours 33 on|flow 1|RCVD IAC SB TOGGLE-FLOW-CONTROL OFF|"
            "flow 0|RCVD IAC SB TOGGLE-FLOW-CONTROL RESTART-ANY|flow 2|"
            "RCVD IAC SB TOGGLE-FLOW-CONTROL RESTART-XON|flow 3|");
    TAKES(&e, IAC SB "\041\004" SE IAC SB "\041" SE);
    LOG(&e, "RCVD IAC SB TOGGLE-FLOW-CONTROL 4 (unknown)|"
            "RCVD IAC SB TOGGLE-FLOW-CONTROL (empty suboption?\?\?)|");
    SENT(&e, IAC WILL "\041");
    telnet_end_close(&e);
}

static void test_status(void **state)
{
    (void)state;
    open_client();
    assert_int_equal(hail_telnet_ask_status(&e.t), -EOPNOTSUPP);
    TAKES(&e, IAC WILL "\005");
    assert_int_equal(hail_telnet_ask_status(&e.t), 0);
    SENT(&e, IAC DO "\005" IAC SB "\005\001" SE);
    telnet_end_log(&e);
    TAKES(&e, IAC SB "\005\0" WILL "\001" DO "\030" SE);
    LOG(&e, "RCVD IAC SB STATUS IS| WILL ECHO| DO TERMINAL TYPE||");
    /* the other side of it: what is on is told, what is only asked for is not */
    hail_telnet_allow(&e.t, HAIL_TELOPT_STATUS, true, true);
    TAKES(&e, IAC DO "\005" IAC WILL "\001" IAC DO "\003" IAC WILL "\003");
    hail_telnet_ask(&e.t, HAIL_TELNET_WILL, HAIL_TELOPT_BINARY);
    hail_buf_clear(&e.out);
    TAKES(&e, IAC SB "\005\001" SE);
    SENT(&e, IAC SB "\005\0" DO "\001" WILL "\003" DO "\003" WILL "\005" DO "\005" SE);
    telnet_end_close(&e);
}

/* --- NEW-ENVIRON --- */

static const struct hail_telnet_var vars[] = {
    {"SECRET", "no", false}, {"USER", "ada", true},      {"ODD\001\002\377", "\0033", true},
    {"EMPTY", "", true},     {"DISPLAY", "h:0.0", true}, {"JOB", "hidden", false},
};

static const struct {
    const char *ask;
    size_t ask_n;
    const char *is;
    size_t is_n;
} asked[] = {
#define S(s) s, sizeof(s) - 1
#define ODD  "\003ODD\002\001\002\002" IAC IAC "\001\002\0033"
    /* everything: what is not well known first */
    {S("\001"), S("\0" ODD "\003EMPTY\001\0USER\001ada\0DISPLAY\001h:0.0")},
    {S("\001\0"), S("\0\0USER\001ada\0DISPLAY\001h:0.0")},
    {S("\001\003"), S("\0" ODD "\003EMPTY\001")},
    {S("\001\0\003"), S("\0\0USER\001ada\0DISPLAY\001h:0.0" ODD "\003EMPTY\001")},
    /* by name; the kind that goes with the name is answered */
    {S("\001\0USER"), S("\0\0USER\001ada")},
    {S("\001\003USER\0EMPTY"), S("\0\0USER\001ada\003EMPTY\001")},
    {S("\001\003ODD\002\001\002\002" IAC IAC), S("\0" ODD)},
    /* what is not exported is as if it were not there */
    {S("\001\003SECRET\0JOB\003NONE"), S("\0\003SECRET\0JOB\003NONE")},
    {S("\001\003SECRE\003SECRETS"), S("\0\003SECRE\003SECRETS")},
    /* malformed */
    {S("\001USER"), S("\0")},
    {S("\001\0US\002"), S("\0\003US\002\002")},
    {S("\001\0\001"), S("\0\003\002\001")},
};

static void test_environ(void **state)
{
    (void)state;
    open_client();
    TAKES(&e, IAC SB "\047\001" SE);
    SENT(&e, "");
    turn_on(HAIL_TELOPT_NEW_ENVIRON);
    TAKES(&e, IAC SB "\047\001" SE);
    SENT(&e, IAC SB "\047\0" SE);
    e.terminal.vars = vars;
    e.terminal.nvars = sizeof vars / sizeof *vars;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char wire[256];
        size_t n = 0;
        memcpy(wire, IAC SB "\047", n = 3);
        memcpy(wire + n, asked[i].is, asked[i].is_n);
        memcpy(wire + n + asked[i].is_n, SE, 2);
        TAKES(&e, IAC SB "\047");
        telnet_end_takes(&e, guarded(asked[i].ask, asked[i].ask_n), asked[i].ask_n);
        TAKES(&e, SE);
        telnet_end_sent(&e, wire, n + asked[i].is_n + 2);
    }
    TAKES(&e, IAC SB "\047\0\0USER\001eve" SE IAC SB "\047\002\0USER\001eve" SE IAC SB "\047" SE);
    SENT(&e, "");
    telnet_end_close(&e);
}

static void test_environ_sent(void **state)
{
    (void)state;
    open_client();
    e.terminal.vars = vars;
    e.terminal.nvars = sizeof vars / sizeof *vars;
    assert_int_equal(hail_telnet_send_environ(&e.t, "USER"), -EOPNOTSUPP);
    turn_on(HAIL_TELOPT_NEW_ENVIRON);
    assert_int_equal(hail_telnet_send_environ(&e.t, "NONE"), -ENOENT);
    assert_int_equal(hail_telnet_send_environ(&e.t, "SECRET"), -EACCES);
    SENT(&e, "");
    assert_int_equal(hail_telnet_send_environ(&e.t, "USER"), 0);
    SENT(&e, IAC SB "\047\002\0USER\001ada" SE);
    telnet_end_close(&e);
}

/* A request that names everything a thousand times gets a bounded answer, in pieces: IS, INFO. */
static void test_environ_bounded(void **state)
{
    (void)state;
    static char value[4000], huge[9000], request[2 * 30000];
    memset(value, 'v', sizeof value - 1);
    memset(huge, 'h', sizeof huge - 1);
    const struct hail_telnet_var big[] = {
        {"A", value, true}, {"B", value, true}, {"C", value, true}, {"HUGE", huge, true}};
    open_client();
    turn_on(HAIL_TELOPT_NEW_ENVIRON);
    e.terminal.vars = big;
    e.terminal.nvars = 4;
    TAKES(&e, IAC SB "\047\001" SE);
    const char *log = telnet_end_log(&e);
    assert_non_null(strstr(log, "SENT IAC SB NEW-ENVIRON IS USERVAR \"A\" VALUE \"vvv"));
    assert_non_null(strstr(log, "SENT IAC SB NEW-ENVIRON INFO USERVAR \"C\" VALUE \"vvv"));
    assert_non_null(strstr(log, "USERVAR \"HUGE\"|")); /* as if undefined, never cut */
    hail_buf_clear(&e.out);
    for (size_t i = 0; i < sizeof request; i += 2)
        memcpy(request + i, "\003A", 2);
    TAKES(&e, IAC SB "\047\001");
    telnet_end_takes(&e, request, sizeof request);
    TAKES(&e, SE);
    assert_in_range(e.out.len, 50000, 66000);
    telnet_end_close(&e);
}

/* Without a terminal there is nothing to tell, and nothing breaks. */
static void test_no_terminal(void **state)
{
    (void)state;
    open_client();
    struct hail_telnet_config config = e.t.config;
    config.terminal = NULL;
    hail_telnet_init(&e.t, &config);
    hail_telnet_allow_client(&e.t);
    TAKES(&e, IAC DO "\030" IAC DO "\037" IAC DO "\040" IAC DO "\042" IAC DO "\047" IAC DO "\043");
    hail_buf_clear(&e.out);
    TAKES(&e, IAC SB "\030\001" SE IAC SB "\040\001" SE IAC SB "\047\001\0USER" SE IAC SB
                     "\042\003\003\002\003" SE);
    SENT(&e, IAC SB "\030\0UNKNOWN" SE IAC SB "\040\0000,0" SE IAC SB "\047\0\0USER" SE IAC SB
                    "\042\003\003\0\0" SE);
    assert_int_equal(hail_telnet_resized(&e.t), 0);
    assert_int_equal(hail_telnet_slc_check(&e.t), 0);
    assert_int_equal(hail_telnet_slc_export(&e.t), 0);
    SENT(&e, "");
    telnet_end_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_type),
        cmocka_unit_test(test_speed_and_display),
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_environ),
        cmocka_unit_test(test_environ_sent),
        cmocka_unit_test(test_environ_bounded),
        cmocka_unit_test(test_no_terminal),
    };
    return cmocka_run_group_tests_name("telnet options", tests, NULL, NULL);
}
