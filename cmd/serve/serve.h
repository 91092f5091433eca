/* serve.h - `hail serve`: what its files share.
 *
 *   serve.c        the command: options, where to listen, threads, the end
 *   worker.c       one loop: accepts, ends, keeps buffers and the date
 *   connection.c   one connection: TLS, requests in, responses out, time limits
 *   respond.c      one request: which file, which status, the head
 *   log.c          a line, or a JSON document, for each request
 *
 *      listener --> connection --> request --> respond --> buffer --> stream
 *                                                  \--> file ---------^ (sendfile)
 */
#ifndef HAIL_CMD_SERVE_H
#define HAIL_CMD_SERVE_H

#include "cmd.h"

#include "proto/mime.h"

#define SERVE_IN       ((size_t)16384) /* bytes of a request's head at most */
#define SERVE_LINE     ((size_t)8192)  /* ... of one line of it */
#define SERVE_FIELDS   64
#define SERVE_OUT      ((size_t)32768) /* responses gathered before they are written */
#define SERVE_HEAD_MAX ((size_t)9216)  /* of a response: room for a Location */
#define SERVE_LOG      ((size_t)16384) /* gathered lines of the log */
#define SERVE_LOG_LINE ((size_t)2048)
#define SERVE_SPARE    16 /* buffers that a worker keeps for the next connection */

/* Seconds. */
#define SERVE_HEAD_S   20 /* TLS handshake; a head, from its first byte */
#define SERVE_IDLE_S   60 /* between requests */
#define SERVE_SEND_S   60 /* without a byte of the response being taken */
#define SERVE_LINGER_S 3  /* for the client to read the last response before the close */
#define SERVE_DRAIN_S  3  /* for what is under way when the server is stopped */
#define SERVE_LOG_MS   20 /* until lines of the log are written */

/* What the options ask for; shared by the workers, who only read it. */
struct serve {
    struct common *c;
    struct hail_tls_opts tls; /* cert_file NULL: plain HTTP */
    int root;                 /* descriptor of the folder */
    const char *only;         /* the one file in it that is served; NULL: all */
    bool quiet;
    struct hail_mime mime;
};

/* The memory of a connection that is not idle. */
struct serve_buffers {
    struct serve_buffers *next;
    struct hail_http_head head;
    struct hail_http_field fields[SERVE_FIELDS];
    size_t in_len, out_len, out_at;
    size_t note_len; /* the log's line for the file under way; 0: none */
    char note[SERVE_LOG_LINE];
    char in[SERVE_IN];
    char out[SERVE_OUT];
};

struct serve_conn;

struct serve_worker {
    struct serve *serve;
    struct hail_ctx ctx;
    struct hail_loop *loop;
    struct hail_tls_config *tls;
    struct hail_listener *listener; /* NULL once it is stopped */
    struct hail_watch accepting, cancel;
    struct hail_timer pause, drain; /* after EMFILE; at the end */
    bool paused, stopping, failed;
    struct serve_conn *conns;
    struct serve_buffers *spare;
    unsigned spares;
    int64_t date_s;
    char date[HAIL_HTTP_DATE_MAX];
    struct hail_timer log_timer;
    struct hail_buf log;
};

enum serve_state {
    SERVE_HANDSHAKE,
    SERVE_REQUEST,  /* reading heads */
    SERVE_RESPONSE, /* writing what is in `out`, then the file */
    SERVE_CLOSING,  /* our end was sent: what the client still says is thrown away */
};

struct serve_conn {
    struct hail_watch watch;
    struct hail_timer timer;
    struct serve_worker *worker;
    struct serve_conn *next, *prev;
    struct hail_stream *stream;
    struct serve_buffers *b; /* NULL while idle */
    int events;              /* watched */
    enum serve_state state;
    bool keep_alive; /* after what is being sent */
    bool linger;     /* the client may still be sending */
    bool ended;      /* our end was sent */
    int file;        /* -1: none */
    off_t file_at;
    uint64_t file_left, file_size;
};

/* worker.c: runs until stopped; the listener is the worker's from here on. 0 or -errno, recorded in
 * w->ctx. */
int serve_worker_run(struct serve_worker *w);
const char *serve_date(struct serve_worker *w);
struct serve_buffers *serve_buffers_take(struct serve_worker *w); /* NULL: no memory */
void serve_buffers_give(struct serve_worker *w, struct serve_buffers *b);
void serve_conn_gone(struct serve_worker *w, struct serve_conn *k);

/* connection.c: takes over the stream. */
void serve_conn_open(struct serve_worker *w, struct hail_stream *s);
void serve_conn_close(struct serve_conn *k);
void serve_conn_stop(struct serve_conn *k); /* after the response under way; at once when idle */

/* respond.c: appends the response to the request in k->b->head to `out`, or opens its file. */
void serve_respond(struct serve_conn *k);
/* The response to what is no request: its status; the connection ends with it. */
void serve_refuse(struct serve_conn *k, int status);

/* log.c. A line lacks its last column, which is known when all was sent; its length, 0 without a
 * log. */
size_t serve_log_line(struct serve_conn *k, int status, char out[SERVE_LOG_LINE]);
void serve_log_add(struct serve_worker *w, const char *line, size_t n, uint64_t sent, bool whole);
void serve_log_error(struct serve_worker *w); /* of the worker's context */
void serve_log_flush(struct serve_worker *w);

#endif
