/* http_head.c - what a head means: the target, the host, the framing, the connection.
 *
 *   framing (RFC 9112 section 6.3), in this order:
 *     response to HEAD, 1xx, 204, 304          no content      101: a tunnel
 *     2xx to CONNECT                           a tunnel
 *     Transfer-Encoding: chunked               chunked         (with a length, or in 1.0: refused)
 *     Content-Length                           so many bytes
 *     a request without either                 no content
 *     a response without either                until the connection closes
 */
#include "proto/http_head.h"

#include "proto/http_scan.h"

#include <string.h>

/* Is `name`, of `n` bytes, that word of lower-case letters and '-' in any case? The bit that makes
 * letters lower makes no other byte of a token or a value one of these. */
static inline bool is_name(struct hail_slice name, const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((name.p[i] | 0x20) != word[i])
            return false;
    return true;
}
#define IS(name, word) is_name(name, word, sizeof(word) - 1) /* its length was compared */

/* host [ ":" port ], RFC 3986 section 3.2.2; empty only where `may_be_empty`. */
static bool host_ok(struct hail_slice s, bool may_be_empty, bool needs_port)
{
    const char *p = s.p, *end = s.p + s.n;
    if (s.n == 0)
        return may_be_empty;
    if (*p == '[') {
        const char *close = memchr(p, ']', s.n);
        if (!close || close - p < 3)
            return false;
        for (p++; p < close; p++)
            if (!hail_http_is(*p, HAIL_HTTP_HEX) && *p != ':' && *p != '.')
                return false;
        p = close + 1;
    } else {
        const char *stop = hail_scan_plain(p, end, HAIL_HTTP_HOSTCHAR);
        if (stop == p)
            return false;
        p = stop;
    }
    if (p == end)
        return !needs_port;
    if (*p++ != ':' || (needs_port && p == end) || end - p > 5)
        return false;
    unsigned port = 0;
    for (; p < end; p++) {
        if ((unsigned char)(*p - '0') > 9)
            return false;
        port = port * 10 + (unsigned)(*p - '0');
    }
    return port <= 65535;
}

static void split_query(struct hail_http_head *h, const char *path, const char *end)
{
    const char *mark = memchr(path, '?', (size_t)(end - path));
    h->path = (struct hail_slice){path, (size_t)((mark ? mark : end) - path)};
    if (mark)
        h->query = (struct hail_slice){mark + 1, (size_t)(end - mark - 1)};
}

/* scheme "://" authority [ path ] [ "?" query ] */
static enum hail_http_error absolute_form(struct hail_http_head *h)
{
    const char *p = h->target.p, *end = p + h->target.n;
    const char *colon = memchr(p, ':', h->target.n);
    if (!colon || end - colon < 4 || colon[1] != '/' || colon[2] != '/')
        return HAIL_HTTP_BAD_TARGET;
    for (const char *q = p; q < colon; q++) {
        bool letter = (unsigned char)((*q | 0x20) - 'a') < 26;
        bool later = (unsigned char)(*q - '0') < 10 || *q == '+' || *q == '-' || *q == '.';
        if (!letter && (q == p || !later))
            return HAIL_HTTP_BAD_TARGET;
    }
    const char *host = colon + 3, *stop = host;
    while (stop < end && *stop != '/' && *stop != '?')
        stop++;
    h->host = (struct hail_slice){host, (size_t)(stop - host)};
    if (colon == p || !host_ok(h->host, false, false))
        return HAIL_HTTP_BAD_TARGET;
    h->form = HAIL_HTTP_ABSOLUTE;
    split_query(h, stop, end);
    if (h->path.n == 0)
        h->path = hail_slice("/");
    return HAIL_HTTP_OK;
}

enum hail_http_error hail_head_target(struct hail_http_head *h)
{
    struct hail_slice t = h->target;
    if (h->method == HAIL_HTTP_CONNECT) {
        h->form = HAIL_HTTP_AUTHORITY;
        h->host = t;
        return host_ok(t, false, true) ? HAIL_HTTP_OK : HAIL_HTTP_BAD_TARGET;
    }
    if (t.p[0] == '/') {
        h->form = HAIL_HTTP_ORIGIN;
        split_query(h, t.p, t.p + t.n);
        return HAIL_HTTP_OK;
    }
    if (t.n == 1 && t.p[0] == '*' && h->method == HAIL_HTTP_OPTIONS) {
        h->form = HAIL_HTTP_ASTERISK;
        return HAIL_HTTP_OK;
    }
    return absolute_form(h);
}

/* Digits alone: RFC 9110 section 8.6; "5, 5" is refused with the rest. */
static enum hail_http_error content_length(struct hail_http_head *h, struct hail_slice v)
{
    if (h->has_length)
        return HAIL_HTTP_TWO_LENGTHS;
    uint64_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        unsigned digit = (unsigned char)(v.p[i] - '0');
        if (digit > 9 || n > ((uint64_t)INT64_MAX - digit) / 10)
            return HAIL_HTTP_BAD_LENGTH;
        n = n * 10 + digit;
    }
    if (v.n == 0)
        return HAIL_HTTP_BAD_LENGTH;
    h->has_length = true;
    h->stated_length = n;
    return HAIL_HTTP_OK;
}

/* RFC 9112 section 6.1; several fields are one list. Strictly no empty elements: what another
 * implementation takes them for is not known. */
