/* test_telnet_text.c - a TELNET conversation in words: the lines that inetutils-telnet shows with
 * `toggle options` for the same bytes, and nothing read beyond what came.
 *
 * link: --wrap=realloc
 */
#include "support.h"
#include "telnet_end.h"

#include <stdio.h>

#define S(s) s, sizeof(s) - 1

/* What follows IAC SB, and the line after "RCVD IAC SB ". */
static const struct {
    const char *in;
    size_t n;
    const char *text;
} subs[] = {
    {S("\030\001"), "TERMINAL-TYPE SEND"},
    {S("\030\000XTERM"), "TERMINAL-TYPE IS \"XTERM\""},
    {S("\030\000a\033]0;x\007\302\233"), "TERMINAL-TYPE IS \"a\\e]0;x\\x07\\u{009b}\""},
    {S("\030\007"), "TERMINAL-TYPE - unknown qualifier 7 (0x7)."},
    {S("\030"), "TERMINAL-TYPE  (empty suboption?\?\?)"},
    {S("\040\001"), "TERMINAL-SPEED SEND"},
    {S("\040\00038400,38400"), "TERMINAL-SPEED IS 38400,38400"},
    {S("\040\005\001"), "TERMINAL-SPEED 5 (unknown) ?1?"},
    {S("\040"), "TERMINAL-SPEED (empty suboption?\?\?)"},
    {S("\041\000"), "TOGGLE-FLOW-CONTROL OFF"},
    {S("\041\001"), "TOGGLE-FLOW-CONTROL ON"},
    {S("\041\002"), "TOGGLE-FLOW-CONTROL RESTART-ANY"},
    {S("\041\003"), "TOGGLE-FLOW-CONTROL RESTART-XON"},
    {S("\041\004\005"), "TOGGLE-FLOW-CONTROL 4 (unknown) ?5?"},
    {S("\037\001\054\000\030"), "NAWS 1 44 (300) 0 24 (24)"},
    {S("\037\000"), "NAWS ?0?"},
    {S("\037\000\001"), "NAWS 0 1 (1)"},
    {S("\037\000\001\002"), "NAWS 0 1 (1) ?2?"},
    {S("\037\000\001\000\002\003\004"), "NAWS 0 1 (1) 0 2 (2) ?3? ?4?"},
    {S("\042"), "LINEMODE  (empty suboption?\?\?)"},
    {S("\042\001"), "LINEMODE MODE (no mode?\?\?)"},
    {S("\042\001\000"), "LINEMODE MODE 0"},
    {S("\042\001\037"), "LINEMODE MODE EDIT|TRAPSIG|SOFT_TAB|LIT_ECHO|ACK"},
    {S("\042\001\201\003"), "LINEMODE MODE EDIT (0x81) ?0x3?"},
    {S("\042\375\002\001\040"), "LINEMODE DO Forward Mask 1 20"},
    {S("\042\376\005\001"), "LINEMODE DONT 5 (unknown) 1"},
    {S("\042\373"), "LINEMODE WILL (no option?\?\?)"},
    {S("\042\003\003\142\003\004\302\017\022\033\377"),
     "LINEMODE SLC IP VARIABLE|FLUSHIN|FLUSHOUT 3; AO VARIABLE|ACK|FLUSHIN 15; FORW2 DEFAULT(0x1b) "
     "255;"},
    {S("\042\003\023\001\001\003\003"), "LINEMODE SLC 19 CANTCHANGE 1; ?3? ?3?"},
    {S("\042\007\001"), "LINEMODE 7 (unknown) 1"},
    {S("\005\001"), "STATUS SEND"},
    {S("\005\002\001"), "STATUS 2 (unknown) ?1?"},
    {S("\005\000\373\001\375\030\374\231\007"),
     "STATUS IS| WILL ECHO| DO TERMINAL TYPE| WONT 153| 7"},
    {S("\005\000\372\041\001\360\376\003"),
     "STATUS IS| SB TOGGLE-FLOW-CONTROL ON SE| DONT SUPPRESS GO AHEAD|"},
    {S("\005\000\372\143\360\360\001\360\372\360\372\005\000\372\041\001"),
     "STATUS IS| SB 99 (unknown) 240 1 SE| SB (Empty suboption?\?\?) SE|"
     " SB STATUS IS| 250 33 1|"},
    {S("\005\000\375"), "STATUS IS| DO |"},
    {S("\043\001"), "X-DISPLAY-LOCATION SEND"},
    {S("\043\000h:0"), "X-DISPLAY-LOCATION IS \"h:0\""},
    {S("\047\001"), "NEW-ENVIRON SEND "},
    {S("\047\001\000\003"), "NEW-ENVIRON SEND VAR USERVAR "},
    {S("\047\000\000USER\001a\002\001d\"\200\003x"),
     "NEW-ENVIRON IS VAR \"USER\" VALUE \"a\" ESC VALUE \"d\" 042 200 USERVAR \"x\""},
    {S("\047\002\000A"), "NEW-ENVIRON INFO VAR \"A\""},
    {S("\047\005\001"), "NEW-ENVIRON "},
    {S("\001\002\003"), "ECHO (unknown) 2 3"},
    {S("\143"), "99 (unknown)"},
};

