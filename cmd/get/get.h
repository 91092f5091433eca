/* get.h - one request, its response, and where the time went.
 *
 *   get.c       the command: options, one URL after another
 *   exchange.c  from the URL to the last byte: dial, TLS, request, head, content
 *   sink.c      where the content goes: file, pipe, or a terminal, made safe
 *   report.c    the exchange as one JSON document
 */
#ifndef HAIL_CMD_GET_H
#define HAIL_CMD_GET_H

#include "cmd.h"

#define GET_BUFFER      131072
#define GET_FIELDS_MAX  128 /* fields of a response's head */
#define GET_REQUEST_MAX 32768
#define GET_HEADERS_MAX 64 /* -H */
#define GET_INTERIM_MAX 16 /* 1xx responses before the final one */

struct get_options {
    bool head;    /* -I */
    bool include; /* -i */
    bool fail;    /* -f */
    const char *output;
    struct hail_tls_opts tls;
    const char *headers[GET_HEADERS_MAX]; /* "Name: value"; "Name:" takes hail's own away */
    size_t nheaders;
};

/* Where content goes. */
struct sink {
    int fd;
    const char *name; /* for messages: "standard output", or the file's */
    bool owned;       /* the file was opened here */
    bool terminal;    /* bytes are shown, not sent */
    bool discard;     /* --json without -o */
    bool started;     /* something was written; a terminal's content was looked at */
    char held[4];     /* the beginning of a character that is not complete */
    size_t nheld;
    struct hail_buf safe;
};

int sink_open(struct sink *s, const struct common *c, const char *output);
/* 0, or STATUS_LOCAL with its message printed. */
int sink_write(struct sink *s, const char *p, size_t n);
int sink_close(struct sink *s); /* also after a failure */

struct get_times {
    int64_t start, resolved, connected, secured, sent, head,
        end; /* CLOCK_MONOTONIC; 0: not reached */
};

/* One exchange, as it stands; the slices of `head` point into `buf`. */
struct exchange {
    struct common *c;
    const struct get_options *o;
    struct hail_url url;
    char peer[HAIL_ENDPOINT_MAX]; /* as asked for: "localhost:8080" */
    struct hail_stream *stream;
    struct get_times at;
    struct hail_http_head head;
    struct hail_http_field fields[GET_FIELDS_MAX];
    char *buf; /* owned, GET_BUFFER bytes */
    size_t head_len;
    uint64_t received; /* bytes of content */
    struct sink *sink;
    struct hail_json *j; /* --json: the document, which facts of the open connection go into */
};

/* Does it all; 0 or the exit status, with the error printed. */
int exchange_run(struct exchange *x);
void exchange_free(struct exchange *x);

/* Begins the document and, once there is one, tells of the connection; ends and prints it with the
 * exit status of the exchange. Nothing without x->j. */
void report_begin(struct exchange *x);
void report_connection(struct exchange *x);
int report_end(struct exchange *x, int status);

#endif
