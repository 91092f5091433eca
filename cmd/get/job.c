/* job.c - one URL, from the first request to the last byte: as many exchanges as it takes.
 *
 *     ask -> head --+-- 401 that can be answered --------> ask again
 *                   +-- 3xx with -L ---------------------> ask elsewhere
 *                   +-- 503 and its like, with --retry --> wait, ask again
 *                   +-- the answer -> content --+-- whole: done
 *                                               +-- cut off: ask for the rest
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct get_hop *get_last(const struct get_job *job)
{
    return job->nhops ? &job->hops[job->nhops - 1] : NULL;
}

static void hop_free(struct get_hop *h)
{
    free(h->url);
    free(h->attempts);
    free(h->request);
    free(h->head);
    free(h->tls.alpn);
    free(h->tls.subject);
    free(h->tls.issuer);
    free(h->tls.names);
    free(h->tls.refused);
    hail_buf_free(&h->captured);
}

void get_job_free(struct get_job *j)
{
    for (size_t i = 0; i < j->nhops; i++)
        hop_free(&j->hops[i]);
    free(j->hops);
    free(j->referer);
    free(j->sink.name);
    hail_buf_free(&j->heads);
    get_upload_close(&j->upload);
    j->hops = NULL;
    j->referer = j->sink.name = NULL;
    j->nhops = j->hops_room = 0;
}

/* --- the URL --- */

/* -G and --url-query: in front of the fragment; `text` is not empty. */
static void add_query(struct get_session *s, struct hail_buf *text)
{
    const struct hail_buf *q = &s->asked->query;
    size_t hash = strcspn(text->p, "#");
    char *fragment = strdup(text->p + hash);
    text->len = hash;
    bool has = memchr(text->p, '?', hash) != NULL;
    hail_buf_printf(text, "%s",
                    has ? text->p[hash - 1] == '?' || text->p[hash - 1] == '&' ? "" : "&" : "?");
    hail_buf_add(text, q->p, q->len);
    if (fragment)
        hail_buf_str(text, fragment);
    free(fragment);
}

/* -T puts the file's name behind a URL that ends in '/'. */
static void add_name(const struct get_job *j, struct hail_buf *text)
{
    const char *slash = strrchr(j->upload_file, '/');
    const char *name = slash ? slash + 1 : j->upload_file;
    const char *authority = strstr(text->p, "://"), *at = authority ? authority + 3 : text->p;
    char encoded[1024];
    size_t n = strcspn(text->p, "?#");
    if (strcmp(j->upload_file, "-") == 0 || strcmp(j->upload_file, ".") == 0 || text->p[n])
        return;
    if (!strchr(at, '/'))
        hail_buf_char(text, '/');
    if (text->p[text->len - 1] == '/' &&
        hail_url_encode_path(hail_slice(name), encoded, sizeof encoded) > 0)
        hail_buf_str(text, encoded);
}

static const char *first_method(const struct get_session *s, const struct get_job *j)
{
    if (s->asked->method)
        return s->asked->method;
    return s->asked->head ? "HEAD" : j->upload_file ? "PUT" : j->upload.there ? "POST" : "GET";
}

int get_job_prepare(struct get_session *s, struct get_job *j)
{
    struct hail_ctx *ctx = &s->c.ctx;
    struct hail_url *u = &j->url;
    struct hail_buf text;
    hail_buf_init(&text, (size_t)2 * HAIL_URL_MAX);
    hail_buf_str(&text, j->text);
    if (j->upload_file && text.p && text.len)
        add_name(j, &text);
    if (s->asked->query.len && text.p && text.len)
        add_query(s, &text);
    int rc = text.failed ? hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "get", "the URL is too long")
             : s->asked->path_as_is ? hail_url_parse_as_is(ctx, u, text.p ? text.p : "")
                                    : hail_url_parse(ctx, u, text.p ? text.p : "");
    hail_buf_free(&text);
    j->first = *u;
    j->method = first_method(s, j);
    return rc;
}

/* --- one exchange --- */

