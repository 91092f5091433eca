/* telnet.h - the TELNET protocol (RFC 854, RFC 855), sans-I/O: bytes in, events and bytes out.
 *
 *   from the peer --> hail_telnet_receive()   --> event(): data, commands, options, subnegotiations
 *                                             --> send():  what has to be answered
 *   to the peer   --> hail_telnet_send_data(),
 *                     _send_command(), _ask() --> send()
 *
 * No sockets, no clock, no allocation: all memory is the caller's. Options are negotiated by RFC
 * 1143 on both sides, so that no peer can make it loop; a request gets at most one answer. What was
 * split over reads in any way gives the same events.
 *
 * Known beyond the negotiation: BINARY (RFC 856), ECHO (857), SUPPRESS GO AHEAD (858), STATUS
 * (859), TIMING MARK (860), NAWS (1073), TERMINAL SPEED (1079), TERMINAL TYPE (1091), XDISPLOC
 * (1096), LINEMODE (1184), LFLOW (1372), NEW-ENVIRON (1572). Other subnegotiations are handed on as
 * they are, and hail_telnet_send_sub() sends any, so that it serves a server as well.
 */
#ifndef HAIL_TELNET_H
#define HAIL_TELNET_H

#include <hail/ctx.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What follows an IAC. */
enum hail_telnet_command {
    HAIL_TELNET_EOF = 236, /* RFC 1184: end of file, suspend, abort */
    HAIL_TELNET_SUSP,
    HAIL_TELNET_ABORT,
    HAIL_TELNET_EOR, /* RFC 885: end of record */
    HAIL_TELNET_SE,
    HAIL_TELNET_NOP,
    HAIL_TELNET_DM, /* data mark */
    HAIL_TELNET_BRK,
    HAIL_TELNET_IP,
    HAIL_TELNET_AO,
    HAIL_TELNET_AYT,
    HAIL_TELNET_EC,
    HAIL_TELNET_EL,
    HAIL_TELNET_GA,
    HAIL_TELNET_SB,
    HAIL_TELNET_WILL,
    HAIL_TELNET_WONT,
    HAIL_TELNET_DO,
    HAIL_TELNET_DONT,
    HAIL_TELNET_IAC
};

/* Options that hail does something about; all 256 are negotiated. */
enum hail_telnet_option {
    HAIL_TELOPT_BINARY = 0,
    HAIL_TELOPT_ECHO = 1,
    HAIL_TELOPT_SGA = 3,
    HAIL_TELOPT_STATUS = 5,
    HAIL_TELOPT_TM = 6,
    HAIL_TELOPT_LOGOUT = 18,
    HAIL_TELOPT_TTYPE = 24,
    HAIL_TELOPT_NAWS = 31,
    HAIL_TELOPT_TSPEED = 32,
    HAIL_TELOPT_LFLOW = 33,
    HAIL_TELOPT_LINEMODE = 34,
    HAIL_TELOPT_XDISPLOC = 35,
    HAIL_TELOPT_NEW_ENVIRON = 39
};

/* The first byte of most subnegotiations, after the option. */
enum { HAIL_TELNET_IS = 0, HAIL_TELNET_SEND = 1, HAIL_TELNET_INFO = 2 };

/* LFLOW, RFC 1372. */
enum hail_telnet_flow {
    HAIL_TELNET_FLOW_OFF = 0,
    HAIL_TELNET_FLOW_ON = 1,
    HAIL_TELNET_FLOW_RESTART_ANY = 2,
    HAIL_TELNET_FLOW_RESTART_XON = 3
};

/* LINEMODE's MODE, RFC 1184 section 2.2. */
enum {
    HAIL_TELNET_MODE_EDIT = 1,
    HAIL_TELNET_MODE_TRAPSIG = 2,
    HAIL_TELNET_MODE_ACK = 4,
    HAIL_TELNET_MODE_SOFT_TAB = 8,
    HAIL_TELNET_MODE_LIT_ECHO = 16
};

