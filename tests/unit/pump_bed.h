/* pump_bed.h - what the tests of the pump share: a stream with a bare socket at its other end, and
 * threads that write or read a pattern in bulk. */
#ifndef HAIL_TESTS_PUMP_BED_H
#define HAIL_TESTS_PUMP_BED_H

#include "peer.h"

#include <pthread.h>

#define BULK ((size_t)24 << 20)

/* A stream and the bare socket that it talks to. */
struct line {
    struct hail_stream *s;
    int peer;
};

static UNUSED struct line connected(struct hail_ctx *ctx)
{
    struct line l;
    uint16_t port;
    int listener = raw_listener(AF_INET, &port);
    int fd = raw_connect(AF_INET, port);
    l.peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    close(listener);
    assert_int_equal(hail_stream_of_fd(ctx, fd, &l.s), 0);
    return l;
}

static UNUSED void hang_up(struct line *l)
{
    hail_close(l->s);
    if (l->peer >= 0)
        close(l->peer);
}

static UNUSED struct hail_pump_end stream_end(struct hail_stream *s)
{
    return (struct hail_pump_end){.stream = s, .in = -1, .out = -1};
}

/* The byte at `i` of what is sent in bulk. */
static UNUSED char pattern(size_t i)
{
    return (char)(i * 31 + (i >> 13) * 7);
}

/* A thread that writes `size` bytes of the pattern to a descriptor and ends it; or reads them. */
struct job {
    pthread_t thread;
    int fd;
    size_t size, done;
    bool shut, wrong;
};

static UNUSED void *writes(void *arg)
{
    struct job *j = arg;
    static _Thread_local char chunk[256 << 10];
    while (j->done < j->size) {
        size_t n = j->size - j->done < sizeof chunk ? j->size - j->done : sizeof chunk;
        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(j->done + i);
        ssize_t sent = write(j->fd, chunk, n);
        if (sent <= 0)
            break;
        j->done += (size_t)sent;
    }
    if (j->shut)
        shutdown(j->fd, SHUT_WR);
    else
        close(j->fd);
    return NULL;
}

static UNUSED void *reads(void *arg)
{
    struct job *j = arg;
    static _Thread_local char chunk[256 << 10];
    ssize_t n;
    while ((n = read(j->fd, chunk, sizeof chunk)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            j->wrong |= chunk[i] != pattern(j->done + (size_t)i);
        j->done += (size_t)n;
    }
    return NULL;
}

static UNUSED void begin(struct job *j, void *(*run)(void *))
{
    assert_int_equal(pthread_create(&j->thread, NULL, run, j), 0);
}

static UNUSED void finish(struct job *j, size_t size)
{
    pthread_join(j->thread, NULL);
    assert_int_equal(j->done, size);
    assert_false(j->wrong);
}

static UNUSED struct hail_flow_info info(const struct hail_pump *p, int flow)
{
    struct hail_flow_info i;
    hail_pump_flow(p, flow, &i);
    return i;
}

static UNUSED struct hail_ctx later(void)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    ctx.by = hail_deadline_in(20000);
    return ctx;
}

/* What came to a descriptor, up to its end. */
static UNUSED void assert_comes(int fd, const char *text)
{
    char buf[256];
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, buf + len, sizeof buf - len)) > 0)
        len += (size_t)n;
    assert_int_equal(len, strlen(text));
    assert_memory_equal(buf, text, len);
}

#endif
