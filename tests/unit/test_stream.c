/* test_stream.c - streams over a socket, against a bare socket at the other end.
 * link: --wrap=malloc
 */
#include "peer.h"

#include "net/layer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/* A stream and the bare socket that it talks to. */
struct pair {
    struct hail_ctx ctx;
    struct hail_stream *s;
    int peer;
};

static struct pair connected(struct hail_trace *trace)
{
    struct pair p = {.ctx = soon()};
    uint16_t port;
    int listener = raw_listener(AF_INET, &port);
    int fd = raw_connect(AF_INET, port);
    p.peer = accept(listener, NULL, NULL);
    close(listener);
    p.ctx.trace = trace;
    assert_int_equal(hail_stream_of_fd(&p.ctx, fd, &p.s), 0);
    return p;
}

static void disconnect(struct pair *p)
{
    hail_close(p->s);
    if (p->peer >= 0)
        close(p->peer);
}

/* Waits until the kernel has processed what the peer did last. */
static void settle(const struct pair *p, int events)
{
    struct pollfd fd = {.fd = hail_stream_fd(p->s), .events = (short)events};
    assert_int_equal(poll(&fd, 1, 5000), 1);
}

static void both_directions_and_the_end(void **state)
{
    (void)state;
    char buf[16];
    size_t done = 99;
    struct pair p = connected(NULL);
    assert_int_equal(hail_write(&p.ctx, p.s, "question", 8, &done), 0);
    assert_int_equal(done, 8);
    assert_int_equal(recv(p.peer, buf, sizeof buf, 0), 8);
    assert_memory_equal(buf, "question", 8);
    assert_int_equal(send(p.peer, "answer", 6, 0), 6);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 6);
    assert_memory_equal(buf, "answer", 6);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, 0), 0);
    close(p.peer);
    p.peer = -1;
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 0);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 0);
    disconnect(&p);
}

static void the_socket_is_private_and_does_not_block(void **state)
{
    (void)state;
    struct pair p = connected(NULL);
    int fd = hail_stream_fd(p.s);
    char byte;
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(hail_try_read(&p.ctx, p.s, &byte, 1), -EAGAIN);
    assert_int_equal(hail_stream_wants(p.s), POLLIN);
    assert_string_equal(p.ctx.err.msg, "");
    disconnect(&p);
}

static void half_close(void **state)
{
    (void)state;
    char buf[16];
    struct pair p = connected(NULL);
    assert_int_equal(hail_write(&p.ctx, p.s, "last", 4, NULL), 0);
    assert_int_equal(hail_shutdown(&p.ctx, p.s), 0);
    assert_int_equal(hail_shutdown(&p.ctx, p.s), 0);
    assert_int_equal(recv(p.peer, buf, sizeof buf, MSG_WAITALL), 4);
    assert_int_equal(send(p.peer, "still here", 10, 0), 10);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 10);
    disconnect(&p);
}

static void *trickle(void *arg)
{
    const struct pair *p = arg;
    for (int i = 0; i < 100; i++) {
        char c = (char)i;
        assert_int_equal(send(p->peer, &c, 1, 0), 1);
        if (i % 10 == 0)
            usleep(1000);
    }
    shutdown(p->peer, SHUT_WR);
    return NULL;
}

static void a_peer_sends_byte_by_byte(void **state)
{
    (void)state;
    char buf[200];
    size_t done = 0;
    pthread_t thread;
    struct pair p = connected(NULL);
    pthread_create(&thread, NULL, trickle, &p);
    assert_int_equal(hail_read_full(&p.ctx, p.s, buf, 90, &done), 0);
    assert_int_equal(done, 90);
    for (int i = 0; i < 90; i++)
        assert_int_equal(buf[i], i);
    assert_int_equal(hail_read_full(&p.ctx, p.s, buf, sizeof buf, &done), 0);
    assert_int_equal(done, 10); /* fewer only at the end */
    pthread_join(thread, NULL);
    disconnect(&p);
}

static void a_timeout_consumes_nothing(void **state)
{
    (void)state;
    char buf[16] = "untouched";
    size_t done = 0;
    struct pair p = connected(NULL);
    p.ctx.by = hail_deadline_in(20);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), -ETIMEDOUT);
    assert_string_equal(buf, "untouched");
    assert_int_equal(p.ctx.err.errnum, ETIMEDOUT);
    assert_int_equal(p.ctx.err.layer, HAIL_LAYER_STREAM);

    send(p.peer, "abc", 3, 0);
    settle(&p, POLLIN);
    p.ctx.by = hail_deadline_in(20);
    assert_int_equal(hail_read_full(&p.ctx, p.s, buf, 8, &done), -ETIMEDOUT);
    assert_int_equal(done, 3); /* what had come is not lost */
    assert_memory_equal(buf, "abc", 3);
    send(p.peer, "defgh", 5, 0);
    p.ctx = soon();
    assert_int_equal(hail_read_full(&p.ctx, p.s, buf + 3, 5, &done), 0);
    assert_memory_equal(buf, "abcdefgh", 8);

    send(p.peer, "x", 1, 0);
    settle(&p, POLLIN);
    p.ctx.by.ns = 1; /* long past: what is there is still read */
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 1);
    disconnect(&p);
}

