/* test_dns.c - the reader of DNS messages: names, records, chains of aliases, presentation form.
 *
 * Every message is parsed with its end at an unreadable page, so that one byte too far is fatal.
 * The vectors for SVCB are those of RFC 9460 appendix D.
 */
#include "proto/dns.h"
#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

/* A message under construction. */
struct made {
    uint8_t p[4096];
    size_t n;
};

static void put(struct made *m, const void *data, size_t n)
{
    assert_true(m->n + n <= sizeof m->p);
    memcpy(m->p + m->n, data, n);
    m->n += n;
}

static void put16(struct made *m, unsigned v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    put(m, b, 2);
}

static void put_name(struct made *m, const char *dotted)
{
    while (*dotted) {
        size_t n = strcspn(dotted, ".");
        uint8_t len = (uint8_t)n;
        put(m, &len, 1);
        put(m, dotted, n);
        dotted += n + (dotted[n] == '.');
    }
    put(m, "", 1);
}

static void begin(struct made *m, const char *name, unsigned type)
{
    m->n = 0;
    put(m, "\x12\x34\x81\x80\0\1\0\0\0\0\0\0", 12);
    put_name(m, name);
    put16(m, type);
    put16(m, 1);
}

static void add_to(struct made *m, int section, const char *owner, unsigned type, uint32_t ttl,
                   const void *data, size_t n)
{
    m->p[5 + 2 * section]++;
    put_name(m, owner);
    put16(m, type);
    put16(m, 1);
    put16(m, ttl >> 16);
    put16(m, ttl & 0xFFFF);
    put16(m, (unsigned)n);
    put(m, data, n);
}

static void add(struct made *m, const char *owner, unsigned type, uint32_t ttl, const void *data,
                size_t n)
{
    add_to(m, HAIL_DNS_ANSWER, owner, type, ttl, data, n);
}

static void add_alias(struct made *m, const char *owner, const char *target, uint32_t ttl)
{
    struct made name = {.n = 0};
    put_name(&name, target);
    add(m, owner, HAIL_DNS_CNAME, ttl, name.p, name.n);
}

/* Reads everything there is to read; the last return of hail_dns_next(). */
static int read_all(const uint8_t *p, size_t n)
{
    struct hail_dns_msg m;
    struct hail_dns_rr rr;
    struct hail_buf text;
    struct hail_dns_addresses found;
    int rc = hail_dns_begin(&m, p, n);
    if (rc < 0)
        return rc;
    hail_buf_init(&text, HAIL_DNS_TEXT_MAX);
    while ((rc = hail_dns_next(&m, &rr)) > 0) {
        hail_buf_clear(&text);
        assert_int_equal(hail_dns_data_text(&m, &rr, &text), 0);
        for (size_t i = 0; i < text.len; i++)
            assert_in_range(text.p[i], ' ', '~');
    }
    hail_buf_free(&text);
    hail_dns_addresses(p, n, HAIL_DNS_A, &found);
    assert_true(found.n <= HAIL_DNS_ADDRESSES_MAX);
    hail_dns_addresses(p, n, HAIL_DNS_AAAA, &found);
    return rc;
}

/* A message with a bit of everything. */
static void rich(struct made *m)
{
    static const uint8_t svcb[] = "\0\1\0\0\1\0\3\2h2\0\3\0\2\x20\xfb\0\4\0\4\xc0\0\2\1";
    begin(m, "www.example", HAIL_DNS_A);
    add_alias(m, "www.example", "web.example", 60);
    add(m, "WEB.example", HAIL_DNS_A, 300, "\xc0\0\2\1", 4);
    add(m, "web.example", HAIL_DNS_A, 300, "\xc0\0\2\2", 4);
    add(m, "web.example", HAIL_DNS_TXT, 5, "\5hello\3\"\\\xff", 10);
    add(m, "web.example", HAIL_DNS_HTTPS, 5, svcb, sizeof svcb - 1);
    add(m, "web.example", HAIL_DNS_MX, 5, "\0\x0a\2mx\xc0\x0c", 7);
    add(m, "web.example", HAIL_DNS_CAA, 5, "\x80\5issueca.example", 17);
    add_to(m, HAIL_DNS_AUTHORITY, "example", HAIL_DNS_SOA, 7,
           "\2ns\xc0\x10\1h\xc0\x10\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\x80\0\0\0", 29);
    add_to(m, HAIL_DNS_ADDITIONAL, "x", 999, 8, "\1\2\3", 3);
}

static void test_truncated(void **state)
{
    (void)state;
    struct made m;
    rich(&m);
    assert_int_equal(read_all(guarded(m.p, m.n), m.n), 0);
    for (size_t n = 0; n < m.n; n++) /* each count lies then */
        assert_int_equal(read_all(guarded(m.p, n), n), -EBADMSG);
}

