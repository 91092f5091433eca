/* telnet_text.c - commands, negotiations and subnegotiations in words: the lines that BSD telnets
 * show, so that whoever knows them can read hail's. Nothing is read beyond what came. */
#include "proto/telnet_text.h"

#include "base/text.h"

#include <errno.h>

struct text {
    struct hail_buf *out;
    const char *newline;
    unsigned depth; /* of subnegotiations inside STATUS */
};

static void put_name(struct text *x, const char *name, unsigned code)
{
    if (name)
        hail_buf_str(x->out, name);
    else
        hail_buf_printf(x->out, "%u", code);
}

static void put_option(struct text *x, uint8_t option)
{
    put_name(x, option == HAIL_TELNET_IAC ? "EXOPL" : hail_telnet_option_name(option), option);
}

/* A byte where nobody knows whether an option or a command is meant. */
static void put_either(struct text *x, uint8_t c)
{
    const char *name = hail_telnet_option_name(c);
    put_name(x, name ? name : hail_telnet_command_name(c), c);
}

/* Bytes from `i` on that mean nothing here. */
static void put_rest(struct text *x, const char *fmt, const uint8_t *p, size_t i, size_t n)
{
    for (; i < n; i++) {
        hail_buf_char(x->out, ' ');
        hail_buf_str(x->out, fmt);
        hail_buf_printf(x->out, "%u", p[i]);
        hail_buf_str(x->out, fmt);
    }
}

static bool is_empty(struct text *x, size_t n)
{
    if (n == 0)
        hail_buf_str(x->out, " (empty suboption?\?\?)");
    return n == 0;
}

/* TERMINAL-TYPE and X-DISPLAY-LOCATION. */
static void put_is_text(struct text *x, const uint8_t *p, size_t n)
{
    if (is_empty(x, n))
        return;
    if (p[0] == HAIL_TELNET_IS) {
        hail_buf_str(x->out, "IS \"");
        hail_text_safe(x->out, (const char *)p + 1, n - 1, false);
        hail_buf_char(x->out, '"');
    } else if (p[0] == HAIL_TELNET_SEND) {
        hail_buf_str(x->out, "SEND");
    } else {
        hail_buf_printf(x->out, "- unknown qualifier %u (0x%x).", p[0], p[0]);
    }
}

static void put_speed(struct text *x, const uint8_t *p, size_t n)
{
    if (is_empty(x, n))
        return;
    if (p[0] == HAIL_TELNET_IS) {
        hail_buf_str(x->out, " IS ");
        hail_text_safe(x->out, (const char *)p + 1, n - 1, false);
        return;
    }
    if (p[0] == HAIL_TELNET_SEND)
        hail_buf_str(x->out, " SEND");
    else
        hail_buf_printf(x->out, " %u (unknown)", p[0]);
    put_rest(x, "?", p, 1, n);
}

static void put_flow(struct text *x, const uint8_t *p, size_t n)
{
    static const char *const names[] = {" OFF", " ON", " RESTART-ANY", " RESTART-XON"};
    if (is_empty(x, n))
        return;
    if (p[0] < sizeof names / sizeof *names)
        hail_buf_str(x->out, names[p[0]]);
    else
        hail_buf_printf(x->out, " %u (unknown)", p[0]);
    put_rest(x, "?", p, 1, n);
}

static void put_size(struct text *x, const uint8_t *p, size_t n)
{
    if (is_empty(x, n))
        return;
    size_t i = 0;
    for (; i < 4 && i + 2 <= n; i += 2)
        hail_buf_printf(x->out, " %u %u (%u)", p[i], p[i + 1], p[i] << 8 | p[i + 1]);
    put_rest(x, "?", p, i, n);
}

/* --- LINEMODE --- */

static void put_forwardmask(struct text *x, const uint8_t *p, size_t n)
{
    hail_buf_printf(x->out, "%s ", hail_telnet_command_name(p[0]));
    if (n < 2) {
        hail_buf_str(x->out, "(no option?\?\?)");
    } else if (p[1] == 2) {
        hail_buf_str(x->out, "Forward Mask");
        for (size_t i = 2; i < n; i++)
            hail_buf_printf(x->out, " %x", p[i]);
    } else {
        hail_buf_printf(x->out, "%u (unknown)", p[1]);
        put_rest(x, "", p, 2, n);
    }
}

