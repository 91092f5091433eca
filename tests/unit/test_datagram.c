/* test_datagram.c - datagrams on real sockets: one by one, in batches, refused, truncated. */
#include <hail/hail.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct hail_endpoint at(const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep;
    if (hail_endpoint_parse(&ctx, &ep, text, 0) < 0)
        fail_msg("%s", ctx.err.msg);
    return ep;
}

static struct hail_datagram *open_at(struct hail_ctx *ctx, const char *text)
{
    struct hail_endpoint ep = at(text);
    struct hail_datagram *d;
    if (hail_datagram_open(ctx, &ep, NULL, &d) < 0)
        fail_msg("%s", ctx->err.msg);
    return d;
}

static struct hail_addr addr_of(const struct hail_datagram *d)
{
    struct hail_endpoint ep = hail_datagram_local(d);
    struct hail_addr a;
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), 0);
    return a;
}

static struct hail_ctx context(void)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    ctx.by = hail_deadline_in(5000);
    return ctx;
}

static void pair(const char *text)
{
    struct hail_ctx ctx = context();
    struct hail_datagram *a = open_at(&ctx, text), *b = open_at(&ctx, text);
    struct hail_addr to = addr_of(b), from, a_at = addr_of(a);
    char buf[16];
    assert_int_equal(hail_send_to(&ctx, a, &to, "hello", 5), 0);
    assert_int_equal(hail_recv_from(&ctx, b, buf, sizeof buf, &from), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_true(hail_addr_equal(&from, &a_at));
    /* an empty one is a datagram too */
    assert_int_equal(hail_send_to(&ctx, b, &from, "", 0), 0);
    assert_int_equal(hail_recv_from(&ctx, a, buf, sizeof buf, NULL), 0);
    /* the whole size tells that the rest was cut off */
    assert_int_equal(hail_send_to(&ctx, a, &to, "0123456789", 10), 0);
    assert_int_equal(hail_recv_from(&ctx, b, buf, 4, NULL), 10);
    assert_memory_equal(buf, "0123", 4);
    hail_datagram_close(a);
    hail_datagram_close(b);
    hail_datagram_close(NULL);
}

static void test_pairs(void **state)
{
    (void)state;
    pair("127.0.0.1:0");
    pair("[::1]:0");
}

static void test_unix(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    char dir[] = "/tmp/hail-datagram-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "unix:%s/s", dir);
    struct hail_datagram *server = open_at(&ctx, path), *client, *again;
    struct hail_endpoint to = at(path);
    assert_int_equal(hail_datagram_connect(&ctx, &to, NULL, &client), 0);
    assert_int_equal(hail_send_to(&ctx, client, NULL, "hi", 2), 0);
    char buf[8];
    assert_int_equal(hail_recv_from(&ctx, server, buf, sizeof buf, NULL), 2);
    assert_int_equal(hail_datagram_open(&ctx, &to, NULL, &again), -EADDRINUSE); /* it lives */
    hail_datagram_close(client);
    hail_datagram_close(server);
    assert_int_equal(access(path + 5, F_OK), -1);
    assert_int_equal(rmdir(dir), 0);
}

static void test_refused(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    struct hail_datagram *gone = open_at(&ctx, "127.0.0.1:0"), *d;
    struct hail_endpoint to = hail_datagram_local(gone);
    hail_datagram_close(gone);
    assert_int_equal(hail_datagram_connect(&ctx, &to, NULL, &d), 0);
    assert_int_equal(hail_send_to(&ctx, d, NULL, "?", 1), 0);
    char buf[8];
    assert_int_equal(hail_recv_from(&ctx, d, buf, sizeof buf, NULL), -ECONNREFUSED);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_CONNECT);
    assert_non_null(strstr(ctx.err.msg, "connection refused"));
    assert_non_null(strstr(ctx.err.advice, "ICMP"));
    hail_datagram_close(d);
}

