/* support.c - unreadable pages, calls that fail on demand, descriptors counted: see support.h. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUARDED_MAX ((size_t)256 * 1024)
#define CALLS_MAX   1000 /* more than any operation makes */

void *guarded(const void *p, size_t n)
{
    static _Thread_local char *end;
    if (!end) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *area = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(area != MAP_FAILED);
        end = area + GUARDED_MAX;
        assert_int_equal(mprotect(end, page, PROT_NONE), 0);
    }
    assert_true(n <= GUARDED_MAX);
    if (n > 0)
        memcpy(end - n, p, n);
    return end - n;
}

size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* --- calls that fail --- */

static _Thread_local int countdown; /* to the call that fails; 0: none does */
static _Thread_local bool failed;

int fail_nth(int n)
{
    int left = countdown;
    countdown = n;
    if (n > 0)
        failed = false;
    return left;
}

bool has_failed(void)
{
    return failed;
}

bool fails(int errnum)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    errno = errnum;
    return failed = true;
}

void each_call_fails(int (*act)(const void *arg), const void *arg)
{
    for (int n = 1; n < CALLS_MAX; n++) {
        size_t before = open_descriptors();
        fail_nth(n);
        int rc = act(arg);
        fail_nth(0);
        assert_int_equal(open_descriptors(), before);
        if (!has_failed()) {
            assert_int_equal(rc, 0);
            assert_true(n > 2); /* the wrapping works at all */
            return;
        }
    }
    fail_msg("%s", "there is no end of calls");
}

/* Weak on both sides: a test may have a wrapper of its own, and what no test wraps does not exist
 * as __real_NAME. */
#define WRAP(type, failure, name, errnum, params, args)                                            \
    __attribute__((weak)) type __real_##name params;                                               \
    __attribute__((weak)) type __wrap_##name params;                                               \
    __attribute__((weak)) type __wrap_##name params                                                \
    {                                                                                              \
        return fails(errnum) ? (failure) : __real_##name args;                                     \
    }

WRAP(void *, NULL, malloc, ENOMEM, (size_t n), (n))
WRAP(void *, NULL, calloc, ENOMEM, (size_t n, size_t size), (n, size))
WRAP(void *, NULL, realloc, ENOMEM, (void *p, size_t n), (p, n))
WRAP(int, -1, socket, EMFILE, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, -1, setsockopt, ENOBUFS, (int fd, int level, int name, const void *value, socklen_t n),
     (fd, level, name, value, n))
WRAP(int, -1, bind, EACCES, (int fd, const struct sockaddr *sa, socklen_t n), (fd, sa, n))
WRAP(int, -1, connect, EADDRNOTAVAIL, (int fd, const struct sockaddr *sa, socklen_t n), (fd, sa, n))
WRAP(int, -1, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
WRAP(int, -1, getsockname, ENOBUFS, (int fd, struct sockaddr *sa, socklen_t *n), (fd, sa, n))
WRAP(int, -1, poll, ENOMEM, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
WRAP(ssize_t, -1, sendto, ENOBUFS,
     (int fd, const void *p, size_t n, int flags, const struct sockaddr *sa, socklen_t len),
     (fd, p, n, flags, sa, len))
WRAP(ssize_t, -1, send, ENOBUFS, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(ssize_t, -1, recvfrom, EIO,
     (int fd, void *p, size_t n, int flags, struct sockaddr *sa, socklen_t *len),
     (fd, p, n, flags, sa, len))
WRAP(DIR *, NULL, opendir, EMFILE, (const char *path), (path))
WRAP(ssize_t, -1, recv, EIO, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(int, -1, flock, ENOLCK, (int fd, int operation), (fd, operation))
WRAP(int, -1, fstatat, EACCES, (int dir, const char *name, struct stat *st, int flags),
     (dir, name, st, flags))
WRAP(int, -1, fchmod, EPERM, (int fd, mode_t mode), (fd, mode))
WRAP(int, -1, fchmodat, EPERM, (int dir, const char *name, mode_t mode, int flags),
     (dir, name, mode, flags))
