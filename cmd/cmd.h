/* cmd.h - what the commands share: the table's row, options, exit statuses, output.
 *
 * Only the code in cmd/ prints or exits. A command returns its exit status.
 */
#ifndef HAIL_CMD_H
#define HAIL_CMD_H

#include <hail/hail.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>

/* The exit statuses, the same everywhere. */
enum status {
    STATUS_DONE = 0,
    STATUS_NO = 1, /* the answer is no: port closed, check failed, HTTP error with --fail */
    STATUS_USAGE = 2,
    STATUS_NAME = 3,
    STATUS_CONNECT = 4,
    STATUS_TIMEOUT = 5,
    STATUS_TLS = 6,
    STATUS_PROTO = 7,
    STATUS_LOCAL = 8,
};

struct command;

/* The options that every command has, already taken out when `run` is called. */
struct common {
    const struct command *cmd;
    bool json;
    bool colour;         /* resolved: --color, NO_COLOR, and whether stdout is a terminal */
    bool by_name;        /* the program was called by the command's own name */
    bool terminal;       /* stdout is one */
    int columns;         /* of the terminal; 80 without */
    int family;          /* -4, -6 */
    struct hail_ctx ctx; /* with --timeout, --trace, and SIGINT/SIGTERM as cancellation */
};

/* A command's own option: getopt_long(3)'s row and its help. */
struct option_row {
    int letter;       /* a letter, or a value over 255 for long-only options */
    const char *name; /* long name, or NULL */
    const char *arg;  /* "FILE", "[=FILE]" if it may be left out, NULL for a flag */
    const char *help;
};

struct command {
    const char *name;
    const char *args;                 /* "HOST..." */
    const char *summary;              /* one line */
    const struct option_row *options; /* ended by {0}; a letter of its own hides a common one */
    /* Called for every option of its own; returns 0, or a status to stop with. */
    int (*option)(int letter, const char *value);
    /* Reads argv in place of parse_options(), or NULL; the operands are its own. */
    int (*parse)(struct common *c, int argc, char **argv);
    /* The operands; argv[argc] is NULL. */
    int (*run)(struct common *c, int argc, char **argv);
    const char *more; /* further paragraphs of --help, or NULL */
};

extern const struct command command_check, command_get, command_lookup, command_nc, command_netstat,
    command_ports, command_serve, command_telnet, command_tour;

/* main.c: the commands, ended by NULL. */
extern const struct command *const commands[];

/* options.c: takes the options out of argv. Returns -1 to go on with the operands at *first, or the
 * status to end with (usage error, --help). */
int parse_options(const struct command *cmd, struct common *c, int argc, char **argv, int *first);
extern const struct option_row common_options[];

/* Whether the command has an option of its own in the place of this common one; `cmd` may be NULL.
 */
bool replaces_option(const struct command *cmd, const struct option_row *row);

/* help.c */
int help_main(void);
int help_command(const struct command *cmd);

/* completion.c: the words that may stand in place of the last of `words`, a line each. */
int complete_words(int n, char **words);

/* completion_scripts.c: what bash, zsh or fish reads to complete by it. */
int completion_script(const char *shell);

/* fail.c: one clear line on standard error, one of advice, and the exit status. */
int fail(struct common *c); /* the error of the context; silent for a cancellation */
int status_of(const struct hail_error *err);
int usage_error(const struct command *cmd, const char *fmt, ...) HAIL_PRINTF(2, 3);
/* A local failure: operation ("write"), what ("standard output"), positive errno. STATUS_LOCAL. */
int local_error(const char *op, const char *what, int errnum);

/* output.c: "612 B", "1.5 MiB". */
void put_size(struct hail_buf *out, uint64_t bytes);

/* output.c: standard output, buffered by stdio, checked once at the end by main. */
void put_safe(FILE *f, const char *s); /* from outside, made safe to show */
/* A JSON document as one line of standard output; empties the buffer. 0, or STATUS_LOCAL. */
int put_json(struct hail_buf *b);
const char *paint(const struct common *c, const char *sgr); /* "1;31" as an escape; "": no colour */
int finish_output(int status); /* flushes; a failed write makes it STATUS_LOCAL with a message */

#endif
