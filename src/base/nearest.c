/* nearest.c - the word that a mistyped one was meant to be; base/text.h. */
#include "base/text.h"

#include <string.h>

/* Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; words are short. */
static size_t distance(const char *a, const char *b)
{
    enum { WORD = 32 };
    size_t n = strlen(a), m = strlen(b);
    if (n >= WORD || m >= WORD)
        return WORD;
    size_t d[WORD][WORD];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *hail_text_nearest(const char *typo, const char *const *words)
{
    size_t best = strlen(typo) / 3 + 1, len = strlen(typo);
    const char *meant = NULL;
    for (; *words; words++) {
        size_t d = distance(typo, *words);
        if (len > 2 && strncmp(*words, typo, len) == 0)
            d = 1; /* the beginning of the word */
        if (d <= best && (!meant || d < best)) {
            best = d;
            meant = *words;
        }
    }
    return meant;
}