static void test_every_byte_wrong(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF};
    struct made m;
    rich(&m);
    for (size_t i = 0; i < m.n; i++) {
        for (size_t k = 0; k < sizeof values; k++) {
            uint8_t *p = guarded(m.p, m.n);
            p[i] = values[k];
            int rc = read_all(p, m.n);
            assert_true(rc == 0 || rc == -EBADMSG);
        }
    }
}

static int name_at(const void *p, size_t n, size_t at, char out[HAIL_DNS_NAME_MAX])
{
    struct hail_dns_msg m = {.p = guarded(p, n), .n = n};
    size_t i = at;
    int rc = hail_dns_name(&m, &i, NULL);
    i = at;
    assert_int_equal(hail_dns_name(&m, &i, out), rc);
    return rc < 0 ? rc : (int)i;
}

static void test_names(void **state)
{
    (void)state;
    char out[HAIL_DNS_NAME_MAX];
    assert_int_equal(name_at("\3www\2de\0x", 9, 0, out), 8);
    assert_string_equal(out, "www.de.");
    assert_int_equal(name_at("\0", 1, 0, out), 1);
    assert_string_equal(out, ".");
    assert_int_equal(name_at("\2de\0\3www\xc0\0", 10, 4, out), 10);
    assert_string_equal(out, "www.de.");
    assert_int_equal(name_at("\4a.\\\"\4\0\x1b\xff \0", 11, 0, out), 11);
    assert_string_equal(out, "a\\.\\\\\\\".\\000\\027\\255\\032.");
    /* pointers: to itself, forward, in a circle, cut, past the end */
    assert_int_equal(name_at("\xc0\0", 2, 0, out), -EBADMSG);
    assert_int_equal(name_at("\xc0\2\0", 3, 0, out), -EBADMSG);
    assert_int_equal(name_at("\1a\xc0\4\xc0\0", 6, 4, out), -EBADMSG);
    assert_int_equal(name_at("\1a\xc0\0", 4, 0, out), -EBADMSG);
    assert_int_equal(name_at("\0\xc0", 2, 1, out), -EBADMSG);
    assert_int_equal(name_at("\0\xff\xff", 3, 1, out), -EBADMSG);
    /* the label types that RFC 1035 reserves, a label past the end */
    assert_int_equal(name_at("\x40x\0", 3, 0, out), -EBADMSG);
    assert_int_equal(name_at("\x80x\0", 3, 0, out), -EBADMSG);
    assert_int_equal(name_at("\5ab", 3, 0, out), -EBADMSG);
    /* 255 octets are a name, one more is none; the worst of text fits */
    uint8_t longest[300];
    memset(longest, 0xFF, sizeof longest);
    for (size_t i = 0; i < 256; i += 64)
        longest[i] = 63;
    longest[192] = 61;
    longest[254] = 0;
    assert_int_equal(name_at(longest, 255, 0, out), 255);
    assert_int_equal(strlen(out), 4 * 250 + 4);
    longest[192] = 62;
    longest[255] = 0;
    assert_int_equal(name_at(longest, 256, 0, out), -EBADMSG);
}

/* A chain of pointers, each to the one before, is bounded by the message and the name. */
static void test_pointer_chain(void **state)
{
    (void)state;
    uint8_t p[2000] = {0};
    char out[HAIL_DNS_NAME_MAX];
    for (size_t i = 1; i + 1 < sizeof p; i += 2) {
        size_t to = i == 1 ? 0 : i - 2;
        p[i] = (uint8_t)(0xC0 | to >> 8);
        p[i + 1] = (uint8_t)to;
    }
    assert_int_equal(name_at(p, 1999, 1997, out), 1999);
    assert_string_equal(out, ".");
}

static int addresses(const struct made *m, uint16_t type, struct hail_dns_addresses *out)
{
    return hail_dns_addresses(guarded(m->p, m->n), m->n, type, out);
}