/* LINEMODE's special characters, RFC 1184 section 2.4: function, level with modifiers, value. */
enum hail_telnet_slc_function {
    HAIL_TELNET_SLC_SYNCH = 1,
    HAIL_TELNET_SLC_BRK,
    HAIL_TELNET_SLC_IP,
    HAIL_TELNET_SLC_AO,
    HAIL_TELNET_SLC_AYT,
    HAIL_TELNET_SLC_EOR,
    HAIL_TELNET_SLC_ABORT,
    HAIL_TELNET_SLC_EOF,
    HAIL_TELNET_SLC_SUSP,
    HAIL_TELNET_SLC_EC,
    HAIL_TELNET_SLC_EL,
    HAIL_TELNET_SLC_EW,
    HAIL_TELNET_SLC_RP,
    HAIL_TELNET_SLC_LNEXT,
    HAIL_TELNET_SLC_XON,
    HAIL_TELNET_SLC_XOFF,
    HAIL_TELNET_SLC_FORW1,
    HAIL_TELNET_SLC_FORW2,
    HAIL_TELNET_NSLC /* functions are 1 .. HAIL_TELNET_NSLC - 1 */
};
enum {
    HAIL_TELNET_SLC_NOSUPPORT = 0,
    HAIL_TELNET_SLC_CANTCHANGE = 1,
    HAIL_TELNET_SLC_VALUE = 2,
    HAIL_TELNET_SLC_DEFAULT = 3,
    HAIL_TELNET_SLC_LEVEL = 3, /* the bits of the level */
    HAIL_TELNET_SLC_FLUSHOUT = 0x20,
    HAIL_TELNET_SLC_FLUSHIN = 0x40,
    HAIL_TELNET_SLC_ACK = 0x80
};
struct hail_telnet_slc {
    uint8_t flags; /* the level and FLUSHIN, FLUSHOUT, ACK */
    uint8_t value;
};

/* A variable of NEW-ENVIRON. What is not in the list, or not exported, is never told to a peer,
 * whatever it asks for (CVE-2005-0488). USER, JOB, ACCT, PRINTER, SYSTEMTYPE and DISPLAY go as VAR,
 * all others as USERVAR. */
struct hail_telnet_var {
    const char *name, *value;
    bool exported;
};

/* What the options tell the peer about this side. Borrowed: the caller may change it at any time,
 * and calls hail_telnet_resized() or hail_telnet_slc_check() where the peer has to be told. */
struct hail_telnet_terminal {
    const char *const *types; /* terminal types by preference; the last is told twice (RFC 1091) */
    size_t ntypes;            /* 0: "UNKNOWN" */
    const char *display;      /* of X: "host:0.0"; NULL: none */
    uint16_t columns, rows;
    uint32_t ospeed, ispeed; /* bit/s */
    const struct hail_telnet_var *vars;
    size_t nvars;
    /* by function: in `flags` the highest level that this side is capable of and the FLUSH
     * modifiers, in `value` the character now in use (0: none). flags 0: not told at all. */
    struct hail_telnet_slc slc[HAIL_TELNET_NSLC];
};

enum hail_telnet_event_type {
    /* from the peer */
    HAIL_TELNET_DATA,    /* p, n: data, with IAC and newlines undone; never cut at a meaning */
    HAIL_TELNET_OPTION,  /* option, ours, on: it went on or off */
    HAIL_TELNET_FLOW,    /* code: enum hail_telnet_flow */
    HAIL_TELNET_MODE,    /* code: LINEMODE's MODE bits now, without ACK */
    HAIL_TELNET_SLC,     /* code: function; value: its character, changed by the peer */
    HAIL_TELNET_MARK,    /* a TIMING MARK that was asked for has come; on: WILL, else WONT */
    HAIL_TELNET_DROPPED, /* option: a subnegotiation beyond the memory for it, dropped; once each */
    /* either way, in the order of the wire: what `toggle options` shows */
    HAIL_TELNET_COMMAND,     /* sent, code: any byte after IAC but SB, WILL ... IAC */
    HAIL_TELNET_NEGOTIATION, /* sent, code: WILL, WONT, DO or DONT; option */
    HAIL_TELNET_SUB          /* sent, option, p, n: what follows the option, IAC not doubled; end. p
                              * NULL: there was not even an option */
};

