/* test_socket_peers.c - the plain socket abstraction with bare sockets at the other end: misuse,
 * time-outs, what is cut, what is refused. Its ordinary use is in test_socket.c.
 */
#include "peer.h"

#include <sys/stat.h>

static void a_client(void **state)
{
    (void)state;
    uint16_t port;
    char buf[16];
    int listener = raw_listener(AF_INET, &port);
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    assert_non_null(s);
    assert_int_equal(hail_socket_fileno(s), -1);
    assert_string_equal(hail_socket_error(s), "");
    assert_int_equal(hail_socket_send(s, "x", 1), -ENOTCONN);
    assert_int_equal(hail_socket_recv(s, buf, 1), -ENOTCONN);
    assert_int_equal(hail_socket_shutdown(s), -ENOTCONN);
    assert_string_not_equal(hail_socket_error(s), "");
    assert_int_equal(hail_socket_connect(s, "localhost", port), 0);
    assert_string_equal(hail_socket_error(s), "");
    assert_int_equal(hail_socket_connect(s, "localhost", port), -EISCONN);

    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int peer = accept(listener, (struct sockaddr *)&from, &len);
    assert_int_equal(hail_socket_getsockname(s).port, ntohs(from.sin_port));
    assert_int_equal(hail_socket_getpeername(s).port, port);
    assert_string_equal(hail_socket_getpeername(s).host, "127.0.0.1");
    assert_int_equal(hail_socket_sendall(s, "question", 8), 0);
    assert_int_equal(hail_socket_send(s, "!", 1), 1);
    assert_int_equal(hail_socket_shutdown(s), 0);
    assert_int_equal(recv(peer, buf, 9, MSG_WAITALL), 9);
    assert_memory_equal(buf, "question!", 9);
    assert_int_equal(recv(peer, buf, 1, 0), 0);
    assert_int_equal(send(peer, "answer", 6, 0), 6);
    assert_int_equal(hail_socket_recv(s, buf, sizeof buf), 6);
    close(peer);
    assert_int_equal(hail_socket_recv(s, buf, sizeof buf), 0);
    hail_socket_close(s);
    hail_socket_close(NULL);
    close(listener);
}

static void refused_and_tried_again(void **state)
{
    (void)state;
    uint16_t dead = dead_port(AF_INET), port;
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(hail_socket_connect(s, "127.0.0.1", dead), -ECONNREFUSED);
    assert_non_null(strstr(hail_socket_error(s), "connection refused"));
    assert_int_equal(hail_socket_connect(s, "::1", dead), -EAFNOSUPPORT);
    assert_int_equal(hail_socket_connect(s, "no host", dead), -EINVAL);
    int listener = raw_listener(AF_INET, &port);
    assert_int_equal(hail_socket_connect(s, "127.0.0.1", port), 0);
    hail_socket_close(s);
    close(listener);
}

static void a_server(void **state)
{
    (void)state;
    char buf[8], host[64];
    uint16_t from;
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    assert_null(hail_socket_accept(s));
    assert_int_equal(errno, EINVAL); /* not listening */
    assert_int_equal(hail_socket_bind(s, "127.0.0.1", 0), 0);
    uint16_t port = hail_socket_getsockname(s).port; /* known from bind on, as in Python */
    assert_true(port != 0);
    assert_int_equal(hail_socket_bind(s, "127.0.0.1", 0), -EINVAL);
    assert_int_equal(raw_connect(AF_INET, port), -1);
    assert_int_equal(hail_socket_listen(s, 5), 0);
    assert_int_equal(hail_socket_connect(s, "127.0.0.1", port), -EISCONN);

    hail_socket_settimeout(s, 0);
    assert_null(hail_socket_accept(s));
    assert_int_equal(errno, EAGAIN);
    hail_socket_settimeout(s, 5.0);
    int client = raw_connect(AF_INET, port);
    struct hail_socket *peer = hail_socket_accept(s);
    assert_non_null(peer);
    assert_int_equal(send(client, "hi", 2, 0), 2);
    assert_int_equal(hail_socket_recvfrom(peer, buf, sizeof buf, host, sizeof host, &from), 2);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(from, hail_socket_getpeername(peer).port);
    hail_socket_close(peer);
    close(client);
    hail_socket_close(s);
}

