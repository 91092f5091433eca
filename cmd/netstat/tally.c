/* tally.c - counts by name, bounded in memory and in what is told; metrics.h. */
#include "netstat/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TALLY_MIN 256 /* rows; doubles as it fills */

static size_t slot_of(const struct tally *t, const char *key, size_t len)
{
    uint32_t h = 2166136261;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)key[i]) * 16777619;
    size_t i = h & (t->size - 1);
    while (t->v[i].key && (t->v[i].len != len || memcmp(t->v[i].key, key, len) != 0))
        i = (i + 1) & (t->size - 1);
    return i;
}

static int grow(struct tally *t)
{
    struct tally larger = {.size = t->size ? t->size * 2 : TALLY_MIN};
    larger.v = calloc(larger.size, sizeof *larger.v);
    if (!larger.v)
        return -ENOMEM;
    for (size_t i = 0; i < t->size; i++)
        if (t->v[i].key)
            larger.v[slot_of(&larger, t->v[i].key, t->v[i].len)] = t->v[i];
    free(t->v);
    t->v = larger.v;
    t->size = larger.size;
    return 0;
}

static void add_to(struct tally_row *to, uint64_t sockets, uint64_t waiting, uint64_t limit)
{
    to->sockets += sockets;
    to->waiting += waiting;
    to->limit += limit;
}

int tally_add(struct tally *t, const char *key, size_t len, uint64_t waiting, uint64_t limit)
{
    if (t->used * 2 >= t->size && grow(t) < 0)
        return -ENOMEM;
    struct tally_row *row = &t->v[slot_of(t, key, len)];
    bool rest = !row->key && t->used >= METRICS_NAMES;
    if (rest || strcmp(key, "other") == 0) { /* which the rest is called */
        row = &t->rest;
    } else if (!row->key) {
        char *copy = malloc(len);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, key, len);
        row->key = copy;
        row->len = len;
        t->used++;
    }
    add_to(row, 1, waiting, limit);
    return 0;
}

/* The most sockets first, then by key; free places last. */
static int by_sockets(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;
    if (!x->key || !y->key)
        return (y->key != NULL) - (x->key != NULL);
    if (x->sockets != y->sockets)
        return x->sockets < y->sockets ? 1 : -1;
    int order = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

size_t tally_top(struct tally *t)
{
    if (t->size)
        qsort(t->v, t->size, sizeof *t->v, by_sockets);
    for (size_t i = METRICS_TOP; i < t->used; i++)
        add_to(&t->rest, t->v[i].sockets, t->v[i].waiting, t->v[i].limit);
    return t->used < METRICS_TOP ? t->used : METRICS_TOP;
}

void tally_free(struct tally *t)
{
    for (size_t i = 0; i < t->size; i++)
        free(t->v[i].key);
    free(t->v);
    *t = (struct tally){0};
}