static void test_addresses(void **state)
{
    (void)state;
    struct made m;
    struct hail_dns_addresses got;
    rich(&m);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), 0);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.aliases, 1);
    assert_string_equal(got.canonical, "web.example.");
    assert_int_equal(got.v[0].ttl, 60); /* the alias' is smaller */
    assert_memory_equal(got.v[1].ip, "\xc0\0\2\2", 4);
    assert_int_equal(addresses(&m, HAIL_DNS_AAAA, &got), 0);
    assert_int_equal(got.n, 0);

    begin(&m, "a.example", HAIL_DNS_A); /* an address of another name is not taken */
    add(&m, "b.example", HAIL_DNS_A, 1, "\1\2\3\4", 4);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), 0);
    assert_int_equal(got.n, 0);
    add(&m, "a.example", HAIL_DNS_A, 0x80000001, "\1\2\3\4", 4);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), 0);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.v[0].ttl, 0); /* RFC 2181 section 8 */
    add(&m, "a.example", HAIL_DNS_A, 1, "\1\2\3\4\5", 5);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), -EBADMSG);

    begin(&m, "a.example", HAIL_DNS_A); /* another class */
    add(&m, "a.example", HAIL_DNS_A, 1, "\1\2\3\4", 4);
    m.p[m.n - 11] = 3;
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), 0);
    assert_int_equal(got.n, 0);

    begin(&m, "a.example", HAIL_DNS_A); /* more than we take */
    for (int i = 0; i < 40; i++)
        add(&m, "a.example", HAIL_DNS_A, 1, (uint8_t[]){10, 0, 0, (uint8_t)i}, 4);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), 0);
    assert_int_equal(got.n, HAIL_DNS_ADDRESSES_MAX);
}

static void test_chain_of_aliases(void **state)
{
    (void)state;
    struct hail_dns_addresses got;
    for (int length = HAIL_DNS_CHAIN_MAX; length <= HAIL_DNS_CHAIN_MAX + 1; length++) {
        struct made m;
        begin(&m, "n0.x", HAIL_DNS_A);
        for (int i = length; i > 0; i--) { /* in the order that is the hardest to follow */
            char from[16], to[16];
            snprintf(from, sizeof from, "n%d.x", i - 1);
            snprintf(to, sizeof to, "n%d.x", i);
            add_alias(&m, from, to, 9);
        }
        char last[16];
        snprintf(last, sizeof last, "n%d.x", length);
        add(&m, last, HAIL_DNS_A, 10, "\1\2\3\4", 4);
        bool fits = length <= HAIL_DNS_CHAIN_MAX;
        assert_int_equal(addresses(&m, HAIL_DNS_A, &got), fits ? 0 : -ELOOP);
        if (fits)
            assert_int_equal(got.n, 1);
    }
    struct made m;
    begin(&m, "a.x", HAIL_DNS_A);
    add_alias(&m, "a.x", "b.x", 9);
    add_alias(&m, "b.x", "a.x", 9);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), -ELOOP);
    begin(&m, "a.x", HAIL_DNS_A);
    add_alias(&m, "a.x", "a.x", 9);
    assert_int_equal(addresses(&m, HAIL_DNS_A, &got), -ELOOP);
}

#define FOO_COM  "\3foo\7example\3com\0"
#define FOO_ORG  "\3foo\7example\3org\0"
#define BYTES(s) s, sizeof(s) - 1

