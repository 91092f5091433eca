/* listing.c - a request for a folder without an index: what it asks for, a task in a thread that
 * makes it, and the response; listing.h.
 */
#include "listing.h"

#include "serve.h"

#include "proto/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What a thread makes for one connection. */
struct serve_page {
    struct hail_task task;
    struct serve_worker *worker;
    struct serve_conn *waiting; /* NULL: it went away meanwhile */
    struct listing listing;
    enum hail_coding coding;
    struct hail_buf out;
    int rc;
    char path[SERVE_PATH];
};

static const char *const html = "text/html";
static const char *const json = "application/json";

/* The best coding that is worth it for a page that is made once. */
static enum hail_coding coding_for(const struct hail_http_fields *fields)
{
    static const enum hail_coding liked[] = {HAIL_CODING_ZSTD, HAIL_CODING_GZIP};
    unsigned q[HAIL_CODINGS];
    hail_accept_codings(fields, q);
    for (size_t i = 0; i < sizeof liked / sizeof *liked; i++)
        if (q[liked[i]] && q[liked[i]] >= q[HAIL_CODING_IDENTITY])
            return liked[i];
    return HAIL_CODING_IDENTITY;
}

static int encode(struct serve_page *p)
{
    struct hail_buf plain = p->out;
    if (p->coding == HAIL_CODING_IDENTITY || plain.len < SERVE_ENCODE_MIN) {
        p->coding = HAIL_CODING_IDENTITY;
        return 0;
    }
    hail_buf_init(&p->out, LISTING_MAX);
    int rc = hail_encode(p->coding, plain.p, plain.len, &p->out);
    hail_buf_free(&plain);
    return rc;
}

static void make(struct hail_task *task)
{
    struct serve_page *p = (struct serve_page *)task; /* its first member */
    p->rc = listing_read(&p->listing);
    if (p->rc == 0)
        p->rc = p->listing.json ? listing_json(&p->out, &p->listing)
                                : listing_page(&p->out, &p->listing);
    listing_free(&p->listing);
    if (p->rc == 0)
        p->rc = encode(p);
}

void serve_page_free(struct serve_page *p)
{
    if (p)
        hail_buf_free(&p->out);
    free(p);
}

static void made(struct hail_task *task)
{
    struct serve_page *p = (struct serve_page *)task;
    if (!p->waiting) {
        serve_page_free(p);
        return;
    }
    p->waiting->b->page = p;
    serve_wake(&p->waiting);
}

static void make_nonce(char out[24])
{
    unsigned char random[11] = {0};
    if (getrandom(random, sizeof random, GRND_NONBLOCK) < 0)
        random[0] = 1;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(out + 2 * i, 3, "%02x", random[i]);
}

static struct serve_page *new_page(struct serve_conn *k, const char *path)
{
    const struct hail_http_head *h = &k->b->head;
    const struct serve *s = k->worker->serve;
    struct serve_page *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    snprintf(p->path, sizeof p->path, "%s", path);
    p->task = (struct hail_task){.run = make, .done = made};
    p->worker = k->worker;
    p->listing.root = s->root;
    p->listing.path = p->path;
    p->listing.hidden = s->o->hidden;
    p->listing.dev = s->o->dev;
    p->listing.json = hail_accept_type(&h->fields, json) > hail_accept_type(&h->fields, html);
    listing_query(&p->listing, h->query);
    make_nonce(p->listing.nonce);
    p->coding = coding_for(&h->fields);
    hail_buf_init(&p->out, LISTING_MAX);
    return p;
}

/* It was made: sends it. */
static void put(struct serve_conn *k, struct serve_page *p)
{
    char policy[256];
    struct hail_answer a = {.type =
                                p->listing.json ? "application/json" : "text/html; charset=utf-8",
                            .cache_control = "no-cache",
                            .coding = p->coding ? hail_coding_name(p->coding) : NULL,
                            .vary = "Accept, Accept-Encoding"};
    if (!p->listing.json) {
        snprintf(
            policy, sizeof policy,
            "default-src 'none'; style-src 'nonce-%s'; script-src 'nonce-%s'; img-src * data:; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
            p->listing.nonce, p->listing.nonce);
        a.policy = policy;
    }
    struct serve_blob *text = p->rc < 0 ? NULL : serve_blob_new(p->out.p, p->out.len);
    if (p->rc == 0)
        p->out.p = NULL;
    if (p->rc == -EACCES)
        serve_put_status(k, &(struct hail_answer){.status = 403});
    else
        serve_put_text(k, &a, text);
}

bool serve_respond_listing(struct serve_conn *k, const char *path)
{
    struct serve_page *p = k->b->page;
    if (p) {
        k->b->page = NULL;
        put(k, p);
        serve_page_free(p);
        return true;
    }
    p = new_page(k, path);
    if (p && hail_work_add(k->worker->work, &p->task) == 0) {
        serve_wait_on(k, &p->waiting);
        return false;
    }
    serve_page_free(p);
    serve_put_status(k, &(struct hail_answer){.status = 503});
    return true;
}
