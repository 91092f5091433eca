/* sockets.c - holds many TCP sockets open, for netstat's benchmark.
 *
 *   sockets COUNT
 *
 * Makes COUNT sockets that are the two ends of COUNT / 2 established connections over loopback, and
 * 10 listeners a process, in the network namespace that it is started in (one of its own: it sets
 * the loopback up and widens the range of ports). They are spread over processes of at most 12,000
 * sockets. Prints "ready" and holds them until standard input ends.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTENERS     10
#define PAIRS_MAX     6000 /* in one process: 12,000 sockets */
#define PORT          5000
#define BACKLOG       512
#define PROCESSES_MAX 200

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void set(const char *path, const char *value)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(value, f) < 0 || fclose(f) != 0)
        die(path);
}

static void prepare(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
        die("loopback");
    close(fd);
    set("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
    set("/proc/sys/net/core/somaxconn", "4096");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static struct sockaddr_in address(int process, int listener)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    at.sin_addr.s_addr = htonl(0x7F000001u + (unsigned)(process + 1) * 256 + (unsigned)listener);
    return at;
}

/* One process' part. Each of its listeners has an address of its own: ports do not run out. */
static void hold(int process, int pairs)
{
    int listener[LISTENERS];
    for (int i = 0; i < LISTENERS; i++) {
        struct sockaddr_in at = address(process, i);
        listener[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (listener[i] < 0 || bind(listener[i], (struct sockaddr *)&at, sizeof at) < 0 ||
            listen(listener[i], BACKLOG) < 0)
            die("listen");
    }
    for (int i = 0; i < pairs; i++) {
        struct sockaddr_in at = address(process, i % LISTENERS);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
            accept(listener[i % LISTENERS], NULL, NULL) < 0)
            die("connect");
    }
}

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) / 2 : 0, go[2], done[2];
    pid_t pids[PROCESSES_MAX];
    int processes = (left + PAIRS_MAX - 1) / PAIRS_MAX;
    if (left <= 0 || processes > PROCESSES_MAX || pipe(go) < 0 || pipe(done) < 0) {
        fputs("usage: sockets COUNT\n", stderr);
        return 2;
    }
    prepare();
    for (int i = 0; i < processes; i++) {
        int pairs = left < PAIRS_MAX ? left : PAIRS_MAX;
        left -= pairs;
        pids[i] = fork();
        if (pids[i] < 0)
            die("fork");
        if (pids[i] == 0) {
            char byte = 0;
            close(go[1]);
            hold(i, pairs);
            if (write(done[1], &byte, 1) != 1)
                die("pipe");
            while (read(go[0], &byte, 1) > 0) /* until the first process ends */
                ;
            _exit(0);
        }
    }
    close(done[1]);
    char byte;
    for (int i = 0; i < processes; i++)
        if (read(done[0], &byte, 1) != 1)
            return 1;
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    close(go[1]);
    for (int i = 0; i < processes; i++)
        waitpid(pids[i], NULL, 0);
    return 0;
}
