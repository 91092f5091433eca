/* slice.h - a run of bytes inside memory that belongs to somebody else. */
#ifndef HAIL_SLICE_H
#define HAIL_SLICE_H

#include <hail/ctx.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `n` bytes at `p`, not NUL-ended; valid as long as the memory is. {NULL, 0}: not there. */
struct hail_slice {
    const char *p;
    size_t n;
};

/* A NUL-ended string as a slice. */
HAIL_API struct hail_slice hail_slice(const char *s);
HAIL_API bool hail_slice_is(struct hail_slice a, const char *s);
/* The same for ASCII letters of either case. */
HAIL_API bool hail_slice_is_nocase(struct hail_slice a, const char *s);

#ifdef __cplusplus
}
#endif
#endif
