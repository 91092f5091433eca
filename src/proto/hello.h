/* hello.h - the first words with a service: enough to know that it is there and what it can do, and
 * nothing that changes anything at the peer. Sans-I/O.
 *
 *      hail_hello_begin() --> [send out, hand what comes to hail_hello_take()] ... --> DONE
 *                                        |
 *                                        '--> SECURE: the TLS handshake, hail_hello_secured()
 *
 *   hello.c            which protocol; what comes is gathered, facts are kept
 *   hello_lines.c      protocols of lines: lines, and replies by codes
 *   hello_looks.c      what something looks like that is another protocol than was expected
 *   hello_NAME.c       one protocol each: a struct hail_hello_ops
 *
 * One hello is one conversation. What it learned are facts: "banner", "software", and lists such as
 * "capability"; their values are the peer's bytes, not made safe to show.
 */
#ifndef HAIL_PROTO_HELLO_H
#define HAIL_PROTO_HELLO_H

#include <hail/http.h>

#include "base/buf.h"
#include "proto/script.h"

enum hail_hello_kind {
    HAIL_HELLO_NONE = 0, /* nothing is said: to be connected is enough; with TLS, the handshake */
    HAIL_HELLO_FTP,
    HAIL_HELLO_SSH,
    HAIL_HELLO_TELNET,
    HAIL_HELLO_SMTP,
    HAIL_HELLO_LMTP,
    HAIL_HELLO_HTTP,
    HAIL_HELLO_POP3,
    HAIL_HELLO_IMAP,
    HAIL_HELLO_NNTP,
    HAIL_HELLO_DNS,
    HAIL_HELLO_NTP,
    HAIL_HELLO_POSTGRES,
    HAIL_HELLO_MYSQL,
    HAIL_HELLO_REDIS,
    HAIL_HELLO_MEMCACHED,
    HAIL_HELLO_MQTT,
    HAIL_HELLO_SCRIPT, /* steps of opts.script */
    HAIL_HELLO_KINDS
};

/* Whether the connection is to be secured on the way, where the protocol can. */
enum hail_hello_tls {
    HAIL_HELLO_TLS_TRY = 0, /* where the service offers it */
    HAIL_HELLO_TLS_NEVER,
    HAIL_HELLO_TLS_REQUIRED,
};

#define HAIL_HELLO_NONCE 12 /* random bytes of one conversation: DNS and NTP repeat them */

/* What is asked. Only read; lives as long as the hello. */
struct hail_hello_opts {
    const char *host; /* whom one wants to reach, as a Host field says it; NULL: nobody's name */
    enum hail_hello_tls starttls;
    bool secured;  /* TLS lies beneath from the first byte on */
    bool datagram; /* DNS and NTP: each `out` is one datagram, and so is what comes */
    uint8_t nonce[HAIL_HELLO_NONCE];
    const struct hail_script *script; /* SCRIPT */
    /* HTTP */
    const char *method;          /* NULL: HEAD, or GET where content is expected */
    const char *target;          /* NULL: "/" */
    const char *fields;          /* further field lines, each with its CRLF; NULL: none */
    const regex_t *body;         /* a line of the content has to match; NULL: none has to */
    const regex_t *not_body;     /* no line may match */
    const uint16_t (*status)[2]; /* ranges of the status that is expected; NULL: 200 to 399 */
    size_t nstatus;
    /* DNS: what is asked for; NULL: the name servers of the root */
    const char *query;
    uint16_t query_type; /* 0: NS for the root, A otherwise */
};

/* What take(), and the others, come to; negative is a failure, with `why`:
 *   -EPROTO        something else answers, or it broke its protocol
 *   -ECONNREFUSED  the service is there, and says no: "421", "-ERR", a status that is not expected
 *   -ENOTSUP       STARTTLS is required and not offered
 *   -EMSGSIZE      more came than any sane peer sends
 *   -ENOMEM */
enum {
    HAIL_HELLO_MORE = 0, /* send `out`, hand over what comes */
    HAIL_HELLO_SECURE,   /* send `out`; the handshake is next; then hail_hello_secured() */
    HAIL_HELLO_DONE,     /* send `out`, and that is all */
};

