/* content.c - the pieces of a response's content: all of a representation, a range, or several
 * ranges as multipart/byteranges.
 *
 * What is short is copied behind its head, so that pipelined responses leave by one write(2). The
 * rest is sent from where it is.
 */
#include "serve.h"

#include <string.h>

/* The bytes of a representation from `first` on. */
static struct serve_piece piece_of(const struct serve_form *m, uint64_t first, uint64_t n)
{
    if (m->blob)
        return (struct serve_piece){.p = m->blob->p + first, .n = n};
    return (struct serve_piece){.fd = m->fd, .at = (off_t)first, .n = n};
}

static void add(struct serve_buffers *b, struct serve_piece p)
{
    if (p.n == 0)
        return;
    b->pieces[b->npieces++] = p;
    b->total += p.n;
    b->left += p.n;
}

void serve_content_range(struct serve_conn *k, struct serve_file *f, const struct serve_form *m,
                         const struct hail_range *r)
{
    struct serve_buffers *b = k->b;
    if (m->blob && r->length <= SERVE_COPY && r->length <= SERVE_OUT - b->out_len) {
        memcpy(b->out + b->out_len, m->blob->p + r->first, r->length);
        b->out_len += r->length;
        serve_file_put(k->worker, f);
        return;
    }
    b->file = f;
    add(b, piece_of(m, r->first, r->length));
}

void serve_content_all(struct serve_conn *k, struct serve_file *f, const struct serve_form *m)
{
    serve_content_range(k, f, m, &(const struct hail_range){0, m->size});
}

void serve_content_parts(struct serve_conn *k, struct serve_file *f, const struct serve_form *m,
                         const struct hail_range *r, int n, struct serve_blob *heads,
                         const size_t *ends)
{
    struct serve_buffers *b = k->b;
    size_t at = 0;
    b->file = f;
    b->blob = heads;
    for (int i = 0; i <= n; i++) {
        add(b, (struct serve_piece){.p = heads->p + at, .n = ends[i] - at});
        at = ends[i];
        if (i < n)
            add(b, piece_of(m, r[i].first, r[i].length));
    }
}

void serve_content_blob(struct serve_conn *k, struct serve_blob *text)
{
    struct serve_buffers *b = k->b;
    b->blob = text;
    add(b, (struct serve_piece){.p = text->p, .n = text->n});
}
