/* test_dial.c - connecting: errors, the race of the families, limits; the peers are bare sockets.
 * link: --wrap=malloc
 * link: --wrap=socket
 * link: --wrap=setsockopt
 * link: --wrap=bind
 * link: --wrap=getsockname
 * link: --wrap=poll
 * link: --wrap=connect
 */
#include "peer.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* What happens between connect(2) and our looking at it: the bare listener's side. */
static int hook_listener = -1;
static const char *hook_text;

int __real_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    if (fails(EADDRNOTAVAIL))
        return -1;
    int rc = __real_connect(fd, sa, len), errnum = errno;
    if (hook_listener >= 0) {
        int peer = accept(hook_listener, NULL, NULL);
        assert_int_equal(send(peer, hook_text, strlen(hook_text), 0), (ssize_t)strlen(hook_text));
        raw_reset(peer);
    }
    errno = errnum;
    return rc;
}

/* A port that swallows connections on ::1: the queue of a listener that never accepts is full, so
 * that its kernel answers no SYN any more. */
struct hole {
    int listener, fill[8];
    uint16_t port;
};

static struct hole black_hole(void)
{
    struct hole h;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    h.listener = raw_listener(AF_INET6, &h.port);
    assert_int_equal(listen(h.listener, 0), 0);
    at.sin6_port = htons(h.port);
    for (int i = 0; i < 8; i++) {
        h.fill[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        __real_connect(h.fill[i], (struct sockaddr *)&at, sizeof at);
    }
    return h;
}

static void close_hole(struct hole *h)
{
    for (int i = 0; i < 8; i++)
        close(h->fill[i]);
    close(h->listener);
}

/* A bare listener on 127.0.0.1 at a given port. */
static int raw_listener_at(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 16) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void numeric_address(void **state)
{
    (void)state;
    uint16_t port;
    size_t n;
    char byte;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), 0);
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int peer = accept(listener, (struct sockaddr *)&from, &len);
    struct hail_endpoint local = hail_local(s), remote = hail_peer(s);
    assert_int_equal(local.port, ntohs(from.sin_port));
    assert_true(hail_endpoint_equal(&remote, &to));
    const struct hail_attempt *a = hail_stream_attempts(s, &n);
    assert_int_equal(n, 1);
    assert_int_equal(a->errnum, 0);
    assert_true(a->start_ns > 0 && a->end_ns >= a->start_ns);
    int value = 0;
    len = sizeof value;
    getsockopt(hail_stream_fd(s), IPPROTO_TCP, 1 /* TCP_NODELAY */, &value, &len);
    assert_int_equal(value, 1);
    hail_close(s);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    close(peer);
    close(listener);
}

static void options_are_set(void **state)
{
    (void)state;
    uint16_t port;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port), value = 0;
    socklen_t len = sizeof value;
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    struct hail_opts opts = {.nagle = true, .keepalive_s = 7, .fast_open = true, .sndbuf = 20000};
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), 0);
    int fd = hail_stream_fd(s);
    getsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &value, &len);
    assert_int_equal(value, 0);
    getsockopt(fd, IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, &value, &len);
    assert_int_equal(value, 7);
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len);
    assert_int_equal(value, 1);
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len);
    assert_int_equal(value, 40000); /* the kernel doubles it: socket(7) */
    hail_close(s);
    close(listener);
}

static void refused(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s = (void *)&ctx;
    char expected[100];
    uint16_t port = dead_port(AF_INET);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ECONNREFUSED);
    assert_ptr_equal(s, &ctx);
    snprintf(expected, sizeof expected, "connect to 127.0.0.1:%u: connection refused", port);
    assert_string_equal(ctx.err.msg, expected);
    assert_string_equal(ctx.err.op, "connect");
    assert_int_equal(ctx.err.layer, HAIL_LAYER_CONNECT);
    assert_string_equal(ctx.err.advice, "nothing listens there, or a firewall rejects it");
}

