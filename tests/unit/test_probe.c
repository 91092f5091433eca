/* test_probe.c - the questions for UDP services, byte for byte, and what counts as an answer.
 *
 * Every answer is checked whole, cut short at each byte (at an unreadable page) and with each byte
 * changed in turn.
 */
#include "proto/probe.h"
#include "support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t nonce[HAIL_PROBE_NONCE] = "nnnnnnnnnnn\x6E";

#define BYTES(s) (s), sizeof(s) - 1

static int check(enum hail_probe kind, const void *p, size_t n, char *words)
{
    memset(words, 0, HAIL_PROBE_WORDS);
    return hail_probe_check(kind, nonce, guarded(p, n), n, words);
}

static void test_ports(void **state)
{
    (void)state;
    assert_int_equal(hail_probe_for(53), HAIL_PROBE_DNS);
    assert_int_equal(hail_probe_for(123), HAIL_PROBE_NTP);
    assert_int_equal(hail_probe_for(161), HAIL_PROBE_SNMP);
    assert_int_equal(hail_probe_for(3478), HAIL_PROBE_STUN);
    for (unsigned port = 0; port < 65536; port++) /* nothing is sent to any other */
        if (port != 53 && port != 123 && port != 161 && port != 3478)
            assert_int_equal(hail_probe_for((uint16_t)port), HAIL_PROBE_NONE);
    assert_string_equal(hail_probe_name(HAIL_PROBE_STUN), "STUN");
    uint8_t out[HAIL_PROBE_MAX];
    char words[HAIL_PROBE_WORDS];
    assert_int_equal(hail_probe_build(HAIL_PROBE_NONE, nonce, out), 0);
    assert_int_equal(check(HAIL_PROBE_NONE, "x", 1, words), -EBADMSG);
}

static void asks(enum hail_probe kind, const void *want, size_t n)
{
    uint8_t out[HAIL_PROBE_MAX];
    assert_int_equal(hail_probe_build(kind, nonce, out), n);
    assert_memory_equal(out, want, n);
}

static void test_questions(void **state)
{
    (void)state;
    asks(HAIL_PROBE_DNS, BYTES("nn\0\0\0\1\0\0\0\0\0\0\0\0\2\0\1"));
    uint8_t ntp[48] = {0x23};
    memset(ntp + 40, 'n', 8);
    asks(HAIL_PROBE_NTP, ntp, sizeof ntp);
    asks(HAIL_PROBE_STUN, BYTES("\0\1\0\0\x21\x12\xA4\x42nnnnnnnnnnnn"));
    asks(HAIL_PROBE_SNMP,
         BYTES("\x30\x3E\2\1\3\x30\x11\2\4nnnn\2\3\0\xFF\xE3\4\1\4\2\1\3\4\x10\x30\x0E\4\0\2\1\0"
               "\2\1\0\4\0\4\0\4\0\x30\x14\4\0\4\0\xA0\x0E\2\4\x40\0\0\1\2\1\0\2\1\0\x30\0"));
    /* an id is a positive INTEGER in its shortest form, whatever the nonce */
    for (int first = 0; first < 256; first++) {
        uint8_t other[HAIL_PROBE_NONCE] = {(uint8_t)first}, out[HAIL_PROBE_MAX];
        assert_int_equal(hail_probe_build(HAIL_PROBE_SNMP, other, out), 64);
        assert_in_range(out[9], 0x40, 0x7F);
    }
}

/* Only DNS and NTP answers may be followed by something that is not looked at; whatever is changed,
 * the words stay printable. */
static void answers(enum hail_probe kind, const void *p, size_t n, const char *want)
{
    char words[HAIL_PROBE_WORDS];
    uint8_t changed[512];
    assert_int_equal(check(kind, p, n, words), 0);
    assert_string_equal(words, want);
    for (size_t cut = 0; cut < n; cut++)
        if (check(kind, p, cut, words) == 0)
            assert_true(kind == HAIL_PROBE_DNS || kind == HAIL_PROBE_NTP);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, p, n);
            changed[i] ^= (uint8_t)(1 << bit);
            if (check(kind, changed, n, words) == 0)
                for (const char *c = words; *c; c++)
                    assert_in_range(*c, ' ', '~');
        }
}

static void refuses(enum hail_probe kind, const void *p, size_t n)
{
    char words[HAIL_PROBE_WORDS];
    assert_int_equal(check(kind, p, n, words), -EBADMSG);
}

static void test_dns(void **state)
{
    (void)state;
    answers(HAIL_PROBE_DNS,
            BYTES("nn\x84\0\0\1\0\1\0\0\0\0\0\0\2\0\1\0\0\2\0\1\0\0\0\x3C\0\3\1a\0"),
            "NOERROR, 1 in answer, 0 in authority");
    answers(HAIL_PROBE_DNS, BYTES("nn\x80\5\0\1\0\0\0\0\0\0\0\0\2\0\1"),
            "REFUSED, 0 in answer, 0 in authority");
    /* FORMERR without the question */
    answers(HAIL_PROBE_DNS, BYTES("nn\x80\1\0\0\0\0\0\0\0\0"),
            "FORMERR, 0 in answer, 0 in authority");
    refuses(HAIL_PROBE_DNS, BYTES("nn\x80\0\0\0\0\0\0\0\0\0"));              /* no question */
    refuses(HAIL_PROBE_DNS, BYTES("no\x80\5\0\1\0\0\0\0\0\0\0\0\2\0\1"));    /* another id */
    refuses(HAIL_PROBE_DNS, BYTES("nn\0\0\0\1\0\0\0\0\0\0\0\0\2\0\1"));      /* a query */
    refuses(HAIL_PROBE_DNS, BYTES("nn\x80\0\0\1\0\0\0\0\0\0\0\0\1\0\1"));    /* another type */
    refuses(HAIL_PROBE_DNS, BYTES("nn\x80\0\0\1\0\0\0\0\0\0\1a\0\0\2\0\1")); /* another name */
}

