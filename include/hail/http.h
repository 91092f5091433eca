/* http.h - HTTP/1.0 and HTTP/1.1 messages (RFC 9110, RFC 9112): reading and writing, sans-I/O.
 *
 *   bytes --> hail_http_request_parse()  --> head: method, target, fields, framing
 *             hail_http_response_parse()
 *         --> hail_http_body_read()      --> slices of content, trailers, what is left over
 *
 *   hail_http_put_request(), _status(), _field(), _end(), _chunk() --> bytes
 *
 * No sockets, no clock, no allocation: all memory is the caller's, and slices point into the buffer
 * that was parsed. Everything is bounded, and everything that two implementations might read in two
 * ways is refused: a bare LF or CR, folded lines, white space before a colon, two lengths, a length
 * beside a coding.
 */
#ifndef HAIL_HTTP_H
#define HAIL_HTTP_H

#include <hail/slice.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a message was refused. */
enum hail_http_error {
    HAIL_HTTP_OK = 0,
    /* the first line */
    HAIL_HTTP_BAD_METHOD,  /* empty, or a byte that no token has */
    HAIL_HTTP_BAD_TARGET,  /* a control byte, white space or '#', or none of the four forms */
    HAIL_HTTP_BAD_VERSION, /* not "HTTP/" DIGIT "." DIGIT */
    HAIL_HTTP_UNSUPPORTED_VERSION,
    HAIL_HTTP_BAD_STATUS, /* not three digits from 100 on */
    HAIL_HTTP_BAD_REASON, /* a control byte in the reason phrase */
    /* lines and fields */
    HAIL_HTTP_BARE_CR,
    HAIL_HTTP_BARE_LF,
    HAIL_HTTP_NUL,
    HAIL_HTTP_BAD_FIELD_NAME,     /* empty, or a byte that no token has */
    HAIL_HTTP_SPACE_BEFORE_COLON, /* between name and colon */
    HAIL_HTTP_NO_COLON,
    HAIL_HTTP_BAD_FIELD_VALUE, /* a control byte other than TAB */
    HAIL_HTTP_FOLDED_LINE,     /* a line that begins with white space */
    /* limits */
    HAIL_HTTP_TARGET_TOO_LONG, /* the request line */
    HAIL_HTTP_LINE_TOO_LONG,
    HAIL_HTTP_HEAD_TOO_LARGE,
    HAIL_HTTP_TOO_MANY_FIELDS,
    HAIL_HTTP_TRAILER_TOO_LARGE,
    /* the host */
    HAIL_HTTP_NO_HOST,
    HAIL_HTTP_TWO_HOSTS,
    HAIL_HTTP_BAD_HOST,
    /* the length of the content */
    HAIL_HTTP_BAD_LENGTH, /* not digits alone, or beyond INT64_MAX */
    HAIL_HTTP_TWO_LENGTHS,
    HAIL_HTTP_BAD_CODING,         /* a Transfer-Encoding that is no list of codings */
    HAIL_HTTP_UNSUPPORTED_CODING, /* another than chunked */
    HAIL_HTTP_CHUNKED_NOT_LAST,   /* chunked twice, or something after it */
    HAIL_HTTP_LENGTH_AND_CODING,
    HAIL_HTTP_CODING_IN_1_0,
    /* the content */
    HAIL_HTTP_BAD_CHUNK_SIZE,
    HAIL_HTTP_CHUNK_TOO_LARGE, /* beyond INT64_MAX, or all chunks together */
    HAIL_HTTP_BAD_CHUNK_EXTENSION,
    HAIL_HTTP_CHUNK_EXTENSION_TOO_LONG,
    HAIL_HTTP_BAD_CHUNK_END, /* no CRLF after a chunk's data */
    HAIL_HTTP_BAD_TRAILER,   /* a field that must not be one: RFC 9110 section 6.5.1 */
    HAIL_HTTP_TRUNCATED,     /* the stream ended in the middle of a message */
    HAIL_HTTP_NERRORS
};

/* The error in words ("white space between a field's name and the colon"), the place in the
 * standards ("RFC 9112 section 5.1"; "" where none speaks of it), and the status for a server to
 * answer with (400, 414, 431, 501, 505). Static strings. */
HAIL_API const char *hail_http_error_text(enum hail_http_error e);
HAIL_API const char *hail_http_error_rfc(enum hail_http_error e);
HAIL_API int hail_http_error_status(enum hail_http_error e);

enum hail_http_method {
    HAIL_HTTP_OTHER = 0, /* an extension's: see method_text */
    HAIL_HTTP_GET,
    HAIL_HTTP_HEAD,
    HAIL_HTTP_POST,
    HAIL_HTTP_PUT,
    HAIL_HTTP_DELETE,
    HAIL_HTTP_CONNECT,
    HAIL_HTTP_OPTIONS,
    HAIL_HTTP_TRACE,
    HAIL_HTTP_PATCH,
};

