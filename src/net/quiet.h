/* quiet.h - SIGPIPE kept back where a system call has no MSG_NOSIGNAL: sendfile(2), splice(2), and
 * write(2) to a pipe. */
#ifndef HAIL_NET_QUIET_H
#define HAIL_NET_QUIET_H

#include <signal.h>
#include <stdbool.h>

struct hail_quiet {
    sigset_t old;
    bool ours; /* the signal was not blocked before */
};

/* Between the two the calling thread gets no SIGPIPE; with `broken` (a call failed with EPIPE) the
 * one that was caused is taken away. If the caller has it blocked already, it is the caller's to
 * look after. They nest: inner pairs cost nothing, which is why hail_loop_run() has one around all
 * that it calls. Keep errno. */
void hail_quiet_begin(struct hail_quiet *q);
void hail_quiet_end(const struct hail_quiet *q, bool broken);

/* Whether SIGPIPE is ignored anyway, so that neither is needed. */
bool hail_quiet_already(void);

#endif
