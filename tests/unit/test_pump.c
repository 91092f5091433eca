/* test_pump.c - bulk through a pump, by each of its ways: pipes, sockets, files.
 * link: --wrap=pipe2
 */
#include "pump_bed.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_from_a_pipe_and_into_one),
        cmocka_unit_test(relay_through_pipes),
        cmocka_unit_test(relay_without_pipes),
        cmocka_unit_test(a_file_is_sent_from_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
