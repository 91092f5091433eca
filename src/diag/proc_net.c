/* proc_net.c - lines of /proc/net/{tcp,udp,udplite,raw,unix} (proc(5)) into rows; diag/rows.h. */
#include "diag/rows.h"

#include <errno.h>
#include <string.h>

/* What is left of a line. */
struct line {
    const char *p, *end;
};

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static void spaces(struct line *l)
{
    while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
        l->p++;
}

/* A number of at most `max` digits; false when there is none. */
static bool number(struct line *l, int base, int max, uint64_t *v)
{
    const char *from = l->p;
    *v = 0;
    while (l->p < l->end && digit(*l->p) < base && l->p - from < max)
        *v = *v * (unsigned)base + (unsigned)digit(*l->p++);
    return l->p > from;
}

static bool symbol(struct line *l, char c)
{
    if (l->p == l->end || *l->p != c)
        return false;
    l->p++;
    return true;
}

static bool field(struct line *l, int base, uint64_t *v)
{
    spaces(l);
    return number(l, base, 20, v);
}

/* Addresses are 32-bit words in the machine's byte order, each in hexadecimal. */
static bool address(struct line *l, struct hail_addr *a)
{
    uint32_t word[4];
    uint64_t v;
    size_t words = 0;
    spaces(l);
    for (; words < 4 && l->p < l->end && *l->p != ':'; words++) {
        const char *from = l->p;
        if (!number(l, 16, 8, &v) || l->p - from != 8)
            return false;
        word[words] = (uint32_t)v;
    }
    if ((words != 1 && words != 4) || !symbol(l, ':') || !number(l, 16, 4, &v))
        return false;
    *a = (struct hail_addr){0};
    if (words == 1) {
        a->len = sizeof a->u.in4;
        a->u.in4.sin_family = AF_INET;
        memcpy(&a->u.in4.sin_addr, word, sizeof a->u.in4.sin_addr);
    } else {
        a->len = sizeof a->u.in6;
        a->u.in6.sin6_family = AF_INET6;
        memcpy(&a->u.in6.sin6_addr, word, sizeof a->u.in6.sin6_addr);
    }
    hail_addr_set_port(a, (uint16_t)v);
    return true;
}

/* tx_queue:rx_queue timer:ticks retransmits uid probes inode */
static bool counters(struct line *l, struct hail_socket_info *info)
{
    uint64_t tx, rx, timer, ticks, retransmits, uid, probes, inode;
    if (!field(l, 16, &tx) || !symbol(l, ':') || !number(l, 16, 16, &rx) || !field(l, 16, &timer) ||
        !symbol(l, ':') || !number(l, 16, 16, &ticks) || !field(l, 16, &retransmits) ||
        !field(l, 10, &uid) || !field(l, 10, &probes) || !field(l, 10, &inode))
        return false;
    info->send_q = (uint32_t)tx;
    info->recv_q = (uint32_t)rx;
    info->timer = timer <= HAIL_TIMER_PROBE ? (enum hail_socket_timer)timer : HAIL_TIMER_NONE;
    info->timer_ms = timer ? (uint32_t)ticks * 10 : 0; /* USER_HZ is 100 everywhere */
    info->retransmits = (uint32_t)retransmits;
    info->probes = (uint32_t)probes;
    info->uid = (uint32_t)uid;
    info->inode = (uint32_t)inode;
    return true;
}

static int type_of(enum hail_socket_kind kind)
{
    return kind == HAIL_KIND_TCP ? SOCK_STREAM : kind == HAIL_KIND_RAW ? SOCK_RAW : SOCK_DGRAM;
}

int hail_proc_inet_row(const char *line, size_t n, struct hail_diag_row *row)
{
    struct line l = {line, line + n};
    struct hail_socket_info info = {
        .kind = row->info.kind, .netns = row->info.netns, .congestion = "", .has = HAIL_HAS_PROBES};
    uint64_t v, state;
    if (!field(&l, 10, &v) || !symbol(&l, ':') || !address(&l, &info.local) ||
        !address(&l, &info.peer) || !field(&l, 16, &state) || !counters(&l, &info) ||
        info.local.u.sa.sa_family != info.peer.u.sa.sa_family || state > HAIL_BOUND)
        return -EBADMSG;
    info.family = info.local.u.sa.sa_family;
    info.state = (enum hail_socket_state)state;
    info.type = type_of(info.kind);
    if (info.kind == HAIL_KIND_RAW)
        info.protocol = hail_addr_port(&info.local);
    row->info = info;
    return 0;
}

/* address: references protocol flags type state inode [name] */
static bool unix_fields(struct line *l, uint64_t v[7])
{
    if (!number(l, 16, 16, &v[0]) || !symbol(l, ':'))
        return false;
    for (int i = 1; i < 6; i++)
        if (!field(l, 16, &v[i]))
            return false;
    return field(l, 10, &v[6]);
}

bool hail_proc_unix_begins(const char *line, size_t n)
{
    struct line l = {line, line + n};
    uint64_t v[7];
    return unix_fields(&l, v);
}

/* Flags and state of linux/net.h, which only the kernel has. */
enum { ACCEPTS = 1 << 16, CONNECTING = 2, CONNECTED = 3, DISCONNECTING = 4 };

static enum hail_socket_state unix_state(uint64_t flags, uint64_t state)
{
    if (flags & ACCEPTS)
        return HAIL_LISTEN;
    return state == CONNECTED       ? HAIL_ESTABLISHED
           : state == CONNECTING    ? HAIL_SYN_SENT
           : state == DISCONNECTING ? HAIL_CLOSING
                                    : HAIL_CLOSE;
}

int hail_proc_unix_row(const char *line, size_t n, struct hail_diag_row *row)
{
    struct line l = {line, line + n};
    uint64_t v[7];
    if (!unix_fields(&l, v))
        return -EBADMSG;
    row->info = (struct hail_socket_info){.kind = row->info.kind,
                                          .netns = row->info.netns,
                                          .family = AF_UNIX,
                                          .type = (int)v[4],
                                          .protocol = (int)v[2],
                                          .state = unix_state(v[3], v[5]),
                                          .inode = (uint32_t)v[6],
                                          .references = (uint32_t)v[1],
                                          .has = HAIL_HAS_REFERENCES,
                                          .congestion = ""};
    if (symbol(&l, ' ') && l.p < l.end) {
        size_t len = (size_t)(l.end - l.p);
        len = len < sizeof row->name ? len : sizeof row->name;
        memcpy(row->name, l.p, len);
        bool abstract = row->name[0] == '@'; /* or a relative path that begins so: not to be told */
        if (abstract)
            row->name[0] = '\0';
        row->info.name = row->name;
        row->info.name_len = len;
    }
    return 0;
}
