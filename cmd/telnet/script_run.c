/* script_run.c - holding a written conversation: script.h.
 *
 *   stream --> engine (TELNET's options are all refused) --> what came --> standard output
 *                                                               \--> hail_expect: the step's reply
 *   step to say --> engine --> stream
 *
 * Each step has its deadline, and --timeout all of them. A line without an end is looked at as a
 * prompt when nothing has come for a while. When all steps are done, what is on its way is still
 * shown: after a text that nothing is expected to, until the peer closes or the step's time is
 * over; else for a moment, so that closing does not reset what was said last.
 */
#include "script.h"

#include "base/error.h"
#include "session.h"
#include "transcript.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_MS   500  /* without a byte: a line without its end may be a prompt */
#define LINGER_MS  1000 /* for what comes after the last step */
#define PATH_SHOWN 500  /* bytes of a file's name, and of a step, in a message */
#define STEP_SHOWN 160
#define READ_SIZE  65536             /* bytes at a time */
#define OUT_MAX    ((size_t)1 << 20) /* bytes of answers to options, and of a text */

struct run {
    struct telnet *t;
    const struct hail_script *script;
    struct hail_ctx *ctx;
    struct hail_deadline all; /* --timeout */
    struct hail_expect expect;
    struct hail_buf came; /* not compared yet */
    struct hail_buf out;  /* for the peer */
    int failed;           /* -errno of a callback */
    int64_t limit_ms;     /* of the step */
    size_t at;            /* the step */
    bool deaf;            /* standard output takes nothing more */
    char bytes[READ_SIZE];
};

/* --- messages --- */

/* Onto standard error, with controls shown; further lines are set below the first. */
static void put(const char *p, size_t n, size_t most)
{
    struct hail_visible v;
    struct hail_buf b;
    hail_visible_init(&v, HAIL_VISIBLE_CONVERSATION, telnet_terminal_utf8());
    hail_buf_init(&b, HAIL_VISIBLE_GROWTH * (most + 4) + HAIL_VISIBLE_HELD);
    hail_visible_add(&v, &b, p, n < most ? n : most);
    hail_visible_end(&v, &b);
    for (size_t i = 0; i < b.len; i++) {
        putc(b.p[i], stderr);
        if (b.p[i] == '\n')
            fputs("        ", stderr);
    }
    hail_buf_free(&b);
    fputs(n > most ? " ..." : "", stderr);
}

/* "hail: mail.script:3: S: ^250", "hail: --expect '^250'" */
static void put_step(const struct run *r, size_t at)
{
    static const char *const letters[] = {"S", "S+", "R", "C"};
    static const char *const options[] = {"--expect", "", "--reject", "--send"};
    const struct hail_script_step *step = &r->script->v[at];
    struct hail_buf said;
    hail_buf_init(&said, (size_t)4 * HAIL_SCRIPT_TEXT);
    if (step->verb == HAIL_SCRIPT_SEND)
        hail_script_escape(&said, step->text, step->n);
    else
        hail_buf_add(&said, step->text, step->n);
    fflush(stdout);
    fputs("hail: ", stderr);
    if (step->line) {
        put(r->t->script->file, strlen(r->t->script->file), PATH_SHOWN);
        fprintf(stderr, ":%u: %s: ", step->line, letters[step->verb]);
    } else {
        fprintf(stderr, "%s '", options[step->verb]);
    }
    if (said.len)
        put(said.p, said.len, STEP_SHOWN);
    fputs(step->line ? "" : "'", stderr);
    hail_buf_free(&said);
}

/* What came instead, below the message. */
static void put_what_came(const struct run *r)
{
    const struct hail_expect *e = &r->expect;
    size_t part = e->n < HAIL_EXPECT_LINE ? e->n : HAIL_EXPECT_LINE;
    size_t before = e->passed - (e->passed && !part);
    fputs(part || e->lines ? "  came: " : "  nothing came", stderr);
    if (part)
        put(e->line, part, HAIL_EXPECT_SHOWN);
    else if (e->lines)
        put(e->reply, e->nreply, HAIL_EXPECT_SHOWN);
    if (part)
        fputs(" (without a line end)", stderr);
    if (before)
        fprintf(stderr, "\n  and %zu before it", before);
    putc('\n', stderr);
}

static int not_met(struct run *r, int status, const char *why)
{
    put_step(r, r->at < r->script->n ? r->at : r->script->n - 1);
    fprintf(stderr, ": %s\n", why);
    put_what_came(r);
    return status;
}

static int rejected(struct run *r)
{
    put_step(r, r->expect.rejected);
    fputs(": this must not come\n", stderr);
    put_what_came(r);
    return STATUS_NO;
}

/* The step's time, or all of it, is over. */
static int too_late(struct run *r)
{
    char why[80];
    if (r->all.ns && hail_deadline_ms(r->all) == 0)
        return not_met(r, STATUS_TIMEOUT, "timed out");
    snprintf(why, sizeof why, "not within %g s", (double)r->limit_ms / 1000);
    return not_met(r, r->expect.passed ? STATUS_NO : STATUS_TIMEOUT, why);
}

