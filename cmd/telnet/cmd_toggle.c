/* cmd_toggle.c - `toggle`: what is on or off. */
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

static bool binary(const struct telnet *t, bool ours)
{
    return hail_telnet_wanted(&t->engine, HAIL_TELOPT_BINARY, ours);
}

static void ask_binary(struct telnet *t, bool on, bool in, bool out)
{
    if (in)
        hail_telnet_ask(&t->engine, on ? HAIL_TELNET_DO : HAIL_TELNET_DONT, HAIL_TELOPT_BINARY);
    if (out)
        hail_telnet_ask(&t->engine, on ? HAIL_TELNET_WILL : HAIL_TELNET_WONT, HAIL_TELOPT_BINARY);
}

static void both_binary(struct telnet *t, int to)
{
    bool in = binary(t, false), out = binary(t, true);
    if (to < 0) { /* undecided between the two, it goes back to what was asked for last */
        if (in == out)
            t->binary_asked = in;
        to = !t->binary_asked;
    } else {
        t->binary_asked = to;
    }
    if (in == out && in == (bool)to) {
        printf(to ? "Already operating in binary mode with remote host.\n"
                  : "Already in network ascii mode with remote host.\n");
        return;
    }
    printf("Negotiating %s mode with remote host.\n", to ? "binary" : "network ascii");
    ask_binary(t, to, true, true);
}

static void one_binary(struct telnet *t, int to, bool ours)
{
    bool now = binary(t, ours), on = to < 0 ? !now : to;
    if (now == on) {
        printf("Already %s in %s mode.\n", ours ? "transmitting" : "receiving",
               on ? "binary" : "network ascii");
        return;
    }
    printf("Negotiating %s mode on %s.\n", on ? "binary" : "network ascii",
           ours ? "output" : "input");
    ask_binary(t, on, !ours, ours);
}

static void in_binary(struct telnet *t, int to)
{
    one_binary(t, to, false);
}

static void out_binary(struct telnet *t, int to)
{
    one_binary(t, to, true);
}

static void crlf(struct telnet *t, int to)
{
    (void)to;
    printf("Will send carriage returns as telnet <CR>%s.\n", t->toggle.crlf ? "<LF>" : "<NUL>");
}

void telnet_socket_debug(struct telnet *t, int to)
{
    (void)to;
    if (t->stream && setsockopt(hail_stream_fd(t->stream), SOL_SOCKET, SO_DEBUG, &t->toggle.debug,
                                sizeof t->toggle.debug) < 0)
        telnet_perror("setsockopt (SO_DEBUG)", errno);
}

static void help(struct telnet *t, int to)
{
    (void)t;
    (void)to;
    telnet_toggle_list("toggle");
    printf("\n%-15s %s\n", "?", "display help information");
}

#define AT(member) (long)offsetof(struct telnet_toggles, member)

const struct telnet_toggle telnet_toggle_rows[] = {
    {"autoflush", "flushing of output when sending interrupt characters", NULL, AT(autoflush),
     "flush output when sending interrupt characters"},
    {"autosynch", "automatic sending of interrupt characters in urgent mode", NULL, AT(autosynch),
     "send interrupt characters in urgent mode"},
    {"autologin", "automatic sending of login and/or authentication info", NULL, AT(autologin),
     "send login name and/or authentication information"},
    {"skiprc", "don't read ~/.telnetrc file", NULL, AT(skiprc), "skip reading of ~/.telnetrc file"},
    {"binary", "sending and receiving of binary data", both_binary, -1, NULL},
    {"inbinary", "receiving of binary data", in_binary, -1, NULL},
    {"outbinary", "sending of binary data", out_binary, -1, NULL},
    {"crlf", "sending carriage returns as telnet <CR><LF>", crlf, AT(crlf), NULL},
    {"crmod", "mapping of received carriage returns", NULL, AT(crmod),
     "map carriage return on output"},
    {"localchars", "local recognition of certain control characters", NULL, AT(localchars),
     "recognize certain control characters"},
    {" ", "", NULL, -1, NULL},
    {"debug", "debugging", telnet_socket_debug, AT(debug), "turn on socket level debugging"},
    {"netdata", "printing of hexadecimal network data (debugging)", NULL, AT(netdata),
     "print hexadecimal representation of network traffic"},
    {"prettydump", "output of \"netdata\" to user readable format (debugging)", NULL,
     AT(prettydump), "print user readable output for \"netdata\""},
    {"options", "viewing of options processing (debugging)", NULL, AT(options),
     "show option processing"},
    {"termdata", "(debugging) toggle printing of hexadecimal terminal data", NULL, AT(termdata),
     "print hexadecimal representation of terminal traffic"},
    {"?", NULL, help, -1, NULL},
    {"help", NULL, help, -1, NULL},
    {NULL, NULL, NULL, -1, NULL},
};

int *telnet_toggle_value(struct telnet *t, const struct telnet_toggle *row)
{
    return row->at < 0 ? NULL : (int *)((char *)&t->toggle + row->at);
}

void telnet_toggle_say(struct telnet *t, const struct telnet_toggle *row)
{
    const int *value = telnet_toggle_value(t, row);
    if (value && row->what)
        printf("%s %s.\n", *value ? "Will" : "Won't", row->what);
}

void telnet_toggle_list(const char *verb)
{
    for (const struct telnet_toggle *r = telnet_toggle_rows; r->name; r++) {
        if (r->help && *r->help)
            printf("%-15s %s %s\n", r->name, verb, r->help);
        else if (r->help)
            printf("\n");
    }
}

int telnet_toggle(struct telnet *t, int argc, char **argv)
{
    if (argc < 2) {
        telnet_complain("Need an argument to 'toggle' command.  'toggle ?' for help.\n");
        return TELNET_STAY;
    }
    int rc = TELNET_GO;
    for (int i = 1; i < argc; i++) {
        bool ambiguous;
        const struct telnet_toggle *row =
            telnet_find(argv[i], telnet_toggle_rows, sizeof *row, &ambiguous);
        if (!row) {
            telnet_complain("'%s': %s argument ('toggle ?' for help).\n", argv[i],
                            ambiguous ? "ambiguous" : "unknown");
            return TELNET_STAY;
        }
        int *value = telnet_toggle_value(t, row);
        if (value) {
            *value = !*value;
            telnet_toggle_say(t, row);
        }
        if (row->changed)
            row->changed(t, -1);
        if (row->changed == help)
            rc = TELNET_STAY;
    }
    return rc;
}
