/* hello_imap.c - IMAP: RFC 9051 (RFC 3501), STARTTLS in section 6.2.1; proto/hello.h.
 *
 *      * OK --> a1 CAPABILITY --a1 OK--> [a2 STARTTLS --a2 OK--> the handshake -->
 *               a1 CAPABILITY --a1 OK-->] a3 LOGOUT --> a3 OK
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state { GREETING, CAPABILITY, STARTTLS, LOGOUT };
enum { OFFERED = 1 };

static const struct hail_hello_words words = {
    .name = "STARTTLS",
    .securing = STARTTLS,
    .secure = "a2 STARTTLS\r\n",
    .leaving = LOGOUT,
    .leave = "a3 LOGOUT\r\n",
};

static bool begins(const char *line, const char *with)
{
    return strncasecmp(line, with, strlen(with)) == 0;
}

static int ask(struct hail_hello *h)
{
    h->state = CAPABILITY;
    return hail_hello_say(h, "a1 CAPABILITY\r\n");
}

static int begin(struct hail_hello *h)
{
    if (!h->starttls)
        return HAIL_HELLO_MORE;
    hail_hello_forget_items(h);
    return ask(h);
}

static int leave(struct hail_hello *h)
{
    return hail_hello_secure_or_leave(h, &words, h->flags & OFFERED);
}

/* "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN". */
static void capabilities(struct hail_hello *h, const char *p)
{
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if (n > 5 && strncasecmp(p, "AUTH=", 5) == 0)
            hail_hello_item(h, "auth", p + 5, n - 5);
        else
            hail_hello_item(h, "capability", p, n);
        if (n == 8 && strncasecmp(p, "STARTTLS", 8) == 0)
            h->flags |= OFFERED;
        p += n;
    }
}

/* The text behind "* OK ", and behind a response code in brackets. */
static void note_banner(struct hail_hello *h, const char *text)
{
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    if (close)
        text = close[1] == ' ' ? close + 2 : close + 1;
    hail_hello_note(h, "banner", text, strlen(text));
}

static int greeting(struct hail_hello *h, const char *line, size_t n)
{
    if (begins(line, "* BYE"))
        return hail_hello_refused(h, line, n);
    if (!begins(line, "* OK") && !begins(line, "* PREAUTH"))
        return hail_hello_strange(h, line, n);
    h->greeted = true;
    if (begins(line, "* PREAUTH") && h->opts->starttls == HAIL_HELLO_TLS_REQUIRED)
        return hail_hello_fail(h, -ENOTSUP, "the session is logged in already: no STARTTLS");
    const char *text = strchr(line + 2, ' ');
    note_banner(h, text ? text + 1 : "");
    return ask(h);
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    if (h->state == GREETING)
        return greeting(h, line, n);
    if (h->state == LOGOUT)
        return begins(line, "a3 ") ? HAIL_HELLO_DONE : HAIL_HELLO_MORE;
    if (begins(line, "* CAPABILITY ")) {
        capabilities(h, line + 13);
        return HAIL_HELLO_MORE;
    }
    if (begins(line, "* BYE"))
        return hail_hello_refused(h, line, n);
    if (*line == '*')
        return HAIL_HELLO_MORE;
    bool mine = begins(line, h->state == CAPABILITY ? "a1 " : "a2 ");
    if (!mine)
        return hail_hello_strange(h, line, n);
    if (!begins(line + 3, "OK"))
        return hail_hello_refused(h, line, n);
    return h->state == CAPABILITY ? leave(h) : HAIL_HELLO_SECURE;
}

const struct hail_hello_ops hail_hello_imap = {
    .name = "imap", .title = "IMAP", .peer_first = true, .begin = begin, .line = line_came};
