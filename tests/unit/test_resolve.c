/* test_resolve.c - the order of addresses, hosts and resolv.conf files, and resolving itself.
 *
 * The order is tested with the published examples of RFC 6724 section 10.2, sources given. A name
 * server in a thread answers what no real one would; the real ones are in tests/cli.
 *
 * link: --wrap=malloc
 * link: --wrap=calloc
 */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* malloc or calloc fails at the n-th call of this thread; 0: never. */
static _Thread_local int fail_at, calls;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    if (fail_at && ++calls == fail_at) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_malloc(size);
}
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    if (fail_at && ++calls == fail_at) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_calloc(n, size);
}

static struct hail_addr addr_of(const char *text)
{
    struct hail_addr a = {0};
    if (!*text)
        return a;
    a.u.sa.sa_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    void *to = strchr(text, ':') ? (void *)&a.u.in6.sin6_addr : (void *)&a.u.in4.sin_addr;
    a.len = strchr(text, ':') ? sizeof a.u.in6 : sizeof a.u.in4;
    assert_int_equal(inet_pton(a.u.sa.sa_family, text, to), 1);
    return a;
}

static const char *text_of(const struct hail_addr *a)
{
    static char text[INET6_ADDRSTRLEN];
    if (a->u.sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->u.in4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, &a->u.in6.sin6_addr, text, sizeof text);
    return text;
}

/* Flags by source, for the rules that ask for them. */
static unsigned flags_of(const struct hail_addr *from)
{
    const char *text = text_of(from);
    if (strcmp(text, "fe80::dead") == 0)
        return HAIL_OWN_DEPRECATED;
    if (strcmp(text, "2001:db8:1::a") == 0)
        return HAIL_OWN_HOME;
    return strcmp(text, "2001:db8:1::7") == 0 ? HAIL_OWN_TUNNEL : 0;
}

/* Destination and source of two or three, in the order that is right; and the rule that decides
 * between the first two. */
static const struct {
    const char *rule;
    const char *to[3], *from[3];
} orders[] = {
    /* RFC 6724 section 10.2 */
    {"rule 2", {"2001:db8:1::1", "198.51.100.121"}, {"2001:db8:1::2", "169.254.13.78"}},
    {"rule 2", {"198.51.100.121", "2001:db8:1::1"}, {"198.51.100.117", "fe80::1"}},
    {"rule 6", {"2001:db8:1::1", "10.1.2.3"}, {"2001:db8:1::2", "10.1.2.4"}},
    {"rule 8", {"fe80::1", "2001:db8:1::1"}, {"fe80::2", "2001:db8:1::2"}},
    {"rule 4", {"2001:db8:3::1", "fe80::1"}, {"2001:db8:1::a", "fe80::2"}},
    {"rule 3", {"2001:db8:1::1", "fe80::1"}, {"2001:db8:1::2", "fe80::dead"}},
    {"rule 9", {"2001:db8:1::1", "2001:db8:3ffe::1"}, {"2001:db8:1::2", "2001:db8:3f44::2"}},
    {"rule 5", {"2002:c633:6401::1", "2001:db8:1::1"}, {"2002:c633:6401::2", "2002:c633:6401::2"}},
    {"rule 6", {"2001:db8:1::1", "2002:c633:6401::1"}, {"2001:db8:1::2", "2002:c633:6401::2"}},
    /* and what it has no examples of */
    {"rule 1", {"192.0.2.1", "2001:db8:1::1"}, {"192.0.2.9", ""}},
    {"rule 1", {"fe80::1", "2001:db8::1", "192.0.2.1"}, {"fe80::2", "", ""}},
    {"rule 6", {"::1", "127.0.0.1"}, {"::1", "127.0.0.1"}},
    {"rule 7", {"2001:db8:2::1", "2001:db8:1::1"}, {"2001:db8:1::2", "2001:db8:1::7"}},
    {"rule 5", {"192.0.2.1", "2001:db8:1::1"}, {"10.0.0.1", "fd00::1"}},
    {"rule 6", {"fd00::1", "::192.0.2.1"}, {"fd00::2", "::192.0.2.2"}},
    {"rule 6", {"192.0.2.1", "2001::1"}, {"10.0.0.1", "2001::2"}},
    {"rule 2", {"ff02::1", "ff05::1"}, {"fe80::2", "2001:db8::2"}},
    {"rule 8", {"169.254.0.1", "192.0.2.1"}, {"169.254.0.2", "192.0.2.2"}},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t n = orders[i].to[2] ? 3 : 2;
        for (int backwards = 0; backwards < 2; backwards++) {
            struct hail_address v[3] = {0};
            bool same = n == 3; /* the last two are equal: they keep the order they come in */
            for (size_t k = 0; k < n; k++) {
                size_t at = backwards && !same ? n - 1 - k : k;
                v[at].addr = addr_of(orders[i].to[k]);
                v[at].from = addr_of(orders[i].from[k]);
            }
            hail_order(v, n, flags_of);
            for (size_t k = 0; k < n; k++)
                assert_string_equal(text_of(&v[k].addr), orders[i].to[k]);
            assert_memory_equal(v[0].reason, orders[i].rule, 6);
            assert_memory_equal(v[1].reason, orders[i].rule, 6);
            assert_string_not_equal(v[0].reason, v[1].reason);
        }
    }
}

