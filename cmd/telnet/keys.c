/* keys.c - what is typed, on its way to the peer.
 *
 *   escape character       the prompt; twice: itself
 *   "~." and its like      rlogin's way (-r): at the beginning of a line only
 *   echo character         local echo off and on again, line by line without LINEMODE; the editor
 *                          has a key for it (^E: to the end of the line)
 *   keys with a meaning    IP, ABORT, EOF, SUSP, AO when lines are edited or signals caught here
 *   everything else        data
 *
 * What is piped in is data, all of it.
 */
#include "editor.h"
#include "session.h"

#include <string.h>

int telnet_interrupt(struct telnet *t, uint8_t command)
{
    hail_telnet_send_command(&t->engine, command);
    if (t->toggle.autoflush)
        hail_telnet_flush_output(&t->engine);
    if (t->toggle.autosynch)
        hail_telnet_send_command(&t->engine, HAIL_TELNET_DM);
    return telnet_flush(t);
}

static int abort_output(struct telnet *t)
{
    hail_telnet_send_command(&t->engine, HAIL_TELNET_AO);
    return t->toggle.autoflush ? hail_telnet_flush_output(&t->engine) : 0;
}

/* The command that a key stands for; 0: it is data. */
static int meaning(const struct telnet *t, cc_t c)
{
    const cc_t *cc = t->tty.now.c_cc;
    if (c == TELNET_OFF)
        return 0;
    if (c == cc[VINTR])
        return HAIL_TELNET_IP;
    if (c == cc[VQUIT])
        return t->kludge ? HAIL_TELNET_BRK : HAIL_TELNET_ABORT;
    if (c == cc[VEOF])
        return hail_telnet_wanted(&t->engine, HAIL_TELOPT_LINEMODE, true) ? HAIL_TELNET_EOF : 0;
    if (c == cc[VSUSP])
        return HAIL_TELNET_SUSP;
    if (c == cc[VDISCARD])
        return HAIL_TELNET_AO;
    return 0;
}

static void act(struct telnet *t, int command)
{
    if (command == HAIL_TELNET_AO)
        abort_output(t);
    else if (command == HAIL_TELNET_EOF)
        hail_telnet_send_command(&t->engine, HAIL_TELNET_EOF);
    else
        telnet_interrupt(t, (uint8_t)command);
}

static bool local_keys(const struct telnet *t)
{
    return !telnet_is_plain(t) &&
           (t->tty.mode & (HAIL_TELNET_MODE_EDIT | HAIL_TELNET_MODE_TRAPSIG));
}

/* The prompt is next, with `n` bytes as its first line. */
static void to_prompt(struct telnet *t, const char *line, size_t n)
{
    hail_buf_clear(&t->typed);
    hail_buf_add(&t->typed, line, n);
    t->ask = true;
    t->at_bol = true;
    hail_pump_stop(t->pump);
}

enum { DATA, SWALLOW, STOP };

/* rlogin's way: what to do with `c`. *tilde: an escape character that was held back is data. */
static int rlogin_key(struct telnet *t, cc_t c, const char *rest, size_t n, bool *tilde)
{
    if (t->at_bol && c == t->chars.rlogin) {
        t->at_bol = false;
        t->after_rlogin = true;
        return SWALLOW;
    }
    if (t->after_rlogin) {
        t->after_rlogin = false;
        if (c == '.' || c == t->tty.now.c_cc[VEOF]) {
            to_prompt(t, "close\n", 6);
            return STOP;
        }
        if (c == t->tty.now.c_cc[VSUSP]) {
            to_prompt(t, "z\n", 2);
            return STOP;
        }
        if (c == t->chars.escape && c != TELNET_OFF) {
            to_prompt(t, rest, n);
            return STOP;
        }
        *tilde = c != t->chars.rlogin;
    }
    t->at_bol = c == '\n' || c == '\r';
    return DATA;
}

/* A key before it is data: DATA, SWALLOW, or STOP with the rest taken. *skip: so many more. */
static int key(struct telnet *t, cc_t c, const char *rest, size_t n, size_t *skip, bool *tilde)
{
    bool twice = n > 0 && (cc_t)*rest == c;
    if (t->chars.rlogin != TELNET_OFF) {
        int how = rlogin_key(t, c, rest, n, tilde);
        if (how != DATA)
            return how;
    } else if (t->chars.escape != TELNET_OFF && c == t->chars.escape) {
        if (!twice) {
            to_prompt(t, rest, n);
            return STOP;
        }
        *skip = 1;
    }
    if (t->kludge && (t->tty.mode & HAIL_TELNET_MODE_EDIT) && c == t->chars.echo &&
        c != TELNET_OFF && !telnet_editor_active(t)) {
        if (!twice) {
            t->silent_echo = !t->silent_echo;
            telnet_mode_update(t, false);
            return SWALLOW;
        }
        *skip = 1;
    }
    if (!local_keys(t))
        return DATA;
    int command = meaning(t, c);
    if (!command)
        return DATA;
    act(t, command);
    t->at_bol = true;
    return SWALLOW;
}

static int data_typed(struct telnet *t, const char *p, size_t n)
{
    return telnet_editor_active(t) ? telnet_editor_typed(t, p, n) : telnet_say(t, p, n);
}

static int typed(struct telnet *t, const char *data, size_t n)
{
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        size_t skip = 0;
        bool tilde = false;
        int how = key(t, (cc_t)data[i], data + i + 1, n - i - 1, &skip, &tilde);
        if (how == DATA && !skip && !tilde)
            continue;
        int rc = data_typed(t, data + from, i - from);
        if (rc == 0 && tilde)
            rc = data_typed(t, (const char *)&t->chars.rlogin, 1);
        if (rc < 0 || how == STOP)
            return rc;
        from = how == SWALLOW ? i + 1 : i;
        if (skip) {
            rc = data_typed(t, data + i, 1);
            if (rc < 0)
                return rc;
            from = i + 2;
            i++;
        }
    }
    return data_typed(t, data + from, n - from);
}

int telnet_keys(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    struct telnet *t = arg;
    (void)p;
    int rc;
    if (n)
        telnet_netlog_dump(t, t->toggle.termdata, '<', data, n);
    if (n && t->tty.in)
        rc = typed(t, data, n);
    else
        rc = telnet_say(t, data, n);
    return rc < 0 ? rc : telnet_flush(t);
}

/* The end of file as typed in line mode: a character like the others. */
int telnet_eof_key(struct telnet *t)
{
    const char c = (char)t->tty.now.c_cc[VEOF];
    int rc = typed(t, &c, 1);
    return rc < 0 ? rc : telnet_flush(t);
}