static void the_ipv6_wildcard_takes_both(void **state)
{
    (void)state;
    struct hail_socket *s = hail_socket(AF_INET6, SOCK_STREAM);
    assert_int_equal(hail_socket_listen(s, 5), 0); /* unbound: the system picks */
    uint16_t port = hail_socket_getsockname(s).port;
    int four = raw_connect(AF_INET, port), six = raw_connect(AF_INET6, port);
    assert_true(four >= 0 && six >= 0);
    close(four);
    close(six);
    hail_socket_close(s);
}

static void a_client_with_a_port_of_its_own(void **state)
{
    (void)state;
    uint16_t port;
    int listener = raw_listener(AF_INET, &port);
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(hail_socket_bind(s, "127.0.0.5", 0), 0);
    uint16_t mine = hail_socket_getsockname(s).port;
    assert_int_equal(hail_socket_connect(s, "127.0.0.1", port), 0);
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int peer = accept(listener, (struct sockaddr *)&from, &len);
    assert_int_equal(ntohs(from.sin_port), mine);
    assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000005);
    close(peer);
    hail_socket_close(s);
    close(listener);
}

static void timeouts(void **state)
{
    (void)state;
    uint16_t port;
    char byte;
    static char much[1 << 22];
    int listener = raw_listener(AF_INET, &port);
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    assert_int_equal(hail_socket_connect(s, NULL, port), 0); /* "" dials the loopback */
    hail_socket_settimeout(s, 0.02);
    assert_int_equal(hail_socket_recv(s, &byte, 1), -ETIMEDOUT);
    assert_non_null(strstr(hail_socket_error(s), "timed out"));
    hail_socket_settimeout(s, 0);
    assert_int_equal(hail_socket_recv(s, &byte, 1), -EAGAIN);
    ssize_t n = hail_socket_send(s, much, sizeof much); /* what there is room for */
    assert_true(n > 0 && n < (ssize_t)sizeof much);
    hail_socket_settimeout(s, 0.02);
    assert_int_equal(hail_socket_sendall(s, much, sizeof much), -ETIMEDOUT);
    hail_socket_close(s);
    close(listener);
}

static void datagrams(void **state)
{
    (void)state;
    char buf[8], host[64];
    uint16_t port;
    struct hail_socket *a = hail_socket(AF_INET, SOCK_DGRAM), *b = hail_socket(AF_INET, SOCK_DGRAM);
    assert_int_equal(hail_socket_bind(a, "127.0.0.1", 0), 0);
    uint16_t at = hail_socket_getsockname(a).port;
    hail_socket_settimeout(a, 5);
    hail_socket_settimeout(b, 5);
    assert_int_equal(hail_socket_listen(a, 1), -EOPNOTSUPP);
    assert_int_equal(hail_socket_send(b, "x", 1), -ENOTCONN);
    assert_int_equal(hail_socket_sendto(b, "by name", 7, "localhost", at), 7);
    assert_int_equal(hail_socket_recvfrom(a, buf, sizeof buf, host, sizeof host, &port), 7);
    assert_memory_equal(buf, "by name", 7);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(hail_socket_sendto(a, "", 0, host, port), 0);
    assert_int_equal(hail_socket_recv(b, buf, sizeof buf), 0); /* an empty datagram is one */

    assert_int_equal(hail_socket_connect(b, "127.0.0.1", at), 0);
    assert_int_equal(hail_socket_getpeername(b).port, at);
    assert_int_equal(hail_socket_send(b, "longer than that", 16), 16);
    assert_int_equal(hail_socket_recv(a, buf, sizeof buf), sizeof buf); /* the rest is cut */
    assert_memory_equal(buf, "longer t", 8);
    hail_socket_settimeout(a, 0);
    assert_int_equal(hail_socket_recv(a, buf, sizeof buf), -EAGAIN);
    hail_socket_close(a);
    assert_int_equal(hail_socket_send(b, "x", 1), 1);
    assert_int_equal(hail_socket_recv(b, buf, sizeof buf), -ECONNREFUSED);
    hail_socket_close(b);
}

