/* answer.h - what a server of files answers, without the files and without the network.
 *
 *      head --hail_answer_path()--> path below the root, or a status to refuse with
 *      status, size, date, ...  --hail_answer_head()--> bytes of the response's head
 */
#ifndef HAIL_PROTO_ANSWER_H
#define HAIL_PROTO_ANSWER_H

#include <hail/http.h>

/* What is allowed for a file: RFC 9110 section 10.2.1. */
#define HAIL_ANSWER_ALLOW "GET, HEAD, OPTIONS"

/* Decides whether the request is one for a file. Returns the length of the path relative to the
 * root, NUL-ended in `out` ("" is the root, a final '/' means a folder), or the negative status to
 * answer with: -501 for a method that is not known, -405 for one that files do not have (RFC 9110
 * section 15.5.6), -204 for OPTIONS, -417, -400, -414. */
ssize_t hail_answer_path(const struct hail_http_head *head, char *out, size_t size);

/* A response to be. What is NULL or false is not said. */
struct hail_answer {
    int status;
    int minor; /* of the request's version */
    bool keep_alive;
    const char *date; /* now, as HTTP-date */
    const char *type;
    uint64_t length;  /* of the content; with status 204 and 304 not said */
    bool endless;     /* the content ends with the connection */
    int64_t modified; /* seconds since 1970; negative: not said */
    const char *etag;
    const char *cache_control;
    const char *coding; /* Content-Encoding */
    const char *vary;
    bool ranges;               /* Accept-Ranges: bytes */
    const char *content_range; /* of 206 and 416 */
    const char *location;
    const char *policy; /* Content-Security-Policy */
    const char *more;   /* further field lines, each with its CRLF */
};

/* Writes the head. The length, or a negative errno of hail_http_put_end(). 405 and the answer to
 * OPTIONS (204) say what is allowed. */
ssize_t hail_answer_head(struct hail_http_out *o, const struct hail_answer *a);

/* Where a folder that was asked for without a final slash is: an absolute path with it, and the
 * query as it came. `path` is of hail_answer_path(). The length, or -ENAMETOOLONG. */
ssize_t hail_answer_slash(const char *path, struct hail_slice query, char *out, size_t size);

/* Whether the last part of a path carries a hash of the content, as build tools name their files:
 * "app.3f2a9c1b.js", "index-DiwrgT4a.css". What has such a name never changes: RFC 8246. */
bool hail_answer_is_hashed(const char *path);

#endif