static void test_errors(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    struct hail_datagram *d;
    static char big[70000];
    assert_int_equal(hail_datagram_open(&ctx, NULL, NULL, &d), 0);
    assert_int_equal(hail_send_to(&ctx, d, NULL, "x", 1), -EDESTADDRREQ);
    struct hail_datagram *b = open_at(&ctx, "127.0.0.1:0");
    struct hail_addr to = addr_of(b);
    assert_int_equal(hail_send_to(&ctx, d, &to, big, sizeof big), -EMSGSIZE);
    assert_int_equal(hail_send_to(&ctx, d, &to, big, HAIL_DATAGRAM_MAX), 0);
    assert_int_equal(hail_recv_from(&ctx, b, big, sizeof big, NULL), HAIL_DATAGRAM_MAX);
    ctx.by = hail_deadline_in(20);
    assert_int_equal(hail_recv_from(&ctx, b, big, sizeof big, NULL), -ETIMEDOUT);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], "x", 1), 1);
    ctx = context();
    ctx.cancel_fd = pipes[0];
    assert_int_equal(hail_recv_from(&ctx, b, big, sizeof big, NULL), -ECANCELED);
    close(pipes[0]);
    close(pipes[1]);
    hail_datagram_close(d);
    hail_datagram_close(b);
}

/* A batch where one message is cut by the kernel into datagrams of 100 bytes, and read singly. */
static void test_batch(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    struct hail_datagram *a = open_at(&ctx, "127.0.0.1:0"), *b = open_at(&ctx, "127.0.0.1:0");
    struct hail_addr to = addr_of(b);
    char data[250], in[8][120];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)i;
    struct hail_message out[2] = {
        {.addr = to, .data = data, .len = sizeof data, .segment = 100},
        {.addr = to, .data = data, .len = 7},
    };
    assert_int_equal(hail_send_batch(&ctx, a, out, 2), 2);
    struct hail_message got[8];
    for (size_t i = 0; i < 8; i++)
        got[i] = (struct hail_message){.data = in[i], .size = i == 3 ? 5 : sizeof in[i]};
    int n = 0;
    while (n < 4)
        n += hail_recv_batch(&ctx, b, got + n, 8 - (size_t)n);
    assert_int_equal(n, 4);
    static const size_t lens[] = {100, 100, 50};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(got[i].len, lens[i]);
        assert_memory_equal(in[i], data + 100 * i, lens[i]);
        assert_int_equal(got[i].segment, 0);
        assert_false(got[i].truncated);
    }
    assert_true(got[3].truncated);
    hail_datagram_close(a);
    hail_datagram_close(b);
}

static void test_gro(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    struct hail_datagram *a = open_at(&ctx, "127.0.0.1:0"), *b = open_at(&ctx, "127.0.0.1:0");
    if (hail_datagram_gro(&ctx, b, true) == -ENOTSUP)
        skip();
    char data[6400], in[65535];
    memset(data, 'x', sizeof data);
    struct hail_message out = {.addr = addr_of(b), .data = data, .len = sizeof data, .segment = 64};
    assert_int_equal(hail_send_batch(&ctx, a, &out, 1), 1);
    size_t all = 0;
    while (all < sizeof data) {
        struct hail_message got = {.data = in, .size = sizeof in};
        assert_int_equal(hail_recv_batch(&ctx, b, &got, 1), 1);
        assert_true(got.len <= 64 || got.segment == 64);
        all += got.len;
    }
    assert_int_equal(all, sizeof data);
    hail_datagram_close(a);
    hail_datagram_close(b);
}

static void test_multicast(void **state)
{
    (void)state;
    struct hail_ctx ctx = context();
    struct hail_datagram *d = open_at(&ctx, "0.0.0.0:0");
    struct hail_endpoint group = at("239.255.47.11:0");
    struct hail_addr to;
    assert_int_equal(hail_endpoint_addr(&group, AF_INET, &to), 0);
    assert_int_equal(hail_datagram_join(&ctx, d, &to, "nosuchif"), -ENODEV);
    assert_int_equal(hail_datagram_join(&ctx, d, &to, "lo"), 0);
    assert_int_equal(hail_datagram_multicast(&ctx, d, "lo", 1, true), 0);
    hail_addr_set_port(&to, hail_datagram_local(d).port);
    assert_int_equal(hail_send_to(&ctx, d, &to, "all", 3), 0);
    char buf[8];
    assert_int_equal(hail_recv_from(&ctx, d, buf, sizeof buf, NULL), 3);
    assert_int_equal(hail_datagram_leave(&ctx, d, &to, "lo"), 0);
    assert_int_equal(hail_datagram_broadcast(&ctx, d, true), 0);
    hail_datagram_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),     cmocka_unit_test(test_unix),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_errors),
        cmocka_unit_test(test_batch),     cmocka_unit_test(test_gro),
        cmocka_unit_test(test_multicast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
