/* file.c - a file that is under its name only when it is whole.
 *
 *      NAME.part        the content, as far as it came
 *      NAME.part.from   where from, and its validator: an earlier run's part is gone on with
 *      NAME             by rename(2), when all is there and on the disk
 *
 * What is no regular file (a device, a pipe) is written to directly, as is a file in a folder that
 * may not be written to.
 */
#include "get.h"

#include "base/error.h"
#include "proto/disposition.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOBBERS 100 /* --no-clobber: names that are tried */
#define PART     ".part"
#define FROM     ".from"
#define BASE_MAX (NAME_MAX + 1 - sizeof PART FROM) /* bytes of a name that has both behind it */

static int failed(struct get_session *s, const char *op, const char *name, int errnum)
{
    return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, errnum, op, "%s %s: %s", op, name,
                     hail_errno_text(errnum));
}

/* --- the name --- */

static int remote_name(struct get_session *s, char *out, size_t size)
{
    const struct hail_http_field *f = get_field(s, "Content-Disposition");
    const struct hail_url *u = &s->job->first;
    ssize_t n = -ENOENT;
    if (s->asked->disposition && s->head_size && f)
        n = hail_disposition_name(f->value, out, size);
    s->job->sink.foreign = n >= 0;
    if (n < 0)
        n = hail_path_name(hail_url_slice(u, u->path), out, size);
    if (n >= 0)
        return 0;
    hail_fail(&s->c.ctx, HAIL_LAYER_USAGE, EINVAL, "get", "-O: the URL %s has no name for a file",
              s->job->text);
    hail_advise(&s->c.ctx, "-o FILE gives it one");
    return -EINVAL;
}

/* 1: a file, 0: standard output. */
int get_file_name(struct get_session *s, struct hail_buf *out)
{
    const char *output = s->job->output;
    char name[512];
    if (!output || strcmp(output, "-") == 0)
        return 0;
    if (!*output) {
        int rc = remote_name(s, name, sizeof name);
        if (rc < 0)
            return rc;
        output = name;
    }
    if (s->asked->folder && *output != '/')
        hail_buf_printf(out, "%s/", s->asked->folder);
    hail_buf_str(out, output);
    return out->failed ? failed(s, "open", output, -out->failed) : 1;
}

static int make_folders(struct get_session *s, const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return failed(s, "open", path, ENOMEM);
    for (char *p = copy + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            if (mkdir(copy, 0777) < 0 && errno != EEXIST) {
                int rc = failed(s, "make the folder", copy, errno);
                free(copy);
                return rc;
            }
            *p = '/';
        }
    free(copy);
    return 0;
}

/* --- what an earlier run left --- */

static char *joined(const char *a, const char *b)
{
    char *p = malloc(strlen(a) + strlen(b) + 1);
    if (p)
        strcpy(stpcpy(p, a), b);
    return p;
}

/* NAME.part, cut where with both endings it would be longer than a name may be. */
static char *part_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t folder = slash ? (size_t)(slash + 1 - name) : 0, n = strlen(name + folder);
    char *p = joined(name, PART);
    if (p && n > BASE_MAX && n <= NAME_MAX) {
        n = BASE_MAX;
        while (n > 0 && ((unsigned char)name[folder + n] & 0xC0) == 0x80) /* within a character */
            n--;
        memcpy(p + folder + n, PART, sizeof PART);
    }
    return p;
}

/* "URL\nETAG\nLAST-MODIFIED\nTOTAL\n" */
int get_file_remember(struct get_session *s)
{
    const struct get_resume *r = &s->job->resume;
    char *path = s->job->sink.part ? joined(s->job->sink.part, FROM) : NULL;
    FILE *f = path ? fopen(path, "we") : NULL;
    if (f) {
        fprintf(f, "%s\n%s\n%s\n%lld\n", s->job->first.text, r->etag, r->modified,
                (long long)r->total);
        fclose(f);
    }
    free(path);
    return 0; /* without it, the next run starts over */
}

static bool line(FILE *f, char *out, size_t size)
{
    if (!fgets(out, (int)size, f))
        return false;
    size_t n = strcspn(out, "\n");
    bool whole = out[n] == '\n';
    out[n] = '\0';
    return whole;
}

void get_file_find(struct get_session *s)
{
    struct get_resume *r = &s->job->resume;
    struct hail_buf name;
    struct stat st;
    hail_buf_init(&name, 8192);
    if (s->asked->disposition || s->asked->show_head || s->asked->no_clobber ||
        get_file_name(s, &name) != 1) {
        hail_buf_free(&name);
        return;
    }
    char *part = part_of(name.p), *from = part ? joined(part, FROM) : NULL;
    char url[HAIL_URL_MAX + 2], total[32];
    FILE *f = from && lstat(part, &st) == 0 && S_ISREG(st.st_mode) ? fopen(from, "re") : NULL;
    if (f && line(f, url, sizeof url) && line(f, r->etag, sizeof r->etag) &&
        line(f, r->modified, sizeof r->modified) && line(f, total, sizeof total) &&
        strcmp(url, s->job->first.text) == 0 && (*r->etag || *r->modified)) {
        r->total = strtoll(total, NULL, 10);
        r->have = (uint64_t)st.st_size;
        r->asked = r->have > 0 && (r->total < 0 || st.st_size < r->total);
    }
    if (!r->asked)
        get_resume_forget(r);
    else if (part)
        get_verbose(s, "%s has %llu bytes of an earlier run", part, (unsigned long long)r->have);
    if (f)
        fclose(f);
    free(from);
    free(part);
    hail_buf_free(&name);
}

