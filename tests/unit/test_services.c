/* test_services.c - the compiled registry against its data file, and services(5) on top of it. */
#include "net/services.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct wanted {
    const char *name, *description;
    unsigned first, last, protos, found;
};

static int find_row(void *arg, const struct hail_service *s)
{
    struct wanted *w = arg;
    if (strcmp(s->name, w->name) == 0 && strcmp(s->description, w->description) == 0)
        w->found |= s->protos;
    return 0;
}

static unsigned protos_of(const char *words)
{
    unsigned bits = 0;
    bits |= strstr(words, "tcp") ? HAIL_SERVICE_TCP : 0;
    bits |= strstr(words, "udp") ? HAIL_SERVICE_UDP : 0;
    bits |= strstr(words, "sctp") ? HAIL_SERVICE_SCTP : 0;
    bits |= strstr(words, "dccp") ? HAIL_SERVICE_DCCP : 0;
    return bits;
}

/* Every row of data/services.tsv is found by its first and its last port. */
static void test_every_row(void **state)
{
    (void)state;
    FILE *f = fopen("data/services.tsv", "r");
    assert_non_null(f);
    char line[1024];
    size_t rows = 0;
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        char *ports = strsep(&rest, "\t"), *protos = strsep(&rest, "\t");
        char *name = strsep(&rest, "\t");
        struct wanted w = {.name = name, .description = rest, .protos = protos_of(protos)};
        w.first = w.last = (unsigned)strtoul(ports, &ports, 10);
        if (*ports == '-')
            w.last = (unsigned)strtoul(ports + 1, NULL, 10);
        hail_services_by_port((uint16_t)w.first, (uint16_t)w.first, find_row, &w);
        if ((w.found & w.protos) != w.protos)
            fail_msg("port %u: '%s' is not there", w.first, name);
        w.found = 0;
        hail_services_by_port((uint16_t)w.last, (uint16_t)w.last, find_row, &w);
        assert_int_equal(w.found & w.protos, w.protos);
        rows += (size_t)__builtin_popcount(w.protos) * (w.last - w.first + 1);
    }
    fclose(f);
    assert_int_equal(rows, hail_services_count());
    assert_true(rows > 12000);
    assert_true(hail_services_size() < 300 * 1000);
}

static void test_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t port;
    } known[] = {{"ftp", 21},   {"ssh", 22},   {"telnet", 23}, {"smtp", 25}, {"http", 80},
                 {"pop3", 110}, {"nntp", 119}, {"https", 443}, {"x11", 6000}};
    uint16_t port;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(hail_service_port(known[i].name, HAIL_SERVICE_TCP, &port), 0);
        assert_int_equal(port, known[i].port);
        assert_string_equal(hail_service_name(known[i].port, HAIL_SERVICE_TCP), known[i].name);
    }
    assert_int_equal(hail_service_port("HTTP", HAIL_SERVICE_TCP, &port), 0);
    assert_int_equal(hail_service_port("www-http", HAIL_SERVICE_TCP, &port), 0);
    assert_int_equal(port, 80);
    assert_string_equal(hail_service_name(6063, HAIL_SERVICE_TCP), "x11");
    assert_int_equal(hail_service_port("nosuch", HAIL_SERVICE_TCP, &port), -ENOENT);
    assert_int_equal(hail_service_port("", HAIL_SERVICE_TCP, &port), -ENOENT);
    assert_null(hail_service_name(0, HAIL_SERVICE_TCP));
    assert_null(hail_service_name(65535, HAIL_SERVICE_DCCP));
}

static int count(void *arg, const struct hail_service *s)
{
    (void)s;
    ++*(int *)arg;
    return 0;
}

static int stop(void *arg, const struct hail_service *s)
{
    (void)arg;
    (void)s;
    return 7;
}

static void test_search(void **state)
{
    (void)state;
    int n = 0;
    assert_int_equal(hail_services_search("mail", count, &n), 0);
    assert_true(n > 20);
    n = 0;
    assert_int_equal(hail_services_by_name("smtp", count, &n), 0);
    assert_true(n >= 1);
    assert_int_equal(hail_services_by_port(0, 65535, stop, NULL), 7);
    n = 0;
    assert_int_equal(hail_services_search("no such thing anywhere", count, &n), 0);
    assert_int_equal(n, 0);
}

static void test_parse(void **state)
{
    (void)state;
    static const char text[] = "# head\nhttp\t80/tcp\twww web # WWW\n\n bad\nbad 80\nbad 80/ip\n"
                               "bad 65536/tcp\nlast 65535/sctp";
    struct hail_services_local l;
    assert_int_equal(hail_services_parse(&l, text, sizeof text - 1), 0);
    assert_int_equal(l.n, 4);
    assert_string_equal(l.v[0].name, "http");
    assert_string_equal(l.v[0].description, "WWW");
    assert_false(l.v[0].alias);
    assert_string_equal(l.v[2].name, "web");
    assert_true(l.v[2].alias && l.v[2].first == 80);
    assert_string_equal(l.v[3].name, "last");
    assert_int_equal(l.v[3].protos, HAIL_SERVICE_SCTP);
    hail_services_local_free(&l);
    hail_services_local_free(&l);
}

static int first_name(void *arg, const struct hail_service *s)
{
    snprintf(arg, 64, "%s %d %s", s->name, s->alias, s->description);
    return 1;
}

/* The file of this test: another port for a known name, another name for a known port. */
static void test_local_wins(void **state)
{
    (void)state;
    uint16_t port;
    assert_int_equal(hail_service_port("hail-test", HAIL_SERVICE_TCP, &port), 0);
    assert_int_equal(port, 4711);
    assert_int_equal(hail_service_port("gopher", HAIL_SERVICE_TCP, &port), 0);
    assert_int_equal(port, 7070);
    assert_int_equal(hail_service_port("gopher", HAIL_SERVICE_UDP, &port), 0);
    assert_int_equal(port, 70);
    assert_string_equal(hail_service_name(79, HAIL_SERVICE_TCP), "pointer");
    char text[64];
    assert_int_equal(hail_services_by_port(79, 79, first_name, text), 1);
    assert_string_equal(text, "pointer 0 Finger");
    int n = 0;
    hail_services_by_port(4711, 4711, count, &n);
    assert_true(n >= 2); /* the name and the alias */
}

static int use_own_file(void **state)
{
    static char path[] = "/tmp/hail-services-XXXXXX";
    static const char text[] = "hail-test 4711/tcp ht\ngopher 7070/tcp\npointer 79/tcp\n";
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
        return -1;
    close(fd);
    *state = path;
    hail_services_use(path);
    hail_service_name(1, HAIL_SERVICE_TCP); /* reads it */
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),  cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_search),     cmocka_unit_test(test_parse),
        cmocka_unit_test(test_local_wins),
    };
    return cmocka_run_group_tests(tests, use_own_file, NULL);
}
