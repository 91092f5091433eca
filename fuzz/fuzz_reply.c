/* fuzz_reply.c - replies of any service, with lines said in between: explanations are printable and
 * the same in any pieces. A line of input that begins with '>' is said. */
#include "proto/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void printable(const char text[HAIL_REPLY_TEXT])
{
    must(memchr(text, '\0', HAIL_REPLY_TEXT) != NULL);
    for (const char *p = text; *p; p++)
        must(*p >= ' ' && *p < 0x7F);
}

static void come(struct hail_reply *r, const char *p, size_t n, size_t piece, struct hail_buf *out)
{
    for (size_t i = 0; i < n;) {
        char text[HAIL_REPLY_TEXT];
        size_t now = n - i < piece ? n - i : piece;
        size_t took = hail_reply_take(r, p + i, now, text);
        must(took > 0 && took <= now);
        printable(text);
        must(!text[0] || p[i + took - 1] == '\n');
        hail_buf_str(out, text);
        i += took;
    }
}

static void run(const char *p, size_t n, enum hail_talk talk, size_t piece, struct hail_buf *out)
{
    struct hail_reply r;
    hail_reply_init(&r, talk);
    hail_buf_init(out, 1 << 26);
    while (n) {
        const char *lf = memchr(p, '\n', n);
        size_t len = lf ? (size_t)(lf - p) + 1 : n;
        if (p[0] == '>') {
            hail_buf_char(out, hail_reply_secret(&r, p + 1, len - 1) ? 's' : 'o');
            hail_reply_said(&r, p + 1, len - 1);
        } else {
            come(&r, p, len, piece, out);
        }
        must(r.talk < HAIL_TALK_N && r.n < HAIL_REPLY_LINE && r.unanswered <= 32);
        p += len;
        n -= len;
    }
    must(!out->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum hail_talk talk = (enum hail_talk)(data[0] % HAIL_TALK_N);
    struct hail_buf whole, pieces;
    run((const char *)data + 2, size - 2, talk, size, &whole);
    run((const char *)data + 2, size - 2, talk, (size_t)data[1] % 16 + 1, &pieces);
    must(whole.len == pieces.len && (!whole.len || !memcmp(whole.p, pieces.p, whole.len)));
    hail_buf_free(&whole);
    hail_buf_free(&pieces);
    return 0;
}
