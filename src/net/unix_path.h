/* unix_path.h - a Unix socket's file: taking a path over from a dead listener, and removing it. */
#ifndef HAIL_NET_UNIX_PATH_H
#define HAIL_NET_UNIX_PATH_H

#include <hail/endpoint.h>
#include <sys/types.h>

/* The file that a bind made. `dir` is the directory's descriptor, so that the file is found again
 * wherever the process has gone to; -1: none. */
struct hail_unix_path {
    int dir;
    bool locked;
    dev_t dev;
    ino_t ino;
    char name[sizeof((struct sockaddr_un *)0)->sun_path]; /* within the directory */
};

/* Binds the socket `fd` to the path in `addr`, replacing a socket file that nobody listens on, with
 * permission bits `mode` (0: by umask). The directory is locked (flock(2)) until
 * hail_unix_path_unlock(), because between bind(2) and listen(2) a live socket looks dead. Returns
 * 0, -EADDRINUSE for a live socket or another kind of file, -EBUSY when the directory stays locked
 * by others, or -errno. */
int hail_unix_path_bind(int fd, const struct hail_addr *addr, unsigned mode,
                        struct hail_unix_path *out);
void hail_unix_path_unlock(struct hail_unix_path *path);

/* Removes the file if it is still the one that was made, and closes the directory. */
void hail_unix_path_remove(struct hail_unix_path *path);

#endif
