/* script_tell.c - why a written conversation has ended: the step, and what came instead, made
 * visible as on the screen.
 *
 *   hail: mail.script:3: S: ^250: another answer came
 *     came: 554 5.7.1 no
 */
#include "script.h"

#include "session.h"

#include <string.h>

#define PATH_SHOWN 500 /* bytes of a file's name, and of a step, in a message */
#define STEP_SHOWN 160

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
static void put_step(const struct telnet_script *s, size_t at)
{
    static const char *const letters[] = {"S", "S+", "R", "C"};
    static const char *const options[] = {"--expect", "", "--reject", "--send"};
    const struct hail_script_step *step = &s->steps.v[at];
    struct hail_buf said;
    hail_buf_init(&said, (size_t)4 * HAIL_SCRIPT_TEXT);
    if (step->verb == HAIL_SCRIPT_SEND)
        hail_script_escape(&said, step->text, step->n);
    else
        hail_buf_add(&said, step->text, step->n);
    fflush(stdout);
    fputs("hail: ", stderr);
    if (step->line) {
        put(s->file, strlen(s->file), PATH_SHOWN);
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
static void put_what_came(const struct hail_expect *e)
{
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

void telnet_script_tell(const struct telnet_script *s, size_t at, const char *why,
                        const struct hail_expect *e)
{
    put_step(s, at);
    fprintf(stderr, ": %s\n", why);
    put_what_came(e);
}
