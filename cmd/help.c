/* help.c - help made from the tables, 80 columns wide, and the word that a typo was meant to be. */
#include "cmd.h"

#include <string.h>

#define HELP_COLUMNS 80

/* `text` in lines of words that begin at column `indent`; the cursor stands at column `at`. */
static void wrap(const char *text, int indent, int at)
{
    while (*text) {
        int len = (int)strcspn(text, " \n");
        if (at > indent && at + 1 + len > HELP_COLUMNS) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", len, text);
        at += len;
        text += len;
        text += *text == ' ';
        if (*text == '\n') {
            printf("\n%*s", text[1] ? indent : 0, "");
            at = indent;
            text++;
        }
    }
    putchar('\n');
}

#define HELP_AT 28

static void show_options(const struct option_row *rows, const struct command *hiding)
{
    for (; rows && rows->letter; rows++) {
        bool hidden = false;
        for (const struct option_row *o = hiding ? hiding->options : NULL; o && o->letter; o++)
            hidden |= o->letter == rows->letter || (o->name && strcmp(o->name, rows->name) == 0);
        if (hidden)
            continue;
        char left[80];
        int n = rows->letter < 256
                    ? snprintf(left, sizeof left, "  -%c%s", rows->letter, rows->name ? ", " : "")
                    : snprintf(left, sizeof left, "      ");
        const char *arg = rows->arg ? rows->arg : "";
        const char *gap = rows->arg && rows->arg[0] != '[' ? (rows->name ? "=" : " ") : "";
        if (rows->name)
            snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", rows->name, gap, arg);
        else
            snprintf(left + n, sizeof left - (size_t)n, "%s%s", gap, arg);
        if (strlen(left) + 2 > HELP_AT)
            printf("%s\n%*s", left, HELP_AT, "");
        else
            printf("%-*s", HELP_AT, left);
        wrap(rows->help, HELP_AT, HELP_AT);
    }
}

int help_command(const struct command *cmd)
{
    printf("hail %s - %s\n\nUsage: hail %s [options] %s\n\n", cmd->name, cmd->summary, cmd->name,
           cmd->args);
    show_options(cmd->options, NULL);
    if (cmd->options && cmd->options->letter)
        putchar('\n');
    printf("Common options:\n");
    show_options(common_options, cmd);
    if (cmd->more) {
        putchar('\n');
        wrap(cmd->more, 0, 0);
    }
    return STATUS_DONE;
}

int help_main(void)
{
    printf("hail %s - names, ports, connections, conversations, services\n\n"
           "Usage: hail COMMAND [options] [operands]\n\n",
           hail_version());
    for (size_t i = 0; commands[i]; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    printf("  %-8s %s\n\n", "help", "help on a command: hail help COMMAND");
    printf("Options of every command:\n");
    show_options(common_options, NULL);
    printf(
        "\nAn endpoint is written host:port, [v6%%zone]:port, \"host service\", :port, unix:/path\n"
        "or unix:@name, with tcp:, udp: or tls: in front if need be; a port is a number or a\n"
        "service's name.\n\n"
        "Exit status: 0 done, 1 the answer is no, 2 usage, 3 name not resolved, 4 not\n"
        "connected, 5 timeout, 6 TLS, 7 broken protocol or cut stream, 8 local error.\n");
    return STATUS_DONE;
}

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

const char *did_you_mean(const char *typo, const char *const *words)
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
