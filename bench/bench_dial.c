/* bench_dial.c - dial, send 64 bytes, receive 64 bytes, close on loopback: the library beside the
 * same in bare system calls.
 *
 * Both talk to one echo server, a child process, in turn: blocks of rounds of the one and of the
 * other, so that a change of the machine's mood meets both. The median of all rounds is given, with
 * the quartiles as spread; the ratio is of each pair of blocks, again with its quartiles.
 */
#include <hail/hail.h>

#include "report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE 64
#define BLOCK   200 /* rounds of one kind in a row */
#define BLOCKS  100
#define WARM    5 /* blocks that are not counted */

static void die(const char *what)
{
    fprintf(stderr, "bench_dial: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void serve(int listener)
{
    char buf[MESSAGE];
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            die("accept");
        ssize_t n;
        while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
            if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
                break;
        close(fd);
    }
}

/* The five calls that it cannot be done without. */
static void round_bare(const struct sockaddr_in *to)
{
    char buf[MESSAGE] = "hello";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
        die("connect");
    if (send(fd, buf, sizeof buf, MSG_NOSIGNAL) != sizeof buf)
        die("send");
    for (size_t got = 0; got < sizeof buf;) {
        ssize_t n = recv(fd, buf + got, sizeof buf - got, 0);
        if (n <= 0)
            die("recv");
        got += (size_t)n;
    }
    close(fd);
}

static void round_hail(const struct hail_endpoint *to)
{
    char buf[MESSAGE] = "hello";
    size_t got = 0;
    struct hail_stream *s = NULL;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    ctx.by = hail_deadline_in(5000);
    if (hail_dial(&ctx, to, NULL, &s) < 0 || hail_write(&ctx, s, buf, sizeof buf, NULL) < 0 ||
        hail_read_full(&ctx, s, buf, sizeof buf, &got) < 0 || got != sizeof buf) {
        fprintf(stderr, "bench_dial: %s\n", ctx.err.msg);
        exit(1);
    }
    hail_close(s);
}

static void run(const struct sockaddr_in *to)
{
    static double hail[BLOCKS * BLOCK], bare[BLOCKS * BLOCK], ratio[BLOCKS];
    struct hail_addr addr = {.len = sizeof *to};
    addr.u.in4 = *to;
    struct hail_endpoint ep = hail_endpoint_of(&addr);
    for (int b = -WARM; b < BLOCKS; b++) {
        double sum[2] = {0, 0};
        for (int half = 0; half < 2; half++) {
            bool library = (b & 1) == half; /* each goes first in every other block */
            for (int i = 0; i < BLOCK; i++) {
                int64_t start = hail_now();
                if (library)
                    round_hail(&ep);
                else
                    round_bare(to);
                double took = (double)(hail_now() - start);
                sum[library] += took;
                if (b >= 0)
                    (library ? hail : bare)[b * BLOCK + i] = took;
            }
        }
        if (b >= 0)
            ratio[b] = sum[1] / sum[0];
    }
    report("dial_roundtrip_hail", hail, BLOCKS * BLOCK, "ns", 0);
    report("dial_roundtrip_bare", bare, BLOCKS * BLOCK, "ns", 0);
    report("dial_roundtrip_ratio", ratio, BLOCKS, "x", 3);
}

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) < 0 ||
        listen(listener, SOMAXCONN) < 0 || getsockname(listener, (struct sockaddr *)&at, &len) < 0)
        die("listen");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        serve(listener);
    }
    close(listener);
    run(&at);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return 0;
}
