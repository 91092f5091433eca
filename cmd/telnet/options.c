/* options.c - the command line.
 *
 * By the name telnet it is read as inetutils-telnet reads it, its long options and its answers to a
 * wrong one included; `hail telnet` has hail's frame. The letters are the same.
 */
#include "options.h"

#include "script.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EX_USAGE 64 /* sysexits.h: what argp(3)'s programs exit with */
#define ROWS_MAX 64
#define STEP_MS  10000 /* that a step of a script may take */

enum {
    OPT_RAW = 256,
    OPT_CRLF,
    OPT_LF,
    OPT_NO_HELP,
    OPT_EXPECT,
    OPT_SEND,
    OPT_REJECT,
    OPT_SCRIPT,
    OPT_STEP,
    OPT_TRANSCRIPT,
    OPT_TLS,
    OPT_NO_TLS,
    OPT_STARTTLS,
    OPT_INSECURE,
    OPT_CA,
    OPT_CERT,
    OPT_KEY,
    OPT_SNI,
    OPT_ALPN,
    OPT_TRACE_FILE,
    OPT_USAGE
};

const struct option_row telnet_option_rows[] = {
    {'8', "binary", NULL, "ask for eight bits both ways (BINARY)"},
    {'a', "login", NULL, "log in as the user that runs this"},
    {'b', "bind", "ADDRESS", "connect from this local address"},
    {'c', "no-rc", NULL, "do not read ~/.telnetrc"},
    {'d', "debug", NULL, "debug the socket (SO_DEBUG)"},
    {'e', "escape", "CHAR", "the character that calls the prompt: ^A, or empty for none"},
    {'E', "no-escape", NULL, "no character calls the prompt"},
    {'K', "no-login", NULL, "do not log in by itself"},
    {'k', "realm", "REALM", "taken for compatibility: there is no Kerberos in hail"},
    {'l', "user", "USER", "log in as USER"},
    {'L', "binary-output", NULL, "ask for eight bits on the way out only"},
    {'n', NULL, "FILE", "write what `toggle options`, netdata and termdata trace into FILE"},
    {'r', "rlogin", NULL, "escape as rlogin does: ~. at the beginning of a line"},
    {'x', "encrypt", NULL, "TELNET's own encryption, which hail has not: use --tls"},
    {'X', "disable-auth", "TYPE", "taken for compatibility: there is no authentication to disable"},
    {OPT_RAW, "raw", NULL, "change nothing that comes or goes: no line ends, no safe rendering"},
    {OPT_CRLF, "crlf", NULL, "end lines with CR LF, typed ones as well"},
    {OPT_LF, "lf", NULL, "end lines with LF"},
    {OPT_NO_HELP, "no-help", NULL, "do not explain the service's replies"},
    {OPT_TLS, "tls", NULL,
     "speak TLS from the first byte; so it is on 443, 465, 993 and their like"},
    {OPT_NO_TLS, "no-tls", NULL, "speak plain text on any port"},
    {OPT_STARTTLS, "starttls", "[=PROTO]",
     "ask for TLS as smtp, lmtp, pop3, imap, ftp, nntp, sieve, postgres, mysql, ldap or xmpp has "
     "it; without PROTO as the port says"},
    {OPT_INSECURE, "insecure-certificate", NULL, "take any certificate"},
    {OPT_CA, "ca", "FILE", "trust the authorities in FILE in place of the system's"},
    {OPT_CERT, "cert", "FILE", "show this certificate to the peer"},
    {OPT_KEY, "key", "FILE", "its private key, if it is not in the same file"},
    {OPT_SNI, "sni", "NAME", "the name to ask for and to find in the certificate"},
    {OPT_SNI, "servername", "NAME", "the same"},
    {OPT_ALPN, "alpn", "LIST", "protocols to offer (ALPN): h2,http/1.1"},
    {OPT_EXPECT, "expect", "REGEX", "wait for a reply that matches; steps are done in order"},
    {OPT_SEND, "send", "TEXT", "say TEXT and a line end (none if it ends with \\c)"},
    {OPT_REJECT, "reject", "REGEX", "no reply may match, from here on"},
    {OPT_SCRIPT, "script", "FILE", "the steps in FILE, as a transcript has them"},
    {OPT_STEP, "step-timeout", "SECONDS", "the time for each step (10)"},
    {OPT_TRANSCRIPT, "transcript", "FILE",
     "write the conversation into FILE, for --script; passwords are in it as well"},
    {0},
};

static struct {
    struct telnet_options o;
    struct telnet_chars chars;
    struct telnet_toggles toggle;
    const char *log;
    struct telnet_script script;
    char **operands;
    int n;
} chosen;

