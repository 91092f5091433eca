/* script.h - conversations that are written down: what must come, what is said, what must not come.
 * Sans-I/O.
 *
 *   # a comment; empty lines are skipped
 *   S: ^220            a reply has to come in which a line matches: a POSIX extended regular
 *                      expression (regex(7))
 *   C: EHLO me         is said, with a line end
 *   S[5s]: ^250        ... within five seconds (also 500ms)
 *   S+: STARTTLS       ... and the same reply has a line that matches this as well
 *   R: ^4              from here on no such reply may come, nor to the S in front of it
 *   S[dot]: ^\+OK      the reply goes up to a line with a single dot, if it is no refusal
 *   S[@1.250s]: ^221   the time that a transcript notes is read over
 *
 * Text is written with \r \n \t \e \0 \xNN \\, and \c at its end: no line end. A regular expression
 * may have \xNN, \t, \e and \d outside of brackets, and no back-references: no search may take
 * unbounded time. All is bytes, whatever the locale.
 *
 * A reply is a line; or all lines of the form of RFC 5321 section 4.2.1 and RFC 959 section 4.2,
 * `250-...` to `250 ...`; or, where asked for, up to the dot of RFC 3977 and RFC 1939. A reply that
 * is an answer (`550 ...`, `-ERR`, `a1 NO`, `HTTP/1.1 404`; but for 1yz, which announces another)
 * has to be the one that is expected. Other lines are passed over until the one comes.
 *
 *   script.c         steps, and reading them from a file
 *   script_regex.c   escapes and regular expressions
 *   expect.c         what comes, cut into replies and compared: hail_expect
 *   script_write.c   a conversation written in this form: hail_script_writer
 */
#ifndef HAIL_PROTO_SCRIPT_H
#define HAIL_PROTO_SCRIPT_H

#include "base/buf.h"

#include <regex.h>

#define HAIL_SCRIPT_STEPS   10000             /* of a script */
#define HAIL_SCRIPT_FILE    ((size_t)4 << 20) /* bytes of a file */
#define HAIL_SCRIPT_TEXT    65536             /* bytes of a text, escaped */
#define HAIL_SCRIPT_PATTERN 1024              /* bytes of a regular expression as it is written */
#define HAIL_SCRIPT_SPREAD  5000 /* characters of one with its repetitions written out */
#define HAIL_SCRIPT_GROUP   64   /* S and the S+ after it */
#define HAIL_SCRIPT_REJECTS 64   /* in a script */
#define HAIL_EXPECT_LINE    4096 /* bytes of a line that are compared; the rest passes */
#define HAIL_EXPECT_SHOWN   1024 /* bytes that are kept of a reply, to be shown */

enum hail_script_verb {
    HAIL_SCRIPT_EXPECT, /* S */
    HAIL_SCRIPT_ALSO,   /* S+ */
    HAIL_SCRIPT_REJECT, /* R */
    HAIL_SCRIPT_SEND    /* C */
};

struct hail_script_step {
    enum hail_script_verb verb;
    bool dot;         /* EXPECT: up to a line with a single dot */
    bool no_end;      /* SEND: no line end follows */
    unsigned line;    /* of the file; 0: of no file */
    int64_t limit_ms; /* 0: none of its own */
    char *text;       /* EXPECT, ALSO, REJECT: as written, NUL-ended; SEND: the bytes */
    size_t n;
};

/* Owns the steps. Begin with {0}; hail_script_free() at the end. */
struct hail_script {
    struct hail_script_step *v;
    size_t n, cap;
    size_t rejects;
};

/* Appends a step, its text checked. -EINVAL: malformed, with the column in the context's message;
 * -E2BIG: too many or too long; -ENOMEM. */
int hail_script_add(struct hail_ctx *ctx, struct hail_script *s, enum hail_script_verb verb,
                    const char *text, size_t n);

/* Appends the steps of a file's content; `name` is the file's in messages, "name:LINE:COLUMN: ...".
 * Fails as above. */
int hail_script_parse(struct hail_ctx *ctx, struct hail_script *s, const char *name, const char *p,
                      size_t n);
void hail_script_free(struct hail_script *s);

/* The first step from `at` on that has to be done: an EXPECT or SEND; s->n at the end. */
size_t hail_script_step(const struct hail_script *s, size_t at);

/* --- script_regex.c --- */

/* Where something is wrong: an offset into the text, and why, a static string. */
struct hail_script_fault {
    size_t at;
    const char *why;
};

/* Undoes the escapes of a text; *no_end: it ends with \c. `out` takes n bytes at most. 0, or
 * -EINVAL with *fault. */
int hail_script_unescape(const char *p, size_t n, char *out, size_t *len, bool *no_end,
                         struct hail_script_fault *fault);

