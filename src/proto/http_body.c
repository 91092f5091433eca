/* http_body.c - the content that follows a head, given out in slices of the caller's buffer.
 *
 *   SIZE --;--> EXT <--"--> QUOTED --\--> ESCAPE        RFC 9112 section 7.1
 *     |          |
 *     CR         CR
 *     v          v
 *   SIZE_LF --> CHUNK --> CHUNK_CR --> CHUNK_LF --> SIZE
 *     |  (size 0)
 *     v
 *   TRAILER --empty line--> DONE
 *
 * All but the trailer section is read byte by byte through the states, so nothing of it has to stay
 * in the buffer. Trailer fields are slices: their bytes stay until the section is whole.
 */
#include "proto/http_line.h"
#include "proto/http_scan.h"

#include <errno.h>
#include <string.h>

void hail_http_body_init(struct hail_http_body *b, const struct hail_http_head *head,
                         struct hail_http_field *v, size_t max)
{
    memset(b, 0, sizeof *b);
    b->limits = head->limits;
    b->trailers = (struct hail_http_fields){v, 0, max};
    b->framing = head->framing;
    b->left = head->framing == HAIL_HTTP_LENGTH ? head->length : 0;
    if (b->framing == HAIL_HTTP_CHUNKED)
        b->state = HAIL_HTTP_BODY_SIZE;
    else if (b->framing == HAIL_HTTP_NO_BODY || (b->framing == HAIL_HTTP_LENGTH && b->left == 0))
        b->state = HAIL_HTTP_BODY_DONE;
}

int hail_http_body_end(struct hail_http_body *b)
{
    if (b->error)
        return -EPROTO;
    bool open_end = b->framing == HAIL_HTTP_UNTIL_CLOSE || b->framing == HAIL_HTTP_TUNNEL;
    if (open_end || b->state == HAIL_HTTP_BODY_DONE)
        return 0;
    b->error = HAIL_HTTP_TRUNCATED;
    return -EPROTO;
}

static int refuse(struct hail_http_body *b, enum hail_http_error e, size_t at)
{
    b->error = e;
    b->error_at = at;
    return -EPROTO;
}

