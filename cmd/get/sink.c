/* sink.c - where the content goes: a file, standard output, a terminal, nowhere.
 *
 * A pipe or a file gets the bytes as they are. Standard output belongs to one job at a time, from
 * its first byte to its last.
 */
#include "get.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int failed(struct get_session *s, const char *name, const char *op, int errnum)
{
    return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, errnum, op, "%s %s: %s", op,
                     name ? name : "standard output", hail_errno_text(errnum));
}

/* A write that was interrupted, or took less than all of it: was it by SIGINT? */
static int interrupted(struct get_session *s, const char *name)
{
    struct pollfd p = {.fd = s->c.ctx.cancel_fd, .events = POLLIN};
    if (s->c.ctx.cancel_fd < 0 || poll(&p, 1, 0) <= 0)
        return 0;
    return failed(s, name, "write", ECANCELED);
}

/* What a failed write means; 0: try again. */
static int write_failed(struct get_session *s, int fd, const char *name, int errnum)
{
    int rc = -errnum;
    if (errnum == EINTR)
        return interrupted(s, name);
    if (errnum == EAGAIN || errnum == EWOULDBLOCK) {
        s->c.ctx.by = s->job->by;
        rc = hail_wait(&s->c.ctx, fd, POLLOUT);
        if (rc >= 0)
            return 0;
    }
    return failed(s, name, "write", -rc);
}

int get_write_all(struct get_session *s, int fd, const char *name, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, p, n);
        int rc = 0;
        if (wrote < 0)
            rc = write_failed(s, fd, name, errno);
        else if ((size_t)wrote < n)
            rc = interrupted(s, name);
        if (rc < 0)
            return rc;
        p += wrote > 0 ? wrote : 0;
        n -= wrote > 0 ? (size_t)wrote : 0;
    }
    return 0;
}

/* --- opening --- */

static int take_output(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    struct stat st;
    k->open = true;
    if (s->c.json) /* the document has it to itself */
        return 0;
    pthread_mutex_lock(&s->shared->output);
    k->locked = true;
    fflush(stdout);
    k->fd = STDOUT_FILENO;
    k->terminal = s->c.terminal;
    if (fstat(STDOUT_FILENO, &st) == 0)
        k->null = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
    return k->terminal && !s->asked->body_only ? get_screen_new(s, &k->screen) : 0;
}

static int show_heads(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    struct hail_buf *heads = &s->job->heads;
    bool shown = s->asked->show_head || (k->terminal && !s->asked->silent && !s->asked->body_only);
    int rc = 0;
    if (!shown || k->fd < 0 || heads->len == 0) {
        hail_buf_clear(heads);
        return 0;
    }
    if (k->terminal) {
        struct hail_buf out;
        get_progress_hide(s->shared->progress);
        hail_buf_init(&out, 16 * GET_BUFFER);
        get_screen_head(&s->c, heads->p, heads->len, &out);
        rc = get_write_all(s, k->fd, k->name, out.p, out.len);
        hail_buf_free(&out);
    } else {
        rc = get_write_all(s, k->fd, k->name, heads->p, heads->len);
    }
    hail_buf_clear(heads);
    return rc;
}

int get_sink_open(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    struct hail_buf name;
    if (k->open)
        return show_heads(s);
    k->fd = -1;
    hail_buf_init(&name, 8192);
    int rc = get_file_name(s, &name);
    if (rc == 1)
        rc = get_file_open(s, name.p);
    else if (rc == 0)
        rc = take_output(s);
    hail_buf_free(&name);
    if (rc == 0 && s->asked->checksum && !k->sum) {
        rc = get_checksum_new(s, s->asked->checksum, &k->sum);
        if (rc == 0 && k->regular && get_checksum_file(k->sum, k->fd) < 0)
            rc = failed(s, k->name, "read", errno);
    }
    return rc < 0 ? rc : show_heads(s);
}

/* --- writing --- */

static int show(struct get_session *s, const char *p, size_t n)
{
    struct hail_buf out;
    hail_buf_init(&out, 64 * GET_BUFFER);
    int rc = get_screen_add(s, s->job->sink.screen, p, n, &out);
    if (rc == 0 && out.failed)
        rc = failed(s, NULL, "write", -out.failed);
    if (rc == 0) {
        get_progress_hide(s->shared->progress);
        rc = get_write_all(s, s->job->sink.fd, NULL, out.p, out.len);
    }
    hail_buf_free(&out);
    return rc;
}

int get_sink_write(struct get_session *s, const char *p, size_t n)
{
    struct get_sink *k = &s->job->sink;
    if (k->sum)
        get_checksum_add(k->sum, p, n);
    k->written += n;
    k->started = true;
    if (k->fd < 0 || n == 0)
        return 0;
    return k->screen ? show(s, p, n) : get_write_all(s, k->fd, k->name, p, n);
}

/* A pipe or a terminal cannot take back what it has: then the same bytes are passed over when they
 * come again, which is right only while the validator says that they are the same. */
int get_sink_restart(struct get_session *s)
{
    struct get_sink *k = &s->job->sink;
    if (!k->started)
        return 0;
    if (k->regular) {
        if (ftruncate(k->fd, 0) < 0 || lseek(k->fd, 0, SEEK_SET) < 0)
            return failed(s, k->name, "cut", errno);
        if (k->sum)
            get_checksum_restart(k->sum);
        k->written = 0;
        k->started = false;
        return 0;
    }
    return k->null || k->fd < 0 ? 0 : -EAGAIN;
}

/* --- closing --- */

static int check_sum(struct get_session *s)
{
    char is[160];
    if (get_checksum_right(s->job->sink.sum, is, sizeof is))
        return 0;
    hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, EBADMSG, "check", "content of %s: its checksum is %s",
              s->job->text, is);
    hail_advise(&s->c.ctx, "%s was asked for; nothing was put under the final name",
                s->asked->checksum);
    return -EBADMSG;
}

int get_sink_close(struct get_session *s, bool whole)
{
    struct get_sink *k = &s->job->sink;
    int rc = 0;
    if (!k->open && s->job->heads.len && s->asked->show_head)
        rc = get_sink_open(s); /* a head without content */
    if (!k->open)
        return rc;
    if (k->screen && k->fd >= 0) {
        struct hail_buf out;
        hail_buf_init(&out, 64 * GET_BUFFER);
        get_screen_end(k->screen, &out);
        rc = get_write_all(s, k->fd, NULL, out.p, out.len);
        hail_buf_free(&out);
    }
    if (rc == 0 && whole && k->sum)
        rc = check_sum(s);
    if (k->name) {
        int closed = get_file_close(s, whole && rc == 0);
        rc = rc < 0 ? rc : closed;
    }
    if (k->locked)
        pthread_mutex_unlock(&s->shared->output);
    get_screen_free(k->screen);
    get_checksum_free(k->sum);
    k->screen = NULL;
    k->sum = NULL;
    k->locked = k->open = false;
    k->fd = -1;
    return rc;
}
