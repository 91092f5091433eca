/* tls_write.c - the TLS layer's write step: slices of plain text into records. */
#include "net/tls_layer.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#define STEP_RECORDS 16 /* records that one write step sends at most */

/* Where a write step is in the caller's slices. */
struct cursor {
    const struct iovec *iov;
    int n;
    size_t off; /* within the first */
};

static void skip(struct cursor *c, size_t n)
{
    c->off += n;
    while (c->n > 0 && c->off >= c->iov->iov_len) {
        c->off -= c->iov->iov_len;
        c->iov++;
        c->n--;
    }
}

/* The next record's text: the slice itself where it fills the record or is the last, else slices
 * gathered in `room`. Returns its length, at most `max`. */
static size_t next_text(const struct cursor *c, size_t max, char *room, const char **text)
{
    struct cursor at = *c;
    size_t len = at.iov->iov_len - at.off;
    *text = (const char *)at.iov->iov_base + at.off;
    if (len >= max || at.n == 1)
        return len < max ? len : max;
    *text = room;
    for (len = 0; at.n > 0 && len < max;) {
        size_t part = at.iov->iov_len - at.off;
        if (part > max - len)
            part = max - len;
        memcpy(room + len, (const char *)at.iov->iov_base + at.off, part);
        len += part;
        skip(&at, part);
    }
    return len;
}

/* A write that failed below: the peer may have said why before it went (TLS 1.3 refuses a client's
 * certificate after the client's handshake is done). */
static int write_failed(struct hail_ctx *ctx, struct hail_stream *s, int rc)
{
    struct hail_tls *t = s->state;
    if (rc != -EPIPE && rc != -ECONNRESET)
        return rc;
    char c;
    struct hail_error first = ctx->err;
    hail_tls_begin_step(ctx, s);
    int n = SSL_peek(t->ssl, &c, 1);
    if (n <= 0 && SSL_get_error(t->ssl, n) == SSL_ERROR_SSL && !t->lower_ended)
        return hail_tls_step_failed(t, n, "write to");
    ERR_clear_error();
    ctx->err = first;
    return rc;
}

static ssize_t write_records(struct hail_tls *t, struct cursor *c)
{
    char room[HAIL_TLS_RECORD];
    ssize_t total = 0;
    for (int i = 0; i < STEP_RECORDS && c->n > 0; i++) {
        const char *text;
        /* a sealed record waits for room below: it is the same bytes, as the caller promises */
        size_t len = next_text(c, t->sealed ? t->sealed : HAIL_TLS_RECORD, room, &text);
        t->lower_rc = 0;
        /* the kernel need not send a segment that is not full before the last record */
        hail_stream_more(&t->stream,
                         i + 1 < STEP_RECORDS && (c->n > 1 || c->iov->iov_len - c->off > len));
        int n = SSL_write(t->ssl, text, (int)len);
        if (n <= 0) {
            int rc = hail_tls_step_failed(t, n, "write to");
            t->sealed = rc == -EAGAIN ? len : 0;
            return total > 0 ? total : rc;
        }
        t->sealed = 0;
        total += n;
        skip(c, (size_t)n);
    }
    return total;
}

ssize_t hail_tls_write(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                       int iovcnt)
{
    struct hail_tls *t = hail_tls_begin_step(ctx, s);
    struct cursor c = {.iov = iov, .n = iovcnt};
    skip(&c, 0);
    ssize_t n = write_records(t, &c);
    hail_stream_more(s, false);
    return n < 0 ? write_failed(ctx, s, (int)n) : n;
}
