/* landlock.c - which files may still be opened, landlock(7); os/linux/sandbox.h.
 *
 * The numbers are the kernel's (include/uapi/linux/landlock.h), up to ABI 6; headers that are older
 * than the kernel lack some. Of a kernel that knows less, less is asked.
 */
#include "os/linux/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define VERSION_FLAG  1U
#define PATH_BENEATH  1
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE  (1ULL << 2)
#define FS_READ_DIR   (1ULL << 3)
#define FS_REMOVE     (1ULL << 5)
#define FS_MAKE_REG   (1ULL << 8)

/* What each ABI added: the rights over files, over TCP, and the scopes. */
static const struct {
    uint64_t fs, net, scoped;
} abis[] = {
    {(1ULL << 13) - 1, 0, 0}, /* 1: all but REFER */
    {1ULL << 13, 0, 0},       /* 2: REFER */
    {1ULL << 14, 0, 0},       /* 3: TRUNCATE */
    {0, 3, 0},                /* 4: bind, connect */
    {1ULL << 15, 0, 0},       /* 5: IOCTL_DEV */
    {0, 0, 3},                /* 6: abstract Unix sockets, signals */
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

static uint64_t rights(unsigned may)
{
    uint64_t r = may & HAIL_MAY_READ ? FS_READ_FILE | FS_READ_DIR : 0;
    r |= may & HAIL_MAY_WRITE ? FS_WRITE_FILE | FS_MAKE_REG : 0;
    return r | (may & HAIL_MAY_REMOVE ? FS_REMOVE : 0);
}

/* The ruleset's descriptor, or -errno. */
static int new_ruleset(int abi)
{
    struct ruleset r = {0};
    for (int i = 0; i < abi && i < (int)(sizeof abis / sizeof *abis); i++) {
        r.fs |= abis[i].fs;
        r.net |= abis[i].net;
        r.scoped |= abis[i].scoped;
    }
    size_t size = r.scoped ? sizeof r : r.net ? 16 : 8;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
    return fd < 0 ? -errno : fd;
}

int hail_landlock(const struct hail_may *may, int n, int *abi)
{
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG), rc = 0;
    *abi = 0;
    if (version < 1)
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
    int rules = new_ruleset(version);
    if (rules < 0)
        return rules;
    for (int i = 0; i < n && rc == 0; i++) {
        const struct beneath b = {rights(may[i].may), may[i].fd};
        if (syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &b, 0) < 0)
            rc = -errno;
    }
    if (rc == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                    syscall(SYS_landlock_restrict_self, rules, 0) < 0))
        rc = -errno;
    close(rules);
    *abi = rc == 0 ? version : 0;
    return rc;
}
