/* document.c - a check as JSON, hail.check/1; check.h. */
#include "check.h"

#include <string.h>

static void put_endpoint(struct hail_json *j, const char *key, struct hail_endpoint ep)
{
    char text[HAIL_ENDPOINT_MAX];
    ep.transport = HAIL_TRANSPORT_ANY;
    hail_endpoint_format(&ep, text, sizeof text);
    hail_json_str(j, key, text);
}

static void put_attempts(struct hail_json *j, const struct hail_check *c)
{
    hail_json_array(j, "attempts");
    for (size_t i = 0; i < c->race.started; i++) {
        const struct hail_attempt *a = &c->race.attempts[i];
        hail_json_object(j, NULL);
        put_endpoint(j, "address", hail_endpoint_of(&a->addr));
        if (a->errnum)
            hail_json_str(j, "error", hail_errno_text(a->errnum));
        hail_json_seconds(j, "start_s", a->start_ns - c->began_ns);
        hail_json_seconds(j, "duration_s", a->end_ns - a->start_ns);
        hail_json_end_object(j);
    }
    hail_json_end_array(j);
}

static void put_phases(struct hail_json *j, const struct check_result *r)
{
    hail_json_object(j, "phases");
    for (int i = 0; i < CHECK_PHASES; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_s", check_phase_names[i]);
        if (r->phase_ns[i] >= 0)
            hail_json_seconds(j, key, r->phase_ns[i]);
    }
    hail_json_end_object(j);
}

static void put_facts(struct hail_json *j, const struct hail_hello *h)
{
    struct hail_hello_fact f, other;
    hail_json_object(j, "facts");
    for (size_t at = 0; hail_hello_next_fact(h, &at, &f);) {
        if (!check_first_fact(h, at, f.name))
            continue;
        if (!f.item) {
            hail_json_str(j, f.name, f.value);
            continue;
        }
        hail_json_array(j, f.name);
        for (size_t all = 0; hail_hello_next_fact(h, &all, &other);)
            if (other.item && strcmp(other.name, f.name) == 0)
                hail_json_str(j, NULL, other.value);
        hail_json_end_array(j);
    }
    hail_json_end_object(j);
}

static void put_tls(struct hail_json *j, const struct hail_check *c)
{
    struct hail_tls_info i;
    if (!check_tls_info(c, &i))
        return;
    hail_json_object(j, "tls");
    hail_json_str(j, "version", i.version);
    hail_json_str(j, "cipher", i.cipher);
    if (*i.alpn)
        hail_json_str(j, "alpn", i.alpn);
    if (i.sni && *i.sni)
        hail_json_str(j, "sni", i.sni);
    hail_json_bool(j, "starttls", c->hello.starttls);
    hail_json_bool(j, "verified", i.verified);
    if (*i.refused)
        hail_json_str(j, "refused", i.refused);
    if (i.not_after) {
        hail_json_str(j, "subject", i.subject);
        hail_json_str(j, "issuer", i.issuer);
        hail_json_str(j, "names", i.names);
        hail_json_int(j, "not_before", i.not_before);
        hail_json_int(j, "not_after", i.not_after);
        hail_json_int(j, "chain_not_after", i.chain_not_after);
        hail_json_int(j, "days_left", i.days_left);
    }
    hail_json_end_object(j);
}

static void put_target(struct hail_json *j, const struct check_target *t)
{
    hail_json_str(j, "schema", "hail.check/1");
    hail_json_str(j, "target", t->text);
    if (t->set->name)
        hail_json_str(j, "name", t->set->name);
    if (t->set->module)
        hail_json_str(j, "module", t->set->module);
    if (!t->set->nlabels)
        return;
    hail_json_object(j, "labels");
    for (size_t i = 0; i < t->set->nlabels; i++)
        hail_json_str(j, t->set->labels[i].name, t->set->labels[i].value);
    hail_json_end_object(j);
}

void check_put_document(struct hail_buf *out, const struct check_run *run)
{
    const struct hail_check *c = &run->check;
    const struct check_result *r = &run->result;
    struct hail_json j = {.out = out};
    hail_json_object(&j, NULL);
    put_target(&j, run->target);
    hail_json_str(&j, "verdict", check_verdict_name(r->verdict));
    hail_json_int(&j, "status", check_verdict_status(r->verdict));
    if (r->verdict <= CHECK_WARN)
        hail_json_str(&j, "what", run->what);
    else
        hail_json_str(&j, "why", c->ctx.err.msg);
    if (c->rc < 0 && *c->ctx.err.advice)
        hail_json_str(&j, "advice", c->ctx.err.advice);
    hail_json_str(&j, "protocol", hail_hello_name(c->kind));
    hail_json_seconds(&j, "time_s", r->total_ns);
    if (c->stream || c->datagram) {
        put_endpoint(&j, "local",
                     c->stream ? hail_local(c->stream) : hail_datagram_local(c->datagram));
        put_endpoint(&j, "peer",
                     c->stream ? hail_peer(c->stream) : hail_datagram_peer(c->datagram));
    }
    put_attempts(&j, c);
    put_phases(&j, r);
    if (c->hello.ops && c->hello.facts.len)
        put_facts(&j, &c->hello);
    put_tls(&j, c);
    hail_json_end_object(&j);
}
