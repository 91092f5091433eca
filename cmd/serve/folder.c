/* folder.c - the entries of a folder: read, searched and sorted; listing.h. */
#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the query --- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A value as forms send it (application/x-www-form-urlencoded); cut where it does not fit. */
static void decode(struct hail_slice s, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n && n + 1 < size; i++) {
        char c = s.p[i];
        if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c)
            out[n++] = c;
    }
    out[n] = '\0';
}

static void take_word(struct listing *l, struct hail_slice name, struct hail_slice value)
{
    static const char *const sorts[LISTING_SORTS] = {"name", "size", "modified"};
    char text[32];
    if (hail_slice_is(name, "q")) {
        decode(value, l->search, sizeof l->search);
        return;
    }
    decode(value, text, sizeof text);
    if (hail_slice_is(name, "json"))
        l->json = true;
    else if (hail_slice_is(name, "order"))
        l->down = strcmp(text, "desc") == 0;
    else if (hail_slice_is(name, "page"))
        l->page = strtoul(text, NULL, 10) % LISTING_ENTRIES;
    for (int i = 0; i < LISTING_SORTS && hail_slice_is(name, "sort"); i++)
        if (strcmp(text, sorts[i]) == 0)
            l->sort = (enum listing_sort)i;
}

void listing_query(struct listing *l, struct hail_slice query)
{
    while (query.n) {
        const char *end = memchr(query.p, '&', query.n);
        size_t n = end ? (size_t)(end - query.p) : query.n;
        const char *equals = memchr(query.p, '=', n);
        size_t name = equals ? (size_t)(equals - query.p) : n;
        struct hail_slice value = {query.p + name, n - name};
        if (equals) {
            value.p++;
            value.n--;
        }
        take_word(l, (struct hail_slice){query.p, name}, value);
        query.p += n + (end ? 1 : 0);
        query.n -= n + (end ? 1 : 0);
    }
}

/* --- reading --- */

/* What a link leads to, if that is below the root. */
static bool follow(const struct listing *l, const char *name, struct stat *st)
{
    char path[8192];
    int n = snprintf(path, sizeof path, "%s%s", l->path, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    int fd = hail_root_file(l->root, path, st);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Whether it can be had: a file or a folder, which may be read. */
static bool look(const struct listing *l, int folder, const char *name, struct stat *st)
{
    if (fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (S_ISLNK(st->st_mode) && !follow(l, name, st))
        return false;
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
        return false;
    return faccessat(folder, name, R_OK, AT_EACCESS) == 0;
}

static int add(struct listing *l, const char *name, const struct stat *st)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct listing_entry *v = realloc(l->v, cap * sizeof *v);
        if (!v)
            return -ENOMEM;
        l->v = v;
        l->cap = cap;
    }
    struct listing_entry *e = &l->v[l->n];
    *e = (struct listing_entry){.name = strdup(name),
                                .folder = S_ISDIR(st->st_mode),
                                .size = (uint64_t)st->st_size,
                                .modified = st->st_mtim.tv_sec};
    if (!e->name)
        return -ENOMEM;
    l->n++;
    l->folders += e->folder;
    return 0;
}

/* Of a README's names, the best first; -1: it is none. */
static int readme_rank(const char *name)
{
    static const char *const names[] = {"readme.md", "readme.markdown", "readme", "readme.txt"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return i;
    return -1;
}

static void note_readme(struct listing *l, const char *name)
{
    int rank = readme_rank(name), was = readme_rank(l->readme);
    if (rank >= 0 && (was < 0 || rank < was))
        memcpy(l->readme, name, strlen(name) + 1);
}

static int take_entry(struct listing *l, int folder, const char *name)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (*name == '.' && !l->hidden))
        return 0;
    bool wanted = !*l->search || strcasestr(name, l->search);
    if (!wanted && readme_rank(name) < 0)
        return 0;
    if (!look(l, folder, name, &st))
        return 0;
    if (S_ISREG(st.st_mode))
        note_readme(l, name);
    if (!wanted)
        return 0;
    if (l->n < LISTING_ENTRIES)
        return add(l, name, &st);
    l->more = true;
    return 0;
}

/* --- order --- */

static int compare(const void *a, const void *b, void *arg)
{
    const struct listing_entry *x = a, *y = b;
    const struct listing *l = arg;
    int by = 0;
    if (x->folder != y->folder)
        return x->folder ? -1 : 1;
    if (l->sort == LISTING_BY_SIZE && !x->folder)
        by = (x->size > y->size) - (x->size < y->size);
    else if (l->sort == LISTING_BY_MODIFIED)
        by = (x->modified > y->modified) - (x->modified < y->modified);
    if (by == 0)
        by = strverscmp(x->name, y->name);
    return l->down ? -by : by;
}

int listing_read(struct listing *l)
{
    struct stat st;
    struct dirent *e;
    int rc = 0, fd = hail_root_file(l->root, l->path, &st);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        rc = fd < 0 ? fd : -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (rc == 0 && (errno = 0, e = readdir(dir)) != NULL)
        rc = take_entry(l, fd, e->d_name);
    rc = rc == 0 && errno ? -errno : rc;
    closedir(dir);
    if (rc == 0 && l->n)
        qsort_r(l->v, l->n, sizeof *l->v, compare, l);
    return rc;
}

void listing_free(struct listing *l)
{
    while (l->n > 0)
        free(l->v[--l->n].name);
    free(l->v);
    l->v = NULL;
}
