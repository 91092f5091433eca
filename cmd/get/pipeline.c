/* pipeline.c - requests sent before their turn: RFC 9112 section 9.3.2.
 *
 *      ask 1         ask 2 3 4 5 ...
 *            answer 1                answer 2  answer 3 ...
 *
 * Of many URLs of one server only the first costs a round trip. It is done with GET alone, which
 * may be made again if the connection ends first; after a response that kept the connection; and
 * where nobody looks at the single exchange. When its turn comes, a job writes its request as ever:
 * if it is the one that went out, it is not sent again, and if it is not, the connection is given
 * up.
 */
#include "get.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LARGE ((uint64_t)1 << 20) /* bytes of content that others do not wait for */

static bool allowed(const struct get_session *s)
{
    const struct get_asked *a = s->asked;
    return !s->lonely && !a->verbose && !a->har && !a->timing && !a->explain && !a->dump &&
           !a->writeout && !s->c.json && !s->c.ctx.trace && !a->cookies.n && !a->jar &&
           !a->uploads.n && !a->body.n && !a->user && !a->netrc && !a->netrc_file &&
           a->retry <= 0 && a->resume == GET_RESUME_NO && a->rate <= 0 && s->head.minor == 1 &&
           s->head.status < (a->follow ? 300 : 400) && strcmp(s->job->method, "GET") == 0;
}

static size_t count(const struct hail_buf *ahead)
{
    size_t n = 0;
    const char *p = ahead->p, *end = p ? p + ahead->len : NULL;
    while (p && (p = memmem(p, (size_t)(end - p), "\r\n\r\n", 4))) {
        p += 4;
        n++;
    }
    return n;
}

/* The request behind the others, if it goes the same way. */
static bool add(struct get_session *s, const struct get_ask *next, struct hail_buf *out)
{
    struct get_route route = s->route;
    struct get_job *j = s->probe;
    bool fits = false;
    *j = (struct get_job){.text = next->text, .output = next->output, .resume.total = -1};
    s->job = j;
    if (get_job_prepare(s, j) == 0 && !j->url.user.there && strcmp(j->method, "GET") == 0 &&
        get_route(s, &j->url, &s->route) == 0 && strcmp(s->route.key, route.key) == 0 &&
        get_request(s) == 0)
        fits = hail_buf_add(out, s->request.p, s->request.len) == 0;
    s->route = route;
    return fits;
}

void get_pipeline_fill(struct get_session *s)
{
    struct get_conn *conn = s->conn;
    struct get_job *job = s->job;
    struct hail_error err = s->c.ctx.err;
    size_t had = conn->ahead.len, i;
    if (!allowed(s) || job->nhops != 1 || s->nclaimed > GET_AHEAD / 2 ||
        count(&conn->ahead) != s->nclaimed)
        return;
    if (!s->probe)
        s->probe = calloc(1, sizeof *s->probe);
    while (s->probe && get_queue_claim(s, &i) && add(s, &s->shared->asks[i], &conn->ahead))
        continue;
    s->job = job;
    if (conn->ahead.len > had) {
        get_allow(s, GET_SILENCE_S);
        if (hail_write(&s->c.ctx, conn->stream, conn->ahead.p + had, conn->ahead.len - had, NULL) <
            0)
            s->lonely = true; /* the next job finds out what became of the connection */
    }
    s->c.ctx.err = err;
}

/* The connection ends with this response: the others' would stand behind it. */
void get_pipeline_yield(struct get_session *s)
{
    if (!s->asked->parallel || s->nclaimed == 0 ||
        (s->head.framing == HAIL_HTTP_LENGTH && s->head.length <= LARGE))
        return;
    get_queue_return(s);
    s->closing = true;
}

int get_pipeline_take(struct get_session *s)
{
    struct get_conn *conn = s->conn;
    struct hail_buf *ahead = &conn->ahead;
    conn->piped = ahead->len > 0;
    if (!conn->piped)
        return 0;
    if (ahead->len < s->request.len || memcmp(ahead->p, s->request.p, s->request.len) != 0)
        return -EPIPE; /* as if the connection had gone: once more on another */
    hail_buf_consume(ahead, s->request.len);
    memcpy(s->buf, conn->rest.p ? conn->rest.p : "", conn->rest.len);
    s->len = conn->rest.len;
    hail_buf_clear(&conn->rest);
    if (s->len == 0) /* or the server's last small segment waits 40 ms for an ACK: Nagle */
        (void)setsockopt(hail_stream_fd(conn->stream), IPPROTO_TCP, TCP_QUICKACK, &(int){1},
                         sizeof(int));
    s->hop->sent_ns = hail_now();
    return 1;
}
