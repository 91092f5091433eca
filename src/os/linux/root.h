/* root.h - files below a folder, and nothing outside it. */
#ifndef HAIL_OS_LINUX_ROOT_H
#define HAIL_OS_LINUX_ROOT_H

#include <hail/ctx.h>

#include <sys/stat.h>

/* Opens the folder that everything is below of. Where the kernel has no openat2(2) (before Linux
 * 5.6), or does not allow it, that is a failure: without it a rename at the right moment leads
 * outside. Returns the descriptor, or -errno with the error recorded. */
int hail_root_open(struct hail_ctx *ctx, const char *path);

/* Opens `path` (relative; "" is the root itself) below `root` to be read. Symbolic links are
 * followed as long as they stay below the root: absolute ones, and those of /proc, do not. Opening
 * waits for nobody, not for a writer of a FIFO either. Returns the descriptor and *st, or -errno:
 * -EXDEV for what leads outside. Sets no error. */
int hail_root_file(int root, const char *path, struct stat *st);

#endif
