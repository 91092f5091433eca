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
#define DENSE_MIN     64   /* descriptors from which counting up is tried */
#define MISSED_MAX    4096 /* numbers that may be closed before it is given up */

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
    size_t i = hail_inode_hash(inode) & t->mask;
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

/* One descriptor; 1: it is open, 0: it is not. */
static int look(struct hail_walker *k, int fds, const char *name, int fd)
{
    char link[64];
    uint32_t inode;
    ssize_t len = readlinkat(fds, name, link, sizeof link);
    if (len < 0)
        return 0;
    if (hail_socket_link(link, (size_t)len, &inode) && wanted(k->walk, inode)) {
        int rc = keep(k, inode, fd);
        return rc < 0 ? rc : 1;
    }
    return 1;
}

/* Counting up costs half of what listing the directory first does, where the descriptors lie close
 * together. Linux 6.2 and later tell how many there are: the directory's size. Returns the first
 * number that was not looked at, or -ENOMEM; *left is how many are still to come. */
static int walk_numbers(struct hail_walker *k, int fds, long *left)
{
    struct stat st;
    int fd = 0, missed = 0;
    char name[16];
    *left = fstat(fds, &st) == 0 ? (long)st.st_size : 0;
    if (*left < DENSE_MIN)
        return 0;
    for (; *left > 0 && missed < MISSED_MAX; fd++) {
        char *p = name + sizeof name;
        *--p = '\0';
        unsigned v = (unsigned)fd;
        do {
            *--p = (char)('0' + v % 10);
            v /= 10;
        } while (v);
        int rc = look(k, fds, p, fd);
        if (rc < 0)
            return rc;
        *left -= rc;
        missed += !rc;
    }
    return fd;
}

static int walk_entries(struct hail_walker *k, int fds, int from, const char *buf, size_t n)
{
    for (size_t at = 0; at < n;) {
        const struct entry *e = (const void *)(buf + at);
        int fd = atoi(e->name);
        at += e->reclen;
        if (e->name[0] < '0' || e->name[0] > '9' || fd < from)
            continue;
        int rc = look(k, fds, e->name, fd);
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
    long left;
    int from = walk_numbers(k, fds, &left), rc = from < 0 ? from : 0;
    for (long n = from == 0 || left > 0; n > 0 && rc == 0;) {
        n = syscall(SYS_getdents64, fds, buf, sizeof buf);
        rc = n > 0 ? walk_entries(k, fds, from, buf, (size_t)n) : 0;
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
