/* test_filter.c - the language of filters: what it takes, what it says of what is wrong, which rows
 * fit.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 */
#include "diag/filter.h"
#include "support.h"

#include <hail/hail.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* --- rows --- */

static struct hail_addr address(const char *host, unsigned port)
{
    struct hail_addr a = {0};
    if (inet_pton(AF_INET, host, &a.u.in4.sin_addr) == 1) {
        a.u.in4.sin_family = AF_INET;
        a.len = sizeof a.u.in4;
    } else {
        assert_int_equal(inet_pton(AF_INET6, host, &a.u.in6.sin6_addr), 1);
        a.u.in6.sin6_family = AF_INET6;
        a.len = sizeof a.u.in6;
    }
    hail_addr_set_port(&a, (uint16_t)port);
    return a;
}

static struct hail_socket_info inet_row(const char *src, unsigned sport, const char *dst,
                                        unsigned dport)
{
    struct hail_socket_info row = {.state = HAIL_ESTABLISHED, .uid = 7, .inode = 99, .recv_q = 5};
    row.local = address(src, sport);
    row.peer = address(dst, dport);
    row.family = row.local.u.sa.sa_family;
    row.type = SOCK_STREAM;
    return row;
}

static struct hail_socket_filter *compiled(const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f = NULL;
    if (hail_socket_filter_parse(&ctx, text, &f) != 0)
        fail_msg("'%s': %s", text, ctx.err.msg);
    return f;
}

static bool fits(const char *text, const struct hail_socket_info *row)
{
    struct hail_socket_filter *f = compiled(text);
    bool fit = hail_socket_filter_match(f, row, NULL);
    hail_socket_filter_free(f);
    return fit;
}

/* --- the language --- */

static const struct {
    const char *text;
    bool v4, mapped, v6; /* whether each of the rows below fits */
} row_cases[] = {
    {"", 1, 1, 1},
    {"src 10.1.2.3", 1, 1, 0},
    {"src = 10.0.0.0/8", 1, 1, 0},
    {"src 10.0.0.0/8:40000", 1, 0, 0},
    {"src inet:10.1.2.3", 1, 1, 0},
    {"src inet:*", 1, 1, 0},
    {"src inet6:*", 0, 1, 1},
    {"src *:443", 0, 1, 0},
    {"src :443", 0, 1, 0},
    {"src *", 1, 1, 1},
    {"src [fd00::]/8", 0, 0, 1},
    {"src fd00::/8", 0, 0, 1},
    {"src [fd00::1]:53", 0, 0, 1},
    {"src [fd00::]/8:https", 0, 0, 0},
    {"src ::ffff:10.1.2.3", 0, 1, 0},
    {"src != 10.0.0.0/9", 0, 0, 1},
    {"dst localhost", 1, 0, 1},
    {"dst localhost:http", 1, 0, 0},
    {"dst 127.0.0.0/31", 1, 0, 0},
    {"dst 0.0.0.0/0", 1, 1, 0},
    {"dport = :80", 1, 0, 0},
    {"dport = http", 1, 0, 0},
    {"DPORT=:HTTP", 1, 0, 0},
    {"dport eq 80 or sport eq 443", 1, 1, 0},
    {"sport == :53", 0, 0, 1},
    {"sport ne 53", 1, 1, 0},
    {"sport neq :53 && sport != 443", 1, 0, 0},
    {"sport > 443", 1, 0, 0},
    {"sport gt :65535", 0, 0, 0},
    {"sport < 0", 0, 0, 0},
    {"sport >= 443", 1, 1, 0},
    {"sport geq 0", 1, 1, 1},
    {"sport lt 443", 0, 0, 1},
    {"sport leq 443", 0, 1, 1},
    {"sport = :53-443", 0, 1, 1},
    {"sport != 53-443", 1, 0, 0},
    {"not sport = 53", 1, 1, 0},
    {"! ! sport = 53", 0, 0, 1},
    {"!(sport = 53|sport = 443)", 1, 0, 0},
    {"sport = 53 or sport = 443 and dport = 9", 0, 0, 1}, /* "and" binds tighter */
    {"( sport = 53 or sport = 443 ) dport = 22", 0, 1, 0},
    {"family = inet6", 0, 1, 1},
    {"family != inet6", 1, 0, 0},
    {"state established", 1, 1, 0},
    {"state ESTAB sport = 443", 0, 1, 0},
    {"exclude established", 0, 0, 1},
    {"state listening", 0, 0, 1},
    {"state all exclude listen", 1, 1, 0},
    {"state connected", 1, 1, 0},
    {"state established state listening", 1, 1, 1},
    {"state established and state listening", 0, 0, 0},
    {"state listening or sport = 443", 0, 1, 1},
    {"state syn-sent state established or sport = 53", 0, 0, 1},
    {"sport = 443 exclude syn_sent", 0, 1, 0},
    {"sport > 0 exclude = established", 0, 0, 1},
    {"state = fin-wait-1,LISTEN", 0, 0, 1},
    {"not state established", 0, 0, 1},
    {"state bucket", 0, 0, 0},
    {"state big", 1, 1, 1},
    {"user = 7", 1, 1, 0},
    {"user != root", 1, 1, 0},
    {"inode = 99", 1, 1, 0},
    {"inode < 99", 0, 0, 1},
    {"recv-q > 4", 1, 1, 0},
    {"send-q > 0", 0, 0, 0},
    {"dev = lo", 0, 0, 1},
    {"interface != lo", 1, 1, 0},
    {"fwmark = 0x10/0xf0", 0, 0, 1},
    {"fwmark != 0x13", 1, 1, 0},
    {"netns = blue", 0, 0, 0},
    {"process = x", 0, 0, 0}, /* holds nothing that is known */
    {"pid != 1", 1, 1, 1},
    {"src /run/*", 0, 0, 0},
    {"not autobound", 0, 1, 1},
};