/* Equal addresses, and IPv4 whatever its bits, stay as the name server gave them. */
static void test_order_is_stable(void **state)
{
    (void)state;
    static const char *const given[] = {"203.0.113.9", "10.0.0.5", "203.0.113.1", "192.0.2.77"};
    struct hail_address v[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        v[i].addr = addr_of(given[i]);
        v[i].from = addr_of("10.0.0.1");
    }
    hail_order(v, 4, flags_of);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(text_of(&v[i].addr), given[i]);
        assert_string_equal(v[i].reason, "rule 10: as it was given");
    }
    hail_order(v, 1, NULL);
    assert_string_equal(v[0].reason, "the only address");
    hail_order(v, 0, NULL);
}

static void parse_conf(struct hail_resolv_conf *c, const char *text)
{
    size_t n = strlen(text);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *area = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(area != MAP_FAILED && n <= page);
    assert_int_equal(mprotect(area + page, page, PROT_NONE), 0);
    memcpy(area + page - n, text, n);
    hail_resolv_conf_init(c);
    hail_resolv_conf_parse(c, area + page - n, n);
    munmap(area, 2 * page);
}

static void test_conf(void **state)
{
    (void)state;
    struct hail_resolv_conf c;
    parse_conf(&c, "# comment\n"
                   "; another\n"
                   "nameserver 192.0.2.53\n"
                   "nameserver\t[::1]:5353   trailing words\n"
                   "nameserver fe80::1%lo\r\n"
                   "nameserver not.a.number\n"
                   "nameserver\n"
                   "nameservers 192.0.2.54\n"
                   "domain only.example\n"
                   "search a.example b.example.\tc.example\n"
                   "options ndots:3 timeout:7 attempts:4 rotate use-vc edns0 ndots:x timeout:0\n"
                   "options ndots:99");
    assert_int_equal(c.nservers, 3);
    assert_string_equal(text_of(&c.servers[0]), "192.0.2.53");
    assert_int_equal(hail_addr_port(&c.servers[0]), 53);
    assert_int_equal(hail_addr_port(&c.servers[1]), 5353);
    assert_int_equal(c.servers[2].u.in6.sin6_scope_id, if_nametoindex("lo"));
    assert_int_equal(c.nsearch, 3);
    assert_string_equal(c.search[1], "b.example");
    assert_int_equal(c.ndots, 15);
    assert_int_equal(c.timeout_s, 7);
    assert_int_equal(c.attempts, 4);
    assert_true(c.rotate && c.tcp && c.has_search);
    parse_conf(&c, "");
    assert_int_equal(c.nservers, 0);
    assert_int_equal(c.ndots, 1);
    parse_conf(&c, "search");
    assert_true(c.has_search);
    assert_int_equal(c.nsearch, 0);
}

static void test_conf_bounds(void **state)
{
    (void)state;
    struct hail_resolv_conf c;
    char text[4000] = "search";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), 20, " d%d", i);
    for (int i = 0; i < 20; i++)
        snprintf(text + strlen(text), 40, "\nnameserver 10.0.0.%d", i);
    parse_conf(&c, text);
    assert_int_equal(c.nsearch, HAIL_SEARCH_MAX);
    assert_int_equal(c.nservers, HAIL_SERVERS_MAX);
    memset(text, 'x', 400);
    memcpy(text, "search ", 7);
    memcpy(text + 400, " fits\n", 7);
    parse_conf(&c, text);
    assert_int_equal(c.nsearch, 1);
    assert_string_equal(c.search[0], "fits");
}

static void test_search(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool no_search;
        const char *asked; /* all, with blanks between */
    } rows[] = {
        {"host", false, "host.a.example host.b host"},
        {"host.x", false, "host.x.a.example host.x.b host.x"},
        {"host.x.y", false, "host.x.y host.x.y.a.example host.x.y.b"},
        {"host.", false, "host"},
        {"host", true, "host"},
        {"host.x.", false, "host.x"},
    };
    struct hail_resolv_conf c;
    parse_conf(&c, "search a.example b\noptions ndots:2");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char all[1000] = "", one[HAIL_HOST_MAX + 2];
        for (unsigned k = 0; hail_search_name(&c, rows[i].name, rows[i].no_search, k, one); k++)
            snprintf(all + strlen(all), 300, "%s%s", k ? " " : "", one);
        assert_string_equal(all, rows[i].asked);
    }
    char longest[HAIL_HOST_MAX + 1], one[HAIL_HOST_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    longest[HAIL_HOST_MAX] = '\0';
    assert_int_equal(hail_search_name(&c, longest, false, 0, one), 1); /* alone: no domain fits */
    assert_string_equal(one, longest);
}

