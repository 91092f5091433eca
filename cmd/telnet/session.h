/* session.h - what the files of a connection share among themselves. */
#ifndef HAIL_CMD_TELNET_SESSION_H
#define HAIL_CMD_TELNET_SESSION_H

#include "prompt.h"

/* terminal.c */
void telnet_terminal_init(struct telnet *t);
void telnet_terminal_saved(struct telnet *t); /* after a stop: another program may have set it */
void telnet_terminal_default_chars(struct telnet *t);
bool telnet_terminal_resized(struct telnet *t); /* reads the size: whether it is another one */
/* Sets a mode; `again`: also when it is in force already, for its characters. */
void telnet_terminal_mode(struct telnet *t, int mode, bool again);
void telnet_terminal_restore(void); /* async-signal-safe, as the next */
void telnet_terminal_give_up(void); /* ... and it stays so */
bool telnet_terminal_given_up(void);

/* modes.c: the mode that the options ask for, and setting it. */
int telnet_mode_wanted(const struct telnet *t);
void telnet_mode_update(struct telnet *t, bool again);

/* signals.c: what has come since the last time it was asked for, as bits. */
enum {
    TELNET_SIG_INT = 1,
    TELNET_SIG_QUIT = 2,
    TELNET_SIG_TSTP = 4,
    TELNET_SIG_WINCH = 8,
    TELNET_SIG_URG = 16,
    TELNET_SIG_CONT = 32,
    TELNET_SIG_STOP = 64, /* to stop, as any program does */
};
int telnet_signals_begin(struct telnet *t); /* the descriptor that wakes, or -errno */
unsigned telnet_signals_take(void);         /* all but SIGURG */
bool telnet_signals_urgent(void);           /* SIGURG, taken */
/* Which keys of the terminal are for the conversation; otherwise they do what they always do. */
void telnet_signals_keys(bool for_peer);
void telnet_signals_at_prompt(const struct telnet *t, bool there);
/* Stops the program, or all of its job, until it is to go on. */
void telnet_suspend(struct telnet *t, bool whole_job);

/* keys.c */
int telnet_keys(void *arg, struct hail_pump *p, const char *data, size_t n);
int telnet_interrupt(struct telnet *t, uint8_t command); /* IP, BRK, ABORT, SUSP with the flushes */
int telnet_eof_key(struct telnet *t);

/* screen.c */
/* telnet_show(), and past the trace of -n. */
int telnet_screen(struct telnet *t, const char *p, size_t n);
void telnet_screen_begin(struct telnet *t);
bool telnet_terminal_utf8(void); /* whether it shows UTF-8 */
int telnet_came(void *arg, struct hail_pump *p, const char *data, size_t n);
void telnet_event(void *arg, const struct hail_telnet_event *e);

/* netlog.c: the trace of -n. */
void telnet_netlog_open(struct telnet *t, const char *file); /* NULL or "-": standard output */
void telnet_netlog_free(struct telnet *t);
const char *telnet_netlog_name(const struct telnet *t);
/* With `on` (netdata, termdata) set: the bytes in hexadecimal. */
void telnet_netlog_dump(struct telnet *t, bool on, char direction, const void *p, size_t n);
void telnet_netlog_event(struct telnet *t, const struct hail_telnet_event *e);

/* environ.c */
int telnet_environ_init(struct telnet *t);
void telnet_environ_free(struct telnet *t);
void telnet_environ_define(struct telnet *t, const char *name, const char *value, bool exported);
void telnet_environ_tell(struct telnet *t); /* puts them into t->told */

/* session.c */
/* Puts the pump away, after what waits in it was written, so that a layer can be laid on the
 * stream; and makes it anew. 0 or -errno. */
int telnet_pump_away(struct telnet *t);
int telnet_pump_back(struct telnet *t);
void telnet_engine_begin(struct telnet *t); /* all options off */
void telnet_hang_up(struct telnet *t);      /* closes the connection, tells nothing */

/* tls.c: lays TLS on a new connection to `to` if it is to have it. 0, or -1 with the status set and
 * the connection closed. */
int telnet_tls_begin(struct telnet *t, const struct hail_endpoint *to);

/* dial.c: the sink that tells of the attempts, as long as the program runs. */
void telnet_dialing_begin(struct telnet *t);
void telnet_dialing_end(struct telnet *t);

/* cmd_slc.c: the characters for the engine, and one changed by the peer. */
void telnet_slc_say(const struct telnet *t); /* in words */
void telnet_slc_tell(struct telnet *t);
void telnet_slc_take(struct telnet *t, unsigned function, uint8_t value);

#endif
