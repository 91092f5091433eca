/* starttls.h - the inside of the dialogs of <hail/starttls.h>.
 *
 *   starttls.c         which protocol, and where one is in it
 *   starttls_lines.c   protocols of lines: SMTP, LMTP, POP3, IMAP, FTP, NNTP, ManageSieve
 *   starttls_binary.c  PostgreSQL, MySQL, LDAP; XMPP
 */
#ifndef HAIL_PROTO_STARTTLS_H
#define HAIL_PROTO_STARTTLS_H

#include <hail/starttls.h>

/* States of every dialog, in order; not each has all of them. */
enum { HAIL_STARTTLS_GREETING, HAIL_STARTTLS_FEATURES, HAIL_STARTTLS_ANSWER };

/* Goes on to `state`, saying `text`. Returns 0. */
int hail_starttls_say(struct hail_starttls_dialog *d, int state, const char *text);
/* Says bytes. */
int hail_starttls_send(struct hail_starttls_dialog *d, int state, const void *p, size_t n);

/* The first word after the greeting, and the word that starts TLS, of the dialog's protocol. */
int hail_starttls_hello(struct hail_starttls_dialog *d);
int hail_starttls_ask(struct hail_starttls_dialog *d);

/* Fails: `why`, with what the peer said where `said` is not NULL. Returns rc. */
int hail_starttls_fail(struct hail_starttls_dialog *d, int rc, const char *why, const char *said);

/* One line without its end. As hail_starttls_take(). */
int hail_starttls_line(struct hail_starttls_dialog *d, const char *line);
/* All that came so far, d->in[0..in_len); *used of it were taken. As hail_starttls_take(). */
int hail_starttls_message(struct hail_starttls_dialog *d, size_t *used);

static inline bool hail_starttls_is_lines(enum hail_starttls p)
{
    return p >= HAIL_STARTTLS_SMTP && p <= HAIL_STARTTLS_SIEVE;
}

#endif
