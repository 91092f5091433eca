/* test_resolve_files.c - hosts(5) and resolv.conf(5): what they say, their bounds, and files cut
 * anywhere. */
#include "addresses.h"
#include "net/resolve.h"
#include "support.h"

static void parse_conf(struct hail_resolv_conf *c, const char *text)
{
    size_t n = strlen(text);
    hail_resolv_conf_init(c);
    hail_resolv_conf_parse(c, guarded(text, n), n);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conf),   cmocka_unit_test(test_conf_bounds),
        cmocka_unit_test(test_search), cmocka_unit_test(test_hosts_scan),
        cmocka_unit_test(test_hosts),  cmocka_unit_test(test_hosts_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
