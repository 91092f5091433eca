/* split.c - a command line of two kinds of words; split.h. */
#include "split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option_row *split_find(const struct option_row *rows, const char *word)
{
    const struct option_row *const tables[] = {rows, common_options};
    const char *name = word + 2;
    size_t n = strcspn(name, "=");
    if (strncmp(word, "--", 2) != 0 || n == 0)
        return NULL;
    for (size_t i = 0; i < 2; i++)
        for (const struct option_row *row = tables[i]; row->letter; row++)
            if (row->name && strncmp(row->name, name, n) == 0)
                return row;
    return NULL;
}

bool split_cluster_takes_next(const char *word, const char *letters)
{
    if (word[0] != '-')
        return false;
    for (const char *c = word + 1; *c; c++) {
        const char *at = *c == ':' ? NULL : strchr(letters, *c);
        if (at && at[1] == ':')
            return c[1] == '\0';
    }
    return false;
}

static void split(struct split_words *w, int argc, char **argv, split_own_fn *own,
                  split_takes_next_fn *takes_next)
{
    bool options = true;
    w->their_v[w->theirs++] = w->own_v[w->own++] = argv[0];
    for (int i = 1; i < argc; i++) {
        const struct option_row *row = options ? own(argv[i]) : NULL;
        options = options && strcmp(argv[i], "--") != 0;
        if (!row) {
            bool two = options && takes_next(argv[i]) && i + 1 < argc;
            w->their_v[w->theirs++] = argv[i];
            if (two)
                w->their_v[w->theirs++] = argv[++i];
            continue;
        }
        w->own_v[w->own++] = argv[i];
        if (row->arg && row->arg[0] != '[' && !strchr(argv[i], '=') && i + 1 < argc)
            w->own_v[w->own++] = argv[++i];
    }
}

int split_words(const struct command *cmd, int argc, char **argv, split_own_fn *own,
                split_takes_next_fn *takes_next, struct split_words **out)
{
    *out = NULL;
    if (argc > SPLIT_WORDS_MAX)
        return usage_error(cmd, "more than %d words", SPLIT_WORDS_MAX);
    struct split_words *w = calloc(1, sizeof *w);
    if (!w)
        return local_error("read", "the command line", ENOMEM);
    split(w, argc, argv, own, takes_next);
    *out = w;
    return -1;
}
