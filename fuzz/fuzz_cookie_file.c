/* fuzz_cookie_file.c - cookie files: what was read is fit for a request, and is written and read
 * again as the same. */
#include "proto/cookie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW      ((int64_t)1700000000)
#define FILE_MAX ((size_t)64 << 20)

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void read_lines(struct hail_cookie_jar *jar, const char *p, size_t n)
{
    while (n > 0) {
        const char *lf = memchr(p, '\n', n);
        size_t len = lf ? (size_t)(lf - p) : n, used = len + (lf != NULL), was = jar->n;
        int rc = hail_cookie_line(jar, (struct hail_slice){p, len}, NOW);
        must(rc == 1 || rc == 0 || rc == -EINVAL);
        must(rc == 1 || jar->n == was);
        p += used;
        n -= used;
    }
}

static void send_one(const struct hail_cookie_jar *jar)
{
    static struct hail_url to;
    struct hail_buf b;
    if (!to.len)
        must(hail_url_parse(NULL, &to, "https://www.a.example/dir/page") == 0);
    hail_buf_init(&b, 2 * HAIL_COOKIE_HEADER);
    hail_cookie_header(jar, &to, NOW, &b);
    must(!b.failed && b.len <= HAIL_COOKIE_HEADER);
    for (size_t i = 0; i < b.len; i++)
        must(((unsigned char)b.p[i] >= ' ' || b.p[i] == '\t') && b.p[i] != 0x7F);
    hail_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hail_cookie_jar jar = {0}, back = {0};
    struct hail_buf one, two;
    hail_buf_init(&one, FILE_MAX);
    hail_buf_init(&two, FILE_MAX);
    read_lines(&jar, (const char *)data, size);
    send_one(&jar);
    must(hail_cookie_put_lines(&jar, NOW, &one) == 0);
    read_lines(&back, one.p, one.len);
    must(hail_cookie_put_lines(&back, NOW, &two) == 0);
    must(back.n == jar.n && one.len == two.len && (!one.len || !memcmp(one.p, two.p, one.len)));
    hail_cookie_end_session(&back);
    for (const struct hail_cookie *c = back.first; c; c = c->next)
        must(c->expires > NOW);
    hail_buf_free(&one);
    hail_buf_free(&two);
    hail_cookie_jar_free(&jar);
    hail_cookie_jar_free(&back);
    return 0;
}
