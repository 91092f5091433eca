/* starttls_lines.c - STARTTLS in the protocols of lines; starttls.h. */
#include "proto/starttls.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool begins(const char *line, const char *with)
{
    return strncasecmp(line, with, strlen(with)) == 0;
}

/* "250-" and "250 ": three digits, and whether a further line of the reply follows. 0: no reply. */
static int reply(const char *line, bool *more)
{
    int code = 0;
    for (int i = 0; i < 3; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        code = code * 10 + line[i] - '0';
    }
    *more = line[3] == '-';
    return line[3] == '\0' || line[3] == ' ' || *more ? code : 0;
}

static int unexpected(struct hail_starttls_dialog *d, const char *line)
{
    return hail_starttls_fail(d, -EPROTO, "unexpected", line);
}

static int refused(struct hail_starttls_dialog *d, const char *line)
{
    return hail_starttls_fail(d, -ECONNREFUSED, "the peer refuses to start TLS", line);
}

static int not_offered(struct hail_starttls_dialog *d)
{
    return hail_starttls_fail(d, -ENOTSUP, "the peer does not offer to start TLS", NULL);
}

/* --- what is said --- */

int hail_starttls_hello(struct hail_starttls_dialog *d)
{
    return hail_starttls_say(d, HAIL_STARTTLS_FEATURES,
                             d->protocol == HAIL_STARTTLS_LMTP ? "LHLO localhost\r\n"
                                                               : "EHLO localhost\r\n");
}

int hail_starttls_ask(struct hail_starttls_dialog *d)
{
    static const char *const words[] = {[HAIL_STARTTLS_POP3] = "STLS\r\n",
                                        [HAIL_STARTTLS_IMAP] = "a001 STARTTLS\r\n",
                                        [HAIL_STARTTLS_FTP] = "AUTH TLS\r\n",
                                        [HAIL_STARTTLS_SIEVE] = NULL};
    const char *word = words[d->protocol];
    return hail_starttls_say(d, HAIL_STARTTLS_ANSWER, word ? word : "STARTTLS\r\n");
}

/* --- SMTP and LMTP --- */

static int smtp(struct hail_starttls_dialog *d, const char *line)
{
    bool more;
    int code = reply(line, &more);
    if (!code)
        return unexpected(d, line);
    if (d->state == HAIL_STARTTLS_FEATURES && code == 250 && line[3])
        d->offered |= strcasecmp(line + 4, "STARTTLS") == 0;
    if (more)
        return 0;
    switch (d->state) {
    case HAIL_STARTTLS_GREETING:
        if (code != 220)
            return refused(d, line);
        return hail_starttls_hello(d);
    case HAIL_STARTTLS_FEATURES:
        if (code != 250)
            return refused(d, line);
        return d->offered ? hail_starttls_ask(d) : not_offered(d);
    default:
        return code == 220 ? 1 : refused(d, line);
    }
}

/* --- FTP and NNTP --- */

/* In FTP lines in the middle of a reply need not begin with its code; it ends with "code ". */
static int ftp(struct hail_starttls_dialog *d, const char *line)
{
    bool more = true;
    int code = reply(line, &more);
    if (d->within && (code != d->within || more))
        return 0;
    if (!code)
        return unexpected(d, line);
    d->within = more ? code : 0;
    if (more)
        return 0;
    if (d->state == HAIL_STARTTLS_ANSWER)
        return code == 234 ? 1 : refused(d, line);
    if (code == 120) /* in a moment */
        return 0;
    return code == 220 ? hail_starttls_ask(d) : refused(d, line);
}

static int nntp(struct hail_starttls_dialog *d, const char *line)
{
    bool more;
    int code = reply(line, &more);
    if (!code || more)
        return unexpected(d, line);
    if (d->state == HAIL_STARTTLS_ANSWER)
        return code == 382 ? 1 : refused(d, line);
    return code == 200 || code == 201 ? hail_starttls_ask(d) : refused(d, line);
}

/* --- POP3, IMAP, ManageSieve --- */

static int pop3(struct hail_starttls_dialog *d, const char *line)
{
    if (begins(line, "-ERR"))
        return refused(d, line);
    if (!begins(line, "+OK"))
        return unexpected(d, line);
    return d->state == HAIL_STARTTLS_ANSWER ? 1 : hail_starttls_ask(d);
}

static int imap(struct hail_starttls_dialog *d, const char *line)
{
    if (d->state == HAIL_STARTTLS_GREETING) {
        if (begins(line, "* PREAUTH"))
            return hail_starttls_fail(d, -ECONNREFUSED, "the session is logged in already", line);
        if (begins(line, "* BYE"))
            return refused(d, line);
        return begins(line, "* OK") ? hail_starttls_ask(d) : unexpected(d, line);
    }
    if (begins(line, "* BYE") || begins(line, "a001 NO") || begins(line, "a001 BAD"))
        return refused(d, line);
    if (begins(line, "a001 OK"))
        return 1;
    return line[0] == '*' ? 0 : unexpected(d, line);
}

static int sieve(struct hail_starttls_dialog *d, const char *line)
{
    if (begins(line, "NO") || begins(line, "BYE"))
        return refused(d, line);
    if (d->state == HAIL_STARTTLS_ANSWER)
        return begins(line, "OK") ? 1 : unexpected(d, line);
    d->offered |= begins(line, "\"STARTTLS\"");
    if (line[0] == '"')
        return 0;
    if (!begins(line, "OK"))
        return unexpected(d, line);
    return d->offered ? hail_starttls_ask(d) : not_offered(d);
}

int hail_starttls_line(struct hail_starttls_dialog *d, const char *line)
{
    switch (d->protocol) {
    case HAIL_STARTTLS_FTP:
        return ftp(d, line);
    case HAIL_STARTTLS_NNTP:
        return nntp(d, line);
    case HAIL_STARTTLS_POP3:
        return pop3(d, line);
    case HAIL_STARTTLS_IMAP:
        return imap(d, line);
    case HAIL_STARTTLS_SIEVE:
        return sieve(d, line);
    default:
        return smtp(d, line);
    }
}
