/* terminal.c - the terminal's modes, its size, and the way back to how it was found.
 *
 * A mode is what the options agreed on with the peer ask for (modes.c). However the program ends,
 * but by SIGKILL, the terminal is as it was found: at the end of the command, and in the handler of
 * every signal that ends it (tcsetattr(3) may be called there, signal-safety(7)).
 */
#include "editor.h"
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What the signal handlers have to know. */
static struct termios found;
static volatile sig_atomic_t changed; /* it is not as it was found */
static volatile sig_atomic_t ending;  /* a signal ends the program: leave it alone */

void telnet_terminal_restore(void)
{
    if (changed)
        tcsetattr(STDIN_FILENO, TCSANOW, &found);
    changed = 0;
}

void telnet_terminal_give_up(void)
{
    ending = 1;
    telnet_terminal_restore();
}

bool telnet_terminal_given_up(void)
{
    return ending;
}

void telnet_terminal_init(struct telnet *t)
{
    struct telnet_terminal *tty = &t->tty;
    tty->mode = TELNET_MODE_COMMAND;
    tty->in = tcgetattr(STDIN_FILENO, &tty->found) == 0;
    tty->out = isatty(STDOUT_FILENO);
    tty->now = tty->found;
    found = tty->found;
    telnet_terminal_resized(t);
}

void telnet_terminal_saved(struct telnet *t)
{
    if (!t->tty.in || tcgetattr(STDIN_FILENO, &t->tty.found) < 0)
        return;
    t->tty.now = t->tty.found;
    found = t->tty.found;
}

void telnet_terminal_default_chars(struct telnet *t)
{
    memcpy(t->tty.now.c_cc, t->tty.found.c_cc, sizeof t->tty.now.c_cc);
}

bool telnet_terminal_resized(struct telnet *t)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
        return false;
    bool other = size.ws_row != t->tty.size.ws_row || size.ws_col != t->tty.size.ws_col;
    t->tty.size = size;
    t->told.columns = size.ws_col;
    t->told.rows = size.ws_row;
    return other;
}

static void flag(tcflag_t *flags, tcflag_t bits, bool on)
{
    *flags = on ? *flags | bits : *flags & ~bits;
}

/* The escape character ends a line in line mode, so that it is seen at once. */
static void end_lines_at(struct termios *tc, cc_t escape)
{
    if (escape == TELNET_OFF || tc->c_cc[VEOL] == escape || tc->c_cc[VEOL2] == escape)
        return;
    if (tc->c_cc[VEOL] == _POSIX_VDISABLE)
        tc->c_cc[VEOL] = escape;
    else if (tc->c_cc[VEOL2] == _POSIX_VDISABLE)
        tc->c_cc[VEOL2] = escape;
}

static void keyboard(const struct telnet *t, struct termios *tc, int mode)
{
    bool edit = mode & HAIL_TELNET_MODE_EDIT, flow = mode & TELNET_MODE_FLOW;
    flag(&tc->c_iflag, IXON | IXOFF, flow);
    if (flow && t->restart_any >= 0)
        flag(&tc->c_iflag, IXANY, t->restart_any > 0);
    if ((mode & TELNET_MODE_ECHO) && t->toggle.crlf)
        tc->c_iflag |= ICRNL;
    flag(&tc->c_lflag, ISIG, mode & HAIL_TELNET_MODE_TRAPSIG);
    flag(&tc->c_lflag, ICANON, edit);
    if (!edit) {
        tc->c_iflag &= ~(tcflag_t)ICRNL;
        tc->c_cc[VMIN] = 1;
        tc->c_cc[VTIME] = 0;
    }
    if (!(mode & (HAIL_TELNET_MODE_EDIT | HAIL_TELNET_MODE_TRAPSIG)))
        tc->c_cc[VLNEXT] = _POSIX_VDISABLE;
    if (mode & TELNET_MODE_INBIN)
        tc->c_iflag &= ~(tcflag_t)ISTRIP;
    end_lines_at(tc, t->chars.rlogin != TELNET_OFF ? t->chars.rlogin : t->chars.escape);
}

static void screen(struct termios *tc, int mode)
{
    flag(&tc->c_lflag, ECHO, mode & TELNET_MODE_ECHO);
    flag(&tc->c_oflag, ONLCR, mode & TELNET_MODE_ECHO);
    tc->c_oflag &= ~(tcflag_t)TABDLY;
    if (mode & HAIL_TELNET_MODE_SOFT_TAB)
        tc->c_oflag |= TAB3;
    flag(&tc->c_lflag, ECHOCTL, !(mode & HAIL_TELNET_MODE_LIT_ECHO));
    flag(&tc->c_oflag, OPOST, !(mode & TELNET_MODE_OUTBIN));
    if (mode & TELNET_MODE_OUTBIN) {
        tc->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
        tc->c_cflag |= CS8;
    }
}

void telnet_terminal_mode(struct telnet *t, int mode, bool again)
{
    struct telnet_terminal *tty = &t->tty;
    if (mode == tty->mode && !again)
        return;
    telnet_editor_leave(t, mode);
    tty->mode = mode;
    t->toggle.localchars = mode == TELNET_MODE_COMMAND || (mode & HAIL_TELNET_MODE_TRAPSIG);
    if (!tty->in || ending)
        return;
    struct termios tc = tty->now;
    if (mode == TELNET_MODE_COMMAND) {
        tc = tty->found;
    } else {
        keyboard(t, &tc, mode);
        screen(&tc, mode);
        changed = 1;
    }
    int rc;
    do /* waits for what is on its way to the screen */
        rc = tcsetattr(STDIN_FILENO, TCSADRAIN, &tc);
    while (rc < 0 && errno == EINTR && !ending);
    if (mode == TELNET_MODE_COMMAND)
        changed = 0;
}
