/* telnet_negotiate.c - WILL, WONT, DO, DONT by the Q method of RFC 1143, for each of 256 options on
 * either side. A state and one place in a queue keep two sides that change their minds at once from
 * answering each other for ever.
 *
 *              asked on                    agreed
 *       NO ---------------> WANTYES ---------------> YES
 *        ^                                             |
 *        +------------------ WANTNO <------------------+
 *              agreed                      asked off
 *
 * Asked for the opposite while an answer is awaited, the wish is queued (OPPOSITE). */
#include "proto/telnet.h"

#include <errno.h>
#include <string.h>

enum {
    NO = 0,
    YES = 1,
    WANTNO = 2,
    WANTYES = 3,
    STATE = 3,
    OPPOSITE = 4, /* queued */
    ALLOWED = 8   /* the peer's request is agreed to */
};

static uint8_t *side(struct hail_telnet *t, uint8_t option, bool ours)
{
    return ours ? &t->ours[option] : &t->theirs[option];
}

static unsigned state(const struct hail_telnet *t, uint8_t option, bool ours)
{
    return (ours ? t->ours : t->theirs)[option];
}

bool hail_telnet_ours(const struct hail_telnet *t, uint8_t option)
{
    return (t->ours[option] & STATE) == YES;
}

bool hail_telnet_theirs(const struct hail_telnet *t, uint8_t option)
{
    return (t->theirs[option] & STATE) == YES;
}

bool hail_telnet_wanted(const struct hail_telnet *t, uint8_t option, bool ours)
{
    unsigned q = state(t, option, ours);
    bool on = (q & STATE) == YES || (q & STATE) == WANTYES;
    return on != ((q & OPPOSITE) != 0);
}

bool hail_telnet_pending(const struct hail_telnet *t, uint8_t option, bool ours)
{
    return (state(t, option, ours) & STATE) >= WANTNO;
}

void hail_telnet_allow(struct hail_telnet *t, uint8_t option, bool ours, bool theirs)
{
    t->ours[option] = (uint8_t)((t->ours[option] & ~ALLOWED) | (ours ? ALLOWED : 0));
    t->theirs[option] = (uint8_t)((t->theirs[option] & ~ALLOWED) | (theirs ? ALLOWED : 0));
}

void hail_telnet_allow_client(struct hail_telnet *t)
{
    static const uint8_t ours[] = {HAIL_TELOPT_TM,         HAIL_TELOPT_TTYPE, HAIL_TELOPT_NAWS,
                                   HAIL_TELOPT_TSPEED,     HAIL_TELOPT_LFLOW, HAIL_TELOPT_LINEMODE,
                                   HAIL_TELOPT_NEW_ENVIRON};
    for (size_t i = 0; i < sizeof ours; i++)
        hail_telnet_allow(t, ours[i], true, false);
    hail_telnet_allow(t, HAIL_TELOPT_BINARY, true, true);
    hail_telnet_allow(t, HAIL_TELOPT_SGA, true, true);
    hail_telnet_allow(t, HAIL_TELOPT_ECHO, false, true);
    hail_telnet_allow(t, HAIL_TELOPT_STATUS, false, true);
    if (t->config.terminal && t->config.terminal->display)
        hail_telnet_allow(t, HAIL_TELOPT_XDISPLOC, true, false);
}

static void say(struct hail_telnet *t, uint8_t verb, uint8_t option)
{
    const uint8_t bytes[] = {HAIL_TELNET_IAC, verb, option};
    hail_telnet_put(t, bytes, sizeof bytes, false);
    hail_telnet_tell(
        t, &(struct hail_telnet_event){
               .type = HAIL_TELNET_NEGOTIATION, .sent = true, .code = verb, .option = option});
}

/* WILL or WONT for our side, DO or DONT for the peer's. */
static void request(struct hail_telnet *t, uint8_t option, bool ours, bool on)
{
    if (ours)
        say(t, on ? HAIL_TELNET_WILL : HAIL_TELNET_WONT, option);
    else
        say(t, on ? HAIL_TELNET_DO : HAIL_TELNET_DONT, option);
}

/* Goes into a state with an empty queue, says what belongs to it, and what came of it. */
/* NOLINTNEXTLINE(misc-no-recursion): once, from LINEMODE to SGA */
static void become(struct hail_telnet *t, uint8_t option, bool ours, uint8_t to, bool told)
{
    uint8_t *q = side(t, option, ours);
    bool was = (*q & STATE) == YES, is = to == YES;
    if (ours && is && option == HAIL_TELOPT_LINEMODE) /* no GO AHEAD with it: RFC 1184 */
        hail_telnet_ask(t, HAIL_TELNET_DO, HAIL_TELOPT_SGA);
    *q = (uint8_t)((*q & ALLOWED) | to);
    if (told)
        request(t, option, ours, to == YES || to == WANTYES);
    if (was == is)
        return;
    hail_telnet_tell(t, &(struct hail_telnet_event){
                            .type = HAIL_TELNET_OPTION, .ours = ours, .on = is, .option = option});
    if (ours && is)
        hail_telnet_ours_on(t, option);
    else if (ours)
        hail_telnet_ours_off(t, option);
}