static void what_cannot_be_dialled(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    struct hail_endpoint to = endpoint("udp:127.0.0.1:53");
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -EINVAL);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_USAGE);
    to = endpoint("127.0.0.1");
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -EINVAL);
    assert_non_null(strstr(ctx.err.msg, "port is missing"));
    to = endpoint("127.0.0.1:9");
    struct hail_opts opts = {.family = AF_INET6};
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), -EAFNOSUPPORT);
    assert_non_null(strstr(ctx.err.msg, "not an IPv6 address"));
    to = endpoint("[fe80::1%nosuch0]:9");
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ENODEV);
    assert_non_null(strstr(ctx.err.msg, "nosuch0"));
}

/* --- several addresses --- */

static void the_next_address_is_tried_at_once_when_one_fails(void **state)
{
    (void)state;
    uint16_t port;
    size_t n;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port);
    struct hail_endpoint to = port_endpoint("", port);
    struct hail_opts opts = {.attempt_delay_ms = 4000};
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), 0);
    const struct hail_attempt *a = hail_stream_attempts(s, &n);
    assert_int_equal(n, 2);
    assert_int_equal(a[0].addr.u.sa.sa_family, AF_INET6);
    assert_int_equal(a[0].errnum, ECONNREFUSED);
    assert_int_equal(a[1].addr.u.sa.sa_family, AF_INET);
    assert_int_equal(a[1].errnum, 0);
    assert_true(a[1].start_ns - a[0].start_ns < 2000000000);
    hail_close(s);
    close(listener);
}

static void ipv4_wins_when_ipv6_is_a_black_hole(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    size_t n;
    struct hole h = black_hole();
    int listener = raw_listener_at(h.port);
    if (listener < 0) {
        close_hole(&h);
        skip();
    }
    struct hail_endpoint to = port_endpoint("", h.port);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), 0);
    const struct hail_attempt *a = hail_stream_attempts(s, &n);
    assert_int_equal(n, 2);
    assert_int_equal(a[0].addr.u.sa.sa_family, AF_INET6);
    assert_int_equal(a[0].errnum, ECANCELED);
    assert_int_equal(a[1].errnum, 0);
    assert_true(a[1].start_ns - a[0].start_ns >= 250000000); /* not before RFC 8305 says */
    assert_true(a[1].start_ns < a[0].end_ns);                /* beside each other */
    hail_close(s);
    close(listener);
    close_hole(&h);
}

static void the_deadline_holds_for_all_attempts(void **state)
{
    (void)state;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_stream *s;
    struct hole h = black_hole();
    struct hail_endpoint to = port_endpoint("[::1]", h.port);
    int64_t start = hail_now();
    ctx.by = hail_deadline_in(100);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ETIMEDOUT);
    assert_true(hail_now() >= ctx.by.ns);
    assert_true(hail_now() - start < 3000000000);
    assert_non_null(strstr(ctx.err.msg, "timed out"));
    close_hole(&h);
}

static void cancelling(void **state)
{
    (void)state;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    struct hole h = black_hole();
    struct hail_endpoint to = port_endpoint("[::1]", h.port);
    int cancel[2];
    assert_int_equal(pipe(cancel), 0);
    assert_int_equal(write(cancel[1], "x", 1), 1);
    ctx.cancel_fd = cancel[0];
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ECANCELED);
    assert_non_null(strstr(ctx.err.msg, "cancelled"));
    close(cancel[0]);
    close(cancel[1]);
    close_hole(&h);
}

