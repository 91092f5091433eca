/* log.c - the access log: a line, or a JSON document, for each request.
 *
 *   line       2026-11-23T09:00:00Z 127.0.0.1:40312 "GET /index.html" 200 612
 *   live       09:00:00  200  GET /index.html  612 B  0.2 ms  127.0.0.1
 *   common     127.0.0.1 - - [23/Nov/2026:10:00:00 +0100] "GET /index.html HTTP/1.1" 200 612
 *   combined   ... "referer" "user agent"
 *   json       {"schema":"hail.serve/1","kind":"request", ...}
 *
 * A line is made when the head of the response is (the request is gone when its last byte is sent),
 * and completed then. Lines are gathered and written some milliseconds later by one write(2), each
 * whole. They are made safe to show wherever they go, so that no request forges one. When they
 * cannot be written any more, the server goes on without them. A log in a file is opened by each
 * worker for itself, and anew after SIGHUP.
 */
#include "serve.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONGEST 600 /* bytes of a target or a field that are told */

#define OF_LOG_TIMER(t)                                                                            \
    ((struct serve_worker *)((char *)(t)-offsetof(struct serve_worker, log_timer)))

/* --- one request --- */

static const struct hail_slice nothing = {"-", 1};

static struct hail_slice or_dash(struct hail_slice s)
{
    return s.p && s.n ? s : nothing;
}

static struct hail_slice field(const struct hail_http_head *h, const char *name)
{
    const struct hail_http_field *f = hail_http_field(&h->fields, name, NULL);
    return f ? or_dash(f->value) : nothing;
}

/* Quotes, backslashes and what is not printable ASCII as \xNN, as the readers of these logs expect
 * it; cut at 1,000 bytes. */
