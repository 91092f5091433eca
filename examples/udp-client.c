/* udp-client.c - sends one datagram and prints the answer: udp-client HOST PORT [TEXT] */
#include <hail/hail.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char answer[HAIL_DATAGRAM_MAX];
    const char *text = argc > 3 ? argv[3] : "hello";
    struct hail_socket *s = hail_socket(AF_INET, SOCK_DGRAM);
    ssize_t n = -1;
    hail_socket_settimeout(s, 2.0);
    if (argc > 2 && hail_socket_connect(s, argv[1], atoi(argv[2])) == 0 &&
        hail_socket_send(s, text, strlen(text)) >= 0)
        n = hail_socket_recv(s, answer, sizeof answer);
    if (n >= 0)
        printf("%.*s\n", (int)n, answer);
    else
        fprintf(stderr, "%s\n", argc > 2 ? hail_socket_error(s) : "udp-client HOST PORT [TEXT]");
    hail_socket_close(s);
    return n < 0;
}
