/* legacy.c - net-tools' list of Internet sockets, byte for byte; netstat.h.
 *
 * The rows come from sock_diag(7), in the order of /proc/net/tcp and its like, which net-tools
 * reads. Where the two differ: Send-Q of a listener is 0 in /proc; a connection that is not
 * accepted yet (SYN_RECV) has its listener's user there; retransmits and probes both are in
 * TCP_INFO.
 */
#include "netstat/netstat.h"
#include "netstat/row.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SHORT_ADDRESS 22 /* without -W: address and port together */
#define PORT_LEFT     18 /* ... of which the port has at most this */
#define PROGRAM_WIDTH 20 /* with the blank at its end */
#define LISTENERS_MAX 4096

/* Who listens where: SYN_RECV takes its user from there. */
struct listener {
    uint16_t port;
    uint32_t uid;
};

struct legacy {
    struct netstat *n;
    enum hail_socket_kind kind;
    struct listener *listeners;
    size_t nlisteners;
    struct row row;
};

/* --- programs --- */

void netstat_legacy_holders(struct netstat *n)
{
    const struct hail_holders_query first = {.first = true};
    if (!n->programs || n->holders)
        return;
    bool none = hail_holders_load(&n->c->ctx, &first, &n->holders) < 0;
    size_t denied = none ? 0 : hail_holders_denied(n->holders);
    fflush(stdout);
    if (none || (denied && hail_holders_count(n->holders) == 0))
        fprintf(stderr,
                "(No info could be read for \"-p\": geteuid()=%d but you should be root.)\n",
                (int)geteuid());
    else if (denied)
        fputs("(Not all processes could be identified, non-owned process info\n"
              " will not be shown, you would have to be root to see it all.)\n",
              stderr);
}

/* "PID/program" cut to 19 bytes; control characters, which would make rows of their own, shown. On
 * a terminal all is made safe, which may make it longer. */
static void put_program(struct row *r, const struct hail_process *p, bool terminal)
{
    char safe[256];
    char *from = r->p;
    row_number(r, (uint64_t)p->pid, 1, 1);
    row_put(r, "/", 1);
    size_t left = PROGRAM_WIDTH - 1 - (size_t)(r->p - from);
    if (terminal) {
        hail_text_safe_into(safe, sizeof safe, p->program, strnlen(p->program, left));
        row_str(r, safe);
        left = 0;
    }
    for (const char *c = p->program; *c && left; c++, left--) {
        char shown = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
        row_put(r, &shown, 1);
    }
    row_pad(r, from, PROGRAM_WIDTH);
}

