/* explain_rules.c - what a socket's state means, in plain words, and what to do; explain.h.
 *
 * A rule is a function that looks at one row and adds what it finds. The words keep to what the row
 * shows: who closed first, how long there was silence, how full a queue is.
 */
#include "netstat/explain.h"

#include <stdarg.h>
#include <string.h>

#define SILENCE_LONG_MS (60 * 1000) /* a CLOSE_WAIT this old is not being handled */
#define QUEUE_SLOW_MS   1000        /* bytes that nobody has read for this long */

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {"fine", "notable", "wrong"};
    return names[severity];
}

enum severity worst_of(const struct findings *f)
{
    enum severity worst = FINE;
    for (int i = 0; i < f->n; i++)
        worst = f->v[i].severity > worst ? f->v[i].severity : worst;
    return worst;
}

/* --- saying --- */

HAIL_PRINTF(3, 4)
static struct finding *say(struct findings *out, enum severity severity, const char *fmt, ...)
{
    static struct finding ignored;
    struct finding *f = out->n < FINDINGS_MAX ? &out->v[out->n++] : &ignored;
    va_list ap;
    va_start(ap, fmt);
    f->severity = severity;
    f->advice[0] = '\0';
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    return f;
}

HAIL_PRINTF(2, 3)
static void advise(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->advice, sizeof f->advice, fmt, ap);
    va_end(ap);
}

/* The process in words: "nginx (pid 12)", "the program that holds it" when it is not known. */
static const char *who(struct netstat *n, const struct hail_socket_info *info, char out[200])
{
    struct hail_holder one;
    char name[120];
    if (!n->holders || !hail_holder_get(n->holders, info->inode, 0, &one)) {
        snprintf(out, 200, "%s", info->inode ? "the program that holds it" : "no program any more");
        return out;
    }
    hail_text_safe_into(name, sizeof name, one.process->name, strlen(one.process->name));
    snprintf(out, 200, "%s (pid %d)", name, one.process->pid);
    return out;
}

static const char *ms(uint32_t v, char out[32])
{
    if (v < 1000)
        snprintf(out, 32, "%u ms", v);
    else if (v < 10000)
        snprintf(out, 32, "%.1f s", v / 1000.0);
    else
        netstat_duration(v / 1000.0, out, 32);
    return out;
}

/* --- listeners --- */

static bool is_any(const struct hail_addr *a)
{
    return a->u.sa.sa_family == AF_INET ? a->u.in4.sin_addr.s_addr == INADDR_ANY
                                        : IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

static bool is_loopback(const struct hail_addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return ntohl(a->u.in4.sin_addr.s_addr) >> 24 == 127;
    const unsigned char *b = (const void *)&a->u.in6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr) && b[12] == 127);
}

static void reach(const struct hail_socket_info *info, struct findings *out, const char *verb)
{
    unsigned port = hail_addr_port(&info->local);
    if (is_loopback(&info->local)) {
        say(out, FINE, "%s on the loopback address: only programs on this machine reach it.", verb);
    } else if (!is_any(&info->local)) {
        say(out, FINE, "%s on one address of this machine only.", verb);
    } else if (info->family == AF_INET) {
        say(out, FINE, "%s on every IPv4 address of this machine; IPv6 does not reach it.", verb);
    } else if (info->v6only) {
        say(out, FINE,
            "%s on every IPv6 address; IPv4 does not reach it, for the socket has IPV6_V6ONLY.",
            verb);
    } else {
        say(out, FINE,
            "%s on every address, IPv4 too: a socket on [::]:%u without IPV6_V6ONLY takes IPv4 "
            "connections as mapped addresses (::ffff:a.b.c.d).",
            verb, port);
    }
}

static void queue(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    char name[200];
    who(n, info, name);
    if (info->recv_q == 0)
        return;
    if (info->recv_q > info->send_q) { /* the kernel takes one more than the backlog says */
        struct finding *f =
            say(out, WRONG,
                "The accept queue is full: %u connections wait, %u may. New clients "
                "are not answered until %s calls accept().",
                info->recv_q, info->send_q, name);
        advise(f,
               "See why %s does not accept; a longer queue is the backlog of listen(2), up to "
               "net.core.somaxconn.",
               name);
        return;
    }
    bool half = info->send_q && info->recv_q * 2 > info->send_q;
    say(out, half ? WRONG : NOTABLE, "%u of at most %u connections wait for %s to call accept().",
        info->recv_q, info->send_q, name);
}

static void listening(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    if (info->family == AF_UNIX)
        say(out, FINE, "Listens for programs on this machine.");
    else
        reach(info, out, "Listens");
    queue(n, info, out);
}