static void test_rows(void **state)
{
    (void)state;
    struct hail_socket_info v4 = inet_row("10.1.2.3", 40000, "127.0.0.1", 80);
    struct hail_socket_info mapped = inet_row("::ffff:10.1.2.3", 443, "::ffff:192.0.2.1", 22);
    struct hail_socket_info v6 = inet_row("fd00::1", 53, "::1", 9);
    v6.state = HAIL_LISTEN;
    v6.uid = v6.inode = v6.recv_q = 0;
    v6.interface = 1;
    v6.mark = 0x13;
    for (size_t i = 0; i < sizeof row_cases / sizeof *row_cases; i++) {
        const char *text = guarded(row_cases[i].text, strlen(row_cases[i].text) + 1);
        if (fits(text, &v4) != row_cases[i].v4 || fits(text, &mapped) != row_cases[i].mapped ||
            fits(text, &v6) != row_cases[i].v6)
            fail_msg("'%s': %d %d %d", text, fits(text, &v4), fits(text, &mapped), fits(text, &v6));
    }
}

static void test_unix(void **state)
{
    (void)state;
    struct hail_socket_info path = {.family = AF_UNIX, .state = HAIL_LISTEN};
    struct hail_socket_info abstract = path, unnamed = path;
    path.name = "/run/one.sock";
    path.name_len = strlen(path.name);
    abstract.name = guarded("\0bus", 4);
    abstract.name_len = 4;
    assert_true(fits("src /run/*", &path) && fits("src unix:/run/one.sock", &path));
    assert_true(fits("src unix:*", &path) && !fits("src /run/two*", &path));
    assert_true(fits("src @b?s", &abstract) && !fits("src /*", &abstract));
    assert_true(fits("family = unix", &unnamed) && fits("src != /run/*", &unnamed));
    assert_false(fits("src 0.0.0.0/0", &path) || fits("sport >= 0", &path));
    assert_false(fits("dst /run/*", &path)); /* the peer's name is not in the row */
}

