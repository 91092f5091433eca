/* test_tls_settings.c - TLS with peers that do not do their part, settings, the key log, the trace.
 */
#include "tls_ends.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers),    cmocka_unit_test(test_plain_client),
        cmocka_unit_test(test_settings), cmocka_unit_test(test_key_log),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
