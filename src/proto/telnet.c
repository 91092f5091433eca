/* telnet.c - the stream of TELNET: what comes in taken apart into data, commands and
 * subnegotiations, byte by byte or at once with the same result; what goes out put together.
 *
 *            IAC            WILL WONT DO DONT           option
 *   DATA ---------> IAC --------------------> VERB ---------------> DATA
 *    ^  <---------   |                                               ^
 *    |   any other   | SB          option          IAC               | SE
 *    |               +-----> SUB ----------> BODY <-----> BODY_IAC --+
 *    |                        IAC IAC: an option, too     IAC IAC: a byte
 *    |                                                    another: broken off, a command begins
 */
#include "proto/telnet.h"

#include <errno.h>
#include <string.h>

enum { DATA, IAC, VERB, SUB, SUB_IAC, BODY, BODY_IAC };

/* A CR has come and its second byte has not. */
enum { NO_CR, CR_TOLD, CR_HELD };

void hail_telnet_init(struct hail_telnet *t, const struct hail_telnet_config *config)
{
    memset(t, 0, sizeof *t);
    t->config = *config;
}

static void put(struct hail_telnet *t, const void *p, size_t n, bool urgent)
{
    if (t->failed || n == 0)
        return;
    int r = t->config.send(t->config.arg, p, n, urgent);
    if (r < 0)
        t->failed = r;
}

/* A CR that was sent last gets the byte that makes it one, before something else follows. */
static void complete_cr(struct hail_telnet *t)
{
    if (t->sent_cr)
        put(t, t->newline.cr_crlf ? "\n" : "", 1, false);
    t->sent_cr = false;
}

void hail_telnet_put(struct hail_telnet *t, const void *p, size_t n, bool urgent)
{
    complete_cr(t);
    put(t, p, n, urgent);
}

void hail_telnet_tell(const struct hail_telnet *t, const struct hail_telnet_event *e)
{
    t->config.event(t->config.arg, e);
}

void hail_telnet_pause(struct hail_telnet *t)
{
    t->paused = true;
}

void hail_telnet_urgent(struct hail_telnet *t)
{
    t->synch = true;
}

/* The first byte of a set, the likeliest first in it; `end` if there is none. Looked for in
 * windows, so that finding a near one does not cost a walk to the end for the others. */
static const uint8_t *find(const uint8_t *p, const uint8_t *end, const char *set)
{
    const size_t window = set[1] ? 256 : SIZE_MAX;
    while (p < end) {
        size_t n = (size_t)(end - p) < window ? (size_t)(end - p) : window, near = n;
        for (const char *c = set; *c; c++) {
            const uint8_t *q = memchr(p, (uint8_t)*c, near);
            near = q ? (size_t)(q - p) : near;
        }
        p += near;
        if (near < n)
            break;
    }
    return p;
}

/* --- received --- */

static void give(const struct hail_telnet *t, const void *p, size_t n)
{
    if (n > 0 && !t->synch && !t->flushing)
        hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_DATA, .p = p, .n = n});
}

/* The peer's newlines are the NVT's; what it sends while it is asked to leave BINARY still is
 * binary. */
static bool takes_newlines(const struct hail_telnet *t)
{
    return !t->newline.raw && !hail_telnet_theirs(t, HAIL_TELOPT_BINARY) &&
           !(hail_telnet_pending(t, HAIL_TELOPT_BINARY, false) &&
             !hail_telnet_wanted(t, HAIL_TELOPT_BINARY, false));
}

static bool folds(const struct hail_telnet *t)
{
    return t->newline.fold_crlf && !hail_telnet_theirs(t, HAIL_TELOPT_ECHO);
}

/* The byte after a CR has come, or (-1) none will as data. Returns whether it is used up. */
static bool after_cr(struct hail_telnet *t, int c)
{
    int held = t->held_cr;
    t->held_cr = NO_CR;
    if (held == CR_HELD && !(c == '\n' && folds(t)))
        give(t, "\r\n", c != '\0' && c != '\n' && t->newline.crmod ? 2 : 1);
    return c == '\0';
}

/* Data up to what has a meaning; at least one byte is used. */
static const uint8_t *take_data(struct hail_telnet *t, const uint8_t *p, const uint8_t *end)
{
    if (t->held_cr && after_cr(t, *p == HAIL_TELNET_IAC ? -1 : *p))
        return p + 1;
    const uint8_t *q = find(p, end, takes_newlines(t) ? "\r\377" : "\377");
    if (q < end && *q == HAIL_TELNET_IAC) {
        t->state = IAC;
    } else if (q < end) {
        bool hold = t->newline.crmod || folds(t);
        t->held_cr = hold ? CR_HELD : CR_TOLD;
        give(t, p, (size_t)(q - p) + !hold);
        return q + 1;
    }
    give(t, p, (size_t)(q - p));
    return q + (q < end);
}

static void take_command(struct hail_telnet *t, uint8_t c)
{
    t->state = DATA;
    switch (c) {
    case HAIL_TELNET_WILL:
    case HAIL_TELNET_WONT:
    case HAIL_TELNET_DO:
    case HAIL_TELNET_DONT:
        t->verb = c;
        t->state = VERB;
        return;
    case HAIL_TELNET_SB:
        t->state = SUB;
        t->sub_n = 0;
        t->sub_dropped = false;
        return;
    case HAIL_TELNET_IAC:
        give(t, "\xff", 1);
        return;
    case HAIL_TELNET_DM:
        t->synch = false;
        break;
    default:
        break;
    }
    hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_COMMAND, .code = c});
}

