/* get.h - `hail get`: what its files share.
 *
 *   options.c settings.c config.c words.c data.c multipart.c   what is asked for
 *   get.c queue.c parallel.c                   one URL after another, or several at once
 *     job.c                                    one URL: as many exchanges as it takes
 *       ├─ redirect.c login.c cookies.c        what the next exchange is to be
 *       ├─ retry.c resume.c                    ... when one came to nothing
 *       └─ exchange.c                          one request, the head of its response
 *            ├─ route.c connect.c              by which way, on which connection
 *            ├─ request.c upload.c send.c      the request and its content
 *            ├─ pipeline.c                     ... of the jobs that follow, before their turn
 *            └─ content.c ── sink.c            the content of the response, and where it goes
 *                              ├─ file.c       a file, under its name when it is whole
 *                              └─ screen.c ─ pretty_*.c   a terminal
 *   progress.c verbose.c timing.c explain*.c   what people are shown
 *   report.c har.c writeout*.c                 what programs are told
 */
#ifndef HAIL_CMD_GET_H
#define HAIL_CMD_GET_H

#include "asked.h"
#include "proto/challenge.h"
#include "proto/coding.h"
#include "proto/cookie.h"

#include <pthread.h>
#include <sys/stat.h>

#define GET_BUFFER    ((size_t)192 * 1024) /* bytes: a whole head, and what is read of a body */
#define GET_CHUNK     ((size_t)64 * 1024)  /* bytes of the request's content sent at once */
#define GET_PLAIN     ((size_t)128 * 1024) /* bytes of decoded content at once */
#define GET_REQUEST   ((size_t)256 * 1024) /* bytes of the request's head */
#define GET_FIELDS    256                  /* of a response */
#define GET_TRAILERS  32
#define GET_INTERIM   16                    /* 1xx responses before the answer */
#define GET_REACH_S   30                    /* name, connection, TLS, where no option says less */
#define GET_SILENCE_S 60                    /* the whole head, and between two pieces of the body */
#define GET_PIPED_S   5                     /* ... when the request went out before its turn */
#define GET_HOPS      4096                  /* exchanges of one job */
#define GET_IDLE      16                    /* connections kept by a session */
#define GET_DRAIN     ((uint64_t)64 * 1024) /* bytes read to keep a connection */
#define GET_CAPTURE   ((size_t)1 << 20)     /* bytes of content kept for --har, each way */

/* Of a certificate, kept after its connection is gone. */
struct get_tls {
    bool resumed, verified;
    int days_left;
    char *alpn, *subject, *issuer, *names, *refused; /* owned */
};

/* One exchange, done: what is told of it afterwards. Instants are CLOCK_MONOTONIC; 0: it did not
 * come to that. */
struct get_hop {
    const char *why; /* "first", "redirect", "login", "resume", "retry", "417"; static */
    char *url;       /* as it was asked for, normalised */
    const char *method;
    bool https, reused, via_proxy, complete, failed;
    int minor;
    struct hail_endpoint local, peer;
    struct hail_attempt *attempts;
    size_t nattempts;
    int64_t start_ns, dialled_ns, connected_ns, tls_ns, ready_ns, sent_ns, first_ns, end_ns;
    time_t wall;               /* seconds since 1970 when it began */
    int status, tunnel_status; /* the latter of the proxy's answer to CONNECT; 0: none */
    char *request, *head;      /* the heads' bytes */
    size_t request_size, head_size;
    size_t interim_size;              /* bytes of 1xx responses */
    uint64_t sent, received, content; /* content's bytes: as sent, on the wire, decoded */
    uint64_t stated;
    enum hail_http_framing framing;
    bool has_stated;
    struct hail_buf captured; /* --har: the content as it was decoded, at most GET_CAPTURE */
    char tls_version[16], cipher[48];
    struct get_tls tls;
    struct hail_error err;
};

/* A connection that may carry another exchange. */
struct get_conn {
    struct get_conn *next;
    struct hail_stream *stream;
    char *key; /* the route: what else may use it */
    struct hail_endpoint local, peer;
    struct hail_attempt *attempts;
    size_t nattempts;
    int64_t start_ns, dialled_ns, connected_ns, tls_ns;
    unsigned used, number;
    struct hail_buf ahead; /* requests that were sent before their turn, one after another */
    struct hail_buf rest;  /* what came of their responses */
    bool piped;            /* the present request was one of them */
};

