/* test_faults.c - datagrams and the kernel's table, with every system call and allocation
 * failing in turn: an error with its errno, and no descriptor left.
 *
 * link: --wrap=socket
 * link: --wrap=setsockopt
 * link: --wrap=bind
 * link: --wrap=getsockname
 * link: --wrap=poll
 * link: --wrap=malloc
 * link: --wrap=calloc
 * link: --wrap=connect
 * link: --wrap=send
 * link: --wrap=recv
 * link: --wrap=sendto
 * link: --wrap=recvfrom
 * link: --wrap=opendir
 */
#include "peer.h"

/* A failure that was told has an errno of those above, a layer and a message. */
static int told(const struct hail_ctx *ctx, int rc)
{
    static const int known[] = {EMFILE, ENOBUFS, EACCES, ENOMEM, EADDRNOTAVAIL, EIO};
    bool one = false;
    if (rc >= 0)
        return rc;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        one = one || rc == -known[i];
    assert_true(one && has_failed());
    assert_int_equal(ctx->err.errnum, -rc);
    assert_true(ctx->err.layer != HAIL_LAYER_NONE);
    assert_true(strlen(ctx->err.msg) > 0);
    return rc;
}

static int converse(struct hail_ctx *ctx, struct hail_datagram *a, struct hail_datagram *b)
{
    char byte;
    int rc = hail_datagram_errors(ctx, a, true);
    if (rc == 0)
        rc = hail_send_to(ctx, a, NULL, "x", 1);
    if (rc == 0)
        rc = hail_datagram_accept(ctx, b);
    if (rc == 1) {
        ssize_t n = hail_recv_from(ctx, b, &byte, 1, NULL);
        rc = n < 0 ? (int)n : 0;
    }
    return rc;
}

static int datagrams(const void *arg)
{
    struct hail_ctx ctx = soon();
    struct hail_datagram *server = NULL, *client = NULL;
    struct hail_endpoint at = endpoint(arg);
    const struct hail_opts opts = {.rcvbuf = 65536, .sndbuf = 65536, .reuseport = true};
    int rc = hail_datagram_open(&ctx, &at, &opts, &server);
    if (rc == 0) {
        int held = fail_nth(0); /* where it listens is asked for the test's sake */
        struct hail_endpoint to = hail_datagram_local(server);
        fail_nth(held);
        rc = hail_datagram_connect(&ctx, &to, &opts, &client);
    } else {
        assert_null(server);
    }
    if (rc == 0)
        rc = converse(&ctx, client, server);
    else
        assert_null(client);
    hail_datagram_close(client);
    hail_datagram_close(server);
    return told(&ctx, rc);
}

static int see(void *arg, const struct hail_socket_info *info)
{
    (void)info;
    ++*(int *)arg;
    return 0;
}

static int table(const void *arg)
{
    struct hail_ctx ctx = soon();
    const struct hail_socket_query all = {.kinds = HAIL_KIND_BIT(HAIL_KIND_TCP)};
    struct hail_holders *holders = NULL;
    int seen = 0;
    (void)arg;
    int rc = hail_sockets_each(&ctx, &all, NULL, see, &seen);
    if (rc == 0)
        rc = hail_holders_load(&ctx, NULL, &holders);
    hail_holders_free(holders);
    return told(&ctx, rc);
}

static int netns(void *arg, const struct hail_netns *one)
{
    ++*(int *)arg;
    return one->fd < 0;
}

static int namespaces(const void *arg)
{
    struct hail_ctx ctx = soon();
    struct hail_netns own;
    int seen = 0, fd;
    int rc = hail_netns_each(&ctx, netns, &seen, NULL);
    if (rc == 0)
        rc = hail_netns_open(&ctx, arg, &own);
    if (rc == 0) {
        rc = hail_socket_closed_open(&ctx, &own, HAIL_KINDS_INET, &fd);
        hail_netns_close(&own);
    }
    if (rc == 0)
        close(fd);
    return told(&ctx, rc);
}

static void datagrams_when_calls_fail(void **state)
{
    (void)state;
    each_call_fails(datagrams, "127.0.0.1:0");
    each_call_fails(datagrams, "[::1]:0");
}

static void the_table_when_calls_fail(void **state)
{
    (void)state;
    each_call_fails(table, NULL);
}

static void namespaces_when_calls_fail(void **state)
{
    (void)state;
    each_call_fails(namespaces, "/proc/self/ns/net");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(datagrams_when_calls_fail),
                                       cmocka_unit_test(namespaces_when_calls_fail),
                                       cmocka_unit_test(the_table_when_calls_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
