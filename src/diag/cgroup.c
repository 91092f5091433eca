/* cgroup.c - from the id of a cgroup (v2) to its path, and to the unit or container that the path
 * names; include/hail/diag.h. The id is the inode of the directory in the cgroup2 file system
 * (cgroups(7)). */
#include <hail/diag.h>

#include <errno.h>
#include <fts.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CGROUPS_MAX  (1 << 20)
#define CONTAINER_ID 64 /* hexadecimal digits of a container's name; 12 are shown */

struct cgroup {
    uint64_t id;
    char *path; /* below the mount; "/" for the mount itself */
};

#define STALE_NS ((int64_t)5 * 1000000000) /* what is not in the tree may have come since */

static struct {
    pthread_mutex_t lock;
    struct cgroup *v; /* by id */
    size_t n;
    int64_t read_ns; /* when; 0: not yet */
} tree = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int by_id(const void *a, const void *b)
{
    const struct cgroup *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Undoes mountinfo's \040 and the like: a blank, a tab, a newline, a backslash. */
static void unescape(char *s)
{
    char *to = s;
    for (; *s; s++) {
        bool octal = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                     s[3] >= '0' && s[3] <= '7';
        *to++ = octal ? (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')) : *s;
        s += octal ? 3 : 0;
    }
    *to = '\0';
}

/* Where the cgroup2 file system is mounted: the fifth field of the line that says so, proc(5). */
static bool find_mount(char out[512])
{
    char line[1024];
    bool found = false;
    FILE *f = fopen("/proc/self/mountinfo", "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %511s", out) == 1;
    if (f)
        fclose(f);
    if (found)
        unescape(out);
    return found;
}

static int add(const FTSENT *e, size_t mount_len)
{
    if ((tree.n & (tree.n - 1)) == 0) { /* at 0, 1, 2, 4 ... the room doubles */
        struct cgroup *v = realloc(tree.v, (tree.n ? 2 * tree.n : 1) * sizeof *v);
        if (!v)
            return -ENOMEM;
        tree.v = v;
    }
    const char *below = e->fts_path + mount_len;
    char *path = strdup(*below ? below : "/");
    if (!path)
        return -ENOMEM;
    tree.v[tree.n++] = (struct cgroup){e->fts_statp->st_ino, path};
    return 0;
}

static void read_tree(void)
{
    char mount[512];
    for (size_t i = 0; i < tree.n; i++)
        free(tree.v[i].path);
    tree.n = 0;
    tree.read_ns = hail_now();
    if (!find_mount(mount))
        return;
    char *const roots[] = {mount, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    int rc = 0;
    for (FTSENT *e; fts && rc == 0 && tree.n < CGROUPS_MAX && (e = fts_read(fts)) != NULL;)
        if (e->fts_info == FTS_D)
            rc = add(e, strlen(mount));
    if (fts)
        fts_close(fts);
    qsort(tree.v, tree.n, sizeof *tree.v, by_id);
}

static const struct cgroup *find(uint64_t id)
{
    const struct cgroup key = {.id = id};
    return tree.n ? bsearch(&key, tree.v, tree.n, sizeof *tree.v, by_id) : NULL;
}

int hail_cgroup_path(uint64_t id, char *out, size_t size)
{
    pthread_mutex_lock(&tree.lock);
    const struct cgroup *c = find(id);
    if (!c && (!tree.read_ns || hail_now() - tree.read_ns > STALE_NS)) {
        read_tree();
        c = find(id);
    }
    if (c)
        snprintf(out, size, "%s", c->path);
    pthread_mutex_unlock(&tree.lock);
    return c ? 0 : -ENOENT;
}

static bool ends(const char *s, size_t n, const char *end)
{
    size_t len = strlen(end);
    return n > len && memcmp(s + n - len, end, len) == 0;
}

/* The beginning of a container's id in a part of the path: "docker-ID.scope", "cri-containerd-ID",
 * or "ID" alone. NULL without. */
static const char *container(const char *part, size_t n)
{
    size_t run = 0;
    for (size_t i = 0; i < n; i++) {
        bool hex = (part[i] >= '0' && part[i] <= '9') || (part[i] >= 'a' && part[i] <= 'f');
        run = hex ? run + 1 : 0;
        if (run == CONTAINER_ID)
            return part + i + 1 - CONTAINER_ID;
    }
    return NULL;
}

/* Whether the n bytes at `s` are longer than `begin` and begin so. */
static bool begins(const char *s, size_t n, const char *begin)
{
    size_t len = strlen(begin);
    return n > len && memcmp(s, begin, len) == 0;
}

/* What liblxc calls a container: the length of NAME in a part "lxc.payload.NAME", or in one right
 * below "lxc" or "lxc.payload"; 0 for none. */
static size_t lxc_container(const char *path, const char *part, size_t n, const char **name)
{
    static const char payload[] = "lxc.payload.";
    const char *above = part - path > 1 ? memrchr(path, '/', (size_t)(part - 1 - path)) : NULL;
    size_t len = above ? (size_t)(part - above) : 0;
    *name = part;
    if (begins(part, n, payload)) {
        *name = part + sizeof payload - 1;
        return n - (sizeof payload - 1);
    }
    bool below = (len == 5 && memcmp(above, "/lxc/", 5) == 0) ||
                 (len == 13 && memcmp(above, "/lxc.payload/", 13) == 0);
    return below ? n : 0;
}

void hail_cgroup_unit(const char *path, char *out, size_t size)
{
    for (const char *end = path + strlen(path); end > path;) {
        const char *slash = memrchr(path, '/', (size_t)(end - path));
        const char *part = slash ? slash + 1 : path;
        size_t n = (size_t)(end - part);
        const char *id = container(part, n);
        if (id) {
            snprintf(out, size, "%.12s", id);
            return;
        }
        const char *name;
        size_t len = lxc_container(path, part, n, &name);
        if (len) {
            snprintf(out, size, "%.*s", (int)len, name);
            return;
        }
        if (ends(part, n, ".service") || ends(part, n, ".scope") || ends(part, n, ".socket")) {
            snprintf(out, size, "%.*s", (int)n, part);
            return;
        }
        end = slash ? slash : path;
    }
    snprintf(out, size, "%s", path);
}
