/* explain.c - what a service's replies mean, behind each of them; and what it is that is spoken. */
#include "explain.h"

#include <string.h>

#define EXPLAINED_MAX 65536 /* bytes shown of one read: beyond, nobody reads along */

void telnet_explain_begin(struct telnet *t)
{
    hail_reply_init(&t->reply, hail_talk_of(NULL, t->port));
}

void telnet_explain_said(struct telnet *t, const char *p, size_t n)
{
    while (n) {
        const char *lf = memchr(p, '\n', n);
        size_t len = lf ? (size_t)(lf - p) : n;
        size_t text = len && p[len - 1] == '\r' ? len - 1 : len;
        hail_reply_said(&t->reply, p, text);
        p += lf ? len + 1 : len;
        n -= lf ? len + 1 : len;
    }
}

size_t telnet_explain(struct telnet *t, const char *p, size_t n, char text[HAIL_REPLY_TEXT])
{
    text[0] = '\0';
    if (!telnet_is_plain(t))
        return n;
    size_t took = hail_reply_take(&t->reply, p, n, text);
    if (t->c->by_name || t->opt.no_help || t->shown.len > EXPLAINED_MAX)
        text[0] = '\0';
    return took;
}

void telnet_explain_put(struct telnet *t, const char *text)
{
    if (text[0])
        hail_buf_printf(&t->shown, "%s[%s]%s\n", paint(t->c, "2"), text, paint(t->c, "0"));
}
