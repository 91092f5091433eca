/* modes.c - which mode of the terminal the options agreed on ask for.
 *
 *      peer echoes, SGA on      character at a time: the peer sees every key
 *      LINEMODE                 what its MODE says: editing here, signals here
 *      neither                  line by line, echoed here: the oldest way, and for plain services
 */
#include "editor.h"
#include "session.h"

int telnet_mode_wanted(const struct telnet *t)
{
    const struct hail_telnet *e = &t->engine;
    int mode = 0;
    if (!hail_telnet_wanted(e, HAIL_TELOPT_ECHO, false))
        mode |= TELNET_MODE_ECHO;
    if (t->local_flow)
        mode |= TELNET_MODE_FLOW;
    if (hail_telnet_wanted(e, HAIL_TELOPT_BINARY, true))
        mode |= TELNET_MODE_INBIN;
    if (hail_telnet_wanted(e, HAIL_TELOPT_BINARY, false))
        mode |= TELNET_MODE_OUTBIN;
    if (t->kludge) {
        if (hail_telnet_wanted(e, HAIL_TELOPT_SGA, false))
            return mode;
        mode |= HAIL_TELNET_MODE_EDIT | HAIL_TELNET_MODE_TRAPSIG;
        return t->silent_echo ? mode & ~TELNET_MODE_ECHO : mode;
    }
    if (hail_telnet_wanted(e, HAIL_TELOPT_LINEMODE, true))
        mode |= (int)hail_telnet_mode(e);
    return mode;
}

/* Lines are typed when they are edited here, or signals are caught here. */
static bool types_lines(int mode)
{
    return mode & (HAIL_TELNET_MODE_EDIT | HAIL_TELNET_MODE_TRAPSIG);
}

void telnet_mode_update(struct telnet *t, bool again)
{
    if (t->at_prompt)
        return;
    int mode = telnet_mode_wanted(t);
    telnet_terminal_mode(t, mode, again);
    bool plain = telnet_is_plain(t);
    t->engine.newline.raw = t->opt.raw || t->opt.newline == TELNET_NEWLINE_LF;
    t->engine.newline.lines = !t->tty.in || types_lines(mode);
    t->engine.newline.cr_crlf = t->toggle.crlf || t->opt.newline == TELNET_NEWLINE_CRLF;
    t->engine.newline.crmod = t->toggle.crmod;
    /* where the terminal makes a new line of LF by itself */
    t->engine.newline.fold_crlf =
        t->tty.out && (mode & TELNET_MODE_ECHO) && !(mode & TELNET_MODE_OUTBIN);
    telnet_signals_keys(!plain);
    telnet_editor_update(t);
}