static int begin_hop(struct get_session *s, const char *why)
{
    struct get_job *j = s->job;
    if (j->nhops == j->hops_room) {
        size_t room = j->hops_room ? 2 * j->hops_room : 4;
        struct get_hop *v = room <= GET_HOPS ? realloc(j->hops, room * sizeof *v) : NULL;
        if (!v)
            return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ENOMEM, "get",
                             "get %s: more than %d requests", j->text, GET_HOPS);
        j->hops = v;
        j->hops_room = room;
    }
    s->hop = &j->hops[j->nhops++];
    *s->hop = (struct get_hop){.why = why,
                               .url = strdup(j->url.text),
                               .method = j->method,
                               .https = j->url.https,
                               .wall = time(NULL),
                               .start_ns = hail_now()};
    hail_buf_init(&s->hop->captured, GET_CAPTURE + 1);
    s->conn = NULL;
    s->head_size = s->len = 0;
    s->decoder = NULL;
    return s->hop->url ? 0 : -ENOMEM;
}

static void save_etag(struct get_session *s)
{
    const struct hail_http_field *f = get_field(s, "ETag");
    FILE *out = s->asked->etag_save && f ? fopen(s->asked->etag_save, "we") : NULL;
    if (!out)
        return;
    fwrite(f->value.p, 1, f->value.n, out);
    fputc('\n', out);
    fclose(out);
}

static void note_answer(struct get_session *s)
{
    struct get_job *j = s->job;
    const struct hail_http_field *type = get_field(s, "Content-Type");
    struct hail_url to;
    struct hail_error err = s->c.ctx.err;
    j->content_type[0] = j->redirect_url[0] = '\0';
    if (type)
        snprintf(j->content_type, sizeof j->content_type, "%.*s", (int)type->value.n,
                 type->value.p);
    if (get_location(s, &to) == 1)
        memcpy(j->redirect_url, to.text, to.len + 1U);
    s->c.ctx.err = err;
    save_etag(s);
}

/* The response is the answer: its content goes out. */
static int take_answer(struct get_session *s)
{
    struct get_job *j = s->job;
    note_answer(s);
    get_pipeline_yield(s);
    int rc = get_resume_check(s);
    if (rc != 0)
        return rc;
    if (s->head.status == 200 && !j->resume.skip)
        get_resume_note(s);
    if (get_refused(s) && !s->asked->fail_body) {
        j->refused = true;
        return get_drain(s);
    }
    get_progress_total(s, s->head.framing == HAIL_HTTP_LENGTH ? (int64_t)s->head.length : -1,
                       j->resume.have);
    bool none = s->head.framing == HAIL_HTTP_NO_BODY;
    rc = none && (!j->output || s->head.status == 304) ? 0 : get_sink_open(s);
    j->refused = get_refused(s);
    return rc < 0 ? rc : get_content(s);
}

enum step { DONE, REDIRECT, LOGIN, AGAIN, RESUME, UNEXPECTED };

/* What the head of the response leads to; *rc is the outcome when it is DONE. */
static enum step decide(struct get_session *s, int *rc)
{
    get_cookies_take(s);
    if ((*rc = get_login_answer(s)) != 0) {
        if (*rc == 1)
            get_drain(s);
        return *rc == 1 ? LOGIN : DONE;
    }
    if ((*rc = get_redirect(s)) != 0) {
        if (*rc == 1)
            get_drain(s);
        return *rc == 1 ? REDIRECT : DONE;
    }
    if (s->head.status == 417 && get_expects(s) && !get_replaced(s, "Expect") &&
        get_upload_again(s)) { /* RFC 9110 section 10.1.1 */
        s->job->unexpected = true;
        get_drain(s);
        return UNEXPECTED;
    }
    if (s->asked->retry > 0 && get_retry(s, 0)) {
        get_drain(s);
        hail_buf_clear(&s->job->heads);
        return AGAIN;
    }
    *rc = take_answer(s);
    if (*rc == 2) {
        get_drain(s);
        return RESUME;
    }
    return DONE;
}

static int one(struct get_session *s, enum step *step)
{
    static const char *const whys[] = {"first", "redirect", "login", "retry", "resume", "417"};
    int rc = begin_hop(s, whys[*step]);
    if (rc < 0)
        return rc;
    get_login_begin(s);
    rc = get_exchange(s);
    *step = DONE;
    if (rc == 0)
        *step = decide(s, &rc);
    if (rc < 0) {
        s->hop->failed = true;
        s->hop->err = s->c.ctx.err;
        s->hop->end_ns = hail_now();
    }
    get_finish(s, rc);
    if (rc < 0 && get_retry(s, rc)) {
        *step = s->job->resume.asked ? RESUME : AGAIN;
        rc = 0;
    }
    return rc < 0 ? rc : 0;
}