static void write_hosts(char *path, const char *text)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void more_addresses_than_are_tried(void **state)
{
    (void)state;
    char path[] = "/tmp/hail-test-dial-XXXXXX", text[4096];
    size_t len = 0;
    for (int i = 1; i <= 50; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "127.0.1.%d many.test\n", i);
    write_hosts(path, text);
    struct hail_ctx ctx = soon();
    struct log_trace log = LOG_TRACE;
    ctx.trace = &log.base;
    struct hail_stream *s;
    struct hail_resolve_opts resolve = {.hosts_file = path};
    struct hail_opts opts = {.resolve = &resolve};
    struct hail_endpoint to = port_endpoint("many.test", dead_port(AF_INET));
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), -ECONNREFUSED);
    assert_non_null(strstr(ctx.err.msg, "many.test:"));
    assert_non_null(strstr(ctx.err.msg, "(127.0.1."));
    assert_non_null(strstr(ctx.err.advice, "other addresses tried: 127.0.1."));
    int attempts = 0;
    for (const char *p = log.text; (p = strstr(p, "DONE attempt 111")); p++)
        attempts++;
    assert_int_equal(attempts, HAIL_ATTEMPTS_MAX);
    unlink(path);
}

/* In a network namespace without routes, what is not on loopback is unreachable. */
static int dial_without_routes(void)
{
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return 77;
    char path[] = "/tmp/hail-test-dial-XXXXXX";
    write_hosts(path, "192.0.2.1 far.test\n2001:db8::1 far.test\n");
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    struct hail_resolve_opts resolve = {.hosts_file = path};
    struct hail_opts opts = {.resolve = &resolve};
    struct hail_endpoint far = endpoint("192.0.2.1:80"), both = endpoint("far.test:80");
    int rc = hail_dial(&ctx, &far, NULL, &s);
    bool right = rc == -ENETUNREACH &&
                 strcmp(ctx.err.msg, "connect to 192.0.2.1:80: network is unreachable") == 0 &&
                 strcmp(ctx.err.advice, "this machine has no route there") == 0;
    rc = hail_dial(&ctx, &both, &opts, &s);
    right = right && rc < 0 && strstr(ctx.err.advice, "other addresses tried: ");
    unlink(path);
    return right ? 0 : 1;
}

static void unreachable(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(dial_without_routes());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* no network namespace may be made here */
    assert_int_equal(status, 0);
}

/* --- resets --- */

static void reset_during_connect(void **state)
{
    (void)state;
    uint16_t port;
    char buf[8];
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    hook_listener = listener;
    hook_text = "";
    int rc = hail_dial(&ctx, &to, NULL, &s);
    assert_int_equal(rc, -ECONNRESET);
    assert_non_null(strstr(ctx.err.msg, "connection reset by peer"));

    hook_text = "busy"; /* what was said ahead of the reset is not lost */
    rc = hail_dial(&ctx, &to, NULL, &s);
    hook_listener = -1;
    assert_int_equal(rc, 0);
    assert_int_equal(hail_read(&ctx, s, buf, sizeof buf), 4);
    assert_memory_equal(buf, "busy", 4);
    assert_int_equal(hail_read(&ctx, s, buf, sizeof buf), -ECONNRESET);
    hail_close(s);
    close(listener);
}

/* --- the local side --- */

static void the_local_address_and_port_are_bound(void **state)
{
    (void)state;
    uint16_t port, port2, mine = dead_port(AF_INET);
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port), listener2 = raw_listener(AF_INET, &port2);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    struct hail_endpoint to2 = port_endpoint("127.0.0.1", port2);
    struct hail_endpoint from = port_endpoint("127.0.0.2", mine), local;
    struct hail_opts opts = {.from = &from};
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), 0);
    local = hail_local(s);
    assert_true(hail_endpoint_equal(&local, &from));
    hail_close(s); /* our port is now in FIN_WAIT or TIME_WAIT, and is bound again all the same */
    assert_int_equal(hail_dial(&ctx, &to2, &opts, &s), 0);
    hail_close(s);

    from = endpoint("127.0.0.3:0");
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), 0);
    local = hail_local(s);
    assert_string_equal(local.host, "127.0.0.3");
    hail_close(s);

    from = endpoint("[::1]:0");
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), -EAFNOSUPPORT);
    from = endpoint("192.0.2.77:0");
    assert_int_equal(hail_dial(&ctx, &to, &opts, &s), -EADDRNOTAVAIL);
    assert_non_null(strstr(ctx.err.msg, "bind to 192.0.2.77:0 for connect to 127.0.0.1:"));
    close(listener);
    close(listener2);
}

