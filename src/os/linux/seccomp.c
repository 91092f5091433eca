/* seccomp.c - which system calls may still be made: an allow-list by libseccomp;
 * os/linux/sandbox.h.
 *
 * What is not in it fails with EPERM, so that a library's optional call does not end the server.
 */
#include "os/linux/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static const char *const allowed[] = {
    /* connections that are there, and those that come */
    "accept",
    "accept4",
    "read",
    "readv",
    "recvfrom",
    "recvmsg",
    "recv",
    "write",
    "writev",
    "sendto",
    "sendmsg",
    "send",
    "sendfile",
    "sendfile64",
    "splice",
    "shutdown",
    "close",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "socketcall",
    /* files */
    "openat2",
    "openat",
    "open",
    "fstat",
    "fstat64",
    "newfstatat",
    "fstatat64",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "statx",
    "pread64",
    "preadv",
    "pwrite64",
    "lseek",
    "_llseek",
    "getdents64",
    "faccessat",
    "faccessat2",
    "access",
    "readlink",
    "readlinkat",
    "unlinkat",
    "unlink",
    "fcntl",
    "fcntl64",
    "fadvise64",
    "fadvise64_64",
    "arm_fadvise64_64",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    /* waiting */
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "eventfd2",
    "signalfd4",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "futex",
    "futex_time64",
    "futex_waitv",
    "restart_syscall",
    "sched_yield",
    /* memory */
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "membarrier",
    /* threads, signals, the end */
    "set_robust_list",
    "get_robust_list",
    "rseq",
    "set_tid_address",
    "gettid",
    "getpid",
    "sched_getaffinity",
    "sched_setaffinity",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "rt_sigpending",
    "sigaltstack",
    "tgkill",
    "tkill",
    "exit",
    "exit_group",
    "arch_prctl",
    "prlimit64",
    "getrlimit",
    "ugetrlimit",
    "get_thread_area",
    /* who and when */
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getuid32",
    "geteuid32",
    "getgid32",
    "getegid32",
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "gettimeofday",
    "time",
    "getrandom",
    "uname",
    "sysinfo",
    "getcpu",
};

/* Names that this architecture or libseccomp does not know are passed over. */
static int allow(scmp_filter_ctx f, const char *name)
{
    int nr = seccomp_syscall_resolve_name(name);
    return nr < 0 ? 0 : seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);
}

/* Memory that is not executable, and threads of this process. */
static int allow_some(scmp_filter_ctx f)
{
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    /* its flags are in memory, which a filter does not see: the C library falls back to clone(2) */
    if (rc == 0)
        rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return rc;
}

int hail_seccomp(void)
{
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
        return -ENOSYS;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return -ENOMEM;
    int rc = allow_some(f);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && rc == 0; i++)
        rc = allow(f, allowed[i]);
    if (rc == 0)
        rc = seccomp_load(f);
    seccomp_release(f);
    return rc;
}
