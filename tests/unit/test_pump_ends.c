/* test_pump_ends.c - how flows of a pump end, and what filters and callers may do meanwhile. */
#include "pump_bed.h"

#include <poll.h>
#include <signal.h>

/* --- the ends of streams --- */

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
