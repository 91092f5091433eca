/* signals.c - signals while a connection lives.
 *
 *   a key (^C, ^\, ^Z)     in a TELNET session the peer's: IP, BRK or ABORT, SUSP; in a plain
 *                          conversation they do what they do to any program
 *   resize, urgent data,   noted, and told to the session through a descriptor
 *   going on after a stop
 *   TERM, HUP, ABRT, and   the terminal is restored, then they end the program
 *   INT, QUIT by kill(1)
 */
#include "session.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_uint come;
static int wake = -1;
static volatile sig_atomic_t keys_for_peer;
static struct sigaction term_before;

static void note(unsigned bit)
{
    int saved = errno;
    uint64_t one = 1;
    atomic_fetch_or(&come, bit);
    (void)!write(wake, &one, sizeof one); /* full: it is readable already */
    errno = saved;
}

static void die_of(int sig)
{
    telnet_terminal_give_up();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* The terminal's driver sends its signals as the kernel; kill(2) does not. */
static void on_key(int sig, siginfo_t *info, void *unused)
{
    (void)unused;
    bool key = info->si_code == SI_KERNEL && keys_for_peer;
    if (sig == SIGTSTP)
        note(key ? TELNET_SIG_TSTP : TELNET_SIG_STOP);
    else if (key)
        note(sig == SIGINT ? TELNET_SIG_INT : TELNET_SIG_QUIT);
    else
        die_of(sig);
}

static void on_change(int sig)
{
    note(sig == SIGURG ? TELNET_SIG_URG : sig == SIGCONT ? TELNET_SIG_CONT : TELNET_SIG_WINCH);
}

static void on_end(int sig)
{
    telnet_terminal_give_up();
    if (sig == SIGTERM && term_before.sa_handler != SIG_DFL && term_before.sa_handler != SIG_IGN)
        term_before.sa_handler(sig); /* cancels what is under way */
    else
        die_of(sig);
}

static const int keys[] = {SIGINT, SIGQUIT, SIGTSTP}, changes[] = {SIGWINCH, SIGURG, SIGCONT},
                 ends[] = {SIGTERM, SIGHUP, SIGABRT};

static void set(int sig, struct sigaction *act)
{
    struct sigaction old;
    if (sigaction(sig, NULL, &old) < 0 || (old.sa_handler == SIG_IGN && sig != SIGURG))
        return; /* nohup, or a shell without job control: it stays ignored */
    sigaction(sig, act, NULL);
}

int telnet_signals_begin(struct telnet *t)
{
    if (wake < 0) {
        wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (wake < 0)
            return -errno;
        sigaction(SIGTERM, NULL, &term_before);
    }
    struct sigaction key = {.sa_sigaction = on_key, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction change = {.sa_handler = on_change, .sa_flags = SA_RESTART};
    struct sigaction end = {.sa_handler = on_end};
    for (size_t i = 0; i < 3; i++) {
        if (t->tty.in)
            set(keys[i], &key);
        set(changes[i], &change);
        set(ends[i], &end);
    }
    return wake;
}

unsigned telnet_signals_take(void)
{
    uint64_t n;
    (void)!read(wake, &n, sizeof n);
    return atomic_fetch_and(&come, TELNET_SIG_URG) & ~(unsigned)TELNET_SIG_URG;
}

bool telnet_signals_urgent(void)
{
    return atomic_fetch_and(&come, ~(unsigned)TELNET_SIG_URG) & TELNET_SIG_URG;
}

void telnet_signals_keys(bool for_peer)
{
    keys_for_peer = for_peer;
}

/* At the prompt ^Z stops the program at once: the terminal is as it was found. */
void telnet_signals_at_prompt(const struct telnet *t, bool there)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    if (!there) {
        act.sa_sigaction = on_key;
        act.sa_flags = SA_SIGINFO | SA_RESTART;
    }
    if (t->tty.in)
        set(SIGTSTP, &act);
}

void telnet_suspend(struct telnet *t, bool whole_job)
{
    struct sigaction before, stop = {.sa_handler = SIG_DFL};
    telnet_terminal_mode(t, TELNET_MODE_COMMAND, true);
    sigaction(SIGTSTP, &stop, &before);
    kill(whole_job ? 0 : getpid(), SIGTSTP);
    sigaction(SIGTSTP, &before, NULL); /* gone on */
    telnet_terminal_saved(t);
}
