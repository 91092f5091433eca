/* form.c - the representations of a file (RFC 9110 section 3.2): as it is, as a file beside it that
 * is compressed already ("app.js.br"), and compressed here.
 *
 * A small one is kept in memory, of a big one the descriptor. Compressing happens in a thread,
 * once; who asks meanwhile waits for it.
 */
#include "serve.h"

#include "os/linux/root.h"
#include "proto/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool serve_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

char *serve_read_all(int fd, size_t size)
{
    char *p = malloc(size ? size : 1);
    size_t at = 0;
    while (p && at < size) {
        ssize_t n = pread(fd, p + at, size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            free(p);
            return NULL;
        }
        at += (size_t)n;
    }
    return p;
}

/* Pages get a tag of the server's own: there is no other way to have them loaded again. */
static bool is_injected(const struct serve_worker *w, const struct serve_file *f)
{
    return w->serve->o->dev && strncmp(f->type, "text/html", 9) == 0;
}

void serve_form_load(struct serve_worker *w, struct serve_file *f, enum hail_coding c, int fd,
                     const struct stat *st)
{
    struct serve_form *m = &f->forms[c];
    uint64_t size = (uint64_t)st->st_size;
    *m = (struct serve_form){.state = SERVE_FORM_READY, .fd = fd, .size = size, .st = *st};
    hail_etag_of_file(size, st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec, st->st_ino, c,
                      m->etag);
    w->cache.open++;
    bool html = is_injected(w, f);
    if (size > (html ? SERVE_ENCODE_MAX : SERVE_SMALL))
        return;
    char *content = serve_read_all(fd, (size_t)size);
    m->blob = content ? serve_blob_new(content, (size_t)size) : NULL;
    if (!m->blob)
        return; /* the descriptor will do */
    if (html) {
        m->blob = serve_dev_inject(m->blob);
        size = m->size = m->blob->n;
    }
    close(fd);
    w->cache.open--;
    m->fd = -1;
    serve_cache_account(w, (int64_t)size);
}

void serve_form_free(struct serve_worker *w, struct serve_form *m)
{
    if (m->blob)
        serve_cache_account(w, -(int64_t)m->size);
    serve_blob_put(m->blob);
    if (m->fd >= 0) {
        close(m->fd);
        w->cache.open--;
    }
    free(m->head);
    *m = (struct serve_form){.fd = -1};
}

/* --- beside the file --- */

/* The file that holds `f` in coding `c`, which must not be older than `f`: the descriptor, -errno.
 */
static int open_beside(const struct serve_worker *w, const struct serve_file *f, enum hail_coding c,
                       struct stat *st)
{
    const struct stat *of = &f->forms[HAIL_CODING_IDENTITY].st;
    char path[SERVE_PATH + 8];
    int n = snprintf(path, sizeof path, "%s%s", f->path, hail_coding_ending(c));
    if (n < 0 || (size_t)n >= sizeof path)
        return -ENAMETOOLONG;
    int fd = hail_root_file(w->serve->root, path, st);
    if (fd < 0)
        return fd;
    bool older =
        st->st_mtim.tv_sec < of->st_mtim.tv_sec ||
        (st->st_mtim.tv_sec == of->st_mtim.tv_sec && st->st_mtim.tv_nsec < of->st_mtim.tv_nsec);
    if (S_ISREG(st->st_mode) && !older)
        return fd;
    close(fd);
    return -ENOENT;
}

bool serve_forms_look(struct serve_worker *w, struct serve_file *f)
{
    bool same = true;
    if (w->serve->only || is_injected(w, f))
        return true;
    for (int c = HAIL_CODING_IDENTITY + 1; c < HAIL_CODINGS; c++) {
        struct serve_form *m = &f->forms[c];
        struct stat st;
        int fd = open_beside(w, f, (enum hail_coding)c, &st);
        if (m->beside) {
            same = same && fd >= 0 && serve_same_file(&st, &m->st);
        } else if (fd >= 0 && m->state == SERVE_FORM_ABSENT) {
            serve_form_load(w, f, (enum hail_coding)c, fd, &st);
            m->beside = true;
            continue;
        }
        if (fd >= 0)
            close(fd);
    }
    return same;
}

/* --- choosing --- */

/* Whether compressing it here is worth a try. */
static bool is_makeable(const struct serve_worker *w, const struct serve_file *f)
{
    uint64_t size = f->forms[HAIL_CODING_IDENTITY].size;
    return w->serve->o->compress && f->compresses && size >= SERVE_ENCODE_MIN &&
           size <= SERVE_ENCODE_MAX;
}

bool serve_is_negotiated(const struct serve_worker *w, const struct serve_file *f)
{
    bool coded = is_makeable(w, f);
    for (int c = HAIL_CODING_IDENTITY + 1; c < HAIL_CODINGS; c++)
        coded = coded || f->forms[c].beside;
    return coded;
}

/* Whether `a` is to be sent rather than `b`, of two that are liked alike: a file rather than what
 * is made here, the shorter file, then by what compresses best in what time. */
static bool is_better(const struct serve_file *f, int a, int b)
{
    static const uint8_t rank[HAIL_CODINGS] = {
        [HAIL_CODING_GZIP] = 1, [HAIL_CODING_BR] = 2, [HAIL_CODING_ZSTD] = 3};
    const struct serve_form *x = &f->forms[a], *y = &f->forms[b];
    if (x->beside != y->beside)
        return x->beside;
    if (x->beside)
        return x->size < y->size;
    return rank[a] > rank[b];
}

enum hail_coding serve_choose(const struct serve_worker *w, const struct serve_file *f,
                              const struct hail_http_fields *fields)
{
    unsigned q[HAIL_CODINGS];
    int best = HAIL_CODING_IDENTITY;
    bool makeable = is_makeable(w, f);
    hail_accept_codings(fields, q);
    for (int c = HAIL_CODING_IDENTITY + 1; c < HAIL_CODINGS; c++) {
        const struct serve_form *m = &f->forms[c];
        bool there = m->beside || (makeable && m->state != SERVE_FORM_USELESS);
        if (there && q[c] && (q[c] > q[best] || (q[c] == q[best] && is_better(f, c, best))))
            best = c;
    }
    return (enum hail_coding)best;
}
