/* options.c - the command line of `hail serve`. */
#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_CERT = 256,
    OPT_KEY,
    OPT_THREADS,
    OPT_CLEAN,
    OPT_SPA,
    OPT_HIDDEN,
    OPT_NO_LISTING,
    OPT_CACHE,
    OPT_HEADER,
    OPT_NO_COMPRESS,
    OPT_CONNECTIONS,
    OPT_PER_ADDRESS,
    OPT_HEAD_TIME,
    OPT_IDLE_TIME,
    OPT_MIN_RATE,
    OPT_DRAIN_TIME,
    OPT_LOG,
    OPT_LOG_FILE,
    OPT_METRICS,
    OPT_USER,
    OPT_FOLLOW,
    OPT_NO_SANDBOX,
    OPT_DEV,
    OPT_CORS,
    OPT_OPEN,
    OPT_TLS,
    OPT_TLS_CA,
    OPT_LAN,
};

const struct option_row serve_option_rows[] = {
    {'l', "listen", "ENDPOINT",
     "where to listen, may be repeated; :0 lets the system pick (default 127.0.0.1:8080)"},
    {OPT_OPEN, "open", NULL, "show the page in a browser (xdg-open)"},
    {OPT_DEV, "dev", NULL, "load pages again when files change, let nothing be cached, --cors"},
    {OPT_CORS, "cors", "[=ORIGIN]", "let pages of ORIGIN (default: any) read what is served"},
    {OPT_LAN, "lan", NULL, "listen to the networks, too, and show the URL as a QR Code"},
    {OPT_TLS, "tls", NULL, "serve HTTPS with a certificate by this user's own authority"},
    {OPT_TLS_CA, "tls-ca", NULL, "say how that authority is trusted, and end"},
    {OPT_CERT, "tls-cert", "FILE", "serve HTTPS with the certificate chain in FILE (PEM)"},
    {OPT_KEY, "tls-key", "FILE", "its private key, if it is not in the same file"},
    {OPT_CLEAN, "clean-urls", NULL, "/about is about.html"},
    {OPT_SPA, "spa", "[=FILE]", "what is no file is FILE (default index.html), with status 200"},
    {OPT_NO_LISTING, "no-listing", NULL, "a folder without an index.html is 403"},
    {OPT_HIDDEN, "hidden", NULL, "serve names that begin with a dot, too"},
    {OPT_FOLLOW, "follow", NULL, "follow symbolic links that lead outside the folder, too"},
    {OPT_CACHE, "cache", "SECONDS", "clients may keep files so long (default: ask each time)"},
    {OPT_HEADER, "header", "LINE", "a field for each response, \"Name: value\"; may be repeated"},
    {OPT_NO_COMPRESS, "no-compress", NULL, "compress nothing here; files beside do count"},
    {OPT_CONNECTIONS, "max-connections", "N", "at a time (default: what descriptors allow)"},
    {OPT_PER_ADDRESS, "max-per-address", "N", "of one address (default: three quarters of them)"},
    {OPT_HEAD_TIME, "head-time", "SECONDS", "for a request's head, or a handshake (default 20)"},
    {OPT_IDLE_TIME, "idle-time", "SECONDS", "between two requests (default 60)"},
    {OPT_MIN_RATE, "min-rate", "BYTES",
     "a second that a client has to send or take at least (default 500)"},
    {OPT_DRAIN_TIME, "drain-time", "SECONDS",
     "for what is under way when the server is ended (default 3)"},
    {OPT_USER, "user", "USER[:GROUP]", "become USER once everything is open (for root)"},
    {OPT_NO_SANDBOX, "no-sandbox", NULL, "keep all files and system calls within reach"},
    {OPT_THREADS, "threads", "N", "event loops, each in a thread (default: one a core)"},
    {OPT_LOG, "log", "FORM", "of the log: line, live, common, combined, json, off"},
    {OPT_LOG_FILE, "log-file", "FILE", "write it to FILE, opened anew after SIGHUP"},
    {'q', "quiet", NULL, "no log"},
    {OPT_METRICS, "metrics", "ENDPOINT", "counts for Prometheus (OpenMetrics) at /metrics there"},
    {0},
};

static struct serve_options asked = {
    .listing = true,
    .compress = true,
    .sandbox = true,
    .cache_s = -1,
    .times = {.head_s = 20, .idle_s = 60, .pace_s = 30, .linger_s = 3, .drain_s = 3, .rate = 500},
};

const struct serve_options *serve_options(void)
{
    return &asked;
}

static int number(const char *option, const char *value, long least, long most, int *out)
{
    char *end;
    errno = 0;
    long n = strtol(value, &end, 10);
    if (end == value || *end || errno || n < least || n > most)
        return usage_error(&command_serve, "--%s wants %ld to %ld, not '%s'", option, least, most,
                           value);
    *out = (int)n;
    return 0;
}

