/* hello_ftp.c - FTP: RFC 959, FEAT of RFC 2389, AUTH TLS of RFC 4217; proto/hello.h.
 *
 *      [120] 220 --> FEAT --211--> [AUTH TLS --234--> the handshake -->] QUIT --> 221
 */
#include "proto/hello.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum state { GREETING, FEAT, AUTH, QUIT };
enum { OFFERED = 1 };

static int leave(struct hail_hello *h)
{
    h->spoke = true;
    h->state = QUIT;
    return hail_hello_say(h, "QUIT\r\n");
}

static int begin(struct hail_hello *h)
{
    return h->starttls ? leave(h) : HAIL_HELLO_MORE;
}

static int greeting(struct hail_hello *h, int code, bool last, const char *line, size_t n)
{
    if (code / 100 == 4 || code / 100 == 5)
        return hail_hello_refused(h, line, n);
    if (code != 220 && code != 120) /* 120: in a moment */
        return hail_hello_strange(h, line, n);
    h->greeted = true;
    if (code == 220 && n > 4)
        hail_hello_join(h, "banner", line + 4, n - 4);
    if (!last || code == 120)
        return HAIL_HELLO_MORE;
    h->state = FEAT;
    return hail_hello_say(h, "FEAT\r\n");
}

static int secure(struct hail_hello *h)
{
    enum hail_hello_tls want = h->opts->starttls;
    bool offered = h->flags & OFFERED;
    if (h->opts->secured || want == HAIL_HELLO_TLS_NEVER ||
        (want == HAIL_HELLO_TLS_TRY && !offered))
        return leave(h);
    h->state = AUTH;
    return hail_hello_say(h, "AUTH TLS\r\n");
}

/* The greeting of a mail server looks the same; its answer to FEAT has an enhanced code (RFC 3463),
 * or its greeting says so. */
static bool is_mail(const struct hail_hello *h, const char *line)
{
    const char *banner = hail_hello_fact(h, "banner");
    return (banner && strcasestr(banner, "SMTP")) ||
           (strlen(line) > 9 && line[4] == '5' && line[5] == '.' && line[7] == '.');
}

static int features(struct hail_hello *h, int code, bool last, const char *line, size_t n)
{
    char text[HAIL_HELLO_LOOKS];
    if (code == 211) {
        if (*line == ' ')
            hail_hello_item(h, "capability", line + 1, n - 1);
        if (*line == ' ' && strncasecmp(line + 1, "AUTH ", 5) == 0 && strcasestr(line, "TLS"))
            h->flags |= OFFERED;
        return last ? secure(h) : HAIL_HELLO_MORE;
    }
    if (!last)
        return HAIL_HELLO_MORE;
    if (is_mail(h, line))
        return hail_hello_fail(h, -EPROTO, "expected FTP, this is SMTP: %s",
                               hail_hello_quote(text, line, n));
    return code / 100 == 5 ? secure(h) : hail_hello_refused(h, line, n);
}

static int line_came(struct hail_hello *h, const char *line, size_t n)
{
    bool last = true;
    int code = hail_hello_code(h, line, n, &last);
    if (h->state == QUIT)
        return code && !last ? HAIL_HELLO_MORE : HAIL_HELLO_DONE;
    if (!code)
        return hail_hello_strange(h, line, n);
    switch ((enum state)h->state) {
    case GREETING:
        return greeting(h, code, last, line, n);
    case FEAT:
        return features(h, code, last, line, n);
    default:
        if (!last)
            return HAIL_HELLO_MORE;
        if (code == 234)
            return HAIL_HELLO_SECURE;
        if (h->opts->starttls == HAIL_HELLO_TLS_REQUIRED && !(h->flags & OFFERED))
            return hail_hello_fail(h, -ENOTSUP, "it does not offer AUTH TLS");
        return hail_hello_refused(h, line, n);
    }
}

const struct hail_hello_ops hail_hello_ftp = {
    .name = "ftp", .title = "FTP", .peer_first = true, .begin = begin, .line = line_came};
