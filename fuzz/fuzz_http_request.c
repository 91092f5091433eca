/* fuzz_http_request.c - requests' heads: what is read whole is read byte by byte, lies in the
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
static void bytewise(const struct hail_http_head *whole, ssize_t rc, const char *buf, size_t len)
{
    struct hail_http_field v[FIELDS];
    struct hail_http_head h;
    ssize_t got = -EAGAIN;
    init(&h, v);
    for (size_t n = 0; got == -EAGAIN && n <= len + (rc == -EPROTO); n++)
        got = hail_http_request_parse(&h, buf, n);
    must(got == rc && h.error == whole->error && h.error_at == whole->error_at);
    if (rc < 0)
        return;
    must(h.fields.n == whole->fields.n && h.framing == whole->framing);
    must(h.keep_alive == whole->keep_alive && same(h.host, whole->host));
}

static void rewritten(const struct hail_http_head *h)
{
    char text[2048];
    struct hail_http_field v[FIELDS];
    struct hail_http_head again;
    struct hail_http_out o = {.p = text, .size = sizeof text};
    char method[257] = "";
    memcpy(method, h->method_text.p, h->method_text.n);
    hail_http_put_request(&o, method, h->target, h->minor);
    for (size_t i = 0; i < h->fields.n; i++)
        hail_http_put_slices(&o, h->fields.v[i].name, h->fields.v[i].value);
    ssize_t n = hail_http_put_end(&o);
    hail_http_head_init(&again, v, FIELDS, NULL);
    must(n > 0 && hail_http_request_parse(&again, text, (size_t)n) == n);
    must(same(again.target, h->target) && same(again.path, h->path) && same(again.query, h->query));
    must(same(again.host, h->host) && same(again.upgrade, h->upgrade));
    must(again.method == h->method && again.form == h->form && again.framing == h->framing &&
         again.length == h->length && again.keep_alive == h->keep_alive &&
         again.expect_continue == h->expect_continue && again.fields.n == h->fields.n);
    for (size_t i = 0; i < h->fields.n; i++)
        must(same(v[i].name, h->fields.v[i].name) && same(v[i].value, h->fields.v[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size + (size == 0)), *longer = malloc(size + 1);
    struct hail_http_field v[FIELDS];
    struct hail_http_head h;
    must(exact && longer);
    memcpy(longer, data, size);
    longer[size] = '\n';
    memcpy(exact, data, size);
    init(&h, v);
    ssize_t rc = hail_http_request_parse(&h, exact, size);
    must(rc == -EAGAIN || rc == -EPROTO || (rc > 0 && (size_t)rc <= size));
    must((rc == -EPROTO) == (h.error != HAIL_HTTP_OK) && h.error_at <= size);
    bytewise(&h, rc, longer, size);
    if (rc > 0) {
        for (size_t i = 0; i < h.fields.n; i++) {
            inside(v[i].name, exact, (size_t)rc);
            inside(v[i].value, exact, (size_t)rc);
        }
        inside(h.target, exact, (size_t)rc);
        inside(h.host, exact, (size_t)rc);
        inside(h.query, exact, (size_t)rc);
        rewritten(&h);
    }
    free(exact);
    free(longer);
    return 0;
}
