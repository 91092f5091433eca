/* hello_telnet.c - Telnet: what options the peer offers and asks for, all of which are refused (RFC
 * 854, RFC 1143), and its text, if it says one; proto/hello.h. It ends with silence: a prompt has
 * no end of its own.
 */
#include "proto/hello.h"

#include <hail/telnet.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240 };
enum { OPTIONS = 1, TEXT = 2 };

#define TEXT_MAX 200

static int begin(struct hail_hello *h)
{
    h->quiet_is_end = true;
    return HAIL_HELLO_MORE;
}

static int option(struct hail_hello *h, unsigned verb, unsigned number)
{
    char text[64], name[32];
    const char *known = hail_telnet_option_name(number);
    if (!known) {
        snprintf(name, sizeof name, "option %u", number);
        known = name;
    }
    const char answer[] = {(char)IAC, (char)(verb == WILL ? DONT : WONT), (char)number};
    int n = snprintf(text, sizeof text, "%s %s", verb == WILL ? "WILL" : "DO", known);
    h->flags |= OPTIONS;
    hail_hello_item(h, "option", text, (size_t)n);
    return hail_hello_send(h, answer, sizeof answer);
}

/* A command of IAC: how long it is; 0: it is not complete. */
static size_t command(struct hail_hello *h, const unsigned char *p, size_t n, int *rc)
{
    if (n < 2)
        return 0;
    if (p[1] == SB) {
        for (size_t i = 2; i + 1 < n; i++)
            if (p[i] == IAC && p[i + 1] == SE)
                return i + 2;
        return 0;
    }
    if (p[1] < WILL || p[1] == IAC)
        return 2;
    if (n < 3)
        return 0;
    if (p[1] == WILL || p[1] == DO)
        *rc = option(h, p[1], p[2]);
    return 3;
}

/* Text: its first lines make the banner. */
static void text(struct hail_hello *h, const char *p, size_t n)
{
    char line[TEXT_MAX];
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof line; i++)
        if ((unsigned char)p[i] >= ' ')
            line[used++] = p[i];
        else if (used && line[used - 1] != ' ')
            line[used++] = ' ';
    const char *before = hail_hello_fact(h, "banner");
    if (used && (!before || strlen(before) < TEXT_MAX)) {
        h->flags |= TEXT;
        hail_hello_join(h, "banner", line, used);
    }
}

/* "login: ", "user@host> ". */
static bool is_prompt(const char *p, size_t n)
{
    while (n && p[n - 1] == ' ')
        n--;
    return n && p[n - 1] && strchr(":>$#%", p[n - 1]);
}

static int take(struct hail_hello *h, const char *p, size_t n, size_t *used)
{
    int rc = HAIL_HELLO_MORE;
    char looks[HAIL_HELLO_LOOKS];
    enum hail_hello_kind kind;
    if (!h->flags && *hail_hello_looks(p, n, &kind, looks) && kind != HAIL_HELLO_TELNET)
        return hail_hello_strange(h, p, n);
    h->greeted = true;
    while (*used < n && rc >= 0) {
        const unsigned char *at = (const unsigned char *)p + *used;
        const unsigned char *iac = memchr(at, IAC, n - *used);
        size_t plain = iac ? (size_t)(iac - at) : n - *used;
        if (plain)
            text(h, p + *used, plain);
        *used += plain;
        if (!iac)
            break;
        size_t size = command(h, iac, n - *used, &rc);
        if (size == 0)
            break;
        *used += size;
    }
    if (rc == HAIL_HELLO_MORE && h->flags & TEXT && *used == n && is_prompt(p, n)) {
        h->spoke = true;
        return HAIL_HELLO_DONE;
    }
    return rc;
}

static int quiet(struct hail_hello *h)
{
    if (!h->flags)
        return HAIL_HELLO_MORE;
    h->spoke = true;
    return HAIL_HELLO_DONE;
}

static int end(struct hail_hello *h)
{
    return h->flags ? quiet(h) : HAIL_HELLO_MORE;
}

const struct hail_hello_ops hail_hello_telnet = {.name = "telnet",
                                                 .title = "Telnet",
                                                 .peer_first = true,
                                                 .begin = begin,
                                                 .take = take,
                                                 .quiet = quiet,
                                                 .end = end};
