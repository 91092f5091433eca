/* holders.c - the processes that hold sockets, by the socket's inode; include/hail/diag.h.
 *
 *   /proc -> pids, in its order -> walkers (threads) -> runs of struct hail_held, a run a process
 *                                                            |
 *                              index: inode -> first holder -> next holder, in /proc's order
 */
#include "diag/holders.h"
#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WALKERS_MAX 4

struct hail_holders {
    struct hail_walker walker[WALKERS_MAX];
    struct hail_process **processes;
    size_t npids;
    struct hail_held **index; /* open addressing by inode */
    size_t mask, sockets, denied;
    bool hidden;
};

static size_t slot_of(const struct hail_holders *h, uint32_t inode)
{
    size_t i = hail_inode_hash(inode) & h->mask;
    while (h->index[i] && h->index[i]->inode != inode)
        i = (i + 1) & h->mask;
    return i;
}

/* The first power of two that leaves a table of n half empty. */
static size_t room_for(size_t n)
{
    size_t size = 16;
    while (size < n * 2)
        size *= 2;
    return size;
}

/* --- before the walk --- */

static int list_processes(struct hail_walk *w)
{
    DIR *dir = opendir("/proc");
    size_t size = 0;
    if (!dir)
        return -errno;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strspn(e->d_name, "0123456789") != strlen(e->d_name))
            continue;
        if (w->npids == size) {
            size = size ? size * 2 : 256;
            int *pids = realloc(w->pids, size * sizeof *pids);
            if (!pids) {
                closedir(dir);
                return -ENOMEM;
            }
            w->pids = pids;
        }
        w->pids[w->npids++] = atoi(e->d_name);
    }
    closedir(dir);
    return 0;
}

static int want(struct hail_wanted *t, const struct hail_holders_query *q)
{
    if (!q->inodes)
        return 0;
    size_t size = room_for(q->n);
    t->inode = calloc(size, sizeof *t->inode);
    t->found = calloc(size, sizeof *t->found);
    if (!t->inode || !t->found)
        return -ENOMEM;
    t->mask = size - 1;
    for (size_t k = 0; k < q->n; k++) {
        size_t i = hail_inode_hash(q->inodes[k]) & t->mask;
        while (t->inode[i] && t->inode[i] != q->inodes[k])
            i = (i + 1) & t->mask;
        t->n += !t->inode[i] && q->inodes[k];
        t->inode[i] = q->inodes[k];
    }
    return 0;
}

static int prepare(struct hail_walk *w, const struct hail_holders_query *q)
{
    w->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = w->proc < 0 ? -errno : list_processes(w);
    if (rc == 0)
        rc = want(&w->wanted, q);
    if (rc < 0)
        return rc;
    w->first = q->first;
    w->runs = calloc(w->npids + 1, sizeof *w->runs);
    w->processes = calloc(w->npids + 1, sizeof(void *));
    return w->runs && w->processes ? 0 : -ENOMEM;
}

/* hidepid=1 and 2 of proc(5): others' processes are there, or not even that. */
static bool hides(void)
{
    bool found = false;
    char line[1024];
    FILE *f = geteuid() ? fopen("/proc/self/mountinfo", "re") : NULL;
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "hidepid=");
        found = strstr(line, " /proc ") && at && at[8] != '0' && strncmp(at + 8, "off", 3) != 0;
    }
    if (f)
        fclose(f);
    return found;
}

/* --- the walk, and after --- */

static void walk(struct hail_holders *h, struct hail_walk *w)
{
    pthread_t threads[WALKERS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int n = 1, most = cpus < WALKERS_MAX ? (int)cpus : WALKERS_MAX;
    for (int i = 0; i < WALKERS_MAX; i++)
        h->walker[i].walk = w;
    while (n < most && (size_t)n * 8 < w->npids &&
           pthread_create(&threads[n], NULL, hail_walk_thread, &h->walker[n]) == 0)
        n++;
    hail_walk_thread(&h->walker[0]);
    for (int i = 1; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* Links the holders of each socket, last process first, so that the first comes to stand first. */
static int index_all(struct hail_holders *h, const struct hail_walk *w)
{
    size_t all = 0;
    for (int i = 0; i < WALKERS_MAX; i++) {
        all += h->walker[i].n;
        h->denied += h->walker[i].denied;
        if (h->walker[i].failed < 0)
            return h->walker[i].failed;
    }
    size_t size = room_for(all);
    h->index = calloc(size, sizeof(void *));
    if (!h->index)
        return -ENOMEM;
    h->mask = size - 1;
    for (size_t place = w->npids; place-- > 0;) {
        const struct hail_held_run *run = &w->runs[place];
        struct hail_held *v = run->n ? run->by->v + run->from : NULL;
        for (size_t k = run->n; k-- > 0;) {
            size_t i = slot_of(h, v[k].inode);
            h->sockets += !h->index[i];
            v[k].process = w->processes[place];
            v[k].next = h->index[i];
            h->index[i] = &v[k];
        }
    }
    return 0;
}

static void end_walk(struct hail_walk *w)
{
    if (w->proc >= 0)
        close(w->proc);
    free(w->pids);
    free(w->runs);
    free(w->wanted.inode);
    free(w->wanted.found);
}

int hail_holders_load(struct hail_ctx *ctx, const struct hail_holders_query *query,
                      struct hail_holders **out)
{
    static const struct hail_holders_query all;
    struct hail_walk w = {.proc = -1};
    struct hail_holders *h = calloc(1, sizeof *h);
    int rc = h ? prepare(&w, query ? query : &all) : -ENOMEM;
    if (rc == 0) {
        walk(h, &w);
        rc = index_all(h, &w);
    }
    if (h) {
        h->processes = w.processes;
        h->npids = w.processes ? w.npids : 0;
        h->hidden = rc == 0 && hides();
    }
    end_walk(&w);
    if (rc < 0) {
        hail_holders_free(h);
        return hail_fail(ctx, HAIL_LAYER_LOCAL, -rc, "list", "read the processes in /proc: %s",
                         hail_errno_text(-rc));
    }
    *out = h;
    return 0;
}

void hail_holders_free(struct hail_holders *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->npids; i++)
        free(h->processes[i]);
    free(h->processes);
    for (int i = 0; i < WALKERS_MAX; i++)
        free(h->walker[i].v);
    free(h->index);
    free(h);
}

size_t hail_holders_denied(const struct hail_holders *h)
{
    return h->denied;
}

bool hail_holders_hidden(const struct hail_holders *h)
{
    return h->hidden;
}

size_t hail_holders_count(const struct hail_holders *h)
{
    return h->sockets;
}

bool hail_holder_get(const struct hail_holders *h, uint32_t inode, size_t i,
                     struct hail_holder *out)
{
    const struct hail_held *held = inode ? h->index[slot_of(h, inode)] : NULL;
    for (; held && i > 0; i--)
        held = held->next;
    if (!held)
        return false;
    *out = (struct hail_holder){held->inode, held->fd, held->process};
    return true;
}
