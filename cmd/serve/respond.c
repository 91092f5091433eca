/* respond.c - one request: what is answered, with which status and fields.
 *
 *      method, target --> site --> file --> representation --> 200, 206, 304, 412, 416
 *                              \-> 301, 404, ... with a text
 *
 * What most requests get, all of a file, is a head that was written before, with the date of now.
 */
#include "serve.h"

#include "proto/precondition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATE_LEN (HAIL_HTTP_DATE_MAX - 1)

/* What was put into `out` and what pieces there are is the response. */
static void finish(struct serve_conn *k, int status, uint64_t content)
{
    serve_note_begin(k, status);
    if (k->b->npieces == 0)
        serve_note_end(k, content, true);
}

/* --- a file --- */

/* What the request asks for besides the file. */
enum { ASKS_IF = 1, ASKS_RANGE = 2 };

static unsigned asks(const struct hail_http_head *h)
{
    unsigned bits = 0;
    for (size_t i = 0; i < h->fields.n; i++) {
        struct hail_slice name = h->fields.v[i].name;
        char first = (char)(name.p[0] | 0x20);
        if (first == 'i' && name.n > 3 && name.p[2] == '-')
            bits |= ASKS_IF;
        else if (first == 'r' && name.n == 5 && hail_slice_is_nocase(name, "Range"))
            bits |= ASKS_RANGE;
    }
    return bits;
}

static struct hail_answer answer_of(const struct serve_worker *w, const struct serve_file *f,
                                    enum hail_coding c)
{
    const struct serve_form *m = &f->forms[c];
    return (struct hail_answer){.status = 200,
                                .minor = 1,
                                .keep_alive = true,
                                .type = f->type,
                                .length = m->size,
                                .modified = f->forms[HAIL_CODING_IDENTITY].st.st_mtim.tv_sec,
                                .etag = m->etag,
                                .cache_control = f->cache_control,
                                .coding = c ? hail_coding_name(c) : NULL,
                                .vary = serve_is_negotiated(w, f) ? "Accept-Encoding" : NULL,
                                .ranges = true,
                                .more = w->serve->more};
}

/* The head of all of the representation, but for the date; false without memory. */
static bool ready_head(struct serve_worker *w, struct serve_file *f, enum hail_coding c)
{
    static const char before_date[] = "HTTP/1.1 200 OK\r\nDate: ";
    struct serve_form *m = &f->forms[c];
    char head[SERVE_HEAD_MAX];
    if (m->head)
        return true;
    struct hail_http_out o = {.p = head, .size = sizeof head};
    struct hail_answer a = answer_of(w, f, c);
    a.date = serve_date(w);
    ssize_t n = hail_answer_head(&o, &a);
    m->head = n > 0 ? malloc((size_t)n) : NULL;
    if (!m->head)
        return false;
    memcpy(m->head, head, (size_t)n);
    m->head_len = (size_t)n;
    m->date_at = sizeof before_date - 1;
    return true;
}

static void put_ready_head(struct serve_conn *k, const struct serve_form *m)
{
    struct serve_buffers *b = k->b;
    char *p = b->out + b->out_len;
    memcpy(p, m->head, m->head_len);
    memcpy(p + m->date_at, serve_date(k->worker), DATE_LEN);
    b->out_len += m->head_len;
}

static void put_all(struct serve_conn *k, struct serve_file *f, enum hail_coding c, int status)
{
    struct serve_worker *w = k->worker;
    const struct hail_http_head *h = &k->b->head;
    const struct serve_form *m = &f->forms[c];
    bool content = h->method != HAIL_HTTP_HEAD;
    uint64_t size = content ? m->size : 0;
    if (status == 200 && h->minor == 1 && k->keep_alive && ready_head(w, f, c)) {
        put_ready_head(k, m);
    } else {
        struct hail_answer a = answer_of(w, f, c);
        a.status = status;
        if (status != 200) { /* a page of the site's own for what is not there */
            a.etag = NULL;
            a.modified = -1;
            a.ranges = false;
        }
        serve_put_head(k, &a);
    }
    if (content)
        serve_content_all(k, f, m);
    else
        serve_file_put(w, f);
    finish(k, status, size);
}

/* Several ranges: each part with a head of its own. False without memory. */
static bool put_parts(struct serve_conn *k, struct serve_file *f, enum hail_coding c,
                      const struct hail_range *r, int n)
{
    struct serve_worker *w = k->worker;
    const struct serve_form *m = &f->forms[c];
    char boundary[24], type[64], text[512];
    size_t ends[SERVE_RANGES + 1];
    struct hail_buf heads;
    hail_buf_init(&heads, sizeof text * (SERVE_RANGES + 1));
    snprintf(boundary, sizeof boundary, "%016llx",
             (unsigned long long)hail_loop_now(w->loop) * 0x9E3779B97F4A7C15ULL);
    snprintf(type, sizeof type, "multipart/byteranges; boundary=%s", boundary);
    struct hail_answer a = answer_of(w, f, c);
    a.length = 0;
    for (int i = 0; i <= n; i++) {
        int len =
            hail_range_part(i < n ? &r[i] : NULL, m->size, f->type, boundary, text, sizeof text);
        hail_buf_add(&heads, text, (size_t)len);
        ends[i] = heads.len;
        a.length += i < n ? r[i].length : 0;
    }
    struct serve_blob *blob = heads.failed ? NULL : serve_blob_new(heads.p, heads.len);
    if (!blob) {
        if (heads.failed)
            hail_buf_free(&heads);
        return false;
    }
    a.status = 206;
    a.type = type;
    a.length += blob->n;
    serve_put_head(k, &a);
    serve_content_parts(k, f, m, r, n, blob, ends);
    finish(k, 206, a.length);
    return true;
}