static void out_of_descriptors(void **state)
{
    (void)state;
    struct rlimit limit, none;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    struct hail_endpoint to = endpoint("127.0.0.1:9");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int rc = hail_dial(&ctx, &to, NULL, &s);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(rc, -EMFILE);
    assert_int_equal(ctx.err.layer, HAIL_LAYER_LOCAL);
    assert_non_null(strstr(ctx.err.advice, "ulimit"));
}

static int dial_once(const void *arg)
{
    struct hail_ctx ctx = soon();
    struct hail_stream *s = NULL;
    struct hail_endpoint from = endpoint("127.0.0.1:0");
    struct hail_opts opts = {.from = &from, .keepalive_s = 1, .sndbuf = 9999};
    int rc = hail_dial(&ctx, arg, &opts, &s);
    assert_true(rc < 0 ? s == NULL && ctx.err.msg[0] : s != NULL);
    hail_close(s);
    return rc;
}

static void each_system_call_fails(void **state)
{
    (void)state;
    uint16_t port;
    int listener = raw_listener(AF_INET, &port);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    each_call_fails(dial_once, &to);
    close(listener);
}

/* --- Unix --- */

static void *accept_later(void *arg)
{
    usleep(30000);
    int fd = accept(*(int *)arg, NULL, NULL);
    close(fd);
    return NULL;
}

static void unix_sockets(void **state)
{
    (void)state;
    char dir[] = "/tmp/hail-test-dial-XXXXXX", text[100];
    assert_non_null(mkdtemp(dir));
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/s", dir);
    snprintf(text, sizeof text, "unix:%s/s", dir);
    struct hail_endpoint to = endpoint(text), peer;
    struct hail_ctx ctx = soon();
    struct hail_stream *s, *s2;
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ENOENT);

    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), -ECONNREFUSED);
    assert_non_null(strstr(ctx.err.advice, "nothing listens on it"));
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), 0);
    peer = hail_peer(s);
    assert_true(hail_endpoint_equal(&peer, &to));

    ctx.by = hail_deadline_in(60); /* the queue is full */
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s2), -ETIMEDOUT);
    ctx = soon();
    pthread_t thread;
    pthread_create(&thread, NULL, accept_later, &listener);
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s2), 0);
    pthread_join(thread, NULL);
    hail_close(s);
    hail_close(s2);
    close(listener);
    unlink(at.sun_path);
    rmdir(dir);
}

/* --- the trace --- */

static void the_trace_shows_every_attempt(void **state)
{
    (void)state;
    uint16_t port;
    struct log_trace log = LOG_TRACE;
    struct hail_ctx ctx = soon();
    struct hail_stream *s;
    int listener = raw_listener(AF_INET, &port);
    struct hail_endpoint to = port_endpoint("127.0.0.1", port);
    ctx.trace = &log.base;
    assert_int_equal(hail_dial(&ctx, &to, NULL, &s), 0);
    hail_close(s);
    assert_string_equal(log.text, "1/0 START dial\n"
                                  "2/1 START attempt\n"
                                  "2/1 DONE attempt 0 connected\n"
                                  "1/0 DONE dial 0 connected\n"
                                  "3/0 START stream\n"
                                  "3/0 DONE stream 0 closed here (FIN)\n");
    assert_int_equal(ctx.span, 0);
    close(listener);
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
        TEST(numeric_address),
        TEST(options_are_set),
        TEST(refused),
        TEST(what_cannot_be_dialled),
        TEST(the_next_address_is_tried_at_once_when_one_fails),
        TEST(ipv4_wins_when_ipv6_is_a_black_hole),
        TEST(the_deadline_holds_for_all_attempts),
        TEST(cancelling),
        TEST(more_addresses_than_are_tried),
        TEST(unreachable),
        TEST(reset_during_connect),
        TEST(the_local_address_and_port_are_bound),
        TEST(out_of_descriptors),
        TEST(each_system_call_fails),
        TEST(unix_sockets),
        TEST(the_trace_shows_every_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
