/* script_regex.c - the words of a script: texts with escapes, and regular expressions.
 *
 * Patterns are regcomp(3)'s, so that what people know of grep -E holds, with our own escapes undone
 * first. Three things are kept away from it, because a script may be somebody else's: back-
 * references (exponential time), repetitions of repetitions (memory), and the locale (a byte is a
 * byte, also one that is no character). NUL in a line is found by REG_STARTEND.
 */
#include "base/text.h"
#include "proto/script.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH 3 /* bytes at most that come of one: \d becomes [0-9] */

static const char no_byte[] = "[^\x01-\xff]"; /* the one byte that is none of the others: NUL */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int wrong(struct hail_script_fault *fault, size_t at, const char *why)
{
    *fault = (struct hail_script_fault){at, why};
    return -EINVAL;
}

/* The byte of \xNN whose x is p[i]; -1: there are no two digits. */
static int hex_byte(const char *p, size_t n, size_t i)
{
    if (n - i < 3 || hex(p[i + 1]) < 0 || hex(p[i + 2]) < 0)
        return -1;
    return hex(p[i + 1]) * 16 + hex(p[i + 2]);
}

static int simple_escape(char c)
{
    static const char names[] = "rnte0\\", bytes[] = "\r\n\t\x1b\0\\";
    const char *at = c ? strchr(names, c) : NULL;
    return at ? (unsigned char)bytes[at - names] : -1;
}

int hail_script_unescape(const char *p, size_t n, char *out, size_t *len, bool *no_end,
                         struct hail_script_fault *fault)
{
    size_t k = 0;
    *no_end = false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\\') {
            out[k++] = p[i];
            continue;
        }
        if (++i == n)
            return wrong(fault, i - 1, "a backslash at the end: write two");
        int byte = p[i] == 'x' ? hex_byte(p, n, i) : simple_escape(p[i]);
        if (p[i] == 'c' && i + 1 == n)
            *no_end = true;
        else if (byte >= 0)
            out[k++] = (char)byte;
        else if (p[i] == 'x')
            return wrong(fault, i - 1, "an escape of x wants two hexadecimal digits");
        else if (p[i] == 'c')
            return wrong(fault, i - 1, "the escape c is for the end of a text");
        else
            return wrong(
                fault, i - 1,
                "an unknown escape: there are r n t e 0 xNN, c at the end, and the backslash");
        i += byte >= 0 && p[i] == 'x' ? 2 : 0;
    }
    *len = k;
    return 0;
}

/* --- patterns --- */

struct pattern {
    const char *p;
    size_t n, i;
    char *out;
    size_t k;
    size_t size;  /* so far, with repetitions written out */
    size_t begun; /* its value before what could be repeated next */
    size_t depth;
    uint16_t open[HAIL_SCRIPT_PATTERN]; /* ... before each ( */
    struct hail_script_fault *fault;
};

static void put(struct pattern *t, const char *p, size_t n)
{
    memcpy(t->out + t->k, p, n);
    t->k += n;
}

/* A byte that means itself. */
static void put_byte(struct pattern *t, int byte)
{
    const char c = (char)byte;
    if (byte == 0) {
        put(t, no_byte, sizeof no_byte - 1);
        return;
    }
    if (strchr(".[]\\()*+?{}|^$", c))
        put(t, "\\", 1);
    put(t, &c, 1);
}

