/* editor_history.c - lines that were said, kept from one session to the next: a file a service in
 * $XDG_STATE_HOME/hail, or ~/.local/state/hail, only the user's, of at most HISTORY_MAX bytes. What
 * may hold a password is kept nowhere (hail_reply_secret()).
 */
#include "editor_parts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_MAX ((size_t)65536) /* bytes */

/* Makes the folders of a path that are not there. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0700);
        bool there = rc == 0 || errno == EEXIST;
        *slash = '/';
        if (!there)
            return false;
    }
    return true;
}

/* "telnet-smtp", or with the port of a protocol that is not known, or "telnet-unix". */
static char *file_name(const struct telnet *t)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const char *talk = hail_talk_name(t->reply.talk);
    bool given = state && state[0] == '/';
    char *path = NULL, port[16];
    if (!given && !(home && home[0] == '/'))
        return NULL;
    if (t->is_unix)
        strcpy(port, "unix");
    else
        snprintf(port, sizeof port, "%u", t->port);
    if (asprintf(&path, "%s%s/hail/telnet-%s", given ? state : home, given ? "" : "/.local/state",
                 talk[0] ? talk : port) < 0)
        return NULL;
    if (make_folders(path))
        return path;
    free(path);
    return NULL;
}

/* The file, if it is one of the user's own; -1 otherwise. */
static int open_own(const char *path, int flags)
{
    struct stat st;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -1;
    bool own = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
    if (own && (st.st_mode & 077))
        own = fchmod(fd, 0600) == 0;
    if (own)
        return fd;
    close(fd);
    return -1;
}

/* The last half of a file that has grown too long takes its place. */
static void shorten(const char *path, const char *text, size_t n)
{
    const char *from = memchr(text + n - HISTORY_MAX / 2, '\n', HISTORY_MAX / 2);
    char *other = NULL;
    if (!from || asprintf(&other, "%s.new", path) < 0)
        return;
    int fd = open_own(other, O_WRONLY | O_CREAT | O_TRUNC);
    size_t keep = (size_t)(text + n - ++from);
    bool whole = fd >= 0 && write(fd, from, keep) == (ssize_t)keep;
    if (fd >= 0)
        whole = close(fd) == 0 && whole;
    if (!whole || rename(other, path) < 0)
        unlink(other);
    free(other);
}

/* What the arrow keys bring: printable, as it was typed. */
static void enter(struct telnet_editor *e, const char *line)
{
    HistEvent last, ev;
    bool again = history(e->history, &last, H_FIRST) == 0 && strcmp(last.str, line) == 0;
    if (*line && !again)
        history(e->history, &ev, H_ENTER, line);
}

static void enter_lines(struct telnet_editor *e, char *text)
{
    for (char *line = text, *lf; (lf = strchr(line, '\n')) != NULL; line = lf + 1) {
        *lf = '\0';
        bool clean = true;
        for (const char *p = line; *p; p++)
            clean = clean && !iscntrl((unsigned char)*p);
        if (clean)
            enter(e, line);
        *lf = '\n';
    }
}

void telnet_editor_history_load(struct telnet_editor *e)
{
    if (e->loaded)
        return;
    e->loaded = true;
    e->file = file_name(e->t);
    int fd = e->file ? open_own(e->file, O_RDONLY) : -1;
    if (fd < 0)
        return;
    struct hail_buf text;
    ssize_t n = 1;
    hail_buf_init(&text, 4 * HISTORY_MAX);
    while (n > 0 && hail_buf_reserve(&text, 4096) == 0) {
        n = read(fd, text.p + text.len, 4096);
        text.len += n > 0 ? (size_t)n : 0;
        text.p[text.len] = '\0';
    }
    close(fd);
    if (text.len)
        enter_lines(e, text.p);
    if (text.len > HISTORY_MAX)
        shorten(e->file, text.p, text.len);
    hail_buf_free(&text);
}

void telnet_editor_history_add(struct telnet_editor *e, const char *line, size_t n)
{
    size_t len = n && line[n - 1] == '\n' ? n - 1 : n;
    if (!len || len > HISTORY_MAX / 16 || hail_reply_secret(&e->t->reply, line, len))
        return;
    char *copy = strndup(line, len);
    if (!copy)
        return;
    enter(e, copy);
    free(copy);
    int fd = e->file ? open_own(e->file, O_WRONLY | O_CREAT | O_APPEND) : -1;
    if (fd < 0)
        return;
    if (write(fd, line, n) != (ssize_t)n) { /* a full disk: the next session does without it */
        free(e->file);
        e->file = NULL;
    }
    close(fd);
}
