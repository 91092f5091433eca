/* fuzz_script.c - a script, and what comes: read and compared, the same in any pieces; and what
 * comes written down, read again, and met by the same. Input: the size of a piece, a script up to a
 * NUL, what comes. */
#include "proto/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 50 /* compared of one script */

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Every step that waits, one after another; a step that nothing has met ends it. The verdicts and
 * where they fell go to `out`. Returns the steps that were met. */
static size_t compare(const struct hail_script *s, const char *p, size_t n, size_t piece,
                      struct hail_buf *out)
{
    struct hail_expect *e = calloc(1, sizeof *e);
    size_t met = 0, i = 0;
    enum hail_expect_verdict verdict = HAIL_EXPECT_MET;
    for (size_t at = 0; at < s->n && verdict == HAIL_EXPECT_MET && met < STEPS_MAX; at++) {
        if (s->v[at].verb != HAIL_SCRIPT_EXPECT)
            continue;
        must(hail_expect_begin(e, s, at) == 0);
        verdict = HAIL_EXPECT_MORE;
        while (i < n && verdict == HAIL_EXPECT_MORE) {
            size_t now = n - i < piece ? n - i : piece;
            size_t took = hail_expect_take(e, p + i, now, &verdict);
            must(took > 0 && took <= now && (verdict != HAIL_EXPECT_MORE || took == now));
            i += took;
        }
        if (verdict == HAIL_EXPECT_MORE) {
            verdict = hail_expect_quiet(e);
            if (verdict == HAIL_EXPECT_MORE)
                verdict = hail_expect_end(e);
        }
        must(e->nreply <= HAIL_EXPECT_SHOWN && e->n <= HAIL_EXPECT_LINE + 1);
        must(verdict != HAIL_EXPECT_REJECTED || s->v[e->rejected].verb == HAIL_SCRIPT_REJECT);
        hail_buf_printf(out, "%d %zu %zu\n", (int)verdict, i, e->passed);
        met += verdict == HAIL_EXPECT_MET;
    }
    hail_expect_free(e);
    free(e);
    return met;
}

static void read_and_compare(const char *script, size_t nscript, const char *p, size_t n,
                             size_t piece)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s = {0};
    struct hail_buf whole, pieces;
    hail_buf_init(&whole, 1 << 20);
    hail_buf_init(&pieces, 1 << 20);
    if (hail_script_parse(&ctx, &s, "f", script, nscript) == 0) {
        compare(&s, p, n, n + 1, &whole);
        compare(&s, p, n, piece, &pieces);
        must(whole.len == pieces.len && (!whole.len || !memcmp(whole.p, pieces.p, whole.len)));
    }
    hail_buf_free(&whole);
    hail_buf_free(&pieces);
    hail_script_free(&s);
}

static void write_and_read(const char *p, size_t n, size_t piece)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_script s = {0};
    struct hail_buf out, verdicts;
    struct hail_script_writer *w = malloc(sizeof *w);
    hail_buf_init(&out, 1 << 26);
    hail_buf_init(&verdicts, 1 << 20);
    must(w != NULL);
    hail_script_writer_init(w, &out);
    for (size_t i = 0; i < n; i += piece) {
        hail_script_writer_came(w, (int64_t)i * 1000000, p + i, n - i < piece ? n - i : piece);
        if (i % 7 == 6)
            hail_script_writer_said(w, (int64_t)i, p, i % 20);
    }
    hail_script_writer_end(w);
    must(!out.failed);
    int rc = hail_script_parse(&ctx, &s, "f", out.p, out.len);
    must(rc == 0 || ctx.err.errnum == E2BIG);
    if (rc == 0 && piece >= n) { /* nothing was said: each reply is met by itself */
        size_t steps = 0;
        for (size_t i = 0; i < s.n; i++)
            steps += s.v[i].verb == HAIL_SCRIPT_EXPECT;
        must(compare(&s, p, n, 3, &verdicts) == (steps < STEPS_MAX ? steps : STEPS_MAX));
    }
    hail_script_writer_free(w);
    hail_script_free(&s);
    hail_buf_free(&out);
    hail_buf_free(&verdicts);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *script = (const char *)data + 1;
    size_t piece = data[0] ? data[0] : size;
    const char *nul = memchr(script, '\0', size - 1);
    size_t nscript = nul ? (size_t)(nul - script) : size - 1;
    const char *came = script + nscript + (nul != NULL);
    size_t n = (size_t)((const char *)data + size - came);
    read_and_compare(script, nscript, came, n, piece);
    if (n)
        write_and_read(came, n, piece);
    return 0;
}
