/* dial.c - `open`, and the command line: a host and a port become a connection.
 *
 *   Trying 127.0.0.1...            every address, as it is tried: hail_dial() races the families,
 *   Connection failed: ...         so that two may be under way at once
 *   Connected to localhost.
 *
 * The lines come from the trace's events of the attempts. The sink stands in front of the trace
 * that was asked for, as long as the program runs.
 */
#include "script.h"
#include "session.h"
#include "transcript.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <hail/services.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELNET_PORT  23
#define TELNETS_PORT 992

/* --- telling of the attempts --- */

static void tell_failed(struct telnet_dialing *d)
{
    if (d->errnum)
        telnet_perror("Connection failed", d->errnum);
    d->errnum = 0;
}

static void on_event(struct hail_trace *self, const struct hail_event *e)
{
    struct telnet_dialing *d = (struct telnet_dialing *)self;
    if (d->next)
        d->next->event(d->next, e);
    if (d->quiet || e->layer != HAIL_LAYER_CONNECT || strcmp(e->op, "attempt") != 0 || !e->peer)
        return;
    if (e->kind == HAIL_EVENT_START) {
        char zone[IF_NAMESIZE + 1] = "";
        tell_failed(d);
        if (*e->peer->zone)
            snprintf(zone, sizeof zone, "%%%s", e->peer->zone);
        printf("Trying %s%s...\n", e->peer->host, zone);
        fflush(stdout);
    } else if (e->kind == HAIL_EVENT_DONE && e->errnum && e->errnum != ECANCELED) {
        tell_failed(d);
        d->errnum = e->errnum;
    }
}

void telnet_dialing_begin(struct telnet *t)
{
    struct telnet_dialing *d = &t->dialing;
    d->next = t->c->ctx.trace;
    d->quiet = t->script != NULL;
    d->trace.event = on_event;
    d->trace.spans = d->next ? d->next->spans : 0;
    t->c->ctx.trace = &d->trace;
}

void telnet_dialing_end(struct telnet *t)
{
    if (t->dialing.next)
        t->dialing.next->spans = t->dialing.trace.spans;
    t->c->ctx.trace = t->dialing.next;
}

/* --- what was asked for --- */

struct wanted {
    const char *host, *port, *user, *bind;
    int family;
    bool offers;
};

static void usage(const char *command)
{
    printf("usage: %s [-4] [-6] [-l user] [-b addr] [-a] host-name [port]\n", command);
}

/* A word; false for one that is not understood, or that wants another after it. */
static bool take_word(struct telnet *t, struct wanted *w, char ***words)
{
    const char *word = *(*words)++;
    if (strcmp(word, "help") == 0 || telnet_is_prefix(word, "?"))
        return false;
    if (strcmp(word, "-l") == 0 || strcmp(word, "-b") == 0) {
        if (!**words)
            return false;
        *(word[1] == 'l' ? &w->user : &w->bind) = *(*words)++;
    } else if (strcmp(word, "-a") == 0) {
        t->toggle.autologin = 1;
    } else if (strcmp(word, "-4") == 0) {
        w->family = AF_INET;
    } else if (strcmp(word, "-6") == 0) {
        w->family = AF_INET6;
    } else if (!w->host) {
        w->host = word;
    } else if (!w->port) {
        w->port = word;
    } else {
        return false;
    }
    return true;
}

/* "(to) ": the words are asked for. */
static int ask_for_host(struct telnet *t, char *line, char **words)
{
    static char open[] = "open";
    printf("(to) ");
    fflush(stdout);
    int n = snprintf(line, TELNET_LINE, "open ");
    if (telnet_read_line(t, line + n, (size_t)(TELNET_LINE - n)) < 0) {
        printf("?Name of host was not understood.\n");
        words[0] = open;
        words[1] = NULL;
        return 1;
    }
    return telnet_split(line, words);
}

/* The port's number checked as inetutils does; service names are looked up later. */
static bool port_is_good(struct wanted *w)
{
    if (!w->port)
        return true;
    if (*w->port == '-') {
        w->port++;
        w->offers = true;
    }
    if (!isdigit((unsigned char)*w->port))
        return true;
    char *end;
    long long n = strtoll(w->port, &end, 10);
    if (*end) {
        printf("Invalid port name '%s'.\n", w->port);
        return false;
    }
    if (n < 1 || n > 65535) {
        printf("Port number %s is out of range.\n", w->port);
        return false;
    }
    return true;
}

/* --- name and port --- */

static int lookup_failed(struct telnet *t, const struct wanted *w, const char *why, int status)
{
    printf("Server lookup failure:  %s:%s, %s\n", w->host, w->port ? w->port : "telnet", why);
    t->status = status;
    return -1;
}

/* The names of getaddrinfo(3)'s errors, which everybody greps for. */
static int name_failed(struct telnet *t, const struct wanted *w)
{
    const struct hail_error *err = &t->c->ctx.err;
    if (err->errnum == EAFNOSUPPORT)
        return lookup_failed(t, w, "Address family for hostname not supported", STATUS_NAME);
    if (err->detail == HAIL_NAME_NO_DATA)
        return lookup_failed(t, w, "No address associated with hostname", STATUS_NAME);
    if (err->detail == HAIL_NAME_SERVFAIL || err->errnum == ETIMEDOUT)
        return lookup_failed(t, w, "Temporary failure in name resolution", status_of(err));
    return lookup_failed(t, w, "Name or service not known", STATUS_NAME);
}

