/* test_resolve.c - resolving as a whole: without asking, with a server that is silent, cancelled,
 * without memory.
 *
 * A name server in a thread answers; the real ones are in tests/cli.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 */
#include "addresses.h"
#include "net/resolve.h"
#include "support.h"

#include <errno.h>
#include <pthread.h>

static const char hosts_text[] = "192.0.2.1\tweb.example  WWW web # alias\n"
                                 "192.0.2.1 web.example again\n"
                                 "192.0.2.3 b\xc3\xbc"
                                 "cher.example\n";

static void collect(void *arg, const char *name, enum hail_source source, int32_t ttl)
{
    char *all = arg;
    (void)ttl;
    snprintf(all + strlen(all), 100, "%s(%s) ", name, hail_source_name(source));
}

static void test_reverse_without_asking(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    char path[64], all[500] = "";
    temp_file(path, hosts_text, sizeof hosts_text - 1);
    struct hail_resolve_opts opts = {.hosts_file = path, .resolv_conf = "/nonexistent"};
    struct hail_addr a = addr_of("192.0.2.1");
    hail_addr_set_port(&a, 80);
    assert_int_equal(hail_resolve_reverse(&ctx, &a, &opts, collect, all), 0);
    assert_string_equal(all, "web.example(hosts) WWW(hosts) web(hosts) web.example(hosts) "
                             "again(hosts) ");
    all[0] = '\0';
    a = addr_of("::1");
    assert_int_equal(hail_resolve_reverse(&ctx, &a, &opts, collect, all), 0);
    assert_string_equal(all, "localhost(local) ");
    unlink(path);
    struct hail_endpoint ep = {.kind = HAIL_HOST_UNIX, .host = "/x"};
    assert_int_equal(hail_endpoint_addr(&ep, AF_UNSPEC, &a), 0);
    assert_int_equal(hail_resolve_reverse(&ctx, &a, &opts, collect, all), -EINVAL);
}

static int resolve(struct hail_ctx *ctx, const char *text, const struct hail_resolve_opts *opts,
                   struct hail_addrs *out)
{
    struct hail_endpoint ep;
    assert_int_equal(hail_endpoint_parse(ctx, &ep, text, 80), 0);
    return hail_resolve(ctx, &ep, opts, out);
}

/* A resolv.conf that cannot be read makes every question fail: none of these asks one. */
static void test_without_asking(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_addrs a;
    char path[64];
    temp_file(path, hosts_text, sizeof hosts_text - 1);
    struct hail_resolve_opts opts = {.resolv_conf = "/dev/null/x", .hosts_file = path};
    static const struct {
        const char *text;
        int family;
        size_t n;
        const char *first;
        enum hail_source source;
    } rows[] = {
        {"127.0.0.1:1", AF_UNSPEC, 1, "127.0.0.1", HAIL_SOURCE_LITERAL},
        {"[2001:db8::7]:1", AF_UNSPEC, 1, "2001:db8::7", HAIL_SOURCE_LITERAL},
        {"localhost:1", AF_UNSPEC, 2, "::1", HAIL_SOURCE_LOCAL},
        {"LOCALHOST.:1", AF_INET, 1, "127.0.0.1", HAIL_SOURCE_LOCAL},
        {"a.b.localhost:1", AF_INET6, 1, "::1", HAIL_SOURCE_LOCAL},
        {":1", AF_UNSPEC, 2, "::1", HAIL_SOURCE_LOCAL},
        {"www:1", AF_UNSPEC, 1, "192.0.2.1", HAIL_SOURCE_HOSTS},
        {"b\xc3\xbc"
         "cher.example:1",
         AF_UNSPEC, 1, "192.0.2.3", HAIL_SOURCE_HOSTS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        opts.family = rows[i].family;
        assert_int_equal(resolve(&ctx, rows[i].text, &opts, &a), 0);
        assert_int_equal(a.n, rows[i].n);
        assert_string_equal(text_of(&a.v[0].addr), rows[i].first);
        assert_int_equal(hail_addr_port(&a.v[a.n - 1].addr), 1);
        assert_int_equal(a.v[0].source, rows[i].source);
        assert_non_null(a.v[0].reason);
        hail_addrs_free(&a);
        hail_addrs_free(&a);
    }
    hail_addrs_free(NULL);
    opts.family = AF_UNSPEC;
    assert_int_equal(resolve(&ctx, "unix:/run/x.sock", &opts, &a), 0);
    assert_int_equal(a.v[0].addr.u.sa.sa_family, AF_UNIX);
    hail_addrs_free(&a);
    opts.family = AF_INET6;
    assert_int_equal(resolve(&ctx, "127.0.0.1", &opts, &a), -ENOENT);
    assert_int_equal(ctx.err.detail, HAIL_NAME_NO_DATA);
    assert_int_equal(resolve(&ctx, "[fe80::1%nowhere]:1", &opts, &a), -EINVAL);
    assert_int_equal(resolve(&ctx, "x.onion:1", &opts, &a), -ENOENT);
    assert_int_equal(ctx.err.detail, HAIL_NAME_NOT_FOUND);
    assert_int_equal(resolve(&ctx, "elsewhere.example:1", &opts, &a), -ENOTDIR);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
    unlink(path);
}

static void test_sources(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_resolve_opts opts = {.sources = true};
    struct hail_addrs a;
    assert_int_equal(resolve(&ctx, "127.0.0.1:1", &opts, &a), 0);
    assert_string_equal(text_of(&a.v[0].from), "127.0.0.1");
    assert_int_equal(hail_addr_port(&a.v[0].from), 0);
    hail_addrs_free(&a);
    assert_int_equal(resolve(&ctx, "127.0.0.1:1", NULL, &a), 0);
    assert_int_equal(a.v[0].from.len, 0);
    hail_addrs_free(&a);
}

static void test_idn(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    char out[HAIL_HOST_MAX + 1] = "kept";
    assert_int_equal(hail_idn_to_ascii(&ctx,
                                       "Stra\xc3\x9f"
                                       "e.example",
                                       out),
                     0);
    assert_string_equal(out, "xn--strae-oqa.example");
    assert_int_equal(hail_idn_to_ascii(&ctx, "PLAIN_ascii.-x", out), 0);
    assert_string_equal(out, "PLAIN_ascii.-x"); /* as it was written */
    assert_int_equal(hail_idn_to_ascii(&ctx,
                                       "a\xe2\x80\xae"
                                       "b.example",
                                       out),
                     -EINVAL);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_NAME);
    assert_string_equal(out, "PLAIN_ascii.-x");
    char many[300] = "";
    for (int i = 0; i < 60; i++)
        memcpy(many + (size_t)4 * i, "\xe4\xb8\xad.", 5);
    assert_int_equal(hail_idn_to_ascii(&ctx, many, out), -EINVAL); /* 60 labels of 8 bytes */
}

