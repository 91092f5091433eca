/* test_tls_certificates.c - certificates that are refused, and that are not, and the words for it.
 */
#include "tls_ends.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),          cmocka_unit_test(test_unknown_authority),
        cmocka_unit_test(test_insecure_name),         cmocka_unit_test(test_bundle),
        cmocka_unit_test(test_bundle_compares_names),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
