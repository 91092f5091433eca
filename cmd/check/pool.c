/* pool.c - memory that goes all at once; settings.h. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)64 << 10)
#define ALIGN 16

struct block {
    struct block *next;
    size_t used, size;
    char *p;
};

/* What has more to free than its memory. */
struct expression {
    regex_t re;
    bool compiled;
    struct expression *next;
};
struct script {
    struct hail_script script;
    struct script *next;
};

struct check_pool {
    struct block *blocks;
    struct expression *expressions;
    struct script *scripts;
};

struct check_pool *check_pool_new(void)
{
    return calloc(1, sizeof(struct check_pool));
}

void *check_pool_take(struct check_pool *pool, size_t n)
{
    struct block *b = pool->blocks;
    n = (n + ALIGN - 1) / ALIGN * ALIGN;
    if (!b || b->size - b->used < n) {
        size_t size = n > BLOCK ? n : BLOCK;
        b = malloc(sizeof *b);
        char *p = b ? malloc(size) : NULL;
        if (!p) {
            free(b);
            return NULL;
        }
        *b = (struct block){.next = pool->blocks, .size = size, .p = p};
        pool->blocks = b;
    }
    void *p = b->p + b->used;
    b->used += n;
    return p;
}

char *check_pool_text(struct check_pool *pool, const char *p, size_t n)
{
    char *out = check_pool_take(pool, n + 1);
    if (!out)
        return NULL;
    memcpy(out, p, n);
    out[n] = '\0';
    return out;
}

regex_t *check_pool_regex(struct check_pool *pool)
{
    struct expression *e = pool->expressions;
    if (e && !e->compiled)
        return &e->re;
    e = check_pool_take(pool, sizeof *e);
    if (!e)
        return NULL;
    e->compiled = false;
    e->next = pool->expressions;
    pool->expressions = e;
    return &e->re;
}

void check_pool_compiled(struct check_pool *pool)
{
    pool->expressions->compiled = true;
}

struct hail_script *check_pool_script(struct check_pool *pool)
{
    struct script *s = check_pool_take(pool, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct script){.next = pool->scripts};
    pool->scripts = s;
    return &s->script;
}

void check_pool_free(struct check_pool *pool)
{
    if (!pool)
        return;
    for (struct expression *e = pool->expressions; e; e = e->next)
        if (e->compiled)
            regfree(&e->re);
    for (struct script *s = pool->scripts; s; s = s->next)
        hail_script_free(&s->script);
    while (pool->blocks) {
        struct block *b = pool->blocks;
        pool->blocks = b->next;
        free(b->p);
        free(b);
    }
    free(pool);
}