/* --- opening --- */

/* Where writing goes on in a file that has a beginning already. */
static int go_on(struct get_session *s, const char *path)
{
    struct get_sink *k = &s->job->sink;
    k->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (k->fd < 0)
        return failed(s, "open", path, errno);
    struct stat st;
    k->regular = fstat(k->fd, &st) == 0 && S_ISREG(st.st_mode);
    if (k->regular && lseek(k->fd, 0, SEEK_END) < 0)
        return failed(s, "open", path, errno);
    return 0;
}

static int open_part(struct get_session *s, bool resumes)
{
    struct get_sink *k = &s->job->sink;
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (resumes ? 0 : O_TRUNC);
    k->fd = open(k->part, flags, 0666);
    if (k->fd < 0)
        return -errno;
    k->regular = true;
    if (resumes &&
        (ftruncate(k->fd, (off_t)s->job->resume.have) < 0 || lseek(k->fd, 0, SEEK_END) < 0))
        return -errno;
    return 0;
}

int get_file_open(struct get_session *s, const char *path)
{
    struct get_sink *k = &s->job->sink;
    struct stat st;
    bool there = stat(path, &st) == 0;
    int rc = s->asked->create || (s->asked->folder && s->asked->create) ? make_folders(s, path) : 0;
    k->name = strdup(path);
    if (rc < 0 || !k->name)
        return rc < 0 ? rc : failed(s, "open", path, ENOMEM);
    k->open = true;
    if (k->foreign && !s->asked->no_clobber && lstat(path, &st) == 0) {
        rc = failed(s, "open", path, EEXIST);
        hail_advise(&s->c.ctx, "-J takes the server's name, and writes over nothing");
        return rc;
    }
    if (there && S_ISDIR(st.st_mode))
        return failed(s, "open", path, EISDIR);
    if (s->asked->resume != GET_RESUME_NO || (there && !S_ISREG(st.st_mode)))
        return go_on(s, path);
    char *real = there ? realpath(path, NULL) : NULL; /* behind a symbolic link */
    if (real) {
        free(k->name);
        k->name = real;
    }
    k->part = part_of(k->name);
    if (!k->part)
        return failed(s, "open", path, ENOMEM);
    rc = open_part(s, s->job->resume.asked && s->head.status == 206);
    if (rc == -EACCES && there && !s->asked->no_clobber) {
        free(k->part); /* no new files in this folder */
        k->part = NULL;
        k->fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
        k->regular = true;
        rc = k->fd < 0 ? -errno : 0;
    }
    if (rc == 0 && there && k->part)
        (void)!fchmod(k->fd, st.st_mode & 07777);
    return rc < 0 ? failed(s, "open", path, -rc) : get_file_remember(s);
}

/* --- closing --- */

/* FILE, FILE.1, FILE.2, ...: the first that is not there. */
static int rename_apart(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    char *name = malloc(strlen(k->name) + 16);
    int rc = -ENOMEM;
    for (int i = 0; name && i < CLOBBERS; i++) {
        sprintf(name, i ? "%s.%d" : "%s", k->name, i);
        rc = renameat2(AT_FDCWD, k->part, AT_FDCWD, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
        if (rc != -EEXIST)
            break;
    }
    if (rc == 0) {
        free(k->name);
        k->name = name;
        return 0;
    }
    free(name);
    return failed(s, "write", k->name, -rc);
}

static void drop_from(const struct get_sink *k)
{
    char *from = joined(k->part, FROM);
    if (from)
        unlink(from);
    free(from);
}

/* What did not come to its end is kept where something is there to go on with. */
static int keep_part(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    struct stat st;
    bool worth = s->c.ctx.err.errnum != EBADMSG && stat(k->part, &st) == 0 && st.st_size > 0;
    if (!worth || (!*s->job->resume.etag && !*s->job->resume.modified))
        drop_from(k);
    if (!worth)
        unlink(k->part);
    return 0;
}

static int put_under_name(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    drop_from(k);
    if (s->asked->no_clobber)
        return rename_apart(s);
    if (k->foreign)
        return renameat2(AT_FDCWD, k->part, AT_FDCWD, k->name, RENAME_NOREPLACE) < 0
                   ? failed(s, "rename to", k->name, errno)
                   : 0;
    return rename(k->part, k->name) < 0 ? failed(s, "rename to", k->name, errno) : 0;
}

int get_file_close(struct get_session *s, bool whole)
{
    struct get_sink *k = &s->job->sink;
    int rc = 0;
    if (k->fd >= 0) {
        if (whole && k->part && fdatasync(k->fd) < 0 && errno != EINVAL && errno != EROFS)
            rc = failed(s, "write", k->name, errno);
        if (close(k->fd) < 0 && rc == 0)
            rc = failed(s, "close", k->name, errno);
        k->fd = -1;
        if (k->part)
            rc = whole && rc == 0 ? put_under_name(s) : rc < 0 ? rc : keep_part(s);
    }
    free(k->part);
    k->part = NULL;
    return rc;
}
