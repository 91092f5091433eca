/* nc_udp.c - how many datagrams a second a program passes on, from its standard input to UDP and
 * from UDP to its standard output, where one read and one write is one datagram.
 *
 *   nc_udp out  SIZE MS PORT PROGRAM [ARG...]                  feeder ==pipe==> program --UDP-->
 * counter nc_udp in   SIZE MS PORT PROGRAM [ARG...]                  sender --UDP--> program
 * ==pipe==> counter nc_udp pair SIZE MS PORT SENDER [ARG...] :: RECEIVER [ARG...]   feeder =>
 * sender -> receiver => counter nc_udp bare SIZE MS PORT                                   send(2)
 * in a loop, recv(2) in a loop
 *
 * The pipes are in packet mode (pipe(2), O_DIRECT). It prints, a second from the first to the last
 * that arrived: datagrams, those of them that were whole, as they had been given, and the bytes'
 * worth of them (a program that joins datagrams sends fewer); then how many arrived and were given.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 300 /* nothing more arrived for so long: that was the last */
#define RCVBUF   (32 << 20)
#define BURST    16 /* datagrams in one call of a sender that shall not be the limit */

extern char **environ;

struct run {
    size_t size;
    int64_t ns;
    uint16_t port;
    int feed, count; /* what is written and what is read by us */
    bool joined;     /* count: a UDP socket with UDP_GRO */
    bool bursts;     /* feed: a UDP socket, many datagrams in one call, cut by UDP_SEGMENT */
    uint64_t given, arrived, whole, bytes;
    int64_t first, last;
};

static void die(const char *what)
{
    fprintf(stderr, "nc_udp: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

/* --- our two ends --- */

static void *feed(void *arg)
{
    struct run *r = arg;
    char data[65536];
    size_t n_each = r->bursts ? BURST : 1;
    memset(data, 'd', sizeof data);
    for (int64_t end = now() + r->ns; now() < end;)
        for (int i = 0; i < 64; i++) {
            ssize_t n = write(r->feed, data, r->size * n_each);
            if (n < 0 && errno != ECONNREFUSED)
                die("write");
            r->given += n > 0 ? n_each : 0;
        }
    close(r->feed);
    return NULL;
}

static ssize_t take(const struct run *r, char *data, size_t size, size_t *datagrams)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {data, size};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    *datagrams = 1;
    if (!r->joined)
        return read(r->count, data, size);
    ssize_t n = recvmsg(r->count, &h, 0);
    int segment = 0;
    for (struct cmsghdr *cm = n > 0 ? CMSG_FIRSTHDR(&h) : NULL; cm; cm = CMSG_NXTHDR(&h, cm))
        if (cm->cmsg_level == IPPROTO_UDP && cm->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(cm), sizeof segment);
    if (segment) {
        *datagrams = ((size_t)n + (size_t)segment - 1) / (size_t)segment;
        return segment;
    }
    return n;
}

/* Until nothing has come for a while, but not before the feeding has ended. */
static void count(struct run *r, int64_t fed)
{
    static char data[1 << 17];
    struct pollfd p = {.fd = r->count, .events = POLLIN};
    size_t datagrams;
    ssize_t n = 1;
    if (fcntl(r->count, F_SETFL, O_NONBLOCK) < 0)
        die("fcntl");
    while (n > 0) {
        if (poll(&p, 1, now() < fed ? (int)((fed - now()) / 1000000) + QUIET_MS : QUIET_MS) <= 0)
            break;
        while ((n = take(r, data, sizeof data, &datagrams)) > 0) {
            r->bytes += (size_t)n * datagrams;
            r->arrived += datagrams;
            if ((size_t)n == r->size)
                r->whole += datagrams;
        }
        r->last = now();
        if (!r->first)
            r->first = r->last;
        if (n < 0 && errno == EAGAIN)
            n = 1;
    }
}

/* --- what is between them --- */

static int receiver(struct run *r, bool join)
{
    struct sockaddr_in a = loopback(r->port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = RCVBUF, on = 1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("bind");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    r->joined = join && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0;
    return fd;
}

static int sender(struct run *r, bool bursts)
{
    struct sockaddr_in a = loopback(r->port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
        die("connect");
    int segment = (int)r->size;
    r->bursts = bursts && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0;
    return fd;
}

static void packet_pipe(int p[2])
{
    if (pipe2(p, O_DIRECT | O_CLOEXEC) < 0)
        die("pipe2");
}

static pid_t start(char **argv, int in, int out)
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
            _exit(126);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static void stop(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

/* Until somebody is bound to the port. */
static void await_port(uint16_t port)
{
    char want[16], line[256];
    snprintf(want, sizeof want, ":%04X ", port);
    for (int64_t end = now() + INT64_C(5000000000); now() < end; usleep(2000)) {
        FILE *f = fopen("/proc/net/udp", "re");
        bool there = false;
        while (f && fgets(line, sizeof line, f))
            there |= strstr(line, want) != NULL && strstr(line, want) < line + 20;
        if (f)
            fclose(f);
        if (there)
            return;
    }
    errno = ETIMEDOUT;
    die("nobody is bound to the port");
}

static void run(struct run *r, const char *side, char **first, char **second)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, idle = open("/dev/null", O_RDWR | O_CLOEXEC);
    int never[2];
    pid_t a = 0, b = 0;
    pthread_t feeder;
    if (pipe2(never, O_CLOEXEC) < 0) /* a standard input on which nothing comes */
        die("pipe2");
    bool feeds = strcmp(side, "out") == 0 || strcmp(side, "pair") == 0;
    bool prints = strcmp(side, "in") == 0 || strcmp(side, "pair") == 0;
    r->count = prints ? -1 : receiver(r, feeds);
    if (prints) {
        packet_pipe(out);
        b = start(feeds ? second : first, never[0], out[1]);
        close(out[1]);
        r->count = out[0];
        await_port(r->port);
    }
    if (feeds) {
        packet_pipe(in);
        a = start(first, in[0], idle);
        close(in[0]);
        usleep(100000);
    }
    r->feed = feeds ? in[1] : sender(r, prints);
    int64_t fed = now() + r->ns;
    if (pthread_create(&feeder, NULL, feed, r) != 0)
        die("thread");
    count(r, fed);
    pthread_join(feeder, NULL);
    stop(a);
    stop(b);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: nc_udp out|in|pair|bare SIZE MS PORT [PROGRAM ARG... [:: ...]]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct run r = {.size = strtoul(argv[2], NULL, 10),
                    .ns = strtoll(argv[3], NULL, 10) * 1000000,
                    .port = (uint16_t)strtoul(argv[4], NULL, 10)};
    char **second = argv + 5;
    while (*second && strcmp(*second, "::") != 0)
        second++;
    if (*second)
        *second++ = NULL;
    run(&r, argv[1], argv + 5, second);
    double seconds = (double)(r.last - r.first) / 1e9;
    double per_second = seconds > 0 ? 1 / seconds : 0;
    printf("%.0f %.0f %.0f %llu %llu\n", (double)r.arrived * per_second,
           (double)r.whole * per_second, (double)r.bytes / (double)r.size * per_second,
           (unsigned long long)r.arrived, (unsigned long long)r.given);
    return 0;
}
