/* trace.h - the typed event stream of a conversation, and where it goes.
 *
 * Every call that is given a context with a trace reports what it does as spans: a span starts,
 * may carry bytes in and out and notes, and is done once, with its error. Without a trace the cost
 * is one test of a pointer. Several threads may tell one trace, each with a context of its own: the
 * sink is called with one event after another.
 */
#ifndef HAIL_TRACE_H
#define HAIL_TRACE_H

#include <hail/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hail_event_kind {
    HAIL_EVENT_START, /* the span begins; `text` says of what ("www.example.org") */
    HAIL_EVENT_NOTE,  /* something worth saying within the span; `text` */
    HAIL_EVENT_IN,    /* bytes from the peer; `data`, `len` */
    HAIL_EVENT_OUT,   /* bytes to the peer; `data` (NULL: sent from a file), `len` */
    HAIL_EVENT_DONE,  /* the span is over; `errnum`, `text` the outcome or the error in words */
};

/* How a stream was ended, as far as this side knows: bits. */
enum hail_event_end {
    HAIL_END_SENT = 1,     /* this side's orderly end (FIN) */
    HAIL_END_RECEIVED = 2, /* the peer's */
    HAIL_RESET_SENT = 4,
    HAIL_RESET_RECEIVED = 8,
};

/* One event. Pointers are valid during the call of the sink only; unset ones are NULL. */
struct hail_event {
    int64_t at_ns;   /* CLOCK_MONOTONIC */
    uint32_t span;   /* counted from 1 within the trace */
    uint32_t parent; /* 0: none */
    enum hail_event_kind kind;
    enum hail_layer layer;
    const char *op; /* "resolve", "dial", "attempt", "tls", "stream", "request", ... static */
    const char *text;
    const struct hail_endpoint *local, *peer;
    const void *data;
    size_t len;
    int errnum;   /* 0, or a positive errno */
    unsigned end; /* bits of enum hail_event_end: what a note or the end of a stream tells of it */
};

/* A sink; embed it at the head of one of your own. `event` may not fail and may not call back into
 * the context. `close` flushes and frees, and may be NULL. */
struct hail_trace {
    void (*event)(struct hail_trace *self, const struct hail_event *event);
    int (*close)(struct hail_trace *self);
    uint32_t spans; /* the last span's number */
};

/* The text sink: a waterfall for people on the descriptor `fd`, which stays the caller's. `colour`
 * and `columns` (0: 80) say what the terminal takes. Bytes from the network are made visible. */
HAIL_API int hail_trace_text(struct hail_ctx *ctx, int fd, bool colour, int columns,
                             struct hail_trace **out);

/* The JSON lines sink: one object an event, UTC time stamps and offsets in seconds, bytes as text
 * where they are UTF-8 and as base64 otherwise. `fd` stays the caller's. */
HAIL_API int hail_trace_jsonl(struct hail_ctx *ctx, int fd, struct hail_trace **out);

/* The capture file: pcapng for Wireshark and tshark, with the packets of plain conversations made
 * up from the events, and what was said inside of TLS as messages. `fd` stays the caller's; each
 * block is one write. */
HAIL_API int hail_trace_pcapng(struct hail_ctx *ctx, int fd, struct hail_trace **out);

/* The page: one HTML file with the sequence between this side and each peer, what was said, and the
 * waterfall. It is written when the trace is closed, from bounded memory. `fd` stays the caller's.
 */
HAIL_API int hail_trace_html(struct hail_ctx *ctx, int fd, struct hail_trace **out);

/* The sink by a file's ending: ".jsonl", ".pcapng", ".html", and ".txt" or ".log" for plain text;
 * the file is created or cut. -EINVAL for another ending. Closing the trace closes the file. */
HAIL_API int hail_trace_file(struct hail_ctx *ctx, const char *path, struct hail_trace **out);

/* Ends the trace. A stream reports to the trace it was made with until it is closed: close streams
 * first. Returns 0, or the -errno of the first write that failed. Accepts NULL. */
HAIL_API int hail_trace_close(struct hail_trace *trace);

/* For programs that add to the trace: begins a span below ctx->span and makes it ctx->span; the
 * end restores the parent. `text` and the endpoints may be NULL. Both are free without a trace.
 * hail_trace_begin() returns the span for hail_trace_end(), 0 without a trace. */
HAIL_API uint32_t hail_trace_begin(struct hail_ctx *ctx, enum hail_layer layer, const char *op,
                                   const struct hail_endpoint *peer, const char *text);
HAIL_API void hail_trace_note(struct hail_ctx *ctx, enum hail_layer layer, const char *op,
                              const char *fmt, ...) HAIL_PRINTF(4, 5);
HAIL_API void hail_trace_end(struct hail_ctx *ctx, uint32_t span, uint32_t parent,
                             enum hail_layer layer, const char *op, int rc, const char *text);

#ifdef __cplusplus
}
#endif
#endif