static void cancelling(void **state)
{
    (void)state;
    char byte;
    int cancel[2];
    struct pair p = connected(NULL);
    assert_int_equal(pipe(cancel), 0);
    p.ctx.cancel_fd = cancel[0];
    assert_int_equal(write(cancel[1], "x", 1), 1);
    assert_int_equal(hail_read(&p.ctx, p.s, &byte, 1), -ECANCELED);
    assert_non_null(strstr(p.ctx.err.msg, "cancelled"));
    close(cancel[0]);
    close(cancel[1]);
    disconnect(&p);
}

/* --- resets --- */

static void bytes_ahead_of_a_reset_come_first(void **state)
{
    (void)state;
    char buf[16], peer[HAIL_ENDPOINT_MAX], local[HAIL_ENDPOINT_MAX];
    struct pair p = connected(NULL);
    struct hail_endpoint at = hail_peer(p.s), from = hail_local(p.s);
    hail_endpoint_format(&at, peer, sizeof peer);
    hail_endpoint_format(&from, local, sizeof local);
    send(p.peer, "413", 3, 0);
    raw_reset(p.peer);
    p.peer = -1;
    settle(&p, POLLHUP);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, 2), 2);
    assert_int_equal(hail_read(&p.ctx, p.s, buf + 2, 2), 1);
    assert_memory_equal(buf, "413", 3);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), -ECONNRESET);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), -ECONNRESET);
    assert_non_null(strstr(p.ctx.err.msg, "read from "));
    assert_non_null(strstr(p.ctx.err.msg, peer));
    assert_non_null(strstr(p.ctx.err.msg, local));
    assert_non_null(strstr(p.ctx.err.msg, "connection reset by peer"));
    disconnect(&p);
}

/* The kernel tells of a reset once; if the write was told, the read must not see a clean end. */
static void a_failed_write_does_not_hide_the_reset(void **state)
{
    (void)state;
    char buf[16];
    struct pair p = connected(NULL);
    send(p.peer, "413", 3, 0);
    raw_reset(p.peer);
    p.peer = -1;
    settle(&p, POLLHUP);
    assert_int_equal(hail_write(&p.ctx, p.s, "more", 4, NULL), -ECONNRESET);
    assert_int_equal(hail_write(&p.ctx, p.s, "more", 4, NULL), -EPIPE);
    assert_int_equal(hail_shutdown(&p.ctx, p.s), -ECONNRESET);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), 3);
    assert_int_equal(hail_read(&p.ctx, p.s, buf, sizeof buf), -ECONNRESET);
    disconnect(&p);
}

/* SIGPIPE has its default action here: one would end the test. */
static void no_sigpipe(void **state)
{
    (void)state;
    struct pair p = connected(NULL);
    int file = memfd_create("page", 0);
    off_t offset = 0;
    sigset_t pending;
    assert_int_equal(write(file, "page", 4), 4);
    raw_reset(p.peer);
    p.peer = -1;
    settle(&p, POLLHUP);
    assert_int_equal(hail_sendfile(&p.ctx, p.s, file, &offset, 4), -ECONNRESET);
    assert_int_equal(hail_sendfile(&p.ctx, p.s, file, &offset, 4), -EPIPE);
    assert_int_equal(offset, 0);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
    sigprocmask(SIG_BLOCK, NULL, &pending);
    assert_false(sigismember(&pending, SIGPIPE));
    close(file);
    disconnect(&p);
}

/* --- much data --- */

