/* netns.c - network namespaces: finding them, going into one and back; diag/netns.h.
 *
 * A namespace is told from others by the inode of its file in nsfs. It is found by a process in it
 * (/proc/PID/ns/net) or by the name that ip-netns(8) gave it (a file in /run/netns); what only an
 * open descriptor keeps alive is not found.
 */
#include "diag/netns.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAMES     "/run/netns"
#define NETNS_MAX 65536

/* --- going in and back --- */

int hail_netns_enter(const struct hail_netns *to, int *back)
{
    *back = -1;
    if (!to || to->own)
        return 0;
    int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (here < 0)
        return -errno;
    if (setns(to->fd, CLONE_NEWNET) < 0) {
        int rc = -errno;
        close(here);
        return rc;
    }
    *back = here;
    return 0;
}

int hail_netns_leave(int back)
{
    if (back < 0)
        return 0;
    int rc = setns(back, CLONE_NEWNET) < 0 ? -errno : 0;
    close(back);
    return rc;
}

/* --- one --- */

static uint64_t own_inode(void)
{
    struct stat st;
    return stat("/proc/thread-self/ns/net", &st) == 0 ? st.st_ino : 0;
}

/* Opens the namespace that the file stands for. -EINVAL: the file is no network namespace's. */
static int open_file(const char *path, struct hail_netns *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct statfs fs;
    if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
        close(fd);
        return -EINVAL;
    }
    out->fd = fd;
    out->inode = st.st_ino;
    out->own = st.st_ino == own_inode();
    return 0;
}

static bool is_number(const char *s)
{
    return *s && s[strspn(s, "0123456789")] == '\0';
}

int hail_netns_open(struct hail_ctx *ctx, const char *which, struct hail_netns *out)
{
    struct hail_netns ns = {.fd = -1};
    char path[512];
    int rc = -ENOENT;
    if (strchr(which, '/')) {
        rc = open_file(which, &ns);
    } else {
        snprintf(path, sizeof path, NAMES "/%s", which);
        rc = open_file(path, &ns);
        if (rc == 0)
            snprintf(ns.name, sizeof ns.name, "%s", which);
    }
    if (rc == -ENOENT && is_number(which)) {
        snprintf(path, sizeof path, "/proc/%s/ns/net", which);
        rc = open_file(path, &ns);
        ns.pid = rc == 0 ? atoi(which) : 0;
    }
    if (rc == -ENOENT)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, ENOENT, "open",
                         "network namespace '%s': there is none of this name, and no such process",
                         which);
    if (rc < 0)
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "open", "network namespace '%s': %s", which,
                         hail_errno_text(-rc));
    *out = ns;
    return 0;
}

void hail_netns_close(struct hail_netns *netns)
{
    if (netns && netns->fd >= 0)
        close(netns->fd);
    if (netns)
        netns->fd = -1;
}

/* --- all of them --- */

/* One that was found; its file is opened again when it is told. */
struct found {
    uint64_t inode;
    int pid;
    char name[64];
};

struct search {
    struct found *v;
    size_t n, size, hidden;
};

static int note(struct search *s, uint64_t inode, int pid, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].inode != inode)
            continue;
        if (!s->v[i].name[0])
            snprintf(s->v[i].name, sizeof s->v[i].name, "%s", name);
        return 0;
    }
    if (s->n == NETNS_MAX)
        return 0;
    if (s->n == s->size) {
        size_t size = s->size ? s->size * 2 : 16;
        struct found *v = realloc(s->v, size * sizeof *v);
        if (!v)
            return -ENOMEM;
        s->v = v;
        s->size = size;
    }
    s->v[s->n] = (struct found){.inode = inode, .pid = pid};
    snprintf(s->v[s->n++].name, sizeof s->v[0].name, "%s", name);
    return 0;
}

/* Every process' namespace: one stat(2) a process. */
static int search_processes(struct search *s)
{
    DIR *dir = opendir("/proc");
    uint64_t last = 0;
    int rc = 0;
    if (!dir)
        return -errno;
    for (struct dirent *e; rc == 0 && (e = readdir(dir)) != NULL;) {
        char path[300];
        struct stat st;
        if (!is_number(e->d_name))
            continue;
        snprintf(path, sizeof path, "/proc/%s/ns/net", e->d_name);
        if (stat(path, &st) < 0) {
            s->hidden += geteuid() && (errno == EACCES || errno == EPERM); /* root: a zombie */
            continue;
        }
        if (st.st_ino != last)
            rc = note(s, st.st_ino, atoi(e->d_name), "");
        last = st.st_ino;
    }
    closedir(dir);
    return rc;
}

static int search_names(struct search *s)
{
    DIR *dir = opendir(NAMES);
    int rc = 0;
    for (struct dirent *e; dir && rc == 0 && (e = readdir(dir)) != NULL;) {
        struct hail_netns ns = {.fd = -1};
        char path[300];
        snprintf(path, sizeof path, NAMES "/%s", e->d_name);
        if (e->d_name[0] == '.' || open_file(path, &ns) < 0)
            continue;
        rc = note(s, ns.inode, 0, e->d_name);
        hail_netns_close(&ns);
    }
    if (dir)
        closedir(dir);
    return rc;
}

/* Names first, in their order, behind the own one; then the nameless by their processes. */
static int in_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    uint64_t own = own_inode();
    if ((x->inode == own) != (y->inode == own))
        return x->inode == own ? -1 : 1;
    if (!x->name[0] != !y->name[0])
        return x->name[0] ? -1 : 1;
    int by_name = strcmp(x->name, y->name);
    return by_name ? by_name : x->pid - y->pid;
}

/* Opens what was found, if it is still there and still the same, and tells it. */
static int tell(const struct found *f, hail_netns_fn *each, void *arg)
{
    struct hail_netns ns = {.fd = -1, .pid = f->pid};
    char path[300];
    if (f->pid)
        snprintf(path, sizeof path, "/proc/%d/ns/net", f->pid);
    else
        snprintf(path, sizeof path, NAMES "/%s", f->name);
    if (f->inode == own_inode())
        snprintf(path, sizeof path, "/proc/thread-self/ns/net");
    if (open_file(path, &ns) < 0)
        return 0;
    snprintf(ns.name, sizeof ns.name, "%s", f->name);
    int rc = ns.inode == f->inode ? each(arg, &ns) : 0;
    hail_netns_close(&ns);
    return rc;
}

int hail_netns_each(struct hail_ctx *ctx, hail_netns_fn *each, void *arg, size_t *hidden)
{
    struct search s = {0};
    int rc = note(&s, own_inode(), 0, "");
    if (rc == 0)
        rc = search_processes(&s);
    if (rc == 0)
        rc = search_names(&s);
    if (rc < 0) {
        free(s.v);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "list", "find the network namespaces: %s",
                         hail_errno_text(-rc));
    }
    qsort(s.v, s.n, sizeof *s.v, in_order);
    for (size_t i = 0; i < s.n && rc == 0; i++)
        rc = tell(&s.v[i], each, arg);
    if (hidden)
        *hidden = s.hidden;
    free(s.v);
    return rc;
}
