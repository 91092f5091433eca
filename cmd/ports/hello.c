/* hello.c - the standard services: registered, listening, by which process, and answering their
 * hello; ports/ports.h. The checks are those of `hail check`.
 *
 * Of this machine: what listens at a port whose hello is known, and the eight ports that everybody
 * knows. Of a host: these eight.
 */
#include "ports/ports.h"

#include "check/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint16_t standard[] = {21, 22, 23, 25, 80, 110, 119, 443};
#define NSTANDARD (sizeof standard / sizeof *standard)

struct row {
    struct hellos *h;
    uint16_t port;
    const struct listener *listener; /* NULL: nothing listens, or it is another machine */
    char text[HAIL_ENDPOINT_MAX];
    struct check_target target;
    bool asked, done;
    struct check_result result;
    char what[CHECK_WHAT];
};

struct hellos {
    struct ports *p;
    struct check check;
    struct check_settings set;
    struct row *v;
    size_t n, waiting;
    const char *host; /* NULL: this machine */
};

/* --- what is asked --- */

static bool is_udp(const struct listener *l)
{
    return l && l->info.protocol == IPPROTO_UDP;
}

/* Where to reach it: the address it listens at; of a wildcard the loopback's. */
static void set_text(struct row *r)
{
    if (!r->listener) {
        bool v6 = strchr(r->h->host, ':') && *r->h->host != '[';
        snprintf(r->text, sizeof r->text, v6 ? "[%.200s]:%u" : "%.200s:%u", r->h->host, r->port);
        return;
    }
    struct hail_endpoint at = hail_endpoint_of(&r->listener->info.local);
    bool any =
        at.kind == HAIL_HOST_ANY || strcmp(at.host, "0.0.0.0") == 0 || strcmp(at.host, "::") == 0;
    if (any)
        snprintf(r->text, sizeof r->text,
                 r->listener->info.local.u.sa.sa_family == AF_INET6 ? "[::1]:%u" : "127.0.0.1:%u",
                 r->port);
    else
        hail_endpoint_format(&at, r->text, sizeof r->text);
}

static int add(struct hellos *h, uint16_t port, const struct listener *l)
{
    struct row *v = realloc(h->v, (h->n + 1) * sizeof *v);
    if (!v)
        return -ENOMEM;
    h->v = v;
    v[h->n++] = (struct row){.port = port, .listener = l};
    return 0;
}

static bool listens(const struct hellos *h, uint16_t port)
{
    for (size_t i = 0; i < h->p->n; i++)
        if (hail_addr_port(&h->p->v[i].info.local) == port && !is_udp(&h->p->v[i]))
            return true;
    return false;
}

static int by_port(const void *a, const void *b)
{
    return (int)((const struct row *)a)->port - (int)((const struct row *)b)->port;
}

static int list(struct hellos *h)
{
    int rc = 0;
    for (size_t i = 0; i < NSTANDARD && rc == 0; i++)
        if (h->host || !listens(h, standard[i]))
            rc = add(h, standard[i], NULL);
    for (size_t i = 0; i < h->p->n && rc == 0 && !h->host; i++) {
        const struct listener *l = &h->p->v[i];
        uint16_t port = hail_addr_port(&l->info.local);
        enum hail_hello_kind kind = hail_hello_by_port(port, NULL);
        if (kind != HAIL_HELLO_NONE && (!is_udp(l) || hail_hello_is_udp(kind)))
            rc = add(h, port, l);
    }
    if (h->n)
        qsort(h->v, h->n, sizeof *h->v, by_port);
    return rc;
}

/* --- asking --- */

static void on_done(struct check_run *run)
{
    struct row *r = run->arg;
    r->result = run->result;
    memcpy(r->what, run->what, sizeof r->what);
    r->done = true;
    if (--r->h->waiting == 0)
        hail_loop_stop(r->h->check.loop);
}

