/* get.h - `hail get`: what its files share.
 *
 *   get.c        the command: options, one URL after another
 *   request.c    the request's head
 *   exchange.c   reach the server, ask, read head and body
 *   sink.c       where the body goes: a pipe or file (exact), a terminal (safe), nowhere
 *   report.c     the exchange as a JSON document
 */
#ifndef HAIL_CMD_GET_H
#define HAIL_CMD_GET_H

#include "cmd.h"

#define GET_BUFFER     ((size_t)192 * 1024) /* bytes: a whole head, and what is read of a body */
#define GET_FIELDS     128                  /* of a response */
#define GET_TRAILERS   32
#define GET_OWN_FIELDS 64 /* -H */
#define GET_INTERIM    16 /* 1xx responses before the answer */
#define GET_REACH_S    30 /* name, connection and TLS, where --timeout does not say less */
#define GET_SILENCE_S  60 /* the whole head, and between two pieces of the body */

/* What the options ask for. */
struct get_asked {
    bool head;      /* -I */
    bool show_head; /* -i, -I */
    bool fail;      /* -f */
    bool insecure;  /* -k */
    const char *cacert;
    const char *output;
    const char *fields[GET_OWN_FIELDS]; /* -H: "Name: value", "Name:" to leave it out */
    size_t nfields;
};

/* Where bytes go. */
struct get_sink {
    int fd; /* -1: nowhere */
    bool terminal;
    bool started;     /* something was written */
    const char *name; /* for messages: "standard output", a file's name */
    char tail[4];     /* terminal: the beginning of a character that is not complete */
    size_t ntail;
};

/* One request and its response. Instants are CLOCK_MONOTONIC; 0: it did not come to that. */
struct exchange {
    struct common *c;
    const struct get_asked *asked;
    struct hail_deadline by; /* the user's, 0: none */
    const char *text;        /* the URL as it was written */
    struct hail_url url;
    struct hail_endpoint to, local, peer;
    struct hail_attempt attempts[HAIL_ATTEMPTS_MAX];
    size_t nattempts;
    struct hail_stream *stream;
    int64_t start_ns, connected_ns, tls_ns, sent_ns, first_ns, head_ns, end_ns;
    size_t head_size; /* the head is buf[0..head_size); 0: none came */
    size_t len;       /* bytes in buf */
    struct hail_http_head head;
    struct hail_http_body body;
    bool complete;
    struct get_sink sink;
    struct hail_http_field rows[GET_FIELDS], trailers[GET_TRAILERS];
    char buf[GET_BUFFER];
};

/* request.c: writes the head for x->url into `p`. The length, or -errno with the error recorded. */
ssize_t get_request(struct exchange *x, char *p, size_t size);

/* exchange.c: 0, or -errno with the error recorded; x->stream, if any, is left to be closed. With
 * --fail and a status of 400 or more the content is left alone and 0 returned. */
int get_exchange(struct exchange *x);
bool get_refused(const struct exchange *x); /* --fail, and the status says so */

/* sink.c: 0, or -errno with the error recorded. */
int get_sink_open(struct common *c, const struct get_asked *asked, struct get_sink *s);
int get_sink_write(struct common *c, struct get_sink *s, const char *p, size_t n);
int get_sink_close(struct common *c, struct get_sink *s);

/* report.c: prints the document; `failed` says whether the context's error belongs to it. 0, or
 * STATUS_LOCAL. */
int get_report(const struct exchange *x, bool failed, int status);

#endif
