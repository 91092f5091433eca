/* http_line.h - one line of a head or a trailer section: what http_parse.c and http_body.c share.
 *
 * A line is read in one go from its first byte. Where the bytes end before the line does, nothing
 * is kept but the place up to which no LF was seen, and the line is read again when one is there:
 * twice at most, however small the pieces are.
 */
#ifndef HAIL_PROTO_HTTP_LINE_H
#define HAIL_PROTO_HTTP_LINE_H

#include <hail/http.h>

enum hail_http_line {
    HAIL_HTTP_LINE_FIELD,
    HAIL_HTTP_LINE_EMPTY, /* CRLF alone: the section ends */
    HAIL_HTTP_LINE_PARTIAL,
    HAIL_HTTP_LINE_BAD,
};

/* What is being read. On a line's success `p` is behind its CRLF; when bad it is at the fault. */
struct hail_http_cursor {
    const char *p, *end;
    enum hail_http_error error;
};

/* Reads one field line, or the empty one. */
enum hail_http_line hail_http_field_line(struct hail_http_cursor *c, struct hail_http_field *f);

/* At `c->p`, where a value or a reason ends: expects CRLF, else says what stands there instead
 * (`other` for a byte of no special kind). Returns FIELD, PARTIAL or BAD. */
enum hail_http_line hail_http_line_end(struct hail_http_cursor *c, enum hail_http_error other);

/* Notes the error and its place. Returns BAD. */
enum hail_http_line hail_http_line_bad(struct hail_http_cursor *c, const char *at,
                                       enum hail_http_error error);

/* At the start of a call with `len` bytes at `buf`: can the line at scan->line be complete now, or
 * have reached `limit`? If not, the call has nothing to do but to return -EAGAIN. */
bool hail_http_line_ready(struct hail_http_scan *scan, const char *buf, size_t len, size_t limit);

/* Does the buffer differ from that of the call before, so that reading has to begin anew? */
bool hail_http_scan_moved(const struct hail_http_scan *scan, const char *buf, size_t len);

/* The limits with the defaults for what is 0. */
struct hail_http_limits hail_http_limits_of(const struct hail_http_limits *given);

#endif
