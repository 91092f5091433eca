/* details.c - all that a check found out, for people: -v; check.h. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* "        name        ", where the value goes. */
static void begin(const struct check *k, struct hail_buf *out, const char *name)
{
    hail_buf_printf(out, "        %s%-12s%s", paint(k->c, "2"), name, paint(k->c, "0"));
}

static void put_endpoint(struct hail_buf *out, struct hail_endpoint ep)
{
    char text[HAIL_ENDPOINT_MAX];
    ep.transport = HAIL_TRANSPORT_ANY;
    hail_endpoint_format(&ep, text, sizeof text);
    hail_text_safe(out, text, strlen(text), false);
}

static void put_attempts(const struct check *k, struct hail_buf *out, const struct hail_check *c)
{
    for (size_t i = 0; i < c->race.started; i++) {
        const struct hail_attempt *a = &c->race.attempts[i];
        begin(k, out, i ? "" : "tried");
        put_endpoint(out, hail_endpoint_of(&a->addr));
        hail_buf_printf(out, "  %s after ",
                        a->errnum == 0           ? "connected"
                        : a->errnum == ECANCELED ? "left, another was faster,"
                                                 : hail_errno_text(a->errnum));
        check_put_time(out, a->end_ns - a->start_ns);
        hail_buf_char(out, '\n');
    }
}

static void put_ends(const struct check *k, struct hail_buf *out, const struct hail_check *c)
{
    if (!c->stream && !c->datagram)
        return;
    begin(k, out, "between");
    put_endpoint(out, c->stream ? hail_local(c->stream) : hail_datagram_local(c->datagram));
    hail_buf_str(out, " and ");
    put_endpoint(out, c->stream ? hail_peer(c->stream) : hail_datagram_peer(c->datagram));
    hail_buf_char(out, '\n');
}

static void put_phases(const struct check *k, struct hail_buf *out, const struct check_result *r)
{
    const char *before = "";
    begin(k, out, "phases");
    for (int i = 0; i < CHECK_PHASES; i++) {
        if (r->phase_ns[i] < 0)
            continue;
        hail_buf_printf(out, "%s%s ", before, check_phase_names[i]);
        check_put_time(out, r->phase_ns[i]);
        before = ", ";
    }
    hail_buf_char(out, '\n');
}

/* Facts one a line; a list's items in the line of the first. */
static void put_facts(const struct check *k, struct hail_buf *out, const struct hail_hello *h)
{
    struct hail_hello_fact f, other;
    for (size_t at = 0; hail_hello_next_fact(h, &at, &f);) {
        if (!check_first_fact(h, at, f.name))
            continue;
        begin(k, out, f.name);
        hail_text_safe(out, f.value, strlen(f.value), false);
        for (size_t more = at; f.item && hail_hello_next_fact(h, &more, &other);)
            if (other.item && strcmp(other.name, f.name) == 0) {
                hail_buf_str(out, ", ");
                hail_text_safe(out, other.value, strlen(other.value), false);
            }
        hail_buf_char(out, '\n');
    }
}

static void put_date(struct hail_buf *out, int64_t at)
{
    char text[32];
    time_t t = (time_t)at;
    struct tm tm;
    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d", &tm))
        hail_buf_str(out, text);
}

static void put_certificate(const struct check *k, struct hail_buf *out,
                            const struct hail_tls_info *i)
{
    if (!*i->subject && !i->not_after)
        return;
    begin(k, out, "certificate");
    hail_buf_printf(out, "%s\n", *i->subject ? i->subject : "(without a subject)");
    begin(k, out, "  names");
    hail_buf_printf(out, "%s\n", *i->names ? i->names : "none");
    begin(k, out, "  issuer");
    hail_buf_printf(out, "%s\n", i->issuer);
    begin(k, out, "  valid");
    put_date(out, i->not_before);
    hail_buf_str(out, " to ");
    put_date(out, i->not_after);
    if (i->days_left < 0)
        hail_buf_printf(out, ", ended %d day%s ago\n", -i->days_left,
                        i->days_left == -1 ? "" : "s");
    else
        hail_buf_printf(out, ", %d day%s left\n", i->days_left, i->days_left == 1 ? "" : "s");
    if (i->chain_not_after < i->not_after) {
        begin(k, out, "  chain");
        hail_buf_str(out, "another certificate of it ends first, ");
        put_date(out, i->chain_not_after);
        hail_buf_char(out, '\n');
    }
    begin(k, out, "  verified");
    hail_buf_printf(out, "%s%s\n",
                    *i->refused   ? "no: "
                    : i->verified ? "yes"
                                  : "not by name",
                    i->refused);
}

static void put_tls(const struct check *k, struct hail_buf *out, const struct hail_check *c)
{
    struct hail_tls_info i;
    if (!check_tls_info(c, &i))
        return;
    begin(k, out, "TLS");
    hail_buf_printf(out, "%s, %s%s%s%s\n", i.version, i.cipher, *i.alpn ? ", ALPN " : "", i.alpn,
                    c->hello.starttls ? ", by STARTTLS" : "");
    put_certificate(k, out, &i);
    if (!*i.refused)
        return;
    begin(k, out, "advice");
    hail_buf_str(out, i.days_left < 0 ? "renew the certificate"
                                      : "give its authority by --cacert, or whom it is for by "
                                        "--servername");
    hail_buf_str(out, "; --insecure takes it all the same\n");
}

void check_put_details(const struct check *k, struct hail_buf *out, const struct check_run *run)
{
    const struct hail_check *c = &run->check;
    put_attempts(k, out, c);
    put_ends(k, out, c);
    put_phases(k, out, &run->result);
    if (c->hello.ops)
        put_facts(k, out, &c->hello);
    put_tls(k, out, c);
    if (c->rc < 0 && *c->ctx.err.advice) {
        begin(k, out, "advice");
        hail_buf_printf(out, "%s\n", c->ctx.err.advice);
    }
}
