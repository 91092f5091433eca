/* test_tls.c - TLS over socket pairs, client and server stepped in turn by one thread.
 *
 * link: --wrap=calloc
 * link: --wrap=malloc
 */
#include "net/layer.h"

#include <hail/tls.h>
#include <hail/trace.h>

#include "tls_certs.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

/* --- allocations that fail --- */

static long fail_after = -1; /* so many allocations go well; -1: all */

static bool fails(void)
{
    return fail_after >= 0 && fail_after-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

/* --- the certificates --- */

static char dir[] = "/tmp/hail-tls-XXXXXX";
static X509 *ca;
static EVP_PKEY *ca_key;

static const char *in_dir(const char *name)
{
    static char path[8][128];
    static unsigned next;
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A certificate and its key in one file. */
static const char *cert_file(const char *file, struct made_cert m, bool by_ca)
{
    EVP_PKEY *key;
    if (by_ca) {
        m.issuer = ca;
        m.issuer_key = ca_key;
    }
    X509 *x = make_cert(&m, &key);
    const char *path = in_dir(file);
    write_pem(path, x, key, NULL);
    X509_free(x);
    EVP_PKEY_free(key);
    return path;
}

static int make_all(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    unsetenv("SSLKEYLOGFILE");
    ca = make_cert(&(struct made_cert){.cn = "Test Authority", .ca = true}, &ca_key);
    write_pem(in_dir("ca.pem"), ca, NULL, NULL);
    cert_file("server.pem", (struct made_cert){.cn = "server"}, true);
    cert_file("client.pem", (struct made_cert){.cn = "a client"}, true);
    return 0;
}

static int remove_all(void **state)
{
    char command[128];
    (void)state;
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* --- two ends --- */

struct ends {
    struct hail_ctx cctx, sctx;
    struct hail_stream *c, *s;
};

static struct ends plain_ends(void)
{
    struct ends e = {HAIL_CTX_INIT, HAIL_CTX_INIT, NULL, NULL};
    int fd[2];
    e.cctx.by = e.sctx.by = hail_deadline_in(20000);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(hail_stream_of_fd(&e.cctx, fd[0], &e.c), 0);
    assert_int_equal(hail_stream_of_fd(&e.sctx, fd[1], &e.s), 0);
    return e;
}

static struct hail_tls_config *config(bool server, const struct hail_tls_opts *opts)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_tls_config *c = NULL;
    int rc = hail_tls_config_new(&ctx, server, opts, &c);
    if (rc < 0)
        fail_msg("%s", ctx.err.msg);
    return c;
}

static struct hail_tls_config *server_config(const char *file)
{
    return config(true, &(struct hail_tls_opts){.cert_file = in_dir(file)});
}

static struct hail_tls_config *client_config(void)
{
    return config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem")});
}

/* Steps both handshakes until both are over; what each came to. */
static void shake(struct ends *e, int *client, int *server)
{
    int c = -EAGAIN, s = -EAGAIN;
    for (int i = 0; i < 20000 && (c == -EAGAIN || s == -EAGAIN); i++) {
        bool failed = (c != -EAGAIN && c < 0) || (s != -EAGAIN && s < 0);
        if (c == -EAGAIN)
            c = hail_try_handshake(&e->cctx, e->c);
        if (s == -EAGAIN)
            s = hail_try_handshake(&e->sctx, e->s);
        if (failed)
            break;
    }
    *client = c;
    *server = s;
}

static struct ends laid(struct hail_tls_config *cc, struct hail_tls_config *sc, const char *name)
{
    struct ends e = plain_ends();
    assert_int_equal(hail_tls_client_start(&e.cctx, &e.c, name, cc), 0);
    assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
    return e;
}

static struct ends open_ends(struct hail_tls_config *cc, struct hail_tls_config *sc)
{
    int c, s;
    struct ends e = laid(cc, sc, "localhost");
    shake(&e, &c, &s);
    if (c != 0)
        fail_msg("%s", e.cctx.err.msg);
    assert_int_equal(s, 0);
    return e;
}

static void close_ends(struct ends *e)
{
    hail_close(e->c);
    hail_close(e->s);
}

static void say(struct hail_ctx *ctx, struct hail_stream *from, struct hail_ctx *rctx,
                struct hail_stream *to, const char *text)
{
    char buf[256];
    size_t done, len = strlen(text);
    assert_int_equal(hail_write(ctx, from, text, len, &done), 0);
    assert_int_equal(done, len);
    assert_int_equal(hail_read_full(rctx, to, buf, len, &done), 0);
    assert_int_equal(done, len);
    assert_memory_equal(buf, text, len);
}

/* --- tests --- */

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

/* --- certificates that are refused, and that are not --- */

struct trial {
    struct made_cert cert;
    bool by_ca;
    const char *name;
    const char *why; /* part of the reason; NULL: it is accepted */
    int code;
};

static const struct trial trials[] = {
    {{.cn = "x"}, true, "localhost", NULL, 0},
    {{.cn = "x"}, true, "localhost.", NULL, 0},
    {{.cn = "x"}, true, "LocalHost", NULL, 0},
    {{.cn = "x", .san = "DNS:*.example.org"}, true, "www.example.org", NULL, 0},
    {{.cn = "x", .san = "IP:127.0.0.1,IP:::1"}, true, "127.0.0.1", NULL, 0},
    {{.cn = "x", .san = "IP:127.0.0.1,IP:::1"}, true, "::1", NULL, 0},
    {{.cn = "x", .san = "IP:fe80::1"}, true, "fe80::1%lo", NULL, 0},
    {{.cn = "x", .printable = true}, true, "localhost", NULL, 0},
    {{.cn = "x"},
     true,
     "example.org",
     "it is for localhost, not for example.org",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {{.cn = "x", .san = "DNS:*.example.org"},
     true,
     "a.b.example.org",
     "it is for *.example.org",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {{.cn = "x", .san = "DNS:w*.example.org"},
     true,
     "www.example.org",
     "it is for w*.example.org",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {{.cn = "x", .san = "DNS:127.0.0.1"},
     true,
     "127.0.0.1",
     "not for 127.0.0.1",
     X509_V_ERR_IP_ADDRESS_MISMATCH},
    {{.cn = "localhost", .san = ""},
     true,
     "localhost",
     "names no host",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {{.cn = "x", .san = "DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g"},
     true,
     "localhost",
     "it is for a, b, c, d, e and 2 more, not for localhost",
     X509_V_ERR_HOSTNAME_MISMATCH},
    {{.cn = "x", .from = -40, .days = 30},
     true,
     "localhost",
     "it expired on ",
     X509_V_ERR_CERT_HAS_EXPIRED},
    {{.cn = "x", .from = 3},
     true,
     "localhost",
     "it is not valid before ",
     X509_V_ERR_CERT_NOT_YET_VALID},
    {{.cn = "x"}, false, "localhost", "it is self-signed", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
};

static void try_certificate(const struct trial *t)
{
    int c, s;
    struct hail_tls_config *cc = client_config();
    cert_file("trial.pem", t->cert, t->by_ca);
    struct hail_tls_config *sc = server_config("trial.pem");
    struct hail_tls_config *any = config(
        false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem"), .insecure_certificate = true});
    struct ends e = laid(cc, sc, t->name);
    struct hail_tls_info i;
    shake(&e, &c, &s);
    assert_int_equal(c, t->why ? -EPROTO : 0);
    if (t->why) {
        if (!strstr(e.cctx.err.msg, t->why))
            fail_msg("%s", e.cctx.err.msg);
        assert_int_equal(e.cctx.err.detail, t->code);
    }
    close_ends(&e);
    e = laid(any, sc, t->name);
    shake(&e, &c, &s);
    assert_int_equal(c, 0);
    assert_int_equal(hail_tls_info(e.c, &i), 0);
    assert_int_equal(i.verified, !t->why);
    if (t->why ? !strstr(i.refused, t->why) : *i.refused != 0)
        fail_msg("%s", i.refused);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
    hail_tls_config_free(any);
}

static void test_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        try_certificate(&trials[i]);
}

static void test_unknown_authority(void **state)
{
    (void)state;
    int c, s;
    EVP_PKEY *other_key;
    X509 *other = make_cert(&(struct made_cert){.cn = "Other", .ca = true}, &other_key);
    write_pem(in_dir("other.pem"), other, NULL, NULL);
    struct hail_tls_config *sc = server_config("server.pem");
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("other.pem")});
    struct ends e = laid(cc, sc, "localhost");
    shake(&e, &c, &s);
    assert_int_equal(c, -EPROTO);
    assert_non_null(strstr(e.cctx.err.msg, "unknown authority (CN=Test Authority)"));
    assert_true(e.cctx.err.advice[0]);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
    X509_free(other);
    EVP_PKEY_free(other_key);
}

static void test_insecure_name(void **state)
{
    (void)state;
    int c, s;
    struct hail_tls_info i;
    struct hail_tls_config *sc = server_config("server.pem");
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem"), .insecure_name = true});
    struct ends e = laid(cc, sc, "elsewhere.example");
    shake(&e, &c, &s);
    assert_int_equal(c, 0);
    assert_int_equal(hail_tls_info(e.c, &i), 0);
    assert_false(i.verified);
    assert_non_null(strstr(i.refused, "not for elsewhere.example"));
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

/* The authority among others in one file, with what editors and other tools put between. */
static void test_bundle(void **state)
{
    (void)state;
    FILE *f = fopen(in_dir("bundle.pem"), "we");
    fputs("# a comment\r\n-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n", f);
    for (int i = 0; i < 20; i++) {
        EVP_PKEY *key;
        X509 *x = make_cert(
            &(struct made_cert){.cn = i % 2 ? "Test authority" : "Some", .ca = true}, &key);
        PEM_write_X509(f, x);
        PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
        X509_free(x);
        EVP_PKEY_free(key);
    }
    PEM_write_X509_AUX(f, ca);
    PEM_write_X509(f, ca);
    fputs("-----BEGIN CERTIFICATE-----\nMII", f);
    fclose(f);
    struct hail_tls_config *sc = server_config("server.pem");
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("bundle.pem")});
    for (int i = 0; i < 2; i++) {
        struct ends e = open_ends(cc, sc);
        close_ends(&e);
    }
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

/* An issuer's name in another string type and case is the same name: RFC 5280 section 7.1. */
static void test_bundle_compares_names(void **state)
{
    (void)state;
    EVP_PKEY *key;
    X509 *issuer =
        make_cert(&(struct made_cert){.cn = "some  CA", .ca = true, .printable = true}, &key);
    write_pem(in_dir("some.pem"), issuer, NULL, NULL);
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Some CA", -1, -1,
                               0);
    X509 *signer = X509_dup(issuer);
    X509_set_subject_name(signer, name);
    EVP_PKEY *leaf_key;
    X509 *leaf =
        make_cert(&(struct made_cert){.cn = "x", .issuer = signer, .issuer_key = key}, &leaf_key);
    write_pem(in_dir("leaf.pem"), leaf, leaf_key, NULL);
    struct hail_tls_config *sc = server_config("leaf.pem");
    struct hail_tls_config *cc =
        config(false, &(struct hail_tls_opts){.ca_file = in_dir("some.pem")});
    struct ends e = open_ends(cc, sc);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
    X509_NAME_free(name);
    X509_free(issuer);
    X509_free(signer);
    X509_free(leaf);
    EVP_PKEY_free(key);
    EVP_PKEY_free(leaf_key);
}

/* --- peers that do not do their part --- */

static void peer_says(const char *text, bool and_closes, const char *expected)
{
    struct hail_tls_config *cc = client_config();
    struct ends e = plain_ends();
    struct hail_stream *lower = e.c;
    assert_int_equal(hail_write(&e.sctx, e.s, text, strlen(text), NULL), 0);
    if (and_closes) {
        assert_int_equal(hail_shutdown(&e.sctx, e.s), 0);
    } else {
        e.cctx.by = hail_deadline_in(*text ? 20000 : 30);
    }
    assert_int_equal(hail_tls_client_with(&e.cctx, &e.c, "localhost", cc) < 0, true);
    assert_ptr_equal(e.c, lower);
    assert_int_equal(e.cctx.err.layer, HAIL_LAYER_TLS);
    if (!strstr(e.cctx.err.msg, expected))
        fail_msg("%s", e.cctx.err.msg);
    close_ends(&e);
    hail_tls_config_free(cc);
}

static void test_peers(void **state)
{
    (void)state;
    peer_says("HTTP/1.1 400 Bad Request\r\n\r\n", false, "it said \"HTTP/1.1 400 Bad Request\"");
    peer_says("SSH-2.0-\033[31mx\r\n", false, "it said \"SSH-2.0-\\");
    peer_says("", true, "closed the connection during the handshake");
    peer_says("", false, "timed out");
}

static void test_plain_client(void **state)
{
    (void)state;
    struct hail_tls_config *sc = server_config("server.pem");
    struct ends e = plain_ends();
    assert_int_equal(hail_write(&e.cctx, e.c, "GET / HTTP/1.0\r\n\r\n", 18, NULL), 0);
    assert_int_equal(hail_tls_server(&e.sctx, &e.s, sc), -EPROTO);
    assert_non_null(strstr(e.sctx.err.msg, "it said \"GET / HTTP/1.0\""));
    close_ends(&e);
    hail_tls_config_free(sc);
}

/* --- settings --- */

static void refuse_config(bool server, struct hail_tls_opts opts, const char *expected)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_tls_config *c = NULL;
    assert_true(hail_tls_config_new(&ctx, server, &opts, &c) < 0);
    assert_null(c);
    if (!strstr(ctx.err.msg, expected))
        fail_msg("%s", ctx.err.msg);
}

static void test_settings(void **state)
{
    (void)state;
    FILE *f = fopen(in_dir("empty.pem"), "we");
    fclose(f);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    write_pem(in_dir("locked.pem"), NULL, key, "secret");
    write_pem(in_dir("other.key"), NULL, key, NULL);
    EVP_PKEY_free(key);
    const char *cert = in_dir("server.pem");
    refuse_config(true, (struct hail_tls_opts){0}, "needs a certificate");
    refuse_config(true, (struct hail_tls_opts){.cert_file = in_dir("none")}, "no such file");
    refuse_config(true, (struct hail_tls_opts){.cert_file = in_dir("empty.pem")}, "PEM form");
    refuse_config(true, (struct hail_tls_opts){.cert_file = cert, .key_file = in_dir("locked.pem")},
                  "pass phrase");
    refuse_config(true, (struct hail_tls_opts){.cert_file = cert, .key_file = in_dir("other.key")},
                  "does not belong");
    refuse_config(true, (struct hail_tls_opts){.cert_file = cert, .verify_client = true},
                  "needs the authority");
    refuse_config(false, (struct hail_tls_opts){.ca_file = in_dir("none")}, "no such file");
    refuse_config(false, (struct hail_tls_opts){.ca_file = in_dir("empty.pem")}, "no certificate");
    refuse_config(false, (struct hail_tls_opts){.ca_file = dir}, "directory");
    refuse_config(false, (struct hail_tls_opts){.ca_dir = in_dir("none")}, "no such file");
    refuse_config(false, (struct hail_tls_opts){.alpn = "h2,,x"}, "ALPN");
    refuse_config(false, (struct hail_tls_opts){.alpn = ""}, "ALPN");
    refuse_config(false, (struct hail_tls_opts){.min_version = 11}, "TLS version 11");
    struct hail_tls_config *cc = client_config();
    struct ends e = plain_ends();
    assert_int_equal(hail_tls_client_with(&e.cctx, &e.c, NULL, cc), -EINVAL);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(NULL);
}

static void test_key_log(void **state)
{
    (void)state;
    struct stat st;
    char text[4096];
    setenv("SSLKEYLOGFILE", in_dir("keys.log"), 1);
    struct hail_tls_config *cc = client_config();
    setenv("SSLKEYLOGFILE", in_dir("none/keys.log"), 1);
    refuse_config(false, (struct hail_tls_opts){0}, "key log");
    unsetenv("SSLKEYLOGFILE");
    struct hail_tls_config *sc = server_config("server.pem");
    struct ends e = open_ends(cc, sc);
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
    FILE *f = fopen(in_dir("keys.log"), "re");
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    assert_int_equal(fstat(fileno(f), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    fclose(f);
    assert_non_null(strstr(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET "));
    assert_non_null(strstr(text, "CLIENT_TRAFFIC_SECRET_0 "));
    assert_int_equal(text[n - 1], '\n');
}

/* --- the trace --- */

struct recorder {
    struct hail_trace trace;
    char log[2000];
};

static void record(struct hail_trace *self, const struct hail_event *e)
{
    static const char *const kinds[] = {"start", "note", "in", "out", "done"};
    struct recorder *r = (struct recorder *)self;
    size_t at = strlen(r->log);
    snprintf(r->log + at, sizeof r->log - at, "%s %s %zu %s\n", e->op, kinds[e->kind], e->len,
             e->text ? e->text : "");
}

static void test_trace(void **state)
{
    (void)state;
    int c, s;
    struct recorder r = {.trace = {.event = record}};
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    struct ends e = plain_ends();
    e.cctx.trace = &r.trace;
    assert_int_equal(hail_tls_client_start(&e.cctx, &e.c, "localhost", cc), 0);
    assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
    shake(&e, &c, &s);
    assert_int_equal(c, 0);
    assert_string_equal(r.log, "tls start 0 localhost\n"
                               "tls note 0 TLSv1.3, TLS_AES_256_GCM_SHA384\n"
                               "tls note 0 certificate of CN=server, for DNS:localhost\n"
                               "tls note 0 issued by CN=Test Authority, 29 days left\n"
                               "tls done 0 TLSv1.3\n");
    close_ends(&e);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

/* --- no memory --- */

/* Every allocation of hail's own fails in turn: an error or no harm, and the lower stream stays. */
static void test_no_memory(void **state)
{
    (void)state;
    int rc = -1, c, s;
    struct hail_tls_config *sc = server_config("server.pem");
    const struct hail_tls_opts opts = {.ca_file = in_dir("ca.pem")};
    for (long n = 0; rc < 0; n++) {
        struct ends e = plain_ends();
        struct hail_tls_config *cc = NULL;
        struct hail_tls_info i;
        struct hail_stream *lower = e.c;
        assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
        fail_after = n;
        rc = hail_tls_config_new(&e.cctx, false, &opts, &cc);
        if (rc == 0)
            rc = hail_tls_client_start(&e.cctx, &e.c, "localhost", cc);
        if (rc < 0) {
            assert_ptr_equal(e.c, lower);
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(e.cctx.err.layer, HAIL_LAYER_LOCAL);
        } else {
            shake(&e, &c, &s);
            assert_int_equal(c, 0);
            rc = hail_tls_info(e.c, &i);
        }
        fail_after = -1;
        close_ends(&e);
        hail_tls_config_free(cc);
        assert_true(n < 100);
    }
    hail_tls_config_free(sc);
}

/* OpenSSL's allocations fail in turn, one in each handshake: never a crash, and never an open
 * stream to the wrong peer. */
static void test_no_memory_in_openssl(void **state)
{
    (void)state;
    int c, s, good = 0;
    struct hail_tls_config *cc = client_config(), *sc = server_config("server.pem");
    for (long n = 0; n < 4000 && good < 5; n += 3) {
        struct ends e = laid(cc, sc, "localhost");
        struct ends wrong = laid(cc, sc, "wrong.example");
        fail_after = n;
        shake(&e, &c, &s);
        good = fail_after >= 0 && c == 0 ? good + 1 : 0;
        fail_after = n;
        shake(&wrong, &c, &s);
        fail_after = -1;
        assert_true(c < 0);
        close_ends(&e);
        close_ends(&wrong);
    }
    assert_true(good > 0);
    hail_tls_config_free(cc);
    hail_tls_config_free(sc);
}

static void *ssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_no_common_alpn),
        cmocka_unit_test(test_client_certificate),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_close_with_unread_tickets),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_more_than_fits),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_unknown_authority),
        cmocka_unit_test(test_insecure_name),
        cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_bundle_compares_names),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_plain_client),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_key_log),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_in_openssl),
    };
    CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