static void add_body(struct hail_telnet *t, const uint8_t *p, size_t n)
{
    if (n == 0 || t->sub_dropped)
        return;
    if (n > t->config.sub_size - t->sub_n) {
        t->sub_dropped = true;
        hail_telnet_tell(
            t, &(struct hail_telnet_event){.type = HAIL_TELNET_DROPPED, .option = t->sub_option});
        return;
    }
    memcpy(t->config.sub + t->sub_n, p, n);
    t->sub_n += n;
}

static void end_body(struct hail_telnet *t, bool has_option, uint8_t c)
{
    t->state = DATA;
    static const uint8_t nothing;
    if (!t->sub_dropped)
        hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_SUB,
                                                        .option = has_option ? t->sub_option : 0,
                                                        .end = {HAIL_TELNET_IAC, c},
                                                        .p = !has_option ? NULL
                                                             : t->sub_n  ? t->config.sub
                                                                         : &nothing,
                                                        .n = t->sub_n});
    if (!t->sub_dropped && has_option && t->sub_n > 0)
        hail_telnet_sub_came(t, t->sub_option, t->config.sub, t->sub_n);
    if (c != HAIL_TELNET_SE)
        take_command(t, c);
}

static const uint8_t *take_body(struct hail_telnet *t, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q = memchr(p, HAIL_TELNET_IAC, (size_t)(end - p));
    size_t n = (size_t)((q ? q : end) - p);
    add_body(t, p, n);
    if (q)
        t->state = BODY_IAC;
    return p + n + (q != NULL);
}

static void take_byte(struct hail_telnet *t, uint8_t c)
{
    switch (t->state) {
    case IAC:
        take_command(t, c);
        break;
    case VERB:
        t->state = DATA;
        hail_telnet_negotiated(t, t->verb, c);
        break;
    case SUB:
        t->sub_option = c;
        t->state = c == HAIL_TELNET_IAC ? SUB_IAC : BODY;
        break;
    case SUB_IAC: /* an option 255 is doubled as well */
        if (c == HAIL_TELNET_IAC)
            t->state = BODY;
        else
            end_body(t, false, c);
        break;
    default: /* BODY_IAC */
        if (c == HAIL_TELNET_IAC) {
            t->state = BODY;
            add_body(t, &c, 1);
        } else {
            end_body(t, true, c);
        }
        break;
    }
}

ssize_t hail_telnet_receive(struct hail_telnet *t, const void *data, size_t n)
{
    const uint8_t *p = data, *end = p + n;
    t->paused = false;
    while (p < end && !t->paused && !t->failed) {
        if (t->state == DATA)
            p = take_data(t, p, end);
        else if (t->state == BODY)
            p = take_body(t, p, end);
        else
            take_byte(t, *p++);
    }
    return t->failed ? t->failed : p - (const uint8_t *)data;
}

int hail_telnet_end(struct hail_telnet *t)
{
    if (t->held_cr)
        after_cr(t, -1);
    return t->state == DATA ? 0 : -EPROTO;
}

/* --- sent --- */

static void put_special(struct hail_telnet *t, uint8_t c)
{
    if (c == HAIL_TELNET_IAC) {
        put(t, "\xff\xff", 2, false);
    } else if (c == '\n') {
        put(t, "\r\n", 2, false);
    } else {
        put(t, "\r", 1, false);
        t->sent_cr = true;
        if (!t->newline.lines)
            complete_cr(t);
    }
}

int hail_telnet_send_data(struct hail_telnet *t, const void *data, size_t n)
{
    const uint8_t *p = data, *end = p + n;
    bool raw = t->newline.raw || hail_telnet_ours(t, HAIL_TELOPT_BINARY);
    const char *special = raw ? "\377" : t->newline.lines ? "\r\n\377" : "\r\377";
    if (n == 0)
        complete_cr(t);
    while (p < end && !t->failed) {
        if (t->sent_cr && *p == '\n') {
            put(t, "\n", 1, false);
            t->sent_cr = false;
            p++;
            continue;
        }
        complete_cr(t);
        const uint8_t *q = find(p, end, special);
        put(t, p, (size_t)(q - p), false);
        if (q < end)
            put_special(t, *q++);
        p = q;
    }
    return t->failed;
}

int hail_telnet_send_command(struct hail_telnet *t, uint8_t command)
{
    if (command < HAIL_TELNET_EOF || command == HAIL_TELNET_SE || command >= HAIL_TELNET_SB)
        return -EINVAL;
    hail_telnet_put(t, "\xff", 1, false);
    hail_telnet_put(t, &command, 1, command == HAIL_TELNET_DM);
    hail_telnet_tell(
        t, &(struct hail_telnet_event){.type = HAIL_TELNET_COMMAND, .sent = true, .code = command});
    return t->failed;
}

int hail_telnet_send_sub(struct hail_telnet *t, uint8_t option, const void *data, size_t n)
{
    const uint8_t *p = data, *end = p + n;
    uint8_t head[] = {HAIL_TELNET_IAC, HAIL_TELNET_SB, option, option};
    hail_telnet_put(t, head, option == HAIL_TELNET_IAC ? 4 : 3, false);
    while (p < end) {
        const uint8_t *q = memchr(p, HAIL_TELNET_IAC, (size_t)(end - p));
        hail_telnet_put(t, p, (size_t)((q ? q + 1 : end) - p), false);
        if (q)
            hail_telnet_put(t, q, 1, false);
        p = q ? q + 1 : end;
    }
    hail_telnet_put(t, "\xff\xf0", 2, false);
    hail_telnet_tell(t, &(struct hail_telnet_event){.type = HAIL_TELNET_SUB,
                                                    .sent = true,
                                                    .option = option,
                                                    .end = {HAIL_TELNET_IAC, HAIL_TELNET_SE},
                                                    .p = n ? data : &(const uint8_t){0},
                                                    .n = n});
    return t->failed;
}
