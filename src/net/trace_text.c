/* trace_text.c - the trace for people: what happened line by line, then the waterfall.
 *
 *     0.000 ms  resolve localhost
 *     0.091 ms  | found in /etc/hosts
 *     0.097 ms  resolve: done                                         0.097 ms
 *     0.101 ms  dial localhost:8080
 *     0.120 ms    attempt [::1]:8080
 *     ...
 *     0.300 ms  > 27 bytes
 *               > GET / HTTP/1.0\r\n
 *
 * A live span's line is indented by its depth. The waterfall, at the end, draws each span as a bar
 * between the first and the last event. Of more than SPANS_MAX spans some that are over are not
 * drawn.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "net/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 64
#define LABEL_MAX 96 /* bytes of a bar's label */
#define LINES_MAX 14 /* lines of text shown of bytes that go one way */
#define TIME_COLS 12 /* "12345.678 ms" begins every line */

struct bar {
    uint32_t span;
    int depth;
    int64_t start_ns, end_ns; /* end 0: still open */
    int errnum;
    char label[LABEL_MAX];
};

struct text_sink {
    struct hail_trace trace; /* first: the sink's handle */
    int fd;
    bool colour;
    int columns;
    int failed; /* 0, or the -errno of the first write that failed */
    int64_t start_ns, last_ns;
    struct bar bars[SPANS_MAX];
    size_t nbars;
    uint32_t talk_span; /* whose bytes were shown last, in which direction, and how many lines */
    enum hail_event_kind talk_kind;
    int talk_lines;
    struct hail_buf out;
};

static const char *sgr(const struct text_sink *t, const char *escape)
{
    return t->colour ? escape : "";
}

#define RED  "\033[31m"
#define GREY "\033[2m"
#define BLUE "\033[34m"
#define GOLD "\033[33m"
#define BOLD "\033[1m"
#define OFF  "\033[0m"

static struct bar *find_bar(struct text_sink *t, uint32_t span)
{
    for (size_t i = t->nbars; span && i-- > 0;)
        if (t->bars[i].span == span)
            return &t->bars[i];
    return NULL;
}

/* Columns; deeper spans than this are not moved further, so that room is left for what they say. */
static int indent(int depth)
{
    return 2 * (depth < 6 ? depth : 6);
}

/* Digits behind the point of milliseconds: what keeps them within nine characters for 11 days. */
static int digits(int64_t ns)
{
    return ns < 99999999500 ? 3 : ns < 9999999950000 ? 1 : 0;
}

/* The time, or blanks of the same width, and the indentation. */
static void begin_line(struct text_sink *t, const struct hail_event *e, int depth)
{
    if (e)
        hail_buf_printf(&t->out, "%s%9.*f ms%s  ", sgr(t, GREY), digits(e->at_ns - t->start_ns),
                        (double)(e->at_ns - t->start_ns) / 1e6, sgr(t, OFF));
    else
        hail_buf_printf(&t->out, "%*s", TIME_COLS + 2, "");
    hail_buf_printf(&t->out, "%*s", indent(depth), "");
}

/* Bytes at the front of safe text that take at most `columns`; *used is what they take. */
static size_t fit(const char *s, size_t n, int columns, int *used)
{
    size_t at = 0;
    *used = 0;
    while (at < n) {
        uint32_t cp;
        size_t len = hail_utf8_next(s + at, n - at, &cp);
        int width = len ? hail_utf8_width(cp) : 1;
        if (*used + width > columns)
            break;
        *used += width;
        at += len ? len : 1;
    }
    return at;
}

/* Appends at most `columns` of text that is safe already; returns the columns it took. */
static int put_fit(struct text_sink *t, const char *safe, size_t n, int columns)
{
    int used;
    hail_buf_add(&t->out, safe, fit(safe, n, columns < 8 ? 8 : columns, &used));
    return used;
}

/* The same, made safe first. */
static int put_text(struct text_sink *t, const char *s, size_t n, int columns)
{
    char safe[2048];
    return put_fit(t, safe, hail_text_safe_into(safe, sizeof safe, s, n), columns);
}

static int room(const struct text_sink *t, int depth)
{
    return t->columns - (TIME_COLS + 2) - indent(depth);
}

