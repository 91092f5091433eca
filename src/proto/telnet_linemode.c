/* telnet_linemode.c - LINEMODE on the client's side, RFC 1184: the mode, and the negotiation of the
 * special characters, each with a level.
 *
 * It ends, because what is as it should be is not answered, the ACK of a character never is, and
 * this side never asks for more than its own highest level: of two sides that disagree, the one
 * with the higher level gives in. Two that both leave it to the other (DEFAULT) have none. */
#include "proto/telnet.h"

#include <errno.h>
#include <string.h>

enum { LM_MODE = 1, LM_FORWARDMASK = 2, LM_SLC = 3 };

#define MODE_BITS                                                                                  \
    (HAIL_TELNET_MODE_EDIT | HAIL_TELNET_MODE_TRAPSIG | HAIL_TELNET_MODE_SOFT_TAB |                \
     HAIL_TELNET_MODE_LIT_ECHO)

unsigned hail_telnet_mode(const struct hail_telnet *t)
{
    return t->mode;
}

struct hail_telnet_slc hail_telnet_slc(const struct hail_telnet *t, unsigned function)
{
    if (function >= HAIL_TELNET_NSLC)
        return (struct hail_telnet_slc){0};
    return t->slc[function];
}

/* Triplets on their way out; sent when there is no room for another. */
struct triplets {
    struct hail_telnet *t;
    size_t n;
    uint8_t p[1 + 3 * 80];
};

static void finish(struct triplets *out)
{
    if (out->n > 0) {
        out->p[0] = LM_SLC;
        hail_telnet_send_sub(out->t, HAIL_TELOPT_LINEMODE, out->p, 1 + out->n);
    }
    out->n = 0;
}

static void add(struct triplets *out, unsigned function, struct hail_telnet_slc c)
{
    if (out->n + 3 > sizeof out->p - 1)
        finish(out);
    uint8_t *p = out->p + 1 + out->n;
    p[0] = (uint8_t)function;
    p[1] = c.flags;
    p[2] = c.value;
    out->n += 3;
}

/* What this side has to say about a function: the terminal's character with its level, or that
 * there is none. */
static struct hail_telnet_slc own(const struct hail_telnet *t, unsigned function)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    struct hail_telnet_slc c = {0};
    if (term && term->slc[function].value) {
        c = term->slc[function];
        c.flags &= (uint8_t)~HAIL_TELNET_SLC_ACK;
    }
    return c;
}

static unsigned highest(const struct hail_telnet *t, unsigned function)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    return term ? term->slc[function].flags & HAIL_TELNET_SLC_LEVEL : HAIL_TELNET_SLC_NOSUPPORT;
}

int hail_telnet_slc_export(struct hail_telnet *t)
{
    if (!hail_telnet_ours(t, HAIL_TELOPT_LINEMODE))
        return t->failed;
    struct triplets out = {.t = t};
    for (unsigned f = 1; f < HAIL_TELNET_NSLC; f++) {
        t->slc[f] = own(t, f);
        if (highest(t, f) != HAIL_TELNET_SLC_NOSUPPORT)
            add(&out, f, t->slc[f]);
    }
    finish(&out);
    return t->failed;
}

int hail_telnet_slc_import(struct hail_telnet *t, bool defaults)
{
    if (!hail_telnet_ours(t, HAIL_TELOPT_LINEMODE))
        return t->failed;
    struct triplets out = {.t = t};
    add(&out, 0,
        (struct hail_telnet_slc){
            defaults ? HAIL_TELNET_SLC_DEFAULT : HAIL_TELNET_SLC_VALUE,
            0,
        });
    finish(&out);
    return t->failed;
}

int hail_telnet_slc_check(struct hail_telnet *t)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    if (!term || !hail_telnet_ours(t, HAIL_TELOPT_LINEMODE))
        return t->failed;
    struct triplets out = {.t = t};
    for (unsigned f = 1; f < HAIL_TELNET_NSLC; f++)
        if (highest(t, f) != HAIL_TELNET_SLC_NOSUPPORT && t->slc[f].value != term->slc[f].value) {
            t->slc[f] = own(t, f);
            add(&out, f, t->slc[f]);
        }
    finish(&out);
    return t->failed;
}

