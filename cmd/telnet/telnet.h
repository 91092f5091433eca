/* telnet.h - `hail telnet`: the map of its files, and what they share.
 *
 *   telnet.c      the command: runs it by options, says how it ended
 *   options.c     the command line, as inetutils-telnet reads it, and hail's own words
 *   dial.c        `open`: name and port, "Trying ...", the connection
 *   session.c     a connection as long as it lives: the pump, its ends, signals, the prompt
 *   keys.c        what is typed: escape character, keys with a meaning -> the engine
 *   screen.c      what comes: the engine's events -> the terminal
 *   explain.c     what a service's replies mean, behind each
 *   editor*.c     the line editor of plain conversations
 *   modes.c       which terminal mode the options agreed on ask for
 *   terminal.c    termios, window size, and the way back to how it was on every exit
 *   tls.c         --tls, --starttls, `starttls` at the prompt
 *   script*.c     conversations that are written down: --expect, --send, --script
 *   transcript.c  writing one down: --transcript
 *   signals.c     SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGURG ... to a descriptor
 *   prompt.c      "telnet> ": reads a line, finds the command; .telnetrc
 *   cmd_*.c       the commands of the prompt: close, quit, status, z, !; send; set, unset, display;
 *                 toggle; mode; slc (open is in dial.c, environ in environ.c)
 *   words.c       abbreviations and the words of a line
 *   environ.c     the variables of NEW-ENVIRON
 *   netlog.c      the trace of -n: options, netdata, termdata
 *
 *            keys.c       telnet_say()          engine          telnet_flush()
 *   keyboard ------> [editor, script] --> hail_telnet_send_data --> pump flow NET --> stream
 *                                                                                       |
 *   screen <-- pump flow TTY <-- telnet_show() <-- screen.c <-- hail_telnet_receive <---+
 *                                                  [visible, transcript]
 *
 * The flow to the peer and the one to the screen are the two flows of a hail_pump; its filters are
 * telnet_keys() and telnet_came(). It lives from one visit of the prompt to the next.
 */
#ifndef HAIL_CMD_TELNET_H
#define HAIL_CMD_TELNET_H

#include "cmd.h"

#include "base/visible.h"
#include "proto/reply.h"

#include <hail/pump.h>
#include <hail/starttls.h>
#include <hail/telnet.h>
#include <hail/trace.h>

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#define TELNET_LINE  256 /* bytes of a line of the prompt, with its NUL; more is the next line */
#define TELNET_WORDS 20  /* words of such a line, with the NULL at the end */
#define TELNET_OFF   0   /* a character that is not set: _POSIX_VDISABLE */

/* The pump's flows: a is the keyboard and the screen, b the stream. */
enum { TELNET_NET = 0, TELNET_TTY = 1 };

enum telnet_newline { TELNET_NEWLINE_AUTO = 0, TELNET_NEWLINE_CRLF, TELNET_NEWLINE_LF };

/* Whether there is TLS on the connection, and how. */
struct telnet_tls_options {
    bool on, off;  /* --tls, --no-tls; neither: as the port has it */
    bool starttls; /* --starttls, in this protocol; NONE: as the port has it */
    enum hail_starttls protocol;
    const char *name; /* --sni: in place of the host's name */
    struct hail_tls_opts how;
};

/* The command line; not changed afterwards. */
struct telnet_options {
    const char *host, *port;  /* NULL: none given; the prompt */
    const char *user;         /* -l */
    const char *bind;         /* -b */
    bool eight_in, eight_out; /* -8, -L */
    bool raw;                 /* --raw: show what comes as it is */
    bool no_help;             /* --no-help: replies are not explained */
    const char *transcript;   /* --transcript: the file; NULL: none */
    enum telnet_newline newline;
    struct telnet_tls_options tls;
};

/* `toggle`; in the order of `display`. */
struct telnet_toggles {
    int autoflush, autosynch, autologin, skiprc, crlf, crmod, localchars;
    int debug, netdata, prettydump, options, termdata;
};

/* Where a character of `set` is kept: the terminal's own are in `now.c_cc`. */
struct telnet_chars {
    cc_t echo, escape, rlogin, ayt;
};

/* The terminal's modes; modes.c decides, terminal.c does. */
enum {
    TELNET_MODE_ECHO = 0x100,  /* echoed here */
    TELNET_MODE_FLOW = 0x200,  /* XON and XOFF are meant for here */
    TELNET_MODE_INBIN = 0x400, /* eight bits are typed */
    TELNET_MODE_OUTBIN = 0x800 /* nothing is changed on the way to the screen */
    /* and HAIL_TELNET_MODE_EDIT, _TRAPSIG, _SOFT_TAB, _LIT_ECHO */
};
#define TELNET_MODE_COMMAND (-1) /* as it was found: at the prompt */

