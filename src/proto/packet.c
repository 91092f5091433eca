/* packet.c - heads of packets, with their checksums; see packet.h. */
#include "proto/packet.h"

#include <string.h>

#define PROTO_TCP 6
#define PROTO_UDP 17
#define HOPS      64
#define IPV4_HEAD 20u
#define IPV6_HEAD 40u
#define TCP_HEAD  20u
#define UDP_HEAD  8u

static uint8_t *put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    return put16(put16(p, v >> 16), v & 0xFFFF);
}

/* The sum of RFC 1071 goes on over `n` more bytes; only the last run may be of odd length. */
static uint64_t sum(uint64_t before, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (; n > 1; n -= 2, p += 2)
        before += (uint32_t)p[0] << 8 | p[1];
    return n ? before + ((uint32_t)p[0] << 8) : before;
}

static uint16_t folded(uint64_t s)
{
    while (s >> 16)
        s = (s & 0xFFFF) + (s >> 16);
    return (uint16_t)~s;
}

static size_t ip_len(const struct hail_packet_end *e)
{
    return e->v6 ? 16 : 4;
}

/* The IP header before `n` bytes of `proto`; returns where they go. */
static uint8_t *put_ip(uint8_t *out, const struct hail_packet *p, uint8_t proto, size_t n)
{
    if (p->from->v6) {
        uint8_t *at = put32(out, 6u << 28);
        at = put16(at, (uint32_t)n);
        *at++ = proto;
        *at++ = HOPS;
        memcpy(at, p->from->ip, 16);
        memcpy(at + 16, p->to->ip, 16);
        return out + IPV6_HEAD;
    }
    uint8_t *at = put16(out, 0x4500); /* version 4, five words of header */
    at = put16(at, (uint32_t)(IPV4_HEAD + n));
    at = put32(at, 0x4000); /* no identification; do not fragment */
    *at++ = HOPS;
    *at++ = proto;
    put16(at, 0);
    memcpy(at + 2, p->from->ip, 4);
    memcpy(at + 6, p->to->ip, 4);
    put16(at, folded(sum(0, out, IPV4_HEAD)));
    return out + IPV4_HEAD;
}

/* The checksum over the pseudo header, the head at `head` and the data; 0 where the data are not
 * known. */
static uint16_t checksum(const struct hail_packet *p, uint8_t proto, const uint8_t *head,
                         size_t head_len)
{
    if (p->len && !p->data)
        return 0;
    uint64_t s = proto + head_len + p->len;
    s = sum(s, p->from->ip, ip_len(p->from));
    s = sum(s, p->to->ip, ip_len(p->to));
    s = sum(s, head, head_len);
    return folded(p->len ? sum(s, p->data, p->len) : s);
}

/* The options of a SYN: the largest segment, and the window's scale. */
static uint8_t *put_syn_options(uint8_t *at)
{
    at = put32(at, 2u << 24 | 4u << 16 | HAIL_PACKET_DATA_MAX);
    return put32(at, 1u << 24 | 3u << 16 | 3u << 8 | HAIL_TCP_SCALE);
}

size_t hail_packet_tcp(uint8_t out[HAIL_PACKET_HEAD_MAX], const struct hail_packet *p,
                       unsigned flags, uint32_t seq, uint32_t ack)
{
    size_t head_len = TCP_HEAD + (flags & HAIL_TCP_SYN ? 8 : 0);
    uint8_t *head = put_ip(out, p, PROTO_TCP, head_len + p->len);
    uint8_t *at = put16(head, p->from->port);
    at = put16(at, p->to->port);
    at = put32(at, seq);
    at = put32(at, flags & HAIL_TCP_ACK ? ack : 0);
    *at++ = (uint8_t)(head_len / 4 << 4);
    *at++ = (uint8_t)flags;
    at = put16(at, flags & HAIL_TCP_RST ? 0 : HAIL_TCP_WINDOW);
    uint8_t *check = at;
    at = put32(at, 0); /* the checksum; nothing is urgent */
    if (flags & HAIL_TCP_SYN)
        at = put_syn_options(at);
    put16(check, checksum(p, PROTO_TCP, head, head_len));
    return (size_t)(at - out);
}

size_t hail_packet_udp(uint8_t out[HAIL_PACKET_HEAD_MAX], const struct hail_packet *p)
{
    uint8_t *head = put_ip(out, p, PROTO_UDP, UDP_HEAD + p->len);
    uint8_t *at = put16(head, p->from->port);
    at = put16(at, p->to->port);
    at = put16(at, (uint32_t)(UDP_HEAD + p->len));
    put16(at, 0);
    uint16_t check = checksum(p, PROTO_UDP, head, UDP_HEAD);
    put16(at, check ? check : 0xFFFF); /* 0 would say that there is none */
    return (size_t)(at + 2 - out);
}

/* Tags of LINKTYPE_WIRESHARK_UPPER_PDU, and what TAG_PORT_TYPE says of TCP. */
enum tag {
    TAG_END = 0,
    TAG_DISSECTOR = 12,
    TAG_IPV4_FROM = 20,
    TAG_IPV4_TO = 21,
    TAG_IPV6_FROM = 22,
    TAG_IPV6_TO = 23,
    TAG_PORT_TYPE = 24,
    TAG_PORT_FROM = 25,
    TAG_PORT_TO = 26,
};
#define PORT_TYPE_TCP 2

/* A tag, its value filled up with NULs to a multiple of four bytes. */
static uint8_t *put_tag(uint8_t *at, enum tag tag, const void *value, size_t n)
{
    size_t room = (n + 3) / 4 * 4;
    at = put16(put16(at, tag), (uint32_t)room);
    memset(at, 0, room);
    if (n)
        memcpy(at, value, n);
    return at + room;
}

static uint8_t *put_tag32(uint8_t *at, enum tag tag, uint32_t value)
{
    uint8_t bytes[4];
    put32(bytes, value);
    return put_tag(at, tag, bytes, sizeof bytes);
}

size_t hail_packet_upper(uint8_t out[HAIL_UPPER_HEAD_MAX], const struct hail_packet_end *from,
                         const struct hail_packet_end *to, const char *dissector)
{
    uint8_t *at = put_tag(out, TAG_DISSECTOR, dissector, strnlen(dissector, 31));
    at = put_tag(at, from->v6 ? TAG_IPV6_FROM : TAG_IPV4_FROM, from->ip, ip_len(from));
    at = put_tag(at, to->v6 ? TAG_IPV6_TO : TAG_IPV4_TO, to->ip, ip_len(to));
    at = put_tag32(at, TAG_PORT_TYPE, PORT_TYPE_TCP);
    at = put_tag32(at, TAG_PORT_FROM, from->port);
    at = put_tag32(at, TAG_PORT_TO, to->port);
    return (size_t)(put_tag(at, TAG_END, NULL, 0) - out);
}
