/* netstat.c - the active connections: which view was asked for, once or every second.
 *
 * The letters and the default output are those of net-tools' netstat, to the byte. hail's own views
 * come by long options, and the table of its own on a terminal unless the program is called
 * netstat.
 */
#include "netstat/netstat.h"

#include <errno.h>

typedef int view_fn(struct netstat *n);

static struct netstat asked;

void netstat_unsupported(const char *what)
{
    fflush(stdout);
    fprintf(stderr, "netstat: no support for `%s' on this system.\n", what);
}

static void put_which(const struct netstat *n)
{
    fputs(n->all         ? "(servers and established)"
          : n->listening ? "(only servers)"
                         : "(w/o servers)",
          stdout);
}

static void put_internet_title(struct netstat *n)
{
    fputs("Active Internet connections ", stdout);
    put_which(n);
    fputs("\nProto Recv-Q Send-Q Local Address           Foreign Address         State      ",
          stdout);
    if (n->extend)
        fputs(" User       Inode     ", stdout);
    netstat_program_banner(n);
    if (n->timers)
        fputs(" Timer", stdout);
    putchar('\n');
}

void netstat_program_banner(const struct netstat *n)
{
    if (n->programs)
        printf(" %-20s", "PID/Program name");
    if (n->context)
        printf("%-50s", " Security Context");
}

static void put_unix_title(struct netstat *n)
{
    fputs("Active UNIX domain sockets ", stdout);
    put_which(n);
    fputs("\nProto RefCnt Flags       Type       State         I-Node  ", stdout);
    netstat_program_banner(n);
    fputs(" Path\n", stdout);
}

/* What net-tools lists without a view: protocol by protocol, and what fails ends it. */
static int list_internet(struct netstat *n)
{
    static const enum hail_socket_kind kinds[] = {HAIL_KIND_TCP, HAIL_KIND_SCTP, HAIL_KIND_UDP,
                                                  HAIL_KIND_UDPLITE, HAIL_KIND_RAW};
    const bool chosen[] = {n->tcp, n->sctp, n->udp, n->udplite, n->raw};
    if (n->chosen && !n->tcp && !n->sctp && !n->udp && !n->udplite && !n->raw)
        return 0;
    netstat_legacy_holders(n);
    put_internet_title(n);
    int status = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == 0; i++)
        if (!n->chosen || chosen[i])
            status = kinds[i] == HAIL_KIND_SCTP ? netstat_legacy_sctp(n)
                                                : netstat_legacy_inet(n, kinds[i]);
    return status;
}

static int list_legacy(struct netstat *n)
{
    int status = list_internet(n);
    if (status == 0 && n->groups)
        status = netstat_groups(n);
    if (status == 0 && (!n->chosen || n->unix_)) {
        netstat_legacy_holders(n);
        put_unix_title(n);
        status = netstat_legacy_unix(n);
    }
    if (status == 0)
        status = netstat_legacy_old(n);
    hail_holders_free(n->holders);
    n->holders = NULL;
    return status;
}

/* The view, and whether it goes on by itself (watch) or is asked for again by -c. */
static view_fn *choose(const struct netstat *n)
{
    bool terminal = n->c->terminal && !n->c->by_name;
    bool columns = n->info || n->memory || n->options || n->cgroup || n->processes || n->netns ||
                   n->mptcp || n->vsock || n->packet || n->netlink;
    if (n->masquerade)
        return netstat_masquerade;
    if (n->statistics)
        return netstat_statistics;
    if (n->routes)
        return netstat_routes;
    if (n->interfaces)
        return netstat_interfaces;
    if (n->kill)
        return netstat_kill;
    if (n->metrics)
        return netstat_metrics;
    if (n->watch_ms)
        return netstat_watch;
    if (n->explain)
        return netstat_explain;
    if (n->summary)
        return netstat_summary;
    if (n->tree)
        return netstat_tree;
    if (n->c->json)
        return netstat_json;
    if (n->table || columns || (terminal && !n->groups))
        return netstat_table;
    return list_legacy;
}

static int repeat(struct netstat *n, view_fn *view)
{
    for (;;) {
        int status = view(n);
        if (status || !n->continuous)
            return status;
        if (fflush(stdout) != 0)
            return status; /* main says so */
        struct hail_ctx second = n->c->ctx;
        second.by = hail_deadline_in(1000);
        if (hail_wait(&second, -1, 0) != -ETIMEDOUT)
            return status; /* a signal, which main ends by */
    }
}

static int parse(struct common *c, int argc, char **argv)
{
    return netstat_parse(&asked, c, argc, argv);
}

static int run(struct common *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    asked.c = c;
    int status = repeat(&asked, choose(&asked));
    hail_socket_filter_free(asked.filter);
    return status;
}

const struct command command_netstat = {
    .name = "netstat",
    .args = "[FILTER]",
    .summary = "the active connections, and who holds them",
    .options = netstat_options,
    .option = netstat_option,
    .parse = parse,
    .run = run,
    .more =
        "Besides these, every option of net-tools' netstat, which `hail netstat -h` lists. In a "
        "pipe, and called netstat, the output is net-tools' to the byte; on a terminal it is "
        "the table.\n\n"
        "FILTER is ss's language: state established and ( dport = :https or src 10.0.0.0/8 ), "
        "and process = NAME, pid = N, user = NAME, cgroup = UNIT, interface = NAME.",
};
