/* trace_pcapng.c - the trace as a capture file for Wireshark and tshark (hail-trace(5)).
 *
 * Interface 0 has the packets of plain conversations and of datagrams, interface 1 what was said
 * inside of TLS, a turn of one side as one message. Both are made up from the events
 * (trace_packets.h); notes become comments on the packet that follows them. Each block is written
 * at once, so that a file that was cut short is valid up to its last block.
 */
#include "base/error.h"
#include "net/trace.h"
#include "net/trace_packets.h"
#include "proto/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALKS_MAX    256 /* conversations at once; of more the rest are left out */
#define ATTEMPTS_MAX 32  /* attempts that are remembered until their stream begins */
/* Bytes of a turn in one message: with its tags what tshark takes for a packet at most. */
#define TURN_MAX ((256u << 10) - HAIL_UPPER_HEAD_MAX)

/* An attempt to connect: under way, or connected and waiting for its stream. */
struct attempt {
    uint32_t span; /* 0: free */
    int64_t at_ns[2];
    bool connected;
    struct hail_endpoint peer;
};

struct pcapng_sink {
    struct hail_trace trace; /* first: the sink's handle */
    struct hail_capture file;
    struct attempt attempts[ATTEMPTS_MAX];
    size_t next_attempt;
    struct hail_talk *talks[TALKS_MAX];
    size_t ntalks;
    uint64_t left_out; /* conversations */
    int64_t last_ns;
};

/* --- attempts --- */

static struct attempt *find_attempt(struct pcapng_sink *s, uint32_t span)
{
    for (size_t i = 0; i < ATTEMPTS_MAX; i++)
        if (s->attempts[i].span == span)
            return &s->attempts[i];
    return NULL;
}

static void attempt_start(struct pcapng_sink *s, const struct hail_event *e)
{
    if (!e->peer)
        return;
    struct attempt *a = &s->attempts[s->next_attempt];
    s->next_attempt = (s->next_attempt + 1) % ATTEMPTS_MAX;
    *a = (struct attempt){.span = e->span, .at_ns = {e->at_ns, e->at_ns}, .peer = *e->peer};
}

static void attempt_done(struct pcapng_sink *s, const struct hail_event *e)
{
    struct attempt *a = find_attempt(s, e->span);
    if (!a)
        return;
    a->at_ns[1] = e->at_ns;
    a->connected = e->errnum == 0;
    if (a->connected)
        return;
    struct hail_packet_end ends[2];
    hail_talk_ends(ends, e->span, NULL, &a->peer);
    hail_talk_failed(&s->file, ends, a->at_ns, e->errnum);
    a->span = 0;
}

/* The latest attempt that led to this peer, or NULL: it was the peer who dialled. */
static struct attempt *attempt_of(struct pcapng_sink *s, const struct hail_endpoint *peer)
{
    struct attempt *found = NULL;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *a = &s->attempts[i];
        if (a->span && a->connected && hail_endpoint_equal(&a->peer, peer) &&
            (!found || a->span > found->span))
            found = a;
    }
    return found;
}

/* --- conversations --- */

static struct hail_talk **find_talk(struct pcapng_sink *s, uint32_t span)
{
    for (size_t i = s->ntalks; i-- > 0;)
        if (s->talks[i]->span == span)
            return &s->talks[i];
    return NULL;
}

static void note_unix(struct pcapng_sink *s, const struct hail_event *e)
{
    const struct hail_endpoint *ends[2] = {e->local, e->peer};
    for (int i = 0; i < 2; i++) {
        char text[HAIL_ENDPOINT_MAX];
        if (!ends[i] || !ends[i]->host[0] ||
            (ends[i]->kind != HAIL_HOST_UNIX && ends[i]->kind != HAIL_HOST_ABSTRACT))
            continue;
        hail_endpoint_format(ends[i], text, sizeof text);
        hail_capture_note(&s->file, "stands for a Unix socket", text);
    }
}

static void talk_start(struct pcapng_sink *s, const struct hail_event *e)
{
    if (!e->peer)
        return;
    if (s->ntalks == TALKS_MAX) {
        s->left_out++;
        return;
    }
    struct hail_talk *t = calloc(1, sizeof *t);
    if (!t) {
        s->file.failed = s->file.failed ? s->file.failed : -ENOMEM;
        return;
    }
    t->span = e->span;
    hail_buf_init(&t->said, TURN_MAX);
    hail_talk_ends(t->ends, e->span, e->local, e->peer);
    struct attempt *a = attempt_of(s, e->peer);
    t->accepted = !a;
    const int64_t at_ns[] = {a ? a->at_ns[0] : e->at_ns, a ? a->at_ns[1] : e->at_ns, e->at_ns};
    note_unix(s, e);
    hail_talk_open(&s->file, t, at_ns);
    if (a)
        a->span = 0;
    s->talks[s->ntalks++] = t;
}

static void talk_free(struct pcapng_sink *s, struct hail_talk **at)
{
    hail_talk_flush(&s->file, *at);
    hail_buf_free(&(*at)->said);
    free(*at);
    *at = s->talks[--s->ntalks];
}

static void talk_done(struct pcapng_sink *s, const struct hail_event *e)
{
    struct hail_talk **at = find_talk(s, e->span);
    if (!at)
        return;
    hail_talk_flush(&s->file, *at); /* what is said of the end belongs to the end */
    hail_capture_note(&s->file, e->op, e->text);
    hail_talk_end(&s->file, *at, e->at_ns, e->end);
    talk_free(s, at);
}

/* So that packets come in the order of time: what is gathered of other conversations is written
 * when this one goes on. A turn inside of TLS stays whole, unless its thread is through with a
 * request: then it is the end of the response. */