/* The name server in a thread: echoes the question, with one address for A and none for AAAA. */
static int server_fd;
static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        uint8_t p[600];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(server_fd, p, 512, 0, (struct sockaddr *)&from, &len);
        if (n <= 12)
            return NULL;
        static const uint8_t rr[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1";
        p[2] |= 0x80;
        if (p[n - 3] == 1) { /* the type's low octet */
            p[7] = 1;
            memcpy(p + n, rr, sizeof rr - 1);
            n += (ssize_t)sizeof rr - 1;
        }
        sendto(server_fd, p, (size_t)n, 0, (struct sockaddr *)&from, len);
    }
}

static int open_server(char endpoint[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(endpoint, 32, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static void test_malloc_fails(void **state)
{
    (void)state;
    char endpoint[32];
    pthread_t thread;
    server_fd = open_server(endpoint);
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    struct hail_resolve_opts opts = {.server = endpoint, .no_search = true};
    int failed = 0;
    for (int n = 1;; n++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_addrs a = {.n = 77};
        ctx.by = hail_deadline_in(10000);
        fail_nth(n);
        int rc = resolve(&ctx, "some.example:80", &opts, &a);
        fail_nth(0);
        bool reached = has_failed();
        if (rc == 0) {
            assert_int_equal(a.n, 1);
            assert_string_equal(text_of(&a.v[0].addr), "192.0.2.1");
            assert_int_equal(a.v[0].ttl, 300);
            assert_string_equal(a.server, endpoint);
            hail_addrs_free(&a);
        } else {
            assert_int_equal(a.n, 77); /* untouched */
            assert_int_equal(ctx.err.errnum, -rc);
            assert_true(ctx.err.msg[0] != '\0');
            failed++;
        }
        if (!reached)
            break;
    }
    assert_true(failed > 2);
    /* an empty datagram ends the thread */
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    getsockname(server_fd, (struct sockaddr *)&at, &len);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(fd, "", 0, 0, (struct sockaddr *)&at, len);
    close(fd);
    pthread_join(thread, NULL);
    close(server_fd);
}

static void test_silent_server(void **state)
{
    (void)state;
    char endpoint[32];
    int fd = open_server(endpoint);
    struct hail_resolve_opts opts = {.server = endpoint};
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_addrs a;
    int64_t began = hail_now();
    ctx.by = hail_deadline_in(200);
    assert_int_equal(resolve(&ctx, "some.example:80", &opts, &a), -ETIMEDOUT);
    int64_t ms = (hail_now() - began) / 1000000;
    assert_in_range(ms, 200, 1500);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_NAME);
    assert_non_null(strstr(ctx.err.msg, endpoint));
    close(fd);
}

static void test_cancel(void **state)
{
    (void)state;
    char endpoint[32];
    int fd = open_server(endpoint), ends[2];
    struct hail_resolve_opts opts = {.server = endpoint};
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_addrs a;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    ctx.cancel_fd = ends[0];
    ctx.by = hail_deadline_in(30000);
    assert_int_equal(resolve(&ctx, "some.example:80", &opts, &a), -ECANCELED);
    assert_int_equal(ctx.err.errnum, ECANCELED);
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reverse_without_asking),
        cmocka_unit_test(test_without_asking),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_idn),
        cmocka_unit_test(test_malloc_fails),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
