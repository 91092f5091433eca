/* bench_udp.c - datagrams a second from one thread to another over loopback: batches through the
 * library beside bare sendmsg(2) with UDP_SEGMENT and recvmsg(2) with UDP_GRO.
 *
 *   sender ── GSO: one call, many datagrams ──▶ kernel ── GRO: one call, many datagrams ──▶
 * receiver
 *
 * What is counted are the datagrams that arrived. Slices of time of the one and of the other
 * alternate; the median is given with the quartiles, and the ratio of each pair of slices.
 */
#include <hail/hail.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#define SLICE_MS 300
#define SLICES   9
#define BATCH    8           /* messages of many datagrams in one call of the library, at most */
#define IN_CALL  (128 << 10) /* bytes in one call: more would not stay in the cache */
#define JOINED   65507       /* bytes that the kernel joins at most */
#define RCVBUF   (8 << 20)

static _Atomic bool stop;
static char outgoing[JOINED], incoming[BATCH][JOINED];

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_udp: %s: %s\n", what, why);
    exit(1);
}

struct job {
    uint16_t size;  /* of a datagram */
    size_t message; /* of as many datagrams as one message takes */
    size_t batch;   /* messages in one call */
    struct hail_datagram *rx, *tx;
    uint64_t received;
};

static uint64_t datagrams(size_t len, size_t segment)
{
    return segment ? (len + segment - 1) / segment : 1;
}

/* --- through the library --- */

static void *send_hail(void *arg)
{
    struct job *j = arg;
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_message v[BATCH] = {0};
    for (int i = 0; i < BATCH; i++)
        v[i] = (struct hail_message){.data = outgoing, .len = j->message, .segment = j->size};
    while (!stop)
        if (hail_send_batch(&ctx, j->tx, v, j->batch) < 0)
            die("send", ctx.err.msg);
    return NULL;
}

static void receive_hail(struct job *j, int64_t until)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_message v[BATCH] = {0};
    for (int i = 0; i < BATCH; i++)
        v[i] = (struct hail_message){.data = incoming[i], .size = sizeof incoming[i]};
    ctx.by.ns = until + 1000000000;
    while (hail_now() < until) {
        int n = hail_recv_batch(&ctx, j->rx, v, j->batch);
        if (n < 0)
            die("receive", ctx.err.msg);
        for (int i = 0; i < n; i++)
            j->received += datagrams(v[i].len, v[i].segment);
    }
}

/* --- by bare system calls --- */

static void *send_bare(void *arg)
{
    struct job *j = arg;
    int fd = hail_datagram_fd(j->tx);
    struct iovec iov = {outgoing, j->message};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.bytes};
    struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
    cm->cmsg_level = IPPROTO_UDP;
    cm->cmsg_type = UDP_SEGMENT;
    cm->cmsg_len = CMSG_LEN(sizeof j->size);
    memcpy(CMSG_DATA(cm), &j->size, sizeof j->size);
    while (!stop)
        if (sendmsg(fd, &h, MSG_NOSIGNAL) < 0)
            die("sendmsg", strerror(errno));
    return NULL;
}

static void receive_bare(struct job *j, int64_t until)
{
    int fd = hail_datagram_fd(j->rx);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    while (hail_now() < until) {
        struct iovec iov = {incoming[0], sizeof incoming[0]};
        struct msghdr h = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
        ssize_t n = recvmsg(fd, &h, 0);
        if (n < 0)
            die("recvmsg", strerror(errno));
        int segment = 0;
        for (struct cmsghdr *cm = CMSG_FIRSTHDR(&h); cm; cm = CMSG_NXTHDR(&h, cm))
            if (cm->cmsg_level == IPPROTO_UDP && cm->cmsg_type == UDP_GRO)
                memcpy(&segment, CMSG_DATA(cm), sizeof segment);
        j->received += datagrams((size_t)n, (size_t)segment);
    }
}

/* --- a slice, and all of them --- */

/* Millions of datagrams a second. */
static double slice(uint16_t size, size_t message, bool library)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct job j = {.size = size, .message = message, .batch = IN_CALL / message};
    if (j.batch > BATCH)
        j.batch = BATCH;
    struct hail_opts opts = {.rcvbuf = RCVBUF};
    struct hail_endpoint at;
    if (hail_endpoint_parse(&ctx, &at, "127.0.0.1:0", 0) < 0 ||
        hail_datagram_open(&ctx, &at, &opts, &j.rx) < 0 || hail_datagram_gro(&ctx, j.rx, true) < 0)
        die("open", ctx.err.msg);
    at = hail_datagram_local(j.rx);
    if (hail_datagram_connect(&ctx, &at, NULL, &j.tx) < 0)
        die("connect", ctx.err.msg);
    if (!library && (fcntl(hail_datagram_fd(j.tx), F_SETFL, 0) < 0 ||
                     fcntl(hail_datagram_fd(j.rx), F_SETFL, 0) < 0))
        die("fcntl", strerror(errno)); /* they wait in the system call */
    pthread_t sender;
    stop = false;
    if (pthread_create(&sender, NULL, library ? send_hail : send_bare, &j) != 0)
        die("thread", "not made");
    int64_t start = hail_now(), until = start + SLICE_MS * INT64_C(1000000);
    (library ? receive_hail : receive_bare)(&j, until);
    double seconds = (double)(hail_now() - start) / 1e9;
    stop = true;
    pthread_join(sender, NULL);
    hail_datagram_close(j.tx);
    hail_datagram_close(j.rx);
    return (double)j.received / seconds / 1e6;
}

static void compare(uint16_t size)
{
    double hail[SLICES], bare[SLICES], ratio[SLICES];
    size_t n = JOINED / size < 64 ? JOINED / size : 64; /* UDP_MAX_SEGMENTS of older kernels */
    for (int i = -1; i < SLICES; i++) {                 /* the first pair is not counted */
        double m[2];
        for (int half = 0; half < 2; half++) {
            bool library = (i & 1) == half; /* each goes first in every other pair */
            m[library] = slice(size, n * size, library);
        }
        if (i < 0)
            continue;
        hail[i] = m[1];
        bare[i] = m[0];
        ratio[i] = m[1] / m[0];
    }
    char name[32];
    snprintf(name, sizeof name, "udp%u_hail", size);
    report(name, hail, SLICES, "million/s", 2);
    snprintf(name, sizeof name, "udp%u_bare", size);
    report(name, bare, SLICES, "million/s", 2);
    snprintf(name, sizeof name, "udp%u_ratio", size);
    report(name, ratio, SLICES, "x", 3);
}

int main(void)
{
    compare(64);
    compare(1400);
    return 0;
}