/* The peer wants, or agrees to, the option on. */
static void came_on(struct hail_telnet *t, uint8_t option, bool ours)
{
    unsigned q = state(t, option, ours);
    switch (q & STATE) {
    case NO:
        if (q & ALLOWED)
            become(t, option, ours, YES, true);
        else
            request(t, option, ours, false);
        break;
    case YES:
        break;
    case WANTNO: /* the peer may not answer so; RFC 1143 says how to come out of it */
        become(t, option, ours, q & OPPOSITE ? YES : NO, false);
        break;
    default:
        if (q & OPPOSITE)
            become(t, option, ours, WANTNO, true);
        else
            become(t, option, ours, YES, false);
        break;
    }
}

static void came_off(struct hail_telnet *t, uint8_t option, bool ours)
{
    unsigned q = state(t, option, ours);
    switch (q & STATE) {
    case NO:
        break;
    case YES:
        become(t, option, ours, NO, true);
        break;
    case WANTNO:
        if (q & OPPOSITE)
            become(t, option, ours, WANTYES, true);
        else
            become(t, option, ours, NO, false);
        break;
    default: /* refused; a queued wish for off is fulfilled */
        become(t, option, ours, NO, false);
        break;
    }
}

/* TIMING MARK has no state: each DO is answered, and no WILL or WONT is (RFC 860). */
static void mark(struct hail_telnet *t, uint8_t verb)
{
    if (verb == HAIL_TELNET_DO) {
        bool allowed = t->ours[HAIL_TELOPT_TM] & ALLOWED;
        say(t, allowed ? HAIL_TELNET_WILL : HAIL_TELNET_WONT, HAIL_TELOPT_TM);
        return;
    }
    if (verb == HAIL_TELNET_DONT || t->marks == 0)
        return;
    t->marks--;
    t->flushing = t->flushing && t->marks > 0;
    hail_telnet_tell(
        t, &(struct hail_telnet_event){.type = HAIL_TELNET_MARK, .on = verb == HAIL_TELNET_WILL});
}

void hail_telnet_negotiated(struct hail_telnet *t, uint8_t verb, uint8_t option)
{
    hail_telnet_tell(t, &(struct hail_telnet_event){
                            .type = HAIL_TELNET_NEGOTIATION, .code = verb, .option = option});
    bool ours = verb == HAIL_TELNET_DO || verb == HAIL_TELNET_DONT;
    if (option == HAIL_TELOPT_TM)
        mark(t, verb);
    else if (verb == HAIL_TELNET_DO || verb == HAIL_TELNET_WILL)
        came_on(t, option, ours);
    else
        came_off(t, option, ours);
}

/* NOLINTNEXTLINE(misc-no-recursion): see become() */
int hail_telnet_ask(struct hail_telnet *t, uint8_t verb, uint8_t option)
{
    if (verb < HAIL_TELNET_WILL || verb > HAIL_TELNET_DONT)
        return -EINVAL;
    bool ours = verb <= HAIL_TELNET_WONT;
    bool on = verb == HAIL_TELNET_WILL || verb == HAIL_TELNET_DO;
    if (option == HAIL_TELOPT_TM) {
        t->marks += verb == HAIL_TELNET_DO;
        say(t, verb, option);
        return t->failed;
    }
    uint8_t *q = side(t, option, ours);
    if (hail_telnet_wanted(t, option, ours) == on)
        return t->failed;
    if ((*q & STATE) < WANTNO)
        become(t, option, ours, on ? WANTYES : WANTNO, true);
    else
        *q ^= OPPOSITE;
    return t->failed;
}

int hail_telnet_flush_output(struct hail_telnet *t)
{
    t->flushing = true;
    return hail_telnet_ask(t, HAIL_TELNET_DO, HAIL_TELOPT_TM);
}

int hail_telnet_begin(struct hail_telnet *t)
{
    static const uint8_t wishes[][2] = {
        {HAIL_TELNET_DO, HAIL_TELOPT_SGA},           {HAIL_TELNET_WILL, HAIL_TELOPT_TTYPE},
        {HAIL_TELNET_WILL, HAIL_TELOPT_NAWS},        {HAIL_TELNET_WILL, HAIL_TELOPT_TSPEED},
        {HAIL_TELNET_WILL, HAIL_TELOPT_LFLOW},       {HAIL_TELNET_WILL, HAIL_TELOPT_LINEMODE},
        {HAIL_TELNET_WILL, HAIL_TELOPT_NEW_ENVIRON}, {HAIL_TELNET_DO, HAIL_TELOPT_STATUS}};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        hail_telnet_ask(t, wishes[i][0], wishes[i][1]);
    if (t->config.terminal && t->config.terminal->display)
        hail_telnet_ask(t, HAIL_TELNET_WILL, HAIL_TELOPT_XDISPLOC);
    return t->failed;
}
