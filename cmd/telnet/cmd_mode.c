/* cmd_mode.c - `mode`: a character or a line at a time, and LINEMODE's bits. */
#include "session.h"

enum { CHARACTER, LINE, KLUDGE, ON, OFF, HELP, NOTHING };

static const struct row {
    const char *name, *help;
    int what;
    uint8_t bit; /* of LINEMODE's MODE */
} rows[] = {
    {"character", "Disable LINEMODE option", CHARACTER, 0},
    {"", "(or disable obsolete line-by-line mode)", NOTHING, 0},
    {"line", "Enable LINEMODE option", LINE, 0},
    {"", "(or enable obsolete line-by-line mode)", NOTHING, 0},
    {"", "", NOTHING, 0},
    {"", "These require the LINEMODE option to be enabled", NOTHING, 0},
    {"isig", "Enable signal trapping", ON, HAIL_TELNET_MODE_TRAPSIG},
    {"+isig", NULL, ON, HAIL_TELNET_MODE_TRAPSIG},
    {"-isig", "Disable signal trapping", OFF, HAIL_TELNET_MODE_TRAPSIG},
    {"edit", "Enable character editing", ON, HAIL_TELNET_MODE_EDIT},
    {"+edit", NULL, ON, HAIL_TELNET_MODE_EDIT},
    {"-edit", "Disable character editing", OFF, HAIL_TELNET_MODE_EDIT},
    {"softtabs", "Enable tab expansion", ON, HAIL_TELNET_MODE_SOFT_TAB},
    {"+softtabs", NULL, ON, HAIL_TELNET_MODE_SOFT_TAB},
    {"-softtabs", "Disable character editing", OFF, HAIL_TELNET_MODE_SOFT_TAB},
    {"litecho", "Enable literal character echo", ON, HAIL_TELNET_MODE_LIT_ECHO},
    {"+litecho", NULL, ON, HAIL_TELNET_MODE_LIT_ECHO},
    {"-litecho", "Disable literal character echo", OFF, HAIL_TELNET_MODE_LIT_ECHO},
    {"help", NULL, HELP, 0},
    {"kludgeline", NULL, KLUDGE, 0},
    {"", "", NOTHING, 0},
    {"?", "Print help information", HELP, 0},
    {NULL, NULL, 0, 0},
};

static int help(void)
{
    printf("format is:  'mode Mode', where 'Mode' is one of:\n\n");
    for (const struct row *r = rows; r->name; r++) {
        if (r->help && *r->help)
            printf("%-15s %s\n", r->name, r->help);
        else if (r->help)
            printf("\n");
    }
    return TELNET_STAY;
}

static int ask_line(struct telnet *t)
{
    if (t->kludge)
        hail_telnet_ask(&t->engine, HAIL_TELNET_DONT, HAIL_TELOPT_SGA);
    hail_telnet_ask(&t->engine, HAIL_TELNET_WILL, HAIL_TELOPT_LINEMODE);
    hail_telnet_ask(&t->engine, HAIL_TELNET_DONT, HAIL_TELOPT_ECHO);
    return TELNET_GO;
}

static int ask_character(struct telnet *t)
{
    if (t->kludge)
        hail_telnet_ask(&t->engine, HAIL_TELNET_DO, HAIL_TELOPT_SGA);
    else
        hail_telnet_ask(&t->engine, HAIL_TELNET_WONT, HAIL_TELOPT_LINEMODE);
    hail_telnet_ask(&t->engine, HAIL_TELNET_DO, HAIL_TELOPT_ECHO);
    return TELNET_GO;
}

static int ask_kludge(struct telnet *t)
{
    t->kludge = true;
    hail_telnet_ask(&t->engine, HAIL_TELNET_WONT, HAIL_TELOPT_LINEMODE);
    hail_telnet_ask(&t->engine, HAIL_TELNET_DONT, HAIL_TELOPT_SGA);
    hail_telnet_ask(&t->engine, HAIL_TELNET_DONT, HAIL_TELOPT_ECHO);
    return TELNET_STAY;
}

/* A bit of LINEMODE's MODE: this side proposes, RFC 1184 section 2.2. */
static int ask_bit(struct telnet *t, uint8_t bit, bool on)
{
    if (!hail_telnet_wanted(&t->engine, HAIL_TELOPT_LINEMODE, true)) {
        printf("?Need to have LINEMODE option enabled first.\n'mode ?' for help.\n");
        return TELNET_STAY;
    }
    unsigned mode = hail_telnet_mode(&t->engine);
    hail_telnet_ask_mode(&t->engine, on ? mode | bit : mode & ~(unsigned)bit);
    return TELNET_GO;
}

static int run(struct telnet *t, const struct row *row)
{
    switch (row->what) {
    case CHARACTER:
        return ask_character(t);
    case LINE:
        return ask_line(t);
    case KLUDGE:
        return ask_kludge(t);
    case ON:
    case OFF:
        return ask_bit(t, row->bit, row->what == ON);
    case HELP:
        return help();
    default:
        return TELNET_STAY;
    }
}

int telnet_mode(struct telnet *t, int argc, char **argv)
{
    if (argc != 2) {
        printf("'mode' command requires an argument\n'mode ?' for help.\n");
        return TELNET_STAY;
    }
    bool ambiguous;
    const struct row *row = telnet_find(argv[1], rows, sizeof *rows, &ambiguous);
    if (!row) {
        telnet_complain("%s mode '%s' ('mode ?' for help).\n", ambiguous ? "Ambiguous" : "Unknown",
                        argv[1]);
        return TELNET_STAY;
    }
    if (row->what < HELP && !t->stream) {
        printf("?Need to be connected first.\n'mode ?' for help.\n");
        return TELNET_STAY;
    }
    return run(t, row);
}
