/* expect.c - what comes, cut into replies in any pieces, and compared with what a script waits for.
 *
 *   bytes --> line --> belongs to the reply that has begun?   250-, dot
 *                  --> each pattern that is not met yet, each that must not come
 *            at the reply's end: all met -> MET; an answer -> WRONG; else passed over -> MORE
 */
#include "proto/script.h"

#include <errno.h>
#include <string.h>

/* --- answers --- */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether a tag's word, " OK" or the like, stands at p. */
static bool word(const char *p, size_t n, const char *text)
{
    size_t len = strlen(text);
    return n >= len && memcmp(p, text, len) == 0 && (n == len || p[len] == ' ');
}

/* IMAP: the tag that was given, and how it went. */
static enum hail_answer tagged(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (digit(p[i]) || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z')))
        i++;
    if (i == 0 || i > 16)
        return HAIL_ANSWER_NONE;
    if (word(p + i, n - i, " OK"))
        return HAIL_ANSWER_OK;
    return word(p + i, n - i, " NO") || word(p + i, n - i, " BAD") ? HAIL_ANSWER_REFUSAL
                                                                   : HAIL_ANSWER_NONE;
}

/* A code of three digits at p. */
static enum hail_answer coded(const char *p, size_t n, char code[4], bool *more)
{
    if (!digit(p[0]) || !digit(p[1]) || !digit(p[2]) || p[0] < '1' || p[0] > '5')
        return HAIL_ANSWER_NONE;
    if (n > 3 && p[3] != ' ' && p[3] != '-')
        return HAIL_ANSWER_NONE;
    memcpy(code, p, 3);
    code[3] = '\0';
    *more = n > 3 && p[3] == '-';
    if (p[0] == '1')
        return HAIL_ANSWER_BEGINS;
    return p[0] <= '3' ? HAIL_ANSWER_OK : HAIL_ANSWER_REFUSAL;
}

enum hail_answer hail_answer_of(const char *p, size_t n, char code[4], bool *more)
{
    char status[4];
    bool dash;
    code[0] = '\0';
    *more = false;
    if (n >= 3 && digit(p[0]))
        return coded(p, n, code, more) != HAIL_ANSWER_NONE ? coded(p, n, code, more) : tagged(p, n);
    if (word(p, n, "+OK"))
        return HAIL_ANSWER_OK;
    if (word(p, n, "-ERR"))
        return HAIL_ANSWER_REFUSAL;
    if (n >= 12 && memcmp(p, "HTTP/", 5) == 0 && digit(p[5]) && p[8] == ' ')
        return coded(p + 9, n - 9, status, &dash);
    return tagged(p, n);
}

bool hail_answer_may_come(const char *p, size_t n)
{
    static const char *const fronts[] = {"+OK", "-ERR", "HTTP/"};
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        size_t len = strlen(fronts[i]);
        if (memcmp(p, fronts[i], n < len ? n : len) == 0)
            return true;
    }
    size_t digits = 0;
    while (digits < n && digit(p[digits]))
        digits++;
    return digits && digits <= 3 && (digits == n || (digits == 3 && (p[3] == ' ' || p[3] == '-')));
}

/* --- waiting --- */

static int compile(const struct hail_script *s, size_t at, regex_t *re)
{
    struct hail_script_fault fault;
    return hail_script_compile(s->v[at].text, s->v[at].n, re, &fault);
}

void hail_expect_free(struct hail_expect *e)
{
    while (e->nwant)
        regfree(&e->want[--e->nwant]);
    while (e->nreject)
        regfree(&e->reject[--e->nreject]);
}

int hail_expect_begin(struct hail_expect *e, const struct hail_script *script, size_t at)
{
    int rc = 0;
    size_t end = at;
    bool waits = at < script->n && script->v[at].verb == HAIL_SCRIPT_EXPECT;
    hail_expect_free(e);
    e->script = script;
    e->dot = waits && script->v[at].dot;
    e->met = 0;
    e->passed = e->lines = e->nreply = 0;
    for (; rc == 0 && waits && end < script->n; end++) {
        if (end > at && script->v[end].verb != HAIL_SCRIPT_ALSO)
            break;
        rc = compile(script, end, &e->want[e->nwant]);
        e->nwant += rc == 0;
    }
    end += end < script->n && !waits;
    while (end < script->n && script->v[end].verb == HAIL_SCRIPT_REJECT)
        end++;
    for (size_t i = 0; rc == 0 && i < end; i++) {
        if (script->v[i].verb != HAIL_SCRIPT_REJECT)
            continue;
        e->reject_step[e->nreject] = i;
        rc = compile(script, i, &e->reject[e->nreject]);
        e->nreject += rc == 0;
    }
    if (rc < 0)
        hail_expect_free(e);
    return rc;
}

