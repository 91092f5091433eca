/* watch.c - news of changed files by inotify(7), so that what is cached need not be looked at again
 * for each request.
 *
 * The folder of every cached file is watched, and the file itself where it may be elsewhere
 * (through a link). Any news makes everything be looked at once more when it is next asked for:
 * that is cheap, and there is nothing to get wrong about renames. What the kernel cannot tell of (a
 * file system of another machine, a folder further up that was renamed) is found within a second
 * anyway.
 */
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WATCHES_MAX 4096
#define NEWS                                                                                       \
    (IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF)

static void on_news(struct hail_loop *loop, struct hail_watch *watch, int events)
{
    struct serve_cache *c =
        (struct serve_cache *)((char *)watch - offsetof(struct serve_cache, news));
    char buf[4096];
    (void)loop, (void)events;
    while (read(watch->fd, buf, sizeof buf) > 0)
        ;
    c->generation++;
}

void serve_watch_begin(struct serve_worker *w)
{
    struct serve_cache *c = &w->cache;
    c->news = (struct hail_watch){inotify_init1(IN_NONBLOCK | IN_CLOEXEC), on_news};
    c->watched = 0;
    if (c->news.fd >= 0 && hail_loop_add(w->loop, &c->news, POLLIN) < 0) {
        close(c->news.fd);
        c->news.fd = -1;
    }
}

void serve_watch_end(struct serve_worker *w)
{
    if (w->cache.news.fd < 0)
        return;
    hail_loop_remove(w->loop, &w->cache.news);
    close(w->cache.news.fd);
    w->cache.news.fd = -1;
}

/* inotify_add_watch(2) takes a name, and the root has only a descriptor. */
static void watch(struct serve_worker *w, const char *path, size_t n)
{
    char name[SERVE_PATH + 64];
    snprintf(name, sizeof name, "/proc/self/fd/%d/%.*s", w->serve->root.fd, (int)n, path);
    if (inotify_add_watch(w->cache.news.fd, name, NEWS) >= 0)
        w->cache.watched++;
}

void serve_watch_add(struct serve_worker *w, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (w->cache.news.fd < 0)
        return;
    if (w->cache.watched >= WATCHES_MAX) { /* of files that nobody asks for any more */
        serve_watch_end(w);
        serve_watch_begin(w);
        w->cache.generation++;
        if (w->cache.news.fd < 0)
            return;
    }
    watch(w, path, slash ? (size_t)(slash - path) : 0);
    watch(w, path, strlen(path));
}
