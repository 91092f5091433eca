/* ctx.h - the call context: deadline, cancellation, trace and error.
 *
 * It is the first argument of every call of the library that can wait or fail.
 * A context belongs to one thread at a time; any number of calls may use it one
 * after another. One deadline covers a whole composite call (name, connect, TLS).
 */
#ifndef HAIL_CTX_H
#define HAIL_CTX_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HAIL_API          __attribute__((visibility("default")))
#define HAIL_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define HAIL_API
#define HAIL_PRINTF(f, a)
#endif

/* Where a failure happened, or an event of the trace. */
enum hail_layer {
    HAIL_LAYER_NONE = 0,
    HAIL_LAYER_USAGE,   /* what the caller asked for is malformed: an endpoint, a URL, an option */
    HAIL_LAYER_NAME,    /* hosts file, DNS */
    HAIL_LAYER_CONNECT, /* reaching the peer, or waiting for peers: connect, bind, listen, accept */
    HAIL_LAYER_STREAM,  /* bytes on an established connection, datagrams */
    HAIL_LAYER_TLS,
    HAIL_LAYER_PROTO, /* the protocol on top: HTTP, telnet, ... */
    HAIL_LAYER_LOCAL, /* this machine: memory, files, descriptors */
};

/* `detail` of an error, where errno cannot tell (values of other sources are positive: a DNS
 * return code, an X509_V_ERR_ code, an HTTP status). */
enum hail_detail {
    HAIL_DETAIL_NONE = 0,
    HAIL_TRUNCATED = -1,      /* the peer ended the stream in the middle of something */
    HAIL_NAME_NOT_FOUND = -2, /* the name does not exist */
    HAIL_NAME_NO_DATA = -3,   /* the name exists, but has no address of the wanted family */
    HAIL_NAME_SERVFAIL = -4,  /* no name server gave a usable answer */
};

/* What failed. `msg` is one line for people, without a final full stop: operation, endpoint and
 * cause ("connect to db:5432 (10.0.0.7): connection refused"). `advice` is empty or one more line.
 * Both hold only printable text, whatever the peer sent. */
struct hail_error {
    enum hail_layer layer;
    int errnum;     /* positive errno; 0: no error */
    int detail;     /* enum hail_detail, or the layer's own positive code */
    const char *op; /* static string: "parse", "resolve", "connect", "read", ... */
    char msg[320];
    char advice[240];
};

/* An absolute point of CLOCK_MONOTONIC; a struct, so that a bare number does not compile. */
struct hail_deadline {
    int64_t ns; /* 0: never */
};

struct hail_trace;

struct hail_ctx {
    struct hail_deadline by;  /* zero: no deadline */
    int cancel_fd;            /* when readable, calls return -ECANCELED; -1: none */
    struct hail_trace *trace; /* NULL: off */
    uint32_t span;            /* the trace's span that new spans are children of; 0: none */
    struct hail_error err;    /* the last failure */
};

#ifdef __cplusplus
#define HAIL_CTX_INIT                                                                              \
    {                                                                                              \
        {0}, -1, nullptr, 0,                                                                       \
        {                                                                                          \
        }                                                                                          \
    }
#else
#define HAIL_CTX_INIT                                                                              \
    {                                                                                              \
        .cancel_fd = -1                                                                            \
    }
#endif

/* The monotonic clock in nanoseconds (clock_gettime(2), CLOCK_MONOTONIC). */
HAIL_API int64_t hail_now(void);

/* The deadline `ms` milliseconds from now; a negative `ms` means never. */
HAIL_API struct hail_deadline hail_deadline_in(int64_t ms);

/* The earlier of two deadlines. */
HAIL_API struct hail_deadline hail_deadline_min(struct hail_deadline a, struct hail_deadline b);

/* Milliseconds until `by`, rounded up, for poll(2): 0 when it has passed, -1 for never. */
HAIL_API int hail_deadline_ms(struct hail_deadline by);

/* Waits until `fd` is ready for `events` (POLLIN, POLLOUT of poll(2)), the deadline or the
 * cancellation. Returns the ready events (positive, POLLERR and POLLHUP included), -ETIMEDOUT,
 * -ECANCELED or another -errno. Sets no error: the caller knows what was being done. */
HAIL_API int hail_wait(struct hail_ctx *ctx, int fd, int events);

/* The cause in words ("connection refused"); static or thread-local storage. */
HAIL_API const char *hail_errno_text(int errnum);

/* A layer's name in lower case ("name", "connect", ...); static. */
HAIL_API const char *hail_layer_name(enum hail_layer layer);

#ifdef __cplusplus
}
#endif
#endif