/* Makes room among the later spans: the first that is over goes, so that the live ones keep their
 * place in the nesting and the beginning of the story stays. */
static void forget_one(struct text_sink *t)
{
    for (size_t i = SPANS_MAX / 2; i < t->nbars; i++) {
        if (!t->bars[i].end_ns)
            continue;
        t->nbars--;
        memmove(&t->bars[i], &t->bars[i + 1], (t->nbars - i) * sizeof *t->bars);
        return;
    }
}

static void on_start(struct text_sink *t, const struct hail_event *e)
{
    struct bar *parent = find_bar(t, e->parent);
    struct bar bar = {
        .span = e->span, .depth = parent ? parent->depth + 1 : 0, .start_ns = e->at_ns};
    hail_trace_label(e, bar.label, sizeof bar.label);
    begin_line(t, e, bar.depth);
    hail_buf_str(&t->out, sgr(t, BOLD));
    put_fit(t, bar.label, strlen(bar.label), room(t, bar.depth));
    hail_buf_printf(&t->out, "%s\n", sgr(t, OFF));
    if (t->nbars == SPANS_MAX)
        forget_one(t);
    if (t->nbars < SPANS_MAX)
        t->bars[t->nbars++] = bar;
}

static void on_note(struct text_sink *t, const struct hail_event *e, int depth)
{
    begin_line(t, e, depth);
    hail_buf_str(&t->out, "| ");
    if (e->text)
        put_text(t, e->text, strlen(e->text), room(t, depth) - 2);
    hail_buf_char(&t->out, '\n');
}

/* "attempt [::1]:80: connection refused" and how long the span took. */
static void on_done(struct text_sink *t, const struct hail_event *e, int depth)
{
    struct bar *bar = find_bar(t, e->span);
    const char *text = e->text && *e->text ? e->text
                       : e->errnum         ? hail_errno_text(e->errnum)
                                           : "done";
    char took[40] = "";
    if (bar)
        snprintf(took, sizeof took, "  [%.*f ms]", digits(e->at_ns - bar->start_ns),
                 (double)(e->at_ns - bar->start_ns) / 1e6);
    begin_line(t, e, depth);
    hail_buf_str(&t->out, e->errnum ? sgr(t, RED) : "");
    /* an error in words repeats the operation; the cause is what comes last */
    size_t before = t->out.len;
    hail_buf_printf(&t->out, "%s: ", e->op ? e->op : "?");
    int used = (int)(t->out.len - before);
    put_text(t, text, strlen(text), room(t, depth) - used - (int)strlen(took));
    hail_buf_str(&t->out, e->errnum ? sgr(t, OFF) : "");
    if (bar) {
        bar->end_ns = e->at_ns;
        bar->errnum = e->errnum;
        hail_buf_printf(&t->out, "%s%s%s", sgr(t, GREY), took, sgr(t, OFF));
    }
    hail_buf_char(&t->out, '\n');
}

/* Bytes that crossed: how many, and their first lines as text. */
static void on_bytes(struct text_sink *t, const struct hail_event *e, int depth)
{
    const char arrow = e->kind == HAIL_EVENT_OUT ? '>' : '<';
    const char *paint = sgr(t, e->kind == HAIL_EVENT_OUT ? GOLD : BLUE);
    if (t->talk_span != e->span || t->talk_kind != e->kind)
        t->talk_lines = 0;
    t->talk_span = e->span;
    t->talk_kind = e->kind;
    begin_line(t, e, depth);
    hail_buf_printf(&t->out, "%s%c%s %zu byte%s%s\n", paint, arrow, sgr(t, OFF), e->len,
                    e->len == 1 ? "" : "s",
                    e->kind == HAIL_EVENT_OUT && !e->data ? " from a file" : "");
    const char *p = e->layer == HAIL_LAYER_NAME ? NULL : e->data; /* DNS: a note says what it is */
    for (size_t at = 0; p && at < e->len && t->talk_lines < LINES_MAX; t->talk_lines++) {
        const char *lf = memchr(p + at, '\n', e->len - at);
        size_t n = lf ? (size_t)(lf - (p + at)) + 1 : e->len - at;
        begin_line(t, NULL, depth);
        hail_buf_printf(&t->out, "%s%c ", paint, arrow);
        put_text(t, p + at, n, room(t, depth) - 2);
        hail_buf_printf(&t->out, "%s\n", sgr(t, OFF));
        at += n;
        if (t->talk_lines + 1 == LINES_MAX && at < e->len) {
            begin_line(t, NULL, depth);
            hail_buf_printf(&t->out, "%c ... %zu bytes more\n", arrow, e->len - at);
        }
    }
}

