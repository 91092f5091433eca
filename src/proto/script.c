/* script.c - the steps of a script, and reading them from a file. The form is in script.h. */
#include "proto/script.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX_MS ((int64_t)24 * 3600 * 1000) /* of a step */

/* Where a message points to. */
struct place {
    const char *name; /* NULL: a text of the command line */
    unsigned line;
    size_t column; /* of the text's first byte, from 1 */
};

static int complain(struct hail_ctx *ctx, const struct place *at, size_t offset, int errnum,
                    const char *why)
{
    if (at->name)
        return hail_fail(ctx, HAIL_LAYER_USAGE, errnum, "parse", "%s:%u:%zu: %s", at->name,
                         at->line, at->column + offset, why);
    return hail_fail(ctx, HAIL_LAYER_USAGE, errnum, "parse", "%s, at character %zu", why,
                     offset + 1);
}

static int no_memory(struct hail_ctx *ctx)
{
    return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "allocate", "a script: out of memory");
}

/* --- steps --- */

static int grow(struct hail_script *s)
{
    if (s->n < s->cap)
        return 0;
    size_t cap = s->cap ? 2 * s->cap : 16;
    struct hail_script_step *v = realloc(s->v, cap * sizeof *v);
    if (!v)
        return -ENOMEM;
    s->v = v;
    s->cap = cap;
    return 0;
}

/* Whether the step may stand where it is put. */
static const char *misplaced(const struct hail_script *s, enum hail_script_verb verb)
{
    if (s->n >= HAIL_SCRIPT_STEPS)
        return "too many steps";
    if (verb == HAIL_SCRIPT_REJECT && s->rejects >= HAIL_SCRIPT_REJECTS)
        return "too many that must not come";
    if (verb != HAIL_SCRIPT_ALSO)
        return NULL;
    size_t n = s->n;
    while (n > 0 && s->v[n - 1].verb == HAIL_SCRIPT_ALSO)
        n--;
    if (n == 0 || s->v[n - 1].verb != HAIL_SCRIPT_EXPECT)
        return "S+ without an S: in front of it";
    return s->n - n + 2 > HAIL_SCRIPT_GROUP ? "too many S+ for one reply" : NULL;
}

/* The text, checked, into the step, which then owns it. */
static int take_text(struct hail_ctx *ctx, struct hail_script_step *step, const struct place *at,
                     const char *p, size_t n)
{
    struct hail_script_fault fault = {0};
    int rc;
    if (n > HAIL_SCRIPT_TEXT)
        return complain(ctx, at, HAIL_SCRIPT_TEXT, E2BIG, "the text is too long");
    step->text = malloc(n + 1);
    if (!step->text)
        return no_memory(ctx);
    if (step->verb == HAIL_SCRIPT_SEND) {
        rc = hail_script_unescape(p, n, step->text, &step->n, &step->no_end, &fault);
    } else {
        regex_t re;
        rc = hail_script_compile(p, n, &re, &fault);
        if (rc == 0)
            regfree(&re);
        if (n)
            memcpy(step->text, p, n);
        step->n = n;
    }
    if (rc == 0) {
        step->text[step->n] = '\0';
        return 0;
    }
    free(step->text);
    return rc == -ENOMEM ? no_memory(ctx) : complain(ctx, at, fault.at, EINVAL, fault.why);
}

static int add(struct hail_ctx *ctx, struct hail_script *s, struct hail_script_step step,
               const struct place *at, const char *p, size_t n)
{
    const char *why = misplaced(s, step.verb);
    if (why)
        return complain(ctx, at, 0, step.verb == HAIL_SCRIPT_ALSO ? EINVAL : E2BIG, why);
    if (grow(s) < 0)
        return no_memory(ctx);
    int rc = take_text(ctx, &step, at, p, n);
    if (rc < 0)
        return rc;
    step.line = at->line;
    s->v[s->n++] = step;
    s->rejects += step.verb == HAIL_SCRIPT_REJECT;
    return 0;
}

int hail_script_add(struct hail_ctx *ctx, struct hail_script *s, enum hail_script_verb verb,
                    const char *text, size_t n)
{
    const struct place at = {.column = 1};
    return add(ctx, s, (struct hail_script_step){.verb = verb}, &at, text, n);
}

void hail_script_free(struct hail_script *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i].text);
    free(s->v);
    *s = (struct hail_script){0};
}

size_t hail_script_step(const struct hail_script *s, size_t at)
{
    while (at < s->n && s->v[at].verb != HAIL_SCRIPT_EXPECT && s->v[at].verb != HAIL_SCRIPT_SEND)
        at++;
    return at;
}

/* --- a file --- */

