/* trace_html.c - the trace as a page: the events gathered for trace_page.c (trace_html.h has the
 * map). Nothing is written before the trace is closed. */
#include "net/trace_html.h"
#include "base/error.h"
#include "base/text.h"
#include "net/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct html_sink {
    struct hail_trace trace; /* first: the sink's handle */
    int fd, failed;
    struct hail_page page;
};

static bool is(const struct hail_event *e, const char *op)
{
    return strcmp(e->op, op) == 0;
}

static void safe(char *out, size_t size, const char *text)
{
    hail_text_safe_into(out, size, text, strlen(text));
}

/* --- lanes --- */

/* The lane of a peer, which it gets when it has none yet. */
static int lane_of(struct hail_page *p, const struct hail_endpoint *peer)
{
    char text[HAIL_ENDPOINT_MAX], name[HAIL_PAGE_NAME];
    if (!peer)
        return HAIL_PAGE_NO_LANE;
    hail_endpoint_format(peer, text, sizeof text);
    safe(name, sizeof name, *text ? text : "a peer without a name");
    for (int i = 0; i < p->nlanes; i++)
        if (strcmp(p->lanes[i].name, name) == 0)
            return i;
    if (p->nlanes == HAIL_PAGE_LANES) {
        p->shared = true;
        snprintf(p->lanes[p->nlanes - 1].name, HAIL_PAGE_NAME, "further peers");
        return p->nlanes - 1;
    }
    memcpy(p->lanes[p->nlanes].name, name, sizeof name);
    return p->nlanes++;
}

static struct hail_page_bar *find_bar(struct hail_page *p, uint32_t span)
{
    for (size_t i = p->nbars; span && i-- > 0;)
        if (p->bars[i].span == span)
            return &p->bars[i];
    return NULL;
}

/* The lane of what goes on within a span. */
static int lane_within(struct hail_page *p, const struct hail_event *e)
{
    const struct hail_page_bar *bar = find_bar(p, e->span);
    if (e->peer)
        return lane_of(p, e->peer);
    return bar ? bar->lane : HAIL_PAGE_NO_LANE;
}

/* --- rows --- */

struct hail_page_row *hail_page_row(struct hail_page *p, uint64_t i)
{
    return &p->rows[i < HAIL_PAGE_FIRST ? i
                                        : HAIL_PAGE_FIRST + (i - HAIL_PAGE_FIRST) % HAIL_PAGE_LAST];
}

static struct hail_page_row *add_row(struct hail_page *p, const struct hail_event *e,
                                     enum hail_page_row_kind kind, int lane)
{
    struct hail_page_row *row = hail_page_row(p, p->nrows++);
    if (lane == HAIL_PAGE_NO_LANE && kind >= HAIL_ROW_TO)
        kind = HAIL_ROW_NOTE;
    hail_buf_free(&row->said);
    *row = (struct hail_page_row){.kind = kind,
                                  .lane = lane,
                                  .span = e->span,
                                  .bad = e->errnum != 0,
                                  .at_ns = e->at_ns,
                                  .last_ns = e->at_ns};
    hail_buf_init(&row->said, HAIL_PAGE_SAID);
    return row;
}

/* A row that says "op text", or the text alone. */
static void add_text(struct hail_page *p, const struct hail_event *e, enum hail_page_row_kind kind,
                     int lane, const char *op)
{
    char text[HAIL_PAGE_TEXT];
    const char *said = e->text && *e->text ? e->text : e->errnum ? hail_errno_text(e->errnum) : "";
    snprintf(text, sizeof text, "%s%s%s", op, *op && *said ? " " : "", said);
    safe(add_row(p, e, kind, lane)->text, HAIL_PAGE_TEXT, text);
}

/* Bytes join those of the row before when they go on in the same way. */
static void on_bytes(struct html_sink *s, const struct hail_event *e)
{
    struct hail_page *p = &s->page;
    bool out = e->kind == HAIL_EVENT_OUT;
    enum hail_page_row_kind kind = out ? HAIL_ROW_TO : HAIL_ROW_FROM;
    int lane = lane_within(p, e);
    struct hail_page_row *row = p->nrows ? hail_page_row(p, p->nrows - 1) : NULL;
    if (!row || !row->is_data || row->span != e->span || row->kind != kind || row->lane != lane ||
        is(e, "datagram"))
        row = add_row(p, e, kind, lane);
    if (lane != HAIL_PAGE_NO_LANE)
        *(out ? &p->lanes[lane].bytes_to : &p->lanes[lane].bytes_from) += e->len;
    row->is_data = true;
    row->bytes += e->len;
    row->pieces++;
    row->last_ns = e->at_ns;
    size_t room = HAIL_PAGE_SAID - row->said.len, n = e->len < room ? e->len : room;
    if (e->data && hail_buf_add(&row->said, e->data, n) < 0 && !s->failed)
        s->failed = row->said.failed;
    if (!e->data)
        snprintf(row->text, sizeof row->text, "sent from a file");
    else if (e->layer == HAIL_LAYER_NAME)
        snprintf(row->text, sizeof row->text, "DNS");
}

/* --- spans --- */

/* What the page is about: the first request, or else the first span. */
static void entitle(struct hail_page *p, const struct hail_event *e)
{
    if (p->titled || (*p->title && e->layer != HAIL_LAYER_PROTO))
        return;
    p->titled = e->layer == HAIL_LAYER_PROTO && e->text;
    if (p->titled)
        safe(p->title, sizeof p->title, e->text);
    else if (!*p->title)
        hail_trace_label(e, p->title, sizeof p->title);
}

