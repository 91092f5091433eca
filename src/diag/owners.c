/* owners.c - which process holds a socket: a walk over /proc/PID/fd (proc(5)). */
#include "base/error.h"

#include <hail/sockets.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct walk {
    const uint32_t *inodes;
    size_t n;
    hail_owner_fn *each;
    void *arg;
};

static bool wanted(const struct walk *w, uint32_t inode)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->inodes[i] == inode && inode)
            return true;
    return false;
}

/* The program's name, without the newline. */
static void read_comm(int proc, const char *pid, char *out, size_t size)
{
    char path[32];
    out[0] = '\0';
    snprintf(path, sizeof path, "%.20s/comm", pid);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* The descriptors of one process; what may not be read is passed over. A process that holds one
 * socket several times is told once for each descriptor's inode in a row. */
static void walk_process(struct walk *w, int proc, const char *pid)
{
    char path[32], link[64], name[32] = "";
    snprintf(path, sizeof path, "%.20s/fd", pid);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    uint32_t last = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(fd, e->d_name, link, sizeof link - 1);
        if (n < 9 || memcmp(link, "socket:[", 8) != 0)
            continue;
        link[n] = '\0';
        uint32_t inode = (uint32_t)strtoul(link + 8, NULL, 10);
        if (inode == last || !wanted(w, inode))
            continue;
        if (!*name)
            read_comm(proc, pid, name, sizeof name);
        w->each(w->arg, inode, atoi(pid), name);
        last = inode;
    }
    closedir(dir);
}

int hail_sockets_owners(struct hail_ctx *ctx, const uint32_t *inodes, size_t n, hail_owner_fn *each,
                        void *arg)
{
    struct walk w = {inodes, n, each, arg};
    DIR *dir = n ? opendir("/proc") : NULL;
    if (n && !dir)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "list", "read /proc: %s",
                         hail_errno_text(errno));
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
            walk_process(&w, dirfd(dir), e->d_name);
    if (dir)
        closedir(dir);
    return 0;
}
