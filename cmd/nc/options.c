/* options.c - the command line of nc: netcat-openbsd's letters with its messages, hail's own long
 * options beside them; nc.h. */
#include "nc/nc.h"
#include "split.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LETTERS    "46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zz"
#define WINDOW_MAX (65536LL << 14)

struct nc_options nc_asked;

enum {
    OWN_TLS = 256,
    OWN_CERT,
    OWN_KEY,
    OWN_CA,
    OWN_ALPN,
    OWN_SNI,
    OWN_INSECURE,
    OWN_EXEC,
    OWN_SH_EXEC,
    OWN_PROXY,
    OWN_HEXDUMP,
    OWN_IDLE,
    OWN_PROGRESS,
    OWN_PROBE,
};

const struct option_row nc_own_options[] = {
    {OWN_TLS, "tls", NULL, "speak TLS; with -l as the server"},
    {OWN_CERT, "cert", "FILE", "own certificate chain, PEM"},
    {OWN_KEY, "key", "FILE", "its private key, where it is not in the certificate's file"},
    {OWN_CA, "ca", "FILE", "trust the authorities in FILE in place of the system's"},
    {OWN_ALPN, "alpn", "PROTOCOLS", "offer or choose among these, by commas"},
    {OWN_SNI, "sni", "NAME", "whom the certificate has to be for, in place of the host"},
    {OWN_INSECURE, "insecure-certificate", NULL, "take any certificate"},
    {OWN_EXEC, "exec", "PROGRAM", "run a program (with arguments) on the connection"},
    {OWN_SH_EXEC, "sh-exec", "COMMAND", "the same through /bin/sh"},
    {OWN_PROXY, "proxy", "URL", "connect through a proxy: socks5://, socks4a://, http:// ..."},
    {OWN_HEXDUMP, "hexdump", "[=FILE]", "show what passes, on standard error or into FILE"},
    {OWN_IDLE, "idle-timeout", "SECONDS", "end when nothing has moved either way for so long"},
    {OWN_PROGRESS, "progress", NULL, "bytes, rate and time on standard error, if a terminal"},
    {OWN_PROBE, "probe", NULL, "with -zu: ask DNS, NTP, SNMP and STUN something harmless"},
    {0},
};

static int set_idle(struct nc_options *o, const char *value)
{
    char *end;
    double s = strtod(value, &end);
    if (end == value || *end || !isfinite(s) || s < 0.001 || s > 1e9)
        return usage_error(&command_nc, "--idle-timeout wants seconds above 0, not '%s'", value);
    o->idle_ms = (int64_t)ceil(s * 1000);
    return 0;
}

static int own_option(int letter, const char *value)
{
    struct nc_options *o = &nc_asked;
    const char **const words[] = {&o->cert, &o->key, &o->ca, &o->alpn, &o->sni};
    if (letter >= OWN_CERT && letter <= OWN_SNI) {
        *words[letter - OWN_CERT] = value;
        return 0;
    }
    switch (letter) {
    case OWN_EXEC:
    case OWN_SH_EXEC:
        o->exec = value;
        o->exec_by_shell = letter == OWN_SH_EXEC;
        break;
    case OWN_PROXY:
        o->proxy_url = value;
        break;
    case OWN_HEXDUMP:
        o->hexdump = true;
        o->hexdump_file = value;
        break;
    case OWN_IDLE:
        return set_idle(o, value);
    default:
        o->tls |= letter == OWN_TLS;
        o->insecure_certificate |= letter == OWN_INSECURE;
        o->progress |= letter == OWN_PROGRESS;
        o->probe |= letter == OWN_PROBE;
    }
    return 0;
}

static const struct option_row *own_row(const char *word)
{
    return split_find(nc_own_options, word);
}

static bool takes_next(const char *word)
{
    return split_cluster_takes_next(word, LETTERS);
}

/* --- netcat's --- */

static bool take_flag(struct nc_options *o, int letter)
{
    const struct {
        int letter;
        bool *flag;
    } flags[] = {{'b', &o->broadcast}, {'C', &o->crlf},   {'D', &o->debug},  {'d', &o->detached},
                 {'F', &o->pass_fd},   {'k', &o->keep},   {'l', &o->listen}, {'N', &o->shut},
                 {'n', &o->numeric},   {'r', &o->random}, {'S', &o->md5},    {'t', &o->telnet},
                 {'u', &o->datagrams}, {'Z', &o->dccp},   {'z', &o->zero_io}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].letter == letter) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