static void test_ntp(void **state)
{
    (void)state;
    uint8_t p[48] = {0x24, 2};
    memset(p + 24, 'n', 8);
    answers(HAIL_PROBE_NTP, p, sizeof p, "stratum 2");
    p[0] = 0xE4;
    answers(HAIL_PROBE_NTP, p, sizeof p, "not synchronized");
    p[0] = 0x24;
    p[1] = 16;
    answers(HAIL_PROBE_NTP, p, sizeof p, "not synchronized");
    p[1] = 0;
    memcpy(p + 12,
           "RA\x1B"
           "E",
           4);
    answers(HAIL_PROBE_NTP, p, sizeof p, "kiss-o'-death RA.E");
    p[24] = 0;
    refuses(HAIL_PROBE_NTP, p, sizeof p); /* the answer to another question */
    p[24] = 'n';
    p[0] = 0x23;
    refuses(HAIL_PROBE_NTP, p, sizeof p); /* a client */
    refuses(HAIL_PROBE_NTP, p, 47);
}

#define SNMP_HEAD "\2\1\3\x30\x11\2\4nnnn\2\3\0\xFF\xE3\4\1\0\2\1\3"

static void test_snmp(void **state)
{
    (void)state;
    answers(HAIL_PROBE_SNMP,
            BYTES("\x30\x41" SNMP_HEAD "\4\x15\x30\x13\4\5\x80\0\x1F\x88\x80\2\1\1\2\1\1\4\0\4\0"
                  "\4\0\x30\x12\4\0\4\0\xA8\x0C\2\2\0\1\2\1\0\2\1\0\x30\0"),
            "engine 80001f8880");
    /* lengths in the long form, an engine without a name, a response in place of a report */
    answers(HAIL_PROBE_SNMP,
            BYTES("\x30\x82\0\x39" SNMP_HEAD "\4\x81\x0C\x30\x0A\4\0\2\1\1\2\1\1\4\0\x30\x12\4\0\4"
                  "\0\xA2\x0C\2\2\0\1\2\1\0\2\1\0\x30\0"),
            "engine without a name");
    refuses(HAIL_PROBE_SNMP, BYTES("\x30\x80\2\1\3"));         /* no length */
    refuses(HAIL_PROBE_SNMP, BYTES("\x30\x84\0\0\0\5\2\1\3")); /* one that no datagram has */
    uint8_t own[HAIL_PROBE_MAX];
    refuses(HAIL_PROBE_SNMP, own, hail_probe_build(HAIL_PROBE_SNMP, nonce, own)); /* an echo */
}

#define STUN_ID "\x21\x12\xA4\x42nnnnnnnnnnnn"

static void test_stun(void **state)
{
    (void)state;
    answers(HAIL_PROBE_STUN,
            BYTES("\1\1\0\x14" STUN_ID "\x80\x22\0\3abc\0\0\x20\0\x08\0\1\x31\x12\x5E\x12\xA4\x43"),
            "seen as 127.0.0.1:4096");
    answers(HAIL_PROBE_STUN,
            BYTES("\1\1\0\x18" STUN_ID "\0\x20\0\x14\0\2\x31\x12\x21\x12\xA4\x42nnnnnnnnnnno"),
            "seen as [::1]:4096");
    answers(HAIL_PROBE_STUN, BYTES("\1\1\0\0" STUN_ID), "binding");
    answers(HAIL_PROBE_STUN, BYTES("\1\x11\0\x08" STUN_ID "\0\x09\0\4\0\0\4\x01"), "error 401");
    refuses(HAIL_PROBE_STUN, BYTES("\1\1\0\4" STUN_ID));                /* shorter than it says */
    refuses(HAIL_PROBE_STUN, BYTES("\1\1\0\4" STUN_ID "\0\x20\0\x08")); /* an attribute, too */
    refuses(HAIL_PROBE_STUN, BYTES("\0\1\0\0" STUN_ID));                /* a question */
    refuses(HAIL_PROBE_STUN, BYTES("\1\1\0\0\x21\x12\xA4\x42nnnnnnnnnnno"));
    refuses(HAIL_PROBE_STUN, BYTES("\1\1\0\0\x21\x12\xA4\x43nnnnnnnnnnnn"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports), cmocka_unit_test(test_questions), cmocka_unit_test(test_dns),
        cmocka_unit_test(test_ntp),   cmocka_unit_test(test_snmp),      cmocka_unit_test(test_stun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
