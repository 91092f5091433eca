/* probe.c - the questions and answers of DNS, NTP, SNMP and STUN; probe.h. */
#include "proto/probe.h"

#include "proto/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NTP_BYTES    48
#define NTP_ORIGIN   24 /* the server repeats our transmit time here */
#define NTP_TRANSMIT 40
#define STUN_HEADER  20

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

enum hail_probe hail_probe_for(uint16_t port)
{
    switch (port) {
    case 53:
        return HAIL_PROBE_DNS;
    case 123:
        return HAIL_PROBE_NTP;
    case 161:
        return HAIL_PROBE_SNMP;
    case 3478:
        return HAIL_PROBE_STUN;
    default:
        return HAIL_PROBE_NONE;
    }
}

const char *hail_probe_name(enum hail_probe kind)
{
    static const char *const names[] = {"", "DNS", "NTP", "SNMP", "STUN"};
    return names[kind];
}

/* --- the questions --- */

/* After the id: a query with one question, the root's NS in IN. */
static const uint8_t dns_question[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};

/* Before the transaction: a binding request without attributes, and the magic cookie. */
static const uint8_t stun_question[] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};

/* RFC 3412 section 6 and RFC 3414 section 2.4: version 3, reportable, no name, no engine known. */
static const uint8_t snmp_question[] = {
    0x30, 0x3E,                                     /* SNMPv3Message */
    0x02, 0x01, 0x03,                               /* msgVersion 3 */
    0x30, 0x11,                                     /* msgGlobalData */
    0x02, 0x04, 0,    0,    0,    0,                /* msgID: the nonce */
    0x02, 0x03, 0x00, 0xFF, 0xE3,                   /* msgMaxSize 65,507 */
    0x04, 0x01, 0x04,                               /* msgFlags: reportable */
    0x02, 0x01, 0x03,                               /* msgSecurityModel: USM */
    0x04, 0x10, 0x30, 0x0E,                         /* msgSecurityParameters */
    0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, /* no engine, boots 0, time 0 */
    0x04, 0x00, 0x04, 0x00, 0x04, 0x00,             /* no user, nothing signed or encrypted */
    0x30, 0x14, 0x04, 0x00, 0x04, 0x00,             /* ScopedPDU: no context */
    0xA0, 0x0E,                                     /* GetRequest */
    0x02, 0x04, 0x40, 0,    0,    1,                /* request-id */
    0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00, /* no error, no variables */
};
#define SNMP_ID 9 /* of msgID's four octets */

/* A positive INTEGER of four octets in its shortest form, from the nonce. */
static uint8_t snmp_first(const uint8_t *nonce)
{
    return (nonce[0] & 0x3F) | 0x40;
}

size_t hail_probe_build(enum hail_probe kind, const uint8_t nonce[HAIL_PROBE_NONCE],
                        uint8_t out[HAIL_PROBE_MAX])
{
    switch (kind) {
    case HAIL_PROBE_DNS:
        memcpy(out, nonce, 2);
        memcpy(out + 2, dns_question, sizeof dns_question);
        return 2 + sizeof dns_question;
    case HAIL_PROBE_NTP: /* version 4, mode 3: client */
        memset(out, 0, NTP_BYTES);
        out[0] = 4 << 3 | 3;
        memcpy(out + NTP_TRANSMIT, nonce, 8);
        return NTP_BYTES;
    case HAIL_PROBE_SNMP:
        memcpy(out, snmp_question, sizeof snmp_question);
        memcpy(out + SNMP_ID, nonce, 4);
        out[SNMP_ID] = snmp_first(nonce);
        return sizeof snmp_question;
    case HAIL_PROBE_STUN:
        memcpy(out, stun_question, sizeof stun_question);
        memcpy(out + sizeof stun_question, nonce, 12);
        return STUN_HEADER;
    default:
        return 0;
    }
}

/* --- the answers --- */

static int check_dns(const uint8_t *nonce, const uint8_t *p, size_t n, char *words)
{
    struct hail_dns_msg m;
    char name[HAIL_DNS_NAME_MAX], scratch[16];
    uint16_t type;
    if (hail_dns_begin(&m, p, n) < 0 || memcmp(p, nonce, 2) != 0)
        return -EBADMSG;
    unsigned answers = m.left[1], authority = m.left[2];
    int asked = hail_dns_question(&m, name, &type);
    /* a server that could not read the question need not repeat it: RFC 1035 section 4.1.1 */
    if (asked < 0 || (asked > 0 && (strcmp(name, ".") != 0 || type != HAIL_DNS_NS)) ||
        (asked == 0 && m.rcode == HAIL_DNS_NOERROR))
        return -EBADMSG;
    snprintf(words, HAIL_PROBE_WORDS, "%s, %u in answer, %u in authority",
             hail_dns_rcode_name(m.rcode, scratch), answers, authority);
    return 0;
}

static int check_ntp(const uint8_t *nonce, const uint8_t *p, size_t n, char *words)
{
    if (n < NTP_BYTES || (p[0] & 7) != 4 || memcmp(p + NTP_ORIGIN, nonce, 8) != 0)
        return -EBADMSG;
    unsigned stratum = p[1];
    if (stratum == 0) { /* a kiss-o'-death, RFC 5905 section 7.4: four letters */
        char code[5] = {0};
        for (int i = 0; i < 4; i++)
            code[i] = (char)(p[12 + i] >= 'A' && p[12 + i] <= 'Z' ? p[12 + i] : '.');
        snprintf(words, HAIL_PROBE_WORDS, "kiss-o'-death %s", code);
    } else if (p[0] >> 6 == 3 || stratum >= 16) {
        snprintf(words, HAIL_PROBE_WORDS, "not synchronized");
    } else {
        snprintf(words, HAIL_PROBE_WORDS, "stratum %u", stratum);
    }
    return 0;
}