static void put_quoted(struct hail_buf *b, struct hail_slice s)
{
    for (size_t i = 0; i < s.n && i < LONGEST; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            hail_buf_printf(b, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            hail_buf_printf(b, "\\x%02x", c);
        else
            hail_buf_char(b, (char)c);
    }
}

static void put_safe_slice(struct hail_buf *b, struct hail_slice s)
{
    hail_text_safe(b, s.p, s.n < LONGEST ? s.n : LONGEST, false);
}

#define STAMP 32

static void utc(char out[STAMP])
{
    struct tm tm;
    time_t now = time(NULL);
    gmtime_r(&now, &tm);
    out[strftime(out, STAMP, "%Y-%m-%dT%H:%M:%SZ", &tm)] = '\0';
}

/* As people and the common log format want it; in local time. */
static void local_time(char clock[STAMP], char common[STAMP])
{
    struct tm tm;
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    clock[strftime(clock, STAMP, "%H:%M:%S", &tm)] = '\0';
    common[strftime(common, STAMP, "%d/%b/%Y:%H:%M:%S %z", &tm)] = '\0';
}

static void put_document(struct hail_buf *b, const struct hail_http_head *h, int status,
                         const char *peer)
{
    struct hail_json j = {.out = b};
    struct hail_slice from = field(h, "Referer"), agent = field(h, "User-Agent");
    char when[STAMP];
    utc(when);
    hail_json_object(&j, NULL);
    hail_json_str(&j, "schema", "hail.serve/1");
    hail_json_str(&j, "kind", "request");
    hail_json_str(&j, "time", when);
    hail_json_str(&j, "peer", peer);
    hail_json_strn(&j, "method", h->method_text.p, h->method_text.n);
    hail_json_strn(&j, "target", h->target.p, h->target.n < LONGEST ? h->target.n : LONGEST);
    if (from.p != nothing.p)
        hail_json_strn(&j, "referer", from.p, from.n < LONGEST ? from.n : LONGEST);
    if (agent.p != nothing.p)
        hail_json_strn(&j, "user_agent", agent.p, agent.n < LONGEST ? agent.n : LONGEST);
    hail_json_int(&j, "status", status);
}

static void put_live(struct hail_buf *b, const struct serve *s, const struct hail_http_head *h,
                     int status)
{
    static const char *const colours[] = {"", "", "\033[32m", "\033[36m", "\033[33m", "\033[31m"};
    const char *on = s->colour ? colours[status / 100 % 6] : "", *off = *on ? "\033[0m" : "";
    const char *dim = s->colour ? "\033[2m" : "";
    char clock[STAMP], common[STAMP];
    local_time(clock, common);
    hail_buf_printf(b, "%s%s%s  %s%d%s  ", dim, clock, off, on, status, off);
    put_safe_slice(b, or_dash(h->method_text));
    hail_buf_char(b, ' ');
    put_safe_slice(b, or_dash(h->target));
}

static void put_request(struct hail_buf *b, const struct serve *s, const struct hail_http_head *h,
                        int status, const struct hail_endpoint *peer)
{
    char text[HAIL_ENDPOINT_MAX], when[STAMP], clock[STAMP];
    hail_endpoint_format(peer, text, sizeof text);
    switch (s->log) {
    case SERVE_LOG_JSON:
        put_document(b, h, status, text);
        return;
    case SERVE_LOG_LIVE:
        put_live(b, s, h, status);
        return;
    case SERVE_LOG_COMMON:
    case SERVE_LOG_COMBINED:
        put_quoted(b, or_dash((struct hail_slice){peer->host, strlen(peer->host)}));
        local_time(clock, when);
        hail_buf_printf(b, " - - [%s] \"", when);
        put_quoted(b, or_dash(h->method_text));
        hail_buf_char(b, ' ');
        put_quoted(b, or_dash(h->target));
        hail_buf_printf(b, " HTTP/1.%d\" %d ", h->minor, status);
        return;
    default:
        utc(when);
        hail_buf_printf(b, "%s %s \"", when, text);
        put_safe_slice(b, or_dash(h->method_text));
        hail_buf_char(b, ' ');
        put_safe_slice(b, or_dash(h->target));
        hail_buf_printf(b, "\" %d ", status);
    }
}

/* What comes behind the number of bytes and is known before it. */
static void put_tail(struct hail_buf *b, const struct serve *s, const struct hail_http_head *h,
                     const struct hail_endpoint *peer)
{
    if (s->log == SERVE_LOG_COMBINED) {
        hail_buf_str(b, " \"");
        put_quoted(b, field(h, "Referer"));
        hail_buf_str(b, "\" \"");
        put_quoted(b, field(h, "User-Agent"));
        hail_buf_char(b, '"');
    } else if (s->log == SERVE_LOG_LIVE) {
        hail_buf_printf(b, "  %s", peer->host);
    }
}

void serve_note_begin(struct serve_conn *k, int status)
{
    const struct serve *s = k->worker->serve;
    const struct hail_http_head *h = &k->b->head;
    struct serve_note *note = &k->b->note;
    struct hail_buf b = {.p = note->text, .cap = sizeof note->text, .max = sizeof note->text - 1};
    note->status = status;
    note->n = note->before = 0;
    if (s->log == SERVE_LOG_OFF || k->metrics)
        return;
    struct hail_endpoint peer = hail_peer(k->stream);
    put_request(&b, s, h, status, &peer);
    note->before = b.len;
    put_tail(&b, s, h, &peer);
    note->n = b.len; /* it fits: SERVE_NOTE is for three fields of LONGEST, escaped */
}

/* --- where they go --- */

static int open_file(struct serve_worker *w, struct hail_ctx *ctx)
{
    const char *path = w->serve->o->log_file;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "open", "open %s: %s", path,
                         hail_errno_text(errno));
    if (w->log_fd > STDERR_FILENO)
        close(w->log_fd);
    w->log_fd = fd;
    return 0;
}

/* After a SIGHUP; without success the old file goes on. */
static void open_anew(struct serve_worker *w)
{
    unsigned now = atomic_load(&w->serve->reopen);
    if (now == w->log_opened)
        return;
    w->log_opened = now;
    if (open_file(w, &w->ctx) < 0)
        serve_log_error(w);
}

