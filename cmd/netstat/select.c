/* select.c - the sockets that the command line asks for, of one namespace or of all, for hail's own
 * views; netstat.h.
 *
 * Which kinds: those named; else Internet sockets, and Unix ones where a view is about processes;
 * everything with -a. Which states: all, with -l what waits for others (LISTEN; UDP without a
 * peer); a filter that names states overrides -l.
 */
#include "netstat/netstat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct selection {
    struct netstat *n;
    struct hail_socket_query query;
    struct hail_diag_gaps gaps;
    hail_socket_info_fn *each;
    void *arg;
    unsigned asked; /* kinds that were named: their absence is worth a word */
    size_t failed;  /* namespaces that could not be entered */
};

static unsigned named_kinds(const struct netstat *n)
{
    unsigned kinds = 0;
    const struct {
        bool named;
        enum hail_socket_kind kind;
    } flags[] = {{n->tcp, HAIL_KIND_TCP},         {n->mptcp, HAIL_KIND_MPTCP},
                 {n->udp, HAIL_KIND_UDP},         {n->udplite, HAIL_KIND_UDPLITE},
                 {n->sctp, HAIL_KIND_SCTP},       {n->raw, HAIL_KIND_RAW},
                 {n->unix_, HAIL_KIND_UNIX},      {n->packet, HAIL_KIND_PACKET},
                 {n->netlink, HAIL_KIND_NETLINK}, {n->vsock, HAIL_KIND_VSOCK}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        kinds |= flags[i].named ? HAIL_KIND_BIT(flags[i].kind) : 0;
    return kinds;
}

static unsigned kinds_of(const struct netstat *n)
{
    unsigned kinds = named_kinds(n);
    if (kinds)
        return kinds;
    if (n->all)
        return HAIL_KINDS_ALL;
    kinds = HAIL_KINDS_INET & ~HAIL_KIND_BIT(HAIL_KIND_MPTCP);
    if (n->explain || n->summary || n->tree || n->metrics)
        kinds |= HAIL_KIND_BIT(HAIL_KIND_UNIX);
    return kinds;
}

/* -l's states: UDP and raw sockets wait without a state of their own for it. */
static uint32_t states_of(const struct netstat *n, enum hail_socket_kind kind)
{
    bool named = false;
    if (n->filter)
        hail_socket_filter_states(n->filter, &named);
    if (!n->listening || n->all || named)
        return HAIL_STATES_ALL | 1u << HAIL_BOUND;
    bool states = kind == HAIL_KIND_TCP || kind == HAIL_KIND_MPTCP || kind == HAIL_KIND_SCTP ||
                  kind == HAIL_KIND_UNIX || kind == HAIL_KIND_VSOCK;
    return 1u << (states ? HAIL_LISTEN : HAIL_CLOSE);
}

static unsigned wants_of(const struct netstat *n)
{
    unsigned want = n->filter ? hail_socket_filter_wants(n->filter) : 0;
    want |= n->info ? HAIL_HAS_TCP_INFO | HAIL_HAS_PROBES : 0;
    want |= n->timers ? HAIL_HAS_PROBES : 0;
    want |= n->memory ? HAIL_HAS_MEMORY : 0;
    want |= n->options ? HAIL_HAS_OPTIONS : 0;
    want |= n->cgroup ? HAIL_HAS_CGROUP : 0;
    return want;
}

static int list_kind(struct selection *s, enum hail_socket_kind kind)
{
    s->query.kinds = HAIL_KIND_BIT(kind);
    s->query.states = states_of(s->n, kind);
    return hail_sockets_each(&s->n->c->ctx, &s->query, &s->gaps, s->each, s->arg);
}

static int list(struct selection *s)
{
    unsigned kinds = kinds_of(s->n);
    int rc = 0;
    for (int kind = 0; kind < HAIL_KIND_COUNT && rc == 0; kind++)
        if (kinds & HAIL_KIND_BIT(kind))
            rc = list_kind(s, (enum hail_socket_kind)kind);
    return rc;
}

/* --- namespaces --- */

static int list_netns(void *arg, const struct hail_netns *netns)
{
    struct selection *s = arg;
    s->query.netns = netns;
    int rc = list(s);
    if (rc < 0 && !netns->own && rc != -ECANCELED && rc != -ETIMEDOUT) {
        s->failed++; /* it may have gone meanwhile, or is not for this user */
        rc = 0;
    }
    return rc;
}

static int list_all(struct selection *s)
{
    size_t hidden = 0;
    int rc = hail_netns_each(&s->n->c->ctx, list_netns, s, &hidden);
    if (hidden && !s->n->quiet)
        fprintf(stderr,
                "netstat: the network namespaces of %zu processes may not be seen; root "
                "sees them\n",
                hidden);
    if (s->failed && !s->n->quiet)
        fprintf(stderr, "netstat: %zu network namespace%s could not be entered%s\n", s->failed,
                s->failed == 1 ? "" : "s", geteuid() ? "; it takes root" : "");
    return rc;
}

static int list_one(struct selection *s)
{
    struct hail_netns netns;
    int rc = hail_netns_open(&s->n->c->ctx, s->n->netns, &netns);
    if (rc < 0)
        return rc;
    s->query.netns = &netns;
    rc = list(s);
    hail_netns_close(&netns);
    return rc;
}

/* --- what was not seen --- */

static void say_kinds(unsigned kinds, const char *why)
{
    if (!kinds)
        return;
    fputs("netstat:", stderr);
    for (int kind = 0; kind < HAIL_KIND_COUNT; kind++)
        if (kinds & HAIL_KIND_BIT(kind))
            fprintf(stderr, " %s", hail_socket_kind_name((enum hail_socket_kind)kind));
    fprintf(stderr, ": %s\n", why);
}

static void say_gaps(const struct selection *s)
{
    const struct hail_holders *h = s->n->holders;
    if (s->n->quiet)
        return;
    fflush(stdout);
    say_kinds(s->gaps.changed, "the table changed while it was read; rows may be missing");
    say_kinds(s->gaps.denied, "the kernel does not show these to this user");
    say_kinds(s->gaps.no_module & s->asked, "this kernel does not have them, or not to show");
    say_kinds(s->gaps.from_proc & s->asked,
              "read from /proc/net, for this kernel has no sock_diag for them: fewer fields");
    if (h && hail_holders_hidden(h))
        fputs("netstat: /proc hides the processes of others (hidepid); root sees them\n", stderr);
    else if (h && hail_holders_denied(h))
        fprintf(stderr,
                "netstat: %zu processes of others may not be looked into; root sees "
                "what they hold\n",
                hail_holders_denied(h));
}

static int load_holders(struct netstat *n)
{
    hail_holders_free(n->holders);
    n->holders = NULL;
    return hail_holders_load(&n->c->ctx, NULL, &n->holders);
}

int netstat_each(struct netstat *n, unsigned want, hail_socket_info_fn *each, void *arg)
{
    bool filter = n->filter && hail_socket_filter_wants_holders(n->filter);
    int rc = n->programs || n->processes || filter ? load_holders(n) : 0;
    if (rc < 0)
        return rc;
    struct selection s = {.n = n,
                          .query = {.family = n->inet == n->inet6 ? 0
                                              : n->inet           ? AF_INET
                                                                  : AF_INET6,
                                    .want = want | wants_of(n),
                                    .filter = n->filter,
                                    .holders = n->holders},
                          .each = each,
                          .arg = arg,
                          .asked = named_kinds(n)};
    if (n->all_protocols)
        s.asked &= ~HAIL_KINDS_INET;
    rc = !n->netns ? list(&s) : strcmp(n->netns, "all") == 0 ? list_all(&s) : list_one(&s);
    say_gaps(&s);
    return rc;
}
