/* hello.c - which protocol, what came and was not taken yet, and the facts; proto/hello.h. */
#include "proto/hello.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- protocols --- */

static const struct hail_hello_ops none = {.name = "tcp", .title = "TCP"};

static const struct hail_hello_ops *const protocols[HAIL_HELLO_KINDS] = {
    [HAIL_HELLO_NONE] = &none,
    [HAIL_HELLO_FTP] = &hail_hello_ftp,
    [HAIL_HELLO_SSH] = &hail_hello_ssh,
    [HAIL_HELLO_TELNET] = &hail_hello_telnet,
    [HAIL_HELLO_SMTP] = &hail_hello_smtp,
    [HAIL_HELLO_LMTP] = &hail_hello_lmtp,
    [HAIL_HELLO_HTTP] = &hail_hello_http,
    [HAIL_HELLO_POP3] = &hail_hello_pop3,
    [HAIL_HELLO_IMAP] = &hail_hello_imap,
    [HAIL_HELLO_NNTP] = &hail_hello_nntp,
    [HAIL_HELLO_DNS] = &hail_hello_dns,
    [HAIL_HELLO_NTP] = &hail_hello_ntp,
    [HAIL_HELLO_POSTGRES] = &hail_hello_postgres,
    [HAIL_HELLO_MYSQL] = &hail_hello_mysql,
    [HAIL_HELLO_REDIS] = &hail_hello_redis,
    [HAIL_HELLO_MEMCACHED] = &hail_hello_memcached,
    [HAIL_HELLO_MQTT] = &hail_hello_mqtt,
    [HAIL_HELLO_SCRIPT] = &hail_hello_script,
};

/* Names and ports of IANA's registry, and what people say. The first of a protocol, with TLS and
 * without, has its port. */
static const struct {
    const char *name;
    enum hail_hello_kind kind;
    uint16_t port;
    bool tls;
} names[] = {
    {"tcp", HAIL_HELLO_NONE, 0, false},
    {"tls", HAIL_HELLO_NONE, 0, true},
    {"ftp", HAIL_HELLO_FTP, 21, false},
    {"ftps", HAIL_HELLO_FTP, 990, true},
    {"ssh", HAIL_HELLO_SSH, 22, false},
    {"telnet", HAIL_HELLO_TELNET, 23, false},
    {"telnets", HAIL_HELLO_TELNET, 992, true},
    {"smtp", HAIL_HELLO_SMTP, 25, false},
    {"submission", HAIL_HELLO_SMTP, 587, false},
    {"smtps", HAIL_HELLO_SMTP, 465, true},
    {"submissions", HAIL_HELLO_SMTP, 465, true},
    {"lmtp", HAIL_HELLO_LMTP, 24, false},
    {"lmtps", HAIL_HELLO_LMTP, 24, true},
    {"http", HAIL_HELLO_HTTP, 80, false},
    {"http-alt", HAIL_HELLO_HTTP, 8080, false},
    {"https", HAIL_HELLO_HTTP, 443, true},
    {"https-alt", HAIL_HELLO_HTTP, 8443, true},
    {"pop3", HAIL_HELLO_POP3, 110, false},
    {"pop3s", HAIL_HELLO_POP3, 995, true},
    {"imap", HAIL_HELLO_IMAP, 143, false},
    {"imaps", HAIL_HELLO_IMAP, 993, true},
    {"nntp", HAIL_HELLO_NNTP, 119, false},
    {"nntps", HAIL_HELLO_NNTP, 563, true},
    {"dns", HAIL_HELLO_DNS, 53, false},
    {"domain", HAIL_HELLO_DNS, 53, false},
    {"domain-s", HAIL_HELLO_DNS, 853, true},
    {"ntp", HAIL_HELLO_NTP, 123, false},
    {"postgres", HAIL_HELLO_POSTGRES, 5432, false},
    {"postgresql", HAIL_HELLO_POSTGRES, 5432, false},
    {"mysql", HAIL_HELLO_MYSQL, 3306, false},
    {"mariadb", HAIL_HELLO_MYSQL, 3306, false},
    {"redis", HAIL_HELLO_REDIS, 6379, false},
    {"rediss", HAIL_HELLO_REDIS, 6379, true},
    {"memcached", HAIL_HELLO_MEMCACHED, 11211, false},
    {"memcache", HAIL_HELLO_MEMCACHED, 11211, false},
    {"mqtt", HAIL_HELLO_MQTT, 1883, false},
    {"mqtts", HAIL_HELLO_MQTT, 8883, true},
    {"secure-mqtt", HAIL_HELLO_MQTT, 8883, true},
};
#define NNAMES (sizeof names / sizeof *names)