/* By which way a URL is reached. */
struct get_route {
    struct hail_endpoint to;
    struct hail_proxy proxy;
    bool has_proxy;  /* dial through `proxy` */
    bool forwarding; /* `to` is a proxy of HTTP, which gets the absolute form */
    struct hail_proxy forward;
    char key[2 * HAIL_ENDPOINT_MAX + 128];
};

/* The content of a request, which may have to be sent again. upload.c */
struct get_upload {
    const struct get_part *parts; /* one after another */
    size_t n, at;
    int fd;            /* of the part that is being read; -1: none */
    off_t begin;       /* where in the file it began */
    uint64_t part_at;  /* bytes read of the part */
    uint64_t size;     /* of all parts; with `endless` not known */
    bool endless;      /* standard input, a pipe: sent in chunks */
    bool begun, spent; /* something that cannot be read twice was read */
    bool there;        /* there is content, be it empty */
    uint64_t skip;     /* bytes of the file left out: -C with -T */
};

/* What was taken of a representation, so that the rest can be asked for. resume.c */
struct get_resume {
    char etag[256], modified[64]; /* a strong validator, or empty */
    int64_t total;                /* bytes; -1: not known */
    uint64_t have;                /* bytes of it that were put out */
    bool asked;                   /* this request asks for the rest */
    uint64_t skip;                /* bytes to pass over: they were put out before */
};

/* Where bytes go. sink.c, file.c, screen.c */
struct get_sink {
    int fd; /* -1: nowhere */
    bool open, started, terminal;
    bool null;         /* what is written has no effect */
    bool regular;      /* a file of its own, which may be cut */
    bool foreign;      /* the server chose the name: nothing is written over */
    bool locked;       /* standard output is held against the other jobs */
    char *name, *part; /* the final name; the one until it is whole, NULL: none */
    struct get_screen *screen;
    struct get_checksum *sum;
    uint64_t written; /* bytes of content */
};

#define GET_AHEAD 16 /* URLs that a session may claim before their turn */

/* A URL of the command line, and what is to be done with it. */
struct get_ask {
    const char *text;        /* as it was written */
    const char *output;      /* -o, "" is -O; NULL: standard output */
    const char *upload_file; /* -T; NULL: none */
    int status;              /* the exit status */
    struct get_job *kept;    /* for --har */
};

/* One URL while it is worked on. */
struct get_job {
    size_t index;
    const char *text;           /* the URL as it was written */
    const char *output;         /* -o; NULL: standard output */
    bool remote;                /* -O */
    const char *upload_file;    /* -T; NULL: none */
    struct hail_url url, first; /* the present one, and the one that was written */
    struct get_hop *hops;
    size_t nhops, hops_room;
    unsigned redirects, retries, resumes, connects;
    struct get_upload upload;
    struct get_part file_part;
    const char *method; /* of the next request */
    char *referer;
    bool unexpected; /* 417 came: the content goes without Expect */
    bool dropped;    /* credentials are no longer sent: another origin was met */
    struct get_resume resume;
    struct get_sink sink;
    struct hail_buf heads; /* what -i has to show before the content */
    struct hail_deadline by;
    int64_t start_ns, end_ns;
    int status;   /* the exit status */
    bool refused; /* by --fail */
    struct hail_error err;
    char content_type[256], redirect_url[HAIL_URL_MAX + 1];
    struct get_line *line; /* of the progress */
};

/* Credentials for a server or a proxy, as they are used. login.c */
struct get_login {
    char user[HAIL_SECRET_MAX], password[HAIL_SECRET_MAX];
    bool has, tried;
    bool bare;   /* no challenge came: the content goes without an answer to one */
    bool digest; /* a challenge is there to be answered: */
    struct hail_digest challenge;
    unsigned count; /* answers with this nonce */
    unsigned stale; /* nonces in a row that the server found too old */
    char host[HAIL_URL_HOST_MAX + 1];
};

/* What all sessions share; the lock guards it. */
struct get_shared {
    const struct get_asked *asked;
    pthread_mutex_t lock, output; /* `output` is held by the job that writes standard output */
    struct hail_cookie_jar jar;
    struct hail_buf netrc; /* the file's text */
    bool has_netrc;
    const char *proxies[4]; /* the environment's: http, https, all, none */
    struct get_progress *progress;
    FILE *dump;           /* -D */
    struct get_ask *asks; /* the queue: queue.c */
    size_t nasks, next, *returned, nreturned;
    unsigned connections;
};

