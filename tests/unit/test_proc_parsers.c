/* test_proc_parsers.c - what /proc tells of sockets and those who hold them, line by line: as the
 * kernel writes it, cut at every byte with nothing readable behind, and one byte wrong. */
#include "diag/holders.h"
#include "diag/rows.h"
#include "support.h"

#include <hail/hail.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* As a little-endian kernel writes them; the tests below that read addresses ask for one. */
static const char tcp[] = "   0: 0100007F:0016 0200000A:C350 01 00000010:00000002 "
                          "02:000AFC80 00000003  1000        4 12345 2 0000000000000000 20 4 30";
static const char tcp6[] = "  12: 00000000000000000000000001000000:1F90 "
                           "0000000000000000FFFF00000100007F:0000 0A 00000000:00000000 "
                           "00:00000000 00000000     0        0 4294967295 1 0";

static int inet_row(const char *line, size_t n, struct hail_diag_row *row)
{
    *row = (struct hail_diag_row){.info.kind = HAIL_KIND_TCP};
    return hail_proc_inet_row(guarded(line, n), n, row);
}

static void assert_address(const struct hail_addr *a, const char *canonical)
{
    struct hail_endpoint e = hail_endpoint_of(a);
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&e, text, sizeof text);
    assert_string_equal(text, canonical);
}

static void test_inet(void **state)
{
    (void)state;
    struct hail_diag_row row;
    const struct hail_socket_info *i = &row.info;
    if (htonl(1) == 1)
        skip();
    assert_int_equal(inet_row(tcp, strlen(tcp), &row), 0);
    assert_address(&i->local, "127.0.0.1:22");
    assert_address(&i->peer, "10.0.0.2:50000");
    assert_true(i->family == AF_INET && i->type == SOCK_STREAM && i->state == HAIL_ESTABLISHED);
    assert_true(i->send_q == 16 && i->recv_q == 2 && i->uid == 1000 && i->inode == 12345);
    assert_true(i->timer == HAIL_TIMER_KEEPALIVE && i->timer_ms == 7200000);
    assert_true(i->retransmits == 3 && i->probes == 4 && i->has & HAIL_HAS_PROBES);
    assert_int_equal(inet_row(tcp6, strlen(tcp6), &row), 0);
    assert_address(&i->local, "[::1]:8080");
    assert_true(IN6_IS_ADDR_V4MAPPED(&i->peer.u.in6.sin6_addr));
    assert_address(&i->peer, "127.0.0.1:0");
    assert_true(i->family == AF_INET6 && i->state == HAIL_LISTEN && i->inode == UINT32_MAX);
}

static void test_inet_cut(void **state)
{
    (void)state;
    struct hail_diag_row row;
    size_t enough = strlen(tcp) - strlen("2345 2 0000000000000000 20 4 30"); /* "1" of the inode */
    for (size_t n = 0; n <= strlen(tcp); n++)
        assert_int_equal(inet_row(tcp, n, &row), n < enough ? -EBADMSG : 0);
}

static void test_inet_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
        "   0: 0100007F:0016 00000000000000000000000001000000:0000 0A 0:0 00:0 0 0 0 1",
        "   0: 100007F:0016 00000000:0000 0A 0:0 00:0 0 0 0 1",
        "   0: 0100007F0100007F:0016 00000000:0000 0A 0:0 00:0 0 0 0 1",
        "   0: 0100007F:0016 00000000:0000 0E 0:0 00:0 0 0 0 1",
        "   0: 0100007F:0016 00000000:0000 FFFFFFFFFFFFFFFF 0:0 00:0 0 0 0 1",
        "   0: 0100007F:0016 00000000:0000 0A 0-0 00:0 0 0 0 1",
    };
    struct hail_diag_row row;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(inet_row(wrong[i], strlen(wrong[i]), &row), -EBADMSG);
    for (size_t at = 0; at < strlen(tcp); at++) { /* any byte another: whatever comes, no crash */
        char line[sizeof tcp];
        memcpy(line, tcp, sizeof tcp);
        for (int c = 0; c < 256; c += 5) {
            line[at] = (char)c;
            int rc = inet_row(line, sizeof tcp - 1, &row);
            assert_true(rc == -EBADMSG || (rc == 0 && (unsigned)row.info.state <= HAIL_BOUND));
        }
    }
}

static int unix_row(const char *line, size_t n, struct hail_diag_row *row)
{
    *row = (struct hail_diag_row){.info.kind = HAIL_KIND_UNIX};
    return hail_proc_unix_row(guarded(line, n), n, row);
}

