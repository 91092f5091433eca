/* text.c - UTF-8 and safe rendering; see text.h. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

size_t hail_utf8_next(const char *p, size_t n, uint32_t *cp)
{
    const unsigned char *u = (const unsigned char *)p;
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    size_t len = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || n < len)
        return 0;
    uint32_t c = u[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3Fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *cp = c;
    return len;
}

bool hail_utf8_valid(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        size_t len = hail_utf8_next(p + i, n - i, &cp);
        if (!len)
            return false;
        i += len;
    }
    return true;
}

bool hail_utf8_begins(const char *p, size_t n)
{
    if (n < 1 || n > 3)
        return false;
    /* what may follow, as small and as large as it can be */
    for (int rest = 0x80; rest <= 0xBF; rest += 0x3F) {
        char whole[6];
        uint32_t cp;
        memcpy(whole, p, n);
        memset(whole + n, rest, 3);
        if (hail_utf8_next(whole, n + 3, &cp) > n)
            return true;
    }
    return false;
}

/* Combining marks and other characters without width of their own, merged from Unicode's general
 * categories Mn, Me; only the ranges that occur in practice. */
static const uint32_t zero_width[][2] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC}, {0x0900, 0x0902}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

/* East Asian Wide and Fullwidth (UAX #11), and emoji presentation. */
static const uint32_t double_width[][2] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static bool within(const uint32_t (*table)[2], size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= table[i][0] && cp <= table[i][1])
            return true;
    return false;
}

int hail_utf8_width(uint32_t cp)
{
    if (cp < 0x300)
        return 1;
    if (within(zero_width, sizeof zero_width / sizeof *zero_width, cp))
        return 0;
    return within(double_width, sizeof double_width / sizeof *double_width, cp) ? 2 : 1;
}

bool hail_utf8_unsafe(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0xAD || cp == 0x61C ||
           (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E) ||
           (cp >= 0x2060 && cp <= 0x206F) || cp == 0xFEFF || (cp >= 0xFFF9 && cp <= 0xFFFB) ||
           (cp >= 0xE0000 && cp <= 0xE0FFF);
}

/* One character of input as its visible form in `out` (16 bytes suffice); returns bytes of input.
 */
static size_t show_one(const char *p, size_t n, bool newlines, char *out, size_t *outlen)
{
    uint32_t cp;
    size_t len = hail_utf8_next(p, n, &cp);
    if (!len) {
        *outlen = (size_t)snprintf(out, 16, "\\x%02x", (unsigned char)*p);
        return 1;
    }
    static const char named[] = "\n\r\t\033\\", letters[] = "nrte\\";
    const char *at = cp && cp < 0x80 ? strchr(named, (int)cp) : NULL;
    if (newlines && (cp == '\n' || cp == '\t'))
        at = NULL;
    if (at)
        *outlen = (size_t)snprintf(out, 16, "\\%c", letters[at - named]);
    else if (!hail_utf8_unsafe(cp) || (newlines && (cp == '\n' || cp == '\t')))
        memcpy(out, p, *outlen = len);
    else
        *outlen = (size_t)snprintf(out, 16, cp < 0x80 ? "\\x%02x" : "\\u{%04x}", (unsigned)cp);
    return len;
}

int hail_text_safe(struct hail_buf *out, const char *p, size_t n, bool newlines)
{
    for (size_t i = 0; i < n;) {
        char shown[16];
        size_t len;
        i += show_one(p + i, n - i, newlines, shown, &len);
        hail_buf_add(out, shown, len);
    }
    return out->failed;
}

size_t hail_text_safe_into(char *out, size_t size, const char *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        char shown[16];
        size_t len;
        i += show_one(p + i, n - i, false, shown, &len);
        if (at + len >= size)
            break;
        memcpy(out + at, shown, len);
        at += len;
    }
    if (size)
        out[at] = '\0';
    return at;
}
