/* test_netlink.c - the kernel's messages cut short, out of order and wrong, byte by byte; and the
 * rows that whole ones make. */
#include "diag/netlink.h"
#include "diag/rows.h"
#include "support.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/unix_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A message of `type` with `n` bytes of payload, at `at`; returns its whole length. */
static size_t put_message(char *at, unsigned type, const void *payload, size_t n)
{
    struct nlmsghdr h = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(n), .nlmsg_type = (uint16_t)type};
    memcpy(at, &h, sizeof h);
    memcpy(at + NLMSG_HDRLEN, payload, n);
    return NLMSG_ALIGN(h.nlmsg_len);
}

static void test_messages(void **state)
{
    (void)state;
    _Alignas(8) char buf[256] = {0};
    int32_t error = -ENOENT, wild = 5;
    size_t n = put_message(buf, 20, "abcd", 4);
    n += put_message(buf + n, NLMSG_ERROR, &error, sizeof error);
    n += put_message(buf + n, NLMSG_ERROR, &wild, sizeof wild);
    n += put_message(buf + n, NLMSG_DONE, "", 0);
    struct hail_nl nl = {buf, n};
    struct hail_nl_message m;
    assert_int_equal(hail_nl_next(&nl, &m), 1);
    assert_int_equal(m.type, 20);
    assert_int_equal(m.len, 4);
    assert_memory_equal(m.payload, "abcd", 4);
    assert_int_equal(hail_nl_next(&nl, &m), 1);
    assert_int_equal(hail_nl_error(&m), -ENOENT);
    assert_int_equal(hail_nl_next(&nl, &m), 1);
    assert_int_equal(hail_nl_error(&m), -EBADMSG);
    assert_int_equal(hail_nl_next(&nl, &m), 1);
    assert_int_equal(hail_nl_error(&m), 0);
    assert_int_equal(hail_nl_next(&nl, &m), 0);

    /* cut anywhere, and ending at an unreadable page: whole messages, then an error, never more */
    for (size_t cut = 0; cut < n; cut++) {
        char *end = guarded(buf, cut);
        nl = (struct hail_nl){end, cut};
        int rc, seen = 0;
        while ((rc = hail_nl_next(&nl, &m)) == 1)
            seen++;
        assert_in_range(seen, 0, 3);
        assert_true(rc == -EBADMSG || nl.n == 0);
    }
}

static void test_lengths_that_lie(void **state)
{
    (void)state;
    _Alignas(8) char buf[64] = {0};
    struct hail_nl_message m;
    for (uint32_t len = 0; len < 100; len++) {
        put_message(buf, 20, "abcd", 4);
        memcpy(buf, &len, sizeof len);
        struct hail_nl nl = {guarded(buf, 20), 20};
        int rc = hail_nl_next(&nl, &m);
        assert_int_equal(rc, len >= sizeof(struct nlmsghdr) && len <= 20 ? 1 : -EBADMSG);
        if (rc == 1)
            assert_int_equal(m.len, len - NLMSG_HDRLEN);
    }
}

static size_t put_attr(char *at, unsigned type, const void *data, size_t n)
{
    struct nlattr a = {.nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = (uint16_t)type};
    memcpy(at, &a, sizeof a);
    memcpy(at + NLA_HDRLEN, data, n);
    return NLA_ALIGN(a.nla_len);
}

static void test_inet_row(void **state)
{
    (void)state;
    _Alignas(8) char buf[512] = {0};
    struct inet_diag_msg msg = {.idiag_family = AF_INET,
                                .idiag_state = HAIL_ESTABLISHED,
                                .idiag_timer = HAIL_TIMER_PROBE,
                                .idiag_retrans = 3,
                                .idiag_expires = 1500,
                                .idiag_rqueue = 7,
                                .idiag_wqueue = 8,
                                .idiag_uid = 9,
                                .idiag_inode = 10};
    struct hail_diag_row row = {.info = {.kind = HAIL_KIND_TCP}};
    struct hail_tcp_info tcp = {.rtt = 1234, .retransmits = 2, .probes = 4};
    uint64_t cgroup = 77;
    msg.id.idiag_sport = htons(80);
    memcpy(buf, &msg, sizeof msg);
    size_t n = sizeof msg;
    n += put_attr(buf + n, INET_DIAG_CONG, "a-name-that-is-too-long", 23);
    n += put_attr(buf + n, 21 /* INET_DIAG_CGROUP_ID */, &cgroup, sizeof cgroup);
    n += put_attr(buf + n, INET_DIAG_INFO, &tcp, 100); /* an older kernel's, shorter */
    assert_int_equal(hail_inet_diag_row(guarded(buf, n), n, ~0u, &row), 0);
    assert_int_equal(hail_addr_port(&row.info.local), 80);
    assert_int_equal(row.info.recv_q, 7);
    assert_int_equal(row.info.timer_ms, 1500);
    assert_string_equal(row.info.congestion, "a-name-that-is-t");
    assert_int_equal(row.info.cgroup, 77);
    assert_int_equal(row.info.tcp->rtt, 1234);
    assert_int_equal(row.info.tcp->snd_wnd, 0);
    assert_int_equal(row.info.retransmits, 2);
    assert_int_equal(row.info.probes, 4);
    assert_true(row.info.has & HAIL_HAS_CGROUP && row.info.has & HAIL_HAS_TCP_INFO);

    /* without wants nothing but the basics is read, and the timer's own count is told */
    assert_int_equal(hail_inet_diag_row(buf, n, 0, &row), 0);
    assert_null(row.info.tcp);
    assert_int_equal(row.info.probes, 3);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(hail_inet_diag_row(guarded(buf, cut), cut, ~0u, &row),
                         cut < sizeof msg ? -EBADMSG : 0);
    buf[0] = AF_UNIX;
    assert_int_equal(hail_inet_diag_row(buf, n, ~0u, &row), -EBADMSG);
}

static void test_unix_row(void **state)
{
    (void)state;
    _Alignas(8) char buf[512] = {0};
    struct unix_diag_msg msg = {
        .udiag_family = AF_UNIX, .udiag_type = SOCK_STREAM, .udiag_state = 10, .udiag_ino = 5};
    char longest[108];
    uint32_t peer = 6;
    struct hail_diag_row row = {.info = {.kind = HAIL_KIND_UNIX}};
    memset(longest, 'x', sizeof longest);
    memcpy(buf, &msg, sizeof msg);
    size_t n = sizeof msg;
    n += put_attr(buf + n, UNIX_DIAG_NAME, longest, sizeof longest);
    n += put_attr(buf + n, UNIX_DIAG_PEER, &peer, sizeof peer);
    assert_int_equal(hail_unix_diag_row(guarded(buf, n), n, 0, &row), 0);
    assert_int_equal(row.info.name_len, 108);
    assert_int_equal(row.info.peer_inode, 6);
    assert_int_equal(row.info.state, HAIL_LISTEN);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(hail_unix_diag_row(guarded(buf, cut), cut, 0, &row),
                         cut < sizeof msg ? -EBADMSG : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_lengths_that_lie),
        cmocka_unit_test(test_inet_row), cmocka_unit_test(test_unix_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
