/* etag.h - entity tags, RFC 9110 section 8.8.3. */
#ifndef HAIL_PROTO_ETAG_H
#define HAIL_PROTO_ETAG_H

#include <hail/slice.h>

#include "proto/coding.h"

#define HAIL_ETAG_MAX 64 /* bytes of one with its quotes and NUL */

/* The strong tag of a file's representation: of its size, the time of its last change in
 * nanoseconds and its inode; each coding has its own, as its bytes differ. */
void hail_etag_of_file(uint64_t size, int64_t modified_ns, uint64_t inode, enum hail_coding c,
                       char out[HAIL_ETAG_MAX]);

/* Whether the list in a field's value (If-Match, If-None-Match) is "*" or has the tag. `weak`: weak
 * tags count too (RFC 9110 section 8.8.3.2); a malformed list matches as far as it is well-formed.
 */
bool hail_etag_listed(struct hail_slice list, const char *etag, bool weak);

#endif
