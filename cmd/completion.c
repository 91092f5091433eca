/* completion.c - what may come next on a command line, from the tables that --help is made from.
 *
 * The scripts of the shells are thin: each calls `hail help --complete WORD...` with the words
 * typed so far, the last one unfinished, and offers the lines that come back: a word, a tab and
 * what it means. No line means that the shell offers file names.
 */
#include "cmd.h"

#include <string.h>

static bool begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

static void offer(const char *typed, const char *before, const char *word, const char *help)
{
    if (begins(word, typed))
        printf("%.*s%s\t%.*s\n", (int)strlen(before), before, word, (int)strcspn(help, "\n"), help);
}

static void offer_commands(const char *typed, bool with_help)
{
    for (size_t i = 0; commands[i]; i++)
        offer(typed, "", commands[i]->name, commands[i]->summary);
    if (with_help)
        offer(typed, "", "help", "help on a command");
}

static void offer_options(const char *typed, const struct option_row *rows,
                          const struct command *hiding)
{
    for (; rows && rows->letter; rows++) {
        if (replaces_option(hiding, rows))
            continue;
        char word[80];
        if (rows->name)
            snprintf(word, sizeof word, "--%s", rows->name);
        else
            snprintf(word, sizeof word, "-%c", rows->letter);
        offer(typed, "", word, rows->help);
    }
}

/* The row of the long option whose name is the first `len` bytes of `name`, or NULL. */
static const struct option_row *find_long(const struct option_row *rows, const char *name,
                                          size_t len)
{
    for (; rows && rows->letter; rows++)
        if (rows->name && strlen(rows->name) == len && memcmp(rows->name, name, len) == 0)
            return rows;
    return NULL;
}

static const struct option_row *row_of(const struct command *cmd, const char *word)
{
    if (!begins(word, "--"))
        return NULL;
    size_t len = strcspn(word + 2, "=");
    const struct option_row *row = find_long(cmd->options, word + 2, len);
    return row ? row : find_long(common_options, word + 2, len);
}

/* The values of --color; the other options' values are free, or names of files. */
static void offer_values(const struct option_row *row, const char *typed, const char *before)
{
    static const char *const when[] = {"auto", "always", "never", NULL};
    if (find_long(common_options, "color", 5) != row)
        return;
    for (size_t i = 0; when[i]; i++)
        offer(typed, before, when[i], row->help);
}

/* The last of `n` words after the command's name: a value of the option before it or in it, or an
 * option. */
static void offer_word(const struct command *cmd, int n, char **words)
{
    const char *typed = words[n - 1], *equals = strchr(typed, '=');
    const struct option_row *before =
        n > 1 && !strchr(words[n - 2], '=') ? row_of(cmd, words[n - 2]) : NULL;
    char name[80];
    if (before && before->arg && before->arg[0] != '[') {
        offer_values(before, typed, "");
    } else if (equals && row_of(cmd, typed) && (size_t)(equals - typed) < sizeof name - 1) {
        snprintf(name, sizeof name, "%.*s", (int)(equals + 1 - typed), typed);
        offer_values(row_of(cmd, typed), equals + 1, name);
    } else if (typed[0] == '-') {
        offer_options(typed, cmd->options, NULL);
        offer_options(typed, common_options, cmd);
    }
}

int complete_words(int n, char **words)
{
    if (n == 1 || (n == 2 && strcmp(words[0], "help") == 0))
        offer_commands(words[n - 1], n == 1);
    for (int i = 1; i < n - 1; i++)
        if (strcmp(words[i], "--") == 0)
            return STATUS_DONE;
    for (size_t i = 0; commands[i] && n > 1; i++)
        if (strcmp(commands[i]->name, words[0]) == 0)
            offer_word(commands[i], n - 1, words + 1);
    return STATUS_DONE;
}
