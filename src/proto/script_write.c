/* script_write.c - a conversation written down as a script: transcripts.
 *
 *   S[@0.004s]: ^220 mail ESMTP$      a line that came, quoted as a regular expression
 *   C[@0.010s]: EHLO me               what was said; without a CR LF at its end: \c
 *   S[@0.012s]: ^250-mail$
 *   S+: ^250 STARTTLS$                the further lines of one reply
 *
 * Replies are cut as expect.c cuts them. A line that has no end when something is said is a prompt,
 * and is written as far as it came, unless it may become an answer.
 */
#include "proto/script.h"

#include <string.h>

#define REPLY_MAX ((size_t)1 << 17) /* bytes: HAIL_SCRIPT_GROUP lines, quoted */

void hail_script_writer_init(struct hail_script_writer *w, struct hail_buf *out)
{
    memset(w, 0, sizeof *w);
    w->out = out;
    hail_buf_init(&w->reply, REPLY_MAX);
}

void hail_script_writer_free(struct hail_script_writer *w)
{
    hail_buf_free(&w->reply);
}

static void letter(struct hail_buf *out, const char *what, int64_t ns)
{
    int64_t ms = ns / 1000000;
    hail_buf_printf(out, "%s[@%lld.%03ds]: ", what, (long long)(ms / 1000), (int)(ms % 1000));
}

/* --- what comes --- */

/* The line as a step, its end matched as well or not. */
static void write_line(struct hail_script_writer *w, struct hail_buf *out, bool whole)
{
    if (w->lines == 0)
        letter(out, "S", w->came_at);
    else
        hail_buf_str(out, "S+: ");
    hail_buf_char(out, '^');
    hail_script_quote(out, w->came, w->ncame);
    hail_buf_str(out, whole && !w->cut ? "$\n" : "\n");
    w->ncame = 0;
    w->cut = w->cr = false;
}

static void hand_over(struct hail_script_writer *w)
{
    if (w->reply.failed)
        w->out->failed = w->reply.failed;
    if (w->reply.len)
        hail_buf_add(w->out, w->reply.p, w->reply.len);
    hail_buf_clear(&w->reply);
    w->lines = 0;
    w->code[0] = '\0';
}

static void line_over(struct hail_script_writer *w)
{
    bool more;
    const char *p = w->came;
    if (w->lines == 0) {
        hail_answer_of(p, w->ncame, w->code, &more);
    } else {
        bool last = w->ncame >= 3 && memcmp(p, w->code, 3) == 0 && (w->ncame == 3 || p[3] == ' ');
        more = !last;
    }
    if (w->lines < HAIL_SCRIPT_GROUP)
        write_line(w, &w->reply, true);
    w->ncame = 0;
    w->cut = w->cr = false;
    w->lines++;
    if (!more)
        hand_over(w);
}

static void keep(struct hail_script_writer *w, const char *p, size_t n)
{
    size_t room = sizeof w->came - w->ncame;
    if (n > room)
        w->cut = true;
    n = n < room ? n : room;
    memcpy(w->came + w->ncame, p, n);
    w->ncame += n;
}

/* A CR is kept back: before the LF it is no part of the line. */
static void piece(struct hail_script_writer *w, const char *p, size_t n, bool ends)
{
    if (w->cr && (n || !ends))
        keep(w, "\r", n != 0);
    if (n) {
        w->cr = p[n - 1] == '\r';
        keep(w, p, n - w->cr);
    }
    if (ends)
        line_over(w);
}

static void say_rest(struct hail_script_writer *w);

void hail_script_writer_came(struct hail_script_writer *w, int64_t ns, const char *p, size_t n)
{
    if (n && w->nsaid)
        say_rest(w);
    for (size_t i = 0; i < n;) {
        const char *lf = memchr(p + i, '\n', n - i);
        size_t len = lf ? (size_t)(lf - p) - i : n - i;
        if (w->ncame == 0 && !w->cr && w->lines == 0)
            w->came_at = ns;
        piece(w, p + i, len, lf != NULL);
        i += len + (lf != NULL);
    }
}

/* --- what is said --- */

static void say(struct hail_script_writer *w, size_t n, bool whole)
{
    letter(w->out, "C", w->said_at);
    hail_script_escape(w->out, w->said, n);
    hail_buf_str(w->out, whole ? "\n" : "\\c\n");
    w->nsaid = 0;
}

static void say_rest(struct hail_script_writer *w)
{
    say(w, w->nsaid, false);
}

static void say_line(struct hail_script_writer *w)
{
    size_t n = w->nsaid;
    if (n >= 2 && w->said[n - 2] == '\r')
        say(w, n - 2, true);
    else
        say(w, n, false);
}

void hail_script_writer_said(struct hail_script_writer *w, int64_t ns, const char *p, size_t n)
{
    bool prompt = w->lines == 0 && w->ncame && !hail_answer_may_come(w->came, w->ncame);
    if (n && prompt)
        write_line(w, w->out, false);
    for (size_t i = 0; i < n; i++) {
        if (w->nsaid == 0)
            w->said_at = ns;
        w->said[w->nsaid++] = p[i];
        if (p[i] == '\n')
            say_line(w);
        else if (w->nsaid == sizeof w->said)
            say_rest(w);
    }
}

/* --- the end --- */

/* A reply that never ended cannot be waited for. */
static void remark(struct hail_script_writer *w)
{
    const char *p = w->reply.p, *end = p + w->reply.len;
    hail_buf_str(w->out, "# a reply without its end:\n");
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        size_t n = lf ? (size_t)(lf - p) + 1 : (size_t)(end - p);
        hail_buf_str(w->out, "#   ");
        hail_buf_add(w->out, p, n);
        p += n;
    }
    hail_buf_clear(&w->reply);
}

void hail_script_writer_end(struct hail_script_writer *w)
{
    if (w->nsaid)
        say_rest(w);
    if (w->ncame || w->cut || w->cr)
        line_over(w);
    if (w->reply.len)
        remark(w);
}