static void put_one_range(struct serve_conn *k, struct serve_file *f, enum hail_coding c,
                          const struct hail_range *r)
{
    char value[HAIL_CONTENT_RANGE_MAX];
    struct hail_answer a = answer_of(k->worker, f, c);
    hail_content_range(r, f->forms[c].size, value);
    a.status = 206;
    a.length = r->length;
    a.content_range = value;
    serve_put_head(k, &a);
    serve_content_range(k, f, &f->forms[c], r);
    finish(k, 206, r->length);
}

/* RFC 9110 section 14.2. False: the field is to be ignored. */
static bool put_ranges(struct serve_conn *k, struct serve_file *f, enum hail_coding c)
{
    const struct hail_http_fields *fields = &k->b->head.fields;
    const struct hail_http_field *range = hail_http_field(fields, "Range", NULL);
    struct hail_range r[SERVE_RANGES];
    char value[HAIL_CONTENT_RANGE_MAX];
    if (hail_http_field(fields, "Range", range))
        return false;
    int n = hail_ranges(range->value, f->forms[c].size, r, SERVE_RANGES);
    if (n == -ERANGE) {
        hail_content_range(NULL, f->forms[c].size, value);
        serve_file_put(k->worker, f);
        serve_put_status(k, &(struct hail_answer){.status = 416, .content_range = value});
        return true;
    }
    if (n == 1)
        put_one_range(k, f, c, r);
    return n == 1 || (n > 1 && put_parts(k, f, c, r, n));
}

static void put_not_modified(struct serve_conn *k, struct serve_file *f, enum hail_coding c)
{
    struct hail_answer a = answer_of(k->worker, f, c);
    a.status = 304;
    a.ranges = false;
    serve_put_head(k, &a);
    serve_file_put(k->worker, f);
    finish(k, 304, 0);
}

/* The representation that the request likes best, ready to be sent. False: it is being made. */
static bool choose(struct serve_conn *k, struct serve_file *f, enum hail_coding *c)
{
    struct serve_worker *w = k->worker;
    *c = HAIL_CODING_IDENTITY;
    if (!serve_is_negotiated(w, f))
        return true;
    do
        *c = serve_choose(w, f, &k->b->head.fields);
    while (f->forms[*c].state != SERVE_FORM_READY && !serve_encode(k, f, *c));
    return f->forms[*c].state == SERVE_FORM_READY;
}

static void put_file(struct serve_conn *k, struct serve_file *f, enum hail_coding c)
{
    const struct hail_http_head *h = &k->b->head;
    unsigned also = asks(h);
    if (also) {
        struct hail_validators v = {f->forms[c].etag,
                                    f->forms[HAIL_CODING_IDENTITY].st.st_mtim.tv_sec};
        int64_t now = k->worker->date_s;
        int status = also & ASKS_IF ? hail_preconditions(&h->fields, &v, now) : 0;
        if (status == 304) {
            put_not_modified(k, f, c);
            return;
        }
        if (status) {
            serve_file_put(k->worker, f);
            serve_put_status(k, &(struct hail_answer){.status = status});
            return;
        }
        if (also & ASKS_RANGE && h->method == HAIL_HTTP_GET && hail_if_range(&h->fields, &v, now) &&
            put_ranges(k, f, c))
            return;
    }
    put_all(k, f, c, 200);
}

/* --- the request --- */

bool serve_takes_content(struct serve_conn *k)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct serve_buffers *b = k->b;
    const struct hail_http_head *h = &b->head;
    bool known =
        h->method == HAIL_HTTP_GET || h->method == HAIL_HTTP_HEAD || h->method == HAIL_HTTP_OPTIONS;
    if (h->expect_other || (h->framing == HAIL_HTTP_LENGTH && h->length > SERVE_BODY_MAX) ||
        (h->expect_continue && !known) || h->framing == HAIL_HTTP_TUNNEL)
        return false;
    if (h->expect_continue) {
        memcpy(b->out + b->out_len, go_on, sizeof go_on - 1);
        b->out_len += sizeof go_on - 1;
    }
    return true;
}

bool serve_respond(struct serve_conn *k)
{
    struct serve_worker *w = k->worker;
    const struct hail_http_head *h = &k->b->head;
    struct serve_found found;
    char path[SERVE_PATH];
    bool unread = h->framing != HAIL_HTTP_NO_BODY && !k->b->content_read;
    k->keep_alive = h->keep_alive && !unread && !w->stopping;
    k->linger = unread;
    if (unread && h->framing == HAIL_HTTP_LENGTH && h->length > SERVE_BODY_MAX) {
        serve_put_status(k, &(struct hail_answer){.status = 413});
        return true;
    }
    if (k->metrics) {
        serve_respond_metrics(k);
        return true;
    }
    ssize_t n = hail_answer_path(h, path, sizeof path);
    if (n == -204 && *w->serve->preflight) {
        serve_put_status(k, &(struct hail_answer){.status = 204, .more = w->serve->preflight});
        return true;
    }
    if (w->dev && n >= 0 && serve_dev_respond(k, path))
        return true;
    if (n < 0) {
        serve_put_status(k, &(struct hail_answer){.status = (int)-n});
        return true;
    }
    serve_find(w, path, &found);
    if (found.file && found.status == 200) {
        enum hail_coding c;
        if (!choose(k, found.file, &c)) {
            serve_file_put(w, found.file);
            return false;
        }
        put_file(k, found.file, c);
    } else if (found.file)
        put_all(k, found.file, HAIL_CODING_IDENTITY, found.status);
    else if (found.folder && w->serve->o->listing)
        return serve_respond_listing(k, path);
    else if (found.status == 301)
        serve_put_slash(k, path);
    else
        serve_put_status(k, &(struct hail_answer){.status = found.status});
    return true;
}