static void a_write_into_a_full_connection(void **state)
{
    (void)state;
    static char data[1 << 20], back[1 << 20];
    int small = 4096;
    size_t done = 0;
    struct pair p = connected(NULL);
    setsockopt(hail_stream_fd(p.s), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(p.peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 31 >> 4);
    p.ctx.by = hail_deadline_in(50);
    assert_int_equal(hail_write(&p.ctx, p.s, data, sizeof data, &done), -ETIMEDOUT);
    assert_true(done > 0 && done < sizeof data);
    assert_int_equal(hail_stream_wants(p.s), POLLOUT);
    hail_shutdown(&p.ctx, p.s);
    size_t got = 0;
    ssize_t n;
    while ((n = recv(p.peer, back + got, sizeof back - got, 0)) > 0)
        got += (size_t)n;
    assert_int_equal(got, done); /* the count is true */
    assert_memory_equal(back, data, got);
    disconnect(&p);
}

static void *drain(void *arg)
{
    struct pair *p = arg;
    size_t size = 4 << 20, got = 0;
    char *all = malloc(size);
    ssize_t n;
    while ((n = recv(p->peer, all + got, size - got, 0)) > 0)
        got += (size_t)n;
    char *sized = malloc(got + sizeof got);
    memcpy(sized, &got, sizeof got);
    memcpy(sized + sizeof got, all, got);
    free(all);
    return sized;
}

/* Ends the stream's sending side and compares what the peer got. */
static void expect_received(struct pair *p, pthread_t thread, const char *data, size_t size)
{
    void *all;
    size_t got;
    assert_int_equal(hail_shutdown(&p->ctx, p->s), 0);
    pthread_join(thread, &all);
    memcpy(&got, all, sizeof got);
    assert_int_equal(got, size);
    assert_memory_equal((char *)all + sizeof got, data, size);
    free(all);
}

static void slices_are_written_in_order(void **state)
{
    (void)state;
    static char data[300000];
    struct iovec iov[300];
    size_t done = 0, at = 0;
    pthread_t thread;
    struct pair p = connected(NULL);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i ^ i >> 8);
    for (int i = 0; i < 300; i++) { /* some empty, some one byte, some large */
        size_t len = i % 7 == 0 ? 0 : i % 5 == 0 ? 1 : (size_t)i * 8;
        iov[i] = (struct iovec){data + at, len};
        at += len;
    }
    assert_true(at <= sizeof data);
    pthread_create(&thread, NULL, drain, &p);
    assert_int_equal(hail_writev(&p.ctx, p.s, iov, 300, &done), 0);
    assert_int_equal(done, at);
    expect_received(&p, thread, data, at);
    disconnect(&p);
}

static int file_of(const char *data, size_t size)
{
    int file = memfd_create("file", 0);
    assert_true(file >= 0);
    assert_int_equal(write(file, data, size), (ssize_t)size);
    return file;
}

static void a_file_is_sent(void **state)
{
    (void)state;
    static char data[2000000];
    pthread_t thread;
    off_t offset = 5;
    struct pair p = connected(NULL);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 >> 3);
    int file = file_of(data, sizeof data);
    pthread_create(&thread, NULL, drain, &p);
    assert_int_equal(hail_sendfile(&p.ctx, p.s, file, &offset, sizeof data - 5), 0);
    assert_int_equal(offset, sizeof data);
    expect_received(&p, thread, data + 5, sizeof data - 5);
    close(file);
    disconnect(&p);
}

static void a_file_that_ends_early(void **state)
{
    (void)state;
    off_t offset = 0;
    struct pair p = connected(NULL);
    int file = file_of("short", 5);
    assert_int_equal(hail_sendfile(&p.ctx, p.s, file, &offset, 9), -EIO);
    assert_int_equal(offset, 5);
    assert_int_equal(p.ctx.err.layer, HAIL_LAYER_LOCAL);
    assert_non_null(strstr(p.ctx.err.msg, "4 short"));
    close(file);
    disconnect(&p);
}

/* --- layers --- */

/* A layer that changes bytes and knows no sendfile: a file must not get past it. */
static ssize_t flip_writev(struct hail_ctx *ctx, struct hail_stream *s, const struct iovec *iov,
                           int n)
{
    char out[64];
    size_t len = iov->iov_len < sizeof out ? iov->iov_len : sizeof out;
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(((const char *)iov->iov_base)[i] ^ 0x20);
    const struct iovec flipped = {out, n ? len : 0};
    ssize_t rc = hail_try_writev(ctx, s->next, &flipped, 1);
    s->wants = s->next->wants;
    return rc;
}

static const struct hail_layer_ops flip_ops = {.name = "flip", .end = "FIN", .writev = flip_writev};

static void a_layer_sees_what_is_sent_from_a_file(void **state)
{
    (void)state;
    char data[1000], flipped[1000], buf[8];
    pthread_t thread;
    off_t offset = 0;
    struct pair p = connected(NULL);
    struct hail_stream *top = calloc(1, sizeof *top), *socket = p.s;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (char)('A' + i % 26);
        flipped[i] = (char)('a' + i % 26);
    }
    top->ops = &flip_ops;
    hail_stream_push(top, p.s);
    p.s = top;
    assert_int_equal(hail_stream_fd(top), hail_stream_fd(socket));
    send(p.peer, "plain", 5, 0);
    assert_int_equal(hail_read(&p.ctx, top, buf, sizeof buf), 5); /* passed through */
    assert_memory_equal(buf, "plain", 5);
    struct hail_endpoint a = hail_peer(top), b = hail_peer(socket);
    assert_true(hail_endpoint_equal(&a, &b));

    int file = file_of(data, sizeof data);
    pthread_create(&thread, NULL, drain, &p);
    assert_int_equal(hail_sendfile(&p.ctx, top, file, &offset, sizeof data), 0);
    assert_int_equal(offset, sizeof data);
    expect_received(&p, thread, flipped, sizeof flipped);
    close(file);
    disconnect(&p);
}