/* A bound datagram socket keeps its address when it is connected. */
static void a_bound_datagram_socket_is_connected(void **state)
{
    (void)state;
    char buf[8];
    uint16_t port;
    struct hail_socket *a = hail_socket(AF_INET, SOCK_DGRAM), *b = hail_socket(AF_INET, SOCK_DGRAM);
    assert_int_equal(hail_socket_bind(a, "127.0.0.1", 0), 0);
    assert_int_equal(hail_socket_bind(b, "127.0.0.1", 0), 0);
    uint16_t mine = hail_socket_getsockname(b).port;
    assert_int_equal(hail_socket_connect(b, "127.0.0.1", hail_socket_getsockname(a).port), 0);
    assert_int_equal(hail_socket_getsockname(b).port, mine);
    assert_int_equal(hail_socket_sendall(b, "x", 1), 0);
    assert_int_equal(hail_socket_recvfrom(a, buf, sizeof buf, NULL, 0, &port), 1);
    assert_int_equal(port, mine);
    hail_socket_close(a);
    hail_socket_close(b);
}

static void unix_sockets(void **state)
{
    (void)state;
    char dir[] = "/tmp/hail-test-socket-XXXXXX", path[64], other[64], buf[8], host[108];
    struct stat st;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(other, sizeof other, "@hail-test-socket-%d", getpid());
    struct hail_socket *l = hail_socket(AF_UNIX, SOCK_STREAM),
                       *c = hail_socket(AF_UNIX, SOCK_STREAM);
    assert_int_equal(hail_socket_bind(l, path, 0), 0);
    assert_int_equal(hail_socket_listen(l, 1), 0);
    assert_int_equal(hail_socket_connect(c, path, 0), 0);
    struct hail_socket *peer = hail_socket_accept(l);
    assert_non_null(peer);
    assert_int_equal(hail_socket_sendall(c, "hi", 2), 0);
    assert_int_equal(hail_socket_recv(peer, buf, sizeof buf), 2);
    hail_socket_close(peer);
    hail_socket_close(c);
    hail_socket_close(l);
    assert_int_equal(stat(path, &st), -1);

    struct hail_socket *a = hail_socket(AF_UNIX, SOCK_DGRAM), *b = hail_socket(AF_UNIX, SOCK_DGRAM);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(hail_socket_bind(a, path, 0), 0);
    assert_int_equal(hail_socket_bind(b, other, 0), 0);
    assert_int_equal(hail_socket_sendto(b, "dgram", 5, path, 0), 5);
    assert_int_equal(hail_socket_recvfrom(a, buf, sizeof buf, host, sizeof host, NULL), 5);
    assert_string_equal(host, other); /* as sendto takes it */
    assert_int_equal(hail_socket_sendto(a, "back", 4, host, 0), 4);
    assert_int_equal(hail_socket_recv(b, buf, sizeof buf), 4);
    hail_socket_close(a);
    hail_socket_close(b);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static void what_is_no_socket(void **state)
{
    (void)state;
    errno = 0;
    assert_null(hail_socket(AF_PACKET, SOCK_STREAM));
    assert_int_equal(errno, EAFNOSUPPORT);
    assert_null(hail_socket(AF_INET, SOCK_RAW));
    assert_int_equal(errno, EPROTONOSUPPORT);
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
        TEST(a_client),
        TEST(refused_and_tried_again),
        TEST(a_server),
        TEST(the_ipv6_wildcard_takes_both),
        TEST(a_client_with_a_port_of_its_own),
        TEST(timeouts),
        TEST(datagrams),
        TEST(a_bound_datagram_socket_is_connected),
        TEST(unix_sockets),
        TEST(what_is_no_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