/* A span of time, "1.5s", "200ms" or "@1.5s" before its unit ends at `n`: milliseconds, or -1. */
static int64_t duration(const char *p, size_t n)
{
    int64_t ms = 0, unit;
    size_t digits = n;
    if (n > 2 && memcmp(p + n - 2, "ms", 2) == 0) {
        unit = 1;
        digits -= 2;
    } else if (n > 1 && p[n - 1] == 's') {
        unit = 1000;
        digits--;
    } else {
        return -1;
    }
    bool fraction = false;
    for (size_t i = 0; i < digits; i++) {
        if (p[i] == '.' && i > 0 && i + 1 < digits && !fraction && unit == 1000) {
            fraction = true;
            ms *= 1000;
            continue;
        }
        if (p[i] < '0' || p[i] > '9')
            return -1;
        if (fraction)
            ms += (p[i] - '0') * (unit /= 10); /* beyond milliseconds it is 0 */
        else if ((ms = ms * 10 + (p[i] - '0')) > LIMIT_MAX_MS)
            return -1;
    }
    ms = fraction ? ms : ms * unit;
    return ms > LIMIT_MAX_MS ? -1 : ms;
}

static bool is(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* A word in the brackets. NULL, or what is wrong with it. */
static const char *setting(struct hail_script_step *step, const char *p, size_t n)
{
    if (*p == '@')
        return duration(p + 1, n - 1) >= 0 ? NULL : "a time is written @1.250s";
    if (is(p, n, "dot")) {
        step->dot = true;
        return step->verb == HAIL_SCRIPT_EXPECT ? NULL : "dot is for S";
    }
    step->limit_ms = duration(p, n);
    if (step->limit_ms <= 0)
        return "in brackets there are 5s or 500ms, dot and @1.250s";
    if (step->verb != HAIL_SCRIPT_EXPECT && step->verb != HAIL_SCRIPT_SEND)
        return "a time is for S and C";
    return NULL;
}

/* The front of a line up to its ": ", p[0] .. p[n - 1]. NULL with *at behind it, or what is wrong
 * at *at. */
static const char *front(struct hail_script_step *step, const char *p, size_t n, size_t *at)
{
    static const char letters[] = "S+RC";
    const char *letter = n && *p ? strchr("SRC", *p) : NULL;
    *at = 0;
    if (!letter)
        return "a line begins with S: C: R: S+: or #";
    size_t i = 1;
    bool also = *p == 'S' && n > 1 && p[1] == '+';
    i += also;
    step->verb = (enum hail_script_verb)(strchr(letters, also ? '+' : *p) - letters);
    if (i < n && p[i] == '[') {
        for (i++; i < n && p[i] != ']';) {
            size_t begin = i;
            while (i < n && p[i] != ']' && p[i] != ' ' && p[i] != ',')
                i++;
            const char *why = i > begin ? setting(step, p + begin, i - begin) : NULL;
            *at = begin;
            if (why)
                return why;
            i += i < n && p[i] != ']';
        }
        *at = i;
        if (i++ == n)
            return "a [ without its ]";
    }
    *at = i;
    if (i == n || p[i] != ':')
        return "a : is wanted here";
    *at = i + 1 + (i + 1 < n && (p[i + 1] == ' ' || p[i + 1] == '\t'));
    return NULL;
}

static int parse_line(struct hail_ctx *ctx, struct hail_script *s, struct place at, const char *p,
                      size_t n)
{
    struct hail_script_step step = {0};
    size_t blank = 0, text;
    n -= n && p[n - 1] == '\r';
    while (blank < n && (p[blank] == ' ' || p[blank] == '\t'))
        blank++;
    if (blank == n || p[blank] == '#')
        return 0;
    const char *why = front(&step, p + blank, n - blank, &text);
    at.column = blank + text + 1;
    if (why)
        return complain(ctx, &at, 0, EINVAL, why);
    return add(ctx, s, step, &at, p + blank + text, n - blank - text);
}

int hail_script_parse(struct hail_ctx *ctx, struct hail_script *s, const char *name, const char *p,
                      size_t n)
{
    struct place at = {.name = name};
    if (n > HAIL_SCRIPT_FILE)
        return hail_fail(ctx, HAIL_LAYER_USAGE, E2BIG, "parse", "%s: the script is too long", name);
    for (size_t i = 0; i < n;) {
        const char *lf = memchr(p + i, '\n', n - i);
        size_t len = lf ? (size_t)(lf - p) - i : n - i;
        at.line++;
        int rc = parse_line(ctx, s, at, p + i, len);
        if (rc < 0)
            return rc;
        i += len + 1;
    }
    return 0;
}
