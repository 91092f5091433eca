/* serve.h - `hail serve`: what its files share.
 *
 *   serve.c        the command: starts and ends it all
 *   options.c      the command line
 *   where.c        listeners, URLs; lan.c the machine's addresses, a QR Code
 *   secure.c       TLS: certificates, the local authority
 *   confine.c      what is given up before the first connection: files, system calls, root
 *   worker.c       one loop: accepts, keeps buffers and the date, stops
 *   patience.c     how long a connection may take for what it does
 *   limits.c       how many connections there may be, in all and of one address
 *   connection.c   one connection: what is to be done next
 *   requests.c     heads and content in
 *   send.c         responses out: memory and files, piece by piece
 *   respond.c      one request: what is answered, and with which status
 *   status.c       what is answered without a file: a status with a text, a redirect
 *   content.c      the pieces of a response's content: all of it, or ranges
 *   site.c         a path: which file, folder or page of the site it means
 *   cache.c        files by path, as they were a moment ago
 *   watch.c        news of changed files by inotify(7)
 *   form.c         a file's representations: as it is, and by content codings
 *   encode.c       making one in a thread
 *   listing.c      a folder without an index; listing.h
 *   dev.c          pages that are loaded again when files change
 *   log.c          a line, or a JSON document, for each request
 *   metrics.c      counts of it all, as OpenMetrics
 *
 *   connection --> respond --> site --> cache --> form --> content --> send
 *        ^                                         |
 *        +--------- a task in a thread <-----------+ (compression, big folders)
 *
 * Workers share what the options ask for, and nothing else: each has its own loop, listeners, cache
 * and connections.
 */
#ifndef HAIL_CMD_SERVE_H
#define HAIL_CMD_SERVE_H

#include "cmd.h"

#include "counts.h"
#include "files.h"
#include "options.h"

#include "loop/work.h"
#include "os/linux/root.h"
#include "proto/answer.h"
#include "proto/range.h"

#include <pthread.h>
#include <stdatomic.h>

#define SERVE_IN         ((size_t)16384) /* bytes of a request's head at most */
#define SERVE_LINE       ((size_t)8192)  /* ... of one line of it */
#define SERVE_CONTENT    ((size_t)4096)  /* bytes of a request's content, read at once */
#define SERVE_FIELDS     64
#define SERVE_TRAILERS   16 /* fields behind chunked content, which mean nothing here */
#define SERVE_OUT        ((size_t)32768) /* responses gathered before they are written */
#define SERVE_HEAD_MAX   ((size_t)9216)  /* of a response: room for a Location */
#define SERVE_PATH       4096
#define SERVE_RANGES     16                     /* of one response; who wants more gets all of it */
#define SERVE_PIECES     (2 * SERVE_RANGES + 1) /* of its content */
#define SERVE_COPY       ((uint64_t)8192)       /* content up to here is copied behind its head */
#define SERVE_SMALL      ((uint64_t)65536)      /* files up to here are kept in memory */
#define SERVE_ENCODE_MIN ((uint64_t)256)        /* files that are worth compressing here */
#define SERVE_ENCODE_MAX ((uint64_t)8 << 20)
#define SERVE_TASKS      2                   /* threads of a worker beside its loop */
#define SERVE_BODY_MAX   ((uint64_t)1 << 20) /* of a request's content, which is thrown away */
#define SERVE_LOG_SIZE   ((size_t)16384)     /* gathered lines of the log */
#define SERVE_NOTE       ((size_t)4096)      /* one of them */
#define SERVE_LOG_MS     20                  /* until they are written */
#define SERVE_THREADS    256
#define SERVE_SPARE      16 /* buffers that a worker keeps for the next connection */

#define SERVE_SLOW_NS    1000000000LL /* a request that is awaited longer gives way to others */

