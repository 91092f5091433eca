/* responder.c - the least that can answer HTTP requests, as a floor for `hail serve`: it parses
 * nothing, and looks for ends of heads only.
 *
 *   responder [FILE]   answers each head with 612 bytes from memory; with FILE by sendfile(2), head
 *                      and content joined by TCP_CORK. Prints its port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENT 612
#define MOST    65536

static char answers[MOST];
static size_t one, most;
static int file = -1;
static off_t size;

/* What is left of the file for each connection, by descriptor. */
static off_t left[1 << 16];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void prepare(const char *path)
{
    struct stat st;
    if (path) {
        file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || fstat(file, &st) < 0)
            die(path);
        size = st.st_size;
    }
    int n = snprintf(answers, sizeof answers,
                     "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                     "Content-Type: text/html\r\nContent-Length: %lld\r\n\r\n",
                     path ? (long long)size : CONTENT);
    one = (size_t)n;
    most = 1;
    if (path)
        return;
    memset(answers + n, 'x', CONTENT);
    one += CONTENT;
    for (most = 1; (most + 1) * one <= sizeof answers; most++)
        memcpy(answers + most * one, answers, one);
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&at, len) < 0 || listen(s, 4096) < 0 ||
        getsockname(s, (struct sockaddr *)&at, &len) < 0)
        die("listen");
    printf("http://127.0.0.1:%d/\n", ntohs(at.sin_port));
    fflush(stdout);
    return s;
}

/* Heads in the bytes; a head in two reads is not known here, nor needed. */
static size_t heads(const char *p, size_t n)
{
    size_t count = 0;
    for (const char *at = p; (at = memmem(at, n - (size_t)(at - p), "\r\n\r\n", 4)) != NULL;
         at += 4)
        count++;
    return count;
}

static void cork(int fd, int on)
{
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

static void send_rest(int epoll, int fd)
{
    struct epoll_event e = {.data.fd = fd};
    while (left[fd] > 0) {
        off_t at = size - left[fd];
        ssize_t n = sendfile(fd, file, &at, (size_t)left[fd]);
        if (n <= 0)
            break;
        left[fd] -= n;
    }
    if (left[fd] == 0)
        cork(fd, 0);
    e.events = left[fd] ? EPOLLOUT : EPOLLIN;
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e);
}

static void answer(int epoll, int fd)
{
    char in[16384];
    ssize_t n = read(fd, in, sizeof in);
    size_t count = n > 0 ? heads(in, (size_t)n) : 0;
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(fd);
        return;
    }
    if (count && file >= 0) {
        cork(fd, 1);
        left[fd] = size;
        if (write(fd, answers, one) > 0)
            send_rest(epoll, fd);
        return;
    }
    if (count && write(fd, answers, (count < most ? count : most) * one) < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[256], e = {.events = EPOLLIN};
    prepare(argc > 1 ? argv[1] : NULL);
    signal(SIGPIPE, SIG_IGN);
    int epoll = epoll_create1(EPOLL_CLOEXEC), door = listen_somewhere();
    e.data.fd = door;
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, door, &e) < 0)
        die("epoll");
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd, on = 1;
            if (fd != door && left[fd] > 0) {
                send_rest(epoll, fd);
            } else if (fd != door) {
                answer(epoll, fd);
            } else if ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                e.data.fd = fd;
                left[fd] = 0;
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
            }
        }
    }
}
