/* test_pump.c - both flows of a pump against bare sockets, pipes and files.
 * link: --wrap=pipe2
 */
#include "peer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "net/flow.h"

#define BULK ((size_t)24 << 20)

static bool no_pipes; /* the flow's own pipes cannot be had */
int __wrap_pipe2(int fds[2], int flags);
int __real_pipe2(int fds[2], int flags);
int __wrap_pipe2(int fds[2], int flags)
{
    if (no_pipes) {
        errno = EMFILE;
        return -1;
    }
    return __real_pipe2(fds, flags);
}

/* A stream and the bare socket that it talks to. */
struct line {
    struct hail_stream *s;
    int peer;
};

static struct line connected(struct hail_ctx *ctx)
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

static void hang_up(struct line *l)
{
    hail_close(l->s);
    if (l->peer >= 0)
        close(l->peer);
}

static struct hail_pump_end stream_end(struct hail_stream *s)
{
    return (struct hail_pump_end){.stream = s, .in = -1, .out = -1};
}

/* The byte at `i` of what is sent in bulk. */
static char pattern(size_t i)
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

static void *writes(void *arg)
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

static void *reads(void *arg)
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

static void begin(struct job *j, void *(*run)(void *))
{
    assert_int_equal(pthread_create(&j->thread, NULL, run, j), 0);
}

static void finish(struct job *j, size_t size)
{
    pthread_join(j->thread, NULL);
    assert_int_equal(j->done, size);
    assert_false(j->wrong);
}

static struct hail_flow_info info(const struct hail_pump *p, int flow)
{
    struct hail_flow_info i;
    hail_pump_flow(p, flow, &i);
    return i;
}

static struct hail_ctx later(void)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    ctx.by = hail_deadline_in(20000);
    return ctx;
}

/* --- bulk, by each method --- */

static void bulk_from_a_pipe_and_into_one(void **state)
{
    (void)state;
    struct hail_ctx ctx = later();
    struct line l = connected(&ctx);
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    struct job say = {.fd = in[1], .size = BULK}, hear = {.fd = l.peer};
    struct job answer = {.fd = dup(l.peer), .size = BULK, .shut = true}, get = {.fd = out[0]};
    begin(&say, writes);
    begin(&hear, reads);
    begin(&answer, writes);
    begin(&get, reads);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = in[0], .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    assert_int_equal(info(p, 0).state, HAIL_FLOW_ENDED);
    assert_int_equal(info(p, 1).state, HAIL_FLOW_ENDED);
    assert_int_equal(info(p, 0).out, BULK);
    assert_int_equal(info(p, 1).in, BULK);
    hail_pump_free(p);
    close(out[1]);
    finish(&say, BULK);
    finish(&hear, BULK);
    finish(&answer, BULK);
    finish(&get, BULK);
    close(in[0]);
    close(out[0]);
    close(answer.fd);
    hang_up(&l);
}

static void relay_in_bulk(bool pipes)
{
    struct hail_ctx ctx = later();
    struct line a = connected(&ctx), b = connected(&ctx);
    size_t before = open_descriptors();
    struct job say = {.fd = a.peer, .size = BULK, .shut = true}, hear = {.fd = b.peer};
    struct job answer = {.fd = b.peer, .size = BULK, .shut = true}, get = {.fd = a.peer};
    begin(&say, writes);
    begin(&hear, reads);
    begin(&answer, writes);
    begin(&get, reads);
    struct hail_pump *p;
    struct hail_pump_end ea = stream_end(a.s), eb = stream_end(b.s);
    no_pipes = !pipes;
    assert_int_equal(hail_pump_new(&ctx, &ea, &eb, NULL, &p), 0);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    no_pipes = false;
    assert_int_equal(info(p, 0).out, BULK);
    assert_int_equal(info(p, 1).out, BULK);
    hail_pump_free(p);
    finish(&say, BULK);
    finish(&hear, BULK);
    finish(&answer, BULK);
    finish(&get, BULK);
    assert_int_equal(open_descriptors(), before);
    hang_up(&a);
    hang_up(&b);
}

static void relay_through_pipes(void **state)
{
    (void)state;
    relay_in_bulk(true);
}