struct telnet_terminal {
    bool in, out;         /* standard input, output is one */
    struct termios found; /* how it was: what every exit goes back to */
    struct termios now;   /* ... with the characters that were set since */
    int mode;             /* in force */
    struct winsize size;
};

/* The lines of the attempts: dial.c. */
struct telnet_dialing {
    struct hail_trace trace; /* first: the sink */
    struct hail_trace *next; /* the trace that was asked for; NULL: none */
    int errnum;              /* of the attempt that failed last, not told yet; 0: none */
    bool quiet;              /* they are not shown */
};

/* `slc`: whose special characters are in force. */
enum { TELNET_SLC_EXPORT = 0, TELNET_SLC_IMPORT, TELNET_SLC_CHECK };

struct telnet_environ;    /* environ.c */
struct telnet_netlog;     /* netlog.c */
struct telnet_editor;     /* editor.h */
struct telnet_script;     /* script.h */
struct telnet_transcript; /* transcript.h */

struct telnet {
    struct common *c;
    const char *name; /* of the program, in front of the prompt's "> " */
    struct telnet_options opt;
    struct telnet_toggles toggle;
    struct telnet_chars chars;
    struct telnet_terminal tty;
    struct telnet_environ *env;
    struct telnet_netlog *log;
    bool at_prompt;
    bool leave;        /* the program is to end, with: */
    int status;        /* a hail status */
    int slc_source;    /* TELNET_SLC_ */
    bool binary_asked; /* `toggle binary`: which way it went last */

    /* the connection; stream NULL: none */
    struct hail_stream *stream;
    struct hail_pump *pump;
    struct telnet_dialing dialing;
    char host[HAIL_HOST_MAX + 1]; /* as it was asked for */
    uint16_t port;                /* 0: a Unix socket */
    bool is_unix;
    bool tls;     /* the stream is TLS */
    bool offers;  /* options may be offered first: port 23, or "-PORT" */
    bool spoken;  /* the peer has begun with options: telnet_is_plain() */
    bool closing; /* the conversation is over: what is shown goes to standard output */
    int wake_fd;  /* of signals */
    int idle_fd;  /* is never readable; 0: not made */

    /* what is typed */
    struct hail_buf typed;     /* after the escape character: the prompt's first line */
    bool ask;                  /* the escape character was typed: the prompt is next */
    bool at_bol, after_rlogin; /* -r: at the beginning of a line, behind its escape character */
    bool silent_echo;          /* the echo character was typed: no local echo */
    bool input_over;           /* what was piped in has ended */
    bool no_editor;            /* it cannot be made */

    /* the protocol */
    struct hail_telnet engine;
    struct hail_telnet_terminal told; /* what the engine tells the peer */
    uint8_t sub[HAIL_TELNET_SUB_MAX];
    struct hail_buf out; /* for the peer, from the engine, until telnet_flush() */
    size_t urgent_end;   /* the byte of `out` before it is urgent; 0: none is */
    bool waits;          /* urgent bytes are behind others */
    int failed;          /* -errno of what an event did */
    bool kludge;         /* LINEMODE was not agreed on: SGA and ECHO decide */
    bool local_flow;     /* LFLOW: XON and XOFF are meant for here */
    int restart_any;     /* LFLOW: -1 not told, 0, 1 */

    /* what is shown */
    struct hail_visible visible;
    struct hail_buf shown;   /* made visible */
    struct hail_reply reply; /* of a plain conversation */

    /* what may stand between; NULL: nothing */
    struct telnet_editor *editor;
    struct telnet_script *script;
    struct telnet_transcript *transcript;
};

/* --- what the pieces in between build on --- */

/* Text for the peer, as typed: goes through the engine (IAC doubled, line ends), and to the
 * transcript. Call telnet_flush() at the end. 0 or -errno. */
int telnet_say(struct telnet *t, const char *p, size_t n);

/* Hands what the engine has put to the pump; the byte of a SYNCH as urgent data. 0 or -errno. */
int telnet_flush(struct telnet *t);

/* Bytes for the screen, in order with what came from the peer. They are shown as they are. */
int telnet_show(struct telnet *t, const char *p, size_t n);

/* The conversation is plain text of some service: the peer has not spoken TELNET, and the port did
 * not say that it does. Nothing but what is typed is sent, and what comes is made visible. */
bool telnet_is_plain(const struct telnet *t);

/* Holds the conversation: until the peer has closed, which sets `leave` and `status`, or the prompt
 * has closed it. */
void telnet_session(struct telnet *t);

#endif
