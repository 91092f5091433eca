/* pace.c - requests at a constant rate, whatever the server makes of it: latency from when each was
 * due, so that waiting in line counts.
 *
 *   pace PORT PATH CONNECTIONS RATE SECONDS
 *
 * Prints requests, median and 99th percentile in microseconds.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 1024
#define BUCKETS     200000 /* of 5 microseconds */

struct client {
    int fd;
    int64_t due; /* of the request under way; 0: none */
    size_t left; /* bytes of the response */
    bool body;   /* its head was read */
};

static struct client clients[CONNECTIONS];
static uint32_t histogram[BUCKETS];
static char request[4096];

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void dial(struct client *c, int port, int epoll)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Reads on. True: the response is whole. */
static bool take(struct client *c)
{
    char buf[65536];
    ssize_t n = recv(c->fd, buf, sizeof buf - 1, MSG_DONTWAIT);
    size_t got = n > 0 ? (size_t)n : 0;
    if (n == 0)
        die("the server ended a connection");
    if (!c->body && got) {
        buf[got] = '\0';
        char *end = strstr(buf, "\r\n\r\n"), *length = strcasestr(buf, "content-length:");
        if (!end || !length)
            die("no head");
        c->body = true;
        c->left = strtoul(length + 15, NULL, 10);
        got -= (size_t)(end + 4 - buf);
    }
    c->left -= got < c->left ? got : c->left;
    return c->body && c->left == 0;
}

static void note(struct client *c)
{
    int64_t bucket = (now() - c->due) / 5000;
    histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    c->due = 0;
    c->body = false;
}

static void print(uint64_t count)
{
    uint64_t sum = 0, median = 0;
    for (int i = 0; i < BUCKETS; i++) {
        sum += histogram[i];
        if (!median && sum * 2 >= count)
            median = (uint64_t)i * 5 + 5;
        if (sum * 100 >= count * 99) {
            printf("%llu %llu %d\n", (unsigned long long)count, (unsigned long long)median,
                   i * 5 + 5);
            return;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    int count = atoi(argv[3]), epoll = epoll_create1(EPOLL_CLOEXEC);
    double rate = atof(argv[4]), seconds = atof(argv[5]);
    size_t n = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n",
                                argv[2]);
    struct epoll_event events[256];
    if (count < 1 || count > CONNECTIONS)
        return 2;
    for (int i = 0; i < count; i++)
        dial(&clients[i], atoi(argv[1]), epoll);
    int64_t start = now(), gap = (int64_t)(1e9 / rate), due = start,
            end = start + (int64_t)(seconds * 1e9);
    uint64_t done = 0;
    int next = 0, busy = 0;
    while (due < end || busy) {
        while (due < end && due <= now() && busy < count) {
            while (clients[next].due)
                next = (next + 1) % count;
            clients[next].due = due;
            if (send(clients[next].fd, request, n, MSG_NOSIGNAL) != (ssize_t)n)
                die("send");
            busy++;
            due += gap;
        }
        int ready = epoll_wait(epoll, events, 256, 0);
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            if (c->due && take(c)) {
                note(c);
                done++;
                busy--;
            }
        }
        if (now() > end + 10000000000)
            die("the server does not keep up");
    }
    print(done);
    return 0;
}