/* A number with its name in messages and its bounds. */
struct numeral {
    const char *name;
    long long low, high;
    int letter;
    bool value_told;
};

static int take_number(struct nc_options *o, int letter, const char *value)
{
    static const struct numeral numerals[] = {
        {"TCP receive window", 1, WINDOW_MAX, 'I', true},
        {"TCP send window", 1, WINDOW_MAX, 'O', true},
        {"interval", 0, UINT_MAX, 'i', true},
        {"ttl is", 0, 255, 'M', false},
        {"minttl is", 0, 255, 'm', false},
        {"quit timer", INT_MIN, INT_MAX, 'q', true},
        {"receive limit", 1, INT_MAX, 'W', true},
        {"timeout", 0, INT_MAX / 1000, 'w', true},
    };
    const struct numeral *n = numerals;
    while (n->letter != letter)
        n++;
    const char *error;
    long long number = nc_number(value, n->low, n->high, &error);
    if (error)
        return n->value_told ? nc_fail("%s %s: %s", n->name, error, value)
                             : nc_fail("%s %s", n->name, error);
    if (letter == 'i') {
        o->interval_s = (long)number;
        return -1;
    }
    int *const where[] = {&o->rcvbuf, &o->sndbuf, NULL,           &o->ttl,
                          &o->minttl, &o->quit_s, &o->recv_limit, &o->timeout_s};
    *where[n - numerals] = (int)number;
    return -1;
}

static int take_proxy_kind(struct nc_options *o, const char *value)
{
    static const char *const words[] = {"connect", "4", "5", NULL};
    static const int kinds[] = {0, 4, 5};
    for (int i = 0; words[i]; i++) {
        if (strcasecmp(value, words[i]) == 0) {
            o->proxy_kind = kinds[i];
            return -1;
        }
    }
    return nc_fail("unsupported proxy protocol");
}

/* One option; -1 to go on, or the status to end with. */
static int take(struct nc_options *o, int letter, const char *value)
{
    if (take_flag(o, letter))
        return -1;
    switch (letter) {
    case '4':
        o->family = AF_INET;
        return -1;
    case '6':
        o->family = AF_INET6;
        return -1;
    case 'U':
        o->family = AF_UNIX;
        return -1;
    case 'v':
        o->verbose++;
        return -1;
    case 'h':
        nc_help();
        return STATUS_DONE;
    case 'P':
        o->proxy_user = value;
        return -1;
    case 'p':
        o->source_port = value;
        return -1;
    case 's':
        o->source = value;
        return -1;
    case 'x':
        o->proxy = value;
        return -1;
    case 'X':
        return take_proxy_kind(o, value);
    case 'T':
        o->tos = nc_tos(value);
        return o->tos < 0 ? nc_fail("illegal tos value %s", value) : -1;
    case 'V':
        return nc_fail("no alternate routing table support available");
    default:
        return take_number(o, letter, value);
    }
}

static int refuse(const char *name, int got)
{
    if (got == ':')
        fprintf(stderr, "%s: option requires an argument -- '%c'\n", name, optopt);
    else
        fprintf(stderr, "%s: invalid option -- '%c'\n", name, optopt);
    nc_usage();
    return NC_FAILED;
}

static int take_theirs(struct nc_options *o, int argc, char **argv)
{
    int letter, status = -1;
    optind = 0; /* begin anew */
    opterr = 0;
    while (status < 0 && (letter = getopt(argc, argv, ":" LETTERS)) != -1)
        status = letter == '?' || letter == ':' ? refuse(argv[0], letter) : take(o, letter, optarg);
    return status;
}

static int usage(void)
{
    nc_usage();
    return NC_FAILED;
}

/* Whether a word can only be an endpoint: a port is never written with a colon or a slash. */
static bool is_endpoint(const char *word)
{
    return strncmp(word, "listen:", 7) == 0 || strncmp(word, "unix:", 5) == 0 ||
           strncmp(word, "tcp:", 4) == 0 || strncmp(word, "tls:", 4) == 0 ||
           strchr(word, ':') != NULL;
}

/* Where to listen: as operands, or by -s and -p. */
static int take_place(struct nc_options *o, int n, char **v)
{
    if (n > ((o->source || o->source_port) ? 0 : 2))
        return usage();
    if (n == 0) {
        o->host = o->source;
        o->port = o->source_port;
        o->source = o->source_port = NULL;
    } else if (n == 1 && o->family != AF_UNIX) {
        o->port = v[0];
    } else {
        o->host = v[0];
        o->port = n > 1 ? v[1] : NULL;
    }
    return -1;
}

