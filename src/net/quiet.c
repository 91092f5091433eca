/* quiet.c - SIGPIPE kept back; quiet.h. */
#include "net/quiet.h"

#include <errno.h>
#include <time.h>

/* Pairs that the thread is in; only the outermost does anything. */
static _Thread_local unsigned depth;

void hail_quiet_begin(struct hail_quiet *q)
{
    q->ours = false;
    if (depth++)
        return;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &q->old);
    q->ours = !sigismember(&q->old, SIGPIPE);
}

void hail_quiet_end(const struct hail_quiet *q, bool broken)
{
    depth--;
    if (!q->ours)
        return;
    const struct timespec now = {0};
    int errnum = errno;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (broken)
        sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &q->old, NULL);
    errno = errnum;
}

bool hail_quiet_already(void)
{
    struct sigaction act;
    return sigaction(SIGPIPE, NULL, &act) == 0 && !(act.sa_flags & SA_SIGINFO) &&
           act.sa_handler == SIG_IGN;
}