/* The escape character, or rlogin's when there is one. */
static void set_escape(const char *s)
{
    bool rlogin = chosen.chars.rlogin != TELNET_OFF;
    cc_t *c = rlogin ? &chosen.chars.rlogin : &chosen.chars.escape;
    *c = *s ? telnet_char_of(s) : TELNET_OFF;
    printf("Telnet %sescape character is '%s'.\n", rlogin ? "rlogin " : "", telnet_char_name(*c));
}

static bool how_to_connect(int letter, const char *value)
{
    switch (letter) {
    case 'a':
        chosen.toggle.autologin = 1;
        break;
    case 'b':
        chosen.o.bind = value;
        break;
    case 'c':
        chosen.toggle.skiprc = 1;
        break;
    case 'd':
        chosen.toggle.debug = 1;
        break;
    case 'K':
        chosen.toggle.autologin = 0;
        break;
    case 'l':
        chosen.toggle.autologin = 1;
        chosen.o.user = value;
        break;
    case 'n':
        chosen.log = value;
        break;
    default:
        return false;
    }
    return true;
}

/* 0, or a status to end with; -1: it is another option. */
static int script_option(int letter, const char *value)
{
    struct telnet_script *s = &chosen.script;
    switch (letter) {
    case OPT_EXPECT:
        return telnet_script_add(s, HAIL_SCRIPT_EXPECT, value);
    case OPT_SEND:
        return telnet_script_add(s, HAIL_SCRIPT_SEND, value);
    case OPT_REJECT:
        return telnet_script_add(s, HAIL_SCRIPT_REJECT, value);
    case OPT_SCRIPT:
        return telnet_script_read(s, value);
    case OPT_STEP:
        return telnet_script_limit(s, value);
    case OPT_TRANSCRIPT:
        chosen.o.transcript = value;
        return 0;
    default:
        return -1;
    }
}

/* --starttls[=PROTO] */
static int take_starttls(struct telnet_tls_options *o, const char *value)
{
    o->starttls = true;
    o->protocol = value ? hail_starttls_by_name(value) : HAIL_STARTTLS_NONE;
    if (value && !o->protocol)
        return usage_error(&command_telnet, "--starttls: there is no '%s'", value);
    return 0;
}

/* 0, or a status to end with; -1: it is another option. */
static int tls_option(int letter, const char *value)
{
    struct telnet_tls_options *o = &chosen.o.tls;
    switch (letter) {
    case OPT_TLS:
        o->on = true;
        break;
    case OPT_NO_TLS:
        o->off = true;
        break;
    case OPT_STARTTLS:
        return take_starttls(o, value);
    case OPT_INSECURE:
        o->how.insecure_certificate = true;
        break;
    case OPT_CA:
        o->how.ca_file = value;
        break;
    case OPT_CERT:
        o->how.cert_file = value;
        break;
    case OPT_KEY:
        o->how.key_file = value;
        break;
    case OPT_SNI:
        o->name = value;
        break;
    case OPT_ALPN:
        o->how.alpn = value;
        break;
    default:
        return -1;
    }
    return 0;
}

int telnet_option(int letter, const char *value)
{
    int status = script_option(letter, value);
    if (status < 0)
        status = tls_option(letter, value);
    if (status >= 0)
        return status;
    if (how_to_connect(letter, value))
        return 0;
    switch (letter) {
    case '8':
        chosen.o.eight_in = chosen.o.eight_out = true;
        break;
    case 'L':
        chosen.o.eight_out = true;
        break;
    case 'E':
        chosen.chars.escape = chosen.chars.rlogin = TELNET_OFF;
        break;
    case 'e':
        set_escape(value);
        break;
    case 'r':
        chosen.chars.rlogin = '~';
        chosen.toggle.autologin = chosen.toggle.autologin < 0 ? 1 : chosen.toggle.autologin;
        break;
    case 'x':
        telnet_complain("telnet: Warning: -x ignored, no ENCRYPT support.\n");
        break;
    case OPT_RAW:
        chosen.o.raw = true;
        break;
    case OPT_CRLF:
        chosen.o.newline = TELNET_NEWLINE_CRLF;
        break;
    case OPT_NO_HELP:
        chosen.o.no_help = true;
        break;
    case OPT_LF:
        chosen.o.newline = TELNET_NEWLINE_LF;
        break;
    default: /* -k, -X: nothing here that they could be about */
        break;
    }
    return 0;
}

/* --- by the name telnet --- */

struct table {
    struct option longs[ROWS_MAX + 1];
    char letters[3 * ROWS_MAX];
};

static void add_row(struct table *t, size_t *n, int letter, const char *name, const char *arg)
{
    int how = !arg ? no_argument : *arg == '[' ? optional_argument : required_argument;
    if (letter < 128) {
        char text[] = {(char)letter, how != no_argument ? ':' : '\0', '\0'};
        strcat(t->letters, text);
    }
    if (name && *n < ROWS_MAX)
        t->longs[(*n)++] = (struct option){name, how, NULL, letter};
}

