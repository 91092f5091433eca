/* pipe.c - what nc's benchmarks need beside the tools: a fast producer, the bare loops of system
 * calls that are the floor, and clients that only stay connected.
 *
 *   pipe produce BYTES CHUNK      writes BYTES to standard output, CHUNK at a time
 *   pipe splice-send PORT         standard input (a pipe) to 127.0.0.1:PORT
 *   pipe sendfile PORT            standard input (a file) to 127.0.0.1:PORT
 *   pipe splice-receive PORT      one connection to standard output
 *   pipe splice-relay PORT TO     one connection passed on to 127.0.0.1:TO, both ways, in two
 * threads pipe idle PORT COUNT          COUNT connections, then "ready", until standard input ends
 *
 * Everything is on loopback; a failure ends the program with status 1 and a line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void die(const char *what)
{
    fprintf(stderr, "pipe: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int dial(const char *port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("connect");
    return fd;
}

static int listen_at(const char *port)
{
    struct sockaddr_in at = loopback(port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 64) < 0)
        die("listen");
    return fd;
}

static int take_one(int listener)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        die("accept");
    return fd;
}

static void produce(size_t bytes, size_t chunk)
{
    char *p = malloc(chunk);
    if (!p)
        die("malloc");
    memset(p, 'x', chunk);
    while (bytes > 0) {
        ssize_t n = write(STDOUT_FILENO, p, bytes < chunk ? bytes : chunk);
        if (n <= 0)
            die("write");
        bytes -= (size_t)n;
    }
    free(p);
}

/* From one descriptor to another, of which one is a pipe. */
static void splice_all(int from, int to)
{
    ssize_t n;
    while ((n = splice(from, NULL, to, NULL, MIB, SPLICE_F_MOVE)) > 0)
        ;
    if (n < 0)
        die("splice");
}

/* From one socket to another, or to a file, through a pipe, until either fails. */
static void splice_through(int from, int to)
{
    int p[2];
    ssize_t n, m = 1;
    if (pipe(p) < 0)
        die("pipe");
    (void)fcntl(p[1], F_SETPIPE_SZ, (int)MIB);
    while (m > 0 && (n = splice(from, NULL, p[1], NULL, MIB, SPLICE_F_MOVE)) > 0)
        for (ssize_t left = n; left > 0; left -= m)
            if ((m = splice(p[0], NULL, to, NULL, (size_t)left, SPLICE_F_MOVE)) <= 0)
                break;
    shutdown(to, SHUT_WR);
    shutdown(from, SHUT_RD);
}

struct pair {
    int from, to;
};

static void *one_way(void *arg)
{
    const struct pair *p = arg;
    splice_through(p->from, p->to);
    return NULL;
}

static void relay(const char *port, const char *target)
{
    int listener = listen_at(port);
    for (;;) {
        int client = take_one(listener), server = dial(target);
        static struct pair ways[64];
        static int n;
        pthread_t thread;
        if (n == 64)
            exit(1);
        ways[n] = (struct pair){client, server};
        ways[n + 1] = (struct pair){server, client};
        for (int i = 0; i < 2; i++)
            if (pthread_create(&thread, NULL, one_way, &ways[n++]))
                die("thread");
    }
}

static void stay(const char *port, int count)
{
    char c;
    for (int i = 0; i < count; i++)
        dial(port);
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        ;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(what, "produce") == 0 && argc == 4) {
        produce(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    } else if (strcmp(what, "splice-send") == 0) {
        (void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, (int)MIB);
        splice_all(STDIN_FILENO, dial(argv[2]));
    } else if (strcmp(what, "sendfile") == 0) {
        int fd = dial(argv[2]);
        ssize_t n;
        while ((n = sendfile(fd, STDIN_FILENO, NULL, (size_t)1 << 26)) > 0)
            ;
        if (n < 0)
            die("sendfile");
    } else if (strcmp(what, "splice-receive") == 0) {
        splice_through(take_one(listen_at(argv[2])), STDOUT_FILENO);
    } else if (strcmp(what, "splice-relay") == 0 && argc == 4) {
        relay(argv[2], argv[3]);
    } else if (strcmp(what, "idle") == 0 && argc == 4) {
        stay(argv[2], atoi(argv[3]));
    } else {
        fprintf(stderr, "usage: pipe produce|splice-send|sendfile|splice-receive|splice-relay|idle "
                        "ARGUMENT...\n");
        return 1;
    }
    return 0;
}
