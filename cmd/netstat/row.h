/* row.h - building a line of output in place: what printf(3) does, at a tenth of its cost. */
#ifndef HAIL_CMD_NETSTAT_ROW_H
#define HAIL_CMD_NETSTAT_ROW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ROW_MAX 1024 /* the longest line: two host names, two ports, the program, numbers */

struct row {
    char *p; /* the end of what is there */
    char line[ROW_MAX];
};

static inline void row_begin(struct row *r)
{
    r->p = r->line;
}

static inline size_t row_room(const struct row *r)
{
    return (size_t)(r->line + sizeof r->line - r->p);
}

/* All of the row_put functions cut what does not fit. */
static inline void row_put(struct row *r, const char *s, size_t n)
{
    n = n < row_room(r) ? n : row_room(r);
    memcpy(r->p, s, n);
    r->p += n;
}

/* Blanks up to `width` bytes after `from`. */
static inline void row_pad(struct row *r, const char *from, size_t width)
{
    size_t done = (size_t)(r->p - from);
    size_t n = done < width ? width - done : 0;
    n = n < row_room(r) ? n : row_room(r);
    memset(r->p, ' ', n);
    r->p += n;
}

static inline void row_str(struct row *r, const char *s)
{
    row_put(r, s, strlen(s));
}

/* %-WIDTHs */
static inline void row_left(struct row *r, const char *s, size_t width)
{
    const char *from = r->p;
    row_str(r, s);
    row_pad(r, from, width);
}

/* %WIDTHu, %-WIDTHu with `left` */
static inline void row_number(struct row *r, uint64_t v, size_t width, int left)
{
    char digits[20];
    size_t n = sizeof digits;
    const char *from = r->p;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    size_t len = sizeof digits - n;
    if (!left && len < width)
        row_pad(r, r->p, width - len);
    row_put(r, digits + n, len);
    if (left)
        row_pad(r, from, width);
}

#endif
