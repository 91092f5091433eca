/* syscalls.h - system calls that fail on demand: the Nth of those that are wrapped. A test that
 * includes it has in its head a line "link: --wrap=NAME" for each of WRAPPED.
 */
#ifndef HAIL_TESTS_SYSCALLS_H
#define HAIL_TESTS_SYSCALLS_H

#include "peer.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Counts down to the call that fails; 0: none does. */
static int fail_in;
static bool failed; /* one did */

static UNUSED bool fails(int errnum)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    errno = errnum;
    return failed = true;
}

#define WRAP(type, name, errnum, params, args)                                                     \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        return fails(errnum) ? (type)-1 : __real_##name args;                                      \
    }

#define WRAP_MALLOC                                                                                \
    void *__real_malloc(size_t size);                                                              \
    void *__wrap_malloc(size_t size);                                                              \
    void *__wrap_malloc(size_t size)                                                               \
    {                                                                                              \
        return fails(ENOMEM) ? NULL : __real_malloc(size);                                         \
    }

WRAP(int, socket, EMFILE, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, setsockopt, ENOBUFS, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
WRAP(int, bind, EACCES, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len))
WRAP(int, getsockname, ENOBUFS, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len))
WRAP(int, poll, ENOMEM, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
WRAP_MALLOC

/* Calls `act` with the first, second, ... wrapped call failing, until one run needs no more. `act`
 * returns the library's result; it is told whether it shall succeed by `failed` staying false. */
static UNUSED void each_call_fails(int (*act)(const void *arg), const void *arg)
{
    int n = 1;
    for (;; n++) {
        size_t before = open_descriptors();
        failed = false;
        fail_in = n;
        int rc = act(arg);
        fail_in = 0;
        assert_int_equal(open_descriptors(), before);
        if (!failed) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_true(n < 200);
    }
    assert_true(n > 2); /* the wrapping works at all */
}

#endif
