/* check.c - the command: its options, its targets, and what is done with them; check.h. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 64

enum {
    OPT_PROTOCOL = 256,
    OPT_TLS,
    OPT_STARTTLS,
    OPT_SEND,
    OPT_EXPECT,
    OPT_REJECT,
    OPT_EXPECT_STATUS,
    OPT_EXPECT_BODY,
    OPT_REJECT_BODY,
    OPT_QUERY,
    OPT_CACERT,
    OPT_CERT,
    OPT_KEY,
    OPT_SERVERNAME,
    OPT_ALPN,
    OPT_WARN_DAYS,
    OPT_WARN_TIME,
    OPT_TIMEOUT,
    OPT_GREETING,
    OPT_EVERY,
    OPT_ALL_ADDRESSES,
    OPT_FILE,
    OPT_MODULES,
    OPT_PARALLEL,
    OPT_WATCH,
    OPT_UNTIL,
    OPT_METRICS,
};

static const struct option_row rows[] = {
    {'v', "verbose", NULL, "all that was found out: addresses, phases, what it can do, TLS"},
    {'q', "quiet", NULL, "print nothing; the exit status tells"},
    {OPT_PROTOCOL, "protocol", "NAME",
     "speak this protocol, whatever the port: ftp ssh telnet smtp lmtp http pop3 imap nntp dns "
     "ntp postgres mysql redis memcached mqtt; tls or tcp: nothing is said"},
    {OPT_TLS, "tls", "[=WHEN]", "TLS from the first byte on: on or off"},
    {OPT_STARTTLS, "starttls", "[=WHEN]",
     "TLS on the way: try (where it is offered, the default), require or never"},
    {OPT_SEND, "send", "TEXT", "say this, with \\r \\n \\xNN as escapes and nothing added"},
    {OPT_EXPECT, "expect", "REGEX", "a line of the reply has to match"},
    {OPT_REJECT, "reject", "REGEX", "no line of a reply may match, from here on"},
    {'X', "method", "METHOD", "HTTP: the request's method (HEAD, or GET with --expect-body)"},
    {'H', "header", "FIELD", "HTTP: a field of the request, 'Name: value'"},
    {OPT_EXPECT_STATUS, "expect-status", "LIST", "HTTP: 200,300-399 or 2xx (default 200-399)"},
    {OPT_EXPECT_BODY, "expect-body", "REGEX", "HTTP: a line of the content has to match"},
    {OPT_REJECT_BODY, "reject-body", "REGEX", "HTTP: no line of the content may match"},
    {OPT_QUERY, "query", "NAME[/TYPE]", "DNS: ask for this (default: the root's name servers)"},
    {OPT_CACERT, "cacert", "FILE", "trust these authorities in place of the system's"},
    {OPT_CERT, "cert", "FILE", "the own certificate"},
    {OPT_KEY, "key", "FILE", "its private key"},
    {'k', "insecure", NULL, "take any certificate; tell of it all the same"},
    {OPT_SERVERNAME, "servername", "NAME", "whom the certificate has to be for"},
    {OPT_ALPN, "alpn", "LIST", "protocols to offer within TLS"},
    {OPT_WARN_DAYS, "warn-days", "DAYS", "fewer days left of the certificate: warn, status 1"},
    {OPT_WARN_TIME, "warn-time", "TIME", "slower than this (500ms, 2s): warn, status 1"},
    {OPT_TIMEOUT, "timeout", "TIME", "for a whole check (10s); with --until for all of it"},
    {OPT_GREETING, "greeting", "TIME", "for the first words (6s)"},
    {OPT_EVERY, "every", "TIME", "from check to check, for --watch and --metrics (15s)"},
    {OPT_ALL_ADDRESSES, "all-addresses", NULL, "check each address of a name, tell which differ"},
    {OPT_FILE, "file", "FILE", "targets, one a line with its settings; may be repeated"},
    {OPT_MODULES, "modules", "FILE", "settings under names, for --metrics"},
    {OPT_PARALLEL, "parallel", "N", "so many checks at once"},
    {OPT_WATCH, "watch", "[=SECONDS]", "check again and again, as a live table"},
    {OPT_UNTIL, "until", "STATE", "wait until all targets are up, or down"},
    {OPT_METRICS, "metrics", "ENDPOINT", "check again and again, and serve OpenMetrics here"},
    {0},
};

static struct {
    struct check_settings set;
    struct check_targets targets; /* its pool has the options' values */
    char *files[FILES_MAX], *modules[FILES_MAX];
    int nfiles, nmodules;
    const char *until, *metrics, *timeout;
    bool verbose, quiet, watch;
    int parallel;
    int argc; /* the operands */
    char **argv;
} o;

/* --- options --- */

