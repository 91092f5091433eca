/* udp-server.c - sends every datagram back to where it came from: udp-server [PORT]
 *
 * Without a port the system picks one; the first line of output tells it.
 */
#include <hail/hail.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char data[HAIL_DATAGRAM_MAX], host[64];
    uint16_t port;
    ssize_t n;
    struct hail_socket *s = hail_socket(AF_INET, SOCK_DGRAM);
    if (hail_socket_bind(s, NULL, argc > 1 ? atoi(argv[1]) : 0) == 0) {
        printf("waiting on port %u\n", hail_socket_getsockname(s).port);
        fflush(stdout);
        while ((n = hail_socket_recvfrom(s, data, sizeof data, host, sizeof host, &port)) >= 0)
            hail_socket_sendto(s, data, n, host, port);
    }
    fprintf(stderr, "%s\n", hail_socket_error(s));
    hail_socket_close(s);
    return 1;
}
