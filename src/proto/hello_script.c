/* hello_script.c - the caller's own words: what is sent, what has to come, what must not
 * (proto/script.h); proto/hello.h. Nothing is added to what is sent. */
#include "proto/hello.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The next step that waits for something, with what is said before it. */
static int go_on(struct hail_hello *h, size_t at)
{
    const struct hail_script *s = h->opts->script;
    struct hail_expect *e = h->more;
    for (at = hail_script_step(s, at); at < s->n && s->v[at].verb == HAIL_SCRIPT_SEND;
         at = hail_script_step(s, at + 1))
        if (hail_hello_send(h, s->v[at].text, s->v[at].n) < 0)
            return -ENOMEM;
    h->state = (int)at;
    h->quiet_is_end = at < s->n;
    if (at == s->n && (s->rejects == 0 || h->greeted)) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    if (hail_expect_begin(e, s, at) < 0)
        return hail_hello_fail(h, -ENOMEM, "out of memory");
    return HAIL_HELLO_MORE;
}

static int begin(struct hail_hello *h)
{
    h->more = calloc(1, sizeof(struct hail_expect));
    if (!h->more)
        return hail_hello_fail(h, -ENOMEM, "out of memory");
    return go_on(h, 0);
}

static void note_reply(struct hail_hello *h)
{
    const struct hail_expect *e = h->more;
    const char *end = memchr(e->reply, '\n', e->nreply);
    if (!h->greeted)
        hail_hello_note(h, "banner", e->reply, end ? (size_t)(end - e->reply) : e->nreply);
    h->greeted = true;
}

static int decided(struct hail_hello *h, enum hail_expect_verdict verdict)
{
    const struct hail_script *s = h->opts->script;
    const struct hail_expect *e = h->more;
    char text[HAIL_HELLO_LOOKS], wanted[HAIL_HELLO_LOOKS];
    switch (verdict) {
    case HAIL_EXPECT_MET:
        note_reply(h);
        return go_on(h, (size_t)h->state + 1);
    case HAIL_EXPECT_REJECTED:
        note_reply(h);
        h->mismatch = true;
        return hail_hello_fail(h, -ECONNREFUSED, "the service says: %s",
                               hail_hello_quote(text, e->reply, e->nreply));
    case HAIL_EXPECT_WRONG:
        note_reply(h);
        h->mismatch = true;
        return hail_hello_fail(
            h, -ECONNREFUSED, "expected '%s', the service says: %s",
            hail_hello_quote(wanted, s->v[h->state].text, strlen(s->v[h->state].text)),
            hail_hello_quote(text, e->reply, e->nreply));
    default: /* with nothing but rejected replies, any other will do */
        if ((size_t)h->state < s->n || e->passed == 0)
            return HAIL_HELLO_MORE;
        note_reply(h);
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    enum hail_expect_verdict verdict;
    *used = hail_expect_take(h->more, p, n, &verdict);
    return decided(h, verdict);
}

/* A prompt has no line end. */
static int quiet(struct hail_hello *h)
{
    return decided(h, hail_expect_quiet(h->more));
}

static int end(struct hail_hello *h)
{
    struct hail_expect *e = h->more;
    char wanted[HAIL_HELLO_LOOKS];
    int rc = decided(h, hail_expect_end(e));
    if (rc != HAIL_HELLO_MORE)
        return rc;
    const struct hail_script *s = h->opts->script;
    if ((size_t)h->state == s->n)
        return HAIL_HELLO_MORE;
    h->mismatch = true;
    return hail_hello_fail(
        h, -ECONNREFUSED, "the connection was closed, and '%s' did not come",
        hail_hello_quote(wanted, s->v[h->state].text, strlen(s->v[h->state].text)));
}

static void release(struct hail_hello *h)
{
    if (h->more)
        hail_expect_free(h->more);
    free(h->more);
}

const struct hail_hello_ops hail_hello_script = {.name = "script",
                                                 .title = "what was asked for",
                                                 .begin = begin,
                                                 .take = take,
                                                 .quiet = quiet,
                                                 .end = end,
                                                 .free = release};