/* What the words without a dash mean. */
static int take_operands(struct nc_options *o, int n, char **v, bool by_name)
{
    if (!by_name && n == 2 && is_endpoint(v[1]) && !o->listen && o->family != AF_UNIX) {
        o->host = v[0];
        o->second = v[1];
        return -1;
    }
    if (o->listen)
        return take_place(o, n, v);
    bool local = o->family == AF_UNIX;
    if (n == 0 || (n == 1 && (o->source_port || (o->source && !(local && o->datagrams)))))
        return usage();
    o->host = v[0];
    o->port = n > 1 ? v[1] : NULL;
    o->ports = v + 1;
    o->nports = (size_t)n - 1;
    return -1;
}

/* Which options do not go together, in netcat's order and words. */
static int check(const struct nc_options *o)
{
    bool local = o->family == AF_UNIX;
    const struct {
        bool wrong;
        const char *words;
    } rules[] = {
        {local && o->dccp, "cannot use -Z and -U"},
        {local && o->port, "cannot use port with -U"},
        {local && !o->host, "missing socket pathname"},
        {!local && !o->port && !o->second, "missing port number"},
        {o->listen && o->zero_io, "cannot use -z and -l"},
        {!o->listen && o->keep, "must use -l with -k"},
        {local && o->pass_fd, "cannot use -F and -U"},
        {o->proxy && o->datagrams && !local, "no proxy support for UDP mode"},
        {o->proxy && o->dccp && !o->datagrams, "no proxy support for DCCP mode"},
        {o->proxy && o->listen, "no proxy support for listen"},
        {o->proxy && local, "no proxy support for unix sockets"},
        {o->proxy && o->source, "no proxy support for local source address"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].wrong)
            return nc_fail("%s", rules[i].words);
    if (o->tls && (o->datagrams || o->pass_fd || o->zero_io))
        return usage_error(&command_nc, "--tls does not go with -u, -F and -z");
    if (o->exec && (o->datagrams || o->pass_fd || o->zero_io || o->second))
        return usage_error(&command_nc, "--exec does not go with -u, -F, -z and two endpoints");
    return -1;
}

int nc_parse(struct common *c, int argc, char **argv)
{
    struct nc_options *o = &nc_asked;
    struct split_words *w;
    int first;
    *o = (struct nc_options){.rcvbuf = -1,
                             .sndbuf = -1,
                             .ttl = -1,
                             .minttl = -1,
                             .quit_s = -1,
                             .tos = -1,
                             .proxy_kind = 5,
                             .timeout_s = -1};
    int status = split_words(c->cmd, argc, argv, own_row, takes_next, &w);
    if (status < 0)
        status = take_theirs(o, w->theirs, w->their_v);
    int operands = optind;
    optind = 0;
    if (status < 0)
        status = parse_options(c->cmd, c, w->own, w->own_v, &first);
    if (status < 0)
        status = take_operands(o, w->theirs - operands, w->their_v + operands, c->by_name);
    if (o->quit_s >= 0)
        o->shut = true;
    if (status < 0 && o->family == AF_UNSPEC)
        o->family = c->family;
    if (status < 0)
        status = check(o);
    bool udp = o->datagrams && o->family != AF_UNIX;
    bool plain = !o->interval_s && !o->proxy && !o->proxy_url && !o->source && !o->source_port &&
                 !o->pass_fd && !o->dccp && o->family != AF_UNIX;
    if (status < 0 && c->json && !(o->zero_io && (udp || plain)))
        status =
            usage_error(&command_nc, "--json tells of ports: it goes with -z, without a proxy, "
                                     "-F, -i, -p, -s, -U and -Z");
    if (status < 0)
        o->words = w;
    else
        free(w);
    return status;
}

static int run(struct common *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct nc nc = {.c = c, .o = nc_asked};
    int status = nc_run(&nc);
    free(nc_asked.words);
    return status;
}

const struct command command_nc = {
    .name = "nc",
    .args = "[-46bCDdFhklNnrStUuvZz] [HOST] [PORT...] | ENDPOINT ENDPOINT",
    .summary = "bytes between an endpoint and standard input and output, or two endpoints",
    .options = nc_own_options,
    .option = own_option,
    .parse = nc_parse,
    .run = run,
    .more =
        "The letters are netcat-openbsd's: hail nc -h lists them. An ENDPOINT is host:port, "
        "[v6]:port, unix:/path or unix:@name, with tls: in front for TLS and listen: before that "
        "to wait there: hail nc listen:127.0.0.1:8443 tls:example.com:443",
};
