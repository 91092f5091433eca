/* tls_bio.c - OpenSSL's way to the layer below: a BIO over its read and writev steps, whatever that
 * layer is. */
#include "net/tls_layer.h"

#include <errno.h>
#include <string.h>

/* Records what the lower layer's step came to. A BIO says only "again" or "failed". */
static int step_below(BIO *bio, struct hail_tls *t, ssize_t n, int again)
{
    BIO_clear_retry_flags(bio);
    if (n < 0) {
        t->lower_rc = (int)n;
        if (n == -EAGAIN)
            BIO_set_flags(bio, again | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    return (int)n;
}

static struct hail_stream *reader_below(struct hail_tls *t)
{
    struct hail_stream *l = t->stream.next;
    while (!l->ops->read)
        l = l->next;
    return l;
}

static int bio_read(BIO *bio, char *buf, int size)
{
    struct hail_tls *t = BIO_get_data(bio);
    struct hail_stream *l = reader_below(t);
    ssize_t n = l->ops->read(t->ctx, l, buf, (size_t)size);
    t->stream.wants = l->wants;
    if (n == 0)
        t->lower_ended = true;
    if (n > 0 && !t->open && t->hello_len < HAIL_TLS_HELLO_MAX) {
        size_t keep = HAIL_TLS_HELLO_MAX - t->hello_len;
        if ((size_t)n < keep)
            keep = (size_t)n;
        memcpy(t->hello + t->hello_len, buf, keep);
        t->hello_len = (uint8_t)(t->hello_len + keep);
    }
    return step_below(bio, t, n, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *buf, int size)
{
    struct hail_tls *t = BIO_get_data(bio);
    struct hail_stream *l = t->stream.next;
    while (!l->ops->writev)
        l = l->next;
    const struct iovec iov = {(void *)buf, (size_t)size};
    ssize_t n = l->ops->writev(t->ctx, l, &iov, 1);
    t->stream.wants = l->wants;
    /* The peer gave up in the middle of the handshake; its alert, which says why, is still to be
     * read: go on as if this had been sent. */
    if ((n == -EPIPE || n == -ECONNRESET) && !t->open) {
        t->send_lost = true;
        n = size;
    }
    return step_below(bio, t, n, BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)num;
    (void)ptr;
    const struct hail_tls *t = BIO_get_data(bio);
    if (cmd == BIO_CTRL_EOF)
        return t->lower_ended;
    return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *hail_tls_bio(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "hail layer");
    if (m && BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) &&
        BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}
