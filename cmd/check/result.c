/* result.c - what a check came to; check.h. */
#include "check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} verdicts[] = {
    [CHECK_OK] = {"ok", STATUS_DONE},
    [CHECK_WARN] = {"warn", STATUS_NO},
    [CHECK_NO] = {"no", STATUS_NO},
    [CHECK_NAME] = {"name", STATUS_NAME},
    [CHECK_CONNECT] = {"connect", STATUS_CONNECT},
    [CHECK_TIMEOUT] = {"timeout", STATUS_TIMEOUT},
    [CHECK_TLS] = {"tls", STATUS_TLS},
    [CHECK_PROTOCOL] = {"protocol", STATUS_PROTO},
    [CHECK_LOCAL] = {"local", STATUS_LOCAL},
};

const char *const check_phase_names[CHECK_PHASES] = {"name", "connect", "tls", "greeting",
                                                     "command"};

const char *check_verdict_name(enum check_verdict v)
{
    return verdicts[v].name;
}

int check_verdict_status(enum check_verdict v)
{
    return verdicts[v].status;
}

static enum check_verdict verdict_of(const struct hail_check *c)
{
    if (c->rc == 0)
        return CHECK_OK;
    if (c->refused)
        return CHECK_NO;
    switch (status_of(&c->ctx.err)) {
    case STATUS_NAME:
        return CHECK_NAME;
    case STATUS_CONNECT:
        return CHECK_CONNECT;
    case STATUS_TIMEOUT:
        return CHECK_TIMEOUT;
    case STATUS_TLS:
        return CHECK_TLS;
    case STATUS_PROTO:
        return CHECK_PROTOCOL;
    default:
        return CHECK_LOCAL;
    }
}

bool check_tls_info(const struct hail_check *c, struct hail_tls_info *info)
{
    return c->stream && c->secured_ns && hail_tls_info(c->stream, info) == 0;
}

bool check_first_fact(const struct hail_hello *h, size_t behind, const char *name)
{
    struct hail_hello_fact f;
    for (size_t at = 0; hail_hello_next_fact(h, &at, &f) && at < behind;)
        if (strcmp(f.name, name) == 0)
            return false;
    return true;
}

/* --- times --- */

static void set_phases(struct check_result *r, const struct hail_check *c)
{
    /* STARTTLS comes behind the greeting: what was said before it belongs to the greeting */
    bool late = c->secured_ns && c->greeted_ns && c->greeted_ns < c->secured_ns;
    int64_t ends[CHECK_PHASES] = {c->named_ns, c->connected_ns, c->secured_ns, c->greeted_ns,
                                  c->spoke_ns};
    static const enum check_phase plain[] = {CHECK_PHASE_NAME, CHECK_PHASE_CONNECT, CHECK_PHASE_TLS,
                                             CHECK_PHASE_GREETING, CHECK_PHASE_COMMAND};
    static const enum check_phase starttls[] = {CHECK_PHASE_NAME, CHECK_PHASE_CONNECT,
                                                CHECK_PHASE_GREETING, CHECK_PHASE_TLS,
                                                CHECK_PHASE_COMMAND};
    int64_t before = c->began_ns;
    for (int i = 0; i < CHECK_PHASES; i++) {
        enum check_phase p = late ? starttls[i] : plain[i];
        r->phase_ns[p] = ends[p] ? ends[p] - before : -1;
        before = ends[p] ? ends[p] : before;
    }
    /* QUIT and its answer do not count */
    r->total_ns = (c->rc == 0 && c->spoke_ns ? c->spoke_ns : c->ended_ns) - c->began_ns;
}

/* --- TLS and what answered --- */

static void set_tls(struct check_result *r, const struct hail_check *c)
{
    struct hail_tls_info info;
    if (!check_tls_info(c, &info))
        return;
    r->tls = strcmp(info.version, "TLSv1.3") == 0 ? 13 : 12;
    r->not_after = info.chain_not_after;
    r->days_left = info.days_left;
    if (info.chain_not_after < info.not_after) /* an intermediate's */
        r->days_left -= (int)((info.not_after - info.chain_not_after + 86399) / 86400);
}

static void set_http(struct check_result *r, const struct hail_check *c)
{
    const char *status = hail_hello_fact(&c->hello, "status");
    const char *version = hail_hello_fact(&c->hello, "version");
    if (c->kind != HAIL_HELLO_HTTP || !status || !version)
        return;
    r->http_status = (uint16_t)strtoul(status, NULL, 10);
    r->http_minor = (uint8_t)(version[2] - '0');
}

/* What names the service best; with HTTP also where it sends one. */
static void set_what(struct check_run *run)
{
    static const char *const names[] = {"banner", "software", "protocol", "status"};
    const struct hail_check *c = &run->check;
    const char *text = NULL, *more = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !text && c->hello.ops; i++)
        text = hail_hello_fact(&c->hello, names[i]);
    if (c->kind == HAIL_HELLO_HTTP && text)
        more = hail_hello_fact(&c->hello, "location");
    if (!text)
        text = c->tls ? "TLS handshake done" : "connected";
    size_t n = hail_text_safe_into(run->what, CHECK_WHAT, text, strlen(text));
    if (more && n + 5 < CHECK_WHAT) {
        memcpy(run->what + n, " to ", 5);
        hail_text_safe_into(run->what + n + 4, CHECK_WHAT - n - 4, more, strlen(more));
    }
}

static void append(struct check_run *run, const char *fmt, ...) HAIL_PRINTF(2, 3);
static void append(struct check_run *run, const char *fmt, ...)
{
    size_t n = strlen(run->what);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(run->what + n, CHECK_WHAT - n, fmt, ap);
    va_end(ap);
}

static void warn(struct check_run *run)
{
    const struct check_settings *s = run->target->set;
    struct check_result *r = &run->result;
    if (s->warn_ms && r->total_ns > s->warn_ms * 1000000) {
        r->verdict = CHECK_WARN;
        append(run, "; slower than %" PRId64 " ms", s->warn_ms);
    }
    if (s->warn_days && r->not_after && r->days_left < s->warn_days) {
        r->verdict = CHECK_WARN;
        append(run, "; its certificates end in %d day%s", r->days_left,
               r->days_left == 1 ? "" : "s");
    }
}

/* Why, without the operation and the endpoint, which stand in the same line. */
static const char *cause(const struct hail_error *e)
{
    bool plain = e->op && (strcmp(e->op, "connect") == 0 || strcmp(e->op, "resolve") == 0);
    const char *colon = plain ? strstr(e->msg, ": ") : NULL;
    return colon ? colon + 2 : e->msg;
}

void check_result_of(struct check_run *run)
{
    const struct hail_check *c = &run->check;
    struct check_result *r = &run->result;
    *r = (struct check_result){.verdict = verdict_of(c), .mismatch = c->hello.mismatch};
    if (c->race.started) {
        size_t i = c->connected_ns ? (size_t)c->won : 0;
        int family = c->race.attempts[i].addr.u.sa.sa_family;
        r->family = family == AF_INET ? 4 : family == AF_INET6 ? 6 : 0;
    }
    set_phases(r, c);
    set_tls(r, c);
    set_http(r, c);
    if (r->verdict != CHECK_OK) {
        snprintf(run->what, CHECK_WHAT, "%.*s", CHECK_WHAT - 1, cause(&c->ctx.err));
        return;
    }
    set_what(run);
    warn(run);
}
