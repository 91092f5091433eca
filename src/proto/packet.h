/* packet.h - the heads of packets as they would have been on the wire, for capture files: IPv4
 * (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768), with right lengths and checksums; and
 * the tags that stand before a message without packets, for Wireshark's dissectors by name.
 */
#ifndef HAIL_PROTO_PACKET_H
#define HAIL_PROTO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAIL_PACKET_HEAD_MAX 80    /* IPv6, and TCP with options */
#define HAIL_PACKET_DATA_MAX 65000 /* bytes of TCP or UDP in one packet */
#define HAIL_UPPER_HEAD_MAX  160

/* One end of a conversation. */
struct hail_packet_end {
    bool v6;
    uint16_t port;
    uint8_t ip[16]; /* the first four of IPv4 */
};

enum hail_tcp_flags {
    HAIL_TCP_FIN = 1,
    HAIL_TCP_SYN = 2,
    HAIL_TCP_RST = 4,
    HAIL_TCP_PSH = 8,
    HAIL_TCP_ACK = 16,
};

#define HAIL_TCP_SCALE  7       /* the window's scale, announced with every SYN (RFC 7323) */
#define HAIL_TCP_WINDOW 0xFFFFu /* of every segment, unscaled in a SYN */

/* A packet from one end to another, of the same family. */
struct hail_packet {
    const struct hail_packet_end *from, *to;
    const void *data; /* NULL: not known, and so no checksum over it */
    size_t len;       /* at most HAIL_PACKET_DATA_MAX */
};

/* Write the head of the packet, IP's and what follows it, and return its length. */
size_t hail_packet_tcp(uint8_t out[HAIL_PACKET_HEAD_MAX], const struct hail_packet *p,
                       unsigned flags, uint32_t seq, uint32_t ack);
size_t hail_packet_udp(uint8_t out[HAIL_PACKET_HEAD_MAX], const struct hail_packet *p);

/* The tags of a message that was said over TCP, for the dissector of that name (at most 31 bytes).
 */
size_t hail_packet_upper(uint8_t out[HAIL_UPPER_HEAD_MAX], const struct hail_packet_end *from,
                         const struct hail_packet_end *to, const char *dissector);

#endif
