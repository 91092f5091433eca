/* visible_session.c - the control sequences of a terminal session (ECMA-48, and what xterm, screen,
 * tmux and the Linux console add), of which those that make a terminal type are kept back.
 *
 *            ESC           [            0x40..0x7E
 *    GROUND -----> ESCAPE ---> CSI ------------------> judged, GROUND
 *                    |     ]            BEL, ST
 *                    |--------> OSC -----------------> judged, GROUND
 *                    |     P            0x40..0x7E     a picture:         ST
 *                    |--------> DCS -----------------> PASSING --------------> GROUND
 *                    |   k X ^ _               |                          ST
 *                    '-------------------------'-----> SKIPPING -------------> GROUND
 *
 * A C1 control is what ESC and its letter are. Those that begin a string are shown (\x9d), and the
 * string is text: nobody sends them on purpose, but other charsets have letters there. ESC begins
 * anew in every state, so that whatever a terminal makes of a sequence that was broken off, the
 * next is judged by itself; CAN and SUB end one. What has not been judged is held, never more than
 * HAIL_VISIBLE_HELD.
 */
#include "base/visible_session.h"

#include <string.h>

enum { GROUND, ESCAPE, CSI, DCS, OSC, PASSING, SKIPPING }; /* strings: from OSC on */
enum { ENQ = 5, BEL = 7, CAN = 0x18, SUB = 0x1A, ESC = 0x1B };

bool hail_visible_ground(const struct hail_visible *v)
{
    return v->state == GROUND;
}

static void hold(struct hail_visible *v, struct hail_visible_unit u)
{
    if (v->overlong || u.n > sizeof v->held - v->nheld) {
        v->overlong = true;
        return;
    }
    memcpy(v->held + v->nheld, u.p, u.n);
    v->nheld += u.n;
}

static void enter(struct hail_visible *v, uint8_t state)
{
    v->state = state;
    v->escape = v->overlong = false;
    v->nheld = v->head = 0;
    v->lead = 0;
}

static void drop(struct hail_visible *v, uint8_t next)
{
    v->blocked++;
    enter(v, next);
}

/* What is held passes, or not. */
static void judged(struct hail_visible *v, struct hail_buf *out, bool harmless, uint8_t next)
{
    if (!harmless || v->overlong) {
        drop(v, next == PASSING ? SKIPPING : next);
        return;
    }
    hail_buf_add(out, v->held, v->nheld);
    enter(v, next);
}

/* The number that what is held begins with, after its introducer and without the C0 controls in
 * between; -1: none. *n: how many characters there are, *first: the first. */
static long number(const struct hail_visible *v, size_t *n, char *first)
{
    long value = -1;
    bool digits = true;
    *n = 0;
    *first = '\0';
    for (size_t i = v->head; i < v->nheld; i++) {
        char c = v->held[i];
        if ((unsigned char)c < ' ' || c == 0x7F)
            continue;
        if (!(*n)++)
            *first = c;
        digits = digits && c >= '0' && c <= '9';
        if (digits && value < 1000000)
            value = (value < 0 ? 0 : value) * 10 + (c - '0');
    }
    return value;
}

/* Titles are told back by 20 t and 21 t, what the screen holds by DECRQCRA (* y); a macro (* z)
 * could hold what is not let through. */
static bool csi_harmless(const struct hail_visible *v, char letter)
{
    size_t n;
    char first;
    long what = number(v, &n, &first);
    if (v->lead == '*')
        return letter != 'y' && letter != 'z';
    return letter != 't' || (what != 20 && what != 21);
}

/* Numbers and letters of OSC: the clipboard (52, kitty's 5522, iTerm2's 1337), titles (0 to 2, 21,
 * 30, l, L, I), X properties (3), the log file (46), Emacs' (51). Colours, links, the current
 * folder, prompts and notices pass; a question does not, but in what is text or an address. */
static bool osc_harmless(const struct hail_visible *v)
{
    static const long blocked[] = {-1, 0, 1, 2, 3, 21, 30, 46, 51, 52, 1337, 5522};
    static const long text_of[] = {7, 8, 9, 133, 777};
    size_t n;
    char first;
    long what = number(v, &n, &first);
    if (first == 'P' || first == 'R')
        return true;
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        if (what == blocked[i])
            return false;
    for (size_t i = 0; i < sizeof text_of / sizeof *text_of; i++)
        if (what == text_of[i])
            return true;
    return !memchr(v->held, '?', v->nheld);
}

/* The Linux console's palette has no end: OSC R is all, OSC P has seven digits. */
static bool osc_complete(const struct hail_visible *v)
{
    size_t n;
    char first;
    if (v->nheld - v->head > 64)
        return false;
    number(v, &n, &first);
    return first == 'R' || (first == 'P' && n == 8);
}

/* After its parameters and intermediates, a DCS with this letter: sixels (q), a font ({), the
 * state of tabs and cursor ($t), an update (=1s, =2s). The others ask, define keys, answers and
 * macros, or are handed to the terminal around this one. */