static void flush(struct serve_worker *w)
{
    size_t at = 0;
    open_anew(w);
    while (at < w->log.len) {
        ssize_t n = write(w->log_fd, w->log.p + at, w->log.len - at);
        if (n < 0 && errno != EINTR)
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    hail_buf_clear(&w->log);
}

static void when_due(struct hail_loop *loop, struct hail_timer *t)
{
    (void)loop;
    flush(OF_LOG_TIMER(t));
}

static void on_hangup(struct hail_loop *loop, int sig, void *arg)
{
    struct serve_worker *w = arg;
    (void)loop, (void)sig;
    flush(w);
    atomic_fetch_add(&w->serve->reopen, 1);
    open_anew(w); /* the other workers follow with their next line */
}

int serve_log_begin(struct serve_worker *w, struct hail_ctx *ctx)
{
    const struct serve *s = w->serve;
    hail_buf_init(&w->log, SERVE_LOG_SIZE);
    w->log_timer.fire = when_due;
    w->log_fd = s->c->json ? STDOUT_FILENO : STDERR_FILENO;
    if (!s->o->log_file)
        return 0;
    int rc = open_file(w, ctx);
    if (rc == 0 && w->number == 0)
        rc = hail_loop_signal(w->loop, SIGHUP, on_hangup, w);
    return rc;
}

void serve_log_end(struct serve_worker *w)
{
    flush(w);
    hail_timer_clear(w->loop, &w->log_timer);
    hail_buf_free(&w->log);
    if (w->log_fd > STDERR_FILENO)
        close(w->log_fd);
}

/* --- the end of a request --- */

static void put_end(struct hail_buf *b, const struct serve *s, uint64_t sent, bool whole,
                    int64_t took)
{
    switch (s->log) {
    case SERVE_LOG_JSON:
        hail_buf_printf(b,
                        ",\"bytes\":%" PRIu64 ",\"complete\":%s,\"seconds\":%" PRId64 ".%09" PRId64,
                        sent, whole ? "true" : "false", took / 1000000000, took % 1000000000);
        return;
    case SERVE_LOG_LIVE:
        hail_buf_str(b, "  ");
        put_size(b, sent);
        hail_buf_printf(b, "  %.1f ms%s", (double)took / 1e6, whole ? "" : " (cut short)");
        return;
    case SERVE_LOG_LINE:
        hail_buf_printf(b, "%" PRIu64 "%s", sent, whole ? "" : " (cut short)");
        return;
    default: /* CLF writes "-" for nothing */
        if (sent)
            hail_buf_printf(b, "%" PRIu64, sent);
        else
            hail_buf_char(b, '-');
    }
}

static void add_line(struct serve_worker *w, const struct serve_note *note, uint64_t sent,
                     bool whole, int64_t took)
{
    struct hail_buf *b = &w->log;
    if (SERVE_LOG_SIZE - b->len < SERVE_NOTE + 128)
        flush(w);
    hail_buf_add(b, note->text, note->before);
    put_end(b, w->serve, sent, whole, took);
    hail_buf_add(b, note->text + note->before, note->n - note->before);
    hail_buf_str(b, w->serve->log == SERVE_LOG_JSON ? "}\n" : "\n");
    if (!w->log_timer.place &&
        hail_timer_set(w->loop, &w->log_timer, hail_loop_now(w->loop) + SERVE_LOG_MS * 1000000LL) <
            0)
        flush(w);
}

void serve_note_end(struct serve_conn *k, uint64_t sent, bool whole)
{
    struct serve_worker *w = k->worker;
    struct serve_note *note = &k->b->note;
    struct serve_counts *c = &w->counts;
    int status = note->status;
    note->status = 0;
    if (k->metrics || !w->serve->timed)
        return;
    int64_t took = hail_now() - note->began_ns;
    serve_count_add(&c->requests[status], 1);
    serve_count_add(&c->durations[serve_duration(took)], 1);
    serve_count_add(&c->nanoseconds, took);
    serve_count_add(&c->bytes, (int64_t)sent);
    if (!whole)
        serve_count_add(&c->cut_short, 1);
    if (note->n)
        add_line(w, note, sent, whole, took);
}

/* What went wrong goes to standard error, whatever the form of the log. */
void serve_log_error(struct serve_worker *w)
{
    if (w->serve->log != SERVE_LOG_OFF)
        fprintf(stderr, "hail: %s\n", w->ctx.err.msg);
}
