/* hello_dns.c - DNS: one question (RFC 1035), over UDP or behind its length over a stream (section
 * 4.2.2, RFC 7858); proto/hello.h.
 *
 * Without a question of the caller's it is the name servers of the root, without recursion: then
 * any answer, but that the server itself failed, shows that it is there.
 */
#include "proto/hello.h"

#include "proto/dns.h"
#include "proto/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define QUESTION 300 /* bytes: header, a name of 255, type and class */

/* The caller's question. Its length, or 0: the name is none. */
static size_t build(const struct hail_hello *h, uint8_t out[QUESTION])
{
    const char *p = h->opts->query;
    uint16_t type = h->opts->query_type ? h->opts->query_type : HAIL_DNS_A;
    static const uint8_t header[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0}; /* recursion desired */
    size_t at = 12;
    memcpy(out, h->opts->nonce, 2);
    memcpy(out + 2, header, sizeof header);
    while (*p && strcmp(p, ".") != 0) {
        size_t n = strcspn(p, ".");
        if (n == 0 || n > 63 || at + n + 1 > 12 + 254)
            return 0;
        out[at++] = (uint8_t)n;
        memcpy(out + at, p, n);
        at += n;
        p += n + (p[n] == '.');
    }
    const uint8_t end[] = {0, (uint8_t)(type >> 8), (uint8_t)type, 0, 1};
    memcpy(out + at, end, sizeof end);
    return at + sizeof end;
}

static int begin(struct hail_hello *h)
{
    uint8_t question[QUESTION];
    size_t n = h->opts->query ? build(h, question)
                              : hail_probe_build(HAIL_PROBE_DNS, h->opts->nonce, question);
    if (n == 0)
        return hail_hello_fail(h, -EPROTO, "the name to ask for is none");
    const uint8_t length[] = {(uint8_t)(n >> 8), (uint8_t)n};
    if (!h->opts->datagram && hail_hello_send(h, length, sizeof length) < 0)
        return -ENOMEM;
    return hail_hello_send(h, question, n);
}

/* Whether it answers the question that was asked. */
static bool is_answer(const struct hail_hello *h, struct hail_dns_msg *m)
{
    char name[HAIL_DNS_NAME_MAX];
    uint16_t type, mine = h->opts->query_type ? h->opts->query_type : HAIL_DNS_A;
    const char *wanted = h->opts->query ? h->opts->query : ".";
    int asked = hail_dns_question(m, name, &type);
    if (asked == 0) /* one that could not read it need not repeat it */
        return m->rcode != HAIL_DNS_NOERROR;
    size_t n = strlen(wanted), got = strlen(name);
    if (got > 1 && (n == 0 || wanted[n - 1] != '.'))
        got--; /* the final dot */
    return asked > 0 && type == (h->opts->query ? mine : HAIL_DNS_NS) && got == n &&
           strncasecmp(name, wanted, n) == 0;
}

static size_t note_answers(struct hail_hello *h, struct hail_dns_msg *m)
{
    struct hail_dns_rr rr;
    struct hail_buf text;
    size_t n = 0;
    hail_buf_init(&text, HAIL_DNS_TEXT_MAX);
    while (hail_dns_next(m, &rr) == 1 && rr.section == HAIL_DNS_ANSWER) {
        hail_buf_clear(&text);
        n++;
        if (hail_dns_data_text(m, &rr, &text) == 0 && text.len)
            hail_hello_item(h, "answer", text.p, text.len);
    }
    hail_buf_free(&text);
    return n;
}

static int message(struct hail_hello *h, const char *p, size_t n)
{
    struct hail_dns_msg m;
    char scratch[16];
    if (hail_dns_begin(&m, p, n) < 0)
        return h->opts->datagram ? HAIL_HELLO_MORE : hail_hello_strange(h, p, n);
    if (memcmp(p, h->opts->nonce, 2) != 0 || !is_answer(h, &m))
        return HAIL_HELLO_MORE; /* stray, or forged */
    const char *status = hail_dns_rcode_name(m.rcode, scratch);
    h->greeted = true;
    hail_hello_note(h, "status", status, strlen(status));
    size_t answers = note_answers(h, &m);
    if (m.rcode == HAIL_DNS_RCODE_SERVFAIL || (h->opts->query && m.rcode != HAIL_DNS_NOERROR))
        return hail_hello_fail(h, -ECONNREFUSED, "the service answers %s", status);
    if (h->opts->query && answers == 0)
        return hail_hello_fail(h, -ECONNREFUSED, "the name has nothing of that type");
    h->spoke = true;
    return HAIL_HELLO_DONE;
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    if (h->opts->datagram) {
        *used = n;
        return message(h, p, n);
    }
    if (n < 2)
        return HAIL_HELLO_MORE;
    size_t length = (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
    if (n < 2 + length) {
        enum hail_hello_kind kind;
        char looks[HAIL_HELLO_LOOKS];
        return *hail_hello_looks(p, n, &kind, looks) && kind != h->kind
                   ? hail_hello_strange(h, p, n)
                   : HAIL_HELLO_MORE;
    }
    *used = 2 + length;
    return message(h, p + 2, length);
}

const struct hail_hello_ops hail_hello_dns = {
    .name = "dns", .title = "DNS", .begin = begin, .take = take};
