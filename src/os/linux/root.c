/* root.c - files below a folder by openat2(2), whose RESOLVE_BENEATH leaves it to the kernel that
 * no component of a path, no symbolic link and no rename in between leads outside; os/linux/root.h.
 */
#include "os/linux/root.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Tries when a rename elsewhere disturbed the look-up, openat2(2) "EAGAIN". */
#define DISTURBED_MAX 16

static int open_below(struct hail_root root, const char *path)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                 .resolve =
                                     (root.follow ? 0 : RESOLVE_BENEATH) | RESOLVE_NO_MAGICLINKS};
    int fd, tries = 0;
    do
        fd = (int)syscall(SYS_openat2, root.fd, *path ? path : ".", &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < DISTURBED_MAX)));
    return fd < 0 ? -errno : fd;
}

int hail_root_open(struct hail_ctx *ctx, const char *path, bool follow, struct hail_root *root)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *root = (struct hail_root){fd, follow};
    if (fd < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "open", "open %s: %s", path,
                         hail_errno_text(errno));
    int probe = open_below(*root, "");
    if (probe >= 0) {
        close(probe);
        return 0;
    }
    close(fd);
    root->fd = -1;
    hail_fail(ctx, HAIL_LAYER_LOCAL, -probe, "open", "open files below %s: %s", path,
              hail_errno_text(-probe));
    if (probe == -ENOSYS || probe == -EPERM)
        hail_advise(ctx, "openat2(2) is needed, which is part of Linux since 5.6, and which a "
                         "container's filter may forbid");
    return probe;
}

int hail_root_file(struct hail_root root, const char *path, struct stat *st)
{
    struct stat found;
    int fd = open_below(root, path);
    if (fd < 0)
        return fd;
    if (fstat(fd, &found) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    *st = found;
    return fd;
}
