/* sandbox.c - both halves of the sandbox, and the user; os/linux/sandbox.h. */
#include "os/linux/sandbox.h"

#include "base/error.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int hail_sandbox(struct hail_ctx *ctx, const struct hail_may *may, int n, struct hail_sandbox *got)
{
    *got = (struct hail_sandbox){0};
    int rc = hail_landlock(may, n, &got->landlock);
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "confine", "landlock: %s",
                         hail_errno_text(-rc));
    rc = hail_seccomp();
    if (rc < 0 && rc != -ENOSYS)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "confine", "seccomp: %s",
                         hail_errno_text(-rc));
    got->seccomp = rc == 0;
    return 0;
}

/* --- the user --- */

static bool number(const char *s, unsigned *out)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(s, &end, 10);
    if (*s < '0' || *s > '9' || *end || errno || n >= UINT_MAX)
        return false;
    *out = (unsigned)n;
    return true;
}

/* The files are read by hand: name services (NSS) would load libraries. */
static bool find_user(const char *name, unsigned *uid, unsigned *gid)
{
    unsigned id = 0;
    bool by_number = number(name, &id), found = false;
    struct passwd *pw;
    FILE *f = fopen("/etc/passwd", "re");
    while (f && !found && (pw = fgetpwent(f)) != NULL) {
        found = by_number ? pw->pw_uid == id : strcmp(pw->pw_name, name) == 0;
        if (found) {
            *uid = pw->pw_uid;
            *gid = pw->pw_gid;
        }
    }
    if (f)
        fclose(f);
    if (!found && by_number)
        *uid = *gid = id;
    return found || by_number;
}

static bool find_group(const char *name, unsigned *gid)
{
    bool found = number(name, gid);
    struct group *gr;
    FILE *f = found ? NULL : fopen("/etc/group", "re");
    while (f && !found && (gr = fgetgrent(f)) != NULL) {
        found = strcmp(gr->gr_name, name) == 0;
        if (found)
            *gid = gr->gr_gid;
    }
    if (f)
        fclose(f);
    return found;
}

int hail_become(struct hail_ctx *ctx, const char *who)
{
    char user[256];
    const char *colon = strchr(who, ':');
    size_t n = colon ? (size_t)(colon - who) : strlen(who);
    unsigned uid = 0, gid = 0;
    if (n == 0 || n >= sizeof user)
        return hail_fail(ctx, HAIL_LAYER_USAGE, EINVAL, "become", "'%s' is no user", who);
    memcpy(user, who, n);
    user[n] = '\0';
    if (!find_user(user, &uid, &gid))
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOENT, "become",
                         "become the user '%s': there is none in /etc/passwd", user);
    if (colon && !find_group(colon + 1, &gid))
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOENT, "become",
                         "become the group '%s': there is none in /etc/group", colon + 1);
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, errno, "become", "become the user '%s': %s", who,
                         hail_errno_text(errno));
    if (uid != 0 && setresuid(0, 0, 0) == 0) /* capabilities were kept */
        return hail_fail(ctx, HAIL_LAYER_LOCAL, EPERM, "become",
                         "become the user '%s': the way back to root stays open", who);
    return 0;
}
