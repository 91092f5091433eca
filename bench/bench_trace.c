/* bench_trace.c - what the trace costs when it is off: a write and a read of 64 bytes through the
 * library without a trace, with one whose sink does nothing, and by bare system calls.
 *
 * The times are printed here. The instructions are counted by bench/run, which runs
 * `bench_trace ROUNDS` under callgrind once for each function round_*.
 */
#include <hail/hail.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#define MESSAGE 64
#define BLOCK   2000 /* rounds of one kind in a row */
#define BLOCKS  51

static struct hail_ctx off = HAIL_CTX_INIT, null = HAIL_CTX_INIT;
static struct hail_stream *ours, *theirs;
static char message[MESSAGE] = "hello", back[MESSAGE];
static unsigned long events;
static int failed;

static void on_event(struct hail_trace *self, const struct hail_event *event)
{
    (void)self;
    (void)event;
    events++;
}

static inline void round_of(struct hail_ctx *ctx)
{
    size_t got;
    failed += hail_write(ctx, ours, message, sizeof message, NULL) < 0;
    failed += hail_read_full(ctx, theirs, back, sizeof back, &got) < 0;
}

__attribute__((noinline)) static void round_off(void)
{
    round_of(&off);
}

__attribute__((noinline)) static void round_null(void)
{
    round_of(&null);
}

__attribute__((noinline)) static void round_bare(void)
{
    failed += send(hail_stream_fd(ours), message, sizeof message, MSG_NOSIGNAL) != MESSAGE;
    failed += recv(hail_stream_fd(theirs), back, sizeof back, 0) != MESSAGE;
}

static double block(void (*round)(void), int n)
{
    int64_t start = hail_now();
    for (int i = 0; i < n; i++)
        round();
    return (double)(hail_now() - start) / n;
}

int main(int argc, char **argv)
{
    static double t_off[BLOCKS], t_null[BLOCKS], t_bare[BLOCKS];
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 ||
        hail_stream_of_fd(&off, fd[0], &ours) < 0 || hail_stream_of_fd(&off, fd[1], &theirs) < 0)
        return 1;
    struct hail_trace trace = {.event = on_event};
    null.trace = &trace;
    if (argc > 1) { /* under callgrind: as often as told, no more */
        int n = atoi(argv[1]);
        block(round_off, n);
        block(round_null, n);
        block(round_bare, n);
        return failed || events == 0;
    }
    for (int b = 0; b < BLOCKS; b++) {
        t_bare[b] = block(round_bare, BLOCK);
        t_off[b] = block(round_off, BLOCK);
        t_null[b] = block(round_null, BLOCK);
    }
    report("trace_round_bare", t_bare, BLOCKS, "ns", 0);
    report("trace_round_off", t_off, BLOCKS, "ns", 0);
    report("trace_round_null_sink", t_null, BLOCKS, "ns", 0);
    hail_close(ours);
    hail_close(theirs);
    return failed || events == 0;
}
