/* options.c - the options that every command has, and handing each command its own. */
#include "base/text.h"
#include "cmd.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OPT_JSON = 256 + 128, OPT_TRACE, OPT_TIMEOUT, OPT_COLOR, OPT_HELP, OPT_VERSION };

const struct option_row common_options[] = {
    {'4', "ipv4", NULL, "use IPv4 only"},
    {'6', "ipv6", NULL, "use IPv6 only"},
    {OPT_JSON, "json", NULL, "print one JSON document a row"},
    {OPT_TRACE, "trace", "[=FILE]",
     "show what happens at every layer: text on standard error, or into FILE by its ending "
     "(.jsonl, .pcapng, .html; .txt, .log)"},
    {OPT_TIMEOUT, "timeout", "SECONDS", "give up after this time altogether"},
    {OPT_COLOR, "color", "WHEN", "auto, always or never; NO_COLOR is honoured"},
    {OPT_HELP, "help", NULL, "show this help"},
    {OPT_VERSION, "version", NULL, "show the version"},
    {0},
};

#define ROWS_MAX 160

/* getopt's view of both tables. */
struct table {
    struct option longs[ROWS_MAX + 1];
    char letters[3 * ROWS_MAX + 3];
    const char *names[ROWS_MAX + 1];
};

bool replaces_option(const struct command *cmd, const struct option_row *row)
{
    for (const struct option_row *o = cmd ? cmd->options : NULL; o && o->letter; o++)
        if (o->letter == row->letter || (o->name && row->name && strcmp(o->name, row->name) == 0))
            return true;
    return false;
}

static void add_rows(struct table *t, size_t *n, const struct option_row *rows,
                     const struct command *hiding)
{
    char *letter = t->letters + strlen(t->letters);
    for (; rows && rows->letter && *n < ROWS_MAX; rows++) {
        if (replaces_option(hiding, rows))
            continue;
        int has = !rows->arg            ? no_argument
                  : rows->arg[0] == '[' ? optional_argument
                                        : required_argument;
        if (rows->letter < 256) {
            *letter++ = (char)rows->letter;
            for (int i = 0; i < has; i++)
                *letter++ = ':';
        }
        if (rows->name) {
            t->names[*n] = rows->name;
            t->longs[(*n)++] = (struct option){rows->name, has, NULL, rows->letter};
        }
    }
    *letter = '\0';
}

static int set_timeout(struct common *c, const char *value)
{
    char *end;
    errno = 0;
    double s = strtod(value, &end);
    if (end == value || *end || errno || !isfinite(s) || s <= 0 || s > 1e9)
        return usage_error(c->cmd, "--timeout wants seconds above 0, not '%s'", value);
    c->ctx.by = hail_deadline_in((int64_t)ceil(s * 1000));
    return 0;
}

/* -1: as the terminal is. */
static int set_color(struct common *c, const char *value, int *when)
{
    static const char *const words[] = {"never", "always", "auto", NULL};
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) {
            *when = i == 2 ? -1 : i;
            return 0;
        }
    }
    return usage_error(c->cmd, "--color wants auto, always or never, not '%s'", value);
}

static int columns_of(int fd)
{
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return 80;
}

/* Without --color: a terminal that is not dumb, and NO_COLOR (no-color.org) unset or empty. */
static bool wants_colour(int when, bool terminal)
{
    if (when >= 0)
        return when;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static int open_trace(struct common *c, const char *file, int when)
{
    bool terminal = !file && isatty(STDERR_FILENO);
    int rc = file ? hail_trace_file(&c->ctx, file, &c->ctx.trace)
                  : hail_trace_text(&c->ctx, STDERR_FILENO, wants_colour(when, terminal),
                                    terminal ? columns_of(STDERR_FILENO) : 0, &c->ctx.trace);
    return rc < 0 ? fail(c) : 0;
}

static int bad_option(const struct command *cmd, const struct table *t, int got, char **argv)
{
    const char *word = argv[optind - 1];
    if (got == ':')
        return usage_error(cmd, "option '%s' wants a value", word);
    if (optopt && optopt < 256)
        return usage_error(cmd, "unknown option '-%c'", optopt);
    if (optopt)
        return usage_error(cmd, "option '%s' takes no value", word);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *meant = hail_text_nearest(name, t->names);
    if (meant)
        return usage_error(cmd, "unknown option '--%s'; did you mean '--%s'?", name, meant);
    return usage_error(cmd, "unknown option '%s'", word);
}

struct chosen {
    int when; /* colour */
    bool trace;
    const char *trace_file;
};

/* An option of common_options; -1 to go on. */
static int common_option(struct common *c, int letter, const char *value, struct chosen *k)
{
    int status = 0;
    switch (letter) {
    case '4':
    case '6':
        c->family = letter == '4' ? AF_INET : AF_INET6;
        break;
    case OPT_JSON:
        c->json = true;
        break;
    case OPT_TRACE:
        k->trace = true;
        k->trace_file = value;
        break;
    case OPT_TIMEOUT:
        status = set_timeout(c, value);
        break;
    case OPT_COLOR:
        status = set_color(c, value, &k->when);
        break;
    case OPT_HELP:
        return help_command(c->cmd);
    case OPT_VERSION:
        printf("hail %s\n", hail_version());
        return STATUS_DONE;
    default:
        break;
    }
    return status ? status : -1;
}

static bool is_own(const struct command *cmd, int letter)
{
    for (const struct option_row *o = cmd->options; o && o->letter; o++)
        if (o->letter == letter)
            return true;
    return false;
}

int parse_options(const struct command *cmd, struct common *c, int argc, char **argv, int *first)
{
    struct table t = {.letters = ":"};
    struct chosen k = {.when = -1};
    size_t n = 0;
    add_rows(&t, &n, cmd->options, NULL);
    add_rows(&t, &n, common_options, cmd);
    int got;
    while ((got = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
        int status;
        if (got == '?' || got == ':')
            return bad_option(cmd, &t, got, argv);
        if (is_own(cmd, got)) {
            status = cmd->option(got, optarg);
            status = status ? status : -1;
        } else {
            status = common_option(c, got, optarg, &k);
        }
        if (status >= 0)
            return status;
    }
    *first = optind;
    c->terminal = isatty(STDOUT_FILENO);
    c->columns = c->terminal ? columns_of(STDOUT_FILENO) : 80;
    c->colour = wants_colour(k.when, c->terminal);
    int status = k.trace ? open_trace(c, k.trace_file, k.when) : 0;
    return status ? status : -1;
}
