/* bench_trace.c - what the trace costs when it is off: a write and a read of 64 bytes through the
 * library without a trace, with one whose sink does nothing, and by bare system calls.
 *
 * The times are printed here. The instructions are counted by bench/run, which runs
 * `bench_trace ROUNDS` under callgrind once for each function round_*.
 */
#include <hail/hail.h>

#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#define MESSAGE 64
#define BLOCK   2000 /* rounds of one kind in a row */
#define BLOCKS  51

/* A connected pair; a stream reports to the trace of the context that it was made with. */
struct pair {
    struct hail_ctx ctx;
    struct hail_stream *ours, *theirs;
};
static struct pair off, null;
static char message[MESSAGE] = "hello", back[MESSAGE];
static unsigned long events;
static int failed;

static void on_event(struct hail_trace *self, const struct hail_event *event)
{
    (void)self;
    (void)event;
    events++;
}

static bool open_pair(struct pair *p, struct hail_trace *trace)
{
    int fd[2];
    p->ctx = (struct hail_ctx)HAIL_CTX_INIT;
    p->ctx.trace = trace;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0 &&
           hail_stream_of_fd(&p->ctx, fd[0], &p->ours) == 0 &&
           hail_stream_of_fd(&p->ctx, fd[1], &p->theirs) == 0;
}

static inline void round_of(struct pair *p)
{
    size_t got;
    failed += hail_write(&p->ctx, p->ours, message, sizeof message, NULL) < 0;
    failed += hail_read_full(&p->ctx, p->theirs, back, sizeof back, &got) < 0;
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
    failed += send(hail_stream_fd(off.ours), message, sizeof message, MSG_NOSIGNAL) != MESSAGE;
    failed += recv(hail_stream_fd(off.theirs), back, sizeof back, 0) != MESSAGE;
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
    struct hail_trace trace = {.event = on_event};
    if (!open_pair(&off, NULL) || !open_pair(&null, &trace)) {
        fprintf(stderr, "bench_trace: %s%s\n", off.ctx.err.msg, null.ctx.err.msg);
        return 1;
    }
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
    hail_close(off.ours);
    hail_close(off.theirs);
    hail_close(null.ours);
    hail_close(null.theirs);
    return failed || events == 0;
}
