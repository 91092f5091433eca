/* walk.c - which sockets the processes hold: one thread's walk over /proc/PID/fd (proc(5));
 * diag/holders.h. readlink(2) does not touch what the descriptor is of: a dead file server stops
 * nothing here. */
#include "diag/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES_BYTES (32 << 10) /* of getdents64(2): some 1,300 descriptors */
#define CMDLINE_BYTES 512        /* what net-tools reads */
#define STAT_BYTES    512

/* As getdents64(2) writes it. */
struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

/* Whether this socket is to be told; marks it as found. */
static bool wanted(struct hail_walk *w, uint32_t inode)
{
    struct hail_wanted *t = &w->wanted;
    if (!t->inode)
        return true;
    size_t i = inode * 2654435769u & t->mask;
    while (t->inode[i] && t->inode[i] != inode)
        i = (i + 1) & t->mask;
    if (!t->inode[i])
        return false;
    if (w->first && !atomic_exchange(&t->found[i], 1))
        atomic_fetch_add(&w->found, 1);
    return true;
}

static int keep(struct hail_walker *k, uint32_t inode, int fd)
{
    if (k->n == k->size) {
        size_t size = k->size ? k->size * 2 : 256;
        struct hail_held *v = realloc(k->v, size * sizeof *v);
        if (!v)
            return -ENOMEM;
        k->v = v;
        k->size = size;
    }
    k->v[k->n++] = (struct hail_held){.inode = inode, .fd = fd};
    return 0;
}

static ssize_t read_file(int dir, const char *name, char *buf, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, buf, size);
    close(fd);
    return n < 0 ? 0 : n;
}

/* One block: the process, its name, its program. */
static struct hail_process *describe(int dir, int pid)
{
    char comm[64], cmdline[CMDLINE_BYTES], stat_text[STAT_BYTES];
    size_t nstat = (size_t)read_file(dir, "stat", stat_text, sizeof stat_text);
    size_t ncomm = (size_t)read_file(dir, "comm", comm, sizeof comm);
    size_t ncmd = (size_t)read_file(dir, "cmdline", cmdline, sizeof cmdline - 1);
    const char *program;
    size_t nprogram = hail_program_name(cmdline, ncmd, &program);
    while (ncomm && comm[ncomm - 1] == '\n')
        ncomm--;
    struct hail_process *p = malloc(sizeof *p + ncomm + nprogram + 2);
    struct stat st;
    if (!p)
        return NULL;
    char *text = (char *)(p + 1);
    memcpy(text, comm, ncomm);
    text[ncomm] = '\0';
    memcpy(text + ncomm + 1, program, nprogram);
    text[ncomm + 1 + nprogram] = '\0';
    *p = (struct hail_process){.pid = pid,
                               .uid = fstat(dir, &st) == 0 ? st.st_uid : 0,
                               .started = hail_stat_started(stat_text, nstat),
                               .name = text,
                               .program = text + ncomm + 1};
    return p;
}

static int walk_entries(struct hail_walker *k, int fds, const char *buf, size_t n)
{
    char link[64];
    for (size_t at = 0; at < n;) {
        const struct entry *e = (const void *)(buf + at);
        at += e->reclen;
        if (e->name[0] < '0' || e->name[0] > '9')
            continue;
        uint32_t inode;
        ssize_t len = readlinkat(fds, e->name, link, sizeof link);
        if (len <= 0 || !hail_socket_link(link, (size_t)len, &inode) || !wanted(k->walk, inode))
            continue;
        int rc = keep(k, inode, atoi(e->name));
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int walk_descriptors(struct hail_walker *k, int dir)
{
    _Alignas(struct entry) char buf[ENTRIES_BYTES];
    int fds = openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fds < 0) {
        k->denied += errno == EACCES || errno == EPERM;
        return 0; /* or it has ended meanwhile */
    }
    int rc = 0;
    for (long n = 1; n > 0 && rc == 0;) {
        n = syscall(SYS_getdents64, fds, buf, sizeof buf);
        rc = n > 0 ? walk_entries(k, fds, buf, (size_t)n) : 0;
    }
    close(fds);
    return rc;
}

static int walk_process(struct hail_walker *k, size_t place)
{
    struct hail_walk *w = k->walk;
    char name[16];
    snprintf(name, sizeof name, "%d", w->pids[place]);
    int dir = openat(w->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return 0;
    size_t from = k->n;
    int rc = walk_descriptors(k, dir);
    if (rc == 0 && k->n > from) {
        w->processes[place] = describe(dir, w->pids[place]);
        rc = w->processes[place] ? 0 : -ENOMEM;
        w->runs[place] = (struct hail_held_run){k, from, k->n - from};
    }
    close(dir);
    return rc;
}

void *hail_walk_thread(void *walker)
{
    struct hail_walker *k = walker;
    struct hail_walk *w = k->walk;
    size_t place;
    while (k->failed == 0 && (place = atomic_fetch_add(&w->next, 1)) < w->npids) {
        if (w->first && w->wanted.inode && atomic_load(&w->found) == w->wanted.n)
            break;
        k->failed = walk_process(k, place);
    }
    return NULL;
}
