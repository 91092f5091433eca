/* holders.h - between the walk over /proc (walk.c) and the table made of it (holders.c). */
#ifndef HAIL_DIAG_HOLDERS_H
#define HAIL_DIAG_HOLDERS_H

#include <hail/diag.h>
#include <stdatomic.h>

/* A descriptor that is a socket. `next` is the socket's next holder; set when the walk is over. */
struct hail_held {
    struct hail_held *next;
    uint32_t inode;
    int fd;
    const struct hail_process *process;
};

struct hail_walk;
struct hail_walker;

/* What one process holds: a run of its walker's array. */
struct hail_held_run {
    const struct hail_walker *by;
    size_t from, n;
};

/* The sockets that are wanted: open addressing; `found` says that one has a holder. */
struct hail_wanted {
    uint32_t *inode;
    atomic_uchar *found;
    size_t mask, n;
};

/* One thread's part. */
struct hail_walker {
    struct hail_walk *walk;
    struct hail_held *v; /* in the order of its processes */
    size_t n, size;
    size_t denied;
    int failed; /* -ENOMEM */
};

/* The walk: processes are given out one by one, in the order of /proc. */
struct hail_walk {
    int proc; /* /proc */
    int *pids;
    size_t npids;
    atomic_size_t next, found;
    struct hail_wanted wanted; /* inode NULL: all */
    bool first;
    struct hail_held_run *runs;      /* by place in pids */
    struct hail_process **processes; /* likewise; NULL: holds no socket */
};

/* Spreads inodes, which come in runs, over a table. */
static inline uint32_t hail_inode_hash(uint32_t inode)
{
    return inode * 2654435769u; /* 2^32 divided by the golden ratio */
}

/* The inode in "socket:[N]" or the old "[0000]:N", as readlink(2) gives it for a descriptor; false
 * for anything else. */
bool hail_socket_link(const char *link, size_t n, uint32_t *inode);

/* The argv[0] of a command line as net-tools shows it: the last part of an absolute path. `n` bytes
 * at `cmdline`; returns the length, *from where it begins. */
size_t hail_program_name(const char *cmdline, size_t n, const char **from);

/* The start time (field 22) in /proc/PID/stat; 0 when it is not to be read. */
uint64_t hail_stat_started(const char *stat, size_t n);

/* A walker's thread: takes processes until there are no more, or all that is wanted was found. */
void *hail_walk_thread(void *walker);

#endif
