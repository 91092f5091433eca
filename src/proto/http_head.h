/* http_head.h - from the syntax of a head (http_parse.c) to its meaning (http_head.c). */
#ifndef HAIL_PROTO_HTTP_HEAD_H
#define HAIL_PROTO_HTTP_HEAD_H

#include <hail/http.h>

/* scan.flags: what was met so far. */
enum {
    HAIL_HEAD_SKIPPED = 1, /* the empty line before a request */
    HAIL_HEAD_STARTED = 2, /* the first line was read */
    HAIL_HEAD_HOST = 4,
    HAIL_HEAD_CODING = 8,
    HAIL_HEAD_CHUNKED = 16,
    HAIL_HEAD_OTHER_CODING = 32,
    HAIL_HEAD_CLOSE = 64, /* options of Connection */
    HAIL_HEAD_KEEP_ALIVE = 128,
    HAIL_HEAD_UPGRADE = 256,
};

/* The target of h->method: fills form, path, query and, where it has one, host. */
enum hail_http_error hail_head_target(struct hail_http_head *h);

/* Takes note of a field that decides about host, framing or connection. */
enum hail_http_error hail_head_field(struct hail_http_head *h, const struct hail_http_field *f);

/* At the end of the head: is it whole, and how is the content framed? RFC 9112 section 6.3. */
enum hail_http_error hail_head_request_end(struct hail_http_head *h);
enum hail_http_error hail_head_response_end(struct hail_http_head *h, enum hail_http_method asked);

#endif