#define HAIL_HELLO_LINE     8192                /* bytes of a line */
#define HAIL_HELLO_ALL      ((size_t)256 << 10) /* bytes that come altogether */
#define HAIL_HELLO_BODY     ((size_t)1 << 20)   /* HTTP: bytes of content that are looked at */
#define HAIL_HELLO_FACTS    ((size_t)16 << 10)
#define HAIL_HELLO_WHY      320
#define HAIL_HELLO_QUIET_MS 400 /* silence that ends what has no end: TELNET's options */

struct hail_hello_ops;

/* Fields up to `why` may be read, and `out` is the caller's to send and clear. */
struct hail_hello {
    enum hail_hello_kind kind;
    bool greeted;  /* the peer has said something that is the protocol's */
    bool spoke;    /* it is the service: what fails from here on does not matter */
    bool starttls; /* the handshake was asked for on the way */
    bool mismatch; /* it spoke, but not what an expression of the caller's wants */
    struct hail_buf out;
    struct hail_buf facts; /* private; hail_hello_next_fact() */
    char why[HAIL_HELLO_WHY];
    /* private */
    const struct hail_hello_ops *ops;
    const struct hail_hello_opts *opts;
    struct hail_buf in; /* what came and was not taken */
    size_t all;
    int state;      /* the protocol's own, 0 at first */
    int code;       /* of a reply that goes on; 0: none does */
    unsigned flags; /* the protocol's own */
    bool asked;     /* the peer was silent, and was asked for any answer */
    bool quiet_is_end;
    void *more; /* the protocol's own memory, freed by ops->free */
};

/* By its name ("smtp", "imap", "postgres", also the common others: "submission", "pop3s"; "tcp" and
 * "tls" are NONE). *tls (may be NULL) says whether the name means TLS from the first byte on.
 * HAIL_HELLO_KINDS: there is no such. */
enum hail_hello_kind hail_hello_by_name(const char *name, bool *tls);
/* What is spoken on a port, by its registered service; NONE where nothing is known. */
enum hail_hello_kind hail_hello_by_port(uint16_t port, bool *tls);
/* The port of the protocol, 0 for NONE and SCRIPT. */
uint16_t hail_hello_port(enum hail_hello_kind kind, bool tls);
/* ... and of the name, which may be another than the protocol's ("submission"); 0: none. */
uint16_t hail_hello_port_by_name(const char *name);
const char *hail_hello_name(enum hail_hello_kind kind);  /* "smtp"; "tcp" for NONE */
const char *hail_hello_title(enum hail_hello_kind kind); /* "SMTP" */
/* Whether it is spoken over UDP unless TCP is asked for: DNS and NTP. */
bool hail_hello_is_udp(enum hail_hello_kind kind);

/* The connection is there. Always free it afterwards. Returns a step. */
int hail_hello_begin(struct hail_hello *h, enum hail_hello_kind kind,
                     const struct hail_hello_opts *opts);
/* Bytes came, or a datagram. */
int hail_hello_take(struct hail_hello *h, const void *p, size_t n);
/* The handshake after SECURE is done. */
int hail_hello_secured(struct hail_hello *h);
/* The stream has ended. DONE if the service had spoken. */
int hail_hello_end(struct hail_hello *h);
/* Nothing has come for hail_hello_patience() milliseconds, where that is not negative. */
int hail_hello_quiet(struct hail_hello *h);
int hail_hello_patience(const struct hail_hello *h);
/* The time that the caller gives for the first words, or for all of them, is over. MORE: `out` is a
 * last attempt to find out who is there; wait a second more, then call it again. */
int hail_hello_silent(struct hail_hello *h);
void hail_hello_free(struct hail_hello *h);

/* Walks through the facts: `at` is 0 at first. False at the end. The value is NUL-ended, and has no
 * other NUL. `item`: one of a list of that name. */
struct hail_hello_fact {
    const char *name, *value;
    bool item;
};
bool hail_hello_next_fact(const struct hail_hello *h, size_t *at, struct hail_hello_fact *fact);
/* The first fact of the name, or NULL. */
const char *hail_hello_fact(const struct hail_hello *h, const char *name);

