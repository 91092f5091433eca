/* parallel.c - several URLs at once: each thread has a session of its own, and takes the next job
 * when it is done with one. */
#include "get.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK ((size_t)256 * 1024) /* bytes; what is large is in the session */

static void *work(void *arg)
{
    struct get_session *s = arg;
    get_work(s);
    get_session_free(s);
    return NULL;
}

int get_parallel(struct common *c, struct get_shared *g)
{
    size_t most =
        (size_t)g->asked->parallel_max < g->nasks ? (size_t)g->asked->parallel_max : g->nasks;
    pthread_t *threads = calloc(most, sizeof *threads);
    pthread_attr_t attr;
    size_t n = 0;
    int status = 0, rc = 0;
    if (!threads)
        return local_error("begin", "threads", ENOMEM);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    for (; n < most && rc == 0; n++) {
        struct get_session *s;
        status = get_session_new(c, g, &s);
        rc = status ? EAGAIN : pthread_create(&threads[n], &attr, work, s);
        if (rc && status == 0)
            get_session_free(s);
        if (rc)
            break;
    }
    pthread_attr_destroy(&attr);
    if (n == 0) /* not one: then in this one */
        status = local_error("begin", "threads", rc);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return n ? 0 : status;
}