static void put_slc(struct text *x, const uint8_t *p, size_t n)
{
    static const char *const levels[] = {" NOSUPPORT", " CANTCHANGE", " VARIABLE", " DEFAULT"};
    const unsigned modifiers =
        HAIL_TELNET_SLC_ACK | HAIL_TELNET_SLC_FLUSHIN | HAIL_TELNET_SLC_FLUSHOUT;
    size_t i = 1;
    hail_buf_str(x->out, "SLC");
    for (; i + 3 <= n; i += 3) {
        unsigned flags = p[i + 1];
        hail_buf_char(x->out, ' ');
        put_name(x, hail_telnet_slc_name(p[i]), p[i]);
        hail_buf_str(x->out, levels[flags & HAIL_TELNET_SLC_LEVEL]);
        hail_buf_printf(x->out, "%s%s%s", flags & HAIL_TELNET_SLC_ACK ? "|ACK" : "",
                        flags & HAIL_TELNET_SLC_FLUSHIN ? "|FLUSHIN" : "",
                        flags & HAIL_TELNET_SLC_FLUSHOUT ? "|FLUSHOUT" : "");
        if (flags & ~(modifiers | HAIL_TELNET_SLC_LEVEL))
            hail_buf_printf(x->out, "(0x%x)", flags);
        hail_buf_printf(x->out, " %u;", p[i + 2]);
    }
    put_rest(x, "?", p, i, n);
}

static void put_mode(struct text *x, const uint8_t *p, size_t n)
{
    static const char *const names[] = {"EDIT", "TRAPSIG", "ACK", "SOFT_TAB", "LIT_ECHO"};
    static const uint8_t order[] = {0, 1, 3, 4, 2}; /* ACK comes last */
    hail_buf_str(x->out, "MODE ");
    if (n < 2) {
        hail_buf_str(x->out, "(no mode?\?\?)");
        return;
    }
    bool any = false;
    for (size_t i = 0; i < sizeof order; i++) {
        if (!(p[1] & 1U << order[i]))
            continue;
        hail_buf_printf(x->out, "%s%s", any ? "|" : "", names[order[i]]);
        any = true;
    }
    if (!any)
        hail_buf_char(x->out, '0');
    if (p[1] & ~0x1FU)
        hail_buf_printf(x->out, " (0x%x)", p[1]);
    for (size_t i = 2; i < n; i++)
        hail_buf_printf(x->out, " ?0x%x?", p[i]);
}

static void put_linemode(struct text *x, const uint8_t *p, size_t n)
{
    if (is_empty(x, n))
        return;
    if (p[0] >= HAIL_TELNET_WILL && p[0] <= HAIL_TELNET_DONT) {
        put_forwardmask(x, p, n);
    } else if (p[0] == 3) {
        put_slc(x, p, n);
    } else if (p[0] == 1) {
        put_mode(x, p, n);
    } else {
        hail_buf_printf(x->out, "%u (unknown)", p[0]);
        put_rest(x, "", p, 1, n);
    }
}

/* --- NEW-ENVIRON --- */

static void put_environ(struct text *x, const uint8_t *p, size_t n)
{
    static const char *const what[] = {"IS ", "SEND ", "INFO "};
    static const char *const kinds[] = {"VAR ", "VALUE ", "ESC ", "USERVAR "};
    if (n == 0 || p[0] > HAIL_TELNET_INFO)
        return;
    hail_buf_str(x->out, what[p[0]]);
    bool quoted = false;
    for (size_t i = 1; i < n; i++) {
        bool plain = p[i] >= 0x20 && p[i] < 0x7F && p[i] != '"';
        if (plain != quoted)
            hail_buf_str(x->out, quoted ? "\" " : "\"");
        quoted = plain;
        if (plain)
            hail_buf_char(x->out, (char)p[i]);
        else if (p[i] < sizeof kinds / sizeof *kinds)
            hail_buf_str(x->out, kinds[p[i]]);
        else
            hail_buf_printf(x->out, "%03o ", p[i]);
    }
    if (quoted)
        hail_buf_char(x->out, '"');
}

/* --- STATUS --- */

static void put_sub(struct text *x, uint8_t option, const uint8_t *p, size_t n);

/* The state of an option inside STATUS: SB ... SE, with SE doubled in it. Returns where it ends. */
static size_t put_inner(struct text *x, const uint8_t *p, size_t i, size_t n)
{
    struct hail_buf b;
    hail_buf_init(&b, n);
    hail_buf_str(x->out, " SB ");
    bool ended = false;
    for (; i < n && !ended; i++) {
        bool doubled = i + 1 < n && p[i] == HAIL_TELNET_SE && p[i + 1] == HAIL_TELNET_SE;
        ended = p[i] == HAIL_TELNET_SE && !doubled;
        i += doubled;
        if (!ended)
            hail_buf_char(&b, (char)p[i]);
    }
    if (b.failed)
        x->out->failed = b.failed;
    x->depth++;
    if (b.len > 0)
        put_sub(x, (uint8_t)b.p[0], (const uint8_t *)b.p + 1, b.len - 1);
    else
        hail_buf_str(x->out, "(Empty suboption?\?\?)");
    x->depth--;
    hail_buf_str(x->out, ended ? " SE" : "");
    hail_buf_str(x->out, x->newline);
    hail_buf_free(&b);
    return i;
}

