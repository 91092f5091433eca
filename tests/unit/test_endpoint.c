/* test_endpoint.c - the grammar of endpoints, both ways, and addresses. */
#include <hail/hail.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct good {
    const char *text, *canonical; /* NULL: the same */
    enum hail_transport transport;
    enum hail_host kind;
    const char *host, *zone;
    int port; /* -1: none */
};

#define BUECHER                                                                                    \
    "b\xc3\xbc"                                                                                    \
    "cher.example"

static const struct good goods[] = {
    {"example.org:80", NULL, 0, HAIL_HOST_NAME, "example.org", "", 80},
    {"example.org", NULL, 0, HAIL_HOST_NAME, "example.org", "", -1},
    {"example.org.:80", NULL, 0, HAIL_HOST_NAME, "example.org.", "", 80},
    {"example.org http", "example.org:80", 0, HAIL_HOST_NAME, "example.org", "", 80},
    {"example.org \t 8080", "example.org:8080", 0, HAIL_HOST_NAME, "example.org", "", 8080},
    {"example.org:smtp", "example.org:25", 0, HAIL_HOST_NAME, "example.org", "", 25},
    {"udp:ns:domain", "udp:ns:53", HAIL_UDP, HAIL_HOST_NAME, "ns", "", 53},
    {"tls:example.org:443", NULL, HAIL_TLS, HAIL_HOST_NAME, "example.org", "", 443},
    {"127.0.0.1:0", NULL, 0, HAIL_HOST_IPV4, "127.0.0.1", "", 0},
    {"127.0.0.1", NULL, 0, HAIL_HOST_IPV4, "127.0.0.1", "", -1},
    {"[::1]:65535", NULL, 0, HAIL_HOST_IPV6, "::1", "", 65535},
    {"[::1]", NULL, 0, HAIL_HOST_IPV6, "::1", "", -1},
    {"::1", "[::1]", 0, HAIL_HOST_IPV6, "::1", "", -1},
    {"::1 22", "[::1]:22", 0, HAIL_HOST_IPV6, "::1", "", 22},
    {"2001:DB8:0:0:0:0:0:1", "[2001:db8::1]", 0, HAIL_HOST_IPV6, "2001:db8::1", "", -1},
    {"[::ffff:10.0.0.1]:80", NULL, 0, HAIL_HOST_IPV6, "::ffff:10.0.0.1", "", 80},
    {"[fe80::1%eth0]:80", NULL, 0, HAIL_HOST_IPV6, "fe80::1", "eth0", 80},
    {"fe80::1%2", "[fe80::1%2]", 0, HAIL_HOST_IPV6, "fe80::1", "2", -1},
    {":8080", NULL, 0, HAIL_HOST_ANY, "", "", 8080},
    {"*:8080", ":8080", 0, HAIL_HOST_ANY, "", "", 8080},
    {"*", NULL, 0, HAIL_HOST_ANY, "", "", -1},
    {"tcp::80", NULL, HAIL_TCP, HAIL_HOST_ANY, "", "", 80},
    {"tcp:::80", "tcp:[::80]", HAIL_TCP, HAIL_HOST_IPV6, "::80", "", -1},
    {"unix:/run/a b.sock", NULL, 0, HAIL_HOST_UNIX, "/run/a b.sock", "", -1},
    {"unix:relative:1", NULL, 0, HAIL_HOST_UNIX, "relative:1", "", -1},
    {"unix:@name", NULL, 0, HAIL_HOST_ABSTRACT, "name", "", -1},
    {"udp:unix:/run/log", NULL, HAIL_UDP, HAIL_HOST_UNIX, "/run/log", "", -1},
    {BUECHER ":80", NULL, 0, HAIL_HOST_NAME, BUECHER, "", 80},
    {"_http._tcp.example.org", NULL, 0, HAIL_HOST_NAME, "_http._tcp.example.org", "", -1},
    {"host:00080", "host:80", 0, HAIL_HOST_NAME, "host", "", 80},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        const struct good *g = &goods[i];
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_endpoint ep, again;
        if (hail_endpoint_parse(&ctx, &ep, g->text, 0) != 0)
            fail_msg("%s: %s", g->text, ctx.err.msg);
        assert_int_equal(ep.transport, g->transport);
        assert_int_equal(ep.kind, g->kind);
        assert_string_equal(ep.host, g->host);
        assert_string_equal(ep.zone, g->zone);
        assert_int_equal(ep.has_port ? ep.port : -1, g->port);
        char text[HAIL_ENDPOINT_MAX];
        int n = hail_endpoint_format(&ep, text, sizeof text);
        assert_true(n > 0 && (size_t)n < sizeof text);
        assert_string_equal(text, g->canonical ? g->canonical : g->text);
        assert_int_equal(hail_endpoint_parse(&ctx, &again, text, 0), 0);
        assert_true(hail_endpoint_equal(&ep, &again));
    }
}

