/* fuzz_http_response.c - responses' heads: what is read whole is read byte by byte, lies in the
 * buffer, and when written is read again as the same. */
#include <hail/http.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool same(struct hail_slice a, struct hail_slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void inside(struct hail_slice s, const char *buf, size_t len)
{
    must(s.n == 0 || (s.p >= buf && s.p + s.n <= buf + len));
}

static void init(struct hail_http_head *h, struct hail_http_field *v)
{
    static const struct hail_http_limits limits = {.line = 256, .head = 1024};
    hail_http_head_init(h, v, FIELDS, &limits);
}

/* One byte more each time. An error may be told only when the line is complete: that is why an LF
 * is behind the bytes. */
static void bytewise(const struct hail_http_head *whole, ssize_t rc, enum hail_http_method asked,
                     const char *buf, size_t len)
{
    struct hail_http_field v[FIELDS];
    struct hail_http_head h;
    ssize_t got = -EAGAIN;
    init(&h, v);
    for (size_t n = 0; got == -EAGAIN && n <= len + (rc == -EPROTO); n++)
        got = hail_http_response_parse(&h, asked, buf, n);
    must(got == rc && h.error == whole->error && h.error_at == whole->error_at);
    must(rc < 0 || (h.fields.n == whole->fields.n && h.framing == whole->framing &&
                    h.keep_alive == whole->keep_alive && h.status == whole->status));
}

static void rewritten(const struct hail_http_head *h, enum hail_http_method asked)
{
    char text[2048], reason[257] = "";
    struct hail_http_field v[FIELDS];
    struct hail_http_head again;
    struct hail_http_out o = {.p = text, .size = sizeof text};
    if (h->reason.n)
        memcpy(reason, h->reason.p, h->reason.n);
    hail_http_put_status(&o, h->status, reason, h->minor);
    for (size_t i = 0; i < h->fields.n; i++)
        hail_http_put_slices(&o, h->fields.v[i].name, h->fields.v[i].value);
    ssize_t n = hail_http_put_end(&o);
    hail_http_head_init(&again, v, FIELDS, NULL);
    must(n > 0 && hail_http_response_parse(&again, asked, text, (size_t)n) == n);
    must(again.status == h->status && same(again.reason, h->reason) &&
         again.framing == h->framing && again.length == h->length &&
         again.keep_alive == h->keep_alive && again.fields.n == h->fields.n);
    for (size_t i = 0; i < h->fields.n; i++)
        must(same(v[i].name, h->fields.v[i].name) && same(v[i].value, h->fields.v[i].value));
}

/* The first byte chooses the request's method. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum hail_http_method asked = (enum hail_http_method)(data[0] % (HAIL_HTTP_PATCH + 1));
    data++;
    size--;
    char *exact = malloc(size + (size == 0)), *longer = malloc(size + 1);
    struct hail_http_field v[FIELDS];
    struct hail_http_head h;
    must(exact && longer);
    memcpy(longer, data, size);
    longer[size] = '\n';
    memcpy(exact, data, size);
    init(&h, v);
    ssize_t rc = hail_http_response_parse(&h, asked, exact, size);
    must(rc == -EAGAIN || rc == -EPROTO || (rc > 0 && (size_t)rc <= size));
    must((rc == -EPROTO) == (h.error != HAIL_HTTP_OK) && h.error_at <= size);
    bytewise(&h, rc, asked, longer, size);
    if (rc > 0) {
        must(h.status >= 100 && h.status <= 999);
        inside(h.reason, exact, (size_t)rc);
        for (size_t i = 0; i < h.fields.n; i++) {
            inside(v[i].name, exact, (size_t)rc);
            inside(v[i].value, exact, (size_t)rc);
        }
        rewritten(&h, asked);
    }
    free(exact);
    free(longer);
    return 0;
}