static void relay_without_pipes(void **state)
{
    (void)state;
    relay_in_bulk(false);
}

static int file_of(size_t size)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    for (size_t i = 0; i < size; i++)
        putc(pattern(i), f);
    fflush(f);
    int fd = dup(fileno(f));
    fclose(f);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void a_file_is_sent_from_where_it_stands(void **state)
{
    (void)state;
    struct hail_ctx ctx = later();
    struct line l = connected(&ctx);
    int file = file_of(3 << 20), out = file_of(0);
    char first[16];
    assert_int_equal(read(file, first, 16), 16);
    struct job answer = {.fd = l.peer, .size = 3 << 20, .shut = true};
    struct job hear = {.fd = l.peer, .done = 16};
    begin(&answer, writes);
    begin(&hear, reads);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = file, .out = out}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    hail_pump_free(p);
    finish(&hear, 3 << 20);
    finish(&answer, 3 << 20);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 3 << 20);
    lseek(out, 0, SEEK_SET);
    struct job get = {.fd = out};
    reads(&get);
    assert_int_equal(get.done, 3 << 20);
    assert_false(get.wrong);
    close(file);
    close(out);
    hang_up(&l);
}

/* --- the ends of streams --- */

/* What came to a descriptor, up to its end. */
static void assert_comes(int fd, const char *text)
{
    char buf[256];
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, buf + len, sizeof buf - len)) > 0)
        len += (size_t)n;
    assert_int_equal(len, strlen(text));
    assert_memory_equal(buf, text, len);
}

static void nothing_to_say_does_not_end_the_answer(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct line l = connected(&ctx);
    int out[2], in = open("/dev/null", O_RDONLY);
    assert_int_equal(pipe(out), 0);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = in, .out = out[1]}, net = stream_end(l.s);
    struct hail_pump_opts opts = {.keep_open = {true}};
    assert_int_equal(hail_pump_new(&ctx, &std, &net, &opts, &p), 0);
    hail_pump_stop_at(p, hail_deadline_in(30));
    assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_STOPPED);
    assert_int_equal(info(p, 0).state, HAIL_FLOW_ENDED);
    assert_int_equal(info(p, 1).state, HAIL_FLOW_OPEN);
    hail_pump_stop_at(p, (struct hail_deadline){0});
    char none;
    assert_int_equal(recv(l.peer, &none, 1, MSG_DONTWAIT), -1); /* no FIN came */
    assert_int_equal(send(l.peer, "the answer", 10, 0), 10);
    close(l.peer);
    l.peer = -1;
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    hail_pump_free(p);
    close(out[1]);
    assert_comes(out[0], "the answer");
    close(out[0]);
    close(in);
    hang_up(&l);
}

static void bytes_ahead_of_a_reset_arrive(void **state)
{
    (void)state;
    for (int piped = 0; piped < 2; piped++) {
        struct hail_ctx ctx = soon();
        struct line l = connected(&ctx);
        int in[2], out[2];
        assert_int_equal(pipe(in), 0);
        assert_int_equal(piped ? pipe(out) : socketpair(AF_UNIX, SOCK_STREAM, 0, out), 0);
        assert_int_equal(write(in[1], "never read by the peer", 22), 22);
        struct hail_pump *p;
        struct hail_pump_end std = {.in = in[0], .out = out[1]}, net = stream_end(l.s);
        assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
        assert_int_equal(send(l.peer, "413 too large", 13, 0), 13);
        raw_reset(l.peer);
        l.peer = -1;
        struct pollfd arrived = {.fd = hail_stream_fd(l.s)};
        poll(&arrived, 1, 5000);
        close(in[1]);
        assert_int_equal(hail_pump_run(&ctx, p), 0);
        assert_int_equal(info(p, 1).state, HAIL_FLOW_FAILED);
        assert_int_equal(info(p, 1).error.errnum, ECONNRESET);
        assert_false(info(p, 1).at_sink);
        assert_int_equal(info(p, 0).state, HAIL_FLOW_FAILED);
        assert_true(info(p, 0).at_sink);
        hail_pump_free(p);
        close(out[1]);
        assert_comes(out[0], "413 too large");
        close(out[0]);
        close(in[0]);
        hang_up(&l);
    }
}

