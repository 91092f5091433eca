/* idn.h - names in other scripts than ASCII, as DNS and the wire have them. */
#ifndef HAIL_PROTO_IDN_H
#define HAIL_PROTO_IDN_H

#include <stdbool.h>
#include <stddef.h>

/* No byte of `s` is above 0x7F. */
bool hail_idn_is_ascii(const char *s);

/* `name` as A-labels (IDNA 2008, mapped by UTS #46, which knows other dots and widths, too) into
 * `out`; ASCII goes through as it was written. 0; -EINVAL with *why, a string of libidn2's;
 * -ENAMETOOLONG, -ENOMEM. `out` is only written to with 0. */
int hail_idn_map(const char *name, char *out, size_t size, const char **why);

#endif
