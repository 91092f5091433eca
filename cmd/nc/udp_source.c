/* udp_source.c - datagrams from a descriptor, usually standard input; udp.h.
 *
 *   pipe in packet mode   a read is a packet
 *   socket                a message is a datagram, an empty one as well
 *   terminal              a line
 *   plain pipe, file      what one read gives
 *
 * The descriptor may be shared with other processes, so O_NONBLOCK is not set on it: a pipe is
 * opened once more through /proc, sockets are told call by call, and what remains is read once
 * after poll(2) said that something is there.
 */
#include "nc/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20) /* a pipe is asked to hold so much: fewer switches */

static int sockopt(int fd, int name)
{
    int v = -1;
    socklen_t len = sizeof v;
    return getsockopt(fd, SOL_SOCKET, name, &v, &len) < 0 ? -1 : v;
}

static void open_socket(struct udp_source *s)
{
    int type = sockopt(s->fd, SO_TYPE), on = 1;
    s->socket = true;
    s->kind = type == SOCK_DGRAM || type == SOCK_SEQPACKET ? UDP_MESSAGES : UDP_BYTES;
    s->records = type == SOCK_SEQPACKET && sockopt(s->fd, SO_DOMAIN) == AF_UNIX;
    /* A record comes with its sender's credentials then, the end without: unix(7). */
    if (s->records) {
        s->passcred = sockopt(s->fd, SO_PASSCRED);
        s->records = setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
    }
}

void udp_source_open(struct udp_source *s, int fd, size_t largest, bool crlf)
{
    struct stat st;
    *s = (struct udp_source){.fd = fd, .own = -1, .largest = largest, .crlf = crlf};
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    if (S_ISSOCK(st.st_mode)) {
        open_socket(s);
    } else if (S_ISFIFO(st.st_mode)) {
        char path[32];
        int flags = fcntl(fd, F_GETFL);
        s->kind = flags >= 0 && (flags & O_DIRECT) ? UDP_PACKETS : UDP_PIPE;
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        s->own = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    } else if (isatty(fd)) {
        s->kind = UDP_TERMINAL;
    } else {
        s->always = s->ready = S_ISREG(st.st_mode);
    }
    if (s->kind != UDP_MESSAGES && s->largest > HAIL_DATAGRAM_MAX)
        s->largest = HAIL_DATAGRAM_MAX;
}

void udp_source_close(struct udp_source *s)
{
    if (s->records && !s->passcred)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_PASSCRED, &s->passcred, sizeof s->passcred);
    if (s->own >= 0)
        close(s->own);
    s->fd = s->own = -1;
}

/* From a socket. The whole size of a message, even when that is more than there is room for. */
static ssize_t read_socket(const struct udp_source *s, char *to, size_t room, bool *end)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {to, room};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    bool messages = s->kind == UDP_MESSAGES; /* on a stream, MSG_TRUNC would throw bytes away */
    if (s->records) {
        h.msg_control = &control;
        h.msg_controllen = sizeof control;
    }
    ssize_t n = recvmsg(s->fd, &h, MSG_DONTWAIT | (messages ? MSG_TRUNC : 0));
    *end = n == 0 && (!messages || (s->records && h.msg_controllen == 0));
    return n;
}

static ssize_t read_file(const struct udp_source *s, char *to, size_t room, bool *end)
{
    ssize_t n = read(s->own >= 0 ? s->own : s->fd, to, room);
    if (n < 0 && errno == EIO && s->kind == UDP_TERMINAL)
        n = 0; /* it hung up, or belongs to another process group now */
    *end = n == 0;
    return n;
}

/* LF as CR LF, where no CR is before it; from `in` down to `out`, which may overlap below. */
static size_t with_crlf(struct udp_source *s, char *out, const char *in, size_t n)
{
    size_t len = 0;
    bool after_cr = s->after_cr;
    for (size_t i = 0; i < n; i++) {
        if (in[i] == '\n' && !after_cr)
            out[len++] = '\r';
        after_cr = in[i] == '\r';
        out[len++] = in[i];
    }
    /* where messages begin anew, so do their lines */
    s->after_cr = after_cr && s->kind != UDP_MESSAGES && s->kind != UDP_PACKETS;
    return len;
}

/* Puts what one read gives behind the row. 1, 0 at the end, -errno. */
static int add(struct udp_source *s, struct udp_row *row)
{
    bool end = false;
    size_t room = s->crlf && s->kind != UDP_MESSAGES ? s->largest / 2 : s->largest;
    char *to = row->data + row->bytes + (s->crlf ? s->largest : 0);
    ssize_t n;
    do
        n = s->socket ? read_socket(s, to, room, &end) : read_file(s, to, room, &end);
    while (n < 0 && errno == EINTR);
    if (n < 0 || end)
        return n < 0 ? -errno : 0;
    if ((size_t)n > room)
        return -EMSGSIZE;
    if (s->crlf)
        n = (ssize_t)with_crlf(s, row->data + row->bytes, to, (size_t)n);
    row->len[row->n++] = (uint32_t)n;
    row->bytes += (size_t)n;
    return 1;
}

int udp_source_read(struct udp_source *s, struct udp_row *row)
{
    bool again = s->socket || s->own >= 0; /* a read will not block */
    size_t most = s->largest * (s->crlf ? 2 : 1);
    int rc = s->failed;
    s->failed = 0;
    row->n = row->sent = row->bytes = row->at = 0;
    while (rc == 0) {
        rc = add(s, row);
        if (rc != 1 || !again || row->n == UDP_ROW_MAX || row->bytes + most > UDP_ROW_BYTES)
            break;
        rc = 0;
    }
    s->ready = rc == 1 && (again || s->always);
    if (row->n == 0)
        return rc;
    if (rc < 0 && rc != -EAGAIN)
        s->failed = rc; /* told when the row is sent; an end is met once more */
    s->ready |= rc == 0 || s->failed;
    return (int)row->n;
}
