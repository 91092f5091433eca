/* reply_explain.h - what replies mean: between reply.c and the tables of each protocol. */
#ifndef HAIL_PROTO_REPLY_EXPLAIN_H
#define HAIL_PROTO_REPLY_EXPLAIN_H

#include "proto/reply.h"

struct hail_reply_code {
    int code;
    const char *text;
};

struct hail_reply_word {
    const char *word, *text;
};

/* The text of a code or word, NULL if the table has none; words are compared without case. */
const char *hail_reply_code(const struct hail_reply_code *t, size_t n, int code);
const char *hail_reply_word(const struct hail_reply_word *t, size_t n, const char *word);

/* The last line of a reply, NUL-ended, explained; "" if there is nothing to say. */
void hail_reply_explain_mail(const char *line, char text[HAIL_REPLY_TEXT]); /* SMTP, LMTP */
void hail_reply_explain_ftp(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_news(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_http(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_pop3(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_imap(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_redis(const char *line, char text[HAIL_REPLY_TEXT]);
void hail_reply_explain_memcached(const char *line, char text[HAIL_REPLY_TEXT]);

/* The three digits at the front, or 0. */
int hail_reply_number(const char *line);
/* The next word of `p` into `word` (cut, NUL-ended), up to a blank or a byte of `ends`; returns
 * what follows it. */
const char *hail_reply_next_word(const char *p, const char *ends, char *word, size_t size);

#endif