/* --- the trace --- */

static void traced(const char *expected, void (*act)(struct pair *))
{
    struct log_trace log = LOG_TRACE;
    struct pair p = connected(&log.base);
    p.ctx.span = 0;
    act(&p);
    disconnect(&p);
    assert_string_equal(log.text, expected);
}

static void answer_and_close(struct pair *p)
{
    char buf[16];
    hail_write(&p->ctx, p->s, "hello", 5, NULL);
    assert_int_equal(recv(p->peer, buf, 5, MSG_WAITALL), 5);
    send(p->peer, "hi", 2, 0);
    hail_read(&p->ctx, p->s, buf, sizeof buf);
    close(p->peer);
    p->peer = -1;
    hail_read(&p->ctx, p->s, buf, sizeof buf);
}

static void close_first(struct pair *p)
{
    char buf[16];
    hail_shutdown(&p->ctx, p->s);
    close(p->peer);
    p->peer = -1;
    hail_read(&p->ctx, p->s, buf, sizeof buf);
}

static void be_reset(struct pair *p)
{
    char buf[16];
    raw_reset(p->peer);
    p->peer = -1;
    hail_read(&p->ctx, p->s, buf, sizeof buf);
}

static void time_out(struct pair *p)
{
    char buf[16];
    p->ctx.by.ns = 1;
    hail_read(&p->ctx, p->s, buf, sizeof buf);
}

static void just_close(struct pair *p)
{
    (void)p;
}

static void leave_unread(struct pair *p)
{
    send(p->peer, "unread", 6, 0);
    settle(p, POLLIN);
}

static void the_trace_says_who_ended_it_and_how(void **state)
{
    (void)state;
    traced("1/0 START stream\n1/0 OUT 5\n1/0 IN 2\n1/0 DONE stream 0 closed by the peer (FIN)\n",
           answer_and_close);
    traced("1/0 START stream\n1/0 NOTE stream\n"
           "1/0 DONE stream 0 closed here, then by the peer (FIN)\n",
           close_first);
    traced("1/0 START stream\n1/0 DONE stream 104 reset by the peer (RST)\n", be_reset);
    traced("1/0 START stream\n1/0 DONE stream 110 closed here after a time-out\n", time_out);
    traced("1/0 START stream\n1/0 DONE stream 0 closed here (FIN)\n", just_close);
    traced("1/0 START stream\n1/0 DONE stream 0 closed here with bytes unread (RST)\n",
           leave_unread);
}

static void what_is_no_stream(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s = (void *)&ctx;
    int file = file_of("x", 1), ends[2];
    assert_int_equal(hail_stream_of_fd(&ctx, file, &s), -ENOTSOCK);
    assert_int_equal(hail_stream_of_fd(&ctx, -1, &s), -EBADF);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fail_nth(1);
    int rc = hail_stream_of_fd(&ctx, ends[0], &s);
    fail_nth(0);
    assert_int_equal(rc, -ENOMEM);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
    assert_ptr_equal(s, &ctx);                                  /* untouched on failure */
    assert_int_equal(fcntl(ends[0], F_GETFD) & ~FD_CLOEXEC, 0); /* still the caller's */
    close(ends[0]);
    close(ends[1]);
    close(file);
    hail_close(NULL);
}

static size_t descriptors;

static int remember(void **state)
{
    (void)state;
    descriptors = open_descriptors();
    return 0;
}

static int no_descriptor_is_left(void **state)
{
    (void)state;
    return open_descriptors() == descriptors ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, remember, no_descriptor_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_directions_and_the_end),
        TEST(the_socket_is_private_and_does_not_block),
        TEST(half_close),
        TEST(a_peer_sends_byte_by_byte),
        TEST(a_timeout_consumes_nothing),
        TEST(cancelling),
        TEST(bytes_ahead_of_a_reset_come_first),
        TEST(a_failed_write_does_not_hide_the_reset),
        TEST(no_sigpipe),
        TEST(a_write_into_a_full_connection),
        TEST(slices_are_written_in_order),
        TEST(a_file_is_sent),
        TEST(a_file_that_ends_early),
        TEST(a_layer_sees_what_is_sent_from_a_file),
        TEST(the_trace_says_who_ended_it_and_how),
        TEST(what_is_no_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
