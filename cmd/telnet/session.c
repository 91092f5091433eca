/* session.c - a connection as long as it lives.
 *
 *      begin --> pump <--> prompt          (escape character; signals are served in between)
 *                  |          \--> closed by the user: the prompt without a connection, or the end
 *                  \--> closed by the peer: the end of the program, as with every telnet
 *
 * The pump is kept while the prompt is shown, with what waits in it. It is made anew when the
 * keyboard's flow has ended though the conversation goes on (^D in line mode; piped input that is
 * over), then over a descriptor that never has anything.
 */
#include "session.h"
#include "editor.h"
#include "explain.h"
#include "transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX  ((size_t)16 << 20) /* bytes for a peer that does not read */
#define RETRY_MS 10                 /* until it is looked again whether what waited is gone */

bool telnet_is_plain(const struct telnet *t)
{
    return !t->offers && !t->spoken;
}

/* --- to the peer --- */

static int engine_sends(void *arg, const void *p, size_t n, bool urgent)
{
    struct telnet *t = arg;
    int rc = hail_buf_add(&t->out, p, n);
    if (rc == 0 && urgent)
        t->urgent_end = t->out.len;
    return rc == -EMSGSIZE ? -ENOBUFS : rc;
}

int telnet_say(struct telnet *t, const char *p, size_t n)
{
    if (telnet_is_plain(t))
        telnet_explain_said(t, p, n);
    telnet_transcript_typed(t, p, n);
    return hail_telnet_send_data(&t->engine, p, n);
}

/* What precedes the urgent byte and the byte itself, past the pump, which has nothing waiting. True
 * when all that was done, or cannot be; otherwise it is tried again soon. */