/* What one thread has for its exchanges. */
struct get_session {
    struct common c; /* its own context */
    const struct get_asked *asked;
    struct get_shared *shared;
    struct get_conn *idle;
    struct hail_tls_config *tls, *proxy_tls;
    struct get_login login, proxy_login;
    size_t claimed[GET_AHEAD], nclaimed; /* URLs that are this session's next */
    struct get_job *probe;               /* for requests that are made before their turn */
    /* the present exchange */
    struct get_job *job;
    struct get_hop *hop;
    struct get_conn *conn;
    struct get_route route;
    struct hail_http_head head;
    struct hail_http_body body;
    struct hail_decoder *decoder;
    bool lonely;           /* requests that were sent ahead got lost: none is any more */
    bool decoded_end;      /* the content in its coding is complete */
    bool closing;          /* the connection cannot be used again */
    uint32_t span, parent; /* of the trace: the request's, and what it is part of */
    size_t head_size, len; /* buf: | head | content ... len */
    int64_t pace_ns;       /* --limit-rate: when the next piece may be read */
    int pipe[2];           /* for splice(2); 0, 0: none yet */
    struct hail_buf request;
    struct hail_http_field rows[GET_FIELDS], trailers[GET_TRAILERS];
    char chunk[GET_CHUNK];
    char plain[GET_PLAIN];
    char buf[GET_BUFFER];
};

/* All functions return 0 or -errno with the failure recorded in the session's context, where
 * nothing else is said. */

/* get.c: does URLs of the queue until there are none, or the user has enough. */
void get_work(struct get_session *s);
int get_session_new(const struct common *c, struct get_shared *shared, struct get_session **out);
void get_session_free(struct get_session *s);

/* queue.c: the URLs of the command line; who takes one does it. */
int get_queue_make(struct get_shared *g);
void get_queue_free(struct get_shared *g);
bool get_queue_next(struct get_session *s, size_t *i); /* what was claimed comes first */
bool get_queue_claim(struct get_session *s, size_t *i);
void get_queue_return(struct get_session *s); /* what was claimed is anybody's again */

/* parallel.c: all of them, in several threads. */
int get_parallel(struct common *c, struct get_shared *g);

/* job.c: does the job; job->status and job->err say what came of it. */
void get_job(struct get_session *s, struct get_job *job);
void get_job_free(struct get_job *job);
int get_job_prepare(struct get_session *s, struct get_job *job); /* the URL, the method */
struct get_hop *get_last(const struct get_job *job);             /* or NULL */

/* exchange.c: asks, and reads the response's head. */
int get_exchange(struct get_session *s);
/* ... is done with the response, `rc` came of it: the connection is kept, or closed. */
void get_finish(struct get_session *s, int rc);
bool get_refused(const struct get_session *s); /* --fail, and the status says so */
void get_allow(struct get_session *s, double seconds);
int get_explain_timeout(struct get_session *s, int rc, double seconds, const char *what);
int get_read_head(struct get_session *s, bool *again);
const struct hail_http_field *get_field(const struct get_session *s, const char *name);
const char *get_where(const struct get_session *s, char out[HAIL_ENDPOINT_MAX]);

/* route.c */
int get_route(struct get_session *s, const struct hail_url *u, struct get_route *out);
bool get_no_proxy(const char *list, const char *host, uint16_t port);

/* connect.c: the connection for the route, an idle one or a new one. */
int get_connect(struct get_session *s, bool fresh);
void get_conn_keep(struct get_session *s);
void get_conn_close(struct get_session *s);
void get_conn_close_idle(struct get_session *s);

/* request.c: the head of the request into s->request. */
int get_request(struct get_session *s);
/* Whether -H speaks of the field, so that hail's own does not go out. */
bool get_replaced(const struct get_session *s, const char *name);
/* What the request's line asks for. */
struct hail_slice get_target(const struct get_session *s);
bool get_expects(const struct get_session *s); /* Expect: 100-continue goes out */
bool get_chunked(const struct get_session *s);

/* pipeline.c: the requests of the next jobs, sent before their turn. */
void get_pipeline_fill(struct get_session *s);
/* Whether s->request went out before: 1, 0, or -EPIPE when something else did. */
int get_pipeline_take(struct get_session *s);
/* The content is large: others do what would wait for it. */
void get_pipeline_yield(struct get_session *s);

/* upload.c */
int get_upload_open(struct get_session *s, struct get_job *job);
ssize_t get_upload_read(struct get_session *s, void *p, size_t size); /* 0: the end */
bool get_upload_again(struct get_session *s); /* from the start; false if that cannot be */
void get_upload_close(struct get_upload *u);