static void test_subs(void **state)
{
    (void)state;
    struct hail_buf b;
    hail_buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
        size_t n = subs[i].n - 1;
        struct hail_telnet_event ev = {.type = HAIL_TELNET_SUB,
                                       .option = (uint8_t)subs[i].in[0],
                                       .end = {255, 240},
                                       .p = guarded(subs[i].in + 1, n),
                                       .n = n};
        for (int sent = 0; sent < 2; sent++) {
            char want[256];
            ev.sent = sent;
            hail_buf_clear(&b);
            assert_int_equal(hail_telnet_describe(&b, &ev, "|"), 0);
            snprintf(want, sizeof want, "%s IAC SB %s|", sent ? "SENT" : "RCVD", subs[i].text);
            assert_string_equal(b.p, want);
        }
    }
    hail_buf_free(&b);
}

static void is(struct hail_telnet_event ev, const char *want)
{
    struct hail_buf b;
    hail_buf_init(&b, 256);
    assert_int_equal(hail_telnet_describe(&b, &ev, "\r\n"), 0);
    assert_string_equal(b.p ? b.p : "", want);
    hail_buf_free(&b);
}

static void test_others(void **state)
{
    (void)state;
    is((struct hail_telnet_event){.type = HAIL_TELNET_NEGOTIATION, .code = 251, .option = 1},
       "RCVD WILL ECHO\r\n");
    is(
        (struct hail_telnet_event){
            .type = HAIL_TELNET_NEGOTIATION, .sent = true, .code = 254, .option = 3},
        "SENT DONT SUPPRESS GO AHEAD\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_NEGOTIATION, .code = 253, .option = 255},
       "RCVD DO EXOPL\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_NEGOTIATION, .code = 253, .option = 40},
       "RCVD DO 40\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_COMMAND, .code = 242}, "RCVD IAC DMARK\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_COMMAND, .code = 10}, "RCVD IAC 10\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_SUB, .end = {255, 240}},
       "RCVD IAC SB (Empty suboption?\?\?)\r\n");
    is((struct hail_telnet_event){.type = HAIL_TELNET_OPTION, .option = 1}, "");
    is((struct hail_telnet_event){.type = HAIL_TELNET_DATA, .p = (const uint8_t *)"x", .n = 1}, "");
}

/* More text than there is room for is an error, not a crash or a cut. */
static void test_bound(void **state)
{
    (void)state;
    static uint8_t many[65535];
    memset(many + 1, HAIL_TELNET_SB, sizeof many - 1);
    struct hail_telnet_event ev = {.type = HAIL_TELNET_SUB,
                                   .option = HAIL_TELOPT_STATUS,
                                   .end = {255, 240},
                                   .p = many,
                                   .n = sizeof many};
    struct hail_buf b;
    hail_buf_init(&b, 100);
    assert_int_equal(hail_telnet_describe(&b, &ev, "\n"), -EMSGSIZE);
    assert_true(b.len <= 100);
    hail_buf_free(&b);
    hail_buf_init(&b, 1 << 20);
    assert_int_equal(hail_telnet_describe(&b, &ev, "\n"), 0);
    hail_buf_free(&b);
}

static int describe_status(const void *arg)
{
    struct hail_buf b;
    hail_buf_init(&b, 1 << 16);
    int r = hail_telnet_describe(&b, arg, "\n");
    assert_true(r == 0 || r == -ENOMEM);
    if (r == 0)
        assert_string_equal(b.p, "RCVD IAC SB STATUS IS\n SB 99 (unknown) 1 SE\n\n");
    hail_buf_free(&b);
    return r;
}

static void test_no_memory(void **state)
{
    (void)state;
    static const uint8_t status[] = {0, 250, 99, 1, 240};
    const struct hail_telnet_event ev = {.type = HAIL_TELNET_SUB,
                                         .option = HAIL_TELOPT_STATUS,
                                         .end = {255, 240},
                                         .p = status,
                                         .n = sizeof status};
    each_call_fails(describe_status, &ev);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(hail_telnet_option_name(0), "BINARY");
    assert_string_equal(hail_telnet_option_name(39), "NEW-ENVIRON");
    assert_null(hail_telnet_option_name(40));
    assert_string_equal(hail_telnet_command_name(236), "EOF");
    assert_string_equal(hail_telnet_command_name(255), "IAC");
    assert_null(hail_telnet_command_name(235));
    assert_null(hail_telnet_command_name(256));
    assert_string_equal(hail_telnet_slc_name(1), "SYNCH");
    assert_string_equal(hail_telnet_slc_name(18), "FORW2");
    assert_null(hail_telnet_slc_name(19));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subs),  cmocka_unit_test(test_others),
        cmocka_unit_test(test_bound), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("telnet in words", tests, NULL, NULL);
}