static int ask(struct hellos *h, struct row *r)
{
    char why[CHECK_WHY], text[HAIL_ENDPOINT_MAX + 4];
    size_t column;
    r->h = h;
    if (!r->listener && !h->host)
        return 0;
    set_text(r);
    bool udp = is_udp(r->listener);
    bool tcp = r->listener && !udp && hail_hello_is_udp(hail_hello_by_port(r->port, NULL));
    snprintf(text, sizeof text, "%s%s", udp ? "udp:" : tcp ? "tcp:" : "", r->text);
    int rc = check_target_parse(&h->check.targets, text, &h->set, &r->target, why, &column);
    if (rc == -EINVAL)
        return usage_error(h->p->c->cmd, "%s: %s", h->host ? h->host : r->text, why);
    r->asked = true;
    h->waiting++;
    rc = rc < 0 ? rc : check_begin(&h->check, &r->target, NULL, on_done, r);
    return rc < 0 ? local_error("check", "the services", -rc) : 0;
}

static int ask_all(struct hellos *h)
{
    h->waiting = 1; /* none is the last before all were begun */
    int status = 0;
    for (size_t i = 0; i < h->n && !status; i++)
        status = ask(h, &h->v[i]);
    if (--h->waiting && !status && check_loop(&h->check) < 0)
        status = local_error("wait for", "events", EIO);
    check_abandon(&h->check);
    return status;
}

/* --- showing --- */

static void show_json(struct hellos *h, const struct row *r, const char *name)
{
    struct hail_json j = {.out = &h->p->json};
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", PORTS_SCHEMA);
    hail_json_int(&j, "port", r->port);
    hail_json_str(&j, "name", name);
    hail_json_array(&j, "listening");
    if (r->listener)
        put_listener(&j, r->listener);
    hail_json_end_array(&j);
    if (r->done) {
        hail_json_object(&j, "check");
        hail_json_str(&j, "target", r->text);
        hail_json_str(&j, "verdict", check_verdict_name(r->result.verdict));
        hail_json_int(&j, "status", check_verdict_status(r->result.verdict));
        hail_json_seconds(&j, "time_s", r->result.total_ns);
        hail_json_str(&j, r->result.verdict <= CHECK_WARN ? "what" : "why", r->what);
        hail_json_end_object(&j);
    }
    hail_json_end_object(&j);
    if (put_json(&h->p->json))
        h->p->status = STATUS_LOCAL;
}

static void show_row(struct hellos *h, const struct row *r)
{
    const struct common *c = h->p->c;
    const char *name =
        hail_service_name(r->port, is_udp(r->listener) ? HAIL_SERVICE_UDP : HAIL_SERVICE_TCP);
    if (c->json) {
        show_json(h, r, name);
        return;
    }
    bool ok = r->done && r->result.verdict <= CHECK_WARN;
    char who[40] = "";
    if (r->listener && r->listener->pid)
        snprintf(who, sizeof who, "%s[%d]", r->listener->name, r->listener->pid);
    printf("%5u/%s  %-12s  ", r->port, is_udp(r->listener) ? "udp" : "tcp", name ? name : "-");
    if (!r->asked) {
        printf("%s-%s\n", paint(c, "2"), paint(c, "0"));
        return;
    }
    printf("%s%-9s%s %-22s  %-18s  %s\n", paint(c, ok ? "32" : "31"),
           r->done ? check_verdict_name(r->result.verdict) : "cancelled", paint(c, "0"), r->text,
           who, r->what);
}

int show_hellos(struct ports *p, const char *host)
{
    struct hellos h = {.p = p, .host = host, .set = check_defaults};
    h.check = (struct check){.c = p->c, .parallel = check_parallel()};
    h.set.family = p->c->family;
    h.set.insecure = !host; /* no certificate is for 127.0.0.1 */
    int status = 0;
    find_owners(p);
    if (check_targets_init(&h.check.targets) < 0 || list(&h) < 0)
        status = local_error("check", "the services", ENOMEM);
    else if (check_open(&h.check) < 0)
        status = fail(p->c);
    else
        status = ask_all(&h);
    for (size_t i = 0; i < h.n && status != STATUS_USAGE; i++) {
        int one = h.v[i].done ? check_verdict_status(h.v[i].result.verdict) : 0;
        show_row(&h, &h.v[i]);
        status = one > status ? one : status;
    }
    check_close(&h.check);
    free(h.v);
    return p->status ? p->status : status;
}