static bool send_urgent(struct telnet *t)
{
    if (hail_pump_pending(t->pump, TELNET_NET) > 0)
        return false;
    int fd = hail_stream_fd(t->stream);
    while (t->urgent_end > 1) {
        const struct iovec iov = {t->out.p, t->urgent_end - 1};
        ssize_t n = hail_try_writev(&t->c->ctx, t->stream, &iov, 1);
        if (n == -EAGAIN)
            return false;
        if (n < 0)
            break; /* the pump will meet the same, and tell it */
        hail_buf_consume(&t->out, (size_t)n);
        t->urgent_end -= (size_t)n;
    }
    if (t->urgent_end == 1) {
        if (send(fd, t->out.p, 1, MSG_OOB | MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
            hail_buf_consume(&t->out, 1);
        else if (errno == EAGAIN || errno == ENOBUFS)
            return false;
    }
    t->urgent_end = 0;
    return true;
}

int telnet_flush(struct telnet *t)
{
    if (!t->pump || t->out.len == 0)
        return t->out.failed;
    bool tcp = !t->tls && !t->is_unix;
    telnet_netlog_dump(t, t->toggle.netdata && !t->waits, '>', t->out.p, t->out.len);
    t->waits = tcp && t->urgent_end && !send_urgent(t);
    if (t->waits) {
        hail_pump_stop_at(t->pump, hail_deadline_in(RETRY_MS));
        return 0;
    }
    t->urgent_end = 0;
    int rc = t->out.len ? hail_pump_put(t->pump, TELNET_NET, t->out.p, t->out.len) : 0;
    hail_buf_clear(&t->out);
    return rc;
}

/* --- the pump --- */

static void flow_over(void *arg, struct hail_pump *p, int flow)
{
    (void)arg;
    (void)flow;
    hail_pump_stop(p); /* what it means is seen to when the run has ended */
}

static int make_pump(struct telnet *t)
{
    int in = t->input_over ? t->idle_fd : STDIN_FILENO;
    const struct hail_pump_end screen = {.in = in, .out = STDOUT_FILENO};
    const struct hail_pump_end peer = {.stream = t->stream, .in = -1, .out = -1};
    const struct hail_pump_opts opts = {.filter = {telnet_keys, telnet_came},
                                        .over = flow_over,
                                        .arg = t,
                                        .keep_open = {true, true},
                                        .wake_fd = t->wake_fd};
    return hail_pump_new(&t->c->ctx, &screen, &peer, &opts, &t->pump);
}

static void serve_signals(struct telnet *t)
{
    unsigned come = telnet_signals_take();
    if (come & TELNET_SIG_STOP)
        telnet_suspend(t, false);
    if (come & (TELNET_SIG_STOP | TELNET_SIG_CONT))
        telnet_mode_update(t, true);
    if ((come & (TELNET_SIG_WINCH | TELNET_SIG_CONT | TELNET_SIG_STOP)) &&
        telnet_terminal_resized(t)) {
        hail_telnet_resized(&t->engine);
        telnet_editor_resized(t);
    }
    if (come & TELNET_SIG_INT)
        telnet_interrupt(t, HAIL_TELNET_IP);
    if (come & TELNET_SIG_QUIT)
        telnet_interrupt(t, t->kludge ? HAIL_TELNET_BRK : HAIL_TELNET_ABORT);
    if (come & TELNET_SIG_TSTP)
        telnet_interrupt(t, HAIL_TELNET_SUSP);
    telnet_flush(t);
}

/* Writes what waits for the screen, and with `both` for the peer, and takes nothing in. */
static int drain(struct telnet *t, bool both)
{
    struct hail_pump *p = t->pump;
    int rc = 0;
    hail_pump_hold(p, TELNET_NET, true);
    hail_pump_hold(p, TELNET_TTY, true);
    while (rc >= 0 && (hail_pump_pending(p, TELNET_TTY) > 0 ||
                       (both && hail_pump_pending(p, TELNET_NET) > 0))) {
        struct hail_flow_info tty;
        hail_pump_flow(p, TELNET_TTY, &tty);
        if (tty.state == HAIL_FLOW_FAILED || tty.state == HAIL_FLOW_ENDED)
            break;
        hail_pump_stop_at(p, hail_deadline_in(RETRY_MS));
        rc = hail_pump_run(&t->c->ctx, p);
        if (rc == HAIL_PUMP_WOKEN)
            serve_signals(t);
    }
    hail_pump_stop_at(p, (struct hail_deadline){0});
    hail_pump_hold(p, TELNET_NET, false);
    hail_pump_hold(p, TELNET_TTY, false);
    return rc < 0 ? rc : 0;
}

static bool hung_up(void)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

int telnet_pump_away(struct telnet *t)
{
    int rc = drain(t, true);
    hail_pump_free(t->pump);
    t->pump = NULL;
    return rc;
}

int telnet_pump_back(struct telnet *t)
{
    return make_pump(t);
}

/* Whether the peer may be told of the end of what was piped in. Under TLS that is close_notify, on
 * which many give up what they have not answered yet (RFC 5246 section 7.2.1 even wants it). */
static bool may_half_close(const struct telnet *t)
{
    return !t->tty.in && telnet_is_plain(t) && !t->tls;
}

/* The keyboard's flow is over. 0 to go on, 1: the conversation ends, or -errno. */
static int input_ended(struct telnet *t)
{
    bool line = t->tty.in && (t->tty.mode & HAIL_TELNET_MODE_EDIT) && !hung_up();
    bool end = telnet_editor_ended(t);
    if (t->tty.in && !line)
        return 1;
    t->input_over = !t->tty.in;
    if (end || may_half_close(t))
        hail_shutdown(&t->c->ctx, t->stream); /* a failure shows in reading */
    int rc = drain(t, false);
    hail_pump_free(t->pump);
    t->pump = NULL;
    if (rc == 0)
        rc = make_pump(t);
    if (rc == 0 && line && !end)
        rc = telnet_eof_key(t);
    return rc;
}

/* --- the end --- */

static int end_status(struct telnet *t, int rc)
{
    struct hail_flow_info tty;
    struct hail_ctx *ctx = &t->c->ctx;
    if (rc < 0 && rc != -ECANCELED && rc != -ETIMEDOUT)
        return fail(t->c);
    if (rc < 0)
        return rc == -ECANCELED ? STATUS_LOCAL : fail(t->c);
    hail_pump_flow(t->pump, TELNET_TTY, &tty);
    if (tty.state != HAIL_FLOW_FAILED)
        return STATUS_DONE;
    ctx->err = tty.error;
    if (!t->c->by_name || tty.at_sink || tty.error.layer != HAIL_LAYER_STREAM)
        return fail(t->c);
    return STATUS_DONE;
}

/* It was not the peer who closed. */
static bool failed_here(const struct telnet *t)
{
    struct hail_flow_info tty = {0};
    if (t->pump)
        hail_pump_flow(t->pump, TELNET_TTY, &tty);
    return tty.state == HAIL_FLOW_FAILED && (tty.at_sink || tty.error.layer == HAIL_LAYER_PROTO);
}

/* The peer has ended its side: what was read of the input still goes out. */
static void send_the_rest(struct telnet *t)
{
    struct hail_flow_info net, tty;
    hail_pump_flow(t->pump, TELNET_NET, &net);
    hail_pump_flow(t->pump, TELNET_TTY, &tty);
    if (net.state >= HAIL_FLOW_ENDED || tty.state != HAIL_FLOW_ENDED)
        return;
    hail_pump_end_source(t->pump, TELNET_NET);
    while (hail_pump_run(&t->c->ctx, t->pump) > 0)
        telnet_signals_take();
}

/* The peer has closed, or nothing can go on: says so, and is the end of the program. */
static void session_over(struct telnet *t, int rc)
{
    if (rc >= 0 && t->pump && !t->tty.in)
        send_the_rest(t);
    telnet_terminal_mode(t, TELNET_MODE_COMMAND, true);
    t->closing = true;
    t->status = t->pump ? end_status(t, rc) : fail(t->c);
    if (rc >= 0 && !failed_here(t))
        telnet_complain("Connection closed by foreign host.\n");
    telnet_hang_up(t);
    t->leave = true;
}

void telnet_hang_up(struct telnet *t)
{
    telnet_signals_keys(false);
    telnet_terminal_mode(t, TELNET_MODE_COMMAND, true);
    hail_pump_free(t->pump);
    t->pump = NULL;
    hail_close(t->stream);
    t->stream = NULL;
    t->tls = false;
    telnet_transcript_end(t);
    hail_buf_clear(&t->out);
    t->urgent_end = 0;
}

void telnet_engine_begin(struct telnet *t)
{
    const struct hail_telnet_config config = {.arg = t,
                                              .event = telnet_event,
                                              .send = engine_sends,
                                              .terminal = &t->told,
                                              .sub = t->sub,
                                              .sub_size = sizeof t->sub};
    hail_telnet_init(&t->engine, &config);
    hail_telnet_allow_client(&t->engine);
    t->kludge = true;
    t->spoken = t->local_flow = t->silent_echo = t->closing = t->input_over = t->waits = false;
    t->restart_any = -1;
    t->failed = 0;
    t->at_bol = true;
    t->after_rlogin = false;
}

/* What the peer may be told first. */
static void offer(struct telnet *t)
{
    if (!t->offers)
        return;
    hail_telnet_begin(&t->engine);
    if (t->opt.eight_in)
        hail_telnet_ask(&t->engine, HAIL_TELNET_DO, HAIL_TELOPT_BINARY);
    if (t->opt.eight_out)
        hail_telnet_ask(&t->engine, HAIL_TELNET_WILL, HAIL_TELOPT_BINARY);
}

static int begin(struct telnet *t)
{
    int fd = hail_stream_fd(t->stream), one = 1;
    if (!t->idle_fd && (t->idle_fd = eventfd(0, EFD_CLOEXEC)) < 0)
        return -errno;
    t->wake_fd = telnet_signals_begin(t);
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one); /* not on a Unix socket */
    fcntl(fd, F_SETOWN, getpid());
    telnet_screen_begin(t);
    if (t->tty.in)
        t->c->ctx.by = (struct hail_deadline){0}; /* --timeout was for connecting */
    int rc = make_pump(t);
    if (rc < 0)
        return rc;
    fflush(stdout);
    t->at_prompt = false;
    telnet_mode_update(t, true);
    offer(t);
    return telnet_flush(t);
}

/* To the prompt and back. False when there is no connection any more. */
static bool visit_prompt(struct telnet *t)
{
    t->ask = false;
    drain(t, false);
    telnet_terminal_mode(t, TELNET_MODE_COMMAND, true);
    t->at_prompt = true;
    telnet_signals_at_prompt(t, true);
    telnet_prompt(t, false);
    if (!t->stream)
        return false;
    fflush(stdout);
    telnet_signals_at_prompt(t, false);
    t->at_prompt = false;
    telnet_mode_update(t, true);
    telnet_flush(t);
    return true;
}

static bool peer_is_over(const struct telnet *t)
{
    struct hail_flow_info tty;
    hail_pump_flow(t->pump, TELNET_TTY, &tty);
    return tty.state == HAIL_FLOW_ENDED || tty.state == HAIL_FLOW_FAILED;
}

static bool keyboard_is_over(const struct telnet *t)
{
    struct hail_flow_info net;
    hail_pump_flow(t->pump, TELNET_NET, &net);
    return net.state == HAIL_FLOW_ENDED || (net.state == HAIL_FLOW_FAILED && !net.at_sink);
}

void telnet_session(struct telnet *t)
{
    int rc = begin(t);
    while (rc >= 0) {
        rc = hail_pump_run(&t->c->ctx, t->pump);
        if (rc < 0 || peer_is_over(t))
            break;
        if (rc == HAIL_PUMP_WOKEN)
            serve_signals(t);
        if (t->waits)
            rc = telnet_flush(t);
        if (t->ask && !visit_prompt(t))
            return;
        if (rc >= 0 && keyboard_is_over(t)) {
            rc = input_ended(t);
            if (rc == 1)
                break;
        }
    }
    session_over(t, rc);
}