enum hail_hello_kind hail_hello_by_name(const char *name, bool *tls)
{
    for (size_t i = 0; i < NNAMES; i++)
        if (strcasecmp(names[i].name, name) == 0) {
            if (tls)
                *tls = names[i].tls;
            return names[i].kind;
        }
    return HAIL_HELLO_KINDS;
}

enum hail_hello_kind hail_hello_by_port(uint16_t port, bool *tls)
{
    for (size_t i = 0; i < NNAMES; i++)
        if (names[i].port == port && port && (!names[i].tls || names[i].kind != HAIL_HELLO_LMTP)) {
            if (tls)
                *tls = names[i].tls;
            return names[i].kind;
        }
    if (tls)
        *tls = false;
    return HAIL_HELLO_NONE;
}

uint16_t hail_hello_port(enum hail_hello_kind kind, bool tls)
{
    for (size_t i = 0; i < NNAMES; i++)
        if (names[i].kind == kind && names[i].tls == tls)
            return names[i].port;
    return 0;
}

uint16_t hail_hello_port_by_name(const char *name)
{
    for (size_t i = 0; i < NNAMES; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].port;
    return 0;
}

const char *hail_hello_name(enum hail_hello_kind kind)
{
    return kind < HAIL_HELLO_KINDS && protocols[kind] ? protocols[kind]->name : "";
}

const char *hail_hello_title(enum hail_hello_kind kind)
{
    return kind < HAIL_HELLO_KINDS && protocols[kind] ? protocols[kind]->title : "";
}

bool hail_hello_is_udp(enum hail_hello_kind kind)
{
    return kind == HAIL_HELLO_DNS || kind == HAIL_HELLO_NTP;
}

/* --- the conversation --- */

int hail_hello_begin(struct hail_hello *h, enum hail_hello_kind kind,
                     const struct hail_hello_opts *opts)
{
    *h = (struct hail_hello){.kind = kind, .opts = opts, .ops = protocols[kind]};
    hail_buf_init(&h->out, HAIL_HELLO_ALL);
    hail_buf_init(&h->in, HAIL_HELLO_ALL);
    hail_buf_init(&h->facts, HAIL_HELLO_FACTS);
    if (kind == HAIL_HELLO_NONE) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    return h->ops->begin ? h->ops->begin(h) : HAIL_HELLO_MORE;
}

/* Nobody may put words between the peer's last in plain text and the handshake: RFC 3207 section 6.
 */
static int secure(struct hail_hello *h, size_t more)
{
    if (more)
        return hail_hello_fail(h, -EPROTO,
                               "there are bytes behind the answer that lets TLS begin: somebody "
                               "may have put them there");
    h->starttls = true;
    return HAIL_HELLO_SECURE;
}

/* It was asked for any answer, as it had said nothing: what comes tells who it is, or is too late.
 */
static int late(struct hail_hello *h)
{
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    hail_hello_looks(h->in.p, h->in.len, &kind, looks);
    if (!*looks || kind == h->kind)
        return hail_hello_fail(h, -ETIMEDOUT, "its first words came too late");
    return hail_hello_strange(h, h->in.p, h->in.len);
}

