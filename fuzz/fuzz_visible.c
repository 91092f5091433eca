/* fuzz_visible.c - a conversation shown never holds what a terminal acts on; a session never holds
 * ENQ, nor more than came; both are the same in any pieces. */
#include "base/text.h"
#include "base/visible.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void run(struct hail_buf *out, enum hail_visible_mode mode, bool utf8, const uint8_t *p,
                size_t n, size_t piece)
{
    struct hail_visible v;
    hail_visible_init(&v, mode, utf8);
    hail_buf_init(out, HAIL_VISIBLE_GROWTH * (n + 4) + HAIL_VISIBLE_HELD);
    for (size_t i = 0; i < n; i += piece) {
        size_t now = n - i < piece ? n - i : piece;
        hail_visible_add(&v, out, p + i, now);
    }
    must(hail_visible_end(&v, out) == 0);
}

static void harmless(const struct hail_buf *b, bool utf8)
{
    for (size_t i = 0; i < b->len;) {
        uint32_t cp;
        size_t n = hail_utf8_next(b->p + i, b->len - i, &cp);
        must(n > 0 && (utf8 || cp < 0x80));
        bool line = cp == '\n' || cp == '\t' || (cp == '\r' && b->p[i + 1] == '\n');
        must(line || !hail_utf8_unsafe(cp));
        i += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum hail_visible_mode mode = data[0] & 1 ? HAIL_VISIBLE_SESSION : HAIL_VISIBLE_CONVERSATION;
    bool utf8 = data[0] & 2;
    size_t piece = (size_t)data[1] + 1;
    struct hail_buf whole, pieces;
    run(&whole, mode, utf8, data + 2, size - 2, size);
    run(&pieces, mode, utf8, data + 2, size - 2, piece);
    must(whole.len == pieces.len && (!whole.len || !memcmp(whole.p, pieces.p, whole.len)));
    if (mode == HAIL_VISIBLE_CONVERSATION) {
        harmless(&whole, utf8);
    } else if (whole.len) {
        static const char *const never[] = {"\005", "\033]52;", "\033P$q", "\302\235", "\302\220"};
        for (size_t i = 0; i < sizeof never / sizeof *never; i++)
            must(!memmem(whole.p, whole.len, never[i], strlen(never[i])));
        must(utf8 || !memchr(whole.p, 0x9D, whole.len));
    }
    hail_buf_free(&whole);
    hail_buf_free(&pieces);
    return 0;
}
