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
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define QUIET_MS  500               /* without a byte: a line without its end may be a prompt */
#define LINGER_MS 1000              /* for what comes after the last step */
#define READ_SIZE 65536             /* bytes at a time */
#define OUT_MAX   ((size_t)1 << 20) /* bytes of answers to options, and of a text */

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

/* --- the ends of a step --- */

static int not_met(struct run *r, int status, const char *why)
{
    size_t at = r->at < r->script->n ? r->at : r->script->n - 1;
    telnet_script_tell(r->t->script, at, why, &r->expect);
    return status;
}

static int rejected(struct run *r)
{
    telnet_script_tell(r->t->script, r->expect.rejected, "this must not come", &r->expect);
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

/* Past stdio, so that the cause of a failure is told. */
static void put(struct run *r, const char *p, size_t n)
{
    while (n && !r->deaf) {
        struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
        ssize_t done = write(STDOUT_FILENO, p, n);
        if (done >= 0) {
            p += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN) {
            poll(&out, 1, -1);
        } else if (errno != EINTR) {
            local_error("write", "standard output", errno);
            r->deaf = true;
        }
    }
}

static void show(struct run *r, const void *p, size_t n)
{
    struct telnet *t = r->t;
    if (t->tty.out && !t->opt.raw) {
        hail_visible_add(&t->visible, &t->shown, p, n);
        put(r, t->shown.p, t->shown.len);
        hail_buf_clear(&t->shown);
    } else {
        put(r, p, n);
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
