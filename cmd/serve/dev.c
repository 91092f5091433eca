/* dev.c - `hail serve --dev`: pages are loaded again when a file changes.
 *
 *      inotify(7) of every folder --some ms of quiet--> event --> each page that listens
 *
 *   /.hail/reload.js   the script, which a tag at the end of every HTML file asks for
 *   /.hail/events      server-sent events (HTML Standard, section 9.2): "style" when all that
 *                      changed are style sheets, else "page"
 *
 * One worker does it all; its folders are gone through anew with each news, so that new ones are
 * watched as well. Names with a dot in front are of no interest, nor are editors' own files.
 */
#include "serve.h"

#include "listing.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FOLDERS_MAX 8192
#define QUIET_MS    60 /* of no further news, before pages are told */
#define NEWS        (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVE | IN_ATTRIB | IN_ONLYDIR)

struct serve_dev {
    struct hail_watch news;
    struct hail_timer quiet;
    struct serve_worker *worker;
    bool page; /* something else than style sheets changed */
};

static const char script[] = "<script src=\"/.hail/reload.js\"></script>\n";

/* --- what is watched --- */

struct names {
    char **v;
    size_t n, cap;
};

static bool push(struct names *l, const char *folder, const char *name)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        char **v = realloc(l->v, cap * sizeof *v);
        if (!v)
            return false;
        l->v = v;
        l->cap = cap;
    }
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        return false;
    snprintf(path, size, "%s%s%s", folder, name, *name ? "/" : "");
    l->v[l->n++] = path;
    return true;
}

static bool is_folder(int dir, const struct dirent *e)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Watches one folder, and adds those in it to the list. */
static void watch_folder(struct serve_dev *d, const char *path, struct names *todo)
{
    char name[64];
    struct stat st;
    struct dirent *e;
    int fd = hail_root_file(d->worker->serve->root, path, &st);
    if (fd < 0)
        return;
    snprintf(name, sizeof name, "/proc/self/fd/%d/.", fd);
    inotify_add_watch(d->news.fd, name, NEWS); /* once more changes nothing */
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return;
    }
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.' && strcmp(e->d_name, "node_modules") != 0 && is_folder(fd, e) &&
            (todo->n >= FOLDERS_MAX || !push(todo, path, e->d_name)))
            break;
    closedir(dir);
}

static void watch_all(struct serve_dev *d)
{
    struct names todo = {0};
    if (push(&todo, "", ""))
        for (size_t i = 0; i < todo.n; i++)
            watch_folder(d, todo.v[i], &todo);
    while (todo.n > 0)
        free(todo.v[--todo.n]);
    free(todo.v);
}

/* --- news --- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Whether it is a file of an editor's own: Emacs's, Vim's. */
static bool is_scratch(const char *name)
{
    return name[0] == '.' || name[0] == '#' || ends_with(name, "~") || ends_with(name, ".swp") ||
           strcmp(name, "4913") == 0;
}

static void take_news(struct serve_dev *d, const char *p, size_t n, bool *any)
{
    struct inotify_event e;
    for (; n >= sizeof e; p += sizeof e + e.len, n -= sizeof e + e.len) {
        memcpy(&e, p, sizeof e);
        const char *name = e.len ? p + sizeof e : "";
        if ((e.mask & IN_IGNORED) || (*name && is_scratch(name)))
            continue;
        *any = true;
        if (!ends_with(name, ".css") || (e.mask & (IN_DELETE | IN_MOVED_FROM)))
            d->page = true;
    }
}

static void on_news(struct hail_loop *loop, struct hail_watch *watch, int events)
{
    struct serve_dev *d = (struct serve_dev *)watch; /* its first member */
    _Alignas(struct inotify_event) char buf[8192];
    bool any = false;
    ssize_t n;
    (void)events;
    while ((n = read(watch->fd, buf, sizeof buf)) > 0)
        take_news(d, buf, (size_t)n, &any);
    if (any)
        (void)hail_timer_set(loop, &d->quiet, hail_loop_now(loop) + QUIET_MS * 1000000LL);
}

