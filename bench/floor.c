/* floor.c - what hail's netstat cannot beat: its system calls alone, for netstat's benchmark.
 *
 *   floor rows     every TCP socket over sock_diag(7), written as `netstat -ant` writes rows
 *   floor holders  every descriptor in /proc's fd directories read, by two threads
 *
 * Bare: no library, no names, no options. The rows are net-tools' for numeric IPv4; an IPv6 address
 * is inet_ntop(3)'s. What hail takes longer is its own; the rest is the kernel's.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM (32 << 10) /* the kernel fills no more of a dump's */
#define OUTPUT   (64 << 10)
#define ROW_MAX  256
#define PIDS_MAX 65536
#define THREADS  2
#define ADDRESS  23 /* columns of an address with its port */

static char output[OUTPUT];
static size_t used;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void flush(void)
{
    if (used && write(STDOUT_FILENO, output, used) != (ssize_t)used)
        die("write");
    used = 0;
}

/* --- rows --- */

/* `width` columns at least, to the right. */
static char *number(char *p, unsigned v, int width)
{
    char digits[12];
    int n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (int i = n; i < width; i++)
        *p++ = ' ';
    while (n)
        *p++ = digits[--n];
    return p;
}

static char *address(char *p, int family, const __be32 *ip, __be16 port)
{
    char *from = p;
    const unsigned char *b = (const void *)ip;
    if (family == AF_INET6) {
        inet_ntop(AF_INET6, ip, p, INET6_ADDRSTRLEN);
        p += strlen(p);
    }
    for (int i = 0; family == AF_INET && i < 4; i++) {
        if (i)
            *p++ = '.';
        p = number(p, b[i], 1);
    }
    *p++ = ':';
    if (port)
        p = number(p, ntohs(port), 1);
    else
        *p++ = '*';
    while (p - from < ADDRESS)
        *p++ = ' ';
    *p++ = ' ';
    return p;
}

static void row(const struct inet_diag_msg *m)
{
    static const char states[][12] = {"           ", "ESTABLISHED", "SYN_SENT   ", "SYN_RECV   ",
                                      "FIN_WAIT1  ", "FIN_WAIT2  ", "TIME_WAIT  ", "CLOSE      ",
                                      "CLOSE_WAIT ", "LAST_ACK   ", "LISTEN     ", "CLOSING    "};
    if (used + ROW_MAX > sizeof output)
        flush();
    char *p = output + used;
    memcpy(p, m->idiag_family == AF_INET ? "tcp   " : "tcp6  ", 6);
    p = number(p + 6, m->idiag_rqueue, 6);
    *p++ = ' ';
    p = number(p, m->idiag_state == 10 ? 0 : m->idiag_wqueue, 6);
    *p++ = ' ';
    p = address(p, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
    p = address(p, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
    memcpy(p, states[m->idiag_state < 12 ? m->idiag_state : 0], 11);
    p[11] = '\n';
    used = (size_t)(p + 12 - output);
}

static void rows(int family)
{
    _Alignas(struct nlmsghdr) static char buf[DATAGRAM];
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } q = {{.nlmsg_len = sizeof q,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
           {.sdiag_family = (__u8)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 0xfff}};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0 || send(fd, &q, sizeof q, 0) < 0)
        die("sock_diag");
    for (;;) {
        ssize_t n = recv(fd, buf, sizeof buf, MSG_TRUNC);
        if (n < 0 || (size_t)n > sizeof buf)
            die("sock_diag");
        unsigned left = (unsigned)n;
        for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type == NLMSG_DONE) {
                close(fd);
                return;
            }
            if (h->nlmsg_type == NLMSG_ERROR)
                die("sock_diag");
            row(NLMSG_DATA(h));
        }
    }
}

/* --- holders --- */

static int pids[PIDS_MAX], npids;
static atomic_int next_pid;
static atomic_long found;

static void *walk(void *unused)
{
    int i;
    while ((i = atomic_fetch_add(&next_pid, 1)) < npids) {
        char name[32], link[64];
        snprintf(name, sizeof name, "/proc/%d/fd", pids[i]);
        DIR *dir = opendir(name);
        for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
            ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof link);
            if (n > 8 && memcmp(link, "socket:[", 8) == 0)
                atomic_fetch_add_explicit(&found, 1, memory_order_relaxed);
        }
        if (dir)
            closedir(dir);
    }
    return unused;
}

static void holders(void)
{
    pthread_t threads[THREADS];
    DIR *proc = opendir("/proc");
    if (!proc)
        die("/proc");
    for (struct dirent *e; (e = readdir(proc)) != NULL && npids < PIDS_MAX;)
        if (e->d_name[0] > '0' && e->d_name[0] <= '9')
            pids[npids++] = atoi(e->d_name);
    closedir(proc);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, walk, NULL) != 0)
            die("thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    used = (size_t)snprintf(output, sizeof output, "%ld\n", (long)found);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "rows") == 0) {
        rows(AF_INET);
        rows(AF_INET6);
    } else if (argc == 2 && strcmp(argv[1], "holders") == 0) {
        holders();
    } else {
        fputs("usage: floor rows|holders\n", stderr);
        return 2;
    }
    flush();
    return 0;
}
