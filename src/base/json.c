/* json.c - streaming JSON writer; see json.h. */
#include "base/json.h"

#include "base/text.h"

#include <string.h>

/* How many bytes from `s` on stand for themselves: printable ASCII but the quote and backslash. */
static size_t plain(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] >= 0x20 && s[i] < 0x7F && s[i] != '"' && s[i] != '\\')
        i++;
    return i;
}

static void quote(struct hail_buf *b, const char *s, size_t n)
{
    hail_buf_char(b, '"');
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t run = plain(s + i, n - i);
        if (run) {
            hail_buf_add(b, s + i, run);
            i += run;
            continue;
        }
        size_t len = hail_utf8_next(s + i, n - i, &cp);
        if (!len) {
            hail_buf_str(b, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        if (cp == '"' || cp == '\\')
            hail_buf_printf(b, "\\%c", (char)cp);
        else if (cp == '\n')
            hail_buf_str(b, "\\n");
        else if (cp == '\r')
            hail_buf_str(b, "\\r");
        else if (cp == '\t')
            hail_buf_str(b, "\\t");
        else if (cp > 0xFFFF && hail_utf8_unsafe(cp)) /* RFC 8259 section 7: as in UTF-16 */
            hail_buf_printf(b, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (cp >> 10)),
                            (unsigned)(0xDC00 + (cp & 0x3FF)));
        else if (hail_utf8_unsafe(cp))
            hail_buf_printf(b, "\\u%04x", (unsigned)cp);
        else
            hail_buf_add(b, s + i, len);
        i += len;
    }
    hail_buf_char(b, '"');
}

/* The comma and the key before a member. */
static void member(struct hail_json *j, const char *key)
{
    if (j->more[j->depth])
        hail_buf_char(j->out, ',');
    j->more[j->depth] = true;
    if (key) {
        quote(j->out, key, strlen(key));
        hail_buf_char(j->out, ':');
    }
}

static void open_container(struct hail_json *j, const char *key, char c)
{
    member(j, key);
    hail_buf_char(j->out, c);
    if (j->depth < HAIL_JSON_DEPTH)
        j->depth++;
    j->more[j->depth] = false;
}

static void close_container(struct hail_json *j, char c)
{
    if (j->depth)
        j->depth--;
    hail_buf_char(j->out, c);
    if (!j->depth)
        j->more[0] = false; /* the next document is on its own */
}

void hail_json_object(struct hail_json *j, const char *key)
{
    open_container(j, key, '{');
}

void hail_json_array(struct hail_json *j, const char *key)
{
    open_container(j, key, '[');
}

void hail_json_end_object(struct hail_json *j)
{
    close_container(j, '}');
}

void hail_json_end_array(struct hail_json *j)
{
    close_container(j, ']');
}

void hail_json_int(struct hail_json *j, const char *key, int64_t v)
{
    char digits[20], *p = digits + sizeof digits;
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    member(j, key);
    if (v < 0)
        hail_buf_char(j->out, '-');
    hail_buf_add(j->out, p, (size_t)(digits + sizeof digits - p));
}

void hail_json_bool(struct hail_json *j, const char *key, bool v)
{
    member(j, key);
    hail_buf_str(j->out, v ? "true" : "false");
}

void hail_json_null(struct hail_json *j, const char *key)
{
    member(j, key);
    hail_buf_str(j->out, "null");
}

void hail_json_seconds(struct hail_json *j, const char *key, int64_t ns)
{
    member(j, key);
    uint64_t abs = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    hail_buf_printf(j->out, "%s%llu.%09llu", ns < 0 ? "-" : "",
                    (unsigned long long)(abs / 1000000000u),
                    (unsigned long long)(abs % 1000000000u));
}

void hail_json_strn(struct hail_json *j, const char *key, const char *s, size_t n)
{
    member(j, key);
    quote(j->out, s, n);
}

void hail_json_str(struct hail_json *j, const char *key, const char *s)
{
    if (s)
        hail_json_strn(j, key, s, strlen(s));
    else
        hail_json_null(j, key);
}

void hail_json_bytes(struct hail_json *j, const char *key, const void *data, size_t n)
{
    if (hail_utf8_valid(data, n)) {
        hail_json_strn(j, key, data, n);
        return;
    }
    char name[64];
    size_t len = strnlen(key, sizeof name - sizeof "_base64");
    memcpy(name, key, len);
    memcpy(name + len, "_base64", sizeof "_base64");
    member(j, name);
    hail_buf_char(j->out, '"');
    hail_buf_base64(j->out, data, n);
    hail_buf_char(j->out, '"');
}