static void test_unix(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name;
        size_t len;
        enum hail_socket_state state;
    } cases[] = {
        {"0000000000000000: 00000002 00000000 00010000 0001 01 77 /run/a b", "/run/a b", 8,
         HAIL_LISTEN},
        {"ffff8881: 00000002 00000000 00000000 0002 01 77 @x@y", "\0x@y", 4, HAIL_CLOSE},
        {"0000000000000000: 00000003 00000000 00000000 0001 03 77", NULL, 0, HAIL_ESTABLISHED},
        {"0000000000000000: 00000003 00000000 00000000 0001 03 77 ", NULL, 0, HAIL_ESTABLISHED},
        {"0: 3 0 0 1 2 77 a\nb", "a\nb", 3, HAIL_SYN_SENT},
        {"0: 3 0 0 1 4 77  two", " two", 4, HAIL_CLOSING},
    };
    struct hail_diag_row row;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(unix_row(cases[i].line, strlen(cases[i].line), &row), 0);
        assert_int_equal(row.info.state, cases[i].state);
        assert_int_equal(row.info.inode, 77);
        assert_int_equal(row.info.name_len, cases[i].len);
        assert_true(!row.info.name == !cases[i].name);
        if (cases[i].name)
            assert_memory_equal(row.info.name, cases[i].name, cases[i].len);
    }
    char longer[300] = "0: 3 0 0 1 1 77 /";
    memset(longer + strlen(longer), 'x', sizeof longer - strlen(longer));
    assert_int_equal(unix_row(longer, sizeof longer, &row), 0);
    assert_int_equal(row.info.name_len, sizeof row.name); /* sun_path, and no more */
}

static void test_unix_cut(void **state)
{
    (void)state;
    static const char line[] = "0000000000000000: 00000002 00000000 00010000 0001 01 77 /run/a b";
    struct hail_diag_row row;
    size_t enough = strlen(line) - strlen("7 /run/a b");
    for (size_t n = 0; n <= strlen(line); n++) {
        bool whole = n >= enough;
        assert_int_equal(unix_row(line, n, &row), whole ? 0 : -EBADMSG);
        assert_int_equal(hail_proc_unix_begins(guarded(line, n), n), whole);
    }
    assert_false(hail_proc_unix_begins("Num       RefCount Protocol", 27));
    assert_false(hail_proc_unix_begins("a name that goes on", 19));
}

static void test_link(void **state)
{
    (void)state;
    static const struct {
        const char *link;
        uint32_t inode; /* 0: none */
    } cases[] = {
        {"socket:[1]", 1},
        {"socket:[4294967295]", UINT32_MAX},
        {"socket:[4294967296]", 0},
        {"socket:[99999999999]", 0},
        {"socket:[]", 0},
        {"socket:[", 0},
        {"socket:[12", 0},
        {"socket:[12]x", 0},
        {"socket:[1 2]", 0},
        {"[0000]:17", 17},
        {"[0000]:", 0},
        {"[0001]:17", 0},
        {"pipe:[17]", 0},
        {"/tmp/socket:[17]", 0},
        {"", 0},
        {"socket:[-1]", 0},
        {"anon_inode:[eventpoll]", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t inode = 0;
        size_t n = strlen(cases[i].link);
        bool is = hail_socket_link(guarded(cases[i].link, n), n, &inode);
        if (is != (cases[i].inode != 0) || (is && inode != cases[i].inode))
            fail_msg("'%s': %d, %u", cases[i].link, is, inode);
        for (size_t cut = 0; cut < n; cut++)
            hail_socket_link(guarded(cases[i].link, cut), cut, &inode);
    }
}

static void test_program(void **state)
{
    (void)state;
    static const struct {
        const char *cmdline;
        size_t n;
        const char *name;
    } cases[] = {
        {"/usr/sbin/nginx\0-g", 18, "nginx"},
        {"nginx: master /etc/x", 20, "nginx: master /etc/x"},
        {"./a/b", 5, "./a/b"},
        {"/", 1, ""},
        {"/usr/bin/", 9, ""},
        {"", 0, ""},
        {"\0/x", 3, ""},
        {"/bin/sh", 7, "sh"}, /* no NUL at the end */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *from;
        size_t n = hail_program_name(guarded(cases[i].cmdline, cases[i].n), cases[i].n, &from);
        assert_int_equal(n, strlen(cases[i].name));
        assert_memory_equal(from, cases[i].name, n);
    }
}

static void test_started(void **state)
{
    (void)state;
    static const char stat[] = "42 (a ) 7 (b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 98765";
    size_t n = strlen(stat);
    assert_int_equal(hail_stat_started(guarded(stat, n), n), 98765);
    assert_int_equal(hail_stat_started(guarded(stat, n - 1), n - 1), 9876);
    for (size_t cut = 0; cut < n - 5; cut++)
        assert_int_equal(hail_stat_started(guarded(stat, cut), cut), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inet),       cmocka_unit_test(test_inet_cut),
        cmocka_unit_test(test_inet_wrong), cmocka_unit_test(test_unix),
        cmocka_unit_test(test_unix_cut),   cmocka_unit_test(test_link),
        cmocka_unit_test(test_program),    cmocka_unit_test(test_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
