/* text.h - text from outside: UTF-8, and making it safe to show. */
#ifndef HAIL_BASE_TEXT_H
#define HAIL_BASE_TEXT_H

#include "base/buf.h"

/* The code point at `p` (n > 0 bytes), strict by RFC 3629 (no surrogates, no overlong forms).
 * Returns its length in bytes, or 0 if the bytes are not UTF-8; *cp is set when not 0. */
size_t hail_utf8_next(const char *p, size_t n, uint32_t *cp);
bool hail_utf8_valid(const char *p, size_t n);
/* Whether all `n` bytes (1 to 3) are the front of a character that goes on behind them. */
bool hail_utf8_begins(const char *p, size_t n);

/* Columns that a code point takes on a terminal: 0, 1 or 2. */
int hail_utf8_width(uint32_t cp);

/* Whether it is a control, or a format character that reorders or hides text (bidi: UAX #9; Trojan
 * Source): none goes to a terminal as it is. */
bool hail_utf8_unsafe(uint32_t cp);

/* Appends `n` bytes with everything shown that a terminal would act on: C0, DEL, C1, bidi and other
 * invisible format controls, and bytes that are not UTF-8, as \n \t \r \e \xNN or \u{NNNN}; a
 * backslash as \\. With `newlines`, LF and TAB pass. */
int hail_text_safe(struct hail_buf *out, const char *p, size_t n, bool newlines);

/* The same into a fixed buffer, cut at a character where it does not fit; always NUL-ended.
 * Returns the length. */
size_t hail_text_safe_into(char *out, size_t size, const char *p, size_t n);

/* The word of `words` (ended by NULL) that `typo` was meant to be: few edits away, or begun by it;
 * NULL if none is near. */
const char *hail_text_nearest(const char *typo, const char *const *words);

#endif
