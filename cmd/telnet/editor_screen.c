/* editor_screen.c - the peer's text and the line that is typed on one screen.
 *
 *      250-PIPELINING                    what has come, line by line
 *      Password: hun_                    an unfinished line of the peer's is the prompt of ours
 *
 * What comes is written where prompt and line began, and those are drawn anew behind it. libedit
 * does not know of it; it is told to forget what it drew.
 */
#include "editor_parts.h"

#include <stdlib.h>
#include <string.h>

/* Where the cursor is after a character: the column may be the width, then the next begins a row.
 */
static void advance(size_t *row, size_t *col, size_t width, wchar_t c)
{
    int w = c < ' ' || c == 0x7F ? 2 : hail_utf8_width((uint32_t)c);
    if (c == '\t')
        w = 8 - (int)(*col % 8);
    if (c == '\n') {
        ++*row;
        *col = 0;
        return;
    }
    if (*col + (size_t)w > width) {
        ++*row;
        *col = 0;
    }
    *col += (size_t)w;
    if (*col >= width) {
        ++*row;
        *col = 0;
    }
}

/* How far the cursor is below the beginning of the prompt. */
static size_t rows_above(struct telnet_editor *e)
{
    size_t width = e->t->tty.size.ws_col ? e->t->tty.size.ws_col : 80, row = 0, col = 0;
    for (size_t i = 0, n = strlen(e->prompt); i < n;) {
        uint32_t cp;
        size_t len = hail_utf8_next(e->prompt + i, n - i, &cp);
        advance(&row, &col, width, len ? (wchar_t)cp : '?');
        i += len ? len : 1;
    }
    const LineInfoW *line = el_wline(e->el);
    for (const wchar_t *p = line->buffer; p < line->cursor; p++)
        advance(&row, &col, width, *p);
    return row;
}

void telnet_editor_wipe(struct telnet_editor *e)
{
    hail_buf_char(&e->text, '\r');
    for (size_t i = rows_above(e); i > 0; i--)
        hail_buf_str(&e->text, e->up);
    hail_buf_str(&e->text, e->clear);
}

void telnet_editor_draw(struct telnet_editor *e)
{
    el_set(e->el, EL_REFRESH);
    e->stale = false;
}

int telnet_editor_flush(struct telnet_editor *e)
{
    int rc = e->text.failed;
    if (rc == 0 && e->text.len)
        rc = telnet_show(e->t, e->text.p, e->text.len);
    hail_buf_clear(&e->text);
    return rc;
}

void telnet_editor_settle(struct telnet_editor *e)
{
    if (e->loose) {
        hail_buf_char(&e->text, '\n');
        e->loose = false;
        e->stale = false;
        telnet_editor_draw(e);
    } else if (e->stale) {
        telnet_editor_wipe(e);
        telnet_editor_draw(e);
    }
}

/* The peer's unfinished line grows by `n` bytes; false: it is too long for a prompt. */
static bool grow_prompt(struct telnet_editor *e, const char *p, size_t n)
{
    size_t had = strlen(e->prompt);
    if (had + n >= sizeof e->prompt)
        return false;
    memcpy(e->prompt + had, p, n);
    e->prompt[had + n] = '\0';
    return true;
}

/* While nothing is typed the cursor is where the text goes on. */
static int show_behind(struct telnet_editor *e, const char *p, size_t n, size_t whole)
{
    int rc = telnet_show(e->t, p, n);
    if (whole) {
        e->prompt[0] = '\0';
        e->loose = false;
    }
    if (!e->loose && !grow_prompt(e, p + whole, n - whole)) {
        e->prompt[0] = '\0';
        e->loose = true;
    }
    e->stale = true;
    return rc;
}

/* Where prompt and line are: whole lines, then prompt and line again. */
static int show_above(struct telnet_editor *e, const char *p, size_t n, size_t whole)
{
    telnet_editor_wipe(e);
    if (whole) {
        hail_buf_str(&e->text, e->prompt);
        e->prompt[0] = '\0';
    }
    int rc = telnet_editor_flush(e);
    if (rc == 0 && whole)
        rc = telnet_show(e->t, p, whole);
    if (rc == 0 && !grow_prompt(e, p + whole, n - whole)) {
        rc = telnet_show(e->t, e->prompt, strlen(e->prompt));
        if (rc == 0)
            rc = telnet_show(e->t, p + whole, n - whole);
        if (rc == 0)
            rc = telnet_show(e->t, "\n", 1);
        e->prompt[0] = '\0';
    }
    telnet_editor_draw(e);
    return rc < 0 ? rc : telnet_editor_flush(e);
}

int telnet_editor_show(struct telnet *t, const char *p, size_t n)
{
    struct telnet_editor *e = t->editor;
    const LineInfo *line = el_line(e->el);
    const char *lf = n ? memrchr(p, '\n', n) : NULL;
    size_t whole = lf ? (size_t)(lf + 1 - p) : 0;
    if (!n)
        return 0;
    if (line->lastchar > line->buffer)
        return show_above(e, p, n, whole);
    return show_behind(e, p, n, whole);
}

void telnet_editor_resized(struct telnet *t)
{
    struct telnet_editor *e = t->editor;
    if (!telnet_editor_active(t))
        return;
    el_resize(e->el);
    telnet_editor_wipe(e);
    telnet_editor_draw(e);
    telnet_editor_flush(e);
}
