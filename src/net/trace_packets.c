/* trace_packets.c - conversations as packets; see trace_packets.h. */
#include "net/trace_packets.h"
#include "base/text.h"
#include "net/trace.h"
#include "net/trace_turn.h"
#include "proto/pcapng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UNACKED_MAX  (1u << 20) /* bytes of one side without an answer before it is acknowledged */
#define GATHERED_MAX (4u << 20) /* bytes of turns that wait, of all conversations */
#define SMALL_MAX    1400       /* bytes of a segment that small pieces are joined into */
#define SMALL_NS     1000000    /* as long as they follow its first within this time */
#define DYNAMIC_PORT 49152u     /* RFC 6335 section 6: from here on */
#define UNIX_PORT    65535      /* stands for the listening end of a Unix socket */

/* --- comments --- */

void hail_capture_note(struct hail_capture *c, const char *op, const char *text)
{
    char line[512], safe[1024];
    int n = text && *text ? snprintf(line, sizeof line, "%s: %s", op ? op : "?", text)
                          : snprintf(line, sizeof line, "%s", op ? op : "?");
    size_t len = hail_text_safe_into(safe, sizeof safe, line,
                                     (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    if (c->notes.len + len + 1 > c->notes.max)
        return; /* enough is said */
    if (c->notes.len)
        hail_buf_char(&c->notes, '\n');
    if (hail_buf_add(&c->notes, safe, len) < 0 && !c->failed)
        c->failed = c->notes.failed;
}

/* Writes a packet with what there is to say. */
static void put(struct hail_capture *c, struct hail_pcapng_packet *p)
{
    p->at_ns += c->wall_ns;
    p->comment = c->notes.p;
    p->comment_len = c->notes.len;
    hail_pcapng_packet(&c->out, p);
    hail_trace_flush(c->fd, &c->out, &c->failed);
    hail_buf_clear(&c->notes);
}

/* --- ends --- */

static bool is_unix(const struct hail_endpoint *ep)
{
    return ep && (ep->kind == HAIL_HOST_UNIX || ep->kind == HAIL_HOST_ABSTRACT);
}

static void set_loopback(struct hail_packet_end *e)
{
    memset(e->ip, 0, sizeof e->ip);
    if (e->v6)
        e->ip[15] = 1;
    else
        memcpy(e->ip, "\x7f\0\0\1", 4);
}

static bool is_loopback(const struct hail_packet_end *e)
{
    static const uint8_t v6[16] = {[15] = 1};
    return e->v6 ? memcmp(e->ip, v6, 16) == 0 : e->ip[0] == 127;
}

/* The address and port of an endpoint; false when it has no address of its own. */
static bool end_of(const struct hail_endpoint *ep, struct hail_packet_end *out)
{
    *out = (struct hail_packet_end){0};
    if (!ep || (ep->kind != HAIL_HOST_IPV4 && ep->kind != HAIL_HOST_IPV6))
        return false;
    out->v6 = ep->kind == HAIL_HOST_IPV6;
    out->port = ep->port;
    return inet_pton(out->v6 ? AF_INET6 : AF_INET, ep->host, out->ip) == 1;
}

void hail_talk_ends(struct hail_packet_end ends[2], uint32_t span, const struct hail_endpoint *here,
                    const struct hail_endpoint *peer)
{
    struct hail_packet_end *h = &ends[HAIL_TALK_HERE], *p = &ends[HAIL_TALK_PEER];
    bool knows_here = end_of(here, h), knows_peer = end_of(peer, p);
    uint16_t made_up = (uint16_t)(DYNAMIC_PORT + span % (UNIX_PORT - DYNAMIC_PORT));
    if (is_unix(here) || is_unix(peer)) {
        set_loopback(h);
        set_loopback(p);
        bool listens = is_unix(here) && here->host[0] && !(peer && peer->host[0]);
        h->port = listens ? UNIX_PORT : made_up;
        p->port = listens ? made_up : UNIX_PORT;
        return;
    }
    if (!knows_peer)
        *p = (struct hail_packet_end){.v6 = h->v6};
    if (!knows_here || h->v6 != p->v6) { /* a wildcard, or not told */
        uint16_t port = h->port;
        *h = (struct hail_packet_end){.v6 = p->v6, .port = port ? port : made_up};
        if (is_loopback(p))
            set_loopback(h);
    }
}

/* --- TCP --- */

/* One segment from `side`, which acknowledges all that the other side has sent. */
static void segment(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                    unsigned flags, const void *data, size_t len)
{
    uint8_t head[HAIL_PACKET_HEAD_MAX];
    const struct hail_packet p = {&t->ends[side], &t->ends[!side], data, len};
    size_t n = hail_packet_tcp(head, &p, flags, t->next[side], t->next[!side]);
    put(c, &(struct hail_pcapng_packet){.interface = HAIL_CAPTURE_PACKETS,
                                        .at_ns = at_ns,
                                        .outbound = side == HAIL_TALK_HERE,
                                        .head = head,
                                        .head_len = n,
                                        .data = data,
                                        .data_len = len});
    t->next[side] += (uint32_t)len + !!(flags & (HAIL_TCP_SYN | HAIL_TCP_FIN));
    if (flags & HAIL_TCP_ACK)
        t->acked[!side] = t->next[!side];
}

void hail_talk_open(struct hail_capture *c, struct hail_talk *t, const int64_t at_ns[3])
{
    int dials = t->accepted ? HAIL_TALK_PEER : HAIL_TALK_HERE;
    segment(c, t, at_ns[0], dials, HAIL_TCP_SYN, NULL, 0);
    segment(c, t, at_ns[1], !dials, HAIL_TCP_SYN | HAIL_TCP_ACK, NULL, 0);
    segment(c, t, at_ns[2], dials, HAIL_TCP_ACK, NULL, 0);
}

void hail_talk_failed(struct hail_capture *c, const struct hail_packet_end ends[2],
                      const int64_t at_ns[2], int errnum)
{
    struct hail_talk t = {.ends = {ends[0], ends[1]}};
    segment(c, &t, at_ns[0], HAIL_TALK_HERE, HAIL_TCP_SYN, NULL, 0);
    if (errnum == ECONNREFUSED || errnum == ECONNRESET)
        segment(c, &t, at_ns[1], HAIL_TALK_PEER, HAIL_TCP_RST | HAIL_TCP_ACK, NULL, 0);
}

static void say_plain(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                      const char *data, size_t len)
{
    while (len > 0) {
        size_t n = len < HAIL_PACKET_DATA_MAX ? len : HAIL_PACKET_DATA_MAX;
        segment(c, t, at_ns, side, HAIL_TCP_PSH | HAIL_TCP_ACK, data, n);
        if (t->next[side] - t->acked[side] >= UNACKED_MAX)
            segment(c, t, at_ns, !side, HAIL_TCP_ACK, NULL, 0);
        data = data ? data + n : NULL;
        len -= n;
    }
}

void hail_talk_end(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, unsigned end)
{
    hail_talk_flush(c, t);
    if (t->reset)
        return;
    if (end & (HAIL_RESET_SENT | HAIL_RESET_RECEIVED)) {
        int side = end & HAIL_RESET_SENT ? HAIL_TALK_HERE : HAIL_TALK_PEER;
        segment(c, t, at_ns, side, HAIL_TCP_RST | HAIL_TCP_ACK, NULL, 0);
        t->reset = true;
        return;
    }
    /* where both ends come at once, the peer's was read before this side closed */
    static const unsigned bits[] = {HAIL_END_SENT, HAIL_END_RECEIVED};
    for (int side = HAIL_TALK_PEER; side >= HAIL_TALK_HERE; side--) {
        if (!(end & bits[side]) || t->ended[side])
            continue;
        segment(c, t, at_ns, side, HAIL_TCP_FIN | HAIL_TCP_ACK, NULL, 0);
        t->ended[side] = true;
        if (t->ended[!side])
            segment(c, t, at_ns, !side, HAIL_TCP_ACK, NULL, 0);
    }
}

/* --- what is gathered --- */

static void flush_inside(struct hail_capture *c, struct hail_talk *t)
{
    uint8_t head[HAIL_UPPER_HEAD_MAX];
    int side = t->turn, listens = t->accepted ? HAIL_TALK_HERE : HAIL_TALK_PEER;
    const char *name = hail_turn_dissector(t->said.p, t->said.len, t->ends[listens].port);
    size_t n = hail_packet_upper(head, &t->ends[side], &t->ends[!side], name);
    put(c, &(struct hail_pcapng_packet){.interface = HAIL_CAPTURE_INSIDE,
                                        .at_ns = t->turn_ns,
                                        .outbound = side == HAIL_TALK_HERE,
                                        .head = head,
                                        .head_len = n,
                                        .data = t->said.p,
                                        .data_len = t->said.len});
}

void hail_talk_flush(struct hail_capture *c, struct hail_talk *t)
{
    if (!t->said.len)
        return;
    if (t->inside)
        flush_inside(c, t);
    else
        say_plain(c, t, t->turn_ns, t->turn, t->said.p, t->said.len);
    c->gathered -= t->said.len;
    hail_buf_clear(&t->said);
}

static bool gather(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                   const char *data, size_t len)
{
    if (!t->said.len)
        t->turn_ns = at_ns;
    t->turn = side;
    t->teller = pthread_self();
    if (hail_buf_add(&t->said, data, len) < 0) {
        c->failed = c->failed ? c->failed : t->said.failed;
        return false;
    }
    c->gathered += len;
    return true;
}

/* The bytes of a turn are one message, up to its bounds. */
static void say_inside(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                       const char *data, size_t len)
{
    if (t->turn != side)
        hail_talk_flush(c, t);
    while (data && len > 0) {
        size_t room = t->said.max - t->said.len, n = len < room ? len : room;
        if (!gather(c, t, at_ns, side, data, n))
            return;
        data += n;
        len -= n;
        if (t->said.len == t->said.max || c->gathered >= GATHERED_MAX)
            hail_talk_flush(c, t);
    }
}

void hail_talk_say(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                   const void *data, size_t len)
{
    if (t->inside) {
        say_inside(c, t, at_ns, side, data, len);
        return;
    }
    /* a head that is read byte by byte was sent as one */
    if (t->turn != side || at_ns - t->turn_ns > SMALL_NS || t->said.len + len > SMALL_MAX || !data)
        hail_talk_flush(c, t);
    if (data && len <= SMALL_MAX)
        gather(c, t, at_ns, side, data, len);
    else
        say_plain(c, t, at_ns, side, data, len);
}

void hail_talk_secure(struct hail_capture *c, struct hail_talk *t)
{
    hail_talk_flush(c, t);
    t->inside = true;
}

/* --- datagrams --- */

void hail_talk_datagram(struct hail_capture *c, const struct hail_packet_end ends[2], int64_t at_ns,
                        int side, const void *data, size_t len)
{
    uint8_t head[HAIL_PACKET_HEAD_MAX];
    if (len > HAIL_PACKET_DATA_MAX) { /* of a Unix socket, or all but the largest of UDP */
        char text[64];
        snprintf(text, sizeof text, "%zu bytes, of which the first %d are here", len,
                 HAIL_PACKET_DATA_MAX);
        hail_capture_note(c, "datagram", text);
        len = HAIL_PACKET_DATA_MAX;
    }
    const struct hail_packet p = {&ends[side], &ends[!side], data, len};
    size_t n = hail_packet_udp(head, &p);
    put(c, &(struct hail_pcapng_packet){.interface = HAIL_CAPTURE_PACKETS,
                                        .at_ns = at_ns,
                                        .outbound = side == HAIL_TALK_HERE,
                                        .head = head,
                                        .head_len = n,
                                        .data = data,
                                        .data_len = len});
}