struct hail_telnet_event {
    enum hail_telnet_event_type type;
    bool sent; /* by this side */
    bool ours; /* OPTION: WILL side; else the peer's */
    bool on;
    uint8_t code, option, value;
    uint8_t end[2];   /* SUB: the two bytes that ended it: IAC SE, unless the peer broke it off */
    const uint8_t *p; /* valid during the call */
    size_t n;
};

#define HAIL_TELNET_SUB_MAX 65536 /* bytes: memory to give for subnegotiations of a full client */

struct hail_telnet_config {
    void *arg; /* handed to the callbacks */
    void (*event)(void *arg, const struct hail_telnet_event *e);
    /* `n` bytes for the peer, to be kept or sent in order; `urgent`: the one byte (DM) that the TCP
     * urgent pointer has to point to (MSG_OOB). Returns 0 or -errno, which then is what the call in
     * course and every later one returns. */
    int (*send)(void *arg, const void *p, size_t n, bool urgent);
    const struct hail_telnet_terminal *terminal; /* NULL: nothing to tell */
    /* Holds a subnegotiation while it comes in; longer ones are dropped. {NULL, 0}: all are. */
    uint8_t *sub;
    size_t sub_size;
};

/* Owned by the caller, about 700 bytes; nothing to free. Read it through the functions; only
 * `newline` may be written to, at any time. */
struct hail_telnet {
    struct hail_telnet_config config;
    /* Line ends (RFC 854, "the NVT printer"); a direction in BINARY has none of it. */
    struct {
        bool raw;     /* touch none */
        bool lines;   /* what is sent are lines: LF, or CR LF, becomes CR LF; off: keys, LF is LF */
        bool cr_crlf; /* a CR is sent as CR LF; off: CR NUL */
        bool fold_crlf; /* CR LF received becomes LF, as long as the peer does not echo */
        bool crmod;     /* a bare CR received becomes CR LF */
    } newline;
    /* private from here on */
    uint8_t ours[256], theirs[256];
    struct hail_telnet_slc slc[HAIL_TELNET_NSLC];
    size_t sub_n;
    unsigned type_at, marks;
    int failed;
    uint8_t state, verb, mode, sub_option, held_cr;
    bool paused, synch, flushing, sub_dropped, sent_cr;
};

/* Nothing is on and nothing is allowed: whatever the peer asks for is refused (`nc -t`). */
HAIL_API void hail_telnet_init(struct hail_telnet *t, const struct hail_telnet_config *config);

/* Whether a peer's DO (`ours`) and WILL (`theirs`) of an option are agreed to. What this side asks
 * for itself needs no allowance. */
HAIL_API void hail_telnet_allow(struct hail_telnet *t, uint8_t option, bool ours, bool theirs);

/* Allows what a client should: BINARY, SGA both ways; ECHO and STATUS of the peer; TM, TTYPE, NAWS,
 * TSPEED, LFLOW, LINEMODE and NEW-ENVIRON of ours, and XDISPLOC if there is a display. */
HAIL_API void hail_telnet_allow_client(struct hail_telnet *t);

/* Begins as a client does on port 23: DO SGA, WILL TTYPE, NAWS, TSPEED, LFLOW, LINEMODE,
 * NEW-ENVIRON, DO STATUS, and WILL XDISPLOC if there is a display. Returns 0 or -errno of send().
 */
HAIL_API int hail_telnet_begin(struct hail_telnet *t);

/* Takes bytes from the peer. Returns how many: all `n`, or less when a callback called
 * hail_telnet_pause(); the rest is given again later. -errno when send() has failed. */
HAIL_API ssize_t hail_telnet_receive(struct hail_telnet *t, const void *p, size_t n);

/* For the callbacks: receive() is to return after what it is at, because what was answered or shown
 * has to drain first, or because bytes of another protocol follow. */
HAIL_API void hail_telnet_pause(struct hail_telnet *t);

/* The peer's stream has ended: gives out a CR that waited for its second byte. Returns 0, or
 * -EPROTO when the stream ended inside a command or subnegotiation. */
HAIL_API int hail_telnet_end(struct hail_telnet *t);

/* Urgent data was announced (POLLPRI, SIGURG): data is discarded until the DM (RFC 854, SYNCH).
 * Commands and negotiations are still served. */