/* send.c: the head and the content. *answered: a response came before all was sent. */
int get_send(struct get_session *s, bool *answered);

/* content.c: reads the content into the sink, or past it. */
int get_content(struct get_session *s);
int get_drain(struct get_session *s);
/* content_fast.c: the rest of the content without a copy of it, where that can be. 1: done so, 0:
 * it cannot be. */
int get_content_fast(struct get_session *s);

/* resume.c */
bool get_resumable(const struct get_session *s);
void get_resume_note(struct get_session *s); /* what a complete response says of itself */
int get_resume_check(struct get_session *s); /* a response to a request for the rest; 1: whole */
void get_resume_forget(struct get_resume *r);

/* sink.c */
int get_sink_open(struct get_session *s);
int get_sink_write(struct get_session *s, const char *p, size_t n);
int get_sink_restart(struct get_session *s); /* what was written is to be written again */
int get_sink_close(struct get_session *s, bool whole);
int get_write_all(struct get_session *s, int fd, const char *name, const char *p, size_t n);

/* file.c */
int get_file_open(struct get_session *s, const char *path);
int get_file_close(struct get_session *s, bool whole);
int get_file_name(struct get_session *s, struct hail_buf *out); /* -o, -O, -J */
void get_file_find(struct get_session *s); /* what an earlier run has left to be resumed */
int get_file_remember(struct get_session *s);

/* checksum.c */
int get_checksum_new(struct get_session *s, const char *wanted, struct get_checksum **out);
void get_checksum_add(struct get_checksum *c, const void *p, size_t n);
int get_checksum_file(struct get_checksum *c, int fd); /* what is in the file so far */
void get_checksum_restart(struct get_checksum *c);
bool get_checksum_right(struct get_checksum *c, char *is, size_t size);
void get_checksum_free(struct get_checksum *c);
int get_checksum_known(const char *wanted); /* "sha256:..." is well formed: 0 or -EINVAL */

/* screen.c: content for a terminal. */
int get_screen_new(struct get_session *s, struct get_screen **out);
int get_screen_add(struct get_session *s, struct get_screen *sc, const char *p, size_t n,
                   struct hail_buf *out);
void get_screen_end(struct get_screen *sc, struct hail_buf *out);
void get_screen_free(struct get_screen *sc);
void get_screen_head(const struct common *c, const char *head, size_t n, struct hail_buf *out);

/* redirect.c: the job's next URL and method; 1: follow, 0: the response is the answer. */
int get_redirect(struct get_session *s);
int get_location(struct get_session *s, struct hail_url *out); /* 1: there is one, 0 */

/* login.c */
void get_login_begin(struct get_session *s);
int get_login_field(struct get_session *s, bool proxy, struct hail_buf *out); /* 1: there is one */
int get_login_answer(struct get_session *s);       /* to a 401 or 407; 1: try again */
bool get_login_waits(const struct get_session *s); /* a challenge is asked for first */
int get_netrc_load(struct get_shared *shared);

/* cookies.c */
int get_cookies_load(struct get_shared *shared);
int get_cookies_save(struct get_shared *shared);
void get_cookies_take(struct get_session *s);

/* retry.c: whether to try again after `rc`; waits before it says so. */
bool get_retry(struct get_session *s, int rc);

/* progress.c: NULL is fine everywhere. */
struct get_progress *get_progress_new(const struct get_asked *asked, size_t njobs);
void get_progress_free(struct get_progress *p);
void get_progress_begin(struct get_session *s);
void get_progress_add(struct get_session *s, uint64_t bytes);
void get_progress_total(struct get_session *s, int64_t total, uint64_t have);
void get_progress_end(struct get_session *s);
void get_progress_hide(struct get_progress *p); /* before something else is written */

/* verbose.c: -v */
void get_verbose(struct get_session *s, const char *fmt, ...) HAIL_PRINTF(2, 3);
void get_verbose_head(struct get_session *s, char mark, const char *p, size_t n);

/* What is told at the end of a job. */
void get_timing(const struct common *c, const struct get_job *job);
void get_explain(const struct common *c, const struct get_job *job);
int get_report(const struct get_job *job);
int get_har(const char *path, const struct get_ask *asks, size_t n);
int get_writeout_load(void); /* -w @FILE: its text takes the place of its name */
void get_writeout(struct get_session *s, const struct get_job *job);
int get_fail(struct get_session *s); /* says the error unless it is silent; the exit status */

#endif