static void on_quiet(struct hail_loop *loop, struct hail_timer *t)
{
    struct serve_dev *d = (struct serve_dev *)((char *)t - offsetof(struct serve_dev, quiet));
    (void)loop;
    watch_all(d);
    d->worker->cache.generation++;
    serve_wake(&d->worker->listeners);
    d->page = false;
}

/* --- answers --- */

void serve_dev_tell(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    int n = snprintf(b->out + b->out_len, SERVE_OUT - b->out_len, "event: %s\ndata: \n\n",
                     k->worker->dev->page ? "page" : "style");
    b->out_len += n > 0 ? (size_t)n : 0;
    k->state = SERVE_RESPONSE;
}

static void put_events(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    static const char hello[] = "retry: 500\n\n";
    k->keep_alive = false;
    serve_put_head(k, &(struct hail_answer){.status = 200,
                                            .type = "text/event-stream",
                                            .endless = true,
                                            .modified = -1,
                                            .cache_control = "no-store"});
    if (b->head.method == HAIL_HTTP_HEAD)
        return;
    memcpy(b->out + b->out_len, hello, sizeof hello - 1);
    b->out_len += sizeof hello - 1;
    b->listens = true;
}

bool serve_dev_respond(struct serve_conn *k, const char *path)
{
    char *text;
    if (strcmp(path, ".hail/events") == 0) {
        put_events(k);
        return true;
    }
    if (strcmp(path, ".hail/reload.js") != 0)
        return false;
    text = strdup(serve_reload_js);
    serve_put_text(k,
                   &(struct hail_answer){.type = "text/javascript; charset=utf-8",
                                         .cache_control = "no-store"},
                   text ? serve_blob_new(text, strlen(text)) : NULL);
    return true;
}

/* The last "</body>" in whatever case; NULL: none. */
static const char *end_of_body(const char *p, size_t n)
{
    static const char tag[] = "</body";
    for (size_t i = n < sizeof tag ? 0 : n - sizeof tag + 1; i > 0; i--)
        if (strncasecmp(p + i, tag, sizeof tag - 1) == 0)
            return p + i;
    return NULL;
}

struct serve_blob *serve_dev_inject(struct serve_blob *plain)
{
    size_t more = sizeof script - 1;
    const char *end = end_of_body(plain->p, plain->n);
    size_t before = end ? (size_t)(end - plain->p) : plain->n;
    char *p = malloc(plain->n + more);
    struct serve_blob *b = p ? serve_blob_new(p, plain->n + more) : NULL;
    if (!b)
        return plain;
    memcpy(p, plain->p, before);
    memcpy(p + before, script, more);
    memcpy(p + before + more, plain->p + before, plain->n - before);
    serve_blob_put(plain);
    return b;
}

/* --- from start to end --- */

int serve_dev_begin(struct serve_worker *w)
{
    struct serve_dev *d = calloc(1, sizeof *d);
    int rc = d ? 0 : -ENOMEM;
    w->dev = d;
    if (d) {
        d->worker = w;
        d->quiet.fire = on_quiet;
        d->news = (struct hail_watch){inotify_init1(IN_NONBLOCK | IN_CLOEXEC), on_news};
        rc = d->news.fd < 0 ? -errno : hail_loop_add(w->loop, &d->news, POLLIN);
    }
    if (rc < 0)
        return hail_fail(&w->ctx, HAIL_LAYER_LOCAL, -rc, "watch", "watch the folder: %s",
                         hail_errno_text(-rc));
    watch_all(d);
    return 0;
}

void serve_dev_end(struct serve_worker *w)
{
    struct serve_dev *d = w->dev;
    if (!d)
        return;
    if (d->news.fd >= 0) {
        hail_loop_remove(w->loop, &d->news);
        close(d->news.fd);
    }
    hail_timer_clear(w->loop, &d->quiet);
    free(d);
    w->dev = NULL;
}
