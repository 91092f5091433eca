/* starttls.c - STARTTLS in any of its protocols: names, ports, and the bytes that come; starttls.h.
 */
#include "proto/starttls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
    [HAIL_STARTTLS_NONE] = "none",         [HAIL_STARTTLS_SMTP] = "smtp",
    [HAIL_STARTTLS_LMTP] = "lmtp",         [HAIL_STARTTLS_POP3] = "pop3",
    [HAIL_STARTTLS_IMAP] = "imap",         [HAIL_STARTTLS_FTP] = "ftp",
    [HAIL_STARTTLS_NNTP] = "nntp",         [HAIL_STARTTLS_SIEVE] = "sieve",
    [HAIL_STARTTLS_POSTGRES] = "postgres", [HAIL_STARTTLS_MYSQL] = "mysql",
    [HAIL_STARTTLS_LDAP] = "ldap",         [HAIL_STARTTLS_XMPP] = "xmpp",
};

enum hail_starttls hail_starttls_by_name(const char *name)
{
    for (int i = HAIL_STARTTLS_SMTP; i <= HAIL_STARTTLS_XMPP; i++)
        if (strcasecmp(name, names[i]) == 0)
            return (enum hail_starttls)i;
    return HAIL_STARTTLS_NONE;
}

const char *hail_starttls_name(enum hail_starttls protocol)
{
    return names[protocol];
}

enum hail_starttls hail_starttls_by_port(uint16_t port)
{
    static const struct {
        uint16_t port;
        uint8_t protocol;
    } ports[] = {
        {21, HAIL_STARTTLS_FTP},    {24, HAIL_STARTTLS_LMTP},    {25, HAIL_STARTTLS_SMTP},
        {110, HAIL_STARTTLS_POP3},  {119, HAIL_STARTTLS_NNTP},   {143, HAIL_STARTTLS_IMAP},
        {389, HAIL_STARTTLS_LDAP},  {433, HAIL_STARTTLS_NNTP},   {587, HAIL_STARTTLS_SMTP},
        {2525, HAIL_STARTTLS_SMTP}, {3306, HAIL_STARTTLS_MYSQL}, {4190, HAIL_STARTTLS_SIEVE},
        {5222, HAIL_STARTTLS_XMPP}, {5269, HAIL_STARTTLS_XMPP},  {5432, HAIL_STARTTLS_POSTGRES},
    };
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i].port == port)
            return (enum hail_starttls)ports[i].protocol;
    return HAIL_STARTTLS_NONE;
}