static void test_other_families(void **state)
{
    (void)state;
    struct hail_socket_info vsock = {.family = AF_VSOCK, .state = HAIL_LISTEN};
    struct hail_socket_info packet = {.family = AF_PACKET, .state = HAIL_CLOSE};
    vsock.cid = 3;
    vsock.port = 70000;
    vsock.peer_cid = vsock.peer_port = UINT32_MAX;
    assert_true(fits("src vsock:3:70000", &vsock) && fits("src vsock:3", &vsock));
    assert_true(fits("src VSOCK:*:70000 dst vsock:4294967295:*", &vsock));
    assert_true(fits("src vsock:", &vsock) && fits("src != vsock:2", &vsock));
    assert_false(fits("src vsock:3:1", &vsock) || fits("dst vsock:3", &vsock));
    assert_false(fits("src vsock:*", &packet) || fits("src link:*", &vsock));
    assert_true(fits("src link:*", &packet) && !fits("src netlink:*", &packet));
}

struct wrong {
    const char *text, *says; /* a part of the message */
};

static const struct wrong wrongs[] = {
    {"dprt = 1", "column 1: 'dprt' is no field; did you mean 'dport'?"},
    {"sport = 1 and  xyzzy = 2", "column 16: 'xyzzy' is no field (src, dst"},
    {"state nosuch", "column 7: 'nosuch' is no state"},
    {"state established,", "column 7: 'established,' is no state"},
    {"state", "at its end: a state is missing"},
    {"state =", "at its end: a value is missing"},
    {"sport", "at its end: an operator is missing"},
    {"sport 80", "column 7: '80' stands where an operator belongs"},
    {"sport =", "at its end: a value is missing"},
    {"sport = = 80", "column 9: '=' stands where a value belongs"},
    {"sport = :65536", "column 9: ':65536' is no port (0 to 65535"},
    {"sport = -1", "column 9: '-1' is no port"},
    {"sport = 9-1", "column 9: '9-1' is a range that ends before it begins"},
    {"sport > 1-9", "column 9: '1-9' is a range, which only = and != take"},
    {"dst 10.0.0.0/33", "column 5: '10.0.0.0/33' has a prefix length out of range (0 to 32)"},
    {"dst [::]/129", "out of range (0 to 128)"},
    {"dst [::]/000000000000129", "out of range (0 to 128)"},
    {"dst 10.0.0.0/", "out of range"},
    {"dst 10.0.0", "column 5: '10.0.0' is no address"},
    {"dst example.org", "names are not looked up"},
    {"dst [::1", "has no closing bracket"},
    {"dst [::1]x", "has no port at its end"},
    {"dst 1.2.3.4:99999", "has no port at its end"},
    {"dst inet6:1.2.3.4", "is of another family than it says"},
    {"dst vsock:x", "column 5: 'vsock:x' is no end of vsock"},
    {"dst vsock:1:4294967296", "is no end of vsock"},
    {"src netlink:7", "column 5: 'netlink:7' has no addresses to ask for"},
    {"dst >= 1.2.3.4", "column 5: '>=' does not go with this field"},
    {"( sport = 1", "at its end: a ')' is missing"},
    {"sport = 1 )", "column 11: ')' is one too many"},
    {"()", "column 2: ')' is no field"},
    {"sport = 1 or", "at its end: a condition is missing"},
    {"not", "at its end: a condition is missing"},
    {"and sport = 1", "column 1: 'and' is no field"},
    {"user = no-such-user", "column 8: 'no-such-user' is no user"},
    {"family = ipx", "column 10: 'ipx' is no family"},
    {"fwmark = 0x1/zz", "is no mark"},
    {"inode = 4294967296", "is not a number"},
    {"pid = 0x", "is not a number"},
    {"dev = no-such-dev", "column 7: 'no-such-dev' is no interface here"},
    {"x\033[31m = 1", "column 1: 'x\\e[31m' is no field"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_socket_filter *f = NULL;
        assert_int_equal(hail_socket_filter_parse(&ctx, wrongs[i].text, &f), -EINVAL);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
        if (!strstr(ctx.err.msg, wrongs[i].says) || f)
            fail_msg("'%s': '%s', not '%s'", wrongs[i].text, ctx.err.msg, wrongs[i].says);
    }
}

