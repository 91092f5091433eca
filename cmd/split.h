/* split.h - a command line of two kinds of words: those of the program that a command stands in
 * for, which are read as that program reads them, and hail's own long options, which are not. */
#ifndef HAIL_CMD_SPLIT_H
#define HAIL_CMD_SPLIT_H

#include "cmd.h"

#define SPLIT_WORDS_MAX 4096

/* Both begin with argv[0] and end with NULL. */
struct split_words {
    int theirs, own;
    char *their_v[SPLIT_WORDS_MAX + 1], *own_v[SPLIT_WORDS_MAX + 1];
};

/* The row of hail's that a word ("--name[=value]") stands for; NULL: it is theirs. */
typedef const struct option_row *split_own_fn(const char *word);
/* Whether a word of theirs takes the next one as its value. */
typedef bool split_takes_next_fn(const char *word);

/* -1 with *out (to be freed), or the status to end with. */
int split_words(const struct command *cmd, int argc, char **argv, split_own_fn *own,
                split_takes_next_fn *takes_next, struct split_words **out);

/* The row of `rows`, or of the common options, whose name begins with that of `word`. */
const struct option_row *split_find(const struct option_row *rows, const char *word);

/* For programs with short options only: whether the last letter of the cluster `word` is one of
 * `letters` (as getopt(3) has them) that takes a value. */
bool split_cluster_takes_next(const char *word, const char *letters);

#endif