static bool dcs_harmless(const struct hail_visible *v, char letter)
{
    switch (letter) {
    case 'q':
    case '{':
        return v->lead == 0;
    case 't':
        return v->lead == '$';
    case 's':
        return v->lead == '=';
    default:
        return false;
    }
}

/* The letter after ESC, or what a C1 control stands for. */
static void introduced(struct hail_visible *v, struct hail_buf *out, uint32_t letter)
{
    v->head = v->nheld;
    switch (letter) {
    case '[':
        v->state = CSI;
        break;
    case ']':
        v->state = OSC;
        break;
    case 'P':
        v->state = DCS;
        break;
    case 'k': /* screen's title */
    case 'X': /* SOS, PM, APC: nothing, screen's messages, tmux's title */
    case '^':
    case '_':
        drop(v, SKIPPING);
        break;
    default:
        judged(v, out, !memchr(v->held, '%', v->nheld), GROUND);
    }
}

/* A printable ASCII character after ESC, CSI or DCS. */
static void in_sequence(struct hail_visible *v, struct hail_buf *out, uint32_t c)
{
    if (v->state == ESCAPE) {
        if (c >= 0x30)
            introduced(v, out, c);
    } else if (c < 0x40) {
        if (c < 0x30 || (c > 0x3B && v->state == DCS)) /* not a parameter */
            v->lead = v->lead << 8 | c;
    } else if (v->state == CSI) {
        judged(v, out, csi_harmless(v, (char)c), GROUND);
    } else if (dcs_harmless(v, (char)c)) {
        judged(v, out, true, PASSING);
    } else {
        drop(v, SKIPPING);
    }
}

/* The string ends, as it should. */
static void string_ends(struct hail_visible *v, struct hail_buf *out, const char *st, size_t n)
{
    if (v->state == OSC) {
        hold(v, (struct hail_visible_unit){.p = st, .n = n});
        judged(v, out, osc_harmless(v), GROUND);
        return;
    }
    if (v->state == PASSING)
        hail_buf_add(out, st, n);
    enter(v, GROUND);
}

/* Something else begins, or ESC \ has not come: a string that the terminal is in is ended; a C1
 * that was held turns out to be none, and is shown with what followed it. */
static void broken_off(struct hail_visible *v, struct hail_buf *out, uint8_t next)
{
    if (v->state == PASSING)
        hail_buf_str(out, "\033\\");
    if (v->nheld && v->held[0] != ESC && !v->overlong) {
        hail_visible_show(out, (unsigned char)v->held[v->head - 1], v->head == 1);
        hail_buf_add(out, v->held + v->head, v->nheld - v->head);
    }
    if (v->state != GROUND && v->state != SKIPPING)
        v->blocked++;
    enter(v, next);
}

/* A character of a string, or outside of all sequences. */
static void content(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u)
{
    if (v->state == OSC) {
        hold(v, u);
        if (u.cp == BEL || osc_complete(v))
            judged(v, out, osc_harmless(v), GROUND);
    } else if (v->state != SKIPPING) {
        hail_buf_add(out, u.p, u.n);
    }
}

/* ESC, CAN, SUB and the C1 controls: they count in every state. */
static void control(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u)
{
    if (u.cp == ESC && v->state >= OSC) {
        v->escape = true;
    } else if (u.cp == ESC) {
        broken_off(v, out, ESCAPE);
        hold(v, u);
    } else if (u.cp == CAN || u.cp == SUB) {
        bool ground = v->state == GROUND;
        broken_off(v, out, GROUND);
        if (ground)
            hail_buf_add(out, u.p, u.n);
    } else if (u.cp == 0x9C && v->state >= OSC) {
        string_ends(v, out, u.p, u.n);
    } else if (u.cp == 0x90 || u.cp == 0x98 || u.cp >= 0x9D) { /* DCS, SOS, OSC, PM, APC */
        broken_off(v, out, GROUND);
        v->blocked++;
        hail_visible_show(out, u.cp, u.raw);
    } else {
        broken_off(v, out, ESCAPE);
        hold(v, u);
        introduced(v, out, u.cp - 0x40);
    }
}

void hail_visible_session(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u)
{
    if (u.cp == ENQ) {
        v->blocked++;
        return;
    }
    if (v->escape) {
        v->escape = false;
        if (u.cp == '\\') {
            string_ends(v, out, "\033\\", 2);
            return;
        }
        broken_off(v, out, ESCAPE);
        hold(v, (struct hail_visible_unit){.p = "\033", .n = 1});
    }
    if (u.cp == ESC || u.cp == CAN || u.cp == SUB || (u.cp >= 0x80 && u.cp <= 0x9F)) {
        control(v, out, u);
    } else if (v->state == GROUND || v->state >= OSC) {
        content(v, out, u);
    } else if (u.cp > 0x7F) { /* belongs to no sequence */
        broken_off(v, out, GROUND);
        content(v, out, u);
    } else {
        hold(v, u);
        if (u.cp >= ' ' && u.cp != 0x7F) /* a C0 control is obeyed in between */
            in_sequence(v, out, u.cp);
    }
}
