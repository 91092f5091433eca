/* test_tls.c - TLS conversations: versions, resumption, client certificates, the end, dribbles. */
#include "tls_ends.h"

static void test_conversation(void **state)
{
    (void)state;
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem"), .alpn = "h2,http/1.1"});
    struct hail_tls_config *sc = config(
        true, &(struct hail_tls_opts){.cert_file = in_dir("server.pem"), .alpn = "http/1.1,foo"});
    struct ends e = open_ends(cc, sc);
    struct hail_tls_info i;
    char c;
    hail_tls_config_free(cc); /* streams hold on to it */
    hail_tls_config_free(sc);
    say(&e.cctx, e.c, &e.sctx, e.s, "GET / HTTP/1.0\r\n\r\n");
    say(&e.sctx, e.s, &e.cctx, e.c, "HTTP/1.0 200 OK\r\n\r\n");
    assert_int_equal(hail_tls_info(e.c, &i), 0);
    assert_string_equal(i.version, "TLSv1.3");
    assert_string_equal(i.alpn, "http/1.1");
    assert_string_equal(i.subject, "CN=server");
    assert_string_equal(i.issuer, "CN=Test Authority");
    assert_string_equal(i.names, "DNS:localhost");
    assert_string_equal(i.refused, "");
    assert_true(i.verified);
    assert_false(i.resumed);
    assert_int_equal(i.days_left, 29);
    assert_int_equal(i.not_after - i.not_before, 30 * 86400 + 60);
    assert_int_equal(hail_tls_info(e.s, &i), 0);
    assert_string_equal(i.sni, "localhost");
    assert_string_equal(i.subject, "");
    assert_false(i.verified);
    assert_int_equal(hail_tls_info(e.c->next, &i), -ENOTCONN);
    assert_int_equal(hail_shutdown(&e.cctx, e.c), 0);
    assert_int_equal(hail_read(&e.sctx, e.s, &c, 1), 0);
    say(&e.sctx, e.s, &e.cctx, e.c, "still open this way");
    assert_int_equal(hail_shutdown(&e.sctx, e.s), 0);
    assert_int_equal(hail_read(&e.cctx, e.c, &c, 1), 0);
    assert_int_equal(hail_read(&e.cctx, e.c, &c, 1), 0);
    close_ends(&e);
}