/* --- bytes --- */

static void show(struct run *r, const void *p, size_t n)
{
    struct telnet *t = r->t;
    if (t->tty.out && !t->opt.raw) {
        hail_visible_add(&t->visible, &t->shown, p, n);
        fwrite(t->shown.p, 1, t->shown.len, stdout);
        hail_buf_clear(&t->shown);
    } else {
        fwrite(p, 1, n, stdout);
    }
}

static void take(struct run *r, const void *p, size_t n)
{
    telnet_transcript_came(r->t, p, n);
    show(r, p, n);
    int rc = hail_buf_add(&r->came, p, n);
    r->failed = r->failed ? r->failed : rc;
}

static void on_event(void *arg, const struct hail_telnet_event *e)
{
    struct run *r = arg;
    telnet_netlog_event(r->t, e);
    if (e->type == HAIL_TELNET_DATA)
        take(r, e->p, e->n);
}

static int on_send(void *arg, const void *p, size_t n, bool urgent)
{
    struct run *r = arg;
    (void)urgent; /* nothing here is */
    int rc = hail_buf_add(&r->out, p, n);
    return rc == -EMSGSIZE ? -ENOBUFS : rc;
}

static int flush(struct run *r)
{
    int rc = r->out.len ? hail_write(r->ctx, r->t->stream, r->out.p, r->out.len, NULL) : 0;
    hail_buf_clear(&r->out);
    return rc;
}

/* Reads once: 1 more came, 0 the end, or -errno. */
static int read_more(struct run *r, struct hail_deadline by)
{
    struct telnet *t = r->t;
    if (hail_deadline_ms(by) == 0)
        return -ETIMEDOUT; /* also when the peer never stops */
    r->ctx->by = by;
    ssize_t n = hail_read(r->ctx, t->stream, r->bytes, sizeof r->bytes);
    if (n <= 0)
        return (int)n;
    telnet_netlog_dump(t, t->toggle.netdata, '<', r->bytes, (size_t)n);
    if (t->opt.raw)
        take(r, r->bytes, (size_t)n);
    else if (hail_telnet_receive(&t->engine, r->bytes, (size_t)n) < 0 && !r->failed)
        r->failed = -ENOBUFS;
    r->deaf = fflush(stdout) != 0 || ferror(stdout);
    if (r->failed)
        return hail_fail(r->ctx, HAIL_LAYER_LOCAL, -r->failed, "read", "read: %s",
                         hail_errno_text(-r->failed));
    int rc = flush(r);
    return r->deaf ? -EIO : rc == -EPIPE || rc == -ECONNRESET || rc == 0 ? 1 : rc;
}

/* --- steps --- */

static struct hail_deadline step_deadline(const struct run *r)
{
    return hail_deadline_min(r->all, hail_deadline_in(r->limit_ms));
}

static enum hail_expect_verdict compare(struct run *r)
{
    enum hail_expect_verdict verdict = HAIL_EXPECT_MORE;
    if (r->came.len)
        hail_buf_consume(&r->came, hail_expect_take(&r->expect, r->came.p, r->came.len, &verdict));
    return verdict;
}

/* Waits for the reply that r->expect is about. -1: it came; -2: the stream has ended without it;
 * -3: the time is over; else a status, told. */
enum { MET = -1, ENDED = -2, LATE = -3 };

static int verdict_status(struct run *r, enum hail_expect_verdict verdict)
{
    if (verdict == HAIL_EXPECT_REJECTED)
        return rejected(r);
    return verdict == HAIL_EXPECT_MET ? MET : not_met(r, STATUS_NO, "another answer came");
}

static int await(struct run *r, struct hail_deadline by)
{
    bool looked = false; /* at the line without its end */
    for (;;) {
        enum hail_expect_verdict verdict = compare(r);
        if (verdict != HAIL_EXPECT_MORE)
            return verdict_status(r, verdict);
        struct hail_deadline until = by;
        if (r->expect.n && !looked)
            until = hail_deadline_min(by, hail_deadline_in(QUIET_MS));
        int rc = read_more(r, until);
        looked = false;
        if (rc == -ETIMEDOUT || rc == 0) {
            verdict = rc ? hail_expect_quiet(&r->expect) : hail_expect_end(&r->expect);
            if (verdict != HAIL_EXPECT_MORE)
                return verdict_status(r, verdict);
            if (rc == 0)
                return ENDED;
            if (hail_deadline_ms(by) == 0)
                return LATE;
            looked = true;
        } else if (rc < 0) {
            return r->deaf ? STATUS_LOCAL : fail(r->t->c);
        }
    }
}

static int step_expect(struct run *r)
{
    int rc = await(r, step_deadline(r));
    if (rc == ENDED)
        return not_met(r, STATUS_NO, "the peer closed the connection");
    return rc == LATE ? too_late(r) : rc;
}

