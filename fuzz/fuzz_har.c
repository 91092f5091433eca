/* fuzz_har.c - the archive of `hail get --har`: whatever servers answer and URLs hold, it is JSON
 * by RFC 8259, in UTF-8, with nothing in it that a terminal acts on. Input: what is known of the
 * exchange, then URL, request, head of the response, content and error, with a NUL between. */
#include "base/text.h"
#include "get/get.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Of cmd/, which is not linked: the file is there, so nothing fails. */
int local_error(const char *op, const char *what, int errnum)
{
    (void)op;
    (void)what;
    (void)errnum;
    abort();
}

/* --- a reader of JSON, as strict as the RFC --- */

struct reader {
    const char *p, *end;
    unsigned depth;
};

static void blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    bool there = r->p < r->end && *r->p == c;
    r->p += there;
    return there;
}

static void string(struct reader *r)
{
    must(take(r, '"'));
    while (!take(r, '"')) {
        must(r->p < r->end && (unsigned char)*r->p >= ' ' && *r->p != 0x7F);
        if (*r->p++ != '\\')
            continue;
        must(r->p < r->end && strchr("\"\\/bfnrtu", *r->p) && *r->p);
        if (*r->p++ == 'u')
            for (int i = 0; i < 4; i++, r->p++)
                must(r->p < r->end && strchr("0123456789abcdefABCDEF", *r->p) && *r->p);
    }
}

static void number(struct reader *r)
{
    take(r, '-');
    must(r->p < r->end && *r->p >= '0' && *r->p <= '9');
    bool zero = *r->p == '0';
    size_t n = strspn(r->p, "0123456789");
    must(!zero || n == 1);
    r->p += n;
    if (take(r, '.')) {
        n = strspn(r->p, "0123456789");
        must(n > 0);
        r->p += n;
    }
}

/* There are no true, false and null in an archive. */
static void value(struct reader *r)
{
    char close = *r->p == '{' ? '}' : ']';
    if (*r->p == '"') {
        string(r);
    } else if (*r->p != '{' && *r->p != '[') {
        number(r);
    } else {
        must(++r->depth <= HAIL_JSON_DEPTH);
        r->p++;
        blanks(r);
        for (bool first = true; !take(r, close); first = false) {
            must(first || take(r, ','));
            blanks(r);
            if (close == '}') {
                string(r);
                must(take(r, ':'));
                blanks(r);
            }
            must(r->p < r->end);
            value(r);
            blanks(r);
        }
        r->depth--;
    }
}

/* --- an exchange --- */

static char *part(const uint8_t **data, size_t *size, size_t *n)
{
    const uint8_t *nul = *size ? memchr(*data, 0, *size) : NULL;
    *n = nul ? (size_t)(nul - *data) : *size;
    char *p = malloc(*n + 1);
    must(p != NULL);
    if (*n)
        memcpy(p, *data, *n);
    p[*n] = '\0';
    size_t used = *n + (nul != NULL);
    *data += used;
    *size -= used;
    return p;
}

static void write_and_read(struct get_job *job)
{
    static char text[(size_t)4 << 20];
    char path[64];
    int fd = memfd_create("har", MFD_CLOEXEC);
    must(fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(get_har(path, &(struct get_ask){.kept = job}, 1) == 0);
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    must(n > 0 && (size_t)n < sizeof text - 1);
    text[n] = '\0';
    close(fd);
    must(hail_utf8_valid(text, (size_t)n));
    uint32_t cp;
    for (size_t i = 0; i < (size_t)n; i += hail_utf8_next(text + i, (size_t)n - i, &cp)) {
        must(hail_utf8_next(text + i, (size_t)n - i, &cp) > 0);
        must(cp == '\n' || !hail_utf8_unsafe(cp));
    }
    struct reader r = {.p = text, .end = text + n};
    value(&r);
    blanks(&r);
    must(r.p == r.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t nurl, nerror;
    if (size < 2)
        return 0;
    unsigned known = data[0] | (unsigned)data[1] << 8;
    data += 2;
    size -= 2;
    struct get_hop *h = calloc(1, sizeof *h);
    struct get_job *job = calloc(1, sizeof *job);
    must(h && job);
    h->url = part(&data, &size, &nurl);
    h->request = part(&data, &size, &h->request_size);
    h->head = part(&data, &size, &h->head_size);
    char *error = part(&data, &size, &nerror);
    h->method = known & 1 ? "HEAD" : "GET";
    h->minor = known >> 1 & 1;
    h->status = (int)(known % 1000);
    h->wall = (time_t)known << 17;
    h->start_ns = 1;
    h->dialled_ns = known & 4 ? 1000 : 0;
    h->connected_ns = known & 8 ? 2000 : 0;
    h->tls_ns = known & 16 ? 3000 : 0;
    h->ready_ns = known & 32 ? 4000 : 0;
    h->sent_ns = known & 64 ? 5000 : 0;
    h->first_ns = known & 128 ? 6000 : 0;
    h->end_ns = (int64_t)known << 32;
    h->sent = known & 256;
    h->content = known >> 9;
    h->err.errnum = known & 512 ? 1 : 0;
    snprintf(h->err.msg, sizeof h->err.msg, "%s", error);
    hail_buf_init(&h->captured, GET_CAPTURE);
    must(hail_buf_add(&h->captured, data, size < GET_CAPTURE ? size : GET_CAPTURE) == 0);
    job->hops = h;
    job->nhops = 1;
    write_and_read(job);
    hail_buf_free(&h->captured);
    free(error);
    free(h->head);
    free(h->request);
    free(h->url);
    free(h);
    free(job);
    return 0;
}