static void test_resumption(void **state)
{
    (void)state;
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    for (int round = 0; round < 40; round++) {
        struct ends e = open_ends(cc, sc);
        struct hail_tls_info i;
        say(&e.sctx, e.s, &e.cctx, e.c, "tickets come before this");
        assert_int_equal(hail_tls_info(e.c, &i), 0);
        assert_int_equal(i.resumed, round > 0);
        assert_true(i.verified);
        assert_string_equal(i.subject, "CN=server");
        close_ends(&e);
    }
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

static void test_no_common_alpn(void **state)
{
    (void)state;
    int c, s;
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem"), .alpn = "h2"});
    struct hail_tls_config *sc = config(
        true, &(struct hail_tls_opts){.cert_file = in_dir("server.pem"), .alpn = "http/1.1"});
    struct ends e = laid(cc, sc, "localhost");
    shake(&e, &c, &s);
    assert_int_equal(c, -EPROTO);
    assert_int_equal(s, -EPROTO);
    assert_non_null(strstr(e.cctx.err.msg, "no common application protocol"));
    assert_int_equal(e.cctx.err.layer, HAIL_LAYER_TLS);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

static void test_client_certificate(void **state)
{
    (void)state;
    int c, s;
    char byte;
    struct hail_tls_info i;
    struct hail_tls_config *sc =
        config(true, &(struct hail_tls_opts){.cert_file = in_dir("server.pem"),
                                             .verify_client = true,
                                             .ca_file = in_dir("ca.pem")});
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem"),
                                              .cert_file = in_dir("client.pem")});
    struct ends e = open_ends(cc, sc);
    assert_int_equal(hail_tls_info(e.s, &i), 0);
    assert_string_equal(i.subject, "CN=a client");
    assert_true(i.verified);
    close_ends(&e);
    hail_tls_config_free(cc);

    cc = client_config();
    e = laid(cc, sc, "localhost");
    shake(&e, &c, &s);
    assert_int_equal(s, -EPROTO);
    assert_non_null(strstr(e.sctx.err.msg, "the client sent no certificate"));
    assert_int_equal(c, 0); /* TLS 1.3: the client learns it later */
    hail_close(e.s);
    assert_int_equal(hail_write(&e.cctx, e.c, "x", 1, NULL), -EPROTO);
    assert_non_null(strstr(e.cctx.err.msg, "requires a client certificate"));
    assert_int_equal(hail_read(&e.cctx, e.c, &byte, 1), -EPROTO);
    hail_close(e.c);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

static void test_truncation(void **state)
{
    (void)state;
    char buf[16];
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    struct ends e = open_ends(cc, sc);
    assert_int_equal(hail_write(&e.sctx, e.s, "half", 4, NULL), 0);
    hail_close(e.s);
    assert_int_equal(hail_read(&e.cctx, e.c, buf, sizeof buf), 4);
    assert_int_equal(hail_read(&e.cctx, e.c, buf, sizeof buf), -EPROTO);
    assert_int_equal(e.cctx.err.detail, HAIL_TRUNCATED);
    assert_int_equal(hail_read(&e.cctx, e.c, buf, sizeof buf), -EPROTO);
    hail_close(e.c);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

/* Tickets that nobody read must not make the close a reset: it would eat what was sent. */
static void test_close_with_unread_tickets(void **state)
{
    (void)state;
    char buf[16];
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    struct ends e = open_ends(cc, sc);
    assert_int_equal(hail_write(&e.cctx, e.c, "last words", 10, NULL), 0);
    assert_int_equal(hail_shutdown(&e.cctx, e.c), 0);
    hail_close(e.c);
    assert_int_equal(hail_read(&e.sctx, e.s, buf, sizeof buf), 10);
    assert_int_equal(hail_read(&e.sctx, e.s, buf, sizeof buf), 0);
    hail_close(e.s);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

/* --- a lower layer that gives and takes one byte, and every second time nothing --- */

static ssize_t drip_read(struct hail_ctx *ctx, struct hail_stream *s, void *buf, size_t size)
{
    bool *idle = s->state;
    (void)size;
    *idle = !*idle;
    s->wants = POLLIN;
    return *idle ? -EAGAIN : s->next->ops->read(ctx, s->next, buf, 1);
}

static ssize_t drip_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                           int n)
{
    bool *idle = s->state;
    const struct iovec one = {iov->iov_base, 1};
    (void)n;
    *idle = !*idle;
    s->wants = POLLOUT;
    return *idle ? -EAGAIN : s->next->ops->writev(ctx, s->next, &one, 1);
}

static void drip_close(struct hail_stream *s)
{
    free(s->state);
}

static void drip(struct hail_stream **top)
{
    static const struct hail_layer_ops ops = {.name = "drip",
                                              .end = "FIN",
                                              .read = drip_read,
                                              .writev = drip_writev,
                                              .close = drip_close};
    struct hail_stream *s = calloc(1, sizeof *s);
    s->ops = &ops;
    s->state = calloc(1, sizeof(bool));
    hail_stream_push(s, *top);
    *top = s;
}

/* Sends `len` bytes in uneven slices one way while the other end reads: both in steps. */
static void transfer(struct hail_ctx *fctx, struct hail_stream *from, struct hail_ctx *tctx,
                     struct hail_stream *to, size_t len)
{
    unsigned char *out = malloc(len), *in = malloc(len);
    size_t sent = 0, got = 0;
    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)(i * 7 + i / 251);
    while (got < len) {
        size_t left = len - sent, a = left / 5, b = left / 3;
        const struct iovec iov[4] = {{out + sent, a},
                                     {out + sent + a, 0},
                                     {out + sent + a, b},
                                     {out + sent + a + b, left - a - b}};
        ssize_t n = left ? hail_try_writev(fctx, from, iov, 4) : 0;
        assert_true(n >= 0 || n == -EAGAIN);
        sent += n > 0 ? (size_t)n : 0;
        n = hail_try_read(tctx, to, in + got, len - got);
        assert_true(n > 0 || n == -EAGAIN);
        got += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(in, out, len);
    free(out);
    free(in);
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    int c, s;
    char byte;
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    struct ends e = plain_ends();
    drip(&e.c);
    drip(&e.s);
    assert_int_equal(hail_tls_client_start(&e.cctx, &e.c, "localhost", cc), 0);
    assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
    shake(&e, &c, &s);
    assert_int_equal(c, 0);
    /* the server's tickets, a byte a message, are more than the socket holds */
    while (s == -EAGAIN) {
        assert_int_equal(hail_try_read(&e.cctx, e.c, &byte, 1), -EAGAIN);
        s = hail_try_handshake(&e.sctx, e.s);
    }
    assert_int_equal(s, 0);
    transfer(&e.cctx, e.c, &e.sctx, e.s, 40000);
    transfer(&e.sctx, e.s, &e.cctx, e.c, 40000);
    assert_int_equal(hail_shutdown(&e.cctx, e.c), 0);
    assert_int_equal(hail_read(&e.sctx, e.s, &byte, 1), 0);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

static void test_more_than_fits(void **state)
{
    (void)state;
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    struct ends e = open_ends(cc, sc);
    transfer(&e.cctx, e.c, &e.sctx, e.s, 5000000);
    transfer(&e.sctx, e.s, &e.cctx, e.c, 5000000);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),       cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_no_common_alpn),     cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_truncation),         cmocka_unit_test(test_close_with_unread_tickets),
        cmocka_unit_test(test_one_byte_at_a_time), cmocka_unit_test(test_more_than_fits),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
