/* test_datagram_row.c - datagrams sent as a row: each arrives by itself, whole and in order,
 * whether the kernel cuts them (UDP_SEGMENT) or not, and nobody waits where there is no room.
 */
#include <hail/hail.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint32_t sizes[] = {64, 64, 64, 20, 1400,  1400,  1400,  0,     0, 7, 1,
                                 0,  1,  2,  3,  16385, 40000, 40000, 65507, 9, 9, 9};
#define SIZES (sizeof sizes / sizeof *sizes)

static char data[300000], got[70000];

struct pair {
    struct hail_ctx ctx;
    struct hail_datagram *rx, *tx;
};

static void open_pair(struct pair *p, const char *text)
{
    struct hail_endpoint at;
    struct hail_opts opts = {.rcvbuf = 1 << 20, .sndbuf = 1 << 20};
    *p = (struct pair){.ctx = HAIL_CTX_INIT};
    p->ctx.by = hail_deadline_in(5000);
    if (hail_endpoint_parse(&p->ctx, &at, text, 0) < 0 ||
        hail_datagram_open(&p->ctx, &at, &opts, &p->rx) < 0)
        fail_msg("%s", p->ctx.err.msg);
    at = hail_datagram_local(p->rx);
    if (hail_datagram_connect(&p->ctx, &at, &opts, &p->tx) < 0)
        fail_msg("%s", p->ctx.err.msg);
}

static void close_pair(struct pair *p)
{
    hail_datagram_close(p->tx);
    hail_datagram_close(p->rx);
}

static void arrives(struct pair *p, const char *at, uint32_t size)
{
    assert_int_equal(hail_recv_from(&p->ctx, p->rx, got, sizeof got, NULL), size);
    assert_memory_equal(got, at, size);
}

/* Sends the row, receiving what was sent as it goes: the sockets hold only so much. */
static void whole(const char *text)
{
    struct pair p;
    open_pair(&p, text);
    const char *at = data;
    for (size_t i = 0; i < SIZES;) {
        int n = hail_try_send_row(&p.ctx, p.tx, NULL, at, sizes + i, SIZES - i);
        if (n < 1)
            fail_msg("%d: %s", n, p.ctx.err.msg);
        for (int k = 0; k < n; k++, i++) {
            arrives(&p, at, sizes[i]);
            at += sizes[i];
        }
    }
    struct hail_message m = {.data = got, .size = sizeof got};
    assert_int_equal(hail_try_recv_batch(&p.ctx, p.rx, &m, 1), -EAGAIN);
    close_pair(&p);
}

static void test_whole(void **state)
{
    (void)state;
    whole("127.0.0.1:0");
    whole("[::1]:0");
    whole("unix:@hail-test-datagram-row");
}

/* 200 of 64 bytes go out in one call, and a receiver that lets them be joined gets them joined. */
static void test_joined(void **state)
{
    (void)state;
    struct pair p;
    uint32_t len[200];
    open_pair(&p, "127.0.0.1:0");
    assert_int_equal(hail_datagram_gro(&p.ctx, p.rx, true), 0);
    for (size_t i = 0; i < 200; i++)
        len[i] = 64;
    assert_int_equal(hail_try_send_row(&p.ctx, p.tx, NULL, data, len, 200), 200);
    struct hail_message m[8];
    for (size_t i = 0; i < 8; i++)
        m[i] = (struct hail_message){.data = got + i * 8192, .size = 8192};
    assert_int_equal(hail_try_recv_batch(&p.ctx, p.rx, m, 8), 4); /* 64 each at most */
    size_t bytes = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(m[i].segment, 64);
        assert_memory_equal(m[i].data, data + bytes, m[i].len);
        bytes += m[i].len;
    }
    assert_int_equal(bytes, (size_t)200 * 64);
    close_pair(&p);
}

static void test_destination(void **state)
{
    (void)state;
    struct pair p;
    struct hail_datagram *loose;
    struct hail_addr to;
    uint32_t len[2] = {3, 3};
    open_pair(&p, "127.0.0.1:0");
    struct hail_endpoint ep = hail_datagram_local(p.rx);
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &to), 0);
    assert_int_equal(hail_datagram_open(&p.ctx, NULL, NULL, &loose), 0);
    assert_int_equal(hail_try_send_row(&p.ctx, loose, NULL, data, len, 2), -EDESTADDRREQ);
    assert_int_equal(hail_try_send_row(&p.ctx, loose, &to, data, len, 0), 0);
    assert_int_equal(hail_try_send_row(&p.ctx, loose, &to, data, len, 2), 2);
    arrives(&p, data, 3);
    arrives(&p, data + 3, 3);
    hail_datagram_close(loose);
    close_pair(&p);
}

/* The queue of a Unix socket fills: the rest of the row is the caller's to keep. */
static void test_no_room(void **state)
{
    (void)state;
    struct pair p;
    uint32_t len[64];
    open_pair(&p, "unix:@hail-test-datagram-room");
    for (size_t i = 0; i < 64; i++)
        len[i] = 4;
    int sent = 0, n;
    while ((n = hail_try_send_row(&p.ctx, p.tx, NULL, data + (ptrdiff_t)sent * 4, len, 64)) > 0)
        sent += n;
    assert_int_equal(n, -EAGAIN);
    assert_in_range(sent, 1, 10000);
    assert_int_equal(p.ctx.err.errnum, 0);
    for (int i = 0; i < sent; i++)
        arrives(&p, data + (ptrdiff_t)i * 4, 4);
    close_pair(&p);
}

