/* hello_smtp.c - SMTP, submission and LMTP: RFC 5321, RFC 3207, RFC 2033; proto/hello.h.
 *
 *      220 --> EHLO --250--> [STARTTLS --220--> the handshake --> EHLO --250-->] QUIT --> 221
 *
 * A server that does not know EHLO (500, 502) is greeted by HELO, RFC 5321 section 3.2.
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state { GREETING, EHLO, HELO, STARTTLS, QUIT };
enum { OFFERED = 1, NAMED = 2 }; /* STARTTLS; the first line of EHLO's reply, a domain */

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
    h->state = EHLO;
    h->flags = 0;
    hail_hello_forget_items(h);
    return hail_hello_say(h,
                          h->kind == HAIL_HELLO_LMTP ? "LHLO localhost\r\n" : "EHLO localhost\r\n");
}

static int greeting(struct hail_hello *h, int code, bool last, const char *line, size_t n)
{
    if (code / 100 == 4 || code / 100 == 5)
        return hail_hello_refused(h, line, n);
    if (code != 220)
        return hail_hello_strange(h, line, n);
    h->greeted = true;
    if (n > 4)
        hail_hello_join(h, "banner", line + 4, n - 4);
    if (!last)
        return HAIL_HELLO_MORE;
    h->state = EHLO;
    return hail_hello_say(h,
                          h->kind == HAIL_HELLO_LMTP ? "LHLO localhost\r\n" : "EHLO localhost\r\n");
}

static void capability(struct hail_hello *h, const char *text, size_t n)
{
    hail_hello_item(h, "capability", text, n);
    if (strcasecmp(text, "STARTTLS") == 0)
        h->flags |= OFFERED;
    if (strncasecmp(text, "AUTH ", 5) != 0)
        return;
    for (const char *p = text + 5; *p; p += strspn(p, " ")) {
        size_t word = strcspn(p, " ");
        hail_hello_item(h, "auth", p, word);
        p += word;
    }
}

/* The greeting of an FTP server looks the same; its answer to EHLO does not. */
static int no_mail(struct hail_hello *h, const char *line, size_t n)
{
    char text[HAIL_HELLO_LOOKS];
    const char *banner = hail_hello_fact(h, "banner");
    if (banner && strcasestr(banner, "FTP"))
        return hail_hello_fail(h, -EPROTO, "expected %s, this is FTP: %s", h->ops->title,
                               hail_hello_quote(text, banner, strlen(banner)));
    return hail_hello_refused(h, line, n);
}

static int ehlo(struct hail_hello *h, int code, bool last, const char *line, size_t n)
{
    if (code == 250) {
        if (n > 4 && h->flags & NAMED)
            capability(h, line + 4, n - 4);
        else if (n > 4 && !h->starttls)
            hail_hello_note(h, "server", line + 4, n - 4);
        h->flags |= NAMED;
        return last ? hail_hello_secure_or_leave(h, &words, h->flags & OFFERED) : HAIL_HELLO_MORE;
    }
    if (!last)
        return HAIL_HELLO_MORE;
    if ((code == 500 || code == 502) && h->state == EHLO && h->kind == HAIL_HELLO_SMTP) {
        h->state = HELO;
        return hail_hello_say(h, "HELO localhost\r\n");
    }
    return no_mail(h, line, n);
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    bool last;
    int code = hail_hello_code(h, line, n, &last);
    if (h->state == QUIT)
        return code && !last ? HAIL_HELLO_MORE : HAIL_HELLO_DONE;
    if (!code)
        return hail_hello_strange(h, line, n);
    switch ((enum state)h->state) {
    case GREETING:
        return greeting(h, code, last, line, n);
    case STARTTLS:
        if (!last)
            return HAIL_HELLO_MORE;
        return code == 220 ? HAIL_HELLO_SECURE : hail_hello_refused(h, line, n);
    default:
        return ehlo(h, code, last, line, n);
    }
}

const struct hail_hello_ops hail_hello_smtp = {
    .name = "smtp", .title = "SMTP", .peer_first = true, .begin = begin, .line = line_came};
const struct hail_hello_ops hail_hello_lmtp = {
    .name = "lmtp", .title = "LMTP", .peer_first = true, .begin = begin, .line = line_came};