/* Fields that must not come behind the content: RFC 9110 section 6.5.1. */
static bool may_trail(struct hail_slice name)
{
    static const char *const never[] = {"transfer-encoding", "content-length", "host",
                                        "connection"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (hail_slice_is_nocase(name, never[i]))
            return false;
    return true;
}

static enum hail_http_line trailer_line(struct hail_http_body *b, struct hail_http_cursor *c)
{
    struct hail_http_field f;
    const char *line = c->p;
    enum hail_http_line rc = hail_http_field_line(c, &f);
    if (rc != HAIL_HTTP_LINE_FIELD)
        return rc;
    if (!may_trail(f.name))
        return hail_http_line_bad(c, line, HAIL_HTTP_BAD_TRAILER);
    if (b->trailers.n == b->trailers.max)
        return hail_http_line_bad(c, line, HAIL_HTTP_TOO_MANY_FIELDS);
    b->trailers.v[b->trailers.n++] = f;
    return rc;
}

/* The trailer section at `buf + *used`. */
static int trailers(struct hail_http_body *b, const char *buf, size_t len, size_t *used)
{
    struct hail_http_scan *s = &b->scan;
    const char *start = buf + *used;
    size_t n = len - *used, max = b->limits.trailer;
    if (hail_http_scan_moved(s, start, n)) {
        *s = (struct hail_http_scan){.base = (uintptr_t)start};
        b->trailers.n = 0;
    }
    if (!hail_http_line_ready(s, start, n, max))
        return -EAGAIN;
    for (;;) {
        struct hail_http_cursor c = {.p = start + s->line, .end = start + (n < max ? n : max)};
        enum hail_http_line rc = trailer_line(b, &c);
        if (rc == HAIL_HTTP_LINE_BAD)
            return refuse(b, c.error, (size_t)(c.p - buf));
        if (rc == HAIL_HTTP_LINE_PARTIAL) {
            if (n >= max)
                return refuse(b, HAIL_HTTP_TRAILER_TOO_LARGE, *used + max);
            s->seen = n;
            return -EAGAIN;
        }
        s->line = (size_t)(c.p - start);
        if (rc == HAIL_HTTP_LINE_EMPTY) {
            *used += s->line;
            b->state = HAIL_HTTP_BODY_DONE;
            return 1;
        }
    }
}

static unsigned hex_digit(char c)
{
    if ((unsigned char)(c - '0') <= 9)
        return (unsigned char)(c - '0');
    unsigned letter = (unsigned char)((c | 0x20) - 'a');
    return letter < 6 ? letter + 10 : 16;
}

/* One byte of the size; what follows it. */
static enum hail_http_error size_byte(struct hail_http_body *b, char ch)
{
    unsigned digit = hex_digit(ch);
    if (digit < 16) {
        if (b->digits == 16)
            return HAIL_HTTP_BAD_CHUNK_SIZE;
        if (b->left > (uint64_t)INT64_MAX >> 4)
            return HAIL_HTTP_CHUNK_TOO_LARGE;
        b->left = b->left << 4 | digit;
        b->digits++;
        return HAIL_HTTP_OK;
    }
    if (b->digits == 0)
        return HAIL_HTTP_BAD_CHUNK_SIZE;
    switch (ch) {
    case '\r':
        b->state = HAIL_HTTP_BODY_SIZE_LF;
        return HAIL_HTTP_OK;
    case ';':
        b->state = HAIL_HTTP_BODY_EXT;
        return HAIL_HTTP_OK;
    case ' ':
    case '\t':
        b->state = HAIL_HTTP_BODY_BWS;
        return HAIL_HTTP_OK;
    case '\n':
        return HAIL_HTTP_BARE_LF;
    default:
        return HAIL_HTTP_BAD_CHUNK_SIZE;
    }
}

/* One byte of the extensions, RFC 9112 section 7.1.1; they are checked by characters and dropped.
 */
static enum hail_http_error extension_byte(struct hail_http_body *b, char ch)
{
    if (ch != '\r' && ++b->extension > b->limits.extension)
        return HAIL_HTTP_CHUNK_EXTENSION_TOO_LONG;
    switch (b->state) {
    case HAIL_HTTP_BODY_BWS: /* between the size and ';' */
        if (ch == ';')
            b->state = HAIL_HTTP_BODY_EXT;
        return ch == ';' || ch == ' ' || ch == '\t' ? HAIL_HTTP_OK : HAIL_HTTP_BAD_CHUNK_SIZE;
    case HAIL_HTTP_BODY_EXT:
        if (ch == '\r')
            b->state = HAIL_HTTP_BODY_SIZE_LF;
        else if (ch == '"')
            b->state = HAIL_HTTP_BODY_QUOTED;
        else if (ch == '\n')
            return HAIL_HTTP_BARE_LF;
        else if (!hail_http_is(ch, HAIL_HTTP_TCHAR) && ch != ' ' && ch != '\t' && ch != ';' &&
                 ch != '=')
            return HAIL_HTTP_BAD_CHUNK_EXTENSION;
        return HAIL_HTTP_OK;
    case HAIL_HTTP_BODY_QUOTED:
        if (!hail_http_is(ch, HAIL_HTTP_VALUE))
            return HAIL_HTTP_BAD_CHUNK_EXTENSION;
        if (ch == '"')
            b->state = HAIL_HTTP_BODY_EXT;
        else if (ch == '\\')
            b->state = HAIL_HTTP_BODY_ESCAPE;
        return HAIL_HTTP_OK;
    default: /* behind a backslash in quotes */
        b->state = HAIL_HTTP_BODY_QUOTED;
        return hail_http_is(ch, HAIL_HTTP_VALUE) ? HAIL_HTTP_OK : HAIL_HTTP_BAD_CHUNK_EXTENSION;
    }
}

/* One byte of what delimits chunks. */
static enum hail_http_error frame_byte(struct hail_http_body *b, char ch)
{
    switch (b->state) {
    case HAIL_HTTP_BODY_SIZE:
        return size_byte(b, ch);
    case HAIL_HTTP_BODY_SIZE_LF:
        if (ch != '\n')
            return HAIL_HTTP_BARE_CR;
        if (b->left > (uint64_t)INT64_MAX - b->total)
            return HAIL_HTTP_CHUNK_TOO_LARGE;
        b->state = b->left ? HAIL_HTTP_BODY_CHUNK : HAIL_HTTP_BODY_TRAILER;
        return HAIL_HTTP_OK;
    case HAIL_HTTP_BODY_CHUNK_CR:
        b->state = HAIL_HTTP_BODY_CHUNK_LF;
        return ch == '\r' ? HAIL_HTTP_OK : HAIL_HTTP_BAD_CHUNK_END;
    case HAIL_HTTP_BODY_CHUNK_LF:
        b->state = HAIL_HTTP_BODY_SIZE;
        b->digits = 0;
        b->extension = 0;
        return ch == '\n' ? HAIL_HTTP_OK : HAIL_HTTP_BAD_CHUNK_END;
    default:
        return extension_byte(b, ch);
    }
}

/* Gives out what is there of the length or the chunk. */
static void give(struct hail_http_body *b, const char *buf, size_t len, size_t *used,
                 struct hail_slice *data)
{
    size_t n = len - *used;
    if (n > b->left)
        n = (size_t)b->left;
    *data = (struct hail_slice){buf + *used, n};
    *used += n;
    b->left -= n;
    b->total += n;
}

static int chunked(struct hail_http_body *b, const char *buf, size_t len, size_t *used,
                   struct hail_slice *data)
{
    while (b->state != HAIL_HTTP_BODY_TRAILER) {
        if (*used == len)
            return -EAGAIN;
        if (b->state == HAIL_HTTP_BODY_CHUNK) {
            give(b, buf, len, used, data);
            if (b->left == 0)
                b->state = HAIL_HTTP_BODY_CHUNK_CR;
            return 0;
        }
        enum hail_http_error e = frame_byte(b, buf[*used]);
        if (e)
            return refuse(b, e, *used);
        ++*used;
    }
    return trailers(b, buf, len, used);
}

int hail_http_body_read(struct hail_http_body *b, const char *buf, size_t len, size_t *used,
                        struct hail_slice *data)
{
    *used = 0;
    *data = (struct hail_slice){buf, 0};
    if (b->error)
        return -EPROTO;
    if (b->state == HAIL_HTTP_BODY_DONE)
        return 1;
    if (b->framing == HAIL_HTTP_CHUNKED)
        return chunked(b, buf, len, used, data);
    if (len == 0)
        return -EAGAIN;
    if (b->framing != HAIL_HTTP_LENGTH)
        b->left = len;
    give(b, buf, len, used, data);
    if (b->framing != HAIL_HTTP_LENGTH || b->left > 0)
        return 0;
    b->state = HAIL_HTTP_BODY_DONE;
    return 1;
}
