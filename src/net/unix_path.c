/* unix_path.c - a Unix socket's file; net/unix_path.h, unix(7). */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_MS       1000 /* how long another's lock on the directory is waited for */
#define LOCK_PAUSE_MS 5

/* Others hold the lock for a moment only, as long as they bind and listen. */
static int lock(struct hail_unix_path *path)
{
    for (int waited_ms = 0; flock(path->dir, LOCK_EX | LOCK_NB) < 0; waited_ms += LOCK_PAUSE_MS) {
        if (errno != EWOULDBLOCK)
            return -errno;
        if (waited_ms >= LOCK_MS)
            return -EBUSY;
        poll(NULL, 0, LOCK_PAUSE_MS);
    }
    path->locked = true;
    return 0;
}

/* Opens and locks the directory. One that may not be read is used without the lock. */
static int open_dir(const char *path, struct hail_unix_path *out)
{
    char dir[sizeof out->name];
    const char *slash = strrchr(path, '/');
    snprintf(out->name, sizeof out->name, "%s", slash ? slash + 1 : path);
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    out->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->dir < 0 && errno == EACCES) {
        out->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return out->dir < 0 ? -errno : 0;
    }
    if (out->dir < 0)
        return -errno;
    return lock(out);
}

/* Removes what stands in the way if it is a socket that refuses connections. A live one of which
 * the queue is full says EAGAIN, one of datagrams EPROTOTYPE: both are somebody's. */
static int remove_stale(const struct hail_addr *addr, const struct hail_unix_path *path)
{
    struct stat st;
    if (fstatat(path->dir, path->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EADDRINUSE;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    bool stale = connect(fd, &addr->u.sa, addr->len) < 0 && errno == ECONNREFUSED;
    close(fd);
    if (!stale)
        return -EADDRINUSE;
    return unlinkat(path->dir, path->name, 0) < 0 ? -errno : 0;
}

/* The mode of the socket itself, within the umask, is the file's from its first moment; chmod(2)
 * then gives what the umask withheld. */
static int bind_with_mode(int fd, const struct hail_addr *addr, unsigned mode,
                          struct hail_unix_path *path)
{
    struct stat st;
    if (mode && fchmod(fd, (mode_t)mode) < 0)
        return -errno;
    if (bind(fd, &addr->u.sa, addr->len) < 0)
        return -errno;
    if (fstatat(path->dir, path->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        int rc = -errno;
        unlinkat(path->dir, path->name, 0);
        return rc;
    }
    path->dev = st.st_dev;
    path->ino = st.st_ino;
    if (mode && (st.st_mode & 07777) != mode && fchmodat(path->dir, path->name, mode, 0) < 0)
        return -errno;
    return 0;
}

int hail_unix_path_bind(int fd, const struct hail_addr *addr, unsigned mode,
                        struct hail_unix_path *out)
{
    struct hail_unix_path path = {.dir = -1};
    int rc = open_dir(addr->u.un.sun_path, &path);
    if (rc == 0)
        rc = bind_with_mode(fd, addr, mode, &path);
    if (rc == -EADDRINUSE) {
        rc = remove_stale(addr, &path);
        if (rc == 0)
            rc = bind_with_mode(fd, addr, mode, &path);
    }
    if (rc < 0) {
        hail_unix_path_remove(&path);
        return rc;
    }
    *out = path;
    return 0;
}

void hail_unix_path_unlock(struct hail_unix_path *path)
{
    if (path->locked)
        flock(path->dir, LOCK_UN);
    path->locked = false;
}

void hail_unix_path_remove(struct hail_unix_path *path)
{
    struct stat st;
    if (path->dir < 0)
        return;
    if (path->ino && fstatat(path->dir, path->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_ino == path->ino && st.st_dev == path->dev)
        unlinkat(path->dir, path->name, 0);
    close(path->dir);
    path->dir = -1;
}
