/* tcp-server.c - sends back what it receives, one connection after another: tcp-server [PORT]
 *
 * Without a port the system picks one; the first line of output tells it.
 */
#include <hail/hail.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct hail_socket *peer, *s = hail_socket(AF_INET6, SOCK_STREAM);
    if (hail_socket_bind(s, NULL, argc > 1 ? atoi(argv[1]) : 0) < 0 ||
        hail_socket_listen(s, 5) < 0) {
        fprintf(stderr, "%s\n", hail_socket_error(s));
        return 1;
    }
    printf("listening on port %u\n", hail_socket_getsockname(s).port);
    fflush(stdout);
    while ((peer = hail_socket_accept(s))) {
        char buf[4096];
        ssize_t n;
        while ((n = hail_socket_recv(peer, buf, sizeof buf)) > 0)
            if (hail_socket_sendall(peer, buf, n) < 0)
                break;
        hail_socket_close(peer);
    }
    fprintf(stderr, "%s\n", hail_socket_error(s));
    hail_socket_close(s);
    return 1;
}