static void settle(struct pcapng_sink *s, const struct hail_event *e)
{
    bool is_over = e->kind == HAIL_EVENT_DONE && e->layer == HAIL_LAYER_PROTO;
    for (size_t i = 0; s->file.gathered && i < s->ntalks; i++) {
        struct hail_talk *t = s->talks[i];
        if (t->span != e->span && t->said.len &&
            (!t->inside || (is_over && pthread_equal(t->teller, pthread_self()))))
            hail_talk_flush(&s->file, t);
    }
}

/* From here on the conversation's bytes are those inside of TLS. */
static void secured(struct pcapng_sink *s, const struct hail_event *e)
{
    struct hail_talk **at = find_talk(s, e->parent);
    if (at && e->errnum == 0)
        hail_talk_secure(&s->file, *at);
}

static void bytes(struct pcapng_sink *s, const struct hail_event *e)
{
    int side = e->kind == HAIL_EVENT_OUT ? HAIL_TALK_HERE : HAIL_TALK_PEER;
    settle(s, e);
    if (strcmp(e->op, "datagram") == 0) {
        struct hail_packet_end ends[2];
        hail_talk_ends(ends, e->span, e->local, e->peer);
        note_unix(s, e);
        hail_talk_datagram(&s->file, ends, e->at_ns, side, e->data, e->len);
        return;
    }
    struct hail_talk **at = find_talk(s, e->span);
    if (at)
        hail_talk_say(&s->file, *at, e->at_ns, side, e->data, e->len);
}

/* --- events --- */

static bool is(const struct hail_event *e, const char *op)
{
    return strcmp(e->op, op) == 0;
}

static void on_start(struct pcapng_sink *s, const struct hail_event *e)
{
    settle(s, e);
    if (is(e, "attempt"))
        attempt_start(s, e);
    else if (is(e, "stream"))
        talk_start(s, e);
    else if (e->text)
        hail_capture_note(&s->file, e->op, e->text);
}

static void on_note(struct pcapng_sink *s, const struct hail_event *e)
{
    struct hail_talk **at = e->end ? find_talk(s, e->span) : NULL;
    if (!at) {
        hail_capture_note(&s->file, e->op, e->text);
        return;
    }
    settle(s, e);
    hail_talk_end(&s->file, *at, e->at_ns, e->end);
}

static void on_done(struct pcapng_sink *s, const struct hail_event *e)
{
    if (is(e, "stream")) {
        settle(s, e);
        talk_done(s, e);
        return;
    }
    if (e->errnum || e->layer == HAIL_LAYER_PROTO)
        hail_capture_note(&s->file, e->op, e->text ? e->text : hail_errno_text(e->errnum));
    settle(s, e);
    if (is(e, "attempt"))
        attempt_done(s, e);
    else if (e->layer == HAIL_LAYER_TLS)
        secured(s, e);
}

static void on_event(struct hail_trace *self, const struct hail_event *event)
{
    struct pcapng_sink *s = (struct pcapng_sink *)self;
    struct hail_event e = *event;
    e.op = e.op ? e.op : "?";
    s->last_ns = e.at_ns;
    switch (e.kind) {
    case HAIL_EVENT_START:
        on_start(s, &e);
        break;
    case HAIL_EVENT_NOTE:
        on_note(s, &e);
        break;
    case HAIL_EVENT_IN:
    case HAIL_EVENT_OUT:
        bytes(s, &e);
        break;
    case HAIL_EVENT_DONE:
        on_done(s, &e);
        break;
    }
}

/* What no packet was there to carry. */
static void put_rest(struct pcapng_sink *s)
{
    if (s->left_out) {
        char text[96];
        snprintf(text, sizeof text, "%llu conversations are left out: %d at once are kept",
                 (unsigned long long)s->left_out, TALKS_MAX);
        hail_capture_note(&s->file, "trace", text);
    }
    if (!s->file.notes.len)
        return;
    hail_pcapng_remark(&s->file.out, HAIL_CAPTURE_PACKETS, s->last_ns + s->file.wall_ns,
                       s->file.notes.p, s->file.notes.len);
    hail_trace_flush(s->file.fd, &s->file.out, &s->file.failed);
}

static int on_close(struct hail_trace *self)
{
    struct pcapng_sink *s = (struct pcapng_sink *)self;
    while (s->ntalks > 0)
        talk_free(s, &s->talks[s->ntalks - 1]);
    put_rest(s);
    int rc = s->file.failed;
    hail_buf_free(&s->file.out);
    hail_buf_free(&s->file.notes);
    free(s);
    return rc;
}

int hail_trace_pcapng(struct hail_ctx *ctx, int fd, struct hail_trace **out)
{
    struct pcapng_sink *s = calloc(1, sizeof *s);
    if (!s)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOMEM, "trace", "open the trace: %s",
                         hail_errno_text(ENOMEM));
    s->file.wall_ns = hail_trace_wall();
    s->file.fd = fd;
    s->trace.event = on_event;
    s->trace.close = on_close;
    hail_buf_init(&s->file.out, HAIL_PCAPNG_PACKET_MAX);
    hail_buf_init(&s->file.notes, HAIL_PCAPNG_COMMENT_MAX);
    hail_pcapng_section(&s->file.out, "hail");
    hail_pcapng_interface(&s->file.out, HAIL_PCAPNG_RAW, "packets",
                          "packets made up from what hail did");
    hail_pcapng_interface(&s->file.out, HAIL_PCAPNG_UPPER, "inside",
                          "what was said inside of TLS, a turn a message");
    hail_trace_flush(fd, &s->file.out, &s->file.failed);
    *out = &s->trace;
    return 0;
}
