/* visible.c - bytes into characters, and a conversation's characters shown; see visible.h. */
#include "base/visible.h"
#include "base/text.h"
#include "base/visible_session.h"

#include <string.h>

void hail_visible_init(struct hail_visible *v, enum hail_visible_mode mode, bool utf8)
{
    memset(v, 0, offsetof(struct hail_visible, held));
    v->mode = mode;
    v->utf8 = utf8;
}

void hail_visible_show(struct hail_buf *out, uint32_t cp, bool raw)
{
    hail_buf_printf(out, raw ? "\\x%02x" : "<U+%04X>", (unsigned)cp);
}

static void show(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u)
{
    if (v->cr)
        hail_buf_str(out, u.cp == '\n' ? "\r" : "^M");
    v->cr = u.cp == '\r';
    if (v->cr)
        return;
    if (u.raw)
        hail_visible_show(out, u.cp, true);
    else if (u.cp == '\n' || u.cp == '\t')
        hail_buf_char(out, (char)u.cp);
    else if (u.cp < 0x20 || u.cp == 0x7F)
        hail_buf_printf(out, "^%c", (int)(u.cp ^ 0x40));
    else if (hail_utf8_unsafe(u.cp))
        hail_visible_show(out, u.cp, false);
    else
        hail_buf_add(out, u.p, u.n);
}

static void hand(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u)
{
    if (v->mode == HAIL_VISIBLE_CONVERSATION)
        show(v, out, u);
    else
        hail_visible_session(v, out, u);
}

/* Hands on the characters at the front of what was begun, until the rest may become one; at the
 * `end` nothing may. */
static void settle(struct hail_visible *v, struct hail_buf *out, bool end)
{
    while (v->nbegun) {
        struct hail_visible_unit u = {.p = v->begun};
        u.n = v->utf8 || (v->begun[0] & 0x80) == 0 ? hail_utf8_next(v->begun, v->nbegun, &u.cp) : 0;
        if (!u.n && v->utf8 && !end && hail_utf8_begins(v->begun, v->nbegun))
            return;
        if (!u.n)
            u = (struct hail_visible_unit){v->begun, 1, (unsigned char)v->begun[0], true};
        hand(v, out, u);
        v->nbegun = (uint8_t)(v->nbegun - u.n);
        memmove(v->begun, v->begun + u.n, v->nbegun);
    }
}

/* How many of the bytes pass in either mode: printable ASCII, LF and TAB. */
static size_t plain(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && ((p[i] >= ' ' && p[i] < 0x7F) || p[i] == '\n' || p[i] == '\t'))
        i++;
    return i;
}

int hail_visible_add(struct hail_visible *v, struct hail_buf *out, const void *data, size_t n)
{
    const char *p = data;
    for (size_t i = 0; i < n;) {
        if (!v->nbegun && !v->cr && hail_visible_ground(v)) {
            size_t run = plain(p + i, n - i);
            hail_buf_add(out, p + i, run);
            i += run;
            if (i == n)
                break;
        }
        v->begun[v->nbegun++] = p[i++];
        settle(v, out, false);
    }
    return out->failed;
}

int hail_visible_end(struct hail_visible *v, struct hail_buf *out)
{
    settle(v, out, true);
    if (v->cr)
        hail_buf_str(out, "^M");
    uint64_t blocked = v->blocked + !hail_visible_ground(v);
    hail_visible_init(v, v->mode, v->utf8);
    v->blocked = blocked;
    return out->failed;
}

int hail_visible_mode(struct hail_visible *v, struct hail_buf *out, enum hail_visible_mode mode)
{
    int rc = v->mode == mode ? out->failed : hail_visible_end(v, out);
    v->mode = mode;
    return rc;
}
