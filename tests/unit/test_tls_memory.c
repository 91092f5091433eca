/* test_tls_memory.c - TLS without memory: hail's own allocations and OpenSSL's fail in turn.
 *
 * link: --wrap=calloc
 * link: --wrap=malloc
 */
#include "support.h"
#include "tls_ends.h"

/* Every allocation of hail's own fails in turn: an error or no harm, and the lower stream stays. */
static void test_no_memory(void **state)
{
    (void)state;
    int rc = -1, c, s;
    struct hail_tls_config *sc = server_config("server.pem");
    const struct hail_tls_opts opts = {.ca_file = in_dir("ca.pem")};
    for (int n = 1; rc < 0; n++) {
        struct ends e = plain_ends();
        struct hail_tls_config *cc = NULL;
        struct hail_tls_info i;
        struct hail_stream *lower = e.c;
        assert_int_equal(hail_tls_server_start(&e.sctx, &e.s, sc), 0);
        fail_nth(n);
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
        fail_nth(0);
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
    for (int n = 1; n < 4000 && good < 5; n += 3) {
        struct ends e = laid(cc, sc, "localhost");
        struct ends wrong = laid(cc, sc, "wrong.example");
        fail_nth(n);
        shake(&e, &c, &s);
        good = !has_failed() && c == 0 ? good + 1 : 0;
        fail_nth(n);
        shake(&wrong, &c, &s);
        fail_nth(0);
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
    return fails(ENOMEM) ? NULL : realloc(p, n);
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
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_in_openssl),
    };
    CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
