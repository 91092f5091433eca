/* cookies.c - cookies in and out of files, and out of responses. */
#include "get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define JAR_MAX ((size_t)16 << 20) /* bytes of a file */

static void load_lines(const char *path, struct hail_slice text, struct hail_cookie_jar *jar)
{
    unsigned number = 0;
    int64_t now = (int64_t)time(NULL);
    while (text.n) {
        const char *lf = memchr(text.p, '\n', text.n);
        struct hail_slice line = {text.p, lf ? (size_t)(lf - text.p) : text.n};
        size_t used = line.n + (lf != NULL);
        text.p += used;
        text.n -= used;
        number++;
        bool field = line.n > 11 && strncasecmp(line.p, "Set-Cookie:", 11) == 0;
        if (!field && hail_cookie_line(jar, line, now) == -EINVAL && !get_asked.silent)
            fprintf(stderr, "hail: get: %s, line %u: no cookie; it is left out\n", path, number);
    }
}

/* -b without '=' names a file; one that is not there is as good as empty. */
int get_cookies_load(struct get_shared *shared)
{
    const struct get_words *w = &shared->asked->cookies;
    int status = 0;
    for (size_t i = 0; i < w->n && status == 0; i++) {
        struct hail_buf b;
        if (strchr(w->v[i], '=') || !*w->v[i])
            continue;
        if (strcmp(w->v[i], "-") != 0 && access(w->v[i], F_OK) < 0) {
            if (!shared->asked->silent)
                fprintf(stderr, "hail: get: the cookie file %s is not there\n", w->v[i]);
            continue;
        }
        struct stat st;
        if (stat(w->v[i], &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) &&
            !shared->asked->silent)
            fprintf(stderr, "hail: get: %s can be read by others (mode %03o)\n", w->v[i],
                    (unsigned)st.st_mode & 0777);
        hail_buf_init(&b, JAR_MAX);
        status = get_slurp(w->v[i], &b);
        if (status == 0)
            load_lines(w->v[i], (struct hail_slice){b.p, b.len}, &shared->jar);
        hail_buf_free(&b);
    }
    if (shared->asked->new_session)
        hail_cookie_end_session(&shared->jar);
    return status;
}

static int write_file(const char *path, const struct hail_buf *b)
{
    char part[4096 + 8];
    bool standard = strcmp(path, "-") == 0;
    snprintf(part, sizeof part, "%s.part", path);
    if (standard) {
        fwrite(b->p, 1, b->len, stdout);
        return 0;
    }
    struct stat st;
    bool direct = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    int fd =
        open(direct ? path : part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return local_error("open", path, errno);
    size_t done = 0;
    ssize_t n = 1;
    while (done < b->len && (n = write(fd, b->p + done, b->len - done)) > 0)
        done += (size_t)n;
    int errnum = n <= 0 ? errno : 0;
    if (close(fd) < 0 && !errnum)
        errnum = errno;
    if (!errnum && !direct && rename(part, path) < 0)
        errnum = errno;
    return errnum ? local_error("write", path, errnum) : 0;
}

/* The file is its owner's alone. */
int get_cookies_save(struct get_shared *shared)
{
    struct hail_buf b;
    if (!shared->asked->jar)
        return 0;
    hail_buf_init(&b, JAR_MAX);
    hail_buf_str(&b, "# Netscape HTTP Cookie File\n# written by hail get; it is read by curl and"
                     " wget, too\n\n");
    int status = hail_cookie_put_lines(&shared->jar, (int64_t)time(NULL), &b) < 0
                     ? local_error("write", shared->asked->jar, -b.failed)
                     : write_file(shared->asked->jar, &b);
    hail_buf_free(&b);
    return status;
}

/* Only where somebody wants cookies at all: -b or -c. */
void get_cookies_take(struct get_session *s)
{
    const struct hail_http_field *f = NULL;
    if (!s->asked->cookies.n && !s->asked->jar)
        return;
    while ((f = hail_http_field(&s->head.fields, "Set-Cookie", f))) {
        pthread_mutex_lock(&s->shared->lock);
        enum hail_cookie_refusal why =
            hail_cookie_set(&s->shared->jar, &s->job->url, f->value, (int64_t)time(NULL));
        pthread_mutex_unlock(&s->shared->lock);
        if (why != HAIL_COOKIE_TAKEN)
            get_verbose(s, "cookie refused: %s", hail_cookie_refusal_text(why));
    }
}