static void a_dead_output_ends_its_flow_only(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_DFL);
    struct hail_ctx ctx = soon();
    struct line l = connected(&ctx);
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = in[0], .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    close(out[0]);
    hail_pump_stop_at(p, hail_deadline_in(500));
    assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_STOPPED);
    assert_int_equal(info(p, 1).state, HAIL_FLOW_FAILED);
    assert_int_equal(info(p, 1).error.errnum, EPIPE);
    assert_string_equal(info(p, 1).error.op, "write");
    assert_true(info(p, 1).at_sink);
    hail_pump_stop_at(p, (struct hail_deadline){0});
    assert_int_equal(write(in[1], "still said", 10), 10);
    close(in[1]);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    assert_int_equal(info(p, 0).state, HAIL_FLOW_ENDED);
    hail_pump_free(p);
    assert_comes(l.peer, "still said");
    close(in[0]);
    close(out[1]);
    hang_up(&l);
}

/* The peer never reads what is sent, and its own bytes come through all the same. */
static void a_full_sink_stops_its_own_source_only(void **state)
{
    (void)state;
    struct hail_ctx ctx = later();
    struct line l = connected(&ctx);
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    struct job say = {.fd = in[1], .size = (size_t)1 << 30};
    struct job answer = {.fd = l.peer, .size = BULK, .shut = true}, get = {.fd = out[0]};
    signal(SIGPIPE, SIG_IGN);
    begin(&say, writes);
    begin(&answer, writes);
    begin(&get, reads);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = in[0], .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    while (info(p, 1).state == HAIL_FLOW_OPEN) {
        hail_pump_stop_at(p, hail_deadline_in(20));
        assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_STOPPED);
    }
    assert_int_equal(info(p, 1).out, BULK);
    assert_int_equal(info(p, 0).state, HAIL_FLOW_OPEN);
    hail_pump_free(p);
    close(out[1]);
    finish(&get, BULK);
    finish(&answer, BULK);
    close(in[0]); /* ends the writer by EPIPE */
    pthread_join(say.thread, NULL);
    assert_true(say.done < say.size);
    signal(SIGPIPE, SIG_DFL);
    close(out[0]);
    hang_up(&l);
}

static void a_missing_descriptor_is_over_at_once(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct line l = connected(&ctx);
    int out[2];
    assert_int_equal(pipe(out), 0);
    struct hail_pump *p;
    struct hail_pump_end std = {.in = -1, .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    assert_int_equal(send(l.peer, "all", 3, 0), 3);
    shutdown(l.peer, SHUT_WR);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    assert_int_equal(info(p, 0).state, HAIL_FLOW_ENDED);
    hail_pump_free(p);
    close(out[1]);
    assert_comes(out[0], "all");
    char none;
    assert_int_equal(recv(l.peer, &none, 1, MSG_DONTWAIT), -1); /* no FIN came */
    close(out[0]);
    hang_up(&l);
}

/* --- filters and callbacks --- */

struct seen {
    char text[256];
    size_t len;
    int ends, over[2];
    bool stop;
};

/* Doubles every byte, and answers an end with a full stop. */
static int doubles(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    struct seen *s = arg;
    for (size_t i = 0; i < n; i++) {
        char two[2] = {data[i], data[i]};
        assert_int_equal(hail_pump_put(p, 0, two, 2), 0);
        if (data[i] == '!')
            hail_pump_stop(p);
    }
    if (n == 0) {
        s->ends++;
        return hail_pump_put(p, 0, ".", 1);
    }
    return 0;
}

static void is_over(void *arg, struct hail_pump *p, int flow)
{
    struct seen *s = arg;
    (void)p;
    s->over[flow]++;
}

static void a_filter_sees_everything_once(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct line l = connected(&ctx);
    int in[2], wake[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(wake), 0);
    struct seen seen = {0};
    struct hail_pump_opts opts = {
        .filter = {doubles}, .over = is_over, .arg = &seen, .wake_fd = wake[0]};
    struct hail_pump *p;
    struct hail_pump_end std = {.in = in[0], .out = -1}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, &opts, &p), 0);
    assert_int_equal(write(in[1], "ab!", 3), 3);
    assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_STOPPED);
    assert_int_equal(hail_pump_put(p, 0, "-put-", 5), 0);
    assert_int_equal(hail_pump_put(p, 1, "no", 2), -EPIPE);
    assert_int_equal(write(wake[1], "w", 1), 1);
    assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_WOKEN);
    char one;
    assert_int_equal(read(wake[0], &one, 1), 1);
    hail_pump_hold(p, 0, true);
    assert_int_equal(write(in[1], "c", 1), 1);
    hail_pump_stop_at(p, hail_deadline_in(30));
    assert_int_equal(hail_pump_run(&ctx, p), HAIL_PUMP_STOPPED);
    assert_int_equal(info(p, 0).in, 3);
    hail_pump_stop_at(p, (struct hail_deadline){0});
    hail_pump_hold(p, 0, false);
    close(in[1]);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    assert_int_equal(seen.ends, 1);
    assert_int_equal(seen.over[0], 1);
    assert_int_equal(seen.over[1], 1);
    assert_int_equal(hail_pump_put(p, 0, "late", 4), -EPIPE);
    hail_pump_free(p);
    assert_comes(l.peer, "aabb!!-put-cc.");
    close(in[0]);
    close(wake[0]);
    close(wake[1]);
    hang_up(&l);
}

