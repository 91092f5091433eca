/* cmd_set.c - `set`, `unset` and `display`: characters, the trace's file, and what is on or off. */
#include "session.h"

#include <string.h>

enum { OWN_ECHO = 256, OWN_ESCAPE, OWN_RLOGIN, OWN_AYT, TRACE_FILE, HEADING };

static const struct row {
    const char *name, *help;
    int where; /* in c_cc, or one of the above */
} rows[] = {
    {"echo", "character to toggle local echoing on/off", OWN_ECHO},
    {"escape", "character to escape back to telnet command mode", OWN_ESCAPE},
    {"rlogin", "rlogin escape character", OWN_RLOGIN},
    {"tracefile", "file to write trace information to", TRACE_FILE},
    {" ", "", HEADING},
    {" ", "The following need 'localchars' to be toggled true", HEADING},
    {"flushoutput", "character to cause an Abort Output", VDISCARD},
    {"interrupt", "character to cause an Interrupt Process", VINTR},
    {"quit", "character to cause an Abort process", VQUIT},
    {"eof", "character to cause an EOF ", VEOF},
    {" ", "", HEADING},
    {" ", "The following are for local editing in linemode", HEADING},
    {"erase", "character to use to erase a character", VERASE},
    {"kill", "character to use to erase a line", VKILL},
    {"lnext", "character to use for literal next", VLNEXT},
    {"susp", "character to cause a Suspend Process", VSUSP},
    {"reprint", "character to use for line reprint", VREPRINT},
    {"worderase", "character to use to erase a word", VWERASE},
    {"start", "character to use for XON", VSTART},
    {"stop", "character to use for XOFF", VSTOP},
    {"forw1", "alternate end of line character", VEOL},
    {"forw2", "alternate end of line character", VEOL2},
    {"ayt", "alternate AYT character", OWN_AYT},
    {NULL, NULL, 0},
};

static cc_t *place(struct telnet *t, const struct row *row)
{
    switch (row->where) {
    case OWN_ECHO:
        return &t->chars.echo;
    case OWN_ESCAPE:
        return &t->chars.escape;
    case OWN_RLOGIN:
        return &t->chars.rlogin;
    case OWN_AYT:
        return &t->chars.ayt;
    case TRACE_FILE:
    case HEADING:
        return NULL;
    default:
        return &t->tty.now.c_cc[row->where];
    }
}

static void list(const char *verb)
{
    for (const struct row *r = rows; r->name; r++)
        printf("%-15s %s\n", r->name, r->help);
    printf("\n");
    telnet_toggle_list(verb);
    printf("%-15s %s\n", "?", "display help information");
}

static bool asks_help(const char *word)
{
    return telnet_is_prefix(word, "?") || telnet_is_prefix(word, "help");
}

static void refuse(const char *verb, const char *name, const char *why)
{
    telnet_complain("'%s': %s argument ('%s ?' for help).\n", name, why, verb);
}

/* Turns a toggle on or off, by the name; false when that was refused. */
static bool switch_toggle(struct telnet *t, const char *verb, const char *name, int to)
{
    bool ambiguous;
    const struct telnet_toggle *row =
        telnet_find(name, telnet_toggle_rows, sizeof *row, &ambiguous);
    if (!row) {
        refuse(verb, name, ambiguous ? "ambiguous" : "unknown");
        return false;
    }
    int *value = telnet_toggle_value(t, row);
    if (value && to < 0) {
        printf("Format is 'set togglename [on|off]'\n'set ?' for help.\n");
        return false;
    }
    if (value) {
        *value = to;
        telnet_toggle_say(t, row);
    }
    if (row->changed)
        row->changed(t, *verb == 's');
    return true;
}

static void set_char(struct telnet *t, const struct row *row, cc_t c)
{
    cc_t *at = place(t, row);
    if (at)
        *at = c;
    printf("%s character is '%s'.\n", row->name, telnet_char_name(c));
}

/* The characters go to the peer when LINEMODE is on. */
static void changed(struct telnet *t)
{
    telnet_slc_tell(t);
    if (t->stream)
        hail_telnet_slc_check(&t->engine);
}

static bool set_named(struct telnet *t, const struct row *row, const char *name, const char *value)
{
    if (row->where == TRACE_FILE) {
        telnet_netlog_open(t, value);
        printf("%s set to \"%s\".\n", row->name, telnet_netlog_name(t));
    } else if (row->where == HEADING) {
        refuse("set", name, "invalid");
    } else {
        set_char(t, row, strcmp(value, "off") == 0 ? TELNET_OFF : telnet_char_of(value));
    }
    return true;
}

