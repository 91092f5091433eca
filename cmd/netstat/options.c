/* options.c - the command line of netstat: net-tools' options as getopt_long(3) takes them, with
 * its messages, and hail's own long ones beside them; netstat.h.
 *
 * A long option is hail's own when its name begins none of net-tools' and one of hail's. So every
 * word that net-tools takes, cut short or not, means what it means there, and every word that it
 * refuses and hail does not know is refused in its words. hail's own go through parse_options().
 */
#include "netstat/netstat.h"
#include "split.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FILTER_MAX (64 << 10) /* bytes */

/* Long options without a letter of their own. */
enum { FAMILY = 1, NUMERIC_HOSTS = '!', NUMERIC_PORTS = '@', NUMERIC_USERS = '#' };

/* In net-tools' order, which its message on ambiguous words shows. */
static const struct option longs[] = {
    {"ax25", no_argument, NULL, FAMILY},
    {"x25", no_argument, NULL, FAMILY},
    {"ip", no_argument, NULL, FAMILY},
    {"ipx", no_argument, NULL, FAMILY},
    {"appletalk", no_argument, NULL, FAMILY},
    {"netrom", no_argument, NULL, FAMILY},
    {"inet", no_argument, NULL, FAMILY},
    {"inet6", no_argument, NULL, FAMILY},
    {"ddp", no_argument, NULL, FAMILY},
    {"rose", no_argument, NULL, FAMILY},
    {"unix", no_argument, NULL, FAMILY},
    {"bluetooth", no_argument, NULL, FAMILY},
    {"tcpip", no_argument, NULL, FAMILY},
    {"version", no_argument, NULL, 'V'},
    {"interfaces", no_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},
    {"route", no_argument, NULL, 'r'},
    {"masquerade", no_argument, NULL, 'M'},
    {"protocol", required_argument, NULL, 'A'},
    {"tcp", no_argument, NULL, 't'},
    {"sctp", no_argument, NULL, 'S'},
    {"udp", no_argument, NULL, 'u'},
    {"udplite", no_argument, NULL, 'U'},
    {"raw", no_argument, NULL, 'w'},
    {"unix", no_argument, NULL, 'x'},
    {"l2cap", no_argument, NULL, '2'},
    {"rfcomm", no_argument, NULL, 'f'},
    {"listening", no_argument, NULL, 'l'},
    {"all", no_argument, NULL, 'a'},
    {"timers", no_argument, NULL, 'o'},
    {"continuous", no_argument, NULL, 'c'},
    {"extend", no_argument, NULL, 'e'},
    {"programs", no_argument, NULL, 'p'},
    {"verbose", no_argument, NULL, 'v'},
    {"statistics", no_argument, NULL, 's'},
    {"wide", no_argument, NULL, 'W'},
    {"numeric", no_argument, NULL, 'n'},
    {"numeric-hosts", no_argument, NULL, NUMERIC_HOSTS},
    {"numeric-ports", no_argument, NULL, NUMERIC_PORTS},
    {"numeric-users", no_argument, NULL, NUMERIC_USERS},
    {"symbolic", no_argument, NULL, 'N'},
    {"cache", no_argument, NULL, 'C'},
    {"fib", no_argument, NULL, 'F'},
    {"groups", no_argument, NULL, 'g'},
    {"context", no_argument, NULL, 'Z'},
    {NULL, 0, NULL, 0},
};

/* 'd' (debugging) does nothing there either. */
static const char letters[] = "A:CFMacdeghilnNoprsStuUvVWw2fx64?Z";

/* --- hail's own --- */

enum {
    OWN_TABLE = 256,
    OWN_INFO,
    OWN_MEMORY,
    OWN_OPTIONS,
    OWN_CGROUP,
    OWN_PROCESSES,
    OWN_NETNS,
    OWN_EXPLAIN,
    OWN_SUMMARY,
    OWN_TREE,
    OWN_WATCH,
    OWN_KILL,
    OWN_YES,
    OWN_MPTCP,
    OWN_VSOCK,
    OWN_PACKET,
    OWN_NETLINK,
    OWN_METRICS,
};

