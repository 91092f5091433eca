/* buf.c - growable bounded buffer; see buf.h. */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hail_buf_init(struct hail_buf *b, size_t max)
{
    *b = (struct hail_buf){.max = max};
}

void hail_buf_free(struct hail_buf *b)
{
    free(b->p);
    *b = (struct hail_buf){.max = b->max};
}

void hail_buf_clear(struct hail_buf *b)
{
    b->len = 0;
    b->failed = 0;
    if (b->p)
        b->p[0] = '\0';
}

int hail_buf_reserve(struct hail_buf *b, size_t n)
{
    if (b->failed)
        return b->failed;
    if (n > b->max || b->len > b->max - n)
        return b->failed = -EMSGSIZE;
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return 0;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *p = realloc(b->p, cap);
    if (!p)
        return b->failed = -ENOMEM;
    b->p = p;
    b->cap = cap;
    return 0;
}

int hail_buf_add(struct hail_buf *b, const void *data, size_t n)
{
    int rc = hail_buf_reserve(b, n);
    if (rc < 0)
        return rc;
    if (n)
        memcpy(b->p + b->len, data, n);
    b->len += n;
    b->p[b->len] = '\0';
    return 0;
}

int hail_buf_str(struct hail_buf *b, const char *s)
{
    return hail_buf_add(b, s, strlen(s));
}

int hail_buf_char(struct hail_buf *b, char c)
{
    return hail_buf_add(b, &c, 1);
}

int hail_buf_vprintf(struct hail_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return b->failed = -EINVAL;
    int rc = hail_buf_reserve(b, (size_t)n);
    if (rc < 0)
        return rc;
    vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
    return 0;
}

int hail_buf_printf(struct hail_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = hail_buf_vprintf(b, fmt, ap);
    va_end(ap);
    return rc;
}

int hail_buf_base64(struct hail_buf *b, const void *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
                        left > 2 ? digits[v & 63] : '='};
        hail_buf_add(b, four, 4);
    }
    return b->failed;
}

void hail_buf_consume(struct hail_buf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    b->len -= n;
    if (b->p) {
        memmove(b->p, b->p + n, b->len);
        b->p[b->len] = '\0';
    }
}