/* Keeps the front of the reply, to be shown. */
static void keep(struct hail_expect *e, const char *p, size_t n)
{
    size_t room = sizeof e->reply - e->nreply;
    if (e->lines && room) {
        e->reply[e->nreply++] = '\n';
        room--;
    }
    n = n < room ? n : room;
    if (n)
        memcpy(e->reply + e->nreply, p, n);
    e->nreply += n;
}

static bool rejects(struct hail_expect *e, const char *p, size_t n)
{
    for (size_t i = 0; i < e->nreject; i++)
        if (hail_script_match(&e->reject[i], p, n)) {
            e->rejected = e->reject_step[i];
            return true;
        }
    return false;
}

static void compare(struct hail_expect *e, const char *p, size_t n)
{
    for (size_t i = 0; i < e->nwant; i++) {
        uint64_t bit = (uint64_t)1 << i;
        if (!(e->met & bit) && hail_script_match(&e->want[i], p, n))
            e->met |= bit;
    }
}

static bool all_met(const struct hail_expect *e)
{
    return e->nwant && e->met == ~(uint64_t)0 >> (HAIL_SCRIPT_GROUP - e->nwant);
}

/* A line begins a reply: what kind, and so whether it is the only one. */
static void begin_reply(struct hail_expect *e, const char *p, size_t n)
{
    bool more;
    enum hail_answer answer = hail_answer_of(p, n, e->code, &more);
    e->answer = answer == HAIL_ANSWER_OK || answer == HAIL_ANSWER_REFUSAL;
    e->dotted = e->dot && answer != HAIL_ANSWER_REFUSAL && !more;
    e->inside = more || e->dotted;
    e->nreply = e->lines = 0;
    e->met = 0;
}

static bool ends_reply(const struct hail_expect *e, const char *p, size_t n)
{
    if (e->dotted)
        return n == 1 && *p == '.';
    return n >= 3 && memcmp(p, e->code, 3) == 0 && (n == 3 || p[3] == ' ');
}

/* The line is complete: its place in the reply, and what the reply is when it is over. */
static enum hail_expect_verdict line_over(struct hail_expect *e)
{
    const char *p = e->line;
    size_t n = e->n < HAIL_EXPECT_LINE ? e->n : HAIL_EXPECT_LINE;
    n -= e->n <= HAIL_EXPECT_LINE && n && p[n - 1] == '\r';
    e->line[n] = '\0';
    e->n = 0;
    if (!e->inside)
        begin_reply(e, p, n);
    else
        e->inside = !ends_reply(e, p, n);
    bool dot = e->dotted && e->lines && n && *p == '.'; /* RFC 3977 section 3.1.1: one too many */
    keep(e, p, n);
    e->lines++;
    if (!dot || e->inside) { /* the dot at the end is no line of the block */
        if (rejects(e, p + dot, n - dot))
            return HAIL_EXPECT_REJECTED;
        compare(e, p + dot, n - dot);
    }
    if (e->inside)
        return HAIL_EXPECT_MORE;
    if (all_met(e))
        return HAIL_EXPECT_MET;
    if (e->answer && e->nwant)
        return HAIL_EXPECT_WRONG;
    e->passed++;
    return HAIL_EXPECT_MORE;
}

size_t hail_expect_take(struct hail_expect *e, const char *p, size_t n,
                        enum hail_expect_verdict *verdict)
{
    *verdict = HAIL_EXPECT_MORE;
    for (size_t i = 0; i < n;) {
        const char *lf = memchr(p + i, '\n', n - i);
        size_t len = lf ? (size_t)(lf - p) - i : n - i;
        size_t room = e->n < HAIL_EXPECT_LINE ? HAIL_EXPECT_LINE - e->n : 0;
        memcpy(e->line + (HAIL_EXPECT_LINE - room), p + i, len < room ? len : room);
        e->n = len > room ? HAIL_EXPECT_LINE + 1 : e->n + len;
        i += len + (lf != NULL);
        if (lf)
            *verdict = line_over(e);
        if (*verdict != HAIL_EXPECT_MORE)
            return i;
    }
    return n;
}

enum hail_expect_verdict hail_expect_quiet(struct hail_expect *e)
{
    size_t n = e->n < HAIL_EXPECT_LINE ? e->n : HAIL_EXPECT_LINE;
    if (e->inside || n == 0 || hail_answer_may_come(e->line, n))
        return HAIL_EXPECT_MORE;
    e->line[n] = '\0';
    bool rejected = rejects(e, e->line, n);
    e->met = 0;
    if (!rejected)
        compare(e, e->line, n);
    if (!rejected && !all_met(e))
        return HAIL_EXPECT_MORE;
    e->nreply = e->lines = 0;
    keep(e, e->line, n);
    e->lines = 1;
    e->n = 0;
    return rejected ? HAIL_EXPECT_REJECTED : HAIL_EXPECT_MET;
}

enum hail_expect_verdict hail_expect_end(struct hail_expect *e)
{
    return e->n ? line_over(e) : HAIL_EXPECT_MORE;
}