/* What is left to read of BER, X.690 section 8. */
struct ber {
    const uint8_t *p;
    size_t n;
};

/* Takes the next element, whose content becomes *in. Its tag, or -1. */
static int ber_next(struct ber *b, struct ber *in)
{
    if (b->n < 2)
        return -1;
    size_t head = 2, len = b->p[1];
    if (len & 0x80) { /* the long form, of up to two octets: a datagram is no longer */
        size_t octets = len & 0x7F;
        if (octets < 1 || octets > 2 || b->n < 2 + octets)
            return -1;
        len = octets == 1 ? b->p[2] : get16(b->p + 2);
        head += octets;
    }
    if (b->n - head < len)
        return -1;
    int tag = b->p[0];
    *in = (struct ber){b->p + head, len};
    b->p += head + len;
    b->n -= head + len;
    return tag;
}

static int check_snmp(const uint8_t *nonce, const uint8_t *p, size_t n, char *words)
{
    struct ber all = {p, n}, message, in, header, security, pdu;
    if (ber_next(&all, &message) != 0x30 || ber_next(&message, &in) != 0x02 || in.n != 1 ||
        in.p[0] != 3 || ber_next(&message, &header) != 0x30)
        return -EBADMSG;
    if (ber_next(&header, &in) != 0x02 || in.n != 4 || in.p[0] != snmp_first(nonce) ||
        memcmp(in.p + 1, nonce + 1, 3) != 0)
        return -EBADMSG;
    if (ber_next(&message, &in) != 0x04 || ber_next(&in, &security) != 0x30 ||
        ber_next(&security, &in) != 0x04)
        return -EBADMSG;
    struct ber engine = in;
    int tag = -1;
    if (ber_next(&message, &pdu) != 0x30 || ber_next(&pdu, &in) != 0x04 ||
        ber_next(&pdu, &in) != 0x04 || ((tag = ber_next(&pdu, &in)) != 0xA8 && tag != 0xA2))
        return -EBADMSG;
    int at = snprintf(words, HAIL_PROBE_WORDS, "engine %s", engine.n ? "" : "without a name");
    for (size_t i = 0; i < engine.n && i < 32; i++) /* SnmpEngineID: 5 to 32 octets */
        at += snprintf(words + at, HAIL_PROBE_WORDS - (size_t)at, "%02x", engine.p[i]);
    return 0;
}

/* An attribute's value in words, when it is one that tells something. */
static bool stun_words(unsigned type, const uint8_t *v, size_t n, const uint8_t *message,
                       char *words)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t ip[16];
    if (type == 0x0009 && n >= 4 && (v[2] & 7) >= 3 && (v[2] & 7) <= 6 && v[3] < 100) {
        snprintf(words, HAIL_PROBE_WORDS, "error %u", (v[2] & 7) * 100U + v[3]);
        return true;
    }
    bool v6 = n == 20 && v[1] == 2;
    if (type != 0x0020 || !((n == 8 && v[1] == 1) || v6)) /* XOR-MAPPED-ADDRESS */
        return false;
    for (size_t i = 0; i < n - 4; i++) /* by the cookie, then the transaction */
        ip[i] = v[4 + i] ^ message[4 + i];
    inet_ntop(v6 ? AF_INET6 : AF_INET, ip, text, sizeof text);
    snprintf(words, HAIL_PROBE_WORDS, v6 ? "seen as [%s]:%u" : "seen as %s:%u", text,
             get16(v + 2) ^ get16(message + 4));
    return true;
}

static int check_stun(const uint8_t *nonce, const uint8_t *p, size_t n, char *words)
{
    if (n < STUN_HEADER || (n & 3) || get16(p + 2) != n - STUN_HEADER ||
        (get16(p) != 0x0101 && get16(p) != 0x0111) || memcmp(p + 4, stun_question + 4, 4) != 0 ||
        memcmp(p + 8, nonce, 12) != 0)
        return -EBADMSG;
    snprintf(words, HAIL_PROBE_WORDS, get16(p) == 0x0101 ? "binding" : "error");
    for (size_t at = STUN_HEADER; n - at >= 4;) {
        size_t len = get16(p + at + 2), padded = (len + 3) & ~(size_t)3;
        if (n - at - 4 < padded)
            return -EBADMSG;
        if (stun_words(get16(p + at), p + at + 4, len, p, words))
            break;
        at += 4 + padded;
    }
    return 0;
}

int hail_probe_check(enum hail_probe kind, const uint8_t nonce[HAIL_PROBE_NONCE], const void *p,
                     size_t n, char words[HAIL_PROBE_WORDS])
{
    switch (kind) {
    case HAIL_PROBE_DNS:
        return check_dns(nonce, p, n, words);
    case HAIL_PROBE_NTP:
        return check_ntp(nonce, p, n, words);
    case HAIL_PROBE_SNMP:
        return check_snmp(nonce, p, n, words);
    case HAIL_PROBE_STUN:
        return check_stun(nonce, p, n, words);
    default:
        return -EBADMSG;
    }
}
