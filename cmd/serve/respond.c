/* respond.c - one request: which file, which status, and the bytes that begin the response.
 *
 * The head goes to the connection's `out`, and as much of the file behind it as there is room: a
 * small file is sent with its head by one write(2). The rest of a bigger one is sent from the file.
 */
#include "serve.h"

#include "os/linux/root.h"
#include "proto/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 4096

/* What was found: a file (fd >= 0), or a status with a text in its place. */
struct found {
    int fd, status;
    struct stat st;
    char type[HAIL_MIME_MAX];
};

static int status_of_error(int rc)
{
    switch (rc) {
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

/* The index of a folder, or why there is none. */
static int open_index(const struct serve *s, char *path, struct stat *st)
{
    static const char index[] = "index.html";
    size_t n = strlen(path);
    if (n + sizeof index > PATH_ROOM)
        return -ENAMETOOLONG;
    memcpy(path + n, index, sizeof index);
    int fd = hail_root_file(s->root, path, st);
    if (fd != -ENOENT)
        return fd;
    path[n] = '\0'; /* is the folder there at all? */
    fd = hail_root_file(s->root, path, st);
    if (fd < 0)
        return fd;
    close(fd);
    return -EACCES;
}

/* `path` may grow: PATH_ROOM bytes. */
static void find(const struct serve *s, char *path, struct found *f)
{
    if (s->only) {
        bool named = *path == '\0' || strcmp(path, s->only) == 0;
        snprintf(path, PATH_ROOM, "%s", s->only);
        f->fd = named ? hail_root_file(s->root, path, &f->st) : -ENOENT;
    } else if (is_folder(path)) {
        f->fd = open_index(s, path, &f->st);
    } else {
        f->fd = hail_root_file(s->root, path, &f->st);
    }
    f->status = f->fd < 0 ? status_of_error(f->fd) : 200;
    if (f->fd >= 0 && !S_ISREG(f->st.st_mode)) {
        f->status = S_ISDIR(f->st.st_mode) && !is_folder(path) ? 301 : 403;
        close(f->fd);
        f->fd = -1;
    }
    if (f->status == 200)
        hail_mime_type(&s->mime, path, f->type);
}

/* Writes the head, and a text for people where there is no file. */
static void put(struct serve_conn *k, struct hail_answer *a, bool with_text)
{
    struct serve_buffers *b = k->b;
    struct hail_http_out o = {.p = b->out + b->out_len, .size = SERVE_OUT - b->out_len};
    char text[64] = "";
    size_t n = 0;
    if (a->status != 200) {
        n = (size_t)snprintf(text, sizeof text, "%d %s\n", a->status, hail_http_reason(a->status));
        a->type = "text/plain; charset=utf-8";
        a->length = n;
        a->modified = -1;
    }
    a->keep_alive = k->keep_alive;
    a->date = serve_date(k->worker);
    ssize_t head = hail_answer_head(&o, a);
    if (head < 0 || n > o.size - o.len) { /* room was seen to: cannot be */
        k->keep_alive = false;
        return;
    }
    b->out_len += (size_t)head;
    if (with_text && n) {
        memcpy(b->out + b->out_len, text, n);
        b->out_len += n;
    }
}

/* The beginning of the file behind the head; all of it, if it is small. A failed read is found
 * again, and reported, when the rest is sent. */
static void put_content(struct serve_conn *k)
{
    struct serve_buffers *b = k->b;
    size_t room = SERVE_OUT - b->out_len;
    size_t want = k->file_left < room ? (size_t)k->file_left : room;
    ssize_t n = want ? pread(k->file, b->out + b->out_len, want, 0) : 0;
    if (n > 0) {
        b->out_len += (size_t)n;
        k->file_at = n;
        k->file_left -= (size_t)n;
    }
    if (k->file_left == 0) {
        close(k->file);
        k->file = -1;
        serve_log_add(k->worker, b->note, b->note_len, k->file_size, true);
        b->note_len = 0;
    }
}

static void log_now(struct serve_conn *k, int status, uint64_t sent)
{
    char line[SERVE_LOG_LINE];
    size_t n = serve_log_line(k, status, line);
    serve_log_add(k->worker, line, n, sent, true);
}

void serve_refuse(struct serve_conn *k, int status)
{
    struct hail_answer a = {.status = status, .minor = 1};
    size_t before = k->b->out_len;
    k->keep_alive = false;
    k->linger = true;
    put(k, &a, true);
    log_now(k, status, k->b->out_len - before);
}

void serve_respond(struct serve_conn *k)
{
    const struct hail_http_head *h = &k->b->head;
    struct found f = {.fd = -1};
    struct hail_answer a = {.minor = h->minor};
    char path[PATH_ROOM], location[SERVE_LINE];
    bool content = h->method != HAIL_HTTP_HEAD;
    k->keep_alive = h->keep_alive && h->framing == HAIL_HTTP_NO_BODY && !k->worker->stopping;
    k->linger = h->framing != HAIL_HTTP_NO_BODY;
    ssize_t n = hail_answer_path(h, path, sizeof path);
    if (n < 0)
        f.status = (int)-n;
    else
        find(k->worker->serve, path, &f);
    if (f.status == 301) {
        bool fits = hail_answer_slash(path, h->query, location, sizeof location) >= 0;
        f.status = fits ? 301 : 414;
        a.location = fits ? location : NULL;
    }
    a.status = f.status;
    if (f.fd >= 0) {
        a.type = f.type;
        a.length = (uint64_t)f.st.st_size;
        a.modified = f.st.st_mtime;
    }
    put(k, &a, content);
    if (f.fd < 0 || !content || a.length == 0) {
        if (f.fd >= 0)
            close(f.fd);
        log_now(k, f.status, content ? a.length : 0);
        return;
    }
    k->file = f.fd;
    k->file_at = 0;
    k->file_left = k->file_size = a.length;
    k->b->note_len = serve_log_line(k, f.status, k->b->note);
    put_content(k);
}
