/* test_socket.c - the plain socket abstraction, in the order in which Python's is used. */
#include <hail/hail.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void talk(int family, const char *host)
{
    struct hail_socket *s = hail_socket(family, SOCK_STREAM), *c = hail_socket(family, SOCK_STREAM);
    char buf[64];
    assert_int_equal(hail_socket_bind(s, host, 0), 0);
    assert_int_equal(hail_socket_listen(s, 5), 0);
    uint16_t port = hail_socket_getsockname(s).port;
    assert_int_equal(hail_socket_connect(c, host, port), 0);
    struct hail_socket *peer = hail_socket_accept(s);
    assert_non_null(peer);
    struct hail_endpoint a = hail_socket_getsockname(c), b = hail_socket_getpeername(peer);
    assert_true(family == AF_UNIX || hail_endpoint_equal(&a, &b));
    assert_int_equal(hail_socket_sendall(c, "hello", 5), 0);
    assert_int_equal(hail_socket_recv(peer, buf, sizeof buf), 5);
    assert_memory_equal(buf, "hello", 5);
    assert_int_equal(hail_socket_shutdown(c), 0);
    assert_int_equal(hail_socket_recv(peer, buf, sizeof buf), 0);
    assert_int_equal(hail_socket_send(peer, "bye", 3), 3);
    hail_socket_close(peer);
    assert_int_equal(hail_socket_recv(c, buf, 2), 2);
    assert_int_equal(hail_socket_recv(c, buf, sizeof buf), 1);
    assert_int_equal(hail_socket_recv(c, buf, sizeof buf), 0);
    assert_true(hail_socket_fileno(c) >= 0);
    hail_socket_close(c);
    hail_socket_close(s);
    hail_socket_close(NULL);
}

static void test_streams(void **state)
{
    (void)state;
    char dir[] = "/tmp/hail-socket-XXXXXX", path[64];
    talk(AF_INET, "127.0.0.1");
    talk(AF_INET6, "::1");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    talk(AF_UNIX, path);
    assert_int_equal(rmdir(dir), 0); /* the socket's file is gone */
    talk(AF_UNIX, "@hail-test-socket");
}

static void test_datagrams(void **state)
{
    (void)state;
    struct hail_socket *a = hail_socket(AF_INET, SOCK_DGRAM), *b = hail_socket(AF_INET, SOCK_DGRAM);
    char buf[64], host[64];
    uint16_t port;
    assert_int_equal(hail_socket_bind(a, "127.0.0.1", 0), 0);
    uint16_t at = hail_socket_getsockname(a).port;
    assert_int_equal(hail_socket_sendto(b, "one", 3, "127.0.0.1", at), 3);
    assert_int_equal(hail_socket_recvfrom(a, buf, sizeof buf, host, sizeof host, &port), 3);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, hail_socket_getsockname(b).port);
    assert_int_equal(hail_socket_sendto(a, "two", 3, host, port), 3);
    assert_int_equal(hail_socket_connect(b, "127.0.0.1", at), 0);
    assert_int_equal(hail_socket_send(b, "three", 5), 5);
    assert_int_equal(hail_socket_recvfrom(a, buf, 2, NULL, 0, NULL), 2); /* the rest is lost */
    hail_socket_close(a);
    hail_socket_close(b);
}

static void test_errors(void **state)
{
    (void)state;
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM),
                       *c = hail_socket(AF_INET, SOCK_STREAM);
    char byte;
    assert_string_equal(hail_socket_error(s), "");
    assert_null(hail_socket(AF_PACKET, SOCK_STREAM));
    assert_null(hail_socket(AF_INET, SOCK_RAW));
    assert_true(hail_socket_recv(c, &byte, 1) < 0); /* not connected */
    assert_int_equal(hail_socket_bind(s, "127.0.0.1", 0), 0);
    uint16_t port = hail_socket_getsockname(s).port;
    assert_int_equal(hail_socket_connect(c, "127.0.0.1", port), -ECONNREFUSED); /* only bound */
    assert_non_null(strstr(hail_socket_error(c), "connection refused"));
    assert_int_equal(hail_socket_listen(s, 1), 0);
    assert_int_equal(hail_socket_connect(c, "127.0.0.1", port), 0);
    hail_socket_settimeout(c, 0.02);
    assert_int_equal(hail_socket_recv(c, &byte, 1), -ETIMEDOUT);
    hail_socket_settimeout(s, 0.02);
    struct hail_socket *peer = hail_socket_accept(s);
    assert_non_null(peer);
    assert_null(hail_socket_accept(s));
    assert_non_null(strstr(hail_socket_error(s), "timed out"));
    hail_socket_close(peer);
    hail_socket_close(c);
    hail_socket_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