struct bad {
    const char *text;
    int column;
};

static const struct bad bads[] = {
    {"", 1},
    {"host:", 6},
    {"host:65536", 6},
    {"host:99999999999999999999", 6},
    {"host:-1", 6},
    {"host:nosuchservice", 6},
    {"host 80 81", 9},
    {"80", 1},
    {"tcp:80", 5},
    {"1.2.3", 1},
    {"256.1.1.1:80", 1},
    {"1.2.3.4.5", 1},
    {"a..b", 3},
    {".a", 1},
    {"a:b:c", 1},
    {"[::1", 1},
    {"[::1]80", 6},
    {"[127.0.0.1]:80", 2},
    {"[]:80", 2},
    {"[fe80::1%]:80", 10},
    {"[fe80::1%averyverylongname]", 10},
    {"ho\x1bst:80", 3},
    {"user@host:80", 5},
    {"http://host/", 6},
    {"host/path", 5},
    {"\xff\xfe:80", 1},
    {"unix:", 6},
    {"unix:@", 7},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", 1},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_endpoint ep, before;
        memset(&ep, 0x5A, sizeof ep);
        before = ep;
        if (hail_endpoint_parse(&ctx, &ep, bads[i].text, 0) != -EINVAL)
            fail_msg("'%s' was taken", bads[i].text);
        char column[32];
        snprintf(column, sizeof column, "column %d:", bads[i].column);
        if (!strstr(ctx.err.msg, column))
            fail_msg("wanted %s in: %s", column, ctx.err.msg);
        assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
        assert_null(strchr(ctx.err.msg, '\x1b'));
        assert_memory_equal(&ep, &before, sizeof ep);
    }
}

static void test_too_long(void **state)
{
    (void)state;
    char text[400];
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep;
    memset(text, 'a', sizeof text);
    for (size_t i = 50; i < sizeof text; i += 50)
        text[i] = '.';
    text[253] = '\0';
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, text, 0), 0);
    text[253] = 'a';
    text[254] = '\0';
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, text, 0), -EINVAL);
    memset(text, 'a', sizeof text);
    memcpy(text, "unix:", 5);
    text[5 + 107] = '\0';
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, text, 0), 0);
    text[5 + 107] = 'a';
    text[5 + 108] = '\0';
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, text, 0), -EINVAL);
}

static void test_defaults(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep;
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, "host", 23), 0);
    assert_true(ep.has_port && ep.port == 23);
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, "host:24", 23), 0);
    assert_int_equal(ep.port, 24);
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, "unix:/x", 23), 0);
    assert_false(ep.has_port);
    assert_int_equal(hail_endpoint_parse2(&ctx, &ep, "::1", "smtp", 23), 0);
    assert_int_equal(ep.port, 25);
    assert_int_equal(hail_endpoint_parse2(&ctx, &ep, "host:24", "smtp", 23), -EINVAL);
    assert_int_equal(hail_endpoint_parse2(&ctx, &ep, "unix:/x", "smtp", 23), -EINVAL);
}

