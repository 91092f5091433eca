/* filter.h - the filters of hail_socket_filter_parse() (include/hail/diag.h), and what of them the
 * kernel can do.
 *
 * Grammar (ss(8)'s, and more fields):
 *
 *   filter    = [ states ] [ expr ]
 *   ...
 */
#ifndef HAIL_DIAG_FILTER_H
#define HAIL_DIAG_FILTER_H

#include <hail/diag.h>

#define HAIL_BYTECODE_MAX 4096 /* bytes of a program for the kernel */

/* Writes a program of INET_DIAG_REQ_BYTECODE (linux/inet_diag.h) that lets through at least every
 * row that fits; what it does not decide, hail_socket_filter_match() does. Returns its length, or 0
 * when the kernel can decide nothing of it, or it does not fit. */
size_t hail_filter_bytecode(const struct hail_socket_filter *filter, void *out, size_t size);

#endif