/* --- data that does not move --- */

static void unread(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    char name[200], ago[32];
    /* The peer's FIN counts as one until it was read. */
    uint32_t bytes = info->recv_q - (info->recv_q && info->state == HAIL_CLOSE_WAIT);
    if (bytes == 0)
        return;
    uint32_t silence = info->tcp ? info->tcp->last_data_recv_ms : QUEUE_SLOW_MS;
    struct finding *f = say(out, silence >= QUEUE_SLOW_MS ? WRONG : FINE,
                            "%u bytes came and %s has not read them", bytes, who(n, info, name));
    size_t at = strlen(f->text);
    if (info->tcp)
        snprintf(f->text + at, sizeof f->text - at, "; the last came %s ago.", ms(silence, ago));
    else
        snprintf(f->text + at, sizeof f->text - at, ".");
    if (f->severity == WRONG)
        advise(f, "It is busy or stuck: look at what it does (strace -p, gdb -p).");
}

static void unsent(const struct hail_socket_info *info, struct findings *out)
{
    char next[32];
    struct finding *f;
    if (info->send_q == 0)
        return;
    if (info->timer == HAIL_TIMER_PROBE) {
        f = say(out, WRONG,
                "%u bytes wait: the peer's window is closed, it does not read. The next probe goes "
                "in %s, %u were sent.",
                info->send_q, ms(info->timer_ms, next), info->probes);
        advise(f, "The trouble is at the peer: its program does not read.");
    } else if (info->retransmits) {
        f = say(out, WRONG,
                "%u bytes are not acknowledged: sent again %u times, the next time in %s.",
                info->send_q, info->retransmits, ms(info->timer_ms, next));
        advise(f, "The path loses packets, or the peer is gone; the connection ends by itself "
                  "after net.ipv4.tcp_retries2 tries.");
    } else {
        say(out, FINE, "%u bytes are on their way: not acknowledged yet.", info->send_q);
    }
}

static void losses(const struct hail_socket_info *info, struct findings *out)
{
    const struct hail_tcp_info *t = info->tcp;
    if (!t || !t->total_retrans || !t->segs_out)
        return;
    double percent = 100.0 * t->total_retrans / t->segs_out;
    say(out, percent >= 1 ? NOTABLE : FINE, "%u of %u segments were sent again (%.1f%%).",
        t->total_retrans, t->segs_out, percent);
}

static void established(struct netstat *n, const struct hail_socket_info *info,
                        struct findings *out)
{
    char sent[32], got[32];
    const struct hail_tcp_info *t = info->tcp;
    if (!info->inode)
        say(out, NOTABLE, "Open, and not accepted yet: it waits in the listener's queue.");
    else if (t && t->bytes_received + t->bytes_sent == 0)
        say(out, FINE, "Open; nothing was said yet in either direction.");
    else if (t)
        say(out, FINE, "Open; last sent %s ago, received %s ago, round trip %.2f ms.",
            t->bytes_sent ? ms(t->last_data_sent_ms, sent) : "never,",
            t->bytes_received ? ms(t->last_data_recv_ms, got) : "never,", t->rtt / 1000.0);
    else
        say(out, FINE, "Open.");
    if (info->inode)
        unread(n, info, out);
    unsent(info, out);
    losses(info, out);
}

/* --- opening and closing --- */

static void opening(const struct hail_socket_info *info, struct findings *out)
{
    char next[32];
    if (info->state == HAIL_SYN_RECV) {
        say(out, NOTABLE,
            "A client knocked, was answered, and has not come back: half open. Many of these are "
            "a flood, against which there are SYN cookies (net.ipv4.tcp_syncookies).");
        return;
    }
    struct finding *f =
        say(out, info->retransmits ? WRONG : NOTABLE, "Connecting: %s. The next try goes in %s.",
            info->retransmits ? "nothing answers" : "no answer yet", ms(info->timer_ms, next));
    if (info->retransmits) {
        snprintf(f->text, sizeof f->text,
                 "Connecting: nothing answers after %u tries. The next goes in %s; it gives up "
                 "after net.ipv4.tcp_syn_retries.",
                 info->retransmits + 1, ms(info->timer_ms, next));
        advise(f, "A firewall that drops, a host that is down, or a wrong address: a closed port "
                  "would refuse at once.");
    }
}