/* The four forms of a request's target, RFC 9112 section 3.2. */
enum hail_http_form {
    HAIL_HTTP_ORIGIN = 0, /* "/path?query" */
    HAIL_HTTP_ABSOLUTE,   /* "http://host/path?query", to a proxy */
    HAIL_HTTP_AUTHORITY,  /* "host:port", CONNECT alone */
    HAIL_HTTP_ASTERISK,   /* "*", OPTIONS alone */
};

/* How the content is delimited, RFC 9112 section 6.3. */
enum hail_http_framing {
    HAIL_HTTP_NO_BODY = 0,
    HAIL_HTTP_LENGTH,
    HAIL_HTTP_CHUNKED,
    HAIL_HTTP_UNTIL_CLOSE,
    HAIL_HTTP_TUNNEL, /* no HTTP follows: 2xx to CONNECT, 101 */
};

struct hail_http_field {
    struct hail_slice name, value; /* the value without white space around it */
};

/* The caller's array for fields: `max` rows at `v`, of which `n` are filled. */
struct hail_http_fields {
    struct hail_http_field *v;
    size_t n, max;
};

/* Bounds; a 0 takes the default. */
struct hail_http_limits {
    size_t line;      /* bytes of one line with its CRLF; default 16,384 */
    size_t head;      /* bytes of the whole head; default 65,536 */
    size_t extension; /* bytes of one chunk's extensions; default 1,024 */
    size_t trailer;   /* bytes of the whole trailer section; default 8,192 */
};

/* The parser's own: how far an incomplete head or trailer section was read. */
struct hail_http_scan {
    uintptr_t base; /* where the buffer was */
    size_t line;    /* offset of the line being read */
    size_t seen;    /* offset up to which that line is known not to end */
    unsigned flags; /* what fields were there */
};

/* A request's or a response's head. hail_http_head_init() prepares it for every message; after
 * -EPROTO `error` and `error_at` tell what and where; after success the rest is filled. */
struct hail_http_head {
    struct hail_http_limits limits;
    struct hail_http_fields fields;

    /* of a request */
    enum hail_http_method method;
    enum hail_http_form form;
    struct hail_slice method_text, target;
    struct hail_slice path;  /* without the query; "/" for an absolute form without one */
    struct hail_slice query; /* after the '?'; p is NULL without one */
    struct hail_slice host;  /* host and port meant: of the target where it has one, else of Host */
    bool expect_continue;    /* Expect: 100-continue in HTTP/1.1 */
    bool expect_other;       /* an expectation that is not known: 417 */

    /* of a response */
    int status; /* 100 to 999; above 599 counts as 5xx (RFC 9110 section 15) */
    struct hail_slice reason;

    /* of both */
    int minor; /* of the version 1.x */
    enum hail_http_framing framing;
    uint64_t length;           /* of the content, with HAIL_HTTP_LENGTH */
    bool has_length;           /* Content-Length is there, whatever the framing; also after HEAD */
    uint64_t stated_length;    /* its value */
    bool keep_alive;           /* the connection may carry another message: RFC 9112 section 9.3 */
    struct hail_slice upgrade; /* the Upgrade field where Connection names it; p NULL: none */

    enum hail_http_error error;
    size_t error_at; /* offset in the buffer */

    struct hail_http_scan scan;
};

/* Prepares `h`; the fields go to `v`, `max` rows of the caller's. `limits` may be NULL. */
HAIL_API void hail_http_head_init(struct hail_http_head *h, struct hail_http_field *v, size_t max,
                                  const struct hail_http_limits *limits);

/* Reads a head from the `len` bytes at `buf`, which begin with the message's first byte. Returns
 * the head's size (what follows is content), -EAGAIN if it is not complete, or -EPROTO.
 * After -EAGAIN call again with the same bytes and more behind them: no line is scanned twice over
 * unless the buffer moved. One empty line before a request is skipped (RFC 9112 section 2.2).
 * Bytes above 0x7F in a target pass, as clients send them unencoded. */
HAIL_API ssize_t hail_http_request_parse(struct hail_http_head *h, const char *buf, size_t len);

/* The same for the response to a request with method `asked`, which decides about the content. A
 * status line may lack the space after the status. A 1xx is a response of its own; another follows
 * (but for 101). */
HAIL_API ssize_t hail_http_response_parse(struct hail_http_head *h, enum hail_http_method asked,
                                          const char *buf, size_t len);

/* The first field called `name` (any case) after `after` (NULL: from the start), or NULL. */
HAIL_API const struct hail_http_field *hail_http_field(const struct hail_http_fields *fields,
                                                       const char *name,
                                                       const struct hail_http_field *after);

/* Takes the next element of a comma-separated list (RFC 9110 section 5.6.1) off the front of
 * `rest`; empty elements are skipped, commas in quoted strings do not count. False at the end. */
HAIL_API bool hail_http_list_next(struct hail_slice *rest, struct hail_slice *item);