const struct option_row netstat_options[] = {
    {OWN_TABLE, "table", NULL, "a table that fits the terminal and cuts no address"},
    {OWN_INFO, "info", NULL, "TCP's own figures: round trip, window, retransmits, rates"},
    {OWN_MEMORY, "memory", NULL, "memory of the socket's buffers"},
    {OWN_OPTIONS, "options", NULL, "socket options that are on"},
    {OWN_CGROUP, "cgroup", NULL, "the systemd unit or container"},
    {OWN_PROCESSES, "processes", NULL, "every holder: PID, name, descriptor, user"},
    {OWN_NETNS, "netns", "NAME|PID|all", "another network namespace, or every one"},
    {OWN_EXPLAIN, "explain", NULL, "what each row means; alone: what looks wrong on this machine"},
    {OWN_SUMMARY, "summary", NULL, "counts by state, family, process and peer"},
    {OWN_TREE, "tree", NULL, "process, its sockets, the process at the other end"},
    {OWN_WATCH, "watch", "[=SECONDS]", "what opens, closes and changes, as it happens"},
    {OWN_KILL, "kill", NULL, "close the TCP sockets that fit FILTER, after asking"},
    {OWN_YES, "yes", NULL, "do not ask"},
    {OWN_MPTCP, "mptcp", NULL, "Multipath TCP"},
    {OWN_VSOCK, "vsock", NULL, "sockets between a virtual machine and its host"},
    {OWN_PACKET, "packet", NULL, "packet sockets"},
    {OWN_NETLINK, "netlink", NULL, "netlink sockets"},
    {OWN_METRICS, "metrics", "ENDPOINT",
     "counts for Prometheus, to be scraped there: 127.0.0.1:9116"},
    {0},
};

static struct netstat *filling; /* while parse_options() calls back */

static int set_watch(const char *value)
{
    char *end;
    double s = value ? strtod(value, &end) : 1;
    if (value && (end == value || *end || !isfinite(s) || s < 0.01 || s > 86400))
        return usage_error(&command_netstat, "--watch wants seconds from 0.01 to 86400, not '%s'",
                           value);
    filling->watch_ms = (int)ceil(s * 1000);
    return 0;
}

int netstat_option(int letter, const char *value)
{
    struct netstat *n = filling;
    bool *const flags[] = {&n->table,     &n->info,   &n->memory,  &n->options, &n->cgroup,
                           &n->processes, NULL,       &n->explain, &n->summary, &n->tree,
                           NULL,          &n->kill,   &n->yes,     &n->mptcp,   &n->vsock,
                           &n->packet,    &n->netlink};
    if (letter == OWN_WATCH)
        return set_watch(value);
    if (letter == OWN_NETNS)
        n->netns = value;
    else if (letter == OWN_METRICS)
        n->metrics = value;
    else
        *flags[letter - OWN_TABLE] = true;
    return 0;
}

static bool begins(const char *whole, const char *name, size_t n)
{
    return whole && strncmp(whole, name, n) == 0;
}

/* The row of hail's that `word` ("--name[=value]") begins, when net-tools has none such. */
static const struct option_row *own_row(const char *word)
{
    size_t n = strlen(word) > 2 ? strcspn(word + 2, "=") : 0;
    for (const struct option *o = longs; o->name; o++)
        if (begins(o->name, word + 2, n))
            return NULL;
    return split_find(netstat_options, word);
}

/* Whether a word of net-tools' takes the next one as its value: -A at the end of a cluster, and
 * --protocol, cut short or not. */
static bool takes_next(const char *word)
{
    if (strncmp(word, "--", 2) == 0)
        return strlen(word) > 3 && begins("--protocol", word, strlen(word));
    const char *value = word[0] == '-' ? strchr(word, 'A') : NULL;
    return value && !value[1];
}

/* --- net-tools' --- */

#define SELINUX_FILESYSTEM 0xf97cff8c /* statfs(2) */

static bool selinux_enabled(void)
{
    struct statfs s;
    return statfs("/sys/fs/selinux", &s) == 0 && (unsigned long)s.f_type == SELINUX_FILESYSTEM;
}

/* How often the views were named: more than one in all is an error, -rr too. */
struct counts {
    int views;
};

static int take_view(struct netstat *n, struct counts *k, int letter)
{
    k->views++;
    n->routes |= letter == 'r';
    n->interfaces |= letter == 'i';
    n->masquerade |= letter == 'M';
    n->statistics |= letter == 's';
    return -1;
}

/* The flags that only are set. */
static bool take_flag(struct netstat *n, int letter)
{
    const struct {
        int letter;
        bool *flag;
    } flags[] = {
        {'a', &n->all},
        {'l', &n->listening},
        {'c', &n->continuous},
        {'g', &n->groups},
        {'p', &n->programs},
        {'W', &n->wide},
        {'N', &n->symbolic},
        {'C', &n->cache},
        {'F', &n->fib},
        {'o', &n->timers},
        {'v', &n->verbose},
        {'t', &n->tcp},
        {'S', &n->sctp},
        {'u', &n->udp},
        {'U', &n->udplite},
        {'w', &n->raw},
        {'2', &n->l2cap},
        {'f', &n->rfcomm},
        {NUMERIC_HOSTS, &n->numeric_hosts},
        {NUMERIC_PORTS, &n->numeric_ports},
        {NUMERIC_USERS, &n->numeric_users},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].letter == letter) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static int take_family(struct netstat *n, const char *words)
{
    int status = netstat_family_option(n, words);
    return status ? status : -1;
}

