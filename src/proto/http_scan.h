/* http_scan.h - finding the first byte that does not belong, many bytes at a time.
 *
 * Three questions, each answered 16 bytes at a time where SSE2 is (every x86-64), 8 at a time in a
 * plain register elsewhere, and byte by byte for the rest. No byte from `end` on is ever read.
 */
#ifndef HAIL_PROTO_HTTP_SCAN_H
#define HAIL_PROTO_HTTP_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bits of hail_http_class[]. */
enum {
    HAIL_HTTP_TCHAR = 1,      /* of a token, RFC 9110 section 5.6.2 */
    HAIL_HTTP_VALUE = 2,      /* of a field's value: TAB, space, visible, above 0x7F */
    HAIL_HTTP_TARGETCHAR = 4, /* of a request's target: visible but '#', above 0x7F */
    HAIL_HTTP_HOSTCHAR = 8,   /* of a reg-name, RFC 3986 section 3.2.2 */
    HAIL_HTTP_HEX = 16,
};

extern const uint8_t hail_http_class[256];

static inline bool hail_http_is(char c, int bit)
{
    return (hail_http_class[(unsigned char)c] & bit) != 0;
}

static inline const char *hail_scan_plain(const char *p, const char *end, int bit)
{
    while (p < end && hail_http_is(*p, bit))
        p++;
    return p;
}

/* Eight bytes in a register: the sign bit of some byte is set if, and only if, one of them ... */
#define HAIL_SWAR_ALL(b)         (UINT64_C(0x0101010101010101) * (uint64_t)(b))
#define HAIL_SWAR_BELOW(x, n)    (((x)-HAIL_SWAR_ALL(n)) & ~(x)&HAIL_SWAR_ALL(0x80)) /* < n */
#define HAIL_SWAR_EQUALS(x, b)   HAIL_SWAR_BELOW((x) ^ HAIL_SWAR_ALL(b), 1)          /* == b */
#define HAIL_SWAR_LOAD(var, ptr) memcpy(&(var), (ptr), sizeof(var))

/* The first byte that a field's value may not have. A TAB stops the eight, and is passed alone. */
static inline const char *hail_scan_value_swar(const char *p, const char *end)
{
    uint64_t x;
    for (; end - p >= 8; p += 8) {
        HAIL_SWAR_LOAD(x, p);
        if (!(HAIL_SWAR_BELOW(x, 0x20) | HAIL_SWAR_EQUALS(x, 0x7F)))
            continue;
        const char *q = hail_scan_plain(p, p + 8, HAIL_HTTP_VALUE);
        if (q < p + 8)
            return q;
    }
    return hail_scan_plain(p, end, HAIL_HTTP_VALUE);
}

/* The first byte that a request's target may not have. */
static inline const char *hail_scan_target_swar(const char *p, const char *end)
{
    uint64_t x;
    for (; end - p >= 8; p += 8) {
        HAIL_SWAR_LOAD(x, p);
        if (HAIL_SWAR_BELOW(x, 0x21) | HAIL_SWAR_EQUALS(x, 0x7F) | HAIL_SWAR_EQUALS(x, '#'))
            break;
    }
    return hail_scan_plain(p, end, HAIL_HTTP_TARGETCHAR);
}

#ifdef __SSE2__
static inline const char *hail_scan_value_sse2(const char *p, const char *end)
{
    const __m128i tab = _mm_set1_epi8('\t'), del = _mm_set1_epi8(0x7F), us = _mm_set1_epi8(0x1F);
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, us), x);
        __m128i bad =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(x, tab), low), _mm_cmpeq_epi8(x, del));
        unsigned mask = (unsigned)_mm_movemask_epi8(bad);
        if (mask)
            return p + __builtin_ctz(mask);
    }
    return hail_scan_value_swar(p, end);
}

static inline const char *hail_scan_target_sse2(const char *p, const char *end)
{
    const __m128i sp = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7F), hash = _mm_set1_epi8('#');
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, sp), x);
        __m128i bad =
            _mm_or_si128(low, _mm_or_si128(_mm_cmpeq_epi8(x, del), _mm_cmpeq_epi8(x, hash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(bad);
        if (mask)
            return p + __builtin_ctz(mask);
    }
    return hail_scan_target_swar(p, end);
}

/* Letters, digits and '-' go by sixteen, which is what names are made of; whatever else stops them
 * is looked up. */
static inline const char *hail_scan_token_sse2(const char *p, const char *end)
{
    const __m128i caseless = _mm_set1_epi8(0x20), a = _mm_set1_epi8('a'), z = _mm_set1_epi8(25);
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9), dash = _mm_set1_epi8('-');
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i l = _mm_sub_epi8(_mm_or_si128(x, caseless), a), d = _mm_sub_epi8(x, zero);
        __m128i good = _mm_or_si128(
            _mm_cmpeq_epi8(_mm_min_epu8(l, z), l),
            _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(d, nine), d), _mm_cmpeq_epi8(x, dash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(good) ^ 0xFFFFU;
        if (!mask) {
            p += 16;
            continue;
        }
        p += __builtin_ctz(mask);
        if (!hail_http_is(*p, HAIL_HTTP_TCHAR))
            return p;
        p++;
    }
    return hail_scan_plain(p, end, HAIL_HTTP_TCHAR);
}

#define hail_scan_value  hail_scan_value_sse2
#define hail_scan_target hail_scan_target_sse2
#define hail_scan_token  hail_scan_token_sse2
#else
#define hail_scan_value         hail_scan_value_swar
#define hail_scan_target        hail_scan_target_swar
#define hail_scan_token(p, end) hail_scan_plain(p, end, HAIL_HTTP_TCHAR)
#endif

#endif