static void round_trip(struct hail_endpoint ep, int transport, int port)
{
    ep.transport = (enum hail_transport)transport;
    ep.has_port = port >= 0;
    ep.port = port >= 0 ? (uint16_t)port : 0;
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&ep, text, sizeof text);
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint again;
    if (hail_endpoint_parse(&ctx, &again, text, 0) != 0)
        fail_msg("%s: %s", text, ctx.err.msg);
    assert_true(hail_endpoint_equal(&ep, &again));
}

/* Every kind of host with every transport and a spread of ports comes back equal. */
static void test_round_trip(void **state)
{
    (void)state;
    static const struct hail_endpoint hosts[] = {
        {.kind = HAIL_HOST_ANY},
        {.kind = HAIL_HOST_NAME, .host = "a"},
        {.kind = HAIL_HOST_NAME, .host = "xn--bcher-kva.example."},
        {.kind = HAIL_HOST_IPV4, .host = "255.255.255.255"},
        {.kind = HAIL_HOST_IPV6, .host = "::"},
        {.kind = HAIL_HOST_IPV6, .host = "fe80::1", .zone = "a-15-bytes-name"},
        {.kind = HAIL_HOST_UNIX, .host = "/a:b [c]%"},
        {.kind = HAIL_HOST_ABSTRACT, .host = "@@x"},
    };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        bool is_unix = hosts[i].kind == HAIL_HOST_UNIX || hosts[i].kind == HAIL_HOST_ABSTRACT;
        for (int t = HAIL_TRANSPORT_ANY; t <= HAIL_TLS; t++)
            for (int port = -1; port <= (is_unix ? -1 : 65535); port += 97)
                round_trip(hosts[i], t, port);
    }
    /* hosts that are called like a prefix */
    static const char *const names[] = {"tcp", "udp", "tls", "unix"};
    for (size_t i = 0; i < 4; i++) {
        struct hail_endpoint ep = {.kind = HAIL_HOST_NAME};
        strcpy(ep.host, names[i]);
        for (int t = HAIL_TRANSPORT_ANY; t <= HAIL_TLS; t++)
            round_trip(ep, t, 80);
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:80", "[::1]:80", "[fe80::1%lo]:80", "unix:/x",
                                        "unix:@x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_endpoint ep, back;
        struct hail_addr a, b;
        assert_int_equal(hail_endpoint_parse(&ctx, &ep, texts[i], 0), 0);
        assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), 0);
        back = hail_endpoint_of(&a);
        assert_true(hail_endpoint_equal(&ep, &back));
        b = a;
        assert_true(hail_addr_equal(&a, &b));
        hail_addr_set_port(&b, 81);
        assert_int_equal(hail_addr_equal(&a, &b), i > 2);
    }
    struct hail_endpoint ep = {.kind = HAIL_HOST_IPV6, .host = "fe80::1", .zone = "nosuchif"};
    struct hail_addr a;
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), -ENODEV);
    ep = (struct hail_endpoint){.kind = HAIL_HOST_NAME, .host = "x"};
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), -ENOTSUP);
    ep = (struct hail_endpoint){.kind = HAIL_HOST_ANY, .has_port = true, .port = 7};
    assert_int_equal(hail_endpoint_addr(&ep, AF_INET, &a), 0);
    assert_int_equal(a.u.in4.sin_addr.s_addr, INADDR_ANY);
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), 0);
    assert_int_equal(a.u.sa.sa_family, AF_INET6);
}

static void test_mapped(void **state)
{
    (void)state;
    struct hail_addr a = {.len = sizeof a.u.in6};
    a.u.in6.sin6_family = AF_INET6;
    a.u.in6.sin6_port = htons(80);
    assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &a.u.in6.sin6_addr), 1);
    struct hail_endpoint ep = hail_endpoint_of(&a);
    char text[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(&ep, text, sizeof text);
    assert_string_equal(text, "192.0.2.1:80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_long),   cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
