/* disposition.h - the name that a response gives to a file: Content-Disposition, RFC 6266. */
#ifndef HAIL_PROTO_DISPOSITION_H
#define HAIL_PROTO_DISPOSITION_H

#include <hail/slice.h>
#include <sys/types.h>

/* The file's name in a Content-Disposition: `filename*` (RFC 8187, UTF-8) before `filename`. What
 * is in front of the last slash or backslash is dropped. Returns the length of the NUL-ended name
 * in `out`, -ENOENT when there is none, or -EINVAL when it is none to use: empty, ".", "..", one
 * that begins with '.' or '-', one with control bytes, or too long. */
ssize_t hail_disposition_name(struct hail_slice value, char *out, size_t size);

/* The same for the last segment of a URL's path, percent-encoding undone where what comes out may
 * be in a name (no slash, no control byte). */
ssize_t hail_path_name(struct hail_slice path, char *out, size_t size);

#endif
