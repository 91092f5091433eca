/* telnet.c - `hail telnet`, and the program when it is called telnet: talk to a service by hand. */
#include "editor.h"
#include "options.h"
#include "session.h"
#include "transcript.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TYPE_MAX                                                                                   \
    41 /* a terminal type's bytes with the NUL: longer ones are not told (RFC 1091)                \
        */

/* The terminal's type in capitals, as the peer is told. */
static void tell_type(struct telnet *t)
{
    static char type[TYPE_MAX];
    static const char *const types[] = {type};
    const char *term = getenv("TERM");
    size_t n = term ? strlen(term) : 0;
    if (n == 0 || n >= sizeof type)
        return;
    for (size_t i = 0; i <= n; i++)
        type[i] = term[i] >= 'a' && term[i] <= 'z' ? (char)(term[i] - 'a' + 'A') : term[i];
    t->told.types = types;
    t->told.ntypes = 1;
}

static uint32_t speed(speed_t code)
{
    static const struct {
        speed_t code;
        uint32_t bits;
    } speeds[] = {{B50, 50},         {B75, 75},        {B110, 110},     {B134, 134},
                  {B150, 150},       {B200, 200},      {B300, 300},     {B600, 600},
                  {B1200, 1200},     {B1800, 1800},    {B2400, 2400},   {B4800, 4800},
                  {B9600, 9600},     {B19200, 19200},  {B38400, 38400}, {B57600, 57600},
                  {B115200, 115200}, {B230400, 230400}};
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++)
        if (speeds[i].code == code)
            return speeds[i].bits;
    return code == B0 ? 0 : 230400;
}

static int begin(struct telnet *t)
{
    telnet_terminal_init(t);
    telnet_take_options(t);
    tell_type(t);
    t->told.ospeed = speed(cfgetospeed(&t->tty.found));
    t->told.ispeed = speed(cfgetispeed(&t->tty.found));
    telnet_slc_tell(t);
    hail_buf_init(&t->typed, (size_t)1 << 20);
    hail_buf_init(&t->out, (size_t)16 << 20);
    telnet_engine_begin(t);
    telnet_dialing_begin(t);
    return telnet_environ_init(t);
}

static void end(struct telnet *t)
{
    telnet_hang_up(t);
    telnet_transcript_close(t);
    telnet_editor_free(t);
    telnet_dialing_end(t);
    telnet_environ_free(t);
    telnet_netlog_free(t);
    hail_buf_free(&t->out);
    hail_buf_free(&t->typed);
    hail_buf_free(&t->shown);
}

/* The command line is an `open`. */
static void open_host(struct telnet *t)
{
    char *words[12], l[] = "-l", b[] = "-b", four[] = "-4", six[] = "-6";
    int n = 0;
    words[n++] = (char *)t->name;
    if (t->opt.user) {
        words[n++] = l;
        words[n++] = (char *)t->opt.user;
    }
    if (t->opt.bind) {
        words[n++] = b;
        words[n++] = (char *)t->opt.bind;
    }
    if (t->c->family)
        words[n++] = t->c->family == AF_INET ? four : six;
    words[n++] = (char *)t->opt.host;
    if (t->opt.port)
        words[n++] = (char *)t->opt.port;
    words[n] = NULL;
    telnet_open(t, n, words);
}

/* By the name telnet there are inetutils' two statuses. */
static int status_for(const struct telnet *t)
{
    return t->c->by_name && t->status != STATUS_DONE ? STATUS_NO : t->status;
}

static int run(struct common *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct telnet *t = calloc(1, sizeof *t);
    if (!t)
        return local_error("allocate", "the session", ENOMEM);
    t->c = c;
    t->name = "telnet";
    if (begin(t) < 0)
        t->status = local_error("allocate", "the environment", ENOMEM);
    else if ((t->status = telnet_transcript_open(t)) != 0)
        t->leave = true;
    else if (t->opt.host)
        open_host(t);
    else
        while (!t->leave)
            telnet_prompt(t, true);
    end(t);
    int status = status_for(t);
    free(t);
    return status;
}

const struct command command_telnet = {
    .name = "telnet",
    .args = "[HOST [PORT]]",
    .summary = "talk to any service by hand",
    .options = telnet_option_rows,
    .option = telnet_option,
    .parse = telnet_parse,
    .run = run,
    .more =
        "Without a HOST there is a prompt; the escape character ^] calls it from a "
        "conversation, ? there lists its commands. HOST may be an endpoint: host:port, "
        "unix:/path. PORT is a number or a service's name; with a '-' in front of it options "
        "are offered first, as on port 23. What is piped in is sent, all of it.\n\n"
        "On a terminal the lines for a service are edited: TAB completes what can be said to it, "
        "or lists it; the arrow keys and ^R bring lines that were said, in earlier sessions as "
        "well (those with passwords are not kept); ^D ends what is sent. Behind a reply of SMTP, "
        "POP3, IMAP, FTP, NNTP, HTTP, Redis or memcached stands what it means.\n\n"
        "With steps there is no keyboard: --expect '^220' --send 'EHLO me' --expect '^250' "
        "--reject '^4' are done in order, or those of a FILE, which reads like a transcript:\n"
        "  S: ^220           a reply must come in which a line matches (regex(7))\n"
        "  S+: STARTTLS      ... and another line of it matches this\n"
        "  C: EHLO me        is said; \\r \\n \\t \\e \\0 \\xNN \\\\, \\c at the end: no line end\n"
        "  R: ^4             from here on this must not come\n"
        "  S[5s]: ^250       within five seconds; S[dot]: up to a line with a single dot\n"
        "Status 0: all were met; 1: another reply came, or the end; 5: none came in time.\n",
};
