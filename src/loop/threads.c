/* threads.c - a loop in each of several threads: the caller's is the first of them. */
#include <hail/loop.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct worker {
    pthread_t id;
    void (*run)(void *arg, int i);
    void *arg;
    int i;
};

static void *work(void *p)
{
    struct worker *w = p;
    w->run(w->arg, w->i);
    return NULL;
}

int hail_loop_threads(int n, void (*run)(void *arg, int i), void *arg)
{
    struct worker *v = n > 1 ? calloc((size_t)n, sizeof *v) : NULL;
    int made = 1, rc = n > 1 && !v ? -ENOMEM : 0;
    for (; v && made < n && rc == 0; made++) {
        v[made] = (struct worker){.run = run, .arg = arg, .i = made};
        rc = -pthread_create(&v[made].id, NULL, work, &v[made]);
    }
    if (rc < 0 && v)
        made--;
    run(arg, 0);
    while (v && --made > 0)
        pthread_join(v[made].id, NULL);
    free(v);
    return rc;
}
