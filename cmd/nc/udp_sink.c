/* udp_sink.c - received datagrams to a descriptor, usually standard output; udp.h.
 *
 *   pipe in packet mode, socket of messages   a write is a datagram
 *   anything else                             nothing tells them apart there: many in one write
 *
 * It never blocks for long: what finds no room stays in the batch, and then nothing more is
 * received. As with sources, O_NONBLOCK is not set on a descriptor that others may share.
 */
#include "nc/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)

/* open(2) knows no packet mode of a pipe, fcntl(2) does. */
static void reopen(struct udp_sink *s)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
    s->own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (s->own >= 0 && s->kind == UDP_PACKETS &&
        fcntl(s->own, F_SETFL, O_NONBLOCK | O_DIRECT) < 0) {
        close(s->own);
        s->own = -1;
    }
}

static void open_stage(struct udp_sink *s)
{
    if (pipe2(s->stage, O_DIRECT | O_NONBLOCK | O_CLOEXEC) < 0)
        s->stage[0] = s->stage[1] = -1;
    else
        (void)fcntl(s->stage[1], F_SETPIPE_SZ, PIPE_BYTES);
}

void udp_sink_open(struct udp_sink *s, int fd)
{
    struct stat st;
    *s = (struct udp_sink){.fd = fd, .own = -1, .stage = {-1, -1}};
    if (fstat(fd, &st) < 0)
        return;
    if (S_ISSOCK(st.st_mode)) {
        int type = SOCK_STREAM;
        socklen_t len = sizeof type;
        (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
        s->socket = true;
        s->kind = type == SOCK_STREAM ? UDP_BYTES : UDP_MESSAGES;
    } else if (S_ISFIFO(st.st_mode)) {
        int flags = fcntl(fd, F_GETFL);
        s->kind = flags >= 0 && (flags & O_DIRECT) ? UDP_PACKETS : UDP_PIPE;
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
        reopen(s);
        if (s->kind == UDP_PACKETS && s->own >= 0)
            open_stage(s);
    } else if (isatty(fd)) {
        s->kind = UDP_TERMINAL;
        reopen(s);
    }
}

void udp_sink_close(struct udp_sink *s)
{
    if (s->own >= 0)
        close(s->own);
    if (s->stage[0] >= 0) {
        close(s->stage[0]);
        close(s->stage[1]);
    }
    s->fd = s->own = s->stage[0] = s->stage[1] = -1;
}

/* Whether a write of up to PIPE_BUF bytes finds room: for what cannot be told not to block. */
static bool has_room(const struct udp_sink *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    return poll(&p, 1, 0) != 0;
}

/* Bytes written, or -errno. */
static ssize_t put(const struct udp_sink *s, struct iovec *iov, int n)
{
    ssize_t done;
    if (s->kind != UDP_BYTES && !s->socket && s->own < 0) {
        if (!has_room(s))
            return -EAGAIN;
        n = 1;
        if (iov->iov_len > PIPE_BUF)
            iov->iov_len = PIPE_BUF;
    }
    struct msghdr h = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    do
        done = s->socket ? sendmsg(s->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL)
                         : writev(s->own >= 0 ? s->own : s->fd, iov, n);
    while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : done;
}

/* Nothing between two datagrams: all of the batch in one write. */
static int put_bytes(struct udp_sink *s, struct udp_batch *b)
{
    while (b->next < b->n) {
        struct iovec iov[UDP_BATCH];
        int n = 0;
        for (int i = b->next; i < b->n; i++) {
            size_t at = i == b->next ? b->at : 0;
            iov[n++] = (struct iovec){(char *)b->v[i].data + at, b->v[i].len - at};
        }
        ssize_t done = put(s, iov, n);
        if (done < 0)
            return (int)done;
        b->at += (size_t)done;
        while (b->next < b->n && b->at >= b->v[b->next].len)
            b->at -= b->v[b->next++].len;
    }
    return 0;
}

/* --- each datagram by itself --- */

/* The piece that is to be written next: a datagram, or what is left of it. */
static struct iovec piece(const struct udp_batch *b)
{
    const struct hail_message *m = &b->v[b->next];
    size_t size = m->segment ? m->segment : m->len;
    size_t left = size ? size - b->at % size : 0; /* of the datagram at b->at */
    return (struct iovec){(char *)m->data + b->at, left < m->len - b->at ? left : m->len - b->at};
}

static void wrote(struct udp_batch *b, size_t n)
{
    b->at += n;
    if (b->at >= b->v[b->next].len) {
        b->at = 0;
        b->next++;
    }
}

/* A socket takes an empty datagram, too; to a pipe there is no such thing. */
static int put_each(struct udp_sink *s, struct udp_batch *b)
{
    while (b->next < b->n) {
        struct iovec iov = piece(b);
        ssize_t done = iov.iov_len || s->socket ? put(s, &iov, 1) : 0;
        if (done < 0)
            return (int)done;
        wrote(b, (size_t)done);
    }
    return 0;
}

/* Moves what is staged to the pipe whose reader waits for it. 0 or -errno. */
static int move_staged(struct udp_sink *s)
{
    while (s->staged) {
        ssize_t n = splice(s->stage[0], NULL, s->own, NULL, s->staged, SPLICE_F_NONBLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EPIPE;
        s->staged -= (size_t)n;
    }
    return 0;
}

/* The first write to an empty pipe wakes its reader, which then takes one packet and sleeps again.
 * So packets are put into a pipe of our own, and moved together: splice(2) leaves them apart. One
 * that is longer than a page becomes packets of a page each, pipe(2). */
static int put_packets(struct udp_sink *s, struct udp_batch *b)
{
    int rc = move_staged(s);
    while (rc == 0 && b->next < b->n) {
        struct iovec iov = piece(b);
        ssize_t done = iov.iov_len ? write(s->stage[1], iov.iov_base, iov.iov_len) : 0;
        if (done >= 0) {
            s->staged += (size_t)done;
            wrote(b, (size_t)done);
        } else if (errno == EAGAIN) {
            rc = move_staged(s);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return rc ? rc : move_staged(s);
}

int udp_sink_write(struct udp_sink *s, struct udp_batch *b)
{
    bool lone = b->n == 1 && !b->v[0].segment && !s->staged, own = s->stage[0] >= 0;
    int rc;
    if (s->kind == UDP_PACKETS && own && !lone)
        rc = put_packets(s, b);
    else if (s->kind == UDP_PACKETS || s->kind == UDP_MESSAGES)
        rc = put_each(s, b);
    else
        rc = put_bytes(s, b);
    s->full = rc == -EAGAIN;
    return rc;
}
