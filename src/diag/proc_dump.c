/* proc_dump.c - the files of /proc/net in place of sock_diag(7); diag/sockets.h. */
#include "diag/netns.h"
#include "diag/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINES_BYTES (16 << 10) /* longer than any line, with a Unix path of 108 bytes */

/* A file read in pieces that end at line ends. */
struct lines {
    int fd;
    size_t from, to;
    bool end;
    char buf[LINES_BYTES];
};

/* The next line without its newline; false at the end. */
static bool next_line(struct lines *f, const char **line, size_t *n)
{
    for (;;) {
        char *at = f->buf + f->from, *newline = memchr(at, '\n', f->to - f->from);
        if (newline || (f->end && f->to > f->from)) {
            *line = at;
            *n = newline ? (size_t)(newline - at) : f->to - f->from;
            f->from += *n + (newline != NULL);
            return true;
        }
        if (f->end)
            return false;
        memmove(f->buf, at, f->to - f->from);
        f->to -= f->from;
        f->from = 0;
        ssize_t got =
            f->to < sizeof f->buf ? read(f->fd, f->buf + f->to, sizeof f->buf - f->to) : 0;
        f->end = got <= 0;
        f->to += got > 0 ? (size_t)got : 0;
    }
}

static int open_file(const struct hail_netns *netns, enum hail_socket_kind kind, int family)
{
    static const char *const names[] = {"tcp", NULL, "udp", "udplite", NULL, "raw", "unix"};
    char path[48];
    if ((size_t)kind >= sizeof names / sizeof *names || !names[kind])
        return -ENOENT;
    snprintf(path, sizeof path, "/proc/thread-self/net/%s%s", names[kind],
             family == AF_INET6 ? "6" : "");
    int back, rc = hail_netns_enter(netns, &back);
    if (rc < 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 ? -errno : 0;
    rc = hail_netns_leave(back);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : failed ? failed : fd;
}

static int read_inet(struct hail_listing *l, struct lines *f)
{
    const char *line;
    size_t n;
    while (next_line(f, &line, &n))
        if (hail_proc_inet_row(line, n, &l->row) == 0 && hail_listing_tell(l))
            break;
    return 0;
}

/* A row goes on over the lines that begin none: its name has newlines in it. */
static int read_unix(struct hail_listing *l, struct lines *f)
{
    char row[512];
    size_t len = 0, n;
    const char *line;
    for (bool more = true; more && !l->stopped;) {
        more = next_line(f, &line, &n);
        bool begins = more && hail_proc_unix_begins(line, n);
        if ((begins || !more) && len && hail_proc_unix_row(row, len, &l->row) == 0)
            hail_listing_tell(l);
        if (begins)
            len = 0;
        else if (more && len && len < sizeof row)
            row[len++] = '\n';
        else
            continue; /* the title */
        n = n < sizeof row - len ? n : sizeof row - len;
        memcpy(row + len, line, n);
        len += n;
    }
    return 0;
}

int hail_dump_proc(struct hail_listing *l, enum hail_socket_kind kind, int family)
{
    struct lines f = {.fd = open_file(l->query->netns, kind, family)};
    if (f.fd < 0)
        return f.fd;
    l->row.info.kind = kind;
    l->told = 0;
    int rc = kind == HAIL_KIND_UNIX ? read_unix(l, &f) : read_inet(l, &f);
    close(f.fd);
    return rc;
}
