/* fuzz_pretty.c - JSON and markup for a terminal: the same in any pieces, nothing of it lost but
 * JSON's blanks between tokens. Input: the size of a piece,
 * the text. */
#include "get/pretty.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)64 << 20)

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void show(bool json, bool colour, const char *p, size_t n, size_t piece,
                 struct hail_buf *out)
{
    struct pretty_json j = {.colour = colour};
    struct pretty_markup m = {.colour = colour};
    hail_buf_init(out, MOST);
    for (size_t i = 0; i < n; i += piece) {
        size_t now = n - i < piece ? n - i : piece;
        if (json)
            pretty_json_add(&j, p + i, now, out);
        else
            pretty_markup_add(&m, p + i, now, out);
    }
    if (!json)
        pretty_markup_end(&m, out);
    must(!out->failed);
}

static bool same(const struct hail_buf *a, const struct hail_buf *b)
{
    return a->len == b->len && (!a->len || memcmp(a->p, b->p, a->len) == 0);
}

/* Takes the colours out of what was shown with them. */
static void bleach(struct hail_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (b->p[i] == '\033')
            while (b->p[i] != 'm')
                must(++i < b->len);
        else
            b->p[n++] = b->p[i];
    }
    b->len = n;
}

/* Blanks may come and go between tokens alone. */
static void same_tokens(const char *p, size_t n, const struct hail_buf *shown)
{
    size_t i = 0, k = 0;
    while (i < n || k < shown->len) {
        if (i < n && k < shown->len && p[i] == shown->p[k])
            i++, k++;
        else if (k < shown->len && shown->p[k] && strchr(" \n", shown->p[k]))
            k++;
        else if (i < n && p[i] && strchr(" \t\r\n", p[i]))
            i++;
        else
            must(false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || memchr(data, '\033', size)) /* what is shown is safe before */
        return 0;
    const char *p = (const char *)data + 1;
    size_t n = size - 1, piece = (size_t)data[0] + 1;
    for (int json = 0; json < 2; json++) {
        struct hail_buf plain, colours, pieces;
        show(json, false, p, n, n + 1, &plain);
        show(json, true, p, n, n + 1, &colours);
        show(json, true, p, n, piece, &pieces);
        must(same(&colours, &pieces));
        bleach(&colours);
        must(same(&plain, &colours));
        if (json)
            same_tokens(p, n, &plain);
        else
            must(plain.len == n && (n == 0 || memcmp(plain.p, p, n) == 0));
        hail_buf_free(&plain);
        hail_buf_free(&colours);
        hail_buf_free(&pieces);
    }
    return 0;
}
