/* test_sockets.c - the kernel's table, with sockets of this process as the truth. */
#include <hail/hail.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TCP HAIL_KIND_BIT(HAIL_KIND_TCP)

struct seen {
    int n;
    struct hail_socket_info last;
    int owner;
};

static int see(void *arg, const struct hail_socket_info *info)
{
    struct seen *s = arg;
    s->n++;
    s->last = *info;
    return 0;
}

static int stop(void *arg, const struct hail_socket_info *info)
{
    (void)arg;
    (void)info;
    return 42;
}

/* This process must be the first of one holder, by its name and program. */
static void find_owner(struct seen *s)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    const struct hail_holders_query q = {.inodes = &s->last.inode, .n = 1, .first = true};
    struct hail_holders *holders;
    struct hail_holder one;
    assert_int_equal(hail_holders_load(&ctx, &q, &holders), 0);
    assert_true(hail_holder_get(holders, s->last.inode, 0, &one));
    assert_false(hail_holder_get(holders, s->last.inode, 1, &one));
    assert_false(hail_holder_get(holders, 0, 0, &one));
    assert_string_equal(one.process->name, "test_sockets");
    assert_non_null(strstr(one.process->program, "test_sockets"));
    assert_int_equal(one.process->uid, geteuid());
    assert_true(one.process->started > 0);
    s->owner = one.process->pid;
    hail_holders_free(holders);
}

static struct seen list(struct hail_socket_query q)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct seen s = {0};
    if (hail_sockets_each(&ctx, &q, NULL, see, &s) < 0)
        fail_msg("%s", ctx.err.msg);
    return s;
}

static void test_life(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < 2; i++) {
        struct hail_ctx ctx = HAIL_CTX_INIT;
        struct hail_endpoint at, client_at;
        struct hail_listener *l;
        struct hail_stream *client, *server;
        assert_int_equal(hail_endpoint_parse(&ctx, &at, hosts[i], 0), 0);
        assert_int_equal(hail_listen(&ctx, &at, NULL, &l), 0);
        at = hail_listener_at(l);
        struct hail_socket_query f = {
            .kinds = TCP, .states = 1u << HAIL_LISTEN, .local_port = at.port};
        struct seen s = list(f);
        assert_int_equal(s.n, 1);
        assert_int_equal(s.last.state, HAIL_LISTEN);
        struct hail_endpoint told = hail_endpoint_of(&s.last.local);
        assert_true(hail_endpoint_equal(&told, &at));
        assert_int_equal(s.last.uid, getuid());
        find_owner(&s);
        assert_int_equal(s.owner, getpid());

        assert_int_equal(hail_dial(&ctx, &at, NULL, &client), 0);
        assert_int_equal(hail_accept(&ctx, l, &server), 0);
        client_at = hail_local(client);
        f = (struct hail_socket_query){
            .kinds = TCP, .peer_port = at.port, .local_port = client_at.port};
        s = list(f);
        assert_int_equal(s.n, 1);
        assert_int_equal(s.last.state, HAIL_ESTABLISHED);
        told = hail_endpoint_of(&s.last.peer);
        assert_true(hail_endpoint_equal(&told, &at));
        f.family = i ? AF_INET : AF_INET6; /* the other */
        assert_int_equal(list(f).n, 0);
        f.family = 0;
        f.states = 1u << HAIL_LISTEN;
        assert_int_equal(list(f).n, 0);

        /* who closes first waits */
        char byte;
        assert_int_equal(hail_shutdown(&ctx, client), 0);
        assert_int_equal(hail_read(&ctx, server, &byte, 1), 0);
        hail_close(server);
        assert_int_equal(hail_read(&ctx, client, &byte, 1), 0);
        hail_close(client);
        f.states = 1u << HAIL_TIME_WAIT;
        s = list(f);
        assert_int_equal(s.n, 1);
        assert_int_equal(s.last.inode, 0);
        assert_in_range(s.last.timer_ms, 1, 60000);
        hail_listener_close(l);
    }
}

static void test_udp(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint at;
    struct hail_datagram *d;
    assert_int_equal(hail_endpoint_parse(&ctx, &at, "127.0.0.1:0", 0), 0);
    assert_int_equal(hail_datagram_open(&ctx, &at, NULL, &d), 0);
    struct seen s = list((struct hail_socket_query){.kinds = HAIL_KIND_BIT(HAIL_KIND_UDP),
                                                    .local_port = hail_datagram_local(d).port});
    assert_int_equal(s.n, 1);
    assert_int_equal(s.last.state, HAIL_CLOSE);
    struct hail_socket_query all = {.kinds = HAIL_KIND_BIT(HAIL_KIND_UDP)};
    assert_int_equal(hail_sockets_each(&ctx, &all, NULL, stop, NULL), 42);
    hail_datagram_close(d);
    assert_string_equal(hail_socket_state_name(HAIL_TIME_WAIT), "TIME_WAIT");
    assert_string_equal(hail_socket_state_name((enum hail_socket_state)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_life), cmocka_unit_test(test_udp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
