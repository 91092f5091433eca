/* hello_ssh.c - SSH: the identification (RFC 4253 section 4.2) and the algorithms that the server
 * offers in its first packet, KEXINIT, in the clear (sections 6 and 7.1); proto/hello.h.
 *
 *      [lines] SSH-2.0-software --> SSH-2.0-hail --> KEXINIT
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>

enum state { IDENT, KEXINIT };

#define PACKET_MAX  35000 /* section 6.1 */
#define MSG_KEXINIT 20

/* What OpenSSH has turned off, or RFC 8758, RFC 9142 and RFC 4253's successors say not to use. */
static const char *const weak[] = {
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "rsa1024-sha1",
    "ssh-dss",
    "ssh-rsa",
    "arcfour",
    "arcfour128",
    "arcfour256",
    "3des-cbc",
    "blowfish-cbc",
    "cast128-cbc",
    "aes128-cbc",
    "aes192-cbc",
    "aes256-cbc",
    "rijndael-cbc@lysator.liu.se",
    "des-cbc",
    "hmac-md5",
    "hmac-md5-96",
    "hmac-sha1-96",
    "hmac-md5-etm@openssh.com",
    "hmac-md5-96-etm@openssh.com",
    "hmac-sha1-96-etm@openssh.com",
    "hmac-ripemd160",
    "none",
};

static bool is_weak(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        if (strlen(weak[i]) == n && memcmp(weak[i], p, n) == 0)
            return true;
    return false;
}

static bool is_noted(const struct hail_hello *h, const char *name, const char *p, size_t n)
{
    struct hail_hello_fact f;
    for (size_t at = 0; hail_hello_next_fact(h, &at, &f);)
        if (strcmp(f.name, name) == 0 && strlen(f.value) == n && memcmp(f.value, p, n) == 0)
            return true;
    return false;
}

/* A name-list of section 5. In both directions the same is noted once. */
static void list(struct hail_hello *h, const char *name, const char *p, size_t n)
{
    while (n) {
        const char *comma = memchr(p, ',', n);
        size_t word = comma ? (size_t)(comma - p) : n;
        if (name && word && !is_noted(h, name, p, word)) {
            hail_hello_item(h, name, p, word);
            if (is_weak(p, word) && strcmp(name, "compression") != 0 &&
                !is_noted(h, "weak", p, word))
                hail_hello_item(h, "weak", p, word);
        }
        p += word + (comma != NULL);
        n -= word + (comma != NULL);
    }
}

static size_t u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static int malformed(struct hail_hello *h)
{
    return hail_hello_fail(h, -EPROTO,
                           "its list of algorithms is malformed (RFC 4253 section 7.1)");
}

/* The payload behind the message's number and the cookie: ten lists. */
static int lists(struct hail_hello *h, const char *p, size_t n)
{
    static const char *const names[10] = {"kex", "host-key",    "cipher",      "cipher", "mac",
                                          "mac", "compression", "compression", NULL,     NULL};
    for (int i = 0; i < 10; i++) {
        if (n < 4 || u32(p) > n - 4)
            return malformed(h);
        list(h, names[i], p + 4, u32(p));
        n -= 4 + u32(p);
        p += 4 + u32(p);
    }
    h->spoke = true;
    return HAIL_HELLO_DONE;
}

static int kexinit(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    if (n < 6)
        return HAIL_HELLO_MORE;
    size_t length = u32(p), padding = (unsigned char)p[4];
    if (length > PACKET_MAX || length < padding + 2)
        return malformed(h);
    if (n < 4 + length)
        return HAIL_HELLO_MORE;
    *used = 4 + length;
    const char *payload = p + 5;
    size_t size = length - padding - 1;
    if (payload[0] != MSG_KEXINIT || size < 17)
        return malformed(h);
    return lists(h, payload + 17, size - 17);
}

/* A line before the identification, unless it is another protocol's greeting. */
static int other_line(struct hail_hello *h, const char *line, size_t n)
{
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    if (*hail_hello_looks(line, n, &kind, looks))
        return hail_hello_strange(h, line, n);
    return HAIL_HELLO_MORE;
}

/* "SSH-2.0-software comments". Other lines may come first. */
static int ident(struct hail_hello *h, const char *line, size_t n)
{
    if (n < 4 || memcmp(line, "SSH-", 4) != 0)
        return other_line(h, line, n);
    h->greeted = true;
    hail_hello_note(h, "banner", line, n);
    const char *software = memchr(line + 4, '-', n - 4);
    if (!software)
        return hail_hello_fail(h, -EPROTO,
                               "its identification is malformed (RFC 4253 section 4.2)");
    hail_hello_note(h, "protocol", line + 4, (size_t)(software - line) - 4);
    size_t rest = n - (size_t)(software + 1 - line);
    hail_hello_note(h, "software", software + 1, rest);
    if (memcmp(line + 4, "2.0-", n - 4 < 4 ? n - 4 : 4) != 0 &&
        memcmp(line + 4, "1.99-", n - 4 < 5 ? n - 4 : 5) != 0)
        return hail_hello_fail(h, -ECONNREFUSED,
                               "the service speaks SSH 1 alone, which nobody should use any more");
    h->state = KEXINIT;
    return hail_hello_say(h, "SSH-2.0-hail\r\n");
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    return h->state == IDENT ? hail_hello_take_lines(h, p, n, used) : kexinit(h, p, n, used);
}

const struct hail_hello_ops hail_hello_ssh = {
    .name = "ssh", .title = "SSH", .peer_first = true, .take = take, .line = ident};
