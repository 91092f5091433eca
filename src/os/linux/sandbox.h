/* sandbox.h - a process gives up what it does not need any more: landlock(7), seccomp(2), and the
 * user that it runs as. What is given up is gone for good, for this thread and those it makes from
 * then on: call these before others are made.
 */
#ifndef HAIL_OS_LINUX_SANDBOX_H
#define HAIL_OS_LINUX_SANDBOX_H

#include <hail/ctx.h>

/* What may still be done at a folder and below. */
enum {
    HAIL_MAY_READ = 1,   /* read files and folders */
    HAIL_MAY_WRITE = 2,  /* make files, and write them */
    HAIL_MAY_REMOVE = 4, /* unlink what is no folder */
};

struct hail_may {
    int fd; /* of the folder; may be opened with O_PATH, and closed afterwards */
    unsigned may;
};

/* What the kernel has of it. */
struct hail_sandbox {
    int landlock; /* its ABI; 0: none */
    bool seccomp;
};

/* From now on no file but those can be opened, made or removed (with ABI 4 no TCP connection be
 * made nor port be bound, with 6 no signal sent nor abstract socket reached outside); no program
 * can be run, no process made, no socket opened, no memory made executable; system calls that a
 * server of files has no use for fail with EPERM. What the kernel lacks is left out and told in
 * *got; what fails otherwise is an error: 0, or -errno recorded. */
int hail_sandbox(struct hail_ctx *ctx, const struct hail_may *may, int n, struct hail_sandbox *got);

/* The first half of it alone: 0, or -errno; *abi as above. */
int hail_landlock(const struct hail_may *may, int n, int *abi);
/* The second: 0, -ENOSYS when the kernel has none, or -errno. */
int hail_seccomp(void);

/* Becomes `who`, "USER" or "USER:GROUP", by name in /etc/passwd and /etc/group or by number,
 * without any other group; the way back is shut. 0, or -errno recorded: -ENOENT for one that is
 * not there, -EPERM for who is not root. */
int hail_become(struct hail_ctx *ctx, const char *who);

#endif
