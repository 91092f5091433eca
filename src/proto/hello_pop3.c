/* hello_pop3.c - POP3: RFC 1939, CAPA of RFC 2449, STLS of RFC 2595; proto/hello.h.
 *
 *      +OK --> CAPA --list--> [STLS --+OK--> the handshake --> CAPA --list-->] QUIT --> +OK
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state { GREETING, CAPA, CAPA_LIST, STLS, QUIT };
enum { OFFERED = 1 };

static const struct hail_hello_words words = {
    .name = "STLS",
    .securing = STLS,
    .secure = "STLS\r\n",
    .leaving = QUIT,
    .leave = "QUIT\r\n",
};

static int begin(struct hail_hello *h)
{
    if (!h->starttls)
        return HAIL_HELLO_MORE;
    h->state = CAPA;
    hail_hello_forget_items(h);
    return hail_hello_say(h, "CAPA\r\n");
}

static int leave(struct hail_hello *h)
{
    return hail_hello_secure_or_leave(h, &words, h->flags & OFFERED);
}

static int greeting(struct hail_hello *h, const char *line, size_t n)
{
    h->greeted = true;
    if (n > 4)
        hail_hello_note(h, "banner", line + 4, n - 4);
    h->state = CAPA;
    return hail_hello_say(h, "CAPA\r\n");
}

static int item(struct hail_hello *h, const char *line, size_t n)
{
    if (strcmp(line, ".") == 0)
        return leave(h);
    hail_hello_item(h, "capability", line, n);
    if (strcasecmp(line, "STLS") == 0)
        h->flags |= OFFERED;
    if (strncasecmp(line, "SASL ", 5) == 0)
        for (const char *p = line + 5; *p; p += strspn(p, " ")) {
            size_t word = strcspn(p, " ");
            hail_hello_item(h, "auth", p, word);
            p += word;
        }
    return HAIL_HELLO_MORE;
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    bool ok = strncmp(line, "+OK", 3) == 0, error = strncmp(line, "-ERR", 4) == 0;
    if (h->state == CAPA_LIST)
        return item(h, line, n);
    if (h->state == QUIT)
        return HAIL_HELLO_DONE;
    if (!ok && !error)
        return hail_hello_strange(h, line, n);
    if (h->state == CAPA) { /* a server without CAPA has no STLS */
        h->state = CAPA_LIST;
        return ok ? HAIL_HELLO_MORE : leave(h);
    }
    if (error)
        return hail_hello_refused(h, line, n);
    return h->state == GREETING ? greeting(h, line, n) : HAIL_HELLO_SECURE;
}

const struct hail_hello_ops hail_hello_pop3 = {
    .name = "pop3", .title = "POP3", .peer_first = true, .begin = begin, .line = line_came};
