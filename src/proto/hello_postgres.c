/* hello_postgres.c - PostgreSQL: the frontend/backend protocol, version 3.0; proto/hello.h.
 *
 *      SSLRequest --S--> the handshake --> startup message --> asks for a password, or an error
 *                 --N--> ...........................'          --> Terminate
 *
 * The user "hail" is not meant to be there: that the server asks, or refuses, shows that it speaks.
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>

enum state { SSL_ANSWER, STARTUP };

#define MESSAGE_MAX 30000 /* bytes of a first message: far more than any is */

static size_t u32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
}

static int start_up(struct hail_hello *h)
{
    static const char message[] = "\0\0\0\x25\0\3\0\0user\0hail\0database\0postgres\0\0";
    h->state = STARTUP;
    _Static_assert(sizeof message - 1 == 0x25, "the length is in front");
    return hail_hello_send(h, message, sizeof message - 1);
}

static int begin(struct hail_hello *h)
{
    static const char ssl_request[] = {0, 0, 0, 8, 4, (char)210, 22, 47};
    if (h->opts->secured || h->starttls || h->opts->starttls == HAIL_HELLO_TLS_NEVER)
        return start_up(h);
    h->state = SSL_ANSWER;
    return hail_hello_send(h, ssl_request, sizeof ssl_request);
}

/* A field of an ErrorResponse: a letter, and text up to a NUL. NULL: it is not there. */
static const char *field(const char *p, size_t n, char letter)
{
    for (const char *end; n > 1 && *p; n -= (size_t)(end + 1 - p), p = end + 1) {
        end = memchr(p, '\0', n);
        if (!end)
            return NULL;
        if (*p == letter)
            return p + 1;
    }
    return NULL;
}

/* An error that is the server's own trouble: SQLSTATE class 53 and 57. */
static int error(struct hail_hello *h, const char *p, size_t n)
{
    const char *code = field(p, n, 'C'), *text = field(p, n, 'M');
    char quoted[HAIL_HELLO_LOOKS];
    if (!code || !text)
        return hail_hello_fail(h, -EPROTO, "its error is malformed");
    hail_hello_note(h, "banner", "PostgreSQL", 10);
    hail_hello_note(h, "error", text, strlen(text));
    if (strncmp(code, "53", 2) == 0 || strncmp(code, "57", 2) == 0)
        return hail_hello_fail(h, -ECONNREFUSED, "the service says: %s",
                               hail_hello_quote(quoted, text, strlen(text)));
    h->spoke = true;
    return HAIL_HELLO_DONE;
}

/* AuthenticationXXX: which way to log in it wants. */
static int login(struct hail_hello *h, const char *p, size_t n)
{
    static const char *const names[] = {"trust", NULL,  "kerberos", "password", NULL,  "md5",
                                        "scm",   "gss", NULL,       "sspi",     "sasl"};
    size_t way = n >= 4 ? u32(p) : sizeof names;
    if (way >= sizeof names / sizeof *names || !names[way])
        return hail_hello_fail(h, -EPROTO, "it asks for a login in a way that is not known");
    hail_hello_note(h, "banner", "PostgreSQL", 10);
    hail_hello_item(h, "auth", names[way], strlen(names[way]));
    h->spoke = true;
    hail_hello_send(h, "X\0\0\0\4", 5); /* Terminate */
    return HAIL_HELLO_DONE;
}

static int ssl_answer(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    bool other = n > 1 && (*p == 'N' || *hail_hello_looks(p, n, &kind, looks));
    if (other || (*p != 'S' && *p != 'N'))
        return hail_hello_strange(h, p, n);
    *used = 1;
    h->greeted = true;
    if (*p == 'S')
        return HAIL_HELLO_SECURE;
    if (h->opts->starttls == HAIL_HELLO_TLS_REQUIRED)
        return hail_hello_fail(h, -ENOTSUP, "the server has no TLS");
    return start_up(h);
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    if (h->state == SSL_ANSWER && *p != 'E')
        return ssl_answer(h, p, n, used);
    if (*p != 'E' && *p != 'R' && *p != 'v')
        return hail_hello_strange(h, p, n);
    if (n < 5)
        return HAIL_HELLO_MORE;
    size_t length = u32(p + 1);
    if (length < 4 || length > MESSAGE_MAX)
        return hail_hello_strange(h, p, n);
    if (n < 1 + length)
        return HAIL_HELLO_MORE;
    *used = 1 + length;
    h->greeted = true;
    if (*p == 'v') /* NegotiateProtocolVersion: more follows */
        return HAIL_HELLO_MORE;
    return *p == 'E' ? error(h, p + 5, length - 4) : login(h, p + 5, length - 4);
}

const struct hail_hello_ops hail_hello_postgres = {
    .name = "postgres", .title = "PostgreSQL", .begin = begin, .take = take};