HAIL_API void hail_telnet_urgent(struct hail_telnet *t);

/* Sends data: IAC doubled, line ends as `newline` says. Lines that are cut between CR and LF are
 * put together; at the end of all data, a call with none completes a CR that came last. Returns 0
 * or -errno of send(), as all of the following. */
HAIL_API int hail_telnet_send_data(struct hail_telnet *t, const void *p, size_t n);

/* Sends IAC and a command of one byte; -EINVAL for SB, SE, WILL, WONT, DO, DONT, IAC and what is
 * none. DM goes as urgent data: with what precedes it, this is the SYNCH. */
HAIL_API int hail_telnet_send_command(struct hail_telnet *t, uint8_t command);

/* Asks for, or offers, an option on or off: `verb` is WILL, WONT, DO or DONT; -EINVAL for another.
 * Sends nothing when that is so or asked already, or has to wait for an answer (RFC 1143). DO
 * TIMING-MARK is always sent. */
HAIL_API int hail_telnet_ask(struct hail_telnet *t, uint8_t verb, uint8_t option);

/* Asks for a TIMING MARK and discards data until it comes: the output that an AO or IP is to
 * silence. */
HAIL_API int hail_telnet_flush_output(struct hail_telnet *t);

/* Sends any subnegotiation: `n` bytes after the option, not escaped. */
HAIL_API int hail_telnet_send_sub(struct hail_telnet *t, uint8_t option, const void *p, size_t n);

/* The window has another size: tells it when NAWS is on. */
HAIL_API int hail_telnet_resized(struct hail_telnet *t);

/* Asks for the peer's view of the options (RFC 859): -EOPNOTSUPP when STATUS is off. */
HAIL_API int hail_telnet_ask_status(struct hail_telnet *t);

/* Tells one exported variable as it is now (RFC 1572 INFO): -EOPNOTSUPP when NEW-ENVIRON is off,
 * -ENOENT when there is none of this name, -EACCES when it is not exported. */
HAIL_API int hail_telnet_send_environ(struct hail_telnet *t, const char *name);

/* LINEMODE's characters: tells all of ours; asks for the peer's default, or present, ones; tells
 * those that have changed in the terminal. Nothing is sent while LINEMODE is off. */
HAIL_API int hail_telnet_slc_export(struct hail_telnet *t);
HAIL_API int hail_telnet_slc_import(struct hail_telnet *t, bool defaults);
HAIL_API int hail_telnet_slc_check(struct hail_telnet *t);

/* A character as agreed with the peer; function 1 .. HAIL_TELNET_NSLC - 1. */
HAIL_API struct hail_telnet_slc hail_telnet_slc(const struct hail_telnet *t, unsigned function);

/* LINEMODE's MODE bits, 0 when LINEMODE is off. */
HAIL_API unsigned hail_telnet_mode(const struct hail_telnet *t);

/* Proposes LINEMODE's MODE bits, which are in force at once (RFC 1184 section 2.2): -EOPNOTSUPP
 * when LINEMODE is off. Sends nothing when they are in force. */
HAIL_API int hail_telnet_ask_mode(struct hail_telnet *t, unsigned mode);

/* An option's state on one side, RFC 1143: `_ours` and `_theirs` say whether it is on; `_wanted`
 * whether it is, or was asked to become, on; `_pending` whether an answer is awaited. */
HAIL_API bool hail_telnet_ours(const struct hail_telnet *t, uint8_t option);
HAIL_API bool hail_telnet_theirs(const struct hail_telnet *t, uint8_t option);
HAIL_API bool hail_telnet_wanted(const struct hail_telnet *t, uint8_t option, bool ours);
HAIL_API bool hail_telnet_pending(const struct hail_telnet *t, uint8_t option, bool ours);

/* Names in capitals as telnets show them ("SUPPRESS GO AHEAD", "DMARK", "FORW1"); NULL where there
 * is none. Static strings. */
HAIL_API const char *hail_telnet_option_name(unsigned option);
HAIL_API const char *hail_telnet_command_name(unsigned command);
HAIL_API const char *hail_telnet_slc_name(unsigned function);

#ifdef __cplusplus
}
#endif
#endif
