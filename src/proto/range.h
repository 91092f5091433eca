/* range.h - parts of a representation, RFC 9110 section 14. */
#ifndef HAIL_PROTO_RANGE_H
#define HAIL_PROTO_RANGE_H

#include <hail/http.h>

struct hail_range {
    uint64_t first, length;
};

/* Reads the value of Range for a representation of `size` bytes into at most `max` ranges, in the
 * order asked for; those that overlap or touch become one (section 15.3.7.2), those behind the end
 * are left out. Returns how many there are; 0: the field is to be ignored (another unit, malformed,
 * too many, or they amount to more than the whole); -ERANGE: none can be satisfied, 416. */
int hail_ranges(struct hail_slice value, uint64_t size, struct hail_range *out, int max);

/* The value of Content-Range: "bytes 0-499/1234", or with `r` NULL "bytes", " *", "/1234" for 416.
 */
#define HAIL_CONTENT_RANGE_MAX 80
void hail_content_range(const struct hail_range *r, uint64_t size,
                        char out[HAIL_CONTENT_RANGE_MAX]);

/* The head of a part of multipart/byteranges (section 14.6), and with `r` NULL the end of all. The
 * boundary is the caller's, at most 70 characters. The length (as snprintf(3)). */
int hail_range_part(const struct hail_range *r, uint64_t size, const char *type,
                    const char *boundary, char *out, size_t room);

#endif