/* Reading the content. */
enum hail_http_body_state {
    HAIL_HTTP_BODY_DATA = 0, /* content of a known length, or until close */
    HAIL_HTTP_BODY_SIZE,     /* chunked: in the size's digits, and so on */
    HAIL_HTTP_BODY_BWS,
    HAIL_HTTP_BODY_EXT,
    HAIL_HTTP_BODY_QUOTED,
    HAIL_HTTP_BODY_ESCAPE,
    HAIL_HTTP_BODY_SIZE_LF,
    HAIL_HTTP_BODY_CHUNK,
    HAIL_HTTP_BODY_CHUNK_CR,
    HAIL_HTTP_BODY_CHUNK_LF,
    HAIL_HTTP_BODY_TRAILER,
    HAIL_HTTP_BODY_DONE,
};

struct hail_http_body {
    struct hail_http_limits limits;
    struct hail_http_fields trailers; /* into the caller's buffer of the last call */
    enum hail_http_framing framing;
    uint64_t total; /* bytes of content so far */
    enum hail_http_error error;
    size_t error_at; /* offset in the buffer of the call that failed */

    /* the decoder's own */
    enum hail_http_body_state state;
    uint64_t left;   /* of the length or the chunk */
    unsigned digits; /* of the chunk's size, so far */
    size_t extension;
    struct hail_http_scan scan;
};

/* Prepares for the content that follows `head`. Trailers go to `v`, `max` rows; more are refused.
 */
HAIL_API void hail_http_body_init(struct hail_http_body *b, const struct hail_http_head *head,
                                  struct hail_http_field *v, size_t max);

/* Takes the next piece from the `len` bytes at `buf`: *data is a slice of content (maybe empty) and
 * *used how many bytes were consumed, content included. Returns
 *   0         there is more to do: go on with what is behind *used,
 *   1         the content is complete: what is behind *used belongs to the next message,
 *   -EAGAIN   more bytes are needed; what is behind *used (only ever part of the trailer section,
 *             at most limits.trailer bytes) is to be given again with more behind it,
 *   -EPROTO   see error and error_at; what is content before it has been given out.
 * A tunnel gives out everything and never ends. */
HAIL_API int hail_http_body_read(struct hail_http_body *b, const char *buf, size_t len,
                                 size_t *used, struct hail_slice *data);

/* The stream has ended: 0 if the content is complete, or -EPROTO with HAIL_HTTP_TRUNCATED. */
HAIL_API int hail_http_body_end(struct hail_http_body *b);

/* Writing: into `size` bytes at `p`, the caller's. The first failure stays in `failed` and later
 * calls add nothing, so that a run of calls is checked once, by hail_http_put_end() or the field:
 * -EMSGSIZE it does not fit, -EINVAL a token, target or value with a byte that may not be there
 * (CR, LF, NUL, ...). Nothing is written in part. */
struct hail_http_out {
    char *p;
    size_t size, len;
    int failed;
};

/* "METHOD target HTTP/1.1" and "HTTP/1.1 200 OK"; `reason` NULL: the registered one. */
HAIL_API void hail_http_put_request(struct hail_http_out *o, const char *method,
                                    struct hail_slice target, int minor);
HAIL_API void hail_http_put_status(struct hail_http_out *o, int status, const char *reason,
                                   int minor);
HAIL_API void hail_http_put_field(struct hail_http_out *o, const char *name, const char *value);
HAIL_API void hail_http_put_slices(struct hail_http_out *o, struct hail_slice name,
                                   struct hail_slice value);
HAIL_API void hail_http_put_number(struct hail_http_out *o, const char *name, uint64_t value);
/* The empty line that ends head or trailer section. Returns o->len or o->failed. */
HAIL_API ssize_t hail_http_put_end(struct hail_http_out *o);

/* A chunk: size, data, CRLF. An empty one writes nothing, as it would end the content. */
HAIL_API void hail_http_put_chunk(struct hail_http_out *o, const void *data, size_t n);
/* The size line alone, for writev(2); the data and CRLF follow. */
HAIL_API void hail_http_put_chunk_size(struct hail_http_out *o, uint64_t n);
/* "0" CRLF; then trailers by hail_http_put_field(), and hail_http_put_end(). */
HAIL_API void hail_http_put_last_chunk(struct hail_http_out *o);

/* The registered reason phrase of a status ("Not Found"), or "" (RFC 9110 section 15 and the IANA
 * registry). */
HAIL_API const char *hail_http_reason(int status);

/* The method that a token names (case-sensitive), and its name ("" for HAIL_HTTP_OTHER). */
HAIL_API enum hail_http_method hail_http_method(struct hail_slice token);
HAIL_API const char *hail_http_method_name(enum hail_http_method m);

/* HTTP-date, RFC 9110 section 5.6.7. */
#define HAIL_HTTP_DATE_MAX 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */
/* Seconds since 1970 from any of the three formats. `now` decides the century of a two-digit year:
 * more than 50 years ahead is taken as past. 0, or -EINVAL. */
HAIL_API int hail_http_date_parse(struct hail_slice text, int64_t now, int64_t *out);
/* Writes IMF-fixdate; years 0 to 9999, -EINVAL outside. 0. */
HAIL_API int hail_http_date_format(int64_t seconds, char out[HAIL_HTTP_DATE_MAX]);

#ifdef __cplusplus
}
#endif
#endif
