/* encode.c - compressing a file in a thread, once: who asks for it meanwhile waits.
 *
 *      serve_encode() --> make() in a thread --> made() in the loop --> the waiting go on
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct serve_encoding {
    struct hail_task task;
    struct serve_worker *worker;
    struct serve_file *file; /* a reference, so that what is read stays */
    enum hail_coding coding;
    struct serve_conn *waiting;
    struct hail_buf out;
    int rc;
};

static void make(struct hail_task *task)
{
    struct serve_encoding *e = (struct serve_encoding *)task; /* its first member */
    const struct serve_form *plain = &e->file->forms[HAIL_CODING_IDENTITY];
    char *own = plain->blob ? NULL : serve_read_all(plain->fd, (size_t)plain->size);
    const char *p = plain->blob ? plain->blob->p : own;
    e->rc = p ? hail_encode(e->coding, p, (size_t)plain->size, &e->out) : -EIO;
    free(own);
}

/* The form is ready, if there is a gain. */
static void keep(struct serve_encoding *e)
{
    const struct serve_form *plain = &e->file->forms[HAIL_CODING_IDENTITY];
    struct serve_form *m = &e->file->forms[e->coding];
    m->state = SERVE_FORM_USELESS;
    if (e->rc < 0 || e->out.len >= plain->size)
        return;
    char *p = realloc(e->out.p, e->out.len);
    m->blob = serve_blob_new(p ? p : e->out.p, e->out.len);
    m->size = e->out.len;
    e->out.p = NULL;
    if (!m->blob)
        return;
    m->state = SERVE_FORM_READY;
    m->st = plain->st;
    hail_etag_of_file(plain->size,
                      plain->st.st_mtim.tv_sec * 1000000000LL + plain->st.st_mtim.tv_nsec,
                      plain->st.st_ino, e->coding, m->etag);
    serve_cache_account(e->worker, (int64_t)m->size);
}

static void made(struct hail_task *task)
{
    struct serve_encoding *e = (struct serve_encoding *)task;
    struct serve_worker *w = e->worker;
    e->file->forms[e->coding].encoding = NULL;
    keep(e);
    serve_wake(&e->waiting);
    serve_file_put(w, e->file);
    hail_buf_free(&e->out);
    free(e);
}

bool serve_encode(struct serve_conn *k, struct serve_file *f, enum hail_coding c)
{
    struct serve_form *m = &f->forms[c];
    struct serve_encoding *e = m->encoding;
    if (!e) {
        e = malloc(sizeof *e);
        m->state = SERVE_FORM_USELESS; /* unless it comes to something */
        if (!e)
            return false;
        *e = (struct serve_encoding){
            .task = {.run = make, .done = made}, .worker = k->worker, .file = f, .coding = c};
        hail_buf_init(&e->out, SERVE_ENCODE_MAX * 2);
        if (hail_work_add(k->worker->work, &e->task) < 0) {
            free(e);
            return false;
        }
        f->refs++;
        m->state = SERVE_FORM_MAKING;
        m->encoding = e;
    }
    serve_wait_on(k, &e->waiting);
    return true;
}