/* One option; -1 to go on, or the status to end with. */
static int take(struct netstat *n, struct counts *k, int letter, int row)
{
    if (take_flag(n, letter))
        return -1;
    switch (letter) {
    case FAMILY:
        if (strcmp(longs[row].name, "tcpip") != 0)
            return take_family(n, longs[row].name);
        fputs("netstat.c: Internal Error `longopts 1 range'.\n", stderr); /* so it says */
        return -1;
    case 'A':
        return take_family(n, optarg);
    case '4':
        return take_family(n, "inet");
    case '6':
        return take_family(n, "inet6");
    case 'x':
        return take_family(n, "unix");
    case 'e':
        n->extend++;
        return -1;
    case 'n':
        n->numeric_hosts = n->numeric_ports = n->numeric_users = true;
        return -1;
    case 'r':
    case 'i':
    case 'M':
    case 's':
        return take_view(n, k, letter);
    case 'V':
        return netstat_version();
    case 'h':
        return netstat_usage(STATUS_DONE);
    case '?':
        return netstat_usage(NETSTAT_USAGE);
    case 'Z':
        if (!selinux_enabled()) {
            fputs("SELinux is not enabled on this machine.\n", stderr);
            return NETSTAT_FAILED;
        }
        n->programs = n->context = true;
        return -1;
    default: /* 'd' */
        return -1;
    }
}

/* What a family implies of protocols and a protocol of families. */
static void imply(struct netstat *n)
{
    bool protocol = n->tcp || n->sctp || n->udp || n->udplite || n->raw;
    if ((n->inet || n->inet6 || n->statistics) && !protocol)
        n->all_protocols = n->tcp = n->sctp = n->udp = n->udplite = n->raw = protocol = true;
    if ((protocol || n->groups) && !n->inet && !n->inet6)
        n->inet = n->inet6 = true;
    if (n->bluetooth && !n->l2cap && !n->rfcomm)
        n->l2cap = n->rfcomm = true;
    n->chosen = protocol || n->groups || n->unix_ || n->ipx || n->ax25 || n->netrom || n->x25 ||
                n->rose || n->l2cap || n->rfcomm;
}

static int take_theirs(struct netstat *n, int argc, char **argv)
{
    struct counts k = {0};
    int letter, row = -1, status = -1;
    optind = 0; /* begin anew */
    while (status < 0 && (letter = getopt_long(argc, argv, letters, longs, &row)) != -1)
        status = take(n, &k, letter, row);
    if (status >= 0)
        return status;
    if (k.views > 1)
        return netstat_usage(NETSTAT_USAGE);
    imply(n);
    return -1;
}

/* The operands, joined by spaces as a shell would have split them. */
static int take_filter(struct netstat *n, int argc, char **argv)
{
    struct hail_buf text;
    hail_buf_init(&text, FILTER_MAX);
    for (int i = optind; i < argc; i++) {
        if (text.len)
            hail_buf_char(&text, ' ');
        hail_buf_str(&text, argv[i]);
    }
    hail_buf_char(&text, '\0');
    int failed = text.failed;
    int rc = failed ? failed : hail_socket_filter_parse(&n->c->ctx, text.p, &n->filter);
    hail_buf_free(&text);
    return failed ? local_error("read", "the filter", -failed) : rc < 0 ? fail(n->c) : -1;
}

int netstat_parse(struct netstat *n, struct common *c, int argc, char **argv)
{
    struct split_words *w;
    int first;
    n->c = c;
    int status = split_words(c->cmd, argc, argv, own_row, takes_next, &w);
    if (status < 0)
        status = take_theirs(n, w->theirs, w->their_v);
    int operands = optind;
    filling = n;
    optind = 0;
    if (status < 0)
        status = parse_options(c->cmd, c, w->own, w->own_v, &first);
    optind = operands;
    n->own = status < 0 && w->own > 1;
    if (status < 0 && optind < w->theirs && (n->own || !c->by_name))
        status = take_filter(n, w->theirs, w->their_v);
    free(w);
    return status;
}
