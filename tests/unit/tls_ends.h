/* tls_ends.h - what the tests of TLS share: an authority of their own, and two ends over a socket
 * pair, stepped in turn by one thread.
 */
#ifndef HAIL_TESTS_TLS_ENDS_H
#define HAIL_TESTS_TLS_ENDS_H

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

#define UNUSED __attribute__((unused))

/* --- the certificates --- */

static char dir[] = "/tmp/hail-tls-XXXXXX";
static X509 *ca;
static EVP_PKEY *ca_key;

static UNUSED const char *in_dir(const char *name)
{
    static char path[8][128];
    static unsigned next;
    char *p = path[next++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* A certificate and its key in one file. */
static UNUSED const char *cert_file(const char *file, struct made_cert m, bool by_ca)
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

static UNUSED int make_all(void **state)
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

static UNUSED int remove_all(void **state)
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

static UNUSED struct ends plain_ends(void)
{
    struct ends e = {HAIL_CTX_INIT, HAIL_CTX_INIT, NULL, NULL};
    int fd[2];
    e.cctx.by = e.sctx.by = hail_deadline_in(20000);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    assert_int_equal(hail_stream_of_fd(&e.cctx, fd[0], &e.c), 0);
    assert_int_equal(hail_stream_of_fd(&e.sctx, fd[1], &e.s), 0);
    return e;
}

static UNUSED struct hail_tls_config *config(bool server, const struct hail_tls_opts *opts)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_tls_config *c = NULL;
    int rc = hail_tls_config_new(&ctx, server, opts, &c);
    if (rc < 0)
        fail_msg("%s", ctx.err.msg);
    return c;
}

static UNUSED struct hail_tls_config *server_config(const char *file)
{
    return config(true, &(struct hail_tls_opts){.cert_file = in_dir(file)});
}

static UNUSED struct hail_tls_config *client_config(void)
{
    return config(false, &(struct hail_tls_opts){.ca_file = in_dir("ca.pem")});
}

/* Steps both handshakes until both are over; what each came to. */
static UNUSED void shake(struct ends *e, int *client, int *server)
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

static UNUSED struct ends laid(struct hail_tls_config *cc, struct hail_tls_config *sc,
                               const char *name)
{
    struct ends e = plain_ends();
    assert_int_equal(hail_tls_client_start(&e.cctx, &e.c, name, cc), 0);
    assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
    return e;
}

static UNUSED struct ends open_ends(struct hail_tls_config *cc, struct hail_tls_config *sc)
{
    int c, s;
    struct ends e = laid(cc, sc, "localhost");
    shake(&e, &c, &s);
    if (c != 0)
        fail_msg("%s", e.cctx.err.msg);
    assert_int_equal(s, 0);
    return e;
}

static UNUSED void close_ends(struct ends *e)
{
    hail_close(e->c);
    hail_close(e->s);
}

static UNUSED void say(struct hail_ctx *ctx, struct hail_stream *from, struct hail_ctx *rctx,
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

#endif