/* What is served, and how; shared by the workers, who only read it. */
struct serve {
    struct common *c;
    const struct serve_options *o;
    enum serve_log log;
    bool timed;         /* somebody wants to know of requests: the log, or --metrics */
    bool colour;        /* of the live log */
    atomic_uint reopen; /* SIGHUPs: the log's file is to be opened anew */
    time_t began;
    struct serve_worker *workers;
    int nworkers;
    struct hail_tls_config *tls; /* NULL: plain HTTP */
    struct serve_limits *limits;
    int cache_files; /* that each worker may keep open */
    struct hail_root root;
    const char *only;                 /* the one file in it that is served; NULL: all */
    char more[4096], preflight[4096]; /* further field lines of responses, with CORS */
    char cache_control[48];           /* of files whose names do not say more */
    struct hail_mime mime;
};

/* --- connections --- */

/* What a connection is waited for; each has its time (patience.c). */
enum serve_wait {
    SERVE_WAIT_HEAD,    /* the TLS handshake; a head, from its first byte */
    SERVE_WAIT_CONTENT, /* of a request */
    SERVE_WAIT_IDLE,    /* the next request */
    SERVE_WAIT_SEND,    /* the client takes the response */
    SERVE_WAIT_LINGER,  /* the client's end, after ours */
    SERVE_WAIT_TASK,    /* something in this server */
    SERVE_WAITS
};

/* The connections that are waited for in one way, in the order of time. */
struct serve_queue {
    struct serve_conn *first, *last;
    serve_count n;
    struct hail_timer timer;
    struct serve_worker *worker;
};

/* A part of a response's content: in memory or in a file. */
struct serve_piece {
    const char *p; /* NULL: in the file */
    int fd;
    off_t at;
    uint64_t n;
};

/* What is to be told of a request when its response was sent. */
struct serve_note {
    int status;       /* 0: nothing */
    int64_t began_ns; /* when its head was there */
    size_t n, before; /* of the text; what stands before the number of bytes sent */
    char text[SERVE_NOTE];
};

/* The memory of a connection that is not idle. */
struct serve_buffers {
    struct serve_buffers *next;
    struct hail_http_head head;
    struct hail_http_field fields[SERVE_FIELDS];
    struct hail_http_body body; /* while the content of a request is read */
    struct hail_http_field trailers[SERVE_TRAILERS];
    size_t head_len; /* of the request whose content that is */

    /* the response under way, behind what `out` holds */
    struct serve_piece pieces[SERVE_PIECES];
    unsigned piece, npieces;
    struct serve_file *file;                   /* what the pieces are of, and ... */
    struct serve_blob *blob;                   /* ... NULL, or memory of their own */
    struct serve_page *page;                   /* that a task made for the request; NULL: none */
    struct serve_conn **waits_on, *waits_next; /* the list of those that wait for one task */
    uint64_t total, left;                      /* bytes of the content, and those not sent yet */
    uint64_t sent, paced; /* bytes since it began to send, and when the pace was looked at */

    size_t in_at, in_len; /* what was read and not consumed */
    bool untaken;         /* it was not looked at since something changed */
    bool listens;         /* to events, after the response */
    bool content_read;    /* of the request in `head` */
    size_t out_at, out_len;
    struct serve_note note;
    char in[SERVE_IN + SERVE_CONTENT];
    char out[SERVE_OUT];
};

enum serve_state {
    SERVE_HANDSHAKE,
    SERVE_REQUEST,  /* reading heads */
    SERVE_UPLOAD,   /* ... and the content behind one */
    SERVE_TASK,     /* a task makes what is to be sent */
    SERVE_EVENTS,   /* what it listens to has not happened yet */
    SERVE_RESPONSE, /* writing what is in `out`, then the pieces */
    SERVE_CLOSING,  /* our end was sent: what the client still says is thrown away */
};

struct serve_conn {
    struct hail_watch watch;
    struct serve_worker *worker;
    struct hail_stream *stream;
    struct serve_address *address;  /* that it is counted with; NULL: none */
    struct serve_conn *next, *prev; /* in its queue */
    int64_t since_ns;               /* when it came into it */
    struct serve_buffers *b;        /* NULL while idle */
    uint8_t state, wait;            /* enum serve_state, enum serve_wait */
    short events;                   /* watched, once it is in the loop */
    bool in_loop;
    bool drained;      /* the last read found the end of what is there */
    bool tls, metrics; /* as its door */
    bool keep_alive;   /* after what is being sent */
    bool linger;       /* the client may still be sending */
    bool ended;        /* our end was sent */
    bool fresh;        /* what is waited for began anew */
};