/* --- for the protocols --- */

/* A protocol. Each function returns a step; NULL ones do nothing. */
struct hail_hello_ops {
    const char *name, *title;
    bool peer_first; /* the service speaks first */
    /* Connected, or TLS is on after SECURE (h->starttls). */
    int (*begin)(struct hail_hello *h);
    /* What came and was not taken yet; *used of it are. Called again while something is. */
    int (*take)(struct hail_hello *h, const char *p, size_t n, size_t *used);
    /* In place of `take`: one line without its end (CR LF, or LF), NUL-ended behind it. */
    int (*line)(struct hail_hello *h, const char *line, size_t n);
    /* Silence, where quiet_is_end is set. */
    int (*quiet)(struct hail_hello *h);
    /* The stream has ended before the service spoke; NULL: that is a failure. */
    int (*end)(struct hail_hello *h);
    void (*free)(struct hail_hello *h);
};
extern const struct hail_hello_ops hail_hello_ftp, hail_hello_ssh, hail_hello_telnet,
    hail_hello_smtp, hail_hello_lmtp, hail_hello_http, hail_hello_pop3, hail_hello_imap,
    hail_hello_nntp, hail_hello_dns, hail_hello_ntp, hail_hello_postgres, hail_hello_mysql,
    hail_hello_redis, hail_hello_memcached, hail_hello_mqtt, hail_hello_script;

/* Appends to `out`. MORE, or -ENOMEM. */
int hail_hello_say(struct hail_hello *h, const char *text);
int hail_hello_send(struct hail_hello *h, const void *p, size_t n);
/* Remembers a fact, or an item of a list; what has no room any more is left out. */
void hail_hello_note(struct hail_hello *h, const char *name, const char *p, size_t n);
void hail_hello_item(struct hail_hello *h, const char *name, const char *p, size_t n);
/* The same at the end of that fact, behind a space, if it is the last one. */
void hail_hello_join(struct hail_hello *h, const char *name, const char *p, size_t n);
/* Drops all items: what was told in plain text does not count under TLS. */
void hail_hello_forget_items(struct hail_hello *h);
/* The first line of what came, or its front, made safe. Returns out. */
#define HAIL_HELLO_LOOKS 128
const char *hail_hello_quote(char out[HAIL_HELLO_LOOKS], const char *p, size_t n);
/* Fails with `why`, a clause for people ("the service says no: ..."). Returns rc. */
int hail_hello_fail(struct hail_hello *h, int rc, const char *fmt, ...) HAIL_PRINTF(3, 4);
/* Fails with -EPROTO: "expected SMTP, this is SSH-2.0", by what came. */
int hail_hello_strange(struct hail_hello *h, const char *p, size_t n);
/* Fails with -ECONNREFUSED: "the service says: 554 no". */
int hail_hello_refused(struct hail_hello *h, const char *line, size_t n);

/* hello_lines.c: a line of a reply by codes (SMTP, FTP, NNTP): its code, 0 if it is none. *last:
 * the reply ends with it. In FTP the lines between need no code: RFC 959 section 4.2. */
int hail_hello_code(struct hail_hello *h, const char *line, size_t n, bool *last);
/* What the service can do is known: secures the connection, where it offers that and the caller
 * wants it, or else takes leave, as it has spoken. The state of each, and what is said. */
struct hail_hello_words {
    const char *name; /* of securing: "STARTTLS" */
    int securing;
    const char *secure;
    int leaving;
    const char *leave;
};
int hail_hello_secure_or_leave(struct hail_hello *h, const struct hail_hello_words *w,
                               bool offered);
/* Takes lines out of what came. */
int hail_hello_take_lines(struct hail_hello *h, const char *p, size_t n, size_t *used);

/* hello_looks.c: what the first bytes of a peer look like, in words ("SSH-2.0-OpenSSH_9.2", "HTTP",
 * "TLS"), only printable; "" if like nothing known. `kind` gets the protocol, NONE if it is none of
 * them. Returns out. */
const char *hail_hello_looks(const char *p, size_t n, enum hail_hello_kind *kind,
                             char out[HAIL_HELLO_LOOKS]);

#endif
