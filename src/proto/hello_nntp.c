/* hello_nntp.c - NNTP: RFC 3977, STARTTLS of RFC 4642; proto/hello.h.
 *
 *      200, 201 --> CAPABILITIES --101 list--> [STARTTLS --382--> the handshake -->
 *                   CAPABILITIES --101 list-->] QUIT --> 205
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state { GREETING, CAPABILITIES, LIST, STARTTLS, QUIT };
enum { OFFERED = 1 };

static const struct hail_hello_words words = {
    .name = "STARTTLS",
    .securing = STARTTLS,
    .secure = "STARTTLS\r\n",
    .leaving = QUIT,
    .leave = "QUIT\r\n",
};

static int begin(struct hail_hello *h)
{
    if (!h->starttls)
        return HAIL_HELLO_MORE;
    h->state = CAPABILITIES;
    hail_hello_forget_items(h);
    return hail_hello_say(h, "CAPABILITIES\r\n");
}

static int leave(struct hail_hello *h)
{
    return hail_hello_secure_or_leave(h, &words, h->flags & OFFERED);
}

static int item(struct hail_hello *h, const char *line, size_t n)
{
    if (strcmp(line, ".") == 0)
        return leave(h);
    hail_hello_item(h, "capability", line, n);
    if (strcasecmp(line, "STARTTLS") == 0)
        h->flags |= OFFERED;
    return HAIL_HELLO_MORE;
}

static int greeting(struct hail_hello *h, int code, const char *line, size_t n)
{
    if (code == 400 || code == 502)
        return hail_hello_refused(h, line, n);
    if (code != 200 && code != 201)
        return hail_hello_strange(h, line, n);
    h->greeted = true;
    if (n > 4)
        hail_hello_note(h, "banner", line + 4, n - 4);
    h->state = CAPABILITIES;
    return hail_hello_say(h, "CAPABILITIES\r\n");
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    bool last = true;
    if (h->state == LIST)
        return item(h, line, n);
    int code = hail_hello_code(h, line, n, &last);
    if (h->state == QUIT)
        return HAIL_HELLO_DONE;
    if (!code || !last)
        return hail_hello_strange(h, line, n);
    switch ((enum state)h->state) {
    case GREETING:
        return greeting(h, code, line, n);
    case CAPABILITIES:
        h->state = LIST;
        if (code == 101)
            return HAIL_HELLO_MORE;
        /* older servers do not know it; one that wants a login first is one, too */
        return code / 10 == 50 || code / 10 == 48 ? leave(h) : hail_hello_refused(h, line, n);
    default:
        return code == 382 ? HAIL_HELLO_SECURE : hail_hello_refused(h, line, n);
    }
}

const struct hail_hello_ops hail_hello_nntp = {
    .name = "nntp", .title = "NNTP", .peer_first = true, .begin = begin, .line = line_came};
