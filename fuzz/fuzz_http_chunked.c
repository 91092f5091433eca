/* fuzz_http_chunked.c - chunked content: the same whole and byte by byte, within the buffer, and
 * when written in chunks is read again as the same. */
#include <hail/http.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct content {
    int rc;
    enum hail_http_error error;
    size_t used, n, ntrailers;
    char *bytes;
};

/* Reads what is at `buf`, `step` bytes more each time; a last LF may be there for an error that is
 * told when the line is complete. */
static struct content read_all(const char *buf, size_t size, size_t step, bool lf)
{
    static const struct hail_http_head head = {
        .framing = HAIL_HTTP_CHUNKED,
        .limits = {.line = 128, .head = 512, .extension = 64, .trailer = 256}};
    struct hail_http_field v[FIELDS];
    struct hail_http_body b;
    struct content c = {.bytes = malloc(size + 1)};
    must(c.bytes != NULL);
    hail_http_body_init(&b, &head, v, FIELDS);
    size_t seen = 0, end = size + lf;
    for (;;) {
        size_t used;
        struct hail_slice data;
        const char *p = buf + c.used;
        c.rc = hail_http_body_read(&b, p, seen - c.used, &used, &data);
        must(used <= seen - c.used && data.n <= used);
        must(data.n == 0 || (data.p >= p && data.p + data.n <= p + used));
        if (data.n)
            memcpy(c.bytes + c.n, data.p, data.n);
        c.n += data.n;
        c.used += used;
        if (c.rc == 1 || c.rc == -EPROTO || (c.rc == -EAGAIN && seen == end))
            break;
        if (c.rc == -EAGAIN)
            seen = end - seen < step ? end : seen + step;
    }
    must((c.rc == -EPROTO) == (b.error != HAIL_HTTP_OK) && b.total == c.n);
    c.error = b.error;
    c.ntrailers = b.trailers.n;
    must((hail_http_body_end(&b) == 0) == (c.rc == 1));
    return c;
}

static void rewritten(const struct content *c)
{
    size_t size = c->n * 8 + 16;
    struct hail_http_out o = {.p = malloc(size), .size = size};
    must(o.p != NULL);
    for (size_t at = 0, n; at < c->n; at += n) {
        n = c->n - at < 3 ? c->n - at : 3;
        hail_http_put_chunk(&o, c->bytes + at, n);
    }
    hail_http_put_last_chunk(&o);
    ssize_t n = hail_http_put_end(&o);
    must(n > 0);
    struct content again = read_all(o.p, (size_t)n, (size_t)n, false);
    must(again.rc == 1 && again.n == c->n && memcmp(again.bytes, c->bytes, c->n) == 0);
    free(again.bytes);
    free(o.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size + (size == 0)), *longer = malloc(size + 1);
    must(exact && longer);
    memcpy(exact, data, size);
    memcpy(longer, data, size);
    longer[size] = '\n';
    struct content whole = read_all(exact, size, size + 1, false);
    struct content bytes = read_all(longer, size, 1, whole.rc == -EPROTO);
    must(whole.rc == bytes.rc && whole.error == bytes.error && whole.n == bytes.n);
    must(memcmp(whole.bytes, bytes.bytes, whole.n) == 0);
    must(whole.rc != 1 || (whole.used == bytes.used && whole.ntrailers == bytes.ntrailers));
    if (whole.rc == 1)
        rewritten(&whole);
    free(whole.bytes);
    free(bytes.bytes);
    free(exact);
    free(longer);
    return 0;
}