int telnet_set(struct telnet *t, int argc, char **argv)
{
    static const char format[] = "Format is 'set Name Value'\n'set ?' for help.\n";
    if (argc < 2 || argc > 3) {
        printf("%s", format);
        return TELNET_STAY;
    }
    if (argc == 2 && asks_help(argv[1])) {
        list("enable");
        return TELNET_STAY;
    }
    bool ambiguous;
    const struct row *row = telnet_find(argv[1], rows, sizeof *rows, &ambiguous);
    if (!row && !ambiguous) {
        int to = argc == 2 || strcmp(argv[2], "on") == 0 ? 1 : strcmp(argv[2], "off") == 0 ? 0 : -1;
        if (!switch_toggle(t, "set", argv[1], to))
            return TELNET_STAY;
    } else if (argc != 3) {
        printf("%s", format);
        return TELNET_STAY;
    } else if (!row) {
        refuse("set", argv[1], "ambiguous");
        return TELNET_STAY;
    } else {
        set_named(t, row, argv[1], argv[2]);
    }
    changed(t);
    return TELNET_GO;
}

static bool unset_one(struct telnet *t, const char *name)
{
    bool ambiguous;
    const struct row *row = telnet_find(name, rows, sizeof *rows, &ambiguous);
    if (!row && !ambiguous)
        return switch_toggle(t, "unset", name, 0);
    if (!row || row->where == HEADING) {
        refuse("unset", name, row ? "invalid" : "ambiguous");
        return false;
    }
    if (row->where == TRACE_FILE) {
        telnet_netlog_open(t, NULL);
        printf("%s reset to \"%s\".\n", row->name, telnet_netlog_name(t));
    } else {
        set_char(t, row, TELNET_OFF);
    }
    return true;
}

int telnet_unset(struct telnet *t, int argc, char **argv)
{
    if (argc < 2) {
        telnet_complain("Need an argument to 'unset' command.  'unset ?' for help.\n");
        return TELNET_STAY;
    }
    if (asks_help(argv[1])) {
        list("disable");
        return TELNET_STAY;
    }
    for (int i = 1; i < argc; i++)
        if (!unset_one(t, argv[i]))
            return TELNET_STAY;
    return TELNET_GO;
}

/* --- display --- */

static void show_toggle(struct telnet *t, const struct telnet_toggle *row)
{
    const int *value = telnet_toggle_value(t, row);
    if (value && row->what)
        printf("%s %s.\n", *value ? "will" : "won't", row->what);
}

static void show_row(struct telnet *t, const struct row *row)
{
    const cc_t *at = place(t, row);
    if (at)
        printf("%-15s [%s]\n", row->name, telnet_char_name(*at));
    else if (row->where == TRACE_FILE)
        printf("%-15s \"%s\"\n", row->name, telnet_netlog_name(t));
}

static void show_option(const struct telnet *t, unsigned option, bool ours)
{
    const char *name = hail_telnet_option_name(option), *verb = ours ? "WILL" : "DO";
    char number[8];
    if (!name)
        name = hail_telnet_command_name(option);
    snprintf(number, sizeof number, "%u", option);
    name = name ? name : number;
    const struct hail_telnet *e = &t->engine;
    if (hail_telnet_pending(e, (uint8_t)option, ours)) {
        const char *off = ours ? "WONT" : "DONT";
        printf("resp %s_%s %s: 1\n", verb, off, name);
        bool on = hail_telnet_wanted(e, (uint8_t)option, ours);
        printf("want %-4s %s\n", on ? verb : off, name);
    } else if (ours ? hail_telnet_ours(e, (uint8_t)option)
                    : hail_telnet_theirs(e, (uint8_t)option)) {
        printf("     %-4s %s\n", verb, name);
    }
}

static void show_options(const struct telnet *t)
{
    for (unsigned i = 0; i < 256; i++) {
        show_option(t, i, false);
        show_option(t, i, true);
    }
}

static bool display_one(struct telnet *t, const char *name)
{
    bool many_rows, many_toggles;
    const struct row *row = telnet_find(name, rows, sizeof *rows, &many_rows);
    const struct telnet_toggle *toggle =
        telnet_find(name, telnet_toggle_rows, sizeof *toggle, &many_toggles);
    if (many_rows || many_toggles || (!row && !toggle)) {
        printf("?%s argument '%s'.\n",
               row || toggle || many_rows || many_toggles ? "Ambiguous" : "Unknown", name);
        return false;
    }
    if (toggle)
        show_toggle(t, toggle);
    if (row)
        show_row(t, row);
    return true;
}

int telnet_display(struct telnet *t, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!display_one(t, argv[i]))
            return TELNET_STAY;
    if (argc == 1) {
        for (const struct telnet_toggle *r = telnet_toggle_rows; r->name; r++)
            show_toggle(t, r);
        printf("\n");
        for (const struct row *r = rows; r->name; r++)
            show_row(t, r);
    }
    show_options(t);
    return TELNET_GO;
}