/* A listener that a worker accepts from. */
struct serve_door {
    struct hail_watch watch;
    struct serve_worker *worker;
    struct hail_listener *listener;
    bool tls, metrics;
    bool own; /* no other worker's */
};

struct serve_worker {
    struct serve *serve;
    struct hail_ctx ctx;
    struct hail_loop *loop;
    const struct serve_places *places;
    struct serve_door *doors; /* owned; NULL once they are shut */
    int ndoors, number;
    struct hail_watch cancel;
    struct hail_timer pause, drain; /* after EMFILE; at the end */
    bool paused, stopping, failed;
    struct serve_queue queues[SERVE_WAITS];
    struct serve_cache cache;
    struct hail_work *work;
    struct serve_dev *dev;        /* NULL: without --dev */
    struct serve_conn *listeners; /* to its events */
    struct serve_buffers *spare;
    unsigned spares;
    int64_t date_s;
    char date[HAIL_HTTP_DATE_MAX];
    struct hail_timer log_timer;
    struct hail_buf log;
    int log_fd;          /* where it goes; a file of its own is this worker's */
    unsigned log_opened; /* serve.reopen when it was */
    struct serve_counts counts;
};

/* worker.c: runs until stopped. 0 or -errno, recorded in w->ctx. */
int serve_worker_run(struct serve_worker *w);
const char *serve_date(struct serve_worker *w);
struct serve_buffers *serve_buffers_take(struct serve_worker *w); /* NULL: no memory */
void serve_buffers_give(struct serve_worker *w, struct serve_buffers *b);
void serve_conn_gone(struct serve_worker *w);

/* patience.c: puts a connection at the end of a queue; the second takes it out of its own first. */
void serve_wait_begin(struct serve_conn *k, enum serve_wait what);
void serve_wait_for(struct serve_conn *k, enum serve_wait what);
void serve_wait_no_more(struct serve_conn *k);
void serve_patience_begin(struct serve_worker *w);
void serve_patience_end(struct serve_worker *w);

/* secure.c. A certificate that cannot be used is found before anything listens, and read while that
 * may still be done. All workers share it, and with it the keys of session tickets. */
int serve_start_tls(struct serve *s);
bool serve_is_secure(const struct serve_options *o);
int serve_tell_authority(struct common *c); /* how it is trusted; a status */

/* limits.c. Raises the limit of descriptors, and divides them. 0, or -errno recorded. */
int serve_limits_new(struct serve *s, int workers, struct serve_limits **out);
void serve_limits_free(struct serve_limits *l); /* accepts NULL */
/* Counts a new connection, or says why there may be none. */
enum serve_admission {
    SERVE_ADMITTED,
    SERVE_FULL,   /* there are as many as there may be */
    SERVE_ENOUGH, /* ... of this address */
};
enum serve_admission serve_admit(struct serve_limits *l, const struct hail_stream *s,
                                 struct serve_address **out);
void serve_leave(struct serve_limits *l, struct serve_address *a);

/* connection.c: takes over the stream, which is admitted or turned away. */
void serve_conn_open(struct serve_worker *w, struct hail_stream *s, const struct serve_door *door);
void serve_conn_close(struct serve_conn *k);
void serve_conn_stop(struct serve_conn *k); /* after the response under way; at once when idle */
void serve_conn_too_slow(struct serve_conn *k); /* its time is over */

void serve_release(struct serve_conn *k); /* gives its buffers back */

/* Connections that wait for a task, in its list. */
void serve_wait_on(struct serve_conn *k, struct serve_conn **list);
void serve_wait_off(struct serve_conn *k); /* if it waits for one */
void serve_wake(struct serve_conn **list); /* all of them go on */

/* One run of steps of a connection. */
struct serve_turn {
    uint64_t bytes; /* sent */
    int wants;      /* events to wait for after -EAGAIN; -1: what the stream says */
};

