/* accept.h - content negotiation by quality values, RFC 9110 section 12. */
#ifndef HAIL_PROTO_ACCEPT_H
#define HAIL_PROTO_ACCEPT_H

#include <hail/http.h>

#include "proto/coding.h"

/* Quality values in thousandths; 0: not acceptable. */

/* What Accept-Encoding says of each coding, section 12.5.3. What is not
 * named is not acceptable (clients that want a coding say so), but for identity, which then has the
 * least quality, 1. */
void hail_accept_codings(const struct hail_http_fields *fields, unsigned q[HAIL_CODINGS]);

/* What Accept says of a media type ("text/html"), section 12.5.1: the most specific range that fits
 * counts. Without the field 1000. */
unsigned hail_accept_type(const struct hail_http_fields *fields, const char *type);

#endif
