/* buf.h - a growable byte buffer with a bound, the one way to build text and messages of unknown
 * size. */
#ifndef HAIL_BASE_BUF_H
#define HAIL_BASE_BUF_H

#include <hail/ctx.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Owns `p` (malloc'ed; always NUL-ended once anything was added). A failed append leaves the
 * content as it was and is remembered in `failed`, so that a run of appends is checked once. */
struct hail_buf {
    char *p;
    size_t len, cap;
    size_t max; /* never grows past this many bytes */
    int failed; /* 0, -ENOMEM or -EMSGSIZE */
};

void hail_buf_init(struct hail_buf *b, size_t max);
void hail_buf_free(struct hail_buf *b);
void hail_buf_clear(struct hail_buf *b); /* empties, keeps the memory */

/* Room for `n` more bytes after len; 0 or -errno. */
int hail_buf_reserve(struct hail_buf *b, size_t n);
int hail_buf_add(struct hail_buf *b, const void *data, size_t n);
int hail_buf_str(struct hail_buf *b, const char *s);
int hail_buf_char(struct hail_buf *b, char c);
int hail_buf_printf(struct hail_buf *b, const char *fmt, ...) HAIL_PRINTF(2, 3);
int hail_buf_vprintf(struct hail_buf *b, const char *fmt, va_list ap) HAIL_PRINTF(2, 0);
/* Appends bytes in base64 with padding, RFC 4648 section 4. */
int hail_buf_base64(struct hail_buf *b, const void *data, size_t n);
/* Drops the first `n` bytes. */
void hail_buf_consume(struct hail_buf *b, size_t n);

#endif
