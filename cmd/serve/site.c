/* site.c - what a path of the site means: a file, the index of a folder, a folder without its
 * slash, a page for what is not there.
 *
 *   a/b.txt   the file
 *   a/        a/index.html
 *   a         a/ (301) if it is a folder; with --clean-urls a.html; with --spa the one page of all
 *
 * What begins with a dot is not there, but for /.well-known/ (RFC 8615).
 */
#include "serve.h"

#include "os/linux/root.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INDEX     "index.html"
#define NOT_FOUND "404.html"

static int status_of_error(int rc)
{
    switch (rc) {
    case -EISDIR:
        return 301;
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
        return 404;
    case -EACCES:
    case -EPERM:
    case -EXDEV: /* a link that leads outside */
    case -ELOOP:
    case -ENXIO: /* a socket, a FIFO without a writer, a device that is not there */
        return 403;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static bool is_folder(const char *path)
{
    size_t n = strlen(path);
    return n == 0 || path[n - 1] == '/';
}

static bool is_hidden(const char *path)
{
    static const char allowed[] = ".well-known/";
    if (strncmp(path, allowed, sizeof allowed - 1) == 0)
        path += sizeof allowed - 1;
    for (; path; path = strchr(path, '/')) {
        path += *path == '/';
        if (*path == '.')
            return true;
    }
    return false;
}

/* `path` with `more` behind it. */
static struct serve_file *get_joined(struct serve_worker *w, const char *path, const char *more,
                                     int *rc)
{
    char joined[SERVE_PATH];
    int n = snprintf(joined, sizeof joined, "%s%s", path, more);
    if (n >= 0 && (size_t)n < sizeof joined)
        return serve_cache_get(w, joined, rc);
    *rc = -ENAMETOOLONG;
    return NULL;
}

/* A page of the application, not one of its files: its last part has no ending. */
static bool is_page(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !strchr(slash ? slash : path, '.');
}

static struct serve_file *get(struct serve_worker *w, const char *path, int *rc)
{
    const struct serve *s = w->serve;
    struct serve_file *file;
    if (s->only && *path && strcmp(path, s->only) != 0)
        *rc = -ENOENT;
    else if (s->only)
        return serve_cache_get(w, s->only, rc);
    if (s->only)
        return NULL;
    file = is_folder(path) ? get_joined(w, path, INDEX, rc) : serve_cache_get(w, path, rc);
    if (!file && *rc == -ENOENT && s->o->clean_urls && !is_folder(path))
        file = get_joined(w, path, ".html", rc);
    if (!file && *rc == -ENOENT && s->o->spa && is_page(path))
        file = serve_cache_get(w, s->o->spa, rc);
    return file;
}

static bool folder_is_there(const struct serve_worker *w, const char *path)
{
    struct stat st;
    int fd = hail_root_file(w->serve->root, path, &st);
    if (fd < 0)
        return false;
    close(fd);
    return S_ISDIR(st.st_mode);
}

void serve_find(struct serve_worker *w, const char *path, struct serve_found *f)
{
    int rc = -ENOENT;
    *f = (struct serve_found){.status = 200};
    bool there = w->serve->o->hidden || !is_hidden(path);
    if (there)
        f->file = get(w, path, &rc);
    if (f->file)
        return;
    f->status = status_of_error(rc);
    if (there && f->status == 404 && is_folder(path) && !w->serve->only) {
        f->folder = folder_is_there(w, path);
        f->status = f->folder ? 403 : 404;
    }
    if (f->status == 404 && !w->serve->only)
        f->file = serve_cache_get(w, NOT_FOUND, &rc);
}

const char *serve_cache_control(const struct serve *s, const struct serve_file *f)
{
    return hail_answer_is_hashed(f->path) && !s->o->dev ? "public, max-age=31536000, immutable"
                                                        : s->cache_control;
}
