/* hello_mysql.c - MySQL and MariaDB: the server's greeting, TLS, and a login that is refused, so
 * that the server does not count a broken handshake against this host; proto/hello.h.
 *
 *      greeting --> [SSLRequest --> the handshake -->] user "hail" --> error 1045
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>

enum state { GREETING, SECURING, LOGIN };

#define PACKET_MAX               16384
#define CLIENT_PROTOCOL_41       0x00000200u
#define CLIENT_SSL               0x00000800u
#define CLIENT_SECURE_CONNECTION 0x00008000u
#define CLIENT_PLUGIN_AUTH       0x00080000u

static const struct {
    uint32_t bit;
    const char *name;
} capabilities[] = {
    {0x00000020, "COMPRESS"},
    {0x00000080, "LOCAL_FILES"},
    {CLIENT_PROTOCOL_41, "PROTOCOL_41"},
    {CLIENT_SSL, "SSL"},
    {0x00002000, "TRANSACTIONS"},
    {0x00010000, "MULTI_STATEMENTS"},
    {0x00020000, "MULTI_RESULTS"},
    {CLIENT_PLUGIN_AUTH, "PLUGIN_AUTH"},
    {0x00100000, "CONNECT_ATTRS"},
    {0x00800000, "SESSION_TRACK"},
    {0x01000000, "DEPRECATE_EOF"},
};

/* Length, sequence; then capabilities, largest packet 16 MiB, utf8mb4, 23 zeros. */
static size_t head(char *out, size_t payload, unsigned sequence, uint32_t mine)
{
    memset(out, 0, 36);
    out[0] = (char)payload;
    out[3] = (char)sequence;
    for (int i = 0; i < 4; i++)
        out[4 + i] = (char)(mine >> 8 * i);
    out[11] = 1;
    out[12] = 45;
    return 36;
}

/* HandshakeResponse41: user "hail", no password. */
static int log_in(struct hail_hello *h)
{
    char out[64];
    uint32_t mine = CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH |
                    (h->starttls ? CLIENT_SSL : 0);
    static const char tail[] = "hail\0\0mysql_native_password"; /* name, empty answer, how */
    size_t n = head(out, 32 + sizeof tail, h->starttls ? 2 : 1, mine);
    memcpy(out + n, tail, sizeof tail);
    h->state = LOGIN;
    return hail_hello_send(h, out, n + sizeof tail);
}

static int begin(struct hail_hello *h)
{
    return h->starttls ? log_in(h) : HAIL_HELLO_MORE;
}

static int secure(struct hail_hello *h, uint32_t theirs)
{
    enum hail_hello_tls want = h->opts->starttls;
    char out[36];
    if (theirs & CLIENT_SSL && want != HAIL_HELLO_TLS_NEVER && !h->opts->secured) {
        size_t n =
            head(out, 32, 1,
                 CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH | CLIENT_SSL);
        h->state = SECURING;
        return hail_hello_send(h, out, n) < 0 ? -ENOMEM : HAIL_HELLO_SECURE;
    }
    if (want == HAIL_HELLO_TLS_REQUIRED)
        return hail_hello_fail(h, -ENOTSUP, "the server has no TLS");
    return log_in(h);
}

/* Error: its number, and a state of six characters before the text. */
static int error(struct hail_hello *h, const char *p, size_t n)
{
    char text[HAIL_HELLO_LOOKS];
    if (n < 3)
        return hail_hello_fail(h, -EPROTO, "its error is malformed");
    unsigned number = (unsigned char)p[1] | (unsigned)(unsigned char)p[2] << 8;
    size_t at = n > 9 && p[3] == '#' ? 9 : 3;
    hail_hello_note(h, "error", p + at, n - at);
    if (h->state == LOGIN && (number == 1045 || number == 1698 || number == 1251)) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    h->greeted = true;
    return hail_hello_fail(h, -ECONNREFUSED, "the service says: %s",
                           hail_hello_quote(text, p + at, n - at));
}

/* Protocol 10: version, NUL, thread (4), salt (8), 0, capabilities (2), charset, status (2),
 * capabilities (2), length of the salt, 10 zeros, salt, the plugin's name. */
static int greeting(struct hail_hello *h, const char *p, size_t n)
{
    const char *end = n > 1 && p[0] == 10 ? memchr(p + 1, '\0', n - 1) : NULL;
    size_t rest = end ? n - (size_t)(end - p) : 0;
    if (rest < 1 + 4 + 8 + 1 + 2)
        return hail_hello_strange(h, p, n);
    const unsigned char *u = (const unsigned char *)end;
    uint32_t theirs = u[14] | (uint32_t)u[15] << 8;
    if (rest >= 21)
        theirs |= (uint32_t)u[19] << 16 | (uint32_t)u[20] << 24;
    h->greeted = true;
    /* MariaDB puts a version before its own that old replicas take for one they know */
    const char *version = strncmp(p + 1, "5.5.5-", 6) == 0 ? p + 7 : p + 1;
    hail_hello_note(h, "banner", version, (size_t)(end - version));
    hail_hello_note(h, "software", version, (size_t)(end - version));
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (theirs & capabilities[i].bit)
            hail_hello_item(h, "capability", capabilities[i].name, strlen(capabilities[i].name));
    if (theirs & CLIENT_PLUGIN_AUTH && rest > 45 && end[rest - 1] == '\0')
        hail_hello_item(h, "auth", end + 45, strlen(end + 45));
    return secure(h, theirs);
}

static int login_answer(struct hail_hello *h, const char *p, size_t n)
{
    if (n && (unsigned char)p[0] == 0xFE && !(h->flags & 1)) { /* another way: nothing again */
        const char empty[] = {0, 0, 0, (char)(h->starttls ? 4 : 3)};
        h->flags |= 1;
        return hail_hello_send(h, empty, sizeof empty);
    }
    h->spoke = true; /* whatever it says: it is the server's word on a login */
    return hail_hello_send(h, "\1\0\0\0\1", 5) < 0 ? -ENOMEM : HAIL_HELLO_DONE; /* COM_QUIT */
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n < 5)
        return n > 3 && h->state == GREETING && u[3] != 0 ? hail_hello_strange(h, p, n)
                                                          : HAIL_HELLO_MORE;
    size_t length = u[0] | (size_t)u[1] << 8 | (size_t)u[2] << 16;
    bool fits = length && length <= PACKET_MAX &&
                (h->state != GREETING || (u[3] == 0 && (u[4] == 10 || u[4] == 0xFF)));
    if (!fits)
        return hail_hello_strange(h, p, n);
    if (n < 4 + length)
        return HAIL_HELLO_MORE;
    *used = 4 + length;
    if (u[4] == 0xFF)
        return error(h, p + 4, length);
    return h->state == GREETING ? greeting(h, p + 4, length) : login_answer(h, p + 4, length);
}

const struct hail_hello_ops hail_hello_mysql = {
    .name = "mysql", .title = "MySQL", .peer_first = true, .begin = begin, .take = take};
