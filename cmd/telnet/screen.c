/* screen.c - what comes from the peer, on its way to the screen; and what the options agreed on do
 * to this side.
 *
 * On a terminal, a conversation with a service is made visible: no byte of the peer's makes the
 * terminal do anything. A login (the peer echoes, or LINEMODE is on) has the terminal to itself,
 * but for what writes to the clipboard or makes it type. Into a pipe, or with --raw, bytes pass.
 */
#include "editor.h"
#include "explain.h"
#include "session.h"

#include "base/error.h"
#include "transcript.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX ((size_t)4 << 20) /* bytes of one read made visible */

/* By the locale's name, as locale(7) orders the variables. */
bool telnet_terminal_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

void telnet_screen_begin(struct telnet *t)
{
    hail_visible_init(&t->visible, HAIL_VISIBLE_CONVERSATION, telnet_terminal_utf8());
    telnet_explain_begin(t);
    telnet_editor_begin(t);
    if (!t->shown.max)
        hail_buf_init(&t->shown, SHOWN_MAX);
}

int telnet_screen(struct telnet *t, const char *p, size_t n)
{
    if (t->pump && !t->at_prompt && !t->closing)
        return hail_pump_put(t->pump, TELNET_TTY, p, n);
    fwrite(p, 1, n, stdout);
    return 0;
}

int telnet_show(struct telnet *t, const char *p, size_t n)
{
    telnet_netlog_dump(t, t->toggle.termdata, '>', p, n);
    return telnet_screen(t, p, n);
}

static int show_made_visible(struct telnet *t)
{
    int rc = t->shown.failed;
    if (rc == 0 && t->shown.len)
        rc = telnet_editor_active(t) ? telnet_editor_show(t, t->shown.p, t->shown.len)
                                     : telnet_show(t, t->shown.p, t->shown.len);
    t->shown.failed = 0;
    hail_buf_clear(&t->shown);
    return rc;
}

static int show_data(struct telnet *t, const char *p, size_t n)
{
    if (!t->tty.out || t->opt.raw)
        return telnet_show(t, p, n);
    while (n) {
        char text[HAIL_REPLY_TEXT];
        size_t now = telnet_explain(t, p, n, text);
        hail_visible_add(&t->visible, &t->shown, p, now);
        telnet_explain_put(t, text);
        p += now;
        n -= now;
    }
    return telnet_editor_active(t) ? 0 : show_made_visible(t);
}

/* --- options --- */

static void is_login(struct telnet *t)
{
    if (t->visible.mode == HAIL_VISIBLE_SESSION)
        return;
    hail_visible_mode(&t->visible, &t->shown, HAIL_VISIBLE_SESSION);
    t->failed = t->failed ? t->failed : show_made_visible(t);
}

/* LINEMODE came on: signals are caught here. The engine tells our characters. */
static void line_mode_on(struct telnet *t)
{
    t->kludge = false;
    t->toggle.localchars = 1;
    telnet_slc_tell(t);
    if (t->slc_source != TELNET_SLC_EXPORT)
        hail_telnet_slc_import(&t->engine, t->slc_source == TELNET_SLC_IMPORT);
}

static void option_changed(struct telnet *t, const struct hail_telnet_event *e)
{
    bool again = false;
    if (e->ours && e->option == HAIL_TELOPT_LFLOW)
        again = t->local_flow = e->on;
    if (e->ours && e->option == HAIL_TELOPT_LINEMODE) {
        again = true;
        if (e->on)
            line_mode_on(t);
    }
    if (!e->ours && (e->option == HAIL_TELOPT_ECHO || e->option == HAIL_TELOPT_SGA))
        t->silent_echo = false;
    if (e->on && ((!e->ours && e->option == HAIL_TELOPT_ECHO) ||
                  (e->ours && e->option == HAIL_TELOPT_LINEMODE)))
        is_login(t);
    telnet_mode_update(t, again);
}

static void flow_changed(struct telnet *t, unsigned how)
{
    if (how == HAIL_TELNET_FLOW_ON || how == HAIL_TELNET_FLOW_OFF)
        t->local_flow = how == HAIL_TELNET_FLOW_ON;
    else
        t->restart_any = how == HAIL_TELNET_FLOW_RESTART_ANY;
    telnet_mode_update(t, true);
}

void telnet_event(void *arg, const struct hail_telnet_event *e)
{
    struct telnet *t = arg;
    int rc = 0;
    telnet_netlog_event(t, e);
    switch (e->type) {
    case HAIL_TELNET_DATA:
        telnet_transcript_came(t, e->p, e->n);
        rc = show_data(t, (const char *)e->p, e->n);
        break;
    case HAIL_TELNET_NEGOTIATION:
        if (!e->sent)
            t->spoken = true;
        break;
    case HAIL_TELNET_OPTION:
        option_changed(t, e);
        break;
    case HAIL_TELNET_FLOW:
        flow_changed(t, e->code);
        break;
    case HAIL_TELNET_MODE:
        telnet_mode_update(t, false);
        break;
    case HAIL_TELNET_SLC:
        telnet_slc_take(t, e->code, e->value);
        telnet_mode_update(t, true);
        break;
    default:
        break;
    }
    if (rc < 0 && !t->failed)
        t->failed = rc;
}

/* --- the filter of the flow from the peer --- */

static int ended(struct telnet *t)
{
    hail_telnet_end(&t->engine); /* an end inside a command is an end as well */
    if (t->tty.out && !t->opt.raw) {
        hail_visible_end(&t->visible, &t->shown);
        return show_made_visible(t);
    }
    return t->failed;
}

/* Reading stops short of the urgent byte: as long as it is not read, what was is to be discarded.
 */
static bool mark_is_ahead(const struct telnet *t)
{
    struct pollfd p = {.fd = hail_stream_fd(t->stream), .events = POLLPRI};
    return poll(&p, 1, 0) > 0 && (p.revents & POLLPRI);
}

static int take(struct telnet *t, const char *data, size_t n)
{
    telnet_netlog_dump(t, t->toggle.netdata, '<', data, n);
    if (telnet_signals_urgent() && !telnet_is_plain(t) && mark_is_ahead(t))
        hail_telnet_urgent(&t->engine);
    ssize_t rc = hail_telnet_receive(&t->engine, data, n);
    if (rc < 0)
        return (int)rc;
    if (t->failed)
        return t->failed;
    rc = show_made_visible(t);
    if (rc < 0)
        return (int)rc;
    int sent = telnet_flush(t);
    return sent == -EPIPE ? 0 : sent; /* nothing more can be sent: go on reading */
}

int telnet_came(void *arg, struct hail_pump *p, const char *data, size_t n)
{
    struct telnet *t = arg;
    (void)p;
    int rc = n ? take(t, data, n) : ended(t);
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    const char *why = rc == -ENOBUFS ? "it asks on and on, and takes no answer" : NULL;
    return hail_fail(&t->c->ctx, HAIL_LAYER_PROTO, -rc, "converse", "converse with %s: %s", t->host,
                     why ? why : hail_errno_text(-rc));
}