static void on_event(struct hail_trace *self, const struct hail_event *e)
{
    struct text_sink *t = (struct text_sink *)self;
    if (!t->start_ns)
        t->start_ns = e->at_ns;
    t->last_ns = e->at_ns;
    struct bar *bar = find_bar(t, e->span);
    int depth = bar ? bar->depth : 0;
    switch (e->kind) {
    case HAIL_EVENT_START:
        on_start(t, e);
        break;
    case HAIL_EVENT_NOTE:
        on_note(t, e, depth);
        break;
    case HAIL_EVENT_DONE:
        on_done(t, e, depth);
        break;
    case HAIL_EVENT_IN:
    case HAIL_EVENT_OUT:
        on_bytes(t, e, depth);
        break;
    }
    hail_trace_flush(t->fd, &t->out, &t->failed);
}

#define BAR_MIN  12 /* columns of the shortest chart */
#define DURATION 24 /* " |", "| 12345.678 ms (open)" */

/* The columns that the longest label takes, as far as a chart still fits beside it. */
static int label_columns(const struct text_sink *t)
{
    int longest = 0, most = t->columns - BAR_MIN - DURATION;
    for (size_t i = 0; i < t->nbars; i++) {
        int n;
        fit(t->bars[i].label, strlen(t->bars[i].label), t->columns, &n);
        n += indent(t->bars[i].depth);
        longest = n > longest ? n : longest;
    }
    return longest < most ? longest : most;
}

static void draw_bar(struct text_sink *t, const struct bar *bar, int label, int width)
{
    int64_t all = t->last_ns - t->start_ns, end = bar->end_ns ? bar->end_ns : t->last_ns;
    if (all <= 0)
        all = 1;
    int from = (int)((bar->start_ns - t->start_ns) * width / all);
    int to = (int)((end - t->start_ns) * width / all);
    if (from >= width)
        from = width - 1;
    if (to <= from)
        to = from + 1;
    int in = indent(bar->depth);
    hail_buf_printf(&t->out, "%*s", in, "");
    int used = in + put_fit(t, bar->label, strlen(bar->label), label - in);
    hail_buf_printf(&t->out, "%*s |%*s%s", used < label ? label - used : 0, "", from, "",
                    sgr(t, bar->errnum ? RED : BLUE));
    for (int i = from; i < to; i++)
        hail_buf_char(&t->out, bar->errnum ? 'x' : '=');
    hail_buf_printf(&t->out, "%s%*s| %.*f ms%s\n", sgr(t, OFF), width - to, "",
                    digits(end - bar->start_ns), (double)(end - bar->start_ns) / 1e6,
                    bar->end_ns ? "" : " (open)");
}

static int on_close(struct hail_trace *self)
{
    struct text_sink *t = (struct text_sink *)self;
    int label = label_columns(t), width = t->columns - label - DURATION;
    if (t->nbars > 0) {
        hail_buf_printf(&t->out, "%swaterfall%s, %.3f ms in all\n", sgr(t, BOLD), sgr(t, OFF),
                        (double)(t->last_ns - t->start_ns) / 1e6);
        for (size_t i = 0; i < t->nbars; i++)
            draw_bar(t, &t->bars[i], label, width);
        hail_trace_flush(t->fd, &t->out, &t->failed);
    }
    int rc = t->failed;
    hail_buf_free(&t->out);
    free(t);
    return rc;
}

int hail_trace_text(struct hail_ctx *ctx, int fd, bool colour, int columns, struct hail_trace **out)
{
    struct text_sink *t = calloc(1, sizeof *t);
    if (!t)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace: %s",
                         hail_errno_text(ENOMEM));
    t->trace.event = on_event;
    t->trace.close = on_close;
    t->fd = fd;
    t->colour = colour;
    t->columns = columns <= 0 ? 80 : columns < 60 ? 60 : columns;
    hail_buf_init(&t->out, 64 << 10);
    *out = &t->trace;
    return 0;
}
