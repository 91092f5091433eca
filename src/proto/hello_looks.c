/* hello_looks.c - what the first bytes of a peer look like; proto/hello.h. */
#include "proto/hello.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool begins(const char *p, size_t n, const char *with, size_t size)
{
    return n >= size && memcmp(p, with, size) == 0;
}

/* A TLS record: RFC 8446 section 5.1; an alert says which (section 6). */
static bool tls(const char *p, size_t n, char out[HAIL_HELLO_LOOKS])
{
    const unsigned char *u = (const unsigned char *)p;
    if (n < 3 || (u[0] != 21 && u[0] != 22) || u[1] != 3 || u[2] > 4)
        return false;
    snprintf(out, HAIL_HELLO_LOOKS, u[0] == 21 ? "TLS (an alert)" : "TLS");
    return true;
}

/* The length of the packet, 0, protocol 10, a version of printable characters; or an error. */
static bool mysql(const char *p, size_t n, char out[HAIL_HELLO_LOOKS])
{
    char version[HAIL_HELLO_LOOKS];
    if (n > 7 && p[2] == 0 && p[3] == 0 && (unsigned char)p[4] == 0xFF) {
        hail_hello_quote(version, p + 7, n - 7);
        snprintf(out, HAIL_HELLO_LOOKS, "MySQL: %.100s", version);
        return true;
    }
    if (n < 8 || p[3] != 0 || p[4] != 10 || !isdigit((unsigned char)p[5]))
        return false;
    const char *end = memchr(p + 5, '\0', n - 5);
    hail_hello_quote(version, p + 5, end ? (size_t)(end - p) - 5 : n - 5);
    snprintf(out, HAIL_HELLO_LOOKS, "MySQL %.100s", version);
    return true;
}

static bool holds(const char *p, size_t n, const char *word)
{
    size_t size = strlen(word);
    const char *end = memchr(p, '\n', n);
    n = end ? (size_t)(end - p) : n;
    for (; n >= size; p++, n--)
        if (strncasecmp(p, word, size) == 0)
            return true;
    return false;
}

/* Greetings that begin with a code: which protocol's. */
static enum hail_hello_kind coded(const char *p, size_t n, const char **name)
{
    bool code = n >= 4 && isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) &&
                isdigit((unsigned char)p[2]) && (p[3] == ' ' || p[3] == '-');
    if (!code)
        return HAIL_HELLO_NONE;
    if (p[0] == '2' && p[1] == '0' && (p[2] == '0' || p[2] == '1')) {
        *name = "NNTP";
        return HAIL_HELLO_NNTP;
    }
    if (memcmp(p, "220", 3) != 0 && memcmp(p, "421", 3) != 0 && memcmp(p, "554", 3) != 0)
        return HAIL_HELLO_NONE;
    if (holds(p, n, "FTP")) {
        *name = "FTP";
        return HAIL_HELLO_FTP;
    }
    bool lmtp = holds(p, n, "LMTP");
    *name = lmtp ? "LMTP" : holds(p, n, "SMTP") ? "SMTP" : "SMTP or FTP";
    return lmtp ? HAIL_HELLO_LMTP : HAIL_HELLO_SMTP;
}

static const struct {
    const char *bytes;
    size_t n;
    enum hail_hello_kind kind;
    const char *name; /* NULL: the line itself says it */
} fronts[] = {
#define FRONT(bytes) bytes, sizeof(bytes) - 1
    {FRONT("SSH-"), HAIL_HELLO_SSH, NULL},
    {FRONT("HTTP/"), HAIL_HELLO_HTTP, NULL},
    {FRONT("+OK"), HAIL_HELLO_POP3, "POP3"},
    {FRONT("* OK"), HAIL_HELLO_IMAP, "IMAP"},
    {FRONT("* PREAUTH"), HAIL_HELLO_IMAP, "IMAP"},
    {FRONT("* BYE"), HAIL_HELLO_IMAP, "IMAP"},
    {FRONT("-ERR unknown command"), HAIL_HELLO_REDIS, "Redis"},
    {FRONT("-NOAUTH"), HAIL_HELLO_REDIS, "Redis"},
    {FRONT("-DENIED"), HAIL_HELLO_REDIS, "Redis"},
    {FRONT("+PONG"), HAIL_HELLO_REDIS, "Redis"},
    {FRONT("VERSION "), HAIL_HELLO_MEMCACHED, "memcached"},
    {FRONT("\xFF\xFB"), HAIL_HELLO_TELNET, "Telnet"},
    {FRONT("\xFF\xFD"), HAIL_HELLO_TELNET, "Telnet"},
    {FRONT("RFB 0"), HAIL_HELLO_NONE, "VNC (RFB)"},
    {FRONT("AMQP"), HAIL_HELLO_NONE, "AMQP"},
    {FRONT("\x03\x00\x00"), HAIL_HELLO_NONE, "RDP (TPKT)"},
    {FRONT("<?xml"), HAIL_HELLO_NONE, "XMPP, or other XML"},
    {FRONT("<stream:stream"), HAIL_HELLO_NONE, "XMPP"},
    {FRONT("@RSYNCD:"), HAIL_HELLO_NONE, "rsync"},
    {FRONT("E\0\0\0"), HAIL_HELLO_POSTGRES, "PostgreSQL"},
    {FRONT("\x20\x02\0"), HAIL_HELLO_MQTT, "MQTT"},
    {FRONT("<html"), HAIL_HELLO_NONE, "HTTP/0.9"},
    {FRONT("<!DOCTYPE"), HAIL_HELLO_NONE, "HTTP/0.9"},
#undef FRONT
};

const char *hail_hello_looks(const char *p, size_t n, enum hail_hello_kind *kind,
                             char out[HAIL_HELLO_LOOKS])
{
    const char *name = NULL;
    *kind = HAIL_HELLO_NONE;
    *out = '\0';
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        if (!begins(p, n, fronts[i].bytes, fronts[i].n))
            continue;
        *kind = fronts[i].kind;
        if (fronts[i].name)
            snprintf(out, HAIL_HELLO_LOOKS, "%s", fronts[i].name);
        else
            hail_hello_quote(out, p, n);
        return out;
    }
    if (tls(p, n, out))
        return out;
    if (begins(p, n, "ERROR", 5) && (n == 5 || p[5] == '\r')) {
        *kind = HAIL_HELLO_MEMCACHED;
        snprintf(out, HAIL_HELLO_LOOKS, "memcached");
        return out;
    }
    if (mysql(p, n, out)) {
        *kind = HAIL_HELLO_MYSQL;
        return out;
    }
    *kind = coded(p, n, &name);
    if (name)
        snprintf(out, HAIL_HELLO_LOOKS, "%s", name);
    return out;
}