/* Every beginning of every text above ends somewhere: taken or told. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const more[] = {"state established and ( dport = :https or src [::1]/9:53 )",
                                       "! user != root & fwmark = 0x1/0xff || cgroup = /a/b"};
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs + 2; i++) {
        const char *text = i < 2 ? more[i] : wrongs[i - 2].text;
        for (size_t n = 0; n <= strlen(text); n++) {
            struct hail_ctx ctx = HAIL_CTX_INIT;
            struct hail_socket_filter *f = NULL;
            char *cut = guarded(text, n + 1);
            cut[n] = '\0';
            int rc = hail_socket_filter_parse(&ctx, cut, &f);
            assert_true(rc == 0 ? f != NULL : rc == -EINVAL && *ctx.err.msg);
            hail_socket_filter_free(f);
        }
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f = NULL;
    char text[8192] = "";
    for (int i = 0; i < 64; i++)
        strcat(text, "(");
    assert_int_equal(hail_socket_filter_parse(&ctx, text, &f), -EINVAL);
    assert_non_null(strstr(ctx.err.msg, "nested too deeply"));
    text[0] = '\0';
    for (int i = 0; i < 300; i++)
        strcat(text, "sport = 1 or ");
    assert_int_equal(hail_socket_filter_parse(&ctx, text, &f), -EINVAL);
    assert_non_null(strstr(ctx.err.msg, "one condition too many"));
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "process = ", 10);
    text[400] = '\0';
    assert_int_equal(hail_socket_filter_parse(&ctx, text, &f), -EINVAL);
    assert_non_null(strstr(ctx.err.msg, "is longer than"));
}

static void test_wants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t states;
        bool named;
        unsigned wants;
        bool holders;
    } cases[] = {
        {"sport = 1", HAIL_STATES_ALL | 1u << HAIL_BOUND, false, 0, false},
        {"state listening", 1u << HAIL_LISTEN, true, 0, false},
        {"state = listening or state = closed", 1u << HAIL_LISTEN | 1u << HAIL_CLOSE, true, 0, 0},
        {"not ( exclude listening or sport = 1 )", 1u << HAIL_LISTEN, true, 0, false},
        {"state listening and pid = 1", 1u << HAIL_LISTEN, true, 0, true},
        {"state listening or process = x", HAIL_STATES_ALL | 1u << HAIL_BOUND, true, 0, true},
        {"cgroup = x state closed", 1u << HAIL_CLOSE, true, HAIL_HAS_CGROUP, false},
        {"fwmark = 1", HAIL_STATES_ALL | 1u << HAIL_BOUND, false, HAIL_HAS_OPTIONS, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool named;
        struct hail_socket_filter *f = compiled(cases[i].text);
        assert_int_equal(hail_socket_filter_states(f, &named), cases[i].states);
        assert_int_equal(named, cases[i].named);
        assert_int_equal(hail_socket_filter_wants(f), cases[i].wants);
        assert_int_equal(hail_socket_filter_wants_holders(f), cases[i].holders);
        hail_socket_filter_free(f);
    }
}

static int parse_once(const void *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_socket_filter *f = NULL;
    int rc = hail_socket_filter_parse(&ctx, text, &f);
    assert_true(rc == 0 || (rc == -ENOMEM && !f && ctx.err.errnum == ENOMEM));
    hail_socket_filter_free(f);
    return rc;
}

static void test_memory(void **state)
{
    (void)state;
    each_call_fails(parse_once, "state listening ( sport = 1 or ! dport = 2 ) src 1.2.3.4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_other_families),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
