/* filter_lex.c - the words of a filter, and saying which one is wrong; diag/filter.h. */
#include "base/error.h"
#include "diag/filter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_SHOWN 40 /* bytes of a wrong word */

static const char blanks[] = " \t\r\n";
static const char marks[] = "()=!<>&|";

void hail_filter_next(struct hail_filter_lex *l)
{
    static const char *const two[] = {"==", "!=", ">=", "<=", "&&", "||"};
    l->p += strspn(l->p, blanks);
    l->word = l->p;
    l->column = (size_t)(l->p - l->text) + 1;
    l->len = 0;
    if (!*l->p)
        return;
    for (size_t i = 0; i < sizeof two / sizeof *two && !l->len; i++)
        if (strncmp(l->p, two[i], 2) == 0)
            l->len = 2;
    if (!l->len && strchr(marks, *l->p))
        l->len = 1;
    while (!l->len || (!strchr(marks, *l->word) && l->p[l->len] && !strchr(blanks, l->p[l->len]) &&
                       !strchr(marks, l->p[l->len])))
        l->len++;
    l->p += l->len;
}

bool hail_filter_is(const struct hail_filter_lex *l, const char *word)
{
    return strlen(word) == l->len && strncasecmp(l->word, word, l->len) == 0;
}

int hail_filter_bad(struct hail_ctx *ctx, const struct hail_filter_lex *l, const char *fmt, ...)
{
    char what[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (!l->len)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "filter", "filter, at its end: %s", what);
    return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "filter", "filter, column %zu: '%.*s' %s",
                     l->column, (int)(l->len < WORD_SHOWN ? l->len : WORD_SHOWN), l->word, what);
}