/* What -C and an earlier run ask for. */
static void begin_resume(struct get_session *s, struct get_job *j)
{
    struct get_resume *r = &j->resume;
    struct hail_buf name;
    struct stat st;
    get_resume_forget(r);
    if (s->asked->resume == GET_RESUME_NO) {
        if (j->output && !s->asked->range && !s->asked->compressed && !j->upload.there &&
            strcmp(j->method, "GET") == 0)
            get_file_find(s);
        return;
    }
    if (j->upload_file)
        return;
    hail_buf_init(&name, 8192);
    r->have = s->asked->resume > 0 ? (uint64_t)s->asked->resume : 0;
    if (s->asked->resume == GET_RESUME_AUTO && get_file_name(s, &name) == 1 &&
        stat(name.p, &st) == 0 && S_ISREG(st.st_mode))
        r->have = (uint64_t)st.st_size;
    r->asked = r->have > 0;
    hail_buf_free(&name);
}

/* --- dry run --- */

static int dry_run(struct get_session *s)
{
    int rc = begin_hop(s, "first");
    rc = rc < 0 ? rc : get_route(s, &s->job->url, &s->route);
    get_login_begin(s);
    rc = rc < 0 ? rc : get_request(s);
    if (rc < 0)
        return rc;
    fwrite(s->request.p, 1, s->request.len, stdout);
    bool chunked = get_chunked(s);
    ssize_t n = 0;
    while (s->job->upload.there && (n = get_upload_read(s, s->chunk, GET_CHUNK)) > 0) {
        if (chunked)
            printf("%zx\r\n", (size_t)n);
        fwrite(s->chunk, 1, (size_t)n, stdout);
        if (chunked)
            fputs("\r\n", stdout);
    }
    if (chunked && n == 0)
        fputs("0\r\n\r\n", stdout);
    s->hop->complete = true;
    return n < 0 ? (int)n : 0;
}

/* --- the whole --- */

/* A URL that gives -O no name is not asked for, unless the server may give one. */
static int check_name(struct get_session *s, const struct get_job *j)
{
    struct hail_buf name;
    if (!j->output || s->asked->disposition)
        return 0;
    hail_buf_init(&name, 8192);
    int rc = get_file_name(s, &name);
    hail_buf_free(&name);
    return rc < 0 ? rc : 0;
}

static int all(struct get_session *s)
{
    struct get_job *j = s->job;
    enum step step = DONE;
    int rc = get_upload_open(s, j);
    rc = rc < 0 ? rc : get_job_prepare(s, j);
    if (s->asked->referer) {
        size_t n = strlen(s->asked->referer);
        bool follows = n >= 5 && strcmp(s->asked->referer + n - 5, ";auto") == 0;
        j->referer = strndup(s->asked->referer, follows ? n - 5 : n);
    }
    rc = rc < 0 ? rc : check_name(s, j);
    if (rc < 0 || s->asked->dry_run)
        return rc < 0 ? rc : dry_run(s);
    begin_resume(s, j);
    do
        rc = one(s, &step);
    while (rc == 0 && step != DONE);
    return rc;
}

void get_job(struct get_session *s, struct get_job *j)
{
    struct hail_deadline by = s->c.ctx.by;
    s->job = j;
    s->hop = NULL;
    j->start_ns = hail_now();
    j->by = s->asked->max_s > 0
                ? hail_deadline_min(by, hail_deadline_in((int64_t)(s->asked->max_s * 1000)))
                : by;
    hail_buf_init(&j->heads, 1 << 20);
    s->c.ctx.err = (struct hail_error){0};
    get_progress_begin(s);
    int rc = all(s);
    get_progress_end(s);
    struct hail_error err = s->c.ctx.err;
    int closed = get_sink_close(s, rc == 0);
    if (rc < 0)
        s->c.ctx.err = err;
    rc = rc < 0 ? rc : closed;
    j->end_ns = hail_now();
    j->err = s->c.ctx.err;
    j->status = rc < 0       ? j->err.errnum == EBADMSG ? STATUS_NO : status_of(&j->err)
                      : j->refused ? STATUS_NO
                             : STATUS_DONE;
    if (rc == 0)
        j->err.errnum = 0;
    s->c.ctx.by = by;
}
