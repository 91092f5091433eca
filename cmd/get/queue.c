/* queue.c - the URLs of the command line, in their order, and who does them.
 *
 * A session takes one after the other. It may claim some more, to ask for them before their turn,
 * and gives them back if it will not come to them soon.
 */
#include "get.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The i-th -o is the i-th URL's, and so with -T. */
int get_queue_make(struct get_shared *g)
{
    const struct get_asked *a = g->asked;
    g->nasks = a->urls.n;
    g->asks = calloc(g->nasks, sizeof *g->asks);
    g->returned = calloc(g->nasks, sizeof *g->returned);
    if (!g->asks || !g->returned)
        return local_error("begin", "so many URLs", ENOMEM);
    for (size_t i = 0; i < g->nasks; i++)
        g->asks[i] = (struct get_ask){.text = a->urls.v[i],
                                      .output = i < a->outputs.n ? a->outputs.v[i]
                                                : a->remote_all  ? ""
                                                                 : NULL,
                                      .upload_file = i < a->uploads.n ? a->uploads.v[i] : NULL};
    if (a->outputs.n > g->nasks && !a->silent)
        fprintf(stderr, "hail: get: %zu files for %zu URLs\n", a->outputs.n, g->nasks);
    return 0;
}

void get_queue_free(struct get_shared *g)
{
    for (size_t i = 0; g->asks && i < g->nasks; i++)
        if (g->asks[i].kept) {
            get_job_free(g->asks[i].kept);
            free(g->asks[i].kept);
        }
    free(g->asks);
    free(g->returned);
}

/* With the lock. `spare`: so many are left to the others. */
static bool take(struct get_shared *g, size_t spare, size_t *i)
{
    if (g->nreturned > spare) {
        *i = g->returned[--g->nreturned];
        return true;
    }
    if (g->nasks - g->next <= spare)
        return false;
    *i = g->next++;
    return true;
}

bool get_queue_next(struct get_session *s, size_t *i)
{
    if (s->nclaimed) {
        *i = s->claimed[0];
        memmove(s->claimed, s->claimed + 1, --s->nclaimed * sizeof *s->claimed);
        return true;
    }
    pthread_mutex_lock(&s->shared->lock);
    bool more = take(s->shared, 0, i);
    pthread_mutex_unlock(&s->shared->lock);
    return more;
}

bool get_queue_claim(struct get_session *s, size_t *i)
{
    size_t others = s->asked->parallel ? (size_t)s->asked->parallel_max : 0;
    if (s->nclaimed == GET_AHEAD)
        return false;
    pthread_mutex_lock(&s->shared->lock);
    bool more = take(s->shared, others, i);
    pthread_mutex_unlock(&s->shared->lock);
    if (more)
        s->claimed[s->nclaimed++] = *i;
    return more;
}

void get_queue_return(struct get_session *s)
{
    pthread_mutex_lock(&s->shared->lock);
    while (s->nclaimed)
        s->shared->returned[s->shared->nreturned++] = s->claimed[--s->nclaimed];
    pthread_mutex_unlock(&s->shared->lock);
}