static int parse(struct telnet *t, const struct wanted *w, struct hail_endpoint *to)
{
    struct hail_ctx *ctx = &t->c->ctx;
    const char *port = w->port;
    bool whole = !t->c->by_name && !port; /* hail's words: host:port, unix:/path, ... */
    uint16_t number;
    if (port && !isdigit((unsigned char)*port) &&
        hail_service_port(port, HAIL_SERVICE_TCP, &number) < 0)
        return lookup_failed(t, w, "Servname not supported for ai_socktype", STATUS_USAGE);
    int rc = whole ? hail_endpoint_parse(ctx, to, w->host, TELNET_PORT)
                   : hail_endpoint_parse2(ctx, to, w->host, port ? port : "telnet", TELNET_PORT);
    if (rc < 0)
        return lookup_failed(t, w, "Name or service not known", STATUS_NAME);
    if (whole && to->transport == HAIL_UDP)
        return lookup_failed(t, w, "a stream cannot be made over UDP", STATUS_USAGE);
    return 0;
}

static int bind_to(struct telnet *t, const struct wanted *w, struct hail_endpoint *from)
{
    struct hail_addrs addrs = {0};
    struct hail_endpoint name;
    const struct hail_resolve_opts opts = {.family = w->family};
    struct hail_ctx *ctx = &t->c->ctx;
    if (hail_endpoint_parse2(ctx, &name, w->bind, "0", 0) < 0 ||
        hail_resolve(ctx, &name, &opts, &addrs) < 0 || addrs.n == 0) {
        printf("Could not resolve %s: %s\n", w->bind, "Name or service not known");
        t->status = STATUS_NAME;
        hail_addrs_free(&addrs);
        return -1;
    }
    *from = hail_endpoint_of(&addrs.v[0].addr);
    hail_addrs_free(&addrs);
    return 0;
}

static int connect_failed(struct telnet *t, const struct wanted *w)
{
    const struct hail_error *err = &t->c->ctx.err;
    int errnum = t->dialing.errnum ? t->dialing.errnum : err->errnum;
    t->status = status_of(err);
    t->dialing.errnum = 0;
    if (err->errnum == ECANCELED)
        return -1;
    if (err->layer == HAIL_LAYER_NAME || err->layer == HAIL_LAYER_USAGE)
        return name_failed(t, w);
    if (strcmp(err->op, "bind") == 0)
        telnet_perror("telnet: bind", errnum);
    else
        telnet_perror("telnet: Unable to connect to remote host", errnum);
    return -1;
}

/* --- */

/* The name to log in with goes as the variable USER (RFC 1572). */
static void tell_user(struct telnet *t, const char *user)
{
    if (!user && t->toggle.autologin) {
        const char *env = getenv("USER");
        const struct passwd *pw = env ? getpwnam(env) : NULL;
        user = env;
        if (!env || (pw && pw->pw_uid != getuid())) {
            pw = getpwuid(getuid());
            user = pw ? pw->pw_name : NULL;
        }
    }
    if (user)
        telnet_environ_define(t, "USER", user, true);
}

static int dial(struct telnet *t, const struct wanted *w)
{
    struct hail_endpoint to, from;
    struct hail_opts opts = {.family = w->family};
    if (parse(t, w, &to) < 0)
        return -1;
    if (w->bind) {
        if (bind_to(t, w, &from) < 0)
            return -1;
        opts.from = &from;
        opts.family = from.kind == HAIL_HOST_IPV6 ? AF_INET6 : AF_INET;
    }
    t->dialing.errnum = 0;
    if (hail_dial(&t->c->ctx, &to, &opts, &t->stream) < 0)
        return connect_failed(t, w);
    t->dialing.errnum = 0;
    t->is_unix = to.kind == HAIL_HOST_UNIX || to.kind == HAIL_HOST_ABSTRACT;
    t->port = t->is_unix ? 0 : to.port;
    t->offers = w->offers || t->port == TELNET_PORT || t->port == TELNETS_PORT;
    snprintf(t->host, sizeof t->host, "%s", w->host);
    if (t->toggle.debug)
        telnet_socket_debug(t, 1);
    return telnet_tls_begin(t, &to);
}

/* Dials what the words ask for, and holds the conversation. */
static int open_wanted(struct telnet *t, struct wanted *w)
{
    t->status = STATUS_USAGE;
    if (!port_is_good(w) || dial(t, w) < 0)
        return TELNET_STAY;
    t->status = STATUS_DONE;
    telnet_engine_begin(t);
    telnet_transcript_begin(t);
    if (t->script) {
        telnet_script_run(t);
        return TELNET_GO;
    }
    telnet_read_rc(t);
    tell_user(t, w->user);
    telnet_environ_tell(t);
    char status[] = "status", notmuch[] = "notmuch";
    telnet_show_status(t, 2, (char *[]){status, notmuch, NULL});
    telnet_session(t);
    return TELNET_GO;
}

int telnet_open(struct telnet *t, int argc, char **argv)
{
    struct wanted w = {0};
    char line[TELNET_LINE], *asked[TELNET_WORDS];
    if (t->stream) {
        printf("?Already connected to %s\n", t->host);
        return TELNET_STAY;
    }
    if (argc < 2) {
        ask_for_host(t, line, asked);
        argv = asked;
    }
    const char *command = argv[0];
    bool good = true;
    for (argv++; good && *argv;)
        good = take_word(t, &w, &argv);
    if (!good || !w.host) {
        usage(command);
        t->status = STATUS_USAGE;
        return TELNET_STAY;
    }
    return open_wanted(t, &w);
}