/* Saying it failed: the peer has gone, and may have said why. */
static int not_said(struct run *r, int errnum)
{
    if (errnum == -ETIMEDOUT)
        return too_late(r);
    if (errnum != -EPIPE && errnum != -ECONNRESET)
        return fail(r->t->c);
    int rc = await(r, hail_deadline_min(r->all, hail_deadline_in(LINGER_MS)));
    return rc < 0 ? not_met(r, STATUS_NO, "the peer closed the connection") : rc;
}

static int step_send(struct run *r, const struct hail_script_step *step)
{
    static const char *const ends[] = {"\r\n", "\r\n", "\n"};
    struct telnet *t = r->t;
    const char *end = step->no_end || t->opt.raw ? "" : ends[t->opt.newline];
    struct hail_buf *text = &t->typed;
    hail_buf_clear(text);
    hail_buf_add(text, step->text, step->n);
    hail_buf_str(text, end);
    int rc = text->failed;
    if (rc == 0)
        rc = t->opt.raw ? hail_buf_add(&r->out, text->p ? text->p : "", text->len)
                        : hail_telnet_send_data(&t->engine, text->p, text->len);
    if (rc < 0)
        return local_error("allocate", "what is said", -rc);
    telnet_transcript_said(t, text->p, text->len);
    telnet_netlog_dump(t, t->toggle.netdata, '>', r->out.p, r->out.len);
    r->ctx->by = step_deadline(r);
    rc = flush(r);
    return rc < 0 ? not_said(r, rc) : MET;
}

static int begin_step(struct run *r, size_t at)
{
    r->at = at;
    bool own = at < r->script->n && r->script->v[at].limit_ms;
    r->limit_ms = own ? r->script->v[at].limit_ms : r->t->script->step_ms;
    if (hail_expect_begin(&r->expect, r->script, at) < 0)
        return local_error("allocate", "a regular expression", ENOMEM);
    return MET;
}

/* --- the end --- */

/* The text that was said last has nothing expected to it: all that comes is shown. */
static int show_answer(struct run *r)
{
    int rc = begin_step(r, r->script->n);
    if (rc == MET)
        rc = await(r, step_deadline(r));
    return rc < 0 ? STATUS_DONE : rc;
}

/* All went well: what is on its way is taken, so that closing resets nothing. */
static void part(struct run *r)
{
    struct hail_deadline by = hail_deadline_min(r->all, hail_deadline_in(LINGER_MS));
    r->ctx->by = by;
    int rc = hail_shutdown(r->ctx, r->t->stream);
    while (rc == 0 || rc == 1) {
        hail_buf_clear(&r->came);
        rc = read_more(r, by);
        if (rc <= 0)
            break;
    }
}

static int hold(struct run *r)
{
    int rc = MET;
    size_t last = r->script->n;
    for (size_t at = hail_script_step(r->script, 0); rc == MET && at < r->script->n;
         at = hail_script_step(r->script, at + 1)) {
        last = at;
        rc = begin_step(r, at);
        if (rc != MET)
            break;
        const struct hail_script_step *step = &r->script->v[at];
        rc = step->verb == HAIL_SCRIPT_SEND ? step_send(r, step) : step_expect(r);
    }
    if (rc != MET)
        return rc;
    bool open = last == r->script->n || r->script->v[last].verb == HAIL_SCRIPT_SEND;
    rc = open ? show_answer(r) : STATUS_DONE;
    if (rc == STATUS_DONE)
        part(r);
    return r->deaf ? STATUS_LOCAL : rc;
}

/* Nothing is agreed to, and no byte is changed: a script knows what it says. */
static void refuse_options(struct run *r)
{
    struct telnet *t = r->t;
    const struct hail_telnet_config config = {.arg = r,
                                              .event = on_event,
                                              .send = on_send,
                                              .terminal = &t->told,
                                              .sub = t->sub,
                                              .sub_size = sizeof t->sub};
    hail_telnet_init(&t->engine, &config);
    t->engine.newline.raw = true;
}

void telnet_script_run(struct telnet *t)
{
    struct run *r = calloc(1, sizeof *r);
    t->leave = true;
    if (!r) {
        t->status = local_error("allocate", "the conversation", ENOMEM);
        return;
    }
    r->t = t;
    r->script = &t->script->steps;
    r->ctx = &t->c->ctx;
    r->all = r->ctx->by;
    hail_buf_init(&r->came, (size_t)4 * READ_SIZE);
    hail_buf_init(&r->out, OUT_MAX);
    hail_visible_init(&t->visible, HAIL_VISIBLE_CONVERSATION, telnet_terminal_utf8());
    if (!t->shown.max)
        hail_buf_init(&t->shown, (size_t)8 * READ_SIZE);
    refuse_options(r);
    fflush(stdout);
    t->status = hold(r);
    r->ctx->by = r->all;
    telnet_hang_up(t);
    hail_expect_free(&r->expect);
    hail_buf_free(&r->came);
    hail_buf_free(&r->out);
    free(r);
}
