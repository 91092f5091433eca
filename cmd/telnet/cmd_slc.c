/* cmd_slc.c - LINEMODE's special characters: the terminal's own, told to the peer; the peer's, put
 * into the terminal; and `slc`, which of the two are in force. */
#include "session.h"

/* Where a function's character is in c_cc, and what this side is capable of; at < 0: this side has
 * none, the peer may decide. Functions that are not here are not known. */
static const struct {
    uint8_t function, flags;
    int at;
} places[] = {
    {HAIL_TELNET_SLC_SYNCH, 0, -1},
    {HAIL_TELNET_SLC_IP, HAIL_TELNET_SLC_FLUSHIN | HAIL_TELNET_SLC_FLUSHOUT, VINTR},
    {HAIL_TELNET_SLC_AO, 0, VDISCARD},
    {HAIL_TELNET_SLC_AYT, 0, -1},
    {HAIL_TELNET_SLC_ABORT, HAIL_TELNET_SLC_FLUSHIN | HAIL_TELNET_SLC_FLUSHOUT, VQUIT},
    {HAIL_TELNET_SLC_EOF, 0, VEOF},
    {HAIL_TELNET_SLC_SUSP, HAIL_TELNET_SLC_FLUSHIN, VSUSP},
    {HAIL_TELNET_SLC_EC, 0, VERASE},
    {HAIL_TELNET_SLC_EL, 0, VKILL},
    {HAIL_TELNET_SLC_EW, 0, VWERASE},
    {HAIL_TELNET_SLC_RP, 0, VREPRINT},
    {HAIL_TELNET_SLC_LNEXT, 0, VLNEXT},
    {HAIL_TELNET_SLC_XON, 0, VSTART},
    {HAIL_TELNET_SLC_XOFF, 0, VSTOP},
    {HAIL_TELNET_SLC_FORW1, 0, VEOL},
    {HAIL_TELNET_SLC_FORW2, 0, VEOL2},
};
#define PLACES (sizeof places / sizeof *places)

void telnet_slc_tell(struct telnet *t)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct hail_telnet_slc *c = &t->told.slc[places[i].function];
        c->flags =
            places[i].at < 0 ? HAIL_TELNET_SLC_DEFAULT : HAIL_TELNET_SLC_VALUE | places[i].flags;
        c->value = places[i].at < 0 ? 0 : t->tty.now.c_cc[places[i].at];
    }
}

void telnet_slc_take(struct telnet *t, unsigned function, uint8_t value)
{
    for (size_t i = 0; i < PLACES; i++)
        if (places[i].function == function && places[i].at >= 0)
            t->tty.now.c_cc[places[i].at] = value;
    telnet_slc_tell(t);
}

void telnet_slc_say(const struct telnet *t)
{
    static const char *const whose[] = {"local", "remote default", "remote"};
    printf("Special characters are %s values\n", whose[t->slc_source]);
}

enum { HELP = -1 };
static const struct row {
    const char *name, *help;
    int source;
} rows[] = {
    {"export", "Use local special character definitions", TELNET_SLC_EXPORT},
    {"import", "Use remote special character definitions", TELNET_SLC_IMPORT},
    {"check", "Verify remote special character definitions", TELNET_SLC_CHECK},
    {"help", NULL, HELP},
    {"?", "Print help information", HELP},
    {NULL, NULL, 0},
};

static void choose(struct telnet *t, int source)
{
    t->slc_source = source;
    if (!t->stream || !hail_telnet_ours(&t->engine, HAIL_TELOPT_LINEMODE))
        return;
    if (source == TELNET_SLC_EXPORT) {
        telnet_terminal_default_chars(t);
        telnet_slc_tell(t);
        hail_telnet_slc_export(&t->engine);
    } else {
        hail_telnet_slc_import(&t->engine, source == TELNET_SLC_IMPORT);
    }
}

int telnet_slc(struct telnet *t, int argc, char **argv)
{
    if (argc != 2) {
        telnet_complain("Need an argument to 'slc' command.  'slc ?' for help.\n");
        return TELNET_STAY;
    }
    bool ambiguous;
    const struct row *row = telnet_find(argv[1], rows, sizeof *rows, &ambiguous);
    if (!row) {
        telnet_complain("'%s': %s argument ('slc ?' for help).\n", argv[1],
                        ambiguous ? "ambiguous" : "unknown");
        return TELNET_STAY;
    }
    if (row->source == HELP) {
        for (const struct row *r = rows; r->name; r++)
            if (r->help)
                printf("%-15s %s\n", r->name, r->help);
    } else {
        choose(t, row->source);
    }
    telnet_slc_say(t);
    return TELNET_GO;
}
