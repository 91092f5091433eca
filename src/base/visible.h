/* visible.h - what a peer sends made safe to look at on a terminal: a filter over a stream of bytes
 * that come in any pieces.
 *
 * CONVERSATION: everything that a terminal would act on is shown.
 *     C0 and DEL          ^[  ^A  ^?
 *     CR LF, LF, TAB      as they are; a CR without its LF is ^M: it could write over the line
 *     bidi, invisible     <U+202E>, and C1 in UTF-8, <U+009B>
 *     no UTF-8            \x9b, byte by byte; so is everything over 0x7F when the terminal has no
 *                         UTF-8
 *
 * SESSION: the terminal belongs to the peer (a login), and everything passes but what writes to the
 * clipboard or makes the terminal type: ENQ; OSC 52 and its like, title setting (OSC 0, 1, 2, ...,
 * ESC k) and reports (CSI 20 t, 21 t), every OSC that asks (`?`), DECRQSS and all other device
 * control strings but pictures, fonts and updates; the change of the character set (ESC %), which
 * would undo the rest. A sequence that is not well formed is dropped. The 8-bit controls that begin
 * a string are shown instead, with the string as text: in other charsets they are letters.
 */
#ifndef HAIL_BASE_VISIBLE_H
#define HAIL_BASE_VISIBLE_H

#include "base/buf.h"

enum hail_visible_mode { HAIL_VISIBLE_CONVERSATION, HAIL_VISIBLE_SESSION };

#define HAIL_VISIBLE_HELD   4096 /* bytes: the longest control sequence or OSC that can pass */
#define HAIL_VISIBLE_GROWTH 4    /* n bytes give at most GROWTH * (n + 4) + HELD */

/* Nothing to free. `blocked` counts the sequences that SESSION kept from the terminal. */
struct hail_visible {
    enum hail_visible_mode mode;
    bool utf8;
    uint64_t blocked;
    /* private from here on */
    char begun[4]; /* a character that goes on in the next piece */
    uint8_t nbegun, state;
    bool cr;       /* CONVERSATION: a CR waits for what follows it */
    bool escape;   /* SESSION: an ESC in a string, which may begin its end */
    bool overlong; /* what is held lacks its tail: it cannot pass */
    uint32_t lead; /* the intermediates of a CSI or DCS, the last four */
    size_t head, nheld;
    char held[HAIL_VISIBLE_HELD];
};

/* `utf8`: the terminal shows UTF-8. */
void hail_visible_init(struct hail_visible *v, enum hail_visible_mode mode, bool utf8);

/* Another mode from the next byte on; what was begun is ended as by hail_visible_end(). */
int hail_visible_mode(struct hail_visible *v, struct hail_buf *out, enum hail_visible_mode mode);

/* Appends what may be shown of the next `n` bytes. Returns out->failed. */
int hail_visible_add(struct hail_visible *v, struct hail_buf *out, const void *data, size_t n);

/* The stream has ended: appends what was kept back of a character; a sequence that has begun is
 * dropped. Returns out->failed. */
int hail_visible_end(struct hail_visible *v, struct hail_buf *out);

#endif
