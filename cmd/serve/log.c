/* log.c - one line, or one JSON document, for each request.
 *
 *   2026-11-23T09:00:00Z 127.0.0.1:40312 "GET /index.html" 200 612
 *
 * Lines are gathered and written some milliseconds later by one write(2). They are made safe to
 * show wherever they go, so that no request forges a line. When they cannot be written any more,
 * the server goes on without them.
 */
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void stamp(char out[32])
{
    struct tm tm;
    time_t now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static size_t json_line(struct serve_conn *k, int status, const char *peer, char *out)
{
    const struct hail_http_head *h = &k->b->head;
    struct hail_buf b;
    struct hail_json j = {.out = &b};
    char when[32];
    stamp(when);
    hail_buf_init(&b, SERVE_LOG_LINE - 1);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.serve/1");
    hail_json_str(&j, "kind", "request");
    hail_json_str(&j, "time", when);
    hail_json_str(&j, "peer", peer);
    hail_json_strn(&j, "method", h->method_text.p, h->method_text.n);
    hail_json_strn(&j, "target", h->target.p, h->target.n < 256 ? h->target.n : 256);
    hail_json_int(&j, "status", status);
    size_t n = b.failed ? 0 : b.len;
    if (n)
        memcpy(out, b.p, n);
    hail_buf_free(&b);
    return n;
}

size_t serve_log_line(struct serve_conn *k, int status, char out[SERVE_LOG_LINE])
{
    if (k->worker->serve->o->quiet)
        return 0;
    const struct hail_http_head *h = &k->b->head;
    struct hail_endpoint ep = hail_peer(k->stream);
    char peer[HAIL_ENDPOINT_MAX], when[32], method[64], target[1024];
    hail_endpoint_format(&ep, peer, sizeof peer);
    if (k->worker->serve->c->json)
        return json_line(k, status, peer, out);
    stamp(when);
    hail_text_safe_into(method, sizeof method, h->method_text.p ? h->method_text.p : "-",
                        h->method_text.p ? h->method_text.n : 1);
    hail_text_safe_into(target, sizeof target, h->target.p ? h->target.p : "-",
                        h->target.p ? h->target.n : 1);
    int n = snprintf(out, SERVE_LOG_LINE, "%s %s \"%s %s\" %d", when, peer, method, target, status);
    return n < 0 ? 0 : (size_t)n < SERVE_LOG_LINE ? (size_t)n : SERVE_LOG_LINE - 1;
}

static void when_due(struct hail_loop *loop, struct hail_timer *t)
{
    (void)loop;
    serve_log_flush((struct serve_worker *)((char *)t - offsetof(struct serve_worker, log_timer)));
}

static void add(struct serve_worker *w)
{
    w->log.failed = 0; /* a line that does not fit is left out */
    if (w->log.len > SERVE_LOG / 2)
        serve_log_flush(w);
    else if (!w->log_timer.place) {
        w->log_timer.fire = when_due;
        if (hail_timer_set(w->loop, &w->log_timer,
                           hail_loop_now(w->loop) + SERVE_LOG_MS * 1000000LL) < 0)
            serve_log_flush(w);
    }
}

void serve_log_add(struct serve_worker *w, const char *line, size_t n, uint64_t sent, bool whole)
{
    if (n == 0)
        return;
    hail_buf_add(&w->log, line, n);
    if (w->serve->c->json)
        hail_buf_printf(&w->log, ",\"bytes\":%" PRIu64 ",\"complete\":%s}\n", sent,
                        whole ? "true" : "false");
    else
        hail_buf_printf(&w->log, " %" PRIu64 "%s\n", sent, whole ? "" : " (cut short)");
    add(w);
}

/* What went wrong goes to standard error, whatever the form of the log. */
void serve_log_error(struct serve_worker *w)
{
    if (!w->serve->o->quiet)
        fprintf(stderr, "hail: %s\n", w->ctx.err.msg);
}

void serve_log_flush(struct serve_worker *w)
{
    int fd = w->serve->c->json ? STDOUT_FILENO : STDERR_FILENO;
    size_t at = 0;
    while (at < w->log.len) {
        ssize_t n = write(fd, w->log.p + at, w->log.len - at);
        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    hail_buf_clear(&w->log);
    w->log.failed = 0;
}
