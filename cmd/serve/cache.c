/* cache.c - files by path, as they were a moment ago.
 *
 * A file that was looked at within the last second, and of which inotify(7) has told nothing since,
 * is answered from memory without a system call. Otherwise it is opened and compared again: if it
 * is the same in every respect that stat(2) tells, what was made of it stays.
 *
 *      buckets --> serve_file --> serve_file        newest <--> ... <--> oldest
 */
#include "serve.h"

#include "os/linux/root.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- memory that is shared --- */

struct serve_blob *serve_blob_new(char *p, size_t n)
{
    struct serve_blob *b = malloc(sizeof *b);
    if (b)
        *b = (struct serve_blob){1, n, p};
    else
        free(p);
    return b;
}

struct serve_blob *serve_blob_ref(struct serve_blob *b)
{
    b->refs++;
    return b;
}

void serve_blob_put(struct serve_blob *b)
{
    if (!b || --b->refs)
        return;
    free(b->p);
    free(b);
}

/* --- the table --- */

/* FNV-1a */
static uint32_t hash_of(const char *path)
{
    uint32_t h = 2166136261U;
    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * 16777619U;
    return h;
}

static struct serve_file **bucket(struct serve_cache *c, uint32_t hash)
{
    return &c->buckets[hash % SERVE_CACHE_FILES];
}

static void unlink_age(struct serve_cache *c, struct serve_file *f)
{
    *(f->newer ? &f->newer->older : &c->newest) = f->older;
    *(f->older ? &f->older->newer : &c->oldest) = f->newer;
}

static void link_newest(struct serve_cache *c, struct serve_file *f)
{
    f->newer = NULL;
    f->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = f;
    c->newest = f;
}

void serve_file_put(struct serve_worker *w, struct serve_file *f)
{
    if (!f || --f->refs)
        return;
    for (int i = 0; i < HAIL_CODINGS; i++)
        serve_form_free(w, &f->forms[i]);
    free(f);
}

/* Takes a file out of the table; responses under way keep it. */
static void forget(struct serve_worker *w, struct serve_file *f)
{
    struct serve_cache *c = &w->cache;
    struct serve_file **at = bucket(c, f->hash);
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    unlink_age(c, f);
    c->n--;
    serve_count_add(&w->counts.cached_files, -1);
    serve_file_put(w, f);
}

static void keep_bounds(struct serve_worker *w)
{
    struct serve_cache *c = &w->cache;
    while (c->n > 1 && (c->n > SERVE_CACHE_FILES || c->bytes > SERVE_CACHE_BYTES ||
                        c->open > w->serve->cache_files))
        forget(w, c->oldest);
}

void serve_cache_account(struct serve_worker *w, int64_t bytes)
{
    w->cache.bytes += (uint64_t)bytes;
    serve_count_add(&w->counts.cached_bytes, bytes);
}

void serve_cache_free(struct serve_worker *w)
{
    while (w->cache.oldest)
        forget(w, w->cache.oldest);
}

/* --- files --- */

static bool is_current(const struct serve_worker *w, const struct serve_file *f)
{
    return f->generation == w->cache.generation &&
           hail_loop_now(w->loop) - f->seen_ns < SERVE_FRESH_NS;
}

static void seen(struct serve_worker *w, struct serve_file *f)
{
    f->generation = w->cache.generation;
    f->seen_ns = hail_loop_now(w->loop);
}

/* Opens a regular file. The descriptor or -errno. */
static int open_file(const struct serve_worker *w, const char *path, struct stat *st)
{
    int fd = hail_root_file(w->serve->root, path, st);
    if (fd < 0 || S_ISREG(st->st_mode))
        return fd;
    close(fd);
    return S_ISDIR(st->st_mode) ? -EISDIR : -EACCES;
}

static struct serve_file *add(struct serve_worker *w, const char *path, uint32_t hash, int fd,
                              const struct stat *st)
{
    struct serve_cache *c = &w->cache;
    size_t n = strlen(path) + 1;
    struct serve_file *f = calloc(1, sizeof *f + n);
    if (!f) {
        close(fd);
        return NULL;
    }
    memcpy(f->path, path, n);
    f->refs = 1;
    f->hash = hash;
    for (int i = 0; i < HAIL_CODINGS; i++)
        f->forms[i].fd = -1;
    serve_watch_add(w, path); /* before it is read */
    hail_mime_type(&w->serve->mime, path, f->type);
    f->compresses = hail_mime_compresses(f->type);
    f->cache_control = serve_cache_control(w->serve, f);
    serve_form_load(w, f, HAIL_CODING_IDENTITY, fd, st);
    serve_forms_look(w, f);
    seen(w, f);
    f->next = *bucket(c, hash);
    *bucket(c, hash) = f;
    link_newest(c, f);
    c->n++;
    serve_count_add(&w->counts.cached_files, 1);
    keep_bounds(w);
    return f;
}

/* Is it still the file that it was? If not, or if it is gone, it is forgotten. */
static bool look_again(struct serve_worker *w, struct serve_file *f)
{
    struct stat st;
    int fd = open_file(w, f->path, &st);
    if (fd >= 0)
        close(fd);
    if (fd < 0 || !serve_same_file(&st, &f->forms[HAIL_CODING_IDENTITY].st) ||
        !serve_forms_look(w, f)) {
        forget(w, f);
        return false;
    }
    seen(w, f);
    return true;
}

struct serve_file *serve_cache_get(struct serve_worker *w, const char *path, int *rc)
{
    struct serve_cache *c = &w->cache;
    uint32_t hash = hash_of(path);
    struct serve_file *f = *bucket(c, hash);
    struct stat st;
    while (f && (f->hash != hash || strcmp(f->path, path) != 0))
        f = f->next;
    if (f && (is_current(w, f) || look_again(w, f))) {
        serve_count_add(&w->counts.hits, 1);
        if (f != c->newest) {
            unlink_age(c, f);
            link_newest(c, f);
        }
        f->refs++;
        return f;
    }
    int fd = open_file(w, path, &st);
    if (fd < 0) {
        *rc = fd;
        return NULL;
    }
    serve_count_add(&w->counts.misses, 1);
    f = add(w, path, hash, fd, &st);
    *rc = f ? 0 : -ENOMEM;
    if (f)
        f->refs++;
    return f;
}