static void put_status(struct text *x, const uint8_t *p, size_t n)
{
    if (is_empty(x, n))
        return;
    if (p[0] != HAIL_TELNET_IS) {
        if (p[0] == HAIL_TELNET_SEND)
            hail_buf_str(x->out, " SEND");
        else
            hail_buf_printf(x->out, " %u (unknown)", p[0]);
        put_rest(x, "?", p, 1, n);
        return;
    }
    hail_buf_printf(x->out, " IS%s", x->newline);
    for (size_t i = 1; i < n;) {
        uint8_t c = p[i++];
        if (c >= HAIL_TELNET_WILL && c <= HAIL_TELNET_DONT) {
            hail_buf_printf(x->out, " %s ", hail_telnet_command_name(c));
            if (i < n)
                put_name(x, hail_telnet_option_name(p[i]), p[i]);
            i++;
            hail_buf_str(x->out, x->newline);
        } else if (c == HAIL_TELNET_SB && x->depth == 0) {
            i = put_inner(x, p, i, n);
        } else {
            hail_buf_printf(x->out, " %u", c);
        }
    }
}

/* `n` bytes after the option. */
static void put_sub(struct text *x, uint8_t option, const uint8_t *p, size_t n)
{
    static const struct {
        uint8_t option;
        const char *name;
        void (*put)(struct text *x, const uint8_t *p, size_t n);
    } known[] = {
        {HAIL_TELOPT_TTYPE, "TERMINAL-TYPE ", put_is_text},
        {HAIL_TELOPT_TSPEED, "TERMINAL-SPEED", put_speed},
        {HAIL_TELOPT_LFLOW, "TOGGLE-FLOW-CONTROL", put_flow},
        {HAIL_TELOPT_NAWS, "NAWS", put_size},
        {HAIL_TELOPT_LINEMODE, "LINEMODE ", put_linemode},
        {HAIL_TELOPT_STATUS, "STATUS", put_status},
        {HAIL_TELOPT_XDISPLOC, "X-DISPLAY-LOCATION ", put_is_text},
        {HAIL_TELOPT_NEW_ENVIRON, "NEW-ENVIRON ", put_environ},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].option == option) {
            hail_buf_str(x->out, known[i].name);
            known[i].put(x, p, n);
            return;
        }
    put_name(x, hail_telnet_option_name(option), option);
    hail_buf_str(x->out, " (unknown)");
    put_rest(x, "", p, 0, n);
}

static void put_event_sub(struct text *x, const struct hail_telnet_event *e)
{
    const char *direction = e->sent ? "SENT" : "RCVD";
    bool whole = e->end[0] == HAIL_TELNET_IAC && e->end[1] == HAIL_TELNET_SE;
    if (!whole) {
        hail_buf_printf(x->out, "In SUBOPTION processing, %s IAC ", direction);
        put_name(x, hail_telnet_command_name(e->end[1]), e->end[1]);
        hail_buf_str(x->out, x->newline);
    }
    hail_buf_printf(x->out, "%s IAC SB ", direction);
    if (!whole && e->p) {
        hail_buf_str(x->out, "(terminated by ");
        put_either(x, e->end[0]);
        hail_buf_char(x->out, ' ');
        put_either(x, e->end[1]);
        hail_buf_str(x->out, ", not IAC SE!) ");
    }
    if (e->p)
        put_sub(x, e->option, e->p, e->n);
    else
        hail_buf_str(x->out, "(Empty suboption?\?\?)");
    hail_buf_str(x->out, x->newline);
}

int hail_telnet_describe(struct hail_buf *out, const struct hail_telnet_event *e,
                         const char *newline)
{
    struct text x = {.out = out, .newline = newline};
    const char *direction = e->sent ? "SENT" : "RCVD";
    switch (e->type) {
    case HAIL_TELNET_COMMAND:
        hail_buf_printf(out, "%s IAC ", direction);
        put_name(&x, hail_telnet_command_name(e->code), e->code);
        hail_buf_str(out, newline);
        break;
    case HAIL_TELNET_NEGOTIATION:
        hail_buf_printf(out, "%s %s ", direction, hail_telnet_command_name(e->code));
        put_option(&x, e->option);
        hail_buf_str(out, newline);
        break;
    case HAIL_TELNET_SUB:
        put_event_sub(&x, e);
        break;
    default:
        break;
    }
    return out->failed;
}
