/* cmd_send.c - `send`: commands and requests of the protocol, by their names. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum { COMMAND, ESCAPE, SYNCH, STATUS, HELP, ASK };

static const struct row {
    const char *name, *help;
    int what;
    uint8_t code; /* the command; of ASK, the verb */
} rows[] = {
    {"ao", "Send Telnet Abort output", COMMAND, HAIL_TELNET_AO},
    {"ayt", "Send Telnet 'Are You There'", COMMAND, HAIL_TELNET_AYT},
    {"brk", "Send Telnet Break", COMMAND, HAIL_TELNET_BRK},
    {"break", NULL, COMMAND, HAIL_TELNET_BRK},
    {"ec", "Send Telnet Erase Character", COMMAND, HAIL_TELNET_EC},
    {"el", "Send Telnet Erase Line", COMMAND, HAIL_TELNET_EL},
    {"escape", "Send current escape character", ESCAPE, 0},
    {"ga", "Send Telnet 'Go Ahead' sequence", COMMAND, HAIL_TELNET_GA},
    {"ip", "Send Telnet Interrupt Process", COMMAND, HAIL_TELNET_IP},
    {"intp", NULL, COMMAND, HAIL_TELNET_IP},
    {"interrupt", NULL, COMMAND, HAIL_TELNET_IP},
    {"intr", NULL, COMMAND, HAIL_TELNET_IP},
    {"nop", "Send Telnet 'No operation'", COMMAND, HAIL_TELNET_NOP},
    {"eor", "Send Telnet 'End of Record'", COMMAND, HAIL_TELNET_EOR},
    {"abort", "Send Telnet 'Abort Process'", COMMAND, HAIL_TELNET_ABORT},
    {"susp", "Send Telnet 'Suspend Process'", COMMAND, HAIL_TELNET_SUSP},
    {"eof", "Send Telnet End of File Character", COMMAND, HAIL_TELNET_EOF},
    {"synch", "Perform Telnet 'Synch operation'", SYNCH, HAIL_TELNET_DM},
    {"getstatus", "Send request for STATUS", STATUS, 0},
    {"?", "Display send options", HELP, 0},
    {"help", NULL, HELP, 0},
    {"do", NULL, ASK, HAIL_TELNET_DO},
    {"dont", NULL, ASK, HAIL_TELNET_DONT},
    {"will", NULL, ASK, HAIL_TELNET_WILL},
    {"wont", NULL, ASK, HAIL_TELNET_WONT},
    {NULL, NULL, 0, 0},
};

static void help(void)
{
    for (const struct row *r = rows; r->name; r++)
        if (r->help)
            printf("%-15s %s\n", r->name, r->help);
}

/* The options by number, as far as they have names; NULL ends. */
static const char *const *option_names(void)
{
    static const char *names[257];
    for (unsigned i = 0; i < 256 && (names[i] = hail_telnet_option_name(i)); i++)
        ;
    return names;
}

static void ask_help(const char *verb)
{
    size_t column = 8;
    printf("Usage: send %s <value|option>\n\"value\" must be from 0 to 255\n"
           "Valid options are:\n\t",
           verb);
    for (const char *const *name = option_names(); *name; name++) {
        size_t n = strlen(*name) + 3;
        if (column + n > 65) {
            printf("\n\t");
            column = 8;
        }
        printf(" \"%s\"", *name);
        column += n;
    }
    printf("\n");
}

/* The option's number, or -1 when that was said. */
static int option_number(const char *verb, const char *name)
{
    bool ambiguous;
    const char *const *names = option_names();
    const char *const *found = telnet_find(name, names, sizeof *names, &ambiguous);
    if (found)
        return (int)(found - names);
    size_t digits = strspn(name, "0123456789");
    const char *what = ambiguous ? "ambiguous argument" : name[digits] ? "unknown argument" : NULL;
    if (!what && digits < 4 && atoi(name) <= 255)
        return atoi(name);
    telnet_complain("'%s': %s ('send %s ?' for help).\n", name, what ? what : "bad value", verb);
    return -1;
}

/* WILL, WONT, DO, DONT of an option: whether it was asked. */
static bool ask(struct telnet *t, const struct row *row, const char *name)
{
    if (telnet_is_prefix(name, "help") || telnet_is_prefix(name, "?")) {
        ask_help(row->name);
        return false;
    }
    int option = option_number(row->name, name);
    if (option < 0)
        return false;
    if (!t->stream) {
        printf("?Need to be connected first.\n");
        return false;
    }
    hail_telnet_ask(&t->engine, row->code, (uint8_t)option);
    telnet_mode_update(t, false);
    return true;
}

static bool ask_status(struct telnet *t)
{
    if (hail_telnet_wanted(&t->engine, HAIL_TELOPT_STATUS, false) &&
        hail_telnet_ask_status(&t->engine) == 0)
        return true;
    printf("Remote side does not support STATUS option\n");
    return false;
}

/* Whether it was done. */
static bool send_one(struct telnet *t, const struct row *row, const char *arg)
{
    switch (row->what) {
    case ESCAPE: {
        const char c = (char)t->chars.escape;
        return telnet_say(t, &c, 1) == 0;
    }
    case STATUS:
        return ask_status(t);
    case ASK:
        return ask(t, row, arg);
    default:
        return hail_telnet_send_command(&t->engine, row->code) == 0;
    }
}

/* All words are looked at before anything is sent: 0, or what the command returns. */
static bool check(const struct telnet *t, int argc, char **argv)
{
    bool connected = false;
    for (int i = 1; i < argc; i++) {
        bool ambiguous;
        const struct row *row = telnet_find(argv[i], rows, sizeof *rows, &ambiguous);
        if (!row) {
            printf("%s send argument '%s'\n'send ?' for help.\n",
                   ambiguous ? "Ambiguous" : "Unknown", argv[i]);
            return false;
        }
        int args = row->what == ASK;
        if (i + args >= argc) {
            telnet_complain("Need %d argument%s to 'send %s' command.  'send %s ?' for help.\n",
                            args, args == 1 ? "" : "s", row->name, row->name);
            return false;
        }
        if (row->what == HELP) {
            help();
            return false;
        }
        i += args;
        connected |= row->what != ASK;
    }
    if (connected && !t->stream)
        printf("?Need to be connected first.\n'send ?' for help\n");
    return !connected || t->stream;
}

int telnet_send(struct telnet *t, int argc, char **argv)
{
    if (argc < 2) {
        printf("need at least one argument for 'send' command\n'send ?' for help\n");
        return TELNET_STAY;
    }
    if (!check(t, argc, argv))
        return TELNET_STAY;
    bool all = true;
    for (int i = 1; i < argc; i++) {
        bool ambiguous;
        const struct row *row = telnet_find(argv[i], rows, sizeof *rows, &ambiguous);
        all &= send_one(t, row, argv[i + 1]);
        i += row->what == ASK;
    }
    return all ? TELNET_GO : TELNET_STAY;
}