/* Compiles a pattern for hail_script_match(); regfree(3) it. 0, -EINVAL with *fault, or -ENOMEM. */
int hail_script_compile(const char *p, size_t n, regex_t *re, struct hail_script_fault *fault);

/* Whether a line matches, which may hold any bytes; p[n] is a NUL. */
bool hail_script_match(const regex_t *re, const char *p, size_t n);

/* Appends bytes as a regular expression that matches them and nothing else, or as a text, in
 * printable characters. Return out->failed. */
int hail_script_quote(struct hail_buf *out, const char *p, size_t n);
int hail_script_escape(struct hail_buf *out, const char *p, size_t n);

/* --- expect.c --- */

enum hail_expect_verdict {
    HAIL_EXPECT_MORE,     /* nothing is decided yet */
    HAIL_EXPECT_MET,      /* the reply that was waited for */
    HAIL_EXPECT_REJECTED, /* one that must not come: `rejected` is the step */
    HAIL_EXPECT_WRONG     /* an answer, and another than was waited for */
};

/* Waits for one reply. About 14 KB; begin with {0}. Fields up to `n` may be read. */
struct hail_expect {
    char reply[HAIL_EXPECT_SHOWN]; /* the front of the reply that came last, lines ended by LF */
    size_t nreply;
    size_t passed;                   /* replies that came and were none of those meant */
    size_t rejected;                 /* REJECTED: the step */
    size_t lines;                    /* of the reply; 0: none has begun */
    char line[HAIL_EXPECT_LINE + 1]; /* the front of a line that has no end yet */
    size_t n; /* ... and its length; more than HAIL_EXPECT_LINE: the rest has passed */
    /* private from here on */
    const struct hail_script *script;
    regex_t want[HAIL_SCRIPT_GROUP], reject[HAIL_SCRIPT_REJECTS];
    size_t reject_step[HAIL_SCRIPT_REJECTS];
    size_t nwant, nreject;
    uint64_t met; /* of `want`, by this reply */
    bool dot, inside, dotted, answer;
    char code[4];
};

/* Waits for the reply of step `at`, an EXPECT; or, when `at` is script->n, for none, so that only
 * rejected ones are found. What was kept of a line stays. 0, or -ENOMEM. */
int hail_expect_begin(struct hail_expect *e, const struct hail_script *script, size_t at);
void hail_expect_free(struct hail_expect *e);

/* Takes bytes up to the end of the reply that decides, or all. Returns how many. */
size_t hail_expect_take(struct hail_expect *e, const char *p, size_t n,
                        enum hail_expect_verdict *verdict);

/* Nothing more has come for a while: a line without an end, which is no answer that has begun, may
 * be a prompt. It is taken if it matches. */
enum hail_expect_verdict hail_expect_quiet(struct hail_expect *e);

/* The stream has ended: so has the line. */
enum hail_expect_verdict hail_expect_end(struct hail_expect *e);

/* Whether a line is an answer, and which. `code` gets its three digits, or ""; *more: they are
 * those of a reply that goes on. BEGINS: 1yz, another follows. */
enum hail_answer { HAIL_ANSWER_NONE, HAIL_ANSWER_BEGINS, HAIL_ANSWER_OK, HAIL_ANSWER_REFUSAL };
enum hail_answer hail_answer_of(const char *p, size_t n, char code[4], bool *more);
/* ... and whether one that is not over may become an answer. */
bool hail_answer_may_come(const char *p, size_t n);

/* --- script_write.c --- */

#define HAIL_SCRIPT_QUOTED 250  /* bytes of a line that comes that are written down */
#define HAIL_SCRIPT_SPOKEN 8192 /* bytes of a line that is said until it is cut in two */

/* Writes a conversation down, so that it can be read as a script that is met by the same replies.
 * The text is appended to `out`, which its owner writes and clears; its failures are remembered
 * there. */
struct hail_script_writer {
    struct hail_buf *out;
    /* private from here on */
    struct hail_buf reply; /* what is written of a reply that has no end yet */
    int64_t came_at, said_at;
    size_t lines;                                            /* of the reply */
    char came[HAIL_SCRIPT_QUOTED], said[HAIL_SCRIPT_SPOKEN]; /* a line that has no end yet */
    size_t ncame, nsaid;
    bool cut, cr; /* bytes of the line that comes were left away; the last one was a CR */
    char code[4]; /* of a reply that goes on; "": none does */
};

void hail_script_writer_init(struct hail_script_writer *w, struct hail_buf *out);
void hail_script_writer_free(struct hail_script_writer *w);

/* Bytes that came, or were said, `ns` nanoseconds since the beginning. */
void hail_script_writer_came(struct hail_script_writer *w, int64_t ns, const char *p, size_t n);
void hail_script_writer_said(struct hail_script_writer *w, int64_t ns, const char *p, size_t n);

/* The conversation is over: what has no end is written as well. */
void hail_script_writer_end(struct hail_script_writer *w);

#endif