int hail_hello_take(struct hail_hello *h, const void *p, size_t n)
{
    h->all += n;
    if (hail_buf_add(&h->in, p, n) < 0 || (h->kind != HAIL_HELLO_HTTP && h->all > HAIL_HELLO_ALL)) {
        if (h->in.failed == -ENOMEM)
            return hail_hello_fail(h, -ENOMEM, "out of memory");
        return hail_hello_fail(h, -EMSGSIZE, "it does not stop talking: more than %zu KiB came",
                               HAIL_HELLO_ALL >> 10);
    }
    if (h->asked)
        return late(h);
    for (;;) {
        size_t used = 0;
        int rc = h->ops->take ? h->ops->take(h, h->in.p, h->in.len, &used)
                              : hail_hello_take_lines(h, h->in.p, h->in.len, &used);
        hail_buf_consume(&h->in, used);
        if (rc == HAIL_HELLO_SECURE)
            return secure(h, h->in.len);
        if (rc != HAIL_HELLO_MORE || used == 0 || h->in.len == 0)
            return rc;
    }
}

int hail_hello_secured(struct hail_hello *h)
{
    return h->ops->begin ? h->ops->begin(h) : HAIL_HELLO_MORE;
}

int hail_hello_end(struct hail_hello *h)
{
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    if (h->spoke)
        return HAIL_HELLO_DONE;
    if (h->ops->end) {
        int rc = h->ops->end(h);
        if (rc != HAIL_HELLO_MORE)
            return rc;
    }
    bool known = h->in.len && *hail_hello_looks(h->in.p, h->in.len, &kind, looks);
    if (h->in.len && !(known && kind == h->kind) && (known || !h->greeted))
        return hail_hello_strange(h, h->in.p, h->in.len);
    return hail_hello_fail(h, -EPROTO,
                           h->all ? "the connection was closed in the middle of the hello"
                                  : "the connection was closed before it said a word");
}

int hail_hello_patience(const struct hail_hello *h)
{
    return h->quiet_is_end ? HAIL_HELLO_QUIET_MS : -1;
}

int hail_hello_quiet(struct hail_hello *h)
{
    if (h->spoke)
        return HAIL_HELLO_DONE;
    return h->quiet_is_end && h->ops->quiet ? h->ops->quiet(h) : HAIL_HELLO_MORE;
}

int hail_hello_silent(struct hail_hello *h)
{
    if (h->spoke)
        return HAIL_HELLO_DONE;
    if (h->in.len && !h->greeted)
        return hail_hello_strange(h, h->in.p, h->in.len);
    if (!h->asked && h->ops->peer_first && h->all == 0) {
        h->asked = true;
        return hail_hello_say(h, "QUIT\r\n");
    }
    return hail_hello_fail(h, -ETIMEDOUT,
                           h->greeted ? "it stopped talking in the middle of the hello"
                                      : "connected, but it does not say a word");
}

void hail_hello_free(struct hail_hello *h)
{
    if (h->ops && h->ops->free)
        h->ops->free(h);
    hail_buf_free(&h->out);
    hail_buf_free(&h->in);
    hail_buf_free(&h->facts);
}

/* --- facts: 'f' or 'i', the name, NUL, the value, NUL; one behind the other --- */

static void keep(struct hail_hello *h, char type, const char *name, const char *p, size_t n)
{
    size_t before = h->facts.len;
    int failed = hail_buf_char(&h->facts, type);
    failed = failed ? failed : hail_buf_add(&h->facts, name, strlen(name) + 1);
    for (size_t i = 0; i < n && !failed; i++)
        failed = hail_buf_char(&h->facts, p[i] ? p[i] : ' ');
    failed = failed ? failed : hail_buf_char(&h->facts, '\0');
    if (failed)
        h->facts.len = before;
    h->facts.failed = 0;
}

