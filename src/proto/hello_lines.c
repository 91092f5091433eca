/* hello_lines.c - what the protocols of lines share; proto/hello.h. */
#include "proto/hello.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A service that speaks in lines begins with text: what is none is told before a line's end comes,
 * which may be never. */
static int look_early(struct hail_hello *h, const char *p, size_t n)
{
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    if (h->greeted || (unsigned char)p[0] >= ' ')
        return HAIL_HELLO_MORE;
    if (*hail_hello_looks(p, n, &kind, looks) && kind != h->kind)
        return hail_hello_strange(h, p, n);
    return HAIL_HELLO_MORE;
}

int hail_hello_take_lines(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    char line[HAIL_HELLO_LINE + 1];
    const char *end = memchr(p, '\n', n);
    size_t length = end ? (size_t)(end - p) : n;
    if (length > HAIL_HELLO_LINE)
        return hail_hello_fail(h, -EMSGSIZE, "a line of more than %d bytes came", HAIL_HELLO_LINE);
    if (!end)
        return n ? look_early(h, p, n) : HAIL_HELLO_MORE;
    if (!h->greeted && memchr(p, '\0', length)) /* what looks like a line is no text */
        return hail_hello_strange(h, p, n);
    *used = length + 1;
    if (length && p[length - 1] == '\r')
        length--;
    memcpy(line, p, length);
    line[length] = '\0';
    return h->ops->line(h, line, length);
}

int hail_hello_code(struct hail_hello *h, const char *line, size_t n, bool *last)
{
    bool digits = n >= 3 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
                  isdigit((unsigned char)line[2]);
    int code = digits ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0' : 0;
    bool ends = digits && (n == 3 || line[3] == ' ');
    bool goes_on = digits && n > 3 && line[3] == '-';
    if (h->code && h->kind == HAIL_HELLO_FTP && !(ends && code == h->code)) {
        *last = false; /* anything may stand between */
        return h->code;
    }
    if ((!ends && !goes_on) || code < 100 || code > 599 || (h->code && code != h->code))
        return 0;
    *last = ends;
    h->code = ends ? 0 : code;
    return code;
}

int hail_hello_secure_or_leave(struct hail_hello *h, const struct hail_hello_words *w, bool offered)
{
    enum hail_hello_tls want = h->opts->starttls;
    if (!h->opts->secured && !h->starttls && want != HAIL_HELLO_TLS_NEVER) {
        if (offered) {
            h->state = w->securing;
            return hail_hello_say(h, w->secure);
        }
        if (want == HAIL_HELLO_TLS_REQUIRED)
            return hail_hello_fail(h, -ENOTSUP, "it does not offer %s", w->name);
    }
    h->spoke = true;
    h->state = w->leaving;
    return hail_hello_say(h, w->leave);
}