static void fill(struct table *t)
{
    size_t n = 0;
    add_row(t, &n, '4', "ipv4", NULL);
    add_row(t, &n, '6', "ipv6", NULL);
    add_row(t, &n, '?', "help", NULL);
    add_row(t, &n, 'V', "version", NULL);
    add_row(t, &n, OPT_USAGE, "usage", NULL);
    add_row(t, &n, OPT_TRACE_FILE, "trace", "FILE");
    for (const struct option_row *r = telnet_option_rows; r->letter; r++)
        add_row(t, &n, r->letter, r->name, r->arg);
}

static int parse_as_telnet(struct common *c, int argc, char **argv)
{
    struct table t = {.letters = ""};
    int got, status;
    fill(&t);
    while ((got = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
        bool asked =
            got == '?' && optopt == 0 &&
            (strcmp(argv[optind - 1], "-?") == 0 || strncmp(argv[optind - 1], "--h", 3) == 0);
        if (asked || got == OPT_USAGE)
            return help_command(c->cmd);
        if (got == '?') {
            telnet_complain("Try 'telnet --help' or 'telnet --usage' for more information.\n");
            return EX_USAGE;
        }
        if (got == '4' || got == '6')
            c->family = got == '4' ? AF_INET : AF_INET6;
        else if (got == 'V')
            return printf("telnet (hail) %s\n", hail_version()) < 0 ? STATUS_LOCAL : STATUS_DONE;
        else if ((status = telnet_option(got == OPT_TRACE_FILE ? 'n' : got, optarg)) != 0)
            return status;
    }
    chosen.operands = argv + optind;
    chosen.n = argc - optind;
    if (chosen.n <= 2)
        return -1;
    telnet_complain("%s: too many arguments\n", argv[0]);
    return STATUS_NO;
}

/* --- hail telnet --- */

/* "-25" after the host is a port for which options are offered, no option. */
static bool is_port(const char *word, bool after_host)
{
    size_t digits = *word == '-' ? strspn(word + 1, "0123456789") : 0;
    return after_host && digits > 1 && !word[1 + digits];
}

static int parse_as_hail(struct common *c, int argc, char **argv)
{
    static char *words[3];
    char *port = NULL;
    int first, kept = 0;
    for (int i = 0; i < argc; i++) { /* getopt(3) shall not see it */
        if (i > 0 && !port && is_port(argv[i], i > 1))
            port = argv[i];
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    int status = parse_options(c->cmd, c, kept, argv, &first);
    if (status >= 0)
        return status;
    if (c->json)
        return usage_error(c->cmd, "--json: a conversation has no rows; see --transcript");
    for (chosen.n = 0; argv[first] && chosen.n < 2; chosen.n++)
        words[chosen.n] = argv[first++];
    if (argv[first] || (port && chosen.n != 1))
        return usage_error(c->cmd, "wants a host and a port at most");
    if (port)
        words[chosen.n++] = port;
    chosen.operands = words;
    return -1;
}

int telnet_parse(struct common *c, int argc, char **argv)
{
    chosen.toggle = (struct telnet_toggles){.autoflush = 1, .autologin = -1, .localchars = 1};
    chosen.chars =
        (struct telnet_chars){.echo = 'E' & 0x1F, .escape = ']' & 0x1F, .ayt = 'T' & 0x1F};
    chosen.script.step_ms = STEP_MS;
    int status = c->by_name ? parse_as_telnet(c, argc, argv) : parse_as_hail(c, argc, argv);
    const struct telnet_tls_options *tls = &chosen.o.tls;
    if (status < 0 && tls->off && (tls->on || tls->starttls))
        status = usage_error(c->cmd, "--no-tls contradicts --tls and --starttls");
    if (status < 0 && tls->on && tls->starttls)
        status = usage_error(c->cmd, "TLS begins at once (--tls) or later (--starttls), not both");
    if (status < 0 && chosen.n == 0 && chosen.script.steps.n)
        status = usage_error(c->cmd, "a script wants a host");
    if (chosen.toggle.autologin < 0)
        chosen.toggle.autologin = 0;
    return status;
}

void telnet_take_options(struct telnet *t)
{
    t->opt = chosen.o;
    t->opt.host = chosen.n > 0 ? chosen.operands[0] : NULL;
    t->opt.port = chosen.n > 1 ? chosen.operands[1] : NULL;
    t->toggle = chosen.toggle;
    t->chars = chosen.chars;
    t->script = chosen.script.steps.n ? &chosen.script : NULL;
    telnet_netlog_open(t, chosen.log);
}