static void test_errors(void **state)
{
    (void)state;
    struct pair p;
    uint32_t len[3] = {70000, 1, 1};
    open_pair(&p, "127.0.0.1:0");
    assert_int_equal(hail_try_send_row(&p.ctx, p.tx, NULL, data, len, 3), -EMSGSIZE);
    assert_non_null(strstr(p.ctx.err.advice, "65,507"));
    /* and it goes on with the next */
    assert_int_equal(hail_try_send_row(&p.ctx, p.tx, NULL, data + 70000, len + 1, 2), 2);
    arrives(&p, data + 70000, 1);
    arrives(&p, data + 70001, 1);
    close_pair(&p);
}

/* The first to speak becomes the peer; what it said is still to be received. */
static void accepts(const char *text, const char *from)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint at, own;
    struct hail_opts opts = {.from = from ? &own : NULL};
    struct hail_datagram *d, *a;
    ctx.by = hail_deadline_in(5000);
    assert_int_equal(hail_endpoint_parse(&ctx, &at, text, 0), 0);
    if (from)
        assert_int_equal(hail_endpoint_parse(&ctx, &own, from, 0), 0);
    assert_int_equal(hail_datagram_open(&ctx, &at, NULL, &d), 0);
    at = hail_datagram_local(d);
    assert_int_equal(hail_datagram_connect(&ctx, &at, &opts, &a), 0);
    assert_int_equal(hail_send_to(&ctx, a, NULL, "", 0), 0); /* an empty one, too */
    assert_int_equal(hail_send_to(&ctx, a, NULL, "hi", 2), 0);
    bool named = from || at.kind == HAIL_HOST_IPV4;
    assert_int_equal(hail_datagram_accept(&ctx, d), named);
    assert_int_equal(hail_recv_from(&ctx, d, got, sizeof got, NULL), 0);
    assert_int_equal(hail_recv_from(&ctx, d, got, sizeof got, NULL), 2);
    assert_int_equal(hail_send_to(&ctx, d, NULL, "yes", 3), named ? 0 : -EDESTADDRREQ);
    if (named)
        assert_int_equal(hail_recv_from(&ctx, a, got, sizeof got, NULL), 3);
    ctx.by = hail_deadline_in(0);
    assert_int_equal(hail_datagram_accept(&ctx, d), -ETIMEDOUT);
    hail_datagram_close(a);
    hail_datagram_close(d);
}

static void test_accept(void **state)
{
    (void)state;
    accepts("127.0.0.1:0", NULL);
    accepts("unix:@hail-test-accept", "unix:@hail-test-accept-peer");
    accepts("unix:@hail-test-accept-2", NULL);
}

/* What was refused is told with its destination, though the socket is not connected. */
static void refusals(const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint at;
    struct hail_addr gone[2], to;
    struct hail_datagram *d[2], *from;
    const uint32_t len = 1;
    ctx.by = hail_deadline_in(5000);
    assert_int_equal(hail_endpoint_parse(&ctx, &at, text, 0), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hail_datagram_open(&ctx, &at, NULL, &d[i]), 0);
        struct hail_endpoint local = hail_datagram_local(d[i]);
        assert_int_equal(hail_endpoint_addr(&local, AF_UNSPEC, &gone[i]), 0);
    }
    struct hail_opts opts = {.family = gone[0].u.sa.sa_family};
    assert_int_equal(hail_datagram_open(&ctx, NULL, &opts, &from), 0);
    assert_int_equal(hail_datagram_errors(&ctx, from, true), 0);
    assert_int_equal(hail_try_recv_error(&ctx, from, &to), -EAGAIN);
    hail_datagram_close(d[0]);
    hail_datagram_close(d[1]);
    assert_int_equal(hail_try_send_row(&ctx, from, &gone[0], data, &len, 1), 1);
    assert_int_equal(hail_wait(&ctx, hail_datagram_fd(from), 0) & POLLERR, POLLERR);
    /* the next call fails with it, and did not send */
    assert_int_equal(hail_try_send_row(&ctx, from, &gone[1], data, &len, 1), -ECONNREFUSED);
    assert_int_equal(hail_try_recv_error(&ctx, from, &to), ECONNREFUSED);
    assert_true(hail_addr_equal(&to, &gone[0]));
    assert_int_equal(hail_try_send_row(&ctx, from, &gone[1], data, &len, 1), 1);
    assert_true(hail_wait(&ctx, hail_datagram_fd(from), 0) > 0);
    assert_int_equal(hail_try_recv_error(&ctx, from, &to), ECONNREFUSED);
    assert_true(hail_addr_equal(&to, &gone[1]));
    assert_int_equal(hail_try_recv_error(&ctx, from, &to), -EAGAIN);
    hail_datagram_close(from);
}

static void test_refusals(void **state)
{
    (void)state;
    refusals("127.0.0.1:0");
    refusals("[::1]:0");
}

int main(void)
{
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 + (i >> 8));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),       cmocka_unit_test(test_joined),
        cmocka_unit_test(test_destination), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_accept),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