static int listen_at(const char *value)
{
    if (asked.nlisten == SERVE_LISTEN)
        return usage_error(&command_serve, "--listen may be given %d times", SERVE_LISTEN);
    asked.listen[asked.nlisten++] = value;
    return 0;
}

/* A field line for each response: checked here by the writer that would refuse it later. */
static int add_header(const char *value)
{
    char name[256], line[sizeof asked.more];
    const char *colon = strchr(value, ':');
    size_t n = colon ? (size_t)(colon - value) : 0, len = strlen(asked.more);
    struct hail_http_out o = {.p = line, .size = sizeof line};
    if (n == 0 || n >= sizeof name)
        return usage_error(&command_serve, "--header wants 'Name: value', not '%s'", value);
    memcpy(name, value, n);
    name[n] = '\0';
    for (colon++; *colon == ' ' || *colon == '\t';)
        colon++;
    hail_http_put_field(&o, name, colon);
    if (o.failed == -EINVAL)
        return usage_error(&command_serve, "--header: '%s' is no field line", value);
    if (o.failed || len + o.len >= sizeof asked.more)
        return usage_error(&command_serve, "--header: all together may have %zu bytes",
                           sizeof asked.more - 1);
    memcpy(asked.more + len, line, o.len);
    asked.more[len + o.len] = '\0';
    return 0;
}

static int log_form(const char *value)
{
    static const char *const names[] = {"off", "line", "live", "common", "combined", "json", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0) {
            asked.log = (enum serve_log)(SERVE_LOG_OFF + i);
            return 0;
        }
    return usage_error(&command_serve,
                       "--log wants line, live, common, combined, json or off, not '%s'", value);
}

static int limit(int letter, const char *value)
{
    struct serve_times *t = &asked.times;
    int rate = 0, status;
    switch (letter) {
    case OPT_CONNECTIONS:
        return number("max-connections", value, 1, INT_MAX, &asked.max_connections);
    case OPT_PER_ADDRESS:
        return number("max-per-address", value, 1, INT_MAX, &asked.max_per_address);
    case OPT_HEAD_TIME:
        return number("head-time", value, 1, 86400, &t->head_s);
    case OPT_IDLE_TIME:
        return number("idle-time", value, 1, 86400, &t->idle_s);
    case OPT_DRAIN_TIME:
        return number("drain-time", value, 0, 86400, &t->drain_s);
    case OPT_MIN_RATE:
        status = number("min-rate", value, 0, 1000000000, &rate);
        t->rate = (unsigned)rate;
        return status;
    default:
        return number("threads", value, 1, SERVE_THREADS, &asked.threads);
    }
}

/* Options that are nothing but a flag, or a word that is kept as it is. */
static const struct {
    bool *flag;
    const char **word;
    int letter;
    bool is;
} plain_options[] = {
    {&asked.clean_urls, NULL, OPT_CLEAN, true},
    {&asked.hidden, NULL, OPT_HIDDEN, true},
    {&asked.tls, NULL, OPT_TLS, true},
    {&asked.tell_authority, NULL, OPT_TLS_CA, true},
    {&asked.lan, NULL, OPT_LAN, true},
    {&asked.dev, NULL, OPT_DEV, true},
    {&asked.open, NULL, OPT_OPEN, true},
    {&asked.follow, NULL, OPT_FOLLOW, true},
    {&asked.sandbox, NULL, OPT_NO_SANDBOX, false},
    {&asked.listing, NULL, OPT_NO_LISTING, false},
    {&asked.compress, NULL, OPT_NO_COMPRESS, false},
    {NULL, &asked.cert, OPT_CERT, false},
    {NULL, &asked.key, OPT_KEY, false},
    {NULL, &asked.user, OPT_USER, false},
    {NULL, &asked.log_file, OPT_LOG_FILE, false},
    {NULL, &asked.metrics, OPT_METRICS, false},
};

static bool take_plain(int letter, const char *value)
{
    for (size_t i = 0; i < sizeof plain_options / sizeof *plain_options; i++) {
        if (plain_options[i].letter != letter)
            continue;
        if (plain_options[i].flag)
            *plain_options[i].flag = plain_options[i].is;
        else
            *plain_options[i].word = value;
        return true;
    }
    return false;
}

int serve_option(int letter, const char *value)
{
    if (take_plain(letter, value))
        return 0;
    switch (letter) {
    case 'l':
        return listen_at(value);
    case OPT_SPA:
        asked.spa = value ? value : "index.html";
        return 0;
    case OPT_CORS:
        asked.cors = value ? value : "*";
        return 0;
    case OPT_CACHE:
        return number("cache", value, 0, INT_MAX, &asked.cache_s);
    case OPT_HEADER:
        return add_header(value);
    case OPT_LOG:
        return log_form(value);
    case 'q':
        asked.log = SERVE_LOG_OFF;
        return 0;
    default:
        return limit(letter, value);
    }
}
