/* udp.h - a session of datagrams: what is read becomes datagrams, what arrives is written.
 *
 *      stdin --udp_source.c--> row --hail_try_send_row()--> socket
 *      stdout <--udp_sink.c-- batch <--hail_try_recv_batch()-- socket
 *
 * One read is one datagram, both ways. Neither direction waits for the other, and nothing waits for
 * company: what is there goes on, in as few system calls as the kernel allows (udp_session.c).
 */
#ifndef HAIL_NC_UDP_H
#define HAIL_NC_UDP_H

#include "nc/nc.h"

#define UDP_ROW_MAX   512                 /* datagrams that are read ahead of sending */
#define UDP_ROW_BYTES ((size_t)512 << 10) /* and their bytes */
#define UDP_BATCH     32                  /* messages received at once */
#define UDP_SLOT      ((size_t)64 << 10)  /* bytes of each: GRO joins no more */
#define UDP_UNIX_MAX  ((size_t)256 << 10) /* bytes of a Unix datagram: over the system's limit */
#define UDP_POOL      (UDP_BATCH * UDP_SLOT)

enum udp_end {
    UDP_BYTES, /* a file, /dev/null, a stream socket: nothing between two writes */
    UDP_PIPE, /* a plain pipe: so do its readers, but a read is what one write put there, or more */
    UDP_PACKETS,  /* a pipe in packet mode, pipe(2) O_DIRECT */
    UDP_MESSAGES, /* a socket of datagrams or records */
    UDP_TERMINAL,
};

/* Datagrams that lie one behind the other and are to be sent. */
struct udp_row {
    char *data; /* UDP_ROW_BYTES */
    uint32_t len[UDP_ROW_MAX];
    size_t n, sent;   /* datagrams */
    size_t bytes, at; /* filled; sent */
};

/* The first that is not sent counts as sent. */
static inline void udp_row_drop(struct udp_row *r)
{
    r->at += r->len[r->sent++];
}

struct udp_source {
    int fd;  /* -1: none */
    int own; /* the same pipe opened once more, non-blocking; -1: not */
    enum udp_end kind;
    bool socket, records; /* records: SOCK_SEQPACKET, whose end and empty message look alike */
    bool ready;           /* poll(2) said so, or it was not empty when last read */
    bool always;          /* a regular file is */
    int failed;           /* -errno, to be told after the row that was read before it */
    bool crlf, after_cr;
    int passcred;   /* what SO_PASSCRED was before */
    size_t largest; /* bytes of a datagram that the other side takes */
};

void udp_source_open(struct udp_source *s, int fd, size_t largest, bool crlf);
void udp_source_close(struct udp_source *s);
/* Fills the row, which is empty, with what is there. Datagrams, 0 at the end, -EAGAIN, -errno. A
 * datagram that is larger than may be is -EMSGSIZE, and gone. */
int udp_source_read(struct udp_source *s, struct udp_row *row);

/* Messages that were received, up to where they are written. */
struct udp_batch {
    struct hail_message v[UDP_BATCH];
    int n, next; /* messages; next: the first that is not written whole */
    size_t at;   /* bytes of it that are */
};

struct udp_sink {
    int fd, own;
    enum udp_end kind;
    bool socket;
    bool full;     /* it took no more: wait until it does */
    int stage[2];  /* a pipe of our own, where packets are put before they are moved together */
    size_t staged; /* bytes in it */
};

void udp_sink_open(struct udp_sink *s, int fd);
void udp_sink_close(struct udp_sink *s);
/* Writes the batch as far as there is room. 0: all of it; -EAGAIN; -errno. */
int udp_sink_write(struct udp_sink *s, struct udp_batch *b);

struct udp_session_opts {
    int in, out;         /* descriptors; in -1: none */
    int64_t idle_ms;     /* end when nothing moved for so long; -1: never */
    int64_t quit_ms;     /* end so long after the end of `in`; -1: not for that */
    int64_t interval_ms; /* between lines */
    uint64_t limit;      /* end after so many datagrams were received; 0: never */
    bool crlf;           /* LF becomes CR LF */
    bool many;           /* not connected: answers go to the peer that spoke last */
    bool hang_up;        /* a refusal ends the session, also while there is more to send */
    /* The peer refused (positive errno, mostly ECONNREFUSED). */
    void (*refused)(void *arg, int errnum);
    /* The peer refused before anything was heard of it: another socket to go on with, where what
     * was read last is sent again, or NULL. The one before is not used any more. NULL: there is
     * none. */
    struct hail_datagram *(*elsewhere)(void *arg, int errnum);
    /* Sees every datagram, flow 0 what is sent, 1 what was received. NULL: nobody looks. */
    void (*seen)(void *arg, int flow, const struct hail_addr *from, const char *data, size_t n);
    void *arg;
};

/* Runs the session to its end. 0, also after refusals; 1 when the last that was heard of the peer
 * was a refusal; -errno with the context's error: this machine's trouble, the deadline, cancelled.
 */
int udp_session(struct hail_ctx *ctx, struct hail_datagram *d, const struct udp_session_opts *opts);

/* udp.c: whether an -errno is the peer's refusal: ICMP's errors of udp(7); of Unix, that it is
 * gone. */
bool udp_is_refusal(int rc, bool local);
/* The addresses of a client's host, up to the one that it went to. */
struct udp_way {
    struct hail_addr v[NC_ADDRS_MAX];
    int n, next;
};

/* A session as the letters have it; the socket may be another one when it is over. The exit status.
 */
int nc_udp_talk(struct nc *nc, struct udp_way *way, struct hail_datagram **d);
/* How the letters have a socket opened. */
struct hail_opts nc_udp_opts(struct nc *nc, int family);

/* udp_client.c: the exit status. */
int nc_udp_client(struct nc *nc);
int nc_udp_unix_client(struct nc *nc);
/* To the next address. 0, or the exit status after a message. */
int nc_udp_connect(struct nc *nc, struct udp_way *w, struct hail_datagram **out);
/* -s and -p as an address to bind. 0, or the exit status after a message. */
int nc_udp_source(struct nc *nc, int family, struct hail_endpoint *out);

/* probe.c: -zu. The exit status: 0 when a port replied. */
int nc_udp_scan(struct nc *nc, const uint16_t *ports, size_t n);

#endif