/* The peer's character is taken. */
static void take(struct hail_telnet *t, unsigned function, struct hail_telnet_slc c)
{
    bool changed = t->slc[function].value != c.value;
    c.flags &= (uint8_t)~HAIL_TELNET_SLC_ACK;
    t->slc[function] = c;
    if (changed)
        hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_SLC,
                                                        .code = (uint8_t)function,
                                                        .value = c.value});
}

/* One triplet, RFC 1184 section 5.5. */
static void triplet(struct triplets *out, unsigned f, struct hail_telnet_slc c)
{
    struct hail_telnet *t = out->t;
    unsigned level = c.flags & HAIL_TELNET_SLC_LEVEL;
    if (f == 0)
        return; /* all functions: only a client asks so */
    if (f >= HAIL_TELNET_NSLC) {
        if (level != HAIL_TELNET_SLC_NOSUPPORT)
            add(out, f, (struct hail_telnet_slc){0});
        return;
    }
    unsigned now = t->slc[f].flags & HAIL_TELNET_SLC_LEVEL;
    if (level == now && c.value == t->slc[f].value)
        return;
    if (level == HAIL_TELNET_SLC_DEFAULT) { /* asks for ours; with an ACK, too */
        t->slc[f] =
            highest(t, f) == HAIL_TELNET_SLC_DEFAULT ? (struct hail_telnet_slc){0} : own(t, f);
        add(out, f, t->slc[f]);
    } else if (c.flags & HAIL_TELNET_SLC_ACK) {
        if (level == now)
            take(t, f, c);
    } else if (level <= highest(t, f)) {
        take(t, f, c);
        c.flags |= HAIL_TELNET_SLC_ACK;
        add(out, f, c);
    } else {
        add(out, f, t->slc[f]);
    }
}

static void take_mode(struct hail_telnet *t, uint8_t mode)
{
    uint8_t bits = mode & MODE_BITS;
    if ((mode & HAIL_TELNET_MODE_ACK) || mode == t->mode)
        return;
    t->mode = bits;
    const uint8_t b[] = {LM_MODE, bits | HAIL_TELNET_MODE_ACK};
    hail_telnet_send_sub(t, HAIL_TELOPT_LINEMODE, b, sizeof b);
    hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_MODE, .code = bits});
}

int hail_telnet_ask_mode(struct hail_telnet *t, unsigned mode)
{
    if (!hail_telnet_ours(t, HAIL_TELOPT_LINEMODE))
        return -EOPNOTSUPP;
    mode &= MODE_BITS;
    if (mode == t->mode)
        return t->failed;
    t->mode = (uint8_t)mode;
    const uint8_t b[] = {LM_MODE, t->mode};
    hail_telnet_send_sub(t, HAIL_TELOPT_LINEMODE, b, sizeof b);
    return t->failed;
}

void hail_telnet_linemode_came(struct hail_telnet *t, const uint8_t *p, size_t n)
{
    switch (p[0]) {
    case HAIL_TELNET_DO: /* FORWARDMASK, and what may come after it: refused */
    case HAIL_TELNET_WILL:
        if (n > 1) {
            const uint8_t b[] = {p[0] == HAIL_TELNET_DO ? HAIL_TELNET_WONT : HAIL_TELNET_DONT,
                                 p[1]};
            hail_telnet_send_sub(t, HAIL_TELOPT_LINEMODE, b, sizeof b);
        }
        break;
    case LM_MODE:
        if (n == 2)
            take_mode(t, p[1]);
        break;
    case LM_SLC: {
        struct triplets out = {.t = t};
        for (size_t i = 1; i + 3 <= n; i += 3)
            triplet(&out, p[i], (struct hail_telnet_slc){p[i + 1], p[i + 2]});
        finish(&out);
        break;
    }
    default:
        break;
    }
}
