/* words.c - what options keep until the end: words of the command line, and texts of their own. */
#include "asked.h"

#include <errno.h>
#include <stdlib.h>

int get_words_add(struct get_words *w, const char *word)
{
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 8;
        const char **v = room <= GET_WORDS_MAX ? realloc(w->v, room * sizeof *v) : NULL;
        if (!v)
            return local_error("keep", "an option that is given very often", ENOMEM);
        w->v = v;
        w->room = room;
    }
    w->v[w->n++] = word;
    return 0;
}

int get_keep(char *text)
{
    int status = text ? get_words_add(&get_asked.kept, text) : 0;
    if (status)
        free(text);
    return status;
}

void get_forget(void)
{
    struct get_asked *a = &get_asked;
    struct get_words *const all[] = {&a->urls,  &a->outputs, &a->uploads, &a->kept,      &a->fields,
                                     &a->forms, &a->cookies, &a->resolve, &a->connect_to};
    for (size_t i = 0; i < a->kept.n; i++)
        free((char *)(uintptr_t)a->kept.v[i]);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->v);
    for (size_t i = 0; i < a->body.n; i++)
        free(a->body.v[i].bytes);
    free(a->body.v);
    hail_buf_free(&a->data);
    hail_buf_free(&a->query);
}