static enum hail_http_error transfer_encoding(struct hail_http_head *h, struct hail_slice v)
{
    unsigned *flags = &h->scan.flags;
    const char *p = v.p, *end = v.p + v.n;
    *flags |= HAIL_HEAD_CODING;
    for (;;) {
        const char *stop = hail_scan_token(p, end);
        if (stop == p)
            return HAIL_HTTP_BAD_CODING;
        if (*flags & HAIL_HEAD_CHUNKED)
            return HAIL_HTTP_CHUNKED_NOT_LAST;
        struct hail_slice coding = {p, (size_t)(stop - p)};
        while (stop < end && (*stop == ' ' || *stop == '\t'))
            stop++;
        if (stop < end && *stop == ';')
            return HAIL_HTTP_UNSUPPORTED_CODING;
        if (stop < end && *stop != ',')
            return HAIL_HTTP_BAD_CODING;
        bool chunked = hail_slice_is_nocase(coding, "chunked");
        *flags |= chunked ? HAIL_HEAD_CHUNKED : HAIL_HEAD_OTHER_CODING;
        if (stop == end)
            return HAIL_HTTP_OK;
        for (p = stop + 1; p < end && (*p == ' ' || *p == '\t');)
            p++;
    }
}

static void connection(struct hail_http_head *h, struct hail_slice rest)
{
    struct hail_slice option;
    while (hail_http_list_next(&rest, &option)) {
        if (option.n == 5 && IS(option, "close"))
            h->scan.flags |= HAIL_HEAD_CLOSE;
        else if (option.n == 10 && IS(option, "keep-alive"))
            h->scan.flags |= HAIL_HEAD_KEEP_ALIVE;
        else if (option.n == 7 && IS(option, "upgrade"))
            h->scan.flags |= HAIL_HEAD_UPGRADE;
    }
}

static enum hail_http_error host(struct hail_http_head *h, struct hail_slice v)
{
    if (h->scan.flags & HAIL_HEAD_HOST)
        return HAIL_HTTP_TWO_HOSTS;
    h->scan.flags |= HAIL_HEAD_HOST;
    if (!host_ok(v, true, false))
        return HAIL_HTTP_BAD_HOST;
    if (h->form != HAIL_HTTP_ABSOLUTE && h->form != HAIL_HTTP_AUTHORITY)
        h->host = v; /* else the target's counts: RFC 9112 section 3.2.2 */
    return HAIL_HTTP_OK;
}

enum hail_http_error hail_head_field(struct hail_http_head *h, const struct hail_http_field *f)
{
    bool request = h->method_text.n > 0;
    switch (f->name.n) {
    case 4:
        if (request && IS(f->name, "host"))
            return host(h, f->value);
        break;
    case 6:
        if (request && IS(f->name, "expect")) {
            bool known = hail_slice_is_nocase(f->value, "100-continue");
            h->expect_continue |= known && h->minor >= 1;
            h->expect_other |= !known;
        }
        break;
    case 7:
        if (IS(f->name, "upgrade"))
            h->upgrade = f->value;
        break;
    case 10:
        if (IS(f->name, "connection"))
            connection(h, f->value);
        break;
    case 14:
        if (IS(f->name, "content-length"))
            return content_length(h, f->value);
        break;
    case 17:
        if (IS(f->name, "transfer-encoding"))
            return transfer_encoding(h, f->value);
        break;
    default:
        break;
    }
    return HAIL_HTTP_OK;
}

/* What holds for both: the coding, and whether the connection may stay. */
static enum hail_http_error finish(struct hail_http_head *h)
{
    unsigned flags = h->scan.flags;
    bool stays = h->minor >= 1 || (flags & HAIL_HEAD_KEEP_ALIVE) != 0;
    h->keep_alive = stays && !(flags & HAIL_HEAD_CLOSE);
    if (!(flags & HAIL_HEAD_UPGRADE) || h->minor < 1)
        h->upgrade = (struct hail_slice){0};
    if (flags & HAIL_HEAD_CODING) {
        if (h->has_length)
            return HAIL_HTTP_LENGTH_AND_CODING;
        if (h->minor < 1)
            return HAIL_HTTP_CODING_IN_1_0;
        if (flags & HAIL_HEAD_OTHER_CODING)
            return HAIL_HTTP_UNSUPPORTED_CODING;
        h->framing = HAIL_HTTP_CHUNKED;
    } else if (h->has_length) {
        h->framing = HAIL_HTTP_LENGTH;
        h->length = h->stated_length;
    }
    return HAIL_HTTP_OK;
}

enum hail_http_error hail_head_request_end(struct hail_http_head *h)
{
    if (h->minor >= 1 && !(h->scan.flags & HAIL_HEAD_HOST))
        return HAIL_HTTP_NO_HOST;
    return finish(h);
}

enum hail_http_error hail_head_response_end(struct hail_http_head *h, enum hail_http_method asked)
{
    enum hail_http_error e = finish(h);
    if (e)
        return e;
    bool informs = h->status < 200;
    if (informs || h->status == 204 || h->status == 304 || asked == HAIL_HTTP_HEAD) {
        /* A length or coding where there must be none: bytes may follow that are no response. */
        bool must_not = informs || h->status == 204;
        if (must_not && (h->framing == HAIL_HTTP_CHUNKED || h->length > 0))
            h->keep_alive = false;
        h->framing = h->status == 101 ? HAIL_HTTP_TUNNEL : HAIL_HTTP_NO_BODY;
    } else if (asked == HAIL_HTTP_CONNECT && h->status < 300) {
        h->framing = HAIL_HTTP_TUNNEL;
    } else if (h->framing == HAIL_HTTP_NO_BODY) {
        h->framing = HAIL_HTTP_UNTIL_CLOSE;
    }
    if (h->framing != HAIL_HTTP_LENGTH)
        h->length = 0;
    if (h->framing == HAIL_HTTP_TUNNEL || h->framing == HAIL_HTTP_UNTIL_CLOSE)
        h->keep_alive = false;
    return HAIL_HTTP_OK;
}
