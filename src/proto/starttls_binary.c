/* starttls_binary.c - STARTTLS in PostgreSQL, MySQL, LDAP and XMPP; starttls.h. */
#include "proto/starttls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const unsigned char *bytes(const struct hail_starttls_dialog *d)
{
    return (const unsigned char *)d->in;
}

/* One byte, before any message: "S" or "N"; a server of before 7.0 sends an error. */
static int postgres(struct hail_starttls_dialog *d, size_t *used)
{
    if (d->in_len == 0)
        return 0;
    *used = 1;
    if (d->in[0] == 'S')
        return 1;
    return d->in[0] == 'N' ? hail_starttls_fail(d, -ENOTSUP, "the server has no TLS", NULL)
                           : hail_starttls_fail(d, -EPROTO, "the answer is not PostgreSQL's", NULL);
}

/* --- MySQL --- */

#define CLIENT_PROTOCOL_41       0x00000200u
#define CLIENT_SSL               0x00000800u
#define CLIENT_SECURE_CONNECTION 0x00008000u

/* The payload of the server's first packet: protocol 10, version, NUL, thread (4), salt (8), a NUL,
 * the lower half of the capabilities. */
static int mysql_greeting(struct hail_starttls_dialog *d, const unsigned char *p, size_t n)
{
    static const uint32_t mine = CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION;
    char text[160];
    if (n > 0 && p[0] == 0xff) {
        snprintf(text, sizeof text, "%.*s", n > 3 ? (int)(n - 3) : 0, (const char *)p + 3);
        return hail_starttls_fail(d, -ECONNREFUSED, "the server refuses the connection", text);
    }
    const unsigned char *end = n > 1 && p[0] == 10 ? memchr(p + 1, 0, n - 1) : NULL;
    if (!end || n - (size_t)(end - p) < 1 + 4 + 8 + 1 + 2)
        return hail_starttls_fail(d, -EPROTO, "the greeting is not MySQL's", NULL);
    uint32_t theirs = end[14] | (uint32_t)end[15] << 8;
    if (!(theirs & CLIENT_SSL))
        return hail_starttls_fail(d, -ENOTSUP, "the server has no TLS", NULL);
    /* length 32, sequence 1; capabilities, largest packet 16 MiB, utf8mb4, 23 zeros */
    unsigned char out[36] = {32, 0, 0, 1};
    for (int i = 0; i < 4; i++)
        out[4 + i] = (unsigned char)(mine >> 8 * i);
    out[11] = 1;
    out[12] = 45;
    hail_starttls_send(d, HAIL_STARTTLS_ANSWER, out, sizeof out);
    return 1;
}

static int mysql(struct hail_starttls_dialog *d, size_t *used)
{
    const unsigned char *p = bytes(d);
    if (d->in_len < 4)
        return 0;
    size_t n = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
    if (n > sizeof d->in - 4)
        return hail_starttls_fail(d, -EPROTO, "the greeting is not MySQL's", NULL);
    if (d->in_len < 4 + n)
        return 0;
    *used = 4 + n;
    return mysql_greeting(d, p + 4, n);
}

/* --- LDAP: BER, X.690 section 8.1 --- */

/* A tag and its length at *at. 1: the content is *len bytes at *at; 0: more is needed; -1: wrong.
 */
static int element(const struct hail_starttls_dialog *d, size_t *at, unsigned tag, size_t *len)
{
    const unsigned char *p = bytes(d);
    if (d->in_len < *at + 2)
        return 0;
    if (p[*at] != tag)
        return -1;
    size_t octets = p[*at + 1] & 0x80 ? p[*at + 1] & 0x7f : 0;
    if (octets > 4 || p[*at + 1] == 0x80) /* Active Directory always sends four */
        return -1;
    if (d->in_len < *at + 2 + octets)
        return 0;
    *len = octets ? 0 : p[*at + 1];
    for (size_t i = 0; i < octets; i++)
        *len = *len << 8 | p[*at + 2 + i];
    *at += 2 + octets;
    return *len <= sizeof d->in - *at ? 1 : -1;
}

/* The whole LDAPMessage has come: at *at its protocolOp's resultCode. 1, or -1: wrong. */
static int result_code(const struct hail_starttls_dialog *d, size_t end, size_t *at)
{
    size_t len = 0;
    if (element(d, at, 0x02, &len) <= 0 || len > end - *at) /* messageID */
        return -1;
    *at += len;
    if (element(d, at, 0x78, &len) <= 0) /* extendedResp */
        return -1;
    return element(d, at, 0x0a, &len) > 0 && len == 1 && *at < end ? 1 : -1;
}

static int ldap(struct hail_starttls_dialog *d, size_t *used)
{
    char text[40];
    size_t at = 0, len = 0;
    int rc = element(d, &at, 0x30, &len); /* LDAPMessage */
    if (rc == 0 || (rc > 0 && d->in_len < at + len))
        return 0;
    size_t end = at + len;
    if (rc < 0 || result_code(d, end, &at) < 0)
        return hail_starttls_fail(d, -EPROTO, "the answer is not LDAP's", NULL);
    *used = end;
    unsigned code = bytes(d)[at];
    if (code == 0)
        return 1;
    snprintf(text, sizeof text, "result %u", code);
    return hail_starttls_fail(d, -ECONNREFUSED, "the server refuses to start TLS", text);
}

/* --- XMPP --- */

/* Where `text` is in what came, or NULL. */
static const char *find(const struct hail_starttls_dialog *d, const char *text)
{
    return memmem(d->in, d->in_len, text, strlen(text));
}

static int xmpp(struct hail_starttls_dialog *d, size_t *used)
{
    if (find(d, "<stream:error"))
        return hail_starttls_fail(d, -ECONNREFUSED, "the server answers with a stream error", NULL);
    if (d->state == HAIL_STARTTLS_FEATURES) {
        const char *end = find(d, "</stream:features>"), *none = find(d, "<stream:features/>");
        if (none)
            return hail_starttls_fail(d, -ENOTSUP, "the server does not offer to start TLS", NULL);
        if (!end)
            return 0;
        const char *offer = find(d, "<starttls");
        if (!offer || offer > end)
            return hail_starttls_fail(d, -ENOTSUP, "the server does not offer to start TLS", NULL);
        *used = (size_t)(end - d->in) + strlen("</stream:features>");
        return hail_starttls_say(d, HAIL_STARTTLS_ANSWER,
                                 "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    }
    if (find(d, "<failure"))
        return hail_starttls_fail(d, -ECONNREFUSED, "the server refuses to start TLS", NULL);
    const char *proceed = find(d, "<proceed");
    const char *end = proceed ? memchr(proceed, '>', d->in_len - (size_t)(proceed - d->in)) : NULL;
    if (!end)
        return 0;
    *used = (size_t)(end - d->in) + 1;
    return 1;
}

int hail_starttls_message(struct hail_starttls_dialog *d, size_t *used)
{
    switch (d->protocol) {
    case HAIL_STARTTLS_POSTGRES:
        return postgres(d, used);
    case HAIL_STARTTLS_MYSQL:
        return mysql(d, used);
    case HAIL_STARTTLS_LDAP:
        return ldap(d, used);
    case HAIL_STARTTLS_XMPP:
        return xmpp(d, used);
    default:
        return hail_starttls_fail(d, -ENOTSUP, "no protocol that could start TLS", NULL);
    }
}