static int set(const char *name, const char *value)
{
    char why[CHECK_WHY];
    int rc = check_set(&o.set, o.targets.pool, name, value, why);
    if (rc == -ENOMEM)
        return local_error("read", "the options", ENOMEM);
    return rc < 0 ? usage_error(&command_check, "--%s", why) : 0;
}

static const char *name_of(int letter)
{
    for (const struct option_row *r = rows; r->letter; r++)
        if (r->letter == letter)
            return r->name;
    return "";
}

static int own_option(int letter, const char *value)
{
    char *end;
    switch (letter) {
    case 'v':
        o.verbose = true;
        return 0;
    case 'q':
        o.quiet = true;
        return 0;
    case OPT_FILE:
    case OPT_MODULES:
        if (o.nfiles == FILES_MAX || o.nmodules == FILES_MAX)
            return usage_error(&command_check, "more than %d files", FILES_MAX);
        if (letter == OPT_FILE)
            o.files[o.nfiles++] = (char *)(uintptr_t)value;
        else
            o.modules[o.nmodules++] = (char *)(uintptr_t)value;
        return 0;
    case OPT_PARALLEL:
        o.parallel = (int)strtol(value, &end, 10);
        if (*end || end == value || o.parallel < 1 || o.parallel > 100000)
            return usage_error(&command_check, "--parallel wants a number above 0, not '%s'",
                               value);
        return 0;
    case OPT_WATCH:
        o.watch = true;
        return value ? set("every", value) : 0;
    case OPT_UNTIL:
        o.until = value;
        if (strcmp(value, "up") != 0 && strcmp(value, "down") != 0)
            return usage_error(&command_check, "--until wants up or down, not '%s'", value);
        return 0;
    case OPT_METRICS:
        o.metrics = value;
        return 0;
    case OPT_TIMEOUT:
        o.timeout = value;
        return set("timeout", value);
    default:
        return set(name_of(letter), value);
    }
}

static int option(int letter, const char *value)
{
    if (!o.targets.pool) {
        o.set = check_defaults;
        if (check_targets_init(&o.targets) < 0)
            return local_error("read", "the options", ENOMEM);
    }
    return own_option(letter, value);
}

/* --- targets --- */

static void tell_fault(void *arg, size_t line, size_t column, const char *why)
{
    fprintf(stderr, "hail: check: ");
    put_safe(stderr, arg);
    fprintf(stderr, ":%zu:%zu: ", line, column);
    put_safe(stderr, why);
    putc('\n', stderr);
}

/* The whole of a file, "-": standard input. NULL with a message. */
static char *slurp(const char *file, size_t *n)
{
    struct hail_buf b;
    char piece[65536];
    ssize_t got = -1;
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    hail_buf_init(&b, CHECK_TARGETS_FILE);
    hail_buf_str(&b, "");
    while (fd >= 0 && (got = read(fd, piece, sizeof piece)) > 0)
        if (hail_buf_add(&b, piece, (size_t)got) < 0) {
            errno = -b.failed == EMSGSIZE ? EFBIG : -b.failed;
            got = -1;
            break;
        }
    int failed = got < 0 ? errno : 0;
    if (fd > STDIN_FILENO)
        close(fd);
    if (failed) {
        local_error("read", file, failed);
        hail_buf_free(&b);
        return NULL;
    }
    *n = b.len;
    return b.p;
}

static int read_file(struct check_targets *t, const char *file)
{
    size_t n;
    char *text = slurp(file, &n);
    if (!text)
        return STATUS_LOCAL;
    int rc = check_targets_parse(t, text, n, &o.set, tell_fault, (void *)(uintptr_t)file);
    free(text);
    return rc < 0 ? local_error("read", file, -rc) : 0;
}

/* Where the targets of a host alone are looked for without --file. */
static const char *default_file(void)
{
    static char path[4096];
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && *config)
        snprintf(path, sizeof path, "%s/hail/targets", config);
    else
        snprintf(path, sizeof path, "%s/.config/hail/targets", home ? home : "");
    return access(path, R_OK) == 0 ? path : "/etc/hail/targets";
}

/* The targets of a host alone: what the files say of it. */
static int add_host(struct check_targets *t, const struct check_targets *from, const char *host)
{
    size_t before = t->n;
    for (size_t i = 0; i < from->n; i++)
        if (strcasecmp(from->v[i].host, host) == 0 && check_targets_add(t, &from->v[i]) < 0)
            return local_error("read", "the targets", ENOMEM);
    if (t->n == before)
        return usage_error(&command_check,
                           "%s: which service? There is no port, and no target of it in a targets "
                           "file (~/.config/hail/targets, /etc/hail/targets, or --file)",
                           host);
    return 0;
}