static int refuses(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    (void)arg;
    (void)p;
    (void)data;
    return n ? -EPROTO : 0;
}

static void a_filter_may_fail_its_flow(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct line l = connected(&ctx);
    int out[2];
    assert_int_equal(pipe(out), 0);
    struct hail_pump_opts opts = {.filter = {NULL, refuses}};
    struct hail_pump *p;
    struct hail_pump_end std = {.in = -1, .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, &opts, &p), 0);
    assert_int_equal(send(l.peer, "x", 1, 0), 1);
    assert_int_equal(hail_pump_run(&ctx, p), 0);
    assert_int_equal(info(p, 1).state, HAIL_FLOW_FAILED);
    hail_pump_free(p);
    close(out[0]);
    close(out[1]);
    hang_up(&l);
}

static void time_ends_a_run(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct line l = connected(&ctx);
    struct hail_pump_opts opts = {.idle_ms = 20};
    struct hail_pump *p;
    int out[2], cancel[2];
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(cancel), 0);
    struct hail_pump_end std = {.in = -1, .out = out[1]}, net = stream_end(l.s);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, &opts, &p), 0);
    assert_int_equal(hail_pump_run(&ctx, p), -ETIMEDOUT);
    assert_non_null(strstr(ctx.err.msg, "nothing moved for 20 ms"));
    hail_pump_free(p);
    assert_int_equal(hail_pump_new(&ctx, &std, &net, NULL, &p), 0);
    ctx.by = hail_deadline_in(20);
    assert_int_equal(hail_pump_run(&ctx, p), -ETIMEDOUT);
    ctx.by = (struct hail_deadline){0};
    ctx.cancel_fd = cancel[0];
    assert_int_equal(write(cancel[1], "c", 1), 1);
    assert_int_equal(hail_pump_run(&ctx, p), -ECANCELED);
    assert_int_equal(ctx.err.errnum, ECANCELED);
    hail_pump_free(p);
    int fds[] = {out[0], out[1], cancel[0], cancel[1]};
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
    hang_up(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_from_a_pipe_and_into_one),
        cmocka_unit_test(relay_through_pipes),
        cmocka_unit_test(relay_without_pipes),
        cmocka_unit_test(a_file_is_sent_from_where_it_stands),
        cmocka_unit_test(nothing_to_say_does_not_end_the_answer),
        cmocka_unit_test(bytes_ahead_of_a_reset_arrive),
        cmocka_unit_test(a_dead_output_ends_its_flow_only),
        cmocka_unit_test(a_full_sink_stops_its_own_source_only),
        cmocka_unit_test(a_missing_descriptor_is_over_at_once),
        cmocka_unit_test(a_filter_sees_everything_once),
        cmocka_unit_test(a_filter_may_fail_its_flow),
        cmocka_unit_test(time_ends_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
