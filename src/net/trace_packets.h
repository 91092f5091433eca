/* trace_packets.h - a conversation as packets that are made up, for the capture file of
 * trace_pcapng.c.
 *
 *      open   --> SYN, SYN/ACK, ACK               say --> segments, acknowledged now and then
 *      secure --> from here on messages inside    say --> ... of TLS, a whole turn each
 *      end    --> FIN or RST
 *
 * Nobody captured anything: times, ends, ports and bytes are what the trace told, everything else
 * of a packet follows from them. Where a local port was not told, one is made up from the span.
 */
#ifndef HAIL_NET_TRACE_PACKETS_H
#define HAIL_NET_TRACE_PACKETS_H

#include <hail/endpoint.h>

#include "base/buf.h"
#include "proto/packet.h"

#include <pthread.h>

/* The interfaces of the file. */
enum hail_capture_interface { HAIL_CAPTURE_PACKETS, HAIL_CAPTURE_INSIDE };

/* The file, and what is to be said with its next packet. */
struct hail_capture {
    int fd;
    int failed;      /* 0, or the -errno of the first write that failed */
    int64_t wall_ns; /* CLOCK_REALTIME less CLOCK_MONOTONIC */
    size_t gathered; /* bytes of turns that wait, of all conversations */
    struct hail_buf out, notes;
};

enum hail_talk_side { HAIL_TALK_HERE, HAIL_TALK_PEER };

/* A conversation; index by enum hail_talk_side. */
struct hail_talk {
    uint32_t span;
    struct hail_packet_end ends[2];
    uint32_t next[2];  /* sequence number of the side's next byte */
    uint32_t acked[2]; /* as far as the other side has acknowledged it */
    bool ended[2];
    bool reset;
    bool accepted;    /* the peer has dialled */
    bool inside;      /* TLS is up: the bytes are what was said inside of it */
    int turn;         /* whose turn is gathered, enum hail_talk_side */
    int64_t turn_ns;  /* when it began */
    pthread_t teller; /* the thread that told of what is gathered */
    struct hail_buf said;
};

/* Adds a line to what the next packet will carry as a comment; made safe to show. */
void hail_capture_note(struct hail_capture *c, const char *op, const char *text);

/* The two ends of a conversation or datagram, of one family; either may be NULL or a Unix socket,
 * which becomes a loopback address. */
void hail_talk_ends(struct hail_packet_end ends[2], uint32_t span, const struct hail_endpoint *here,
                    const struct hail_endpoint *peer);

/* The three packets of a connection that was begun, answered and known to be open at these instants
 * of CLOCK_MONOTONIC. */
void hail_talk_open(struct hail_capture *c, struct hail_talk *t, const int64_t at_ns[3]);

/* An attempt that came to nothing: it was refused if errnum is ECONNREFUSED or ECONNRESET. */
void hail_talk_failed(struct hail_capture *c, const struct hail_packet_end ends[2],
                      const int64_t at_ns[2], int errnum);

/* Bytes; `data` is NULL where they are not known. */
void hail_talk_say(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, int side,
                   const void *data, size_t len);

/* TLS is up: what is said from now on is said inside of it. */
void hail_talk_secure(struct hail_capture *c, struct hail_talk *t);

/* What is gathered of a turn is written. */
void hail_talk_flush(struct hail_capture *c, struct hail_talk *t);

/* `end`: bits of enum hail_event_end. */
void hail_talk_end(struct hail_capture *c, struct hail_talk *t, int64_t at_ns, unsigned end);

/* One datagram. */
void hail_talk_datagram(struct hail_capture *c, const struct hail_packet_end ends[2], int64_t at_ns,
                        int side, const void *data, size_t len);

#endif