/* Room for one more bar: the oldest one without anything below the top that is over goes. */
static struct hail_page_bar *new_bar(struct hail_page *p)
{
    size_t i = HAIL_PAGE_BARS / 2;
    if (p->nbars < HAIL_PAGE_BARS)
        return &p->bars[p->nbars++];
    while (i < p->nbars - 1 && !p->bars[i].end_ns)
        i++;
    memmove(&p->bars[i], &p->bars[i + 1], (p->nbars - i - 1) * sizeof *p->bars);
    p->bars_left_out++;
    return &p->bars[p->nbars - 1];
}

static void on_start(struct hail_page *p, const struct hail_event *e)
{
    const struct hail_page_bar *parent = find_bar(p, e->parent);
    int depth = parent ? parent->depth + 1 : 0;
    bool named = e->peer && e->peer->kind == HAIL_HOST_NAME; /* to be resolved: nobody yet */
    int lane = e->peer && !named ? lane_of(p, e->peer) : parent ? parent->lane : HAIL_PAGE_NO_LANE;
    struct hail_page_bar *bar = new_bar(p);
    *bar =
        (struct hail_page_bar){.span = e->span, .lane = lane, .depth = depth, .start_ns = e->at_ns};
    hail_trace_label(e, bar->text, sizeof bar->text);
    entitle(p, e);
    if (is(e, "attempt"))
        add_text(p, e, HAIL_ROW_TO, lane, "connect");
    else if (is(e, "tls"))
        add_text(p, e, HAIL_ROW_TO, lane, "TLS handshake");
    else
        memcpy(add_row(p, e, HAIL_ROW_BEGUN, lane)->text, bar->text, HAIL_PAGE_TEXT);
    if (is(e, "stream") && lane != HAIL_PAGE_NO_LANE && !p->lanes[lane].connected) {
        add_text(p, e, HAIL_ROW_FROM, lane, "connected by the peer"); /* no attempt led to it */
        p->lanes[lane].connected = true;
    }
}

static void on_note(struct hail_page *p, const struct hail_event *e)
{
    add_text(p, e, e->end & HAIL_END_SENT ? HAIL_ROW_TO : HAIL_ROW_NOTE, lane_within(p, e), "");
}

/* Which way the end of a span came: the arrow's direction, or none. */
static enum hail_page_row_kind end_kind(const struct hail_event *e)
{
    if (is(e, "stream"))
        return e->end & (HAIL_END_RECEIVED | HAIL_RESET_RECEIVED) ? HAIL_ROW_FROM : HAIL_ROW_TO;
    if (is(e, "attempt") || is(e, "tls"))
        return !e->errnum || e->errnum == ECONNREFUSED || e->errnum == ECONNRESET ? HAIL_ROW_FROM
                                                                                  : HAIL_ROW_NOTE;
    return HAIL_ROW_NOTE;
}

static void on_done(struct hail_page *p, const struct hail_event *e)
{
    struct hail_page_bar *bar = find_bar(p, e->span);
    enum hail_page_row_kind kind = end_kind(e);
    int lane = lane_within(p, e);
    if (bar) {
        bar->end_ns = e->at_ns;
        bar->bad = e->errnum != 0;
    }
    char op[64];
    snprintf(op, sizeof op, "%s:", e->op);
    add_text(p, e, kind, lane, kind == HAIL_ROW_NOTE ? op : "");
    /* of a request it is the request that tells whether it failed, not how its stream ended */
    if (e->errnum && !e->parent && !(p->titled && e->layer == HAIL_LAYER_STREAM))
        memcpy(p->failure, hail_page_row(p, p->nrows - 1)->text, sizeof p->failure);
    if (!is(e, "attempt") || lane == HAIL_PAGE_NO_LANE)
        return;
    p->lanes[lane].connected |= e->errnum == 0;
    if (e->errnum)
        safe(p->lanes[lane].outcome, sizeof p->lanes[lane].outcome, hail_errno_text(e->errnum));
}

static void on_event(struct hail_trace *self, const struct hail_event *event)
{
    struct html_sink *s = (struct html_sink *)self;
    struct hail_event e = *event;
    e.op = e.op ? e.op : "?";
    if (!s->page.start_ns)
        s->page.start_ns = e.at_ns;
    s->page.last_ns = e.at_ns;
    switch (e.kind) {
    case HAIL_EVENT_START:
        on_start(&s->page, &e);
        break;
    case HAIL_EVENT_NOTE:
        on_note(&s->page, &e);
        break;
    case HAIL_EVENT_DONE:
        on_done(&s->page, &e);
        break;
    case HAIL_EVENT_IN:
    case HAIL_EVENT_OUT:
        on_bytes(s, &e);
        if (e.layer == HAIL_LAYER_NAME && e.peer)
            s->page.lanes[lane_of(&s->page, e.peer)].asked = true;
        break;
    }
}

static int on_close(struct hail_trace *self)
{
    struct html_sink *s = (struct html_sink *)self;
    int rc = hail_page_write(&s->page, s->fd);
    for (size_t i = 0; i < HAIL_PAGE_FIRST + HAIL_PAGE_LAST; i++)
        hail_buf_free(&s->page.rows[i].said);
    rc = s->failed ? s->failed : rc;
    free(s);
    return rc;
}

int hail_trace_html(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    struct html_sink *s = calloc(1, sizeof *s);
    if (!s)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace: %s",
                         hail_errno_text(ENOMEM));
    s->page.wall_ns = hail_trace_wall();
    s->fd = fd;
    s->trace.event = on_event;
    s->trace.close = on_close;
    *out = &s->trace;
    return 0;
}
