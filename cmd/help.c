/* help.c - help made from the tables, 80 columns wide. */
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
        if (replaces_option(hiding, rows))
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