static int add_operand(struct check_targets *t, const struct check_targets *from, const char *text)
{
    struct check_target target;
    char why[CHECK_WHY];
    size_t column;
    int rc = check_target_parse(t, text, &o.set, &target, why, &column);
    if (rc == -EINVAL)
        return usage_error(&command_check, "%s: %s", text, why);
    if (rc == 0 && target.bare)
        return add_host(t, from, target.host);
    rc = rc < 0 ? rc : check_targets_add(t, &target);
    return rc < 0 ? local_error("read", "the targets", -rc) : 0;
}

static bool is_bare(const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep;
    return !strstr(text, "://") && o.set.kind == HAIL_HELLO_KINDS &&
           hail_endpoint_parse(&ctx, &ep, text, 0) == 0 && !ep.has_port &&
           ep.kind != HAIL_HOST_UNIX && ep.kind != HAIL_HOST_ABSTRACT;
}

int check_gather(struct common *c, struct check_targets *files, struct check_targets *all)
{
    bool bare = false;
    int status = 0;
    for (int i = 0; i < o.argc; i++)
        bare |= is_bare(o.argv[i]);
    for (int i = 0; i < o.nmodules && !status; i++)
        status = read_file(files, o.modules[i]);
    for (int i = 0; i < o.nfiles && !status; i++)
        status = read_file(files, o.files[i]);
    if (bare && !o.nfiles && access(default_file(), R_OK) == 0)
        status = read_file(files, default_file());
    if (!bare && !status) { /* all of the files', which need no copy */
        all->v = files->v;
        all->n = files->n;
        all->cap = files->cap;
        files->v = NULL;
        files->n = files->cap = 0;
    }
    for (int i = 0; i < o.argc && !status; i++)
        status = add_operand(all, files, o.argv[i]);
    bool again = o.until || o.watch || o.metrics;
    for (size_t i = 0; i < all->n && again && !status; i++)
        if (all->v[i].set->all_addresses)
            status = usage_error(c->cmd,
                                 "%s: all addresses are checked once alone, not by --watch, "
                                 "--until and --metrics",
                                 all->v[i].text);
    if (!status && all->n == 0 && files->nallows == 0 && files->faults == 0)
        status = usage_error(c->cmd, "no target");
    return status;
}

const struct check_settings *check_base(void)
{
    return &o.set;
}

/* --- what is done --- */

static int do_until(struct check *k)
{
    const struct check_settings *s = &o.set;
    return check_until(k, strcmp(o.until, "up") == 0, o.timeout ? s->timeout_ms : -1, o.quiet);
}

static int act(struct check *k, struct check_targets *files)
{
    int status = check_gather(k->c, files, &k->targets);
    if (status)
        return status;
    if (o.until)
        status = do_until(k);
    else if (o.watch)
        status = check_watch(k);
    else
        status = check_once(k, o.verbose, o.quiet);
    /* lines of a file that were not understood are targets that were not checked */
    return files->faults && status < STATUS_USAGE ? STATUS_USAGE : status;
}

static int run(struct common *c, int argc, char **argv)
{
    struct check k = {.c = c, .parallel = o.parallel ? o.parallel : check_parallel()};
    struct check_targets files = {.n = 0};
    if (!!o.until + o.watch + !!o.metrics > 1)
        return usage_error(c->cmd, "--watch, --until and --metrics do not go together");
    const char *mode = o.until ? "--until" : o.watch ? "--watch" : o.metrics ? "--metrics" : NULL;
    const char *other = o.verbose             ? "-v"
                        : o.quiet && !o.until ? "-q"
                        : c->json && !o.watch ? "--json"
                                              : NULL;
    if (mode && other)
        return usage_error(c->cmd, "%s does not go with %s", other, mode);
    if (!o.targets.pool) {
        o.set = check_defaults;
        if (check_targets_init(&o.targets) < 0)
            return local_error("read", "the options", ENOMEM);
    }
    if (c->family)
        o.set.family = c->family;
    o.argc = argc;
    o.argv = argv;
    int status = 0;
    if (check_targets_init(&k.targets) < 0 || check_targets_init(&files) < 0)
        status = local_error("check", "the targets", ENOMEM);
    else if (check_open(&k) < 0)
        status = fail(c);
    else if (o.metrics)
        status = check_metrics(&k, o.metrics);
    else
        status = act(&k, &files);
    check_close(&k);
    check_targets_free(&files);
    check_targets_free(&o.targets);
    return status;
}

const struct command command_check = {
    .name = "check",
    .args = "TARGET...",
    .summary = "is the service there, and does it speak its protocol",
    .options = rows,
    .option = option,
    .run = run,
    .more = "A TARGET is an endpoint (mail.example:25), a URL (https://example.org/health,\n"
            "smtp://mail.example:2525), or a host alone, which stands for its targets in\n"
            "the targets file. The protocol follows from the scheme or the port. Nothing\n"
            "that is said changes anything at the peer.\n\n"
            "The exit status is the worst verdict: ok 0, warn and no 1, name 3, connect 4,\n"
            "timeout 5, tls 6, protocol 7, local 8.\n",
};