static const char hosts_text[] = "127.0.0.1 localhost\n"
                                 "# 192.0.2.1 commented\n"
                                 "192.0.2.1\tweb.example  WWW web # alias\n"
                                 "2001:db8::1 web.example\n"
                                 "  fe80::1%lo local-web \r\n"
                                 "not-an-address bad\n"
                                 "192.0.2.2\n"
                                 "192.0.2.1 web.example again\n"
                                 "192.0.2.3 b\xc3\xbc"
                                 "cher.example\n"
                                 "192.0.2.4 last";

static void write_file(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), n);
    close(fd);
}

static void temp_file(char path[64], const char *text, size_t n)
{
    snprintf(path, 64, "/tmp/hail-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, text, n);
}

static int count_lines(void *arg, const struct hail_hosts_line *line)
{
    (void)line;
    ++*(int *)arg;
    return 0;
}

static void test_hosts_scan(void **state)
{
    (void)state;
    size_t n = sizeof hosts_text - 1;
    /* cut anywhere, what is consumed and the rest make up the whole */
    int whole = 0;
    hail_hosts_scan(hosts_text, n, true, count_lines, &whole);
    assert_int_equal(whole, 8);
    for (size_t cut = 0; cut <= n; cut++) {
        int lines = 0;
        size_t used = hail_hosts_scan(hosts_text, cut, false, count_lines, &lines);
        assert_true(used <= cut);
        hail_hosts_scan(hosts_text + used, n - used, true, count_lines, &lines);
        assert_int_equal(lines, whole);
    }
}

static void test_hosts(void **state)
{
    (void)state;
    char path[64], canonical[HAIL_HOST_MAX + 1] = "";
    struct hail_address v[4];
    temp_file(path, hosts_text, sizeof hosts_text - 1);
    assert_int_equal(hail_hosts_lookup(path, "www", AF_UNSPEC, v, 4, canonical), 1);
    assert_string_equal(canonical, "web.example");
    assert_int_equal(hail_hosts_lookup(path, "Web.Example.", AF_UNSPEC, v, 4, canonical), 2);
    assert_string_equal(text_of(&v[1].addr), "2001:db8::1");
    assert_int_equal(v[0].source, HAIL_SOURCE_HOSTS);
    assert_int_equal(v[0].ttl, -1);
    assert_int_equal(hail_hosts_lookup(path, "web.example", AF_INET6, v, 4, canonical), 1);
    assert_int_equal(hail_hosts_lookup(path, "web.example", AF_UNSPEC, v, 1, canonical), 1);
    assert_int_equal(hail_hosts_lookup(path, "local-web", AF_UNSPEC, v, 4, canonical), 1);
    assert_int_equal(v[0].addr.u.in6.sin6_scope_id, if_nametoindex("lo"));
    assert_int_equal(hail_hosts_lookup(path, "last", AF_UNSPEC, v, 4, canonical), 1);
    static const char *const absent[] = {"commented", "bad", "alias", "#", "we", "192.0.2.2", ""};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(hail_hosts_lookup(path, absent[i], AF_UNSPEC, v, 4, canonical), 0);
    assert_int_equal(hail_hosts_lookup("/nonexistent", "web", AF_UNSPEC, v, 4, canonical), 0);
    unlink(path);
}

/* Lines on both sides of the pieces in which the file is read, and one longer than a piece. */
static void test_hosts_large(void **state)
{
    (void)state;
    size_t size = 3 << 20, n = 0;
    char *text = malloc(size), path[64], canonical[HAIL_HOST_MAX + 1], name[32];
    assert_non_null(text);
    int lines = 0;
    for (; n < 200000; lines++)
        n += (size_t)sprintf(text + n, "10.%d.%d.%d host-%d\n", lines >> 16, lines >> 8 & 255,
                             lines & 255, lines);
    memset(text + n, 'x', 70000);
    memcpy(text + n, "10.9.9.9 ", 9);
    memcpy(text + n + 70000 - 10, " too-long\n", 10);
    n += 70000;
    n += (size_t)sprintf(text + n, "10.9.9.8 behind");
    temp_file(path, text, n);
    struct hail_address v[1];
    for (int i = 0; i < lines; i += 97) {
        snprintf(name, sizeof name, "host-%d", i);
        assert_int_equal(hail_hosts_lookup(path, name, AF_UNSPEC, v, 1, canonical), 1);
        assert_int_equal(ntohl(v[0].addr.u.in4.sin_addr.s_addr), 10u << 24 | (unsigned)i);
    }
    assert_int_equal(hail_hosts_lookup(path, "too-long", AF_UNSPEC, v, 1, canonical), 0);
    assert_int_equal(hail_hosts_lookup(path, "behind", AF_UNSPEC, v, 1, canonical), 1);
    unlink(path);
    free(text);
}

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
        calls = 0;
        fail_at = n;
        int rc = resolve(&ctx, "some.example:80", &opts, &a);
        bool reached = calls >= n;
        fail_at = 0;
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
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_is_stable),
        cmocka_unit_test(test_conf),
        cmocka_unit_test(test_conf_bounds),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_hosts_scan),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_hosts_large),
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