static const struct {
    unsigned type;
    const char *data;
    size_t n;
    const char *text;
} texts[] = {
    {HAIL_DNS_A, BYTES("\x7f\0\0\1"), "127.0.0.1"},
    {HAIL_DNS_A, BYTES("\x7f\0\0"), "\\# 3 7f0000"},
    {HAIL_DNS_AAAA, BYTES("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1"},
    {HAIL_DNS_NS, BYTES("\2ns\0"), "ns."},
    {HAIL_DNS_NS, BYTES("\2ns\0\0"), "\\# 5 026e730000"},
    {HAIL_DNS_MX, BYTES("\0\0\0"), "0 ."},
    {HAIL_DNS_MX, BYTES("\0"), "\\# 1 00"},
    {HAIL_DNS_SRV, BYTES("\0\1\0\2\x13\xc4\1a\0"), "1 2 5060 a."},
    {HAIL_DNS_TXT, BYTES(""), "\\# 0"},
    {HAIL_DNS_TXT, BYTES("\0"), "\"\""},
    {HAIL_DNS_TXT, BYTES("\3a\"b\1\\"), "\"a\\\"b\" \"\\\\\""},
    {HAIL_DNS_TXT, BYTES("\4a\x1b\n\xff"), "\"a\\027\\010\\255\""},
    {HAIL_DNS_TXT, BYTES("\5abc"), "\\# 4 05616263"},
    {HAIL_DNS_SOA, BYTES("\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\xff\xff\xff\xff"),
     "a. b. 1 2 3 4 4294967295"},
    {HAIL_DNS_SOA, BYTES("\0\0\0\0\0\1"), "\\# 6 000000000001"},
    {HAIL_DNS_CAA, BYTES("\0\5issueca.example;x"), "0 issue \"ca.example;x\""},
    {HAIL_DNS_CAA, BYTES("\0\5issue"), "0 issue \"\""},
    {HAIL_DNS_CAA, BYTES("\0\2\x1b[x"), "\\# 5 00021b5b78"},
    {HAIL_DNS_CAA, BYTES("\0\0"), "\\# 2 0000"},
    {999, BYTES("\1\2"), "\\# 2 0102"},
    /* RFC 9460 appendix D.1 and D.2 */
    {HAIL_DNS_HTTPS, BYTES("\0\0" FOO_COM), "0 foo.example.com."},
    {HAIL_DNS_SVCB, BYTES("\0\1\0"), "1 ."},
    {HAIL_DNS_SVCB, BYTES("\0\x10" FOO_COM "\0\3\0\2\0\x35"), "16 foo.example.com. port=53"},
    {HAIL_DNS_SVCB, BYTES("\0\1" FOO_COM "\2\x9b\0\5hello"), "1 foo.example.com. key667=\"hello\""},
    {HAIL_DNS_SVCB, BYTES("\0\1" FOO_COM "\2\x9b\0\x9hello\xd2qoo"),
     "1 foo.example.com. key667=\"hello\\210qoo\""},
    {HAIL_DNS_SVCB,
     BYTES("\0\1" FOO_COM "\0\6\0\x20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
           "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\x53\0\1"),
     "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {HAIL_DNS_SVCB,
     BYTES("\0\x10" FOO_ORG "\0\0\0\4\0\1\0\4\0\1\0\x9\2h2\5h3-19\0\4\0\4\xc0\0\2\1"),
     "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {HAIL_DNS_SVCB,
     BYTES("\0\x10" FOO_ORG "\0\1\0\x0c\x08"
           "f\\oo,bar\2h2"),
     "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\2\0\0\0\5\0\4\1\2\3\4\0\7\0\2/q"),
     "1 . no-default-alpn ech=AQIDBA== dohpath=\"/q\""},
    /* malformed: keys not ascending, a value cut, an empty alpn, a flag with a value */
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\3\0\2\0\1\0\3\0\2\0\2"),
     "\\# 15 000100000300020001000300020002"},
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\3\0\5\0\1"), "\\# 9 000100000300050001"},
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\1\0\0"), "\\# 7 00010000010000"},
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\2\0\1x"), "\\# 8 0001000002000178"},
    {HAIL_DNS_SVCB, BYTES("\0\1\0\0\4\0\3\1\2\3"), "\\# 10 00010000040003010203"},
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct made m;
        struct hail_dns_msg msg;
        struct hail_dns_rr rr;
        struct hail_buf b;
        begin(&m, "a.x", texts[i].type);
        add(&m, "a.x", texts[i].type, 1, texts[i].data, texts[i].n);
        assert_int_equal(hail_dns_begin(&msg, guarded(m.p, m.n), m.n), 0);
        assert_int_equal(hail_dns_next(&msg, &rr), 1);
        hail_buf_init(&b, HAIL_DNS_TEXT_MAX);
        assert_int_equal(hail_dns_data_text(&msg, &rr, &b), 0);
        assert_string_equal(b.p, texts[i].text);
        assert_int_equal(hail_dns_next(&msg, &rr), 0);
        hail_buf_free(&b);
        hail_buf_init(&b, 1); /* no room: the buffer's error, not a part of the text */
        assert_int_equal(hail_dns_data_text(&msg, &rr, &b), -EMSGSIZE);
        hail_buf_free(&b);
    }
}

static void test_types(void **state)
{
    (void)state;
    char scratch[16];
    assert_int_equal(hail_dns_type_of("aaaa"), HAIL_DNS_AAAA);
    assert_int_equal(hail_dns_type_of("TYPE64"), HAIL_DNS_SVCB);
    assert_int_equal(hail_dns_type_of("type65535"), 65535);
    assert_int_equal(hail_dns_type_of("TYPE65536"), -1);
    assert_int_equal(hail_dns_type_of("TYPE"), -1);
    assert_int_equal(hail_dns_type_of("TYPE-1"), -1);
    assert_int_equal(hail_dns_type_of("TYPE1x"), -1);
    assert_int_equal(hail_dns_type_of(""), -1);
    assert_int_equal(hail_dns_type_of("AX"), -1);
    assert_string_equal(hail_dns_type_name(HAIL_DNS_CAA, scratch), "CAA");
    assert_string_equal(hail_dns_type_name(99, scratch), "TYPE99");
    assert_string_equal(hail_dns_rcode_name(3, scratch), "NXDOMAIN");
    assert_string_equal(hail_dns_rcode_name(11, scratch), "RCODE 11");
}

static void test_not_a_response(void **state)
{
    (void)state;
    struct made m;
    struct hail_dns_msg msg;
    rich(&m);
    m.p[2] &= 0x7F;
    assert_int_equal(hail_dns_begin(&msg, m.p, m.n), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated),      cmocka_unit_test(test_every_byte_wrong),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_pointer_chain),
        cmocka_unit_test(test_addresses),      cmocka_unit_test(test_chain_of_aliases),
        cmocka_unit_test(test_text),           cmocka_unit_test(test_types),
        cmocka_unit_test(test_not_a_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
