/* confine.c - what the server gives up before it takes the first connection: all files but its own,
 * and system calls; os/linux/sandbox.h does it.
 */
#include "where.h"

#include "os/linux/sandbox.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PLACES (SERVE_LISTEN + 3)

struct list {
    struct hail_may v[PLACES];
    int n;
};

static void add(struct list *l, int fd, unsigned may)
{
    if (fd >= 0 && l->n < PLACES)
        l->v[l->n++] = (struct hail_may){fd, may};
    else if (fd >= 0)
        close(fd);
}

/* The folder that `path` is in. */
static void add_folder_of(struct list *l, const char *path, unsigned may)
{
    char folder[SERVE_PATH];
    const char *slash = strrchr(path, '/');
    int n = snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
                     slash ? path : ".");
    if (n > 0 && (size_t)n < sizeof folder)
        add(l, open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), may);
}

/* Says what the kernel lacks. */
static int confine(struct serve *s, const struct list *l)
{
    struct hail_sandbox got = {.landlock = 1, .seccomp = true};
    int rc = 0;
#ifndef HAIL_INSTRUMENTED /* sanitizers and coverage need files and calls of their own */
    rc = hail_sandbox(&s->c->ctx, l->v, l->n, &got);
#else
    (void)s, (void)l;
#endif
    if (rc == 0 && !got.landlock)
        fputs("hail: no sandbox for files: this kernel has no landlock\n", stderr);
    if (rc == 0 && !got.seccomp)
        fputs("hail: no sandbox for system calls: this kernel has no seccomp\n", stderr);
    return rc;
}

int serve_confine(struct serve *s, const struct serve_places *p)
{
    const struct serve_options *o = s->o;
    struct list l = {.n = 0};
    if (!o->sandbox)
        return 0;
    if (o->follow) /* links may lead anywhere */
        add(&l, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), HAIL_MAY_READ);
    add(&l, fcntl(s->root.fd, F_DUPFD_CLOEXEC, 0), HAIL_MAY_READ);
    if (o->log_file)
        add_folder_of(&l, o->log_file, HAIL_MAY_WRITE);
    for (int i = 0; i < p->n; i++) {
        struct hail_endpoint at = hail_listener_at(p->v[i].listener);
        if (at.kind == HAIL_HOST_UNIX)
            add_folder_of(&l, at.host, HAIL_MAY_REMOVE);
    }
    int rc = confine(s, &l);
    while (l.n > 0)
        close(l.v[--l.n].fd);
    return rc;
}
