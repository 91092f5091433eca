/* sink.c - where content goes: exact bytes into files and pipes, made safe on a terminal. */
#include "get/get.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SAFE_MAX (8 * GET_BUFFER) /* a byte is shown as at most 10; pieces are a buffer at most */

int sink_open(struct sink *s, const struct common *c, const char *output)
{
    *s = (struct sink){.fd = STDOUT_FILENO, .name = "standard output"};
    hail_buf_init(&s->safe, SAFE_MAX);
    if (!output || strcmp(output, "-") == 0) {
        s->terminal = c->terminal && !output; /* -o - means: as it is */
        s->discard = c->json && !output;
        return 0;
    }
    s->name = output;
    s->fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    s->owned = s->fd >= 0;
    return s->owned ? 0 : local_error("open", output, errno);
}

static int write_all(struct sink *s, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(s->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return local_error("write", s->name, errno);
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Bytes at the end that begin a character which is not complete. */
static size_t incomplete(const char *p, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char b = (unsigned char)p[n - back];
        if (b < 0x80)
            return 0;
        if (b >= 0xC0)
            return (b >= 0xF0 ? 4u : b >= 0xE0 ? 3u : 2u) > back ? back : 0;
    }
    return 0;
}

static int show(struct sink *s, const char *p, size_t n)
{
    hail_buf_clear(&s->safe);
    char joined[GET_BUFFER / 8];
    while (n) { /* pieces, so that what was held fits before them */
        size_t piece = n < sizeof joined - sizeof s->held ? n : sizeof joined - sizeof s->held;
        memcpy(joined, s->held, s->nheld);
        memcpy(joined + s->nheld, p, piece);
        size_t len = s->nheld + piece;
        s->nheld = incomplete(joined, len);
        len -= s->nheld;
        memcpy(s->held, joined + len, s->nheld);
        hail_text_safe(&s->safe, joined, len, true);
        p += piece;
        n -= piece;
        int status = s->safe.failed ? local_error("show", "the content", -s->safe.failed)
                                    : write_all(s, s->safe.p, s->safe.len);
        hail_buf_clear(&s->safe);
        if (status)
            return status;
    }
    return 0;
}

int sink_write(struct sink *s, const char *p, size_t n)
{
    if (s->discard || n == 0)
        return 0;
    bool first = !s->started;
    s->started = true;
    if (!s->terminal)
        return write_all(s, p, n);
    if (first && memchr(p, '\0', n)) {
        fprintf(stderr, "hail: the content is binary and is not shown on a terminal\n"
                        "  write it to a file with -o FILE, or as it is with -o -\n");
        return STATUS_LOCAL;
    }
    return show(s, p, n);
}

int sink_close(struct sink *s)
{
    int status = 0;
    if (s->nheld) { /* the end of a character never came */
        hail_text_safe(&s->safe, s->held, s->nheld, true);
        status = write_all(s, s->safe.p ? s->safe.p : "", s->safe.len);
    }
    hail_buf_free(&s->safe);
    if (s->owned && close(s->fd) < 0 && !status)
        status = local_error("write", s->name, errno);
    s->owned = false;
    return status;
}