/* requests.c: the steps. 0; -EAGAIN, -errno. */
int serve_read_requests(struct serve_conn *k, struct serve_turn *turn);
int serve_read_content(struct serve_conn *k, struct serve_turn *turn);
/* The task that the request in k->b->head waited for is done. */
void serve_answer_again(struct serve_conn *k);

/* send.c: the step. 0: all was sent; -EAGAIN, -errno. */
int serve_send(struct serve_conn *k, struct serve_turn *turn);
/* What was under way is over: files are given back, the log is told. */
void serve_send_end(struct serve_conn *k);

/* respond.c. Whether the content of the request in k->b->head is to be read before the answer; if
 * not, the connection ends with it. May put "100 Continue" into `out`. */
bool serve_takes_content(struct serve_conn *k);
/* Appends the response to the request in k->b->head to `out`, and sets
 * its pieces. False: a task was begun, and it is to be called again when that is done. */
bool serve_respond(struct serve_conn *k);
/* The response to what is no request: its status; the connection ends with it. */
void serve_refuse(struct serve_conn *k, int status);

/* status.c. Writes the head into `out`; room was seen to. */
void serve_put_head(struct serve_conn *k, struct hail_answer *a);
/* A status with a text for people; what else is in the answer is as it was put there. */
void serve_put_status(struct serve_conn *k, struct hail_answer *a);
/* 301 to the folder's path with its slash. */
void serve_put_slash(struct serve_conn *k, const char *path);
/* 200 with text that was made for this request, whose memory it takes over. NULL: 500. */
void serve_put_text(struct serve_conn *k, struct hail_answer *a, struct serve_blob *text);

/* content.c: all of the content, or ranges of it, behind the head that is in `out`. They take over
 * the reference to the file. */
void serve_content_all(struct serve_conn *k, struct serve_file *f, const struct serve_form *m);
void serve_content_range(struct serve_conn *k, struct serve_file *f, const struct serve_form *m,
                         const struct hail_range *r);
/* multipart/byteranges of `n` ranges; `heads` holds the parts' heads and the end one behind
 * another, `ends[i]` is where the i-th ends. */
void serve_content_parts(struct serve_conn *k, struct serve_file *f, const struct serve_form *m,
                         const struct hail_range *r, int n, struct serve_blob *heads,
                         const size_t *ends);
void serve_content_blob(struct serve_conn *k, struct serve_blob *text); /* takes it over */

/* site.c: what a path of the site is. */
struct serve_found {
    int status;              /* 200; 301: a folder without its slash; 4xx, 5xx */
    struct serve_file *file; /* a reference; also of a page of the site's own for a status */
    bool folder;             /* one without an index */
};
void serve_find(struct serve_worker *w, const char *path, struct serve_found *f);

/* log.c. serve_log_begin() opens the file, if there is one: 0, or -errno recorded in `ctx`. */
int serve_log_begin(struct serve_worker *w, struct hail_ctx *ctx);
void serve_log_end(struct serve_worker *w);
/* The response to the request in k->b->head begins, or was given up, or sent. */
void serve_note_begin(struct serve_conn *k, int status);
void serve_note_end(struct serve_conn *k, uint64_t sent, bool whole);
void serve_log_error(struct serve_worker *w); /* of the worker's context */

/* listing.c: the response to a request for the folder at `path`, as serve_respond(). */
bool serve_respond_listing(struct serve_conn *k, const char *path);
void serve_page_free(struct serve_page *p); /* accepts NULL */

/* dev.c. 0, or -errno recorded. */
int serve_dev_begin(struct serve_worker *w);
void serve_dev_end(struct serve_worker *w);
/* The response to a request for what is the server's own; false: it is none. */
bool serve_dev_respond(struct serve_conn *k, const char *path);
void serve_dev_tell(struct serve_conn *k); /* what happened goes to who listens */
/* HTML with the script's tag; takes over the reference, and gives one. */
struct serve_blob *serve_dev_inject(struct serve_blob *plain);

/* metrics.c: the response to a request for them. */
void serve_respond_metrics(struct serve_conn *k);

#endif
