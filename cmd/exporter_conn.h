/* exporter_conn.h - between the exporter's listener (exporter.c), its connections (exporter_conn.c)
 * and their requests (exporter_request.c).
 */
#ifndef HAIL_CMD_EXPORTER_CONN_H
#define HAIL_CMD_EXPORTER_CONN_H

#include "exporter.h"

#include <stddef.h>

#define EXPORTER_FIELDS 64

enum exporter_state {
    EXPORTER_READ,   /* a head, or the first byte of one */
    EXPORTER_ANSWER, /* who answers is at it */
    EXPORTER_SEND,
    EXPORTER_LINGER, /* our end was sent, the client's is awaited: RFC 9112 section 9.6 */
};

struct exporter_conn {
    struct hail_watch watch; /* the first member */
    struct hail_timer timer;
    struct exporter *e;
    struct exporter_conn *next, *prev;
    struct hail_stream *stream; /* NULL: the client is gone, and the answer will be dropped */
    struct exporter_request q;
    enum exporter_state state;
    bool in_loop, driving, keep_alive, head_only, ended;
    bool partial;     /* READ: a head has begun */
    int64_t since_ns; /* when the present wait began */
    struct hail_http_head head;
    struct hail_http_field fields[EXPORTER_FIELDS];
    size_t in_len, used; /* bytes of `in`; those of the head that is answered */
    struct hail_buf body;
    exporter_more_fn *more; /* the next piece of `body`; NULL: there is none */
    void (*end)(void *arg); /* of an answer in pieces that is not over; NULL: it is, or is whole */
    void *pieces;           /* their argument */
    size_t out_len, sent;   /* of `out`, and of it and `body` together */
    size_t nparams;
    char out[1024]; /* the head of the response */
    char path[EXPORTER_PATH + 1];
    char params[EXPORTER_HEAD + 2]; /* name NUL value NUL ... */
    char in[EXPORTER_HEAD + 1];
};

struct exporter {
    struct hail_watch watch; /* the first member */
    struct hail_timer pause; /* accepting goes on then: there was no descriptor, or no memory */
    struct hail_timer begun; /* when the loop runs */
    struct hail_loop *loop;
    struct hail_listener *listener;
    struct hail_ctx ctx; /* for the steps, which never wait */
    exporter_fn *answer;
    void *arg;
    struct exporter_conn *conns;
    size_t n;
};

static inline struct exporter_conn *exporter_conn_of(const struct exporter_request *q)
{
    return (struct exporter_conn *)((char *)q - offsetof(struct exporter_conn, q));
}

/* exporter_request.c: fills k->q from the head that was read, and has it answered or refused. */
void exporter_take_request(struct exporter_conn *k);

/* exporter_conn.c: a new connection, which takes the stream; its end. */
int exporter_conn_open(struct exporter *e, struct hail_stream *stream);
void exporter_conn_close(struct exporter_conn *k);

#endif