static void close_wait(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    char name[200], ago[32];
    uint32_t silence = info->tcp ? info->tcp->last_ack_recv_ms : 0;
    struct finding *f;
    who(n, info, name);
    if (info->inode)
        f = say(out, silence >= SILENCE_LONG_MS ? WRONG : NOTABLE,
                "The peer has closed, and %s has not called close()%s%s%s.", name,
                silence ? " for " : "", silence ? ms(silence, ago) : "",
                silence ? ", counted from the last that was heard" : "");
    else
        f = say(out, NOTABLE, "The peer has closed before the connection was accepted.");
    advise(f, "It stays for as long as the program keeps it: a growing number is a leak of "
              "descriptors in the program, not of the network.");
    unread(n, info, out);
    unsent(info, out);
}

static void closing(const struct hail_socket_info *info, struct findings *out)
{
    char left[32];
    ms(info->timer_ms, left);
    switch (info->state) {
    case HAIL_FIN_WAIT1:
        say(out, NOTABLE, "This end has closed first; the peer has not acknowledged it yet.");
        break;
    case HAIL_FIN_WAIT2:
        if (info->inode)
            say(out, NOTABLE, "This end has closed its sending side; the peer may still send.");
        else
            say(out, FINE,
                "This end has closed first and waits for the peer to close, no longer "
                "than net.ipv4.tcp_fin_timeout%s%s.",
                info->timer_ms ? ": " : "", info->timer_ms ? left : "");
        break;
    case HAIL_CLOSING:
        say(out, NOTABLE, "Both ends have closed at once; the peer has not acknowledged it yet.");
        break;
    case HAIL_LAST_ACK:
        say(out, NOTABLE,
            "The peer closed first, then this end; the peer's last acknowledgement "
            "is missing.");
        break;
    default:
        say(out, FINE,
            "This end closed first. It lasts %s more, so that late packets of this "
            "connection cannot be taken for the next one's (RFC 9293). It is normal, and "
            "no program holds it.",
            left);
        return;
    }
    unsent(info, out);
}

/* --- others --- */

static void tcp(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    switch (info->state) {
    case HAIL_LISTEN:
        listening(n, info, out);
        break;
    case HAIL_ESTABLISHED:
        established(n, info, out);
        break;
    case HAIL_SYN_SENT:
    case HAIL_SYN_RECV:
        opening(info, out);
        break;
    case HAIL_CLOSE_WAIT:
        close_wait(n, info, out);
        break;
    case HAIL_CLOSE:
    case HAIL_BOUND:
        say(out, FINE, "Has a port, and neither listens nor connects: nobody can reach it.");
        break;
    default:
        closing(info, out);
        break;
    }
}

static void udp(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    char name[200];
    if (info->state == HAIL_ESTABLISHED)
        say(out, FINE, "Connected: takes datagrams of this peer only.");
    else
        reach(info, out, "Takes datagrams");
    unread(n, info, out);
    if (info->memory && info->memory->drops) {
        struct finding *f =
            say(out, WRONG, "%u datagrams were thrown away: they came faster than %s read.",
                info->memory->drops, who(n, info, name));
        advise(f, "A larger SO_RCVBUF (up to net.core.rmem_max) helps against bursts only.");
    }
}

static void local(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    char peer[300] = "";
    if (info->state == HAIL_LISTEN) {
        listening(n, info, out);
        return;
    }
    if (info->peer_inode)
        netstat_holder_name(n, info->peer_inode, peer, sizeof peer);
    if (*peer)
        say(out, FINE, "Connected to %s.", peer);
    else if (info->state == HAIL_ESTABLISHED)
        say(out, FINE, "Connected%s.", info->peer_inode ? "" : "; the other end is gone");
    else
        say(out, FINE, "Not connected.");
}

void explain_row(struct netstat *n, const struct hail_socket_info *info, struct findings *out)
{
    out->n = 0;
    switch (info->kind) {
    case HAIL_KIND_TCP:
    case HAIL_KIND_MPTCP:
    case HAIL_KIND_SCTP:
        tcp(n, info, out);
        break;
    case HAIL_KIND_UDP:
    case HAIL_KIND_UDPLITE:
        udp(n, info, out);
        break;
    case HAIL_KIND_RAW:
        say(out, NOTABLE, "Gets a copy of every packet of IP protocol %d; it takes CAP_NET_RAW.",
            info->protocol);
        break;
    case HAIL_KIND_PACKET:
        say(out, NOTABLE, "Sees packets below IP, as sniffers and DHCP clients do.");
        break;
    case HAIL_KIND_UNIX:
        local(n, info, out);
        break;
    case HAIL_KIND_NETLINK:
        say(out, FINE, "Talks to the kernel (%s).", netstat_netlink_name(info->protocol));
        break;
    default:
        say(out, FINE, "Between a virtual machine and its host.");
        break;
    }
}
