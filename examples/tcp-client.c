/* tcp-client.c - fetches a page over a plain socket: tcp-client [HOST [PORT]] */
#include <hail/hail.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    char page[4096];
    ssize_t n = -1;
    struct hail_socket *s = hail_socket(AF_INET, SOCK_STREAM);
    if (!hail_socket_connect(s, argc > 1 ? argv[1] : "localhost", argc > 2 ? atoi(argv[2]) : 80) &&
        !hail_socket_sendall(s, "GET /index.html HTTP/1.0\r\n\r\n", 28))
        while ((n = hail_socket_recv(s, page, sizeof page)) > 0)
            fwrite(page, 1, n, stdout);
    if (n < 0)
        fprintf(stderr, "%s\n", hail_socket_error(s));
    hail_socket_close(s);
    return n < 0;
}
