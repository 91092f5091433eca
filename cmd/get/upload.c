/* upload.c - the content of a request: pieces of memory and files, one after another.
 *
 * It may be asked for twice: after a redirect, a challenge, a connection that was closed. Files are
 * read again from where they began; standard input cannot be.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int failed(struct get_session *s, const char *op, const char *name, int errnum)
{
    bool standard = strcmp(name, "-") == 0;
    return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, errnum, op, "%s %s: %s", op,
                     standard ? "standard input" : name, hail_errno_text(errnum));
}

static int open_part(struct get_session *s, struct get_upload *u, const char *file)
{
    u->fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    return u->fd < 0 ? failed(s, "open", file, errno) : 0;
}

static void close_part(struct get_upload *u)
{
    if (u->fd > STDERR_FILENO)
        close(u->fd);
    u->fd = -1;
}

void get_upload_close(struct get_upload *u)
{
    if (u->there)
        close_part(u);
}

/* The size of a regular file from where it is; everything else has none that is known. */
static int measure(struct get_session *s, struct get_upload *u, struct get_part *part)
{
    struct stat st;
    int rc = open_part(s, u, part->file);
    if (rc < 0)
        return rc;
    if (fstat(u->fd, &st) < 0)
        return failed(s, "read", part->file, errno);
    if (S_ISDIR(st.st_mode))
        return failed(s, "read", part->file, EISDIR);
    off_t at = S_ISREG(st.st_mode) ? lseek(u->fd, 0, SEEK_CUR) : -1;
    part->whole = at < 0;
    part->size = at < 0 || st.st_size < at ? 0 : (uint64_t)(st.st_size - at);
    u->begin = at < 0 ? 0 : at;
    u->endless |= part->whole;
    return 0;
}

/* -T's file, or what -d and -F gave. */
int get_upload_open(struct get_session *s, struct get_job *job)
{
    struct get_upload *u = &job->upload;
    const struct get_asked *a = s->asked;
    memset(u, 0, sizeof *u);
    u->fd = -1;
    if (!job->upload_file && !a->body.n)
        return 0;
    u->there = true;
    u->parts = a->body.v;
    u->n = a->body.n;
    int rc = 0;
    if (job->upload_file) {
        job->file_part = (struct get_part){.file = job->upload_file};
        u->parts = &job->file_part;
        u->n = 1;
        rc = measure(s, u, &job->file_part);
        u->size = job->file_part.size;
        if (rc == 0 && a->resume > 0 && !u->endless) {
            u->skip = (uint64_t)a->resume < u->size ? (uint64_t)a->resume : u->size;
            u->size -= u->skip;
        }
        if (u->endless && u->fd == STDIN_FILENO)
            return rc;
        close_part(u);
        return rc;
    }
    for (size_t i = 0; i < u->n && rc == 0; i++) {
        struct get_part part = u->parts[i];
        if (part.file)
            rc = measure(s, u, &part);
        close_part(u);
        u->size += part.file ? part.size : part.n;
    }
    u->begin = 0;
    return rc;
}

bool get_upload_again(struct get_session *s)
{
    struct get_upload *u = &s->job->upload;
    if (!u->there || !u->begun)
        return true;
    if (u->spent)
        return false;
    close_part(u);
    u->at = 0;
    u->part_at = 0;
    u->begun = false;
    return true;
}

/* Opens the part's file where it is to be read, if it is not open. */
static int ready(struct get_session *s, struct get_upload *u, const struct get_part *part)
{
    if (!part->file || u->part_at)
        return 0;
    int rc = u->fd < 0 ? open_part(s, u, part->file) : 0;
    if (rc < 0)
        return rc;
    off_t at = u->begin + (off_t)u->skip;
    if (lseek(u->fd, at, SEEK_SET) < 0) {
        u->spent = true; /* a pipe: what is read of it is gone */
        if (u->skip)
            return failed(s, "read", part->file, ESPIPE);
    }
    return 0;
}

ssize_t get_upload_read(struct get_session *s, void *p, size_t size)
{
    struct get_upload *u = &s->job->upload;
    u->begun = true;
    while (u->at < u->n) {
        const struct get_part *part = &u->parts[u->at];
        int rc = ready(s, u, part);
        if (rc < 0)
            return rc;
        ssize_t n;
        if (part->file) {
            do
                n = read(u->fd, p, size);
            while (n < 0 && errno == EINTR);
            if (n < 0)
                return failed(s, "read", part->file, errno);
        } else {
            n = (ssize_t)(part->n - u->part_at < size ? part->n - u->part_at : size);
            memcpy(p, part->bytes + u->part_at, (size_t)n);
        }
        u->part_at += (uint64_t)n;
        if (n > 0)
            return n;
        close_part(u);
        u->at++;
        u->part_at = 0;
    }
    return 0;
}