/* What SELinux calls the process, cut to its last 49 bytes; "-" when it cannot be told. */
static void context_of(const struct hail_process *p, char out[50])
{
    char path[48], text[512];
    snprintf(path, sizeof path, "/proc/%d/attr/current", p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    snprintf(text + (n > 0 ? n : 0), n > 0 ? 1 : 2, "%s", n > 0 ? "" : "-");
    text[strcspn(text, "\n")] = '\0';
    size_t len = strlen(text);
    snprintf(out, 50, "%s", text + (len > 49 ? len - 49 : 0));
}

void netstat_legacy_program(struct netstat *n, struct row *r, uint32_t inode)
{
    struct hail_holder holder;
    char context[50] = "-";
    if (!n->programs)
        return;
    bool found = n->holders && hail_holder_get(n->holders, inode, 0, &holder);
    row_put(r, " ", 1);
    if (found)
        put_program(r, holder.process, n->c->terminal);
    else
        row_left(r, "-", PROGRAM_WIDTH);
    if (found && n->context)
        context_of(holder.process, context);
    if (n->context) {
        row_str(r, " ");
        row_left(r, context, 50);
    }
}

/* --- addresses --- */

static size_t put_ipv4(char *out, const struct in_addr *in)
{
    const uint8_t *b = (const void *)in;
    char *p = out;
    for (int i = 0; i < 4; i++) {
        if (i)
            *p++ = '.';
        if (b[i] >= 100)
            *p++ = (char)('0' + b[i] / 100);
        if (b[i] >= 10)
            *p++ = (char)('0' + b[i] / 10 % 10);
        *p++ = (char)('0' + b[i] % 10);
    }
    return (size_t)(p - out);
}

/* inet_ntop(3)'s text without the zone; of a mapped address the IPv4 part, as net-tools has it. */
static size_t put_ipv6(char *out, const struct in6_addr *in)
{
    inet_ntop(AF_INET6, in, out, INET6_ADDRSTRLEN);
    const char *dot = IN6_IS_ADDR_V4MAPPED(in) ? strrchr(out, ':') : NULL;
    size_t n = strlen(dot ? dot + 1 : out);
    if (dot)
        memmove(out, dot + 1, n);
    return n;
}

static void address(struct legacy *l, const struct hail_addr *a)
{
    static const char *const words[] = {"tcp", "tcp", "udp", "udp", "sctp", "raw"};
    struct netstat *n = l->n;
    struct row *r = &l->row;
    char digits[INET6_ADDRSTRLEN + 8], number[8];
    uint16_t port = hail_addr_port(a);
    const char *host = digits, *service, *from = r->p;
    size_t host_len, service_len;
    if (!n->numeric_hosts) {
        host = netstat_host(n, a);
        host_len = strlen(host);
    } else {
        host_len = a->u.sa.sa_family == AF_INET ? put_ipv4(digits, &a->u.in4.sin_addr)
                                                : put_ipv6(digits, &a->u.in6.sin6_addr);
    }
    if (!n->numeric_ports && port) {
        service = netstat_port(n, port, words[l->kind]);
        service_len = strlen(service);
    } else {
        char *p = number + sizeof number;
        for (unsigned v = port; v; v /= 10)
            *--p = (char)('0' + v % 10);
        if (!port)
            *--p = '*';
        service = p;
        service_len = (size_t)(number + sizeof number - p);
    }
    if (!n->wide && host_len + service_len > SHORT_ADDRESS) {
        service_len = service_len < PORT_LEFT ? service_len : PORT_LEFT;
        size_t most = SHORT_ADDRESS - service_len;
        host_len = host_len < most ? host_len : most;
    }
    row_put(r, host, host_len);
    row_put(r, ":", 1);
    row_put(r, service, service_len);
    row_pad(r, from, SHORT_ADDRESS + 1);
}

static bool has_peer(const struct hail_addr *a)
{
    static const struct in6_addr none;
    return a->u.sa.sa_family == AF_INET ? a->u.in4.sin_addr.s_addr != 0
                                        : memcmp(&a->u.in6.sin6_addr, &none, sizeof none) != 0;
}

/* --- rows --- */

static void state_of(struct legacy *l, const struct hail_socket_info *info)
{
    const char *name = hail_socket_state_name(info->state);
    if (l->kind == HAIL_KIND_RAW) {
        row_number(&l->row, info->state, 11, 1);
        return;
    }
    if (l->kind != HAIL_KIND_TCP)
        name = info->state == HAIL_ESTABLISHED ? "ESTABLISHED"
               : info->state == HAIL_CLOSE     ? ""
                                               : "UNKNOWN";
    row_left(&l->row, name, 11);
}

static void timers(struct legacy *l, const struct hail_socket_info *info)
{
    static const char *const tcp[] = {"off", "on", "keepalive", "timewait", "probe"};
    static const char *const other[] = {"off", "on1", "on2", "unkn-3", "unkn-4"};
    bool is_tcp = l->kind == HAIL_KIND_TCP;
    struct row *r = &l->row;
    uint32_t hundredths = info->timer == HAIL_TIMER_NONE ? 0 : info->timer_ms / 10;
    row_str(r, " ");
    row_str(r, (is_tcp ? tcp : other)[info->timer]);
    row_str(r, " (");
    row_number(r, hundredths / 100, 1, 0);
    row_str(r, ".");
    row_number(r, hundredths / 10 % 10, 1, 0);
    row_number(r, hundredths % 10, 1, 0);
    row_str(r, "/");
    row_number(r, is_tcp ? info->retransmits : 0, 1, 0);
    row_str(r, "/");
    row_number(r, info->probes, 1, 0);
    row_str(r, ")");
}

static uint32_t user_of(const struct legacy *l, const struct hail_socket_info *info)
{
    if (info->state != HAIL_SYN_RECV || l->kind != HAIL_KIND_TCP || info->uid)
        return info->uid;
    for (size_t i = 0; i < l->nlisteners; i++)
        if (l->listeners[i].port == hail_addr_port(&info->local))
            return l->listeners[i].uid;
    return info->uid;
}

static bool fits(const struct legacy *l, const struct hail_socket_info *info)
{
    const struct netstat *n = l->n;
    if (n->all || l->kind == HAIL_KIND_TCP) /* TCP's states were asked of the kernel */
        return true;
    return has_peer(&info->peer) != n->listening;
}

static int put(void *arg, const struct hail_socket_info *info)
{
    static const char *const titles[][2] = {{"tcp   ", "tcp6  "}, {"", ""}, {"udp   ", "udp6  "},
                                            {"udpl  ", "udpl6 "}, {"", ""}, {"raw   ", "raw6  "}};
    struct legacy *l = arg;
    struct netstat *n = l->n;
    struct row *r = &l->row;
    if (!fits(l, info))
        return 0;
    row_begin(r);
    row_put(r, titles[l->kind][info->family == AF_INET6], 6);
    row_number(r, info->recv_q, 6, 0);
    row_put(r, " ", 1);
    row_number(r, info->state == HAIL_LISTEN ? 0 : info->send_q, 6, 0);
    row_put(r, " ", 1);
    address(l, &info->local);
    row_put(r, " ", 1);
    address(l, &info->peer);
    row_put(r, " ", 1);
    state_of(l, info);
    if (n->extend) {
        row_str(r, " ");
        row_left(r, netstat_user(n, user_of(l, info)), 10);
        row_str(r, " ");
        row_number(r, info->inode, 10, 1);
    }
    if (n->programs)
        netstat_legacy_program(n, r, info->inode);
    if (n->timers)
        timers(l, info);
    row_put(r, "\n", 1);
    fwrite_unlocked(r->line, 1, (size_t)(r->p - r->line), stdout);
    return 0;
}

static int note_listener(void *arg, const struct hail_socket_info *info)
{
    struct legacy *l = arg;
    l->listeners[l->nlisteners++] = (struct listener){hail_addr_port(&info->local), info->uid};
    return l->nlisteners == LISTENERS_MAX;
}

/* With -e and without a filter for it, the users of listeners are needed before the rows. */
static void note_listeners(struct legacy *l, const struct hail_socket_query *q)
{
    struct hail_socket_query listening = {.kinds = q->kinds, .states = 1u << HAIL_LISTEN};
    l->listeners = malloc(LISTENERS_MAX * sizeof *l->listeners);
    if (l->listeners)
        hail_sockets_each(&l->n->c->ctx, &listening, NULL, note_listener, l);
}

/* Without the first family's table net-tools has no support; the second's is simply not there. */
static int missing(struct netstat *n, enum hail_socket_kind kind)
{
    static const char *const names[] = {"tcp", "", "udp", "udplite", "sctp", "raw"};
    char what[32];
    snprintf(what, sizeof what, "AF INET (%s)", names[kind]);
    if (!n->all_protocols && (n->chosen || n->verbose))
        netstat_unsupported(what);
    return !n->all_protocols && n->chosen ? NETSTAT_FAILED : 0;
}

static uint32_t states_of(const struct netstat *n, enum hail_socket_kind kind)
{
    bool named = false;
    if (n->filter)
        hail_socket_filter_states(n->filter, &named);
    if (n->all || named || kind != HAIL_KIND_TCP)
        return HAIL_STATES_ALL;
    return n->listening ? 1u << HAIL_LISTEN : HAIL_STATES_ALL & ~(1u << HAIL_LISTEN);
}

int netstat_legacy_inet(struct netstat *n, enum hail_socket_kind kind)
{
    struct legacy l = {.n = n, .kind = kind};
    struct hail_diag_gaps gaps = {0};
    struct hail_socket_query q = {.kinds = HAIL_KIND_BIT(kind),
                                  .states = states_of(n, kind),
                                  .want = n->timers ? HAIL_HAS_PROBES : 0,
                                  .filter = n->filter,
                                  .holders = n->holders};
    if (n->filter)
        q.want |= hail_socket_filter_wants(n->filter);
    if (n->extend && kind == HAIL_KIND_TCP)
        note_listeners(&l, &q);
    int rc = 0, status = 0;
    bool v4 = !n->chosen || n->inet, v6 = !n->chosen || n->inet6;
    if (kind == HAIL_KIND_TCP && v4 && v6) { /* one pass over the table does for both */
        rc = hail_sockets_each(&n->c->ctx, &q, &gaps, put, &l);
        v4 = v6 = false;
        if (gaps.no_module | gaps.denied)
            status = missing(n, kind);
    }
    if (v4) {
        q.family = AF_INET;
        rc = hail_sockets_each(&n->c->ctx, &q, &gaps, put, &l);
        if (gaps.no_module | gaps.denied)
            status = missing(n, kind);
    }
    if (rc == 0 && v6) {
        q.family = AF_INET6;
        rc = hail_sockets_each(&n->c->ctx, &q, &gaps, put, &l);
    }
    free(l.listeners);
    if (gaps.changed) {
        fflush(stdout);
        fprintf(stderr,
                "netstat: the kernel's table changed while it was read: rows may be missing\n");
    }
    return rc < 0 ? fail(n->c) : status;
}