/* Registered as "... over TLS/SSL", and the customary alternatives of 443. */
bool hail_tls_by_port(uint16_t port)
{
    static const uint16_t ports[] = {443,  465,  563,  636,  853,  989,  990,  992,
                                     993,  994,  995,  2376, 3269, 4433, 5061, 5223,
                                     5349, 6514, 6697, 8443, 8883, 9443};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* --- saying --- */

int hail_starttls_send(struct hail_starttls_dialog *d, int state, const void *p, size_t n)
{
    memcpy(d->out, p, n);
    d->out_len = n;
    d->state = state;
    return 0;
}

int hail_starttls_say(struct hail_starttls_dialog *d, int state, const char *text)
{
    return hail_starttls_send(d, state, text, strlen(text));
}

int hail_starttls_fail(struct hail_starttls_dialog *d, int rc, const char *why, const char *said)
{
    if (said)
        snprintf(d->why, sizeof d->why, "%s: \"%.150s\"", why, said);
    else
        snprintf(d->why, sizeof d->why, "%s", why);
    return rc;
}

/* The first word where the peer has greeted already. */
static int join(struct hail_starttls_dialog *d)
{
    switch (d->protocol) {
    case HAIL_STARTTLS_SMTP:
    case HAIL_STARTTLS_LMTP:
        return hail_starttls_hello(d);
    case HAIL_STARTTLS_MYSQL:
    case HAIL_STARTTLS_XMPP:
    case HAIL_STARTTLS_NONE:
        return hail_starttls_fail(d, -EINVAL, "TLS cannot begin in the middle of it", NULL);
    default:
        return hail_starttls_ask(d);
    }
}

static int open_xmpp(struct hail_starttls_dialog *d, const char *name)
{
    if (strpbrk(name, "<>&'\"") || strlen(name) > HAIL_HOST_MAX)
        return hail_starttls_fail(d, -EINVAL, "the name has no place in XML", NULL);
    int n = snprintf(d->out, sizeof d->out,
                     "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' "
                     "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
                     name);
    d->out_len = (size_t)n;
    d->state = HAIL_STARTTLS_FEATURES;
    return 0;
}

int hail_starttls_begin(struct hail_starttls_dialog *d, enum hail_starttls protocol,
                        const char *name, bool greeted)
{
    static const char postgres[] = {0, 0, 0, 8, 0x04, (char)0xd2, 0x16, 0x2f};
    static const char ldap[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                               "1.3.6.1.4.1.1466.20037";
    d->out_len = d->in_len = d->all = 0;
    d->why[0] = '\0';
    d->protocol = protocol;
    d->state = HAIL_STARTTLS_GREETING;
    d->offered = false;
    d->within = 0;
    if (protocol == HAIL_STARTTLS_POSTGRES)
        return hail_starttls_send(d, HAIL_STARTTLS_ANSWER, postgres, sizeof postgres);
    if (protocol == HAIL_STARTTLS_LDAP)
        return hail_starttls_send(d, HAIL_STARTTLS_ANSWER, ldap, sizeof ldap - 1);
    if (greeted || protocol == HAIL_STARTTLS_NONE)
        return join(d);
    return protocol == HAIL_STARTTLS_XMPP ? open_xmpp(d, name) : 0;
}

/* --- taking --- */

static void drop(struct hail_starttls_dialog *d, size_t n)
{
    d->in_len -= n;
    memmove(d->in, d->in + n, d->in_len);
}

/* Between two elements of XMPP there may be space. */
static bool only_space(struct hail_starttls_dialog *d)
{
    while (d->protocol == HAIL_STARTTLS_XMPP && d->in_len > 0 && strchr(" \t\r\n", d->in[0]) &&
           d->in[0])
        drop(d, 1);
    return d->in_len == 0;
}

/* What is in `in`, as far as it is complete. */
static int work_off(struct hail_starttls_dialog *d)
{
    int rc = 0;
    while (rc == 0) {
        size_t used = 0;
        if (hail_starttls_is_lines(d->protocol)) {
            char *lf = memchr(d->in, '\n', d->in_len);
            if (!lf)
                return 0;
            used = (size_t)(lf - d->in) + 1;
            lf[lf > d->in && lf[-1] == '\r' ? -1 : 0] = '\0';
            rc = hail_starttls_line(d, d->in);
        } else {
            rc = hail_starttls_message(d, &used);
            if (rc == 0 && used == 0)
                return 0;
        }
        drop(d, used);
        if (d->out_len > 0)
            break; /* the peer's turn is over */
    }
    return rc;
}

int hail_starttls_take(struct hail_starttls_dialog *d, const char *p, size_t n)
{
    d->out_len = 0;
    while (n > 0) {
        size_t part = sizeof d->in - d->in_len;
        part = part < n ? part : n;
        memcpy(d->in + d->in_len, p, part);
        d->in_len += part;
        d->all += part;
        p += part;
        n -= part;
        int rc = work_off(d);
        if (rc > 0 && (n > 0 || d->in_len > 0))
            return hail_starttls_fail(d, -EPROTO,
                                      "bytes came behind the word that starts TLS, which somebody "
                                      "in between may have put there",
                                      NULL);
        if (rc == 0 && d->out_len > 0 && (n > 0 || !only_space(d)))
            return hail_starttls_fail(d, -EPROTO, "the peer goes on before it is asked", NULL);
        if (rc != 0)
            return rc;
        if (d->in_len == sizeof d->in || d->all > HAIL_STARTTLS_ALL)
            return hail_starttls_fail(d, -EMSGSIZE, "the peer says too much before TLS", NULL);
    }
    return 0;
}