void hail_hello_note(struct hail_hello *h, const char *name, const char *p, size_t n)
{
    keep(h, 'f', name, p, n);
}

void hail_hello_item(struct hail_hello *h, const char *name, const char *p, size_t n)
{
    keep(h, 'i', name, p, n);
}

void hail_hello_join(struct hail_hello *h, const char *name, const char *p, size_t n)
{
    struct hail_hello_fact fact = {.name = NULL};
    for (size_t at = 0; hail_hello_next_fact(h, &at, &fact);)
        ;
    if (!fact.name || fact.item || strcmp(fact.name, name) != 0) {
        hail_hello_note(h, name, p, n);
        return;
    }
    h->facts.p[h->facts.len - 1] = ' ';
    for (size_t i = 0; i < n; i++)
        if (hail_buf_char(&h->facts, p[i] ? p[i] : ' ') < 0)
            break;
    h->facts.failed = 0;
    if (hail_buf_char(&h->facts, '\0') < 0)
        h->facts.p[h->facts.len - 1] = '\0'; /* full: the last one makes room */
    h->facts.failed = 0;
}

void hail_hello_forget_items(struct hail_hello *h)
{
    size_t to = 0;
    struct hail_hello_fact fact;
    for (size_t at = 0, from = 0; hail_hello_next_fact(h, &at, &fact); from = at) {
        if (fact.item)
            continue;
        memmove(h->facts.p + to, h->facts.p + from, at - from);
        to += at - from;
    }
    h->facts.len = to;
}

bool hail_hello_next_fact(const struct hail_hello *h, size_t *at, struct hail_hello_fact *fact)
{
    if (*at >= h->facts.len)
        return false;
    const char *p = h->facts.p + *at;
    fact->item = *p == 'i';
    fact->name = p + 1;
    fact->value = fact->name + strlen(fact->name) + 1;
    *at = (size_t)(fact->value + strlen(fact->value) + 1 - h->facts.p);
    return true;
}

const char *hail_hello_fact(const struct hail_hello *h, const char *name)
{
    struct hail_hello_fact fact;
    for (size_t at = 0; hail_hello_next_fact(h, &at, &fact);)
        if (strcmp(fact.name, name) == 0)
            return fact.value;
    return NULL;
}

/* --- for the protocols --- */

int hail_hello_send(struct hail_hello *h, const void *p, size_t n)
{
    if (hail_buf_add(&h->out, p, n) < 0)
        return hail_hello_fail(h, -ENOMEM, "out of memory");
    return HAIL_HELLO_MORE;
}

int hail_hello_say(struct hail_hello *h, const char *text)
{
    return hail_hello_send(h, text, strlen(text));
}

int hail_hello_fail(struct hail_hello *h, int rc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(h->why, sizeof h->why, fmt, ap);
    va_end(ap);
    return rc;
}

const char *hail_hello_quote(char out[HAIL_HELLO_LOOKS], const char *p, size_t n)
{
    const char *end = memchr(p, '\n', n);
    n = end ? (size_t)(end - p) : n;
    while (n && (p[n - 1] == '\r' || p[n - 1] == ' '))
        n--;
    hail_text_safe_into(out, HAIL_HELLO_LOOKS, p, n);
    return out;
}

int hail_hello_strange(struct hail_hello *h, const char *p, size_t n)
{
    char text[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    if (*hail_hello_looks(p, n, &kind, text) && kind != h->kind)
        return hail_hello_fail(h, -EPROTO, "expected %s, this is %s", h->ops->title, text);
    return hail_hello_fail(h, -EPROTO, "expected %s, but it says: %s", h->ops->title,
                           hail_hello_quote(text, p, n));
}

int hail_hello_refused(struct hail_hello *h, const char *line, size_t n)
{
    char text[HAIL_HELLO_LOOKS];
    return hail_hello_fail(h, -ECONNREFUSED, "the service says: %s",
                           hail_hello_quote(text, line, n));
}