/* The escape whose backslash is at t->i. */
static int escape(struct pattern *t)
{
    size_t at = t->i++;
    if (t->i == t->n)
        return wrong(t->fault, at, "a backslash at the end: write two");
    char c = t->p[t->i];
    if (c == '\0')
        return wrong(t->fault, t->i, "a NUL byte: write it as an escape, x00");
    if (c == 'x') {
        int byte = hex_byte(t->p, t->n, t->i);
        if (byte < 0)
            return wrong(t->fault, at, "an escape of x wants two hexadecimal digits");
        put_byte(t, byte);
        t->i += 3;
        return 0;
    }
    t->i++;
    if (c >= '1' && c <= '9')
        return wrong(t->fault, at, "back-references take unbounded time");
    if (c == 'r' || c == 'n')
        return wrong(t->fault, at, "a line's end is no part of the line: write $");
    if (c == 't' || c == 'e' || c == '0')
        put_byte(t, simple_escape(c));
    else if (c == 'd')
        put(t, "[0-9]", 5);
    else if (strchr("wWsSbB<>", c) || !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
        put(t, (const char[]){'\\', c}, 2);
    else
        return wrong(
            t->fault, at,
            "an unknown escape: there are xNN t e 0 d w s b and the characters with a meaning");
    return 0;
}

/* A bracket expression goes to regcomp(3) as it is: from t->i to its end. */
static int bracket(struct pattern *t)
{
    size_t i = t->i + 1;
    i += i < t->n && t->p[i] == '^';
    i += i < t->n && t->p[i] == ']';
    while (i < t->n && t->p[i] != ']') {
        char kind = t->p[i] == '[' && i + 1 < t->n ? t->p[i + 1] : 0;
        if (kind == ':' || kind == '.' || kind == '=') {
            for (i += 2; i + 1 < t->n && !(t->p[i] == kind && t->p[i + 1] == ']'); i++)
                ;
            i++;
        }
        i++;
    }
    if (i >= t->n)
        return wrong(t->fault, t->i, "a [ without its ]");
    put(t, t->p + t->i, i + 1 - t->i);
    t->i = i + 1;
    return 0;
}

/* The operator of `n` bytes at t->i, by which what is before it comes `most` times: regcomp(3)
 * writes that out, + and stars in stars as well, so that repetitions of repetitions grow by powers.
 */
static int repeats(struct pattern *t, size_t n, size_t most)
{
    t->size += (t->size - t->begun) * (most - 1);
    if (t->size > HAIL_SCRIPT_SPREAD)
        return wrong(t->fault, t->i, "repeats too often");
    put(t, t->p + t->i, n);
    t->i += n;
    return 0;
}

/* {n,m}: only how often is looked at, the rest is regcomp(3)'s. */
static int interval(struct pattern *t)
{
    size_t most = 1, number = 0, i = t->i + 1;
    for (; i < t->n && (t->p[i] == ',' || (t->p[i] >= '0' && t->p[i] <= '9')); i++) {
        number = t->p[i] == ',' ? 0 : number * 10 + (size_t)(t->p[i] - '0');
        number = number > HAIL_SCRIPT_SPREAD ? HAIL_SCRIPT_SPREAD + 1 : number;
        most = number > most ? number : most;
    }
    i += i < t->n && t->p[i] == '}';
    return repeats(t, i - t->i, most);
}

static void parenthesis(struct pattern *t)
{
    if (t->p[t->i] == '(')
        t->open[t->depth++] = (uint16_t)t->size;
    else if (t->depth)
        t->begun = t->open[--t->depth];
    put(t, t->p + t->i++, 1);
}

static int translate(struct pattern *t)
{
    while (t->i < t->n) {
        char c = t->p[t->i];
        int rc = 0;
        if (c == '\0')
            return wrong(t->fault, t->i, "a NUL byte: write it as an escape, x00");
        if (!strchr("{()*+?", c))
            t->begun = t->size++;
        if (c == '\\')
            rc = escape(t);
        else if (c == '[')
            rc = bracket(t);
        else if (c == '{')
            rc = interval(t);
        else if (c == '*' || c == '+' || c == '?')
            rc = repeats(t, 1, 2);
        else if (c == '(' || c == ')')
            parenthesis(t);
        else
            put(t, t->p + t->i++, 1);
        if (rc < 0)
            return rc;
    }
    t->out[t->k] = '\0';
    return 0;
}

static const char *regex_fault(int code)
{
    switch (code) {
    case REG_EBRACK:
        return "a [ without its ]";
    case REG_EPAREN:
        return "a ( or ) without the other";
    case REG_EBRACE:
        return "a { without its }";
    case REG_BADBR:
        return "{ } wants numbers: {n}, {n,} or {n,m}";
    case REG_ERANGE:
        return "a range that ends before it begins";
    case REG_ECTYPE:
        return "an unknown class: there are [:alnum:], [:digit:] ...";
    case REG_BADRPT:
        return "nothing in front that could be repeated";
    default:
        return "no regular expression";
    }
}

int hail_script_compile(const char *p, size_t n, regex_t *re, struct hail_script_fault *fault)
{
    struct pattern t = {.p = p, .n = n, .fault = fault};
    if (n > HAIL_SCRIPT_PATTERN)
        return wrong(fault, HAIL_SCRIPT_PATTERN, "too long for a regular expression");
    t.out = malloc(n * GROWTH + 1);
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!t.out || !c) {
        free(t.out);
        return -ENOMEM;
    }
    int rc = translate(&t);
    if (rc == 0) {
        locale_t before = uselocale(c);
        int code = regcomp(re, t.out, REG_EXTENDED | REG_NOSUB);
        uselocale(before);
        if (code == REG_ESPACE)
            rc = -ENOMEM;
        else if (code)
            rc = wrong(fault, 0, regex_fault(code));
    }
    freelocale(c);
    free(t.out);
    return rc;
}

bool hail_script_match(const regex_t *re, const char *p, size_t n)
{
    regmatch_t part = {.rm_so = 0, .rm_eo = (regoff_t)n};
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    bool matches = regexec(re, p, 1, &part, REG_STARTEND) == 0;
    if (c) {
        uselocale(before);
        freelocale(c);
    }
    return matches;
}

/* --- the other way --- */

static int quote(struct hail_buf *out, const char *p, size_t n, const char *special)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t len = hail_utf8_next(p + i, n - i, &cp);
        bool last_blank = p[i] == ' ' && i + 1 == n; /* editors take it away */
        if (!len || hail_utf8_unsafe(cp) || last_blank) {
            hail_buf_printf(out, "\\x%02x", (unsigned char)p[i]);
            i++;
            continue;
        }
        if (len == 1 && strchr(special, p[i]))
            hail_buf_char(out, '\\');
        hail_buf_add(out, p + i, len);
        i += len;
    }
    return out->failed;
}

int hail_script_quote(struct hail_buf *out, const char *p, size_t n)
{
    return quote(out, p, n, ".[\\()*+?{|^$");
}

int hail_script_escape(struct hail_buf *out, const char *p, size_t n)
{
    return quote(out, p, n, "\\");
}
