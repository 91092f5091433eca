/* visible_session.h - the two files of visible.h: characters, and the control sequences they make.
 */
#ifndef HAIL_BASE_VISIBLE_SESSION_H
#define HAIL_BASE_VISIBLE_SESSION_H

#include "base/visible.h"

/* A character of the stream, or a byte (`raw`) that belongs to none. */
struct hail_visible_unit {
    const char *p;
    size_t n;
    uint32_t cp;
    bool raw;
};

/* Appends a byte that belongs to no character, or one that is not to be seen. */
void hail_visible_show(struct hail_buf *out, uint32_t cp, bool raw);

/* Whether the next byte begins anew: nothing is held. */
bool hail_visible_ground(const struct hail_visible *v);

/* Passes or keeps back one character of a session. */
void hail_visible_session(struct hail_visible *v, struct hail_buf *out, struct hail_visible_unit u);

#endif
