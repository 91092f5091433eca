/* reply.h - the text protocols of services, as somebody who talks to one by hand needs them: which
 * it is, where a reply ends, what it means, and what can be said. Sans-I/O.
 *
 *   SMTP, LMTP   250-... 250 ...     codes of RFC 5321 section 4.2, enhanced codes of RFC 3463 and
 *                                    their registry
 *   FTP          220-... 220 ...     RFC 959 section 4.2, RFC 2228, RFC 2428
 *   NNTP         215 ... to "."      RFC 3977, RFC 4642 to 4644
 *   POP3         +OK ... to "."      RFC 1939, response codes of RFC 2449, RFC 3206
 *   IMAP         tag OK [CODE] ...   RFC 9051, RFC 5530; literals are skipped
 *   HTTP         the head            RFC 9110 section 15
 *   Redis        + - : $ *           RESP; the prefixes of errors
 *   memcached    words               the text protocol
 */
#ifndef HAIL_PROTO_REPLY_H
#define HAIL_PROTO_REPLY_H

#include "base/buf.h"

enum hail_talk {
    HAIL_TALK_GENERIC, /* not known, or not yet */
    HAIL_TALK_SMTP,
    HAIL_TALK_LMTP,
    HAIL_TALK_POP3,
    HAIL_TALK_IMAP,
    HAIL_TALK_FTP,
    HAIL_TALK_NNTP,
    HAIL_TALK_HTTP,
    HAIL_TALK_REDIS,
    HAIL_TALK_MEMCACHED,
    HAIL_TALK_N
};

const char *hail_talk_name(enum hail_talk talk); /* "smtp"; "" for GENERIC */

/* By the name of the service in IANA's registry or a common one ("submission", "imaps", "redis"),
 * or by its port. GENERIC: neither says. */
enum hail_talk hail_talk_of(const char *service, uint16_t port);

/* What can be said to a service. */
struct hail_verb {
    const char *name; /* "RCPT TO:" */
    const char *args; /* "<address>", or "" */
    const char *help; /* one line */
};
const struct hail_verb *hail_talk_verbs(enum hail_talk talk, size_t *n);

#define HAIL_REPLY_LINE 512 /* bytes of a line that are looked at; the rest passes */
#define HAIL_REPLY_TEXT 200 /* of an explanation, with its NUL */

/* GENERIC may turn into another. Whether a line tells which: the peer's first, or one that is said.
 */
enum hail_talk hail_talk_of_greeting(const char *line);
enum hail_talk hail_talk_of_command(const char *line);

/* Of a line that is said, NUL-ended: whether passwords follow, whether it holds one, and whether a
 * list up to a single dot is the answer, if it is no error. */
bool hail_talk_asks(enum hail_talk talk, const char *line);
bool hail_talk_tells(const char *line);
bool hail_talk_lists(enum hail_talk talk, const char *line);

/* Follows what one peer sends. Begin with hail_reply_init(); nothing to free. `talk` may be read.
 */
struct hail_reply {
    enum hail_talk talk;
    /* private from here on */
    char line[HAIL_REPLY_LINE];
    size_t n;           /* of the line that has begun, or went before */
    uint64_t skip;      /* bytes of a literal that are no lines */
    uint64_t literal;   /* IMAP: of {n} at the end of the line so far */
    uint8_t brace;      /* IMAP: how far {n} has come */
    bool over;          /* `line` is complete: the next byte begins another */
    bool greeted;       /* a reply has come: the first is nobody's answer */
    bool dotted;        /* up to a line with a single dot */
    bool head;          /* HTTP: up to the empty line */
    bool body;          /* HTTP: what comes is content, until something is said */
    bool some;          /* memcached: END is not the only line */
    bool secret;        /* a dialogue of authentication: what is said is no command */
    bool said;          /* something was */
    char code[4];       /* of a reply with several lines, or "" */
    char status[64];    /* the front of the line that a list or head follows */
    uint32_t lists;     /* of what was said and not answered yet: whether a list is the answer */
    uint8_t unanswered; /* how many; 32 at most are counted */
};

void hail_reply_init(struct hail_reply *r, enum hail_talk talk);

/* Takes bytes up to the end of the next reply, or all. Returns how many; `text` gets the reply's
 * explanation ("550 5.1.1: mailbox unavailable (...); permanent"), or "" when none has ended or
 * there is nothing to say about it. Only printable ASCII. */
size_t hail_reply_take(struct hail_reply *r, const char *p, size_t n, char text[HAIL_REPLY_TEXT]);

/* Whether a line that is about to be said must be kept nowhere: it holds a password, or answers a
 * question for one, or is longer than what is looked at. */
bool hail_reply_secret(const struct hail_reply *r, const char *line, size_t n);

/* A line is said, without its end. */
void hail_reply_said(struct hail_reply *r, const char *line, size_t n);

#endif
