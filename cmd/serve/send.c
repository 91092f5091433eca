/* send.c - responses out: first what was gathered in `out`, then the pieces of the last one.
 *
 *      out: head body head body head | pieces: memory, file, memory, file ...
 *
 * Memory that stands together goes by one writev(2), and the kernel is told when a file follows, so
 * that a head does not travel alone. Files go by sendfile(2) where nothing looks at the bytes.
 */
#include "serve.h"

#include "net/layer.h"

#include <errno.h>
#include <poll.h>

#define SLICES  16                  /* of one writev(2) */
#define AT_ONCE ((uint64_t)4 << 20) /* of a file, by one sendfile(2) */

/* Fills `iov` with the memory that is next. Returns how many; *file: a file follows it. */
static int gather(struct serve_buffers *b, struct iovec iov[SLICES], bool *file)
{
    int n = 0;
    unsigned i = b->piece;
    if (b->out_at < b->out_len)
        iov[n++] = (struct iovec){b->out + b->out_at, b->out_len - b->out_at};
    for (; i < b->npieces && b->pieces[i].p && n < SLICES; i++)
        iov[n++] = (struct iovec){(char *)b->pieces[i].p, b->pieces[i].n};
    *file = i < b->npieces && !b->pieces[i].p;
    return n;
}

static void count(struct serve_buffers *b, uint64_t n, struct serve_turn *turn)
{
    b->sent += n;
    turn->bytes += n;
}

/* `n` bytes of memory went out. */
static void advance(struct serve_buffers *b, uint64_t n)
{
    uint64_t head = b->out_len - b->out_at;
    if (n < head) {
        b->out_at += n;
        return;
    }
    b->out_at = b->out_len = 0;
    n -= head;
    b->left -= n;
    while (b->piece < b->npieces && b->pieces[b->piece].p) {
        struct serve_piece *p = &b->pieces[b->piece];
        if (n < p->n) {
            p->p += n;
            p->n -= n;
            return;
        }
        n -= p->n;
        b->piece++;
    }
}

static int send_memory(struct serve_conn *k, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    struct iovec iov[SLICES];
    bool file;
    int slices = gather(b, iov, &file);
    if (slices == 0)
        return 0;
    if (file)
        hail_stream_more(k->stream, true);
    ssize_t n = hail_try_writev(&k->worker->ctx, k->stream, iov, slices);
    if (file)
        hail_stream_more(k->stream, false);
    if (n < 0)
        return (int)n;
    count(b, (uint64_t)n, turn);
    advance(b, (uint64_t)n);
    return 0;
}

static int send_file(struct serve_conn *k, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    struct serve_piece *p = &b->pieces[b->piece];
    size_t most = (size_t)(p->n < AT_ONCE ? p->n : AT_ONCE);
    ssize_t n = hail_try_sendfile(&k->worker->ctx, k->stream, p->fd, &p->at, most);
    if (n < 0)
        return (int)n;
    count(b, (uint64_t)n, turn);
    b->left -= (uint64_t)n;
    p->n -= (uint64_t)n;
    if (p->n == 0)
        b->piece++;
    if ((size_t)n == most || k->tls)
        return 0;
    turn->wants = POLLOUT; /* the socket is full: there is no need to ask */
    return -EAGAIN;
}

int serve_send(struct serve_conn *k, struct serve_turn *turn)
{
    struct serve_buffers *b = k->b;
    while (b->out_at < b->out_len || b->piece < b->npieces) {
        bool memory = b->out_at < b->out_len || b->pieces[b->piece].p;
        int rc = memory ? send_memory(k, turn) : send_file(k, turn);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void serve_send_end(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    if (b->note.status)
        serve_note_end(k, b->total - b->left, b->left == 0);
    serve_file_put(k->worker, b->file);
    serve_blob_put(b->blob);
    b->file = NULL;
    b->blob = NULL;
    serve_page_free(b->page);
    b->page = NULL;
    b->piece = b->npieces = 0;
    b->total = b->left = b->sent = b->paced = 0;
    b->out_at = b->out_len = 0;
}
