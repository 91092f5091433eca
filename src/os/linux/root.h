/* root.h - files below a folder, and nothing outside it. */
#ifndef HAIL_OS_LINUX_ROOT_H
#define HAIL_OS_LINUX_ROOT_H

#include <hail/ctx.h>

#include <sys/stat.h>

struct hail_root {
    int fd;
    bool follow; /* symbolic links that lead outside, too */
};

/* Opens the folder that everything is below of. Where the kernel has no openat2(2) (before Linux
 * 5.6), or does not allow it, that is a failure: without it a rename at the right moment leads
 * outside. 0, or -errno with the error recorded, and fd -1. */
int hail_root_open(struct hail_ctx *ctx, const char *path, bool follow, struct hail_root *root);

/* Opens `path` (relative; "" is the root itself) below `root` to be read. Symbolic links are
 * followed as long as they stay below the root: absolute ones, and those of /proc, do not. (With
 * `follow` they lead wherever they lead, but for those of /proc; `path` has no ".." then.) Opening
 * waits for nobody, not for a writer of a FIFO either. Returns the descriptor and *st, or -errno:
 * -EXDEV for what leads outside. Sets no error. */
int hail_root_file(struct hail_root root, const char *path, struct stat *st);

#endif
