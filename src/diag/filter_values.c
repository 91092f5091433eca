/* filter_values.c - what stands to the right of an operator in a filter; diag/filter.h. */
#include "diag/filter.h"

#include <hail/services.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A copy of the word, NUL-ended; false when it is too long. */
static bool copy(const struct hail_filter_lex *l, char *out, size_t size)
{
    if (l->len >= size)
        return false;
    memcpy(out, l->word, l->len);
    out[l->len] = '\0';
    return true;
}

static bool number(const char *s, uint64_t most, uint64_t *v)
{
    char *end;
    errno = 0;
    if (*s < '0' || *s > '9')
        return false;
    unsigned long long x = strtoull(s, &end, strncasecmp(s, "0x", 2) == 0 ? 16 : 10);
    if (*end || errno || x > most)
        return false;
    *v = x;
    return true;
}

int hail_filter_number_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *v)
{
    char word[32];
    if (!copy(l, word, sizeof word) || !number(word, UINT32_MAX, v))
        return hail_filter_bad(ctx, l, "is not a number");
    return 0;
}

int hail_filter_text_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t)
{
    if (l->len == 0)
        return hail_filter_bad(ctx, l, "a name is missing");
    if (!copy(l, t->text, sizeof t->text))
        return hail_filter_bad(ctx, l, "is longer than %zu bytes", sizeof t->text - 1);
    return 0;
}

/* --- ports --- */

static bool one_port(const char *s, uint64_t *v)
{
    uint16_t port;
    if (number(s, UINT16_MAX, v))
        return true;
    if (hail_service_port(s, HAIL_SERVICE_TCP, &port) < 0 &&
        hail_service_port(s, HAIL_SERVICE_UDP, &port) < 0)
        return false;
    *v = port;
    return true;
}

int hail_filter_port_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *low,
                           uint64_t *high)
{
    char word[64];
    if (l->len == 0)
        return hail_filter_bad(ctx, l, "a port is missing");
    if (!copy(l, word, sizeof word))
        return hail_filter_bad(ctx, l, "is no port");
    char *from = word + (word[0] == ':');
    if (one_port(from, low)) { /* names have dashes, too: iso-tsap */
        *high = *low;
        return 0;
    }
    char *dash = strchr(from, '-');
    if (dash)
        *dash++ = '\0';
    if (!dash || !one_port(from, low) || !one_port(dash, high))
        return hail_filter_bad(ctx, l, "is no port (0 to 65535, a service, or a range)");
    if (*low > *high)
        return hail_filter_bad(ctx, l, "is a range that ends before it begins");
    return 0;
}

void hail_filter_autobound_value(struct hail_filter_term *t)
{
    unsigned low, high;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    bool read = f && fscanf(f, "%u %u", &low, &high) == 2;
    t->low = read ? low : 32768; /* what Linux begins with */
    t->high = read ? high : 60999;
    if (f)
        fclose(f);
}

/* --- hosts --- */

/* "/bits" of an address of `most` bits. */
static bool read_bits(const char *s, unsigned most, unsigned *bits)
{
    uint64_t v = most;
    if (s && !number(s, most, &v))
        return false;
    *bits = (unsigned)v;
    return true;
}

/* Address and bits, apart: "10.0.0.0/8", "fd00::/8". */
static int address(struct hail_ctx *ctx, struct hail_filter_lex *l, char *s,
                   struct hail_filter_host *h)
{
    char *slash = strchr(s, '/');
    if (slash)
        *slash++ = '\0';
    int family = inet_pton(AF_INET, s, h->bytes) == 1    ? AF_INET
                 : inet_pton(AF_INET6, s, h->bytes) == 1 ? AF_INET6
                                                         : 0;
    if (!family)
        return hail_filter_bad(ctx, l,
                               "is no address (names are not looked up; IPv6 before a port stands "
                               "in brackets)");
    if (h->family && h->family != family)
        return hail_filter_bad(ctx, l, "is of another family than it says");
    if (!read_bits(slash, family == AF_INET ? 32 : 128, &h->bits))
        return hail_filter_bad(ctx, l, "has a prefix length out of range (0 to %d)",
                               family == AF_INET ? 32 : 128);
    h->family = family;
    return 0;
}

/* "[address]" or "[address]/bits", with what follows it at *rest. */
static int bracketed(struct hail_ctx *ctx, struct hail_filter_lex *l, char *s,
                     struct hail_filter_host *h, char **rest)
{
    char *end = strchr(s, ']'), text[HAIL_FILTER_TEXT_MAX];
    if (!end)
        return hail_filter_bad(ctx, l, "has no closing bracket");
    *end++ = '\0';
    size_t bits = *end == '/' ? strcspn(end, ":") : 0;
    snprintf(text, sizeof text, "%s%.*s", s + 1, (int)bits, end);
    *rest = end + bits;
    return address(ctx, l, text, h);
}

/* ":port" or nothing. */
static int host_port(struct hail_ctx *ctx, struct hail_filter_lex *l, const char *s,
                     struct hail_filter_host *h)
{
    uint64_t port = 0;
    if (!s || !*s)
        return 0;
    if (*s != ':' || (strcmp(s, ":*") != 0 && !one_port(s + 1, &port)))
        return hail_filter_bad(ctx, l, "has no port at its end (0 to 65535, or a service)");
    if (strcmp(s, ":*") != 0)
        h->port = (int)port;
    return 0;
}

static int inet_host(struct hail_ctx *ctx, struct hail_filter_lex *l, char *s,
                     struct hail_filter_host *h)
{
    char *rest = strchr(s, ':');
    if (*s == '[') {
        int rc = bracketed(ctx, l, s, h, &rest);
        return rc < 0 ? rc : host_port(ctx, l, rest, h);
    }
    if (rest && strchr(rest + 1, ':') && strncmp(s, "*", 1) != 0)
        return address(ctx, l, s, h); /* IPv6 alone */
    int rc = host_port(ctx, l, rest, h);
    if (rest)
        *rest = '\0';
    if (rc < 0 || strcmp(s, "*") == 0 || !*s)
        return rc;
    h->localhost = strcasecmp(s, "localhost") == 0;
    return h->localhost ? 0 : address(ctx, l, s, h);
}

/* "CID:PORT", either "*"; the port may be left out. */
static int vsock_host(struct hail_ctx *ctx, struct hail_filter_lex *l, char *s,
                      struct hail_filter_term *t)
{
    char *port = strchr(s, ':');
    if (port)
        *port++ = '\0';
    t->host.any_cid = !*s || strcmp(s, "*") == 0;
    t->host.any_port = !port || strcmp(port, "*") == 0;
    if ((!t->host.any_cid && !number(s, UINT32_MAX, &t->low)) ||
        (!t->host.any_port && !number(port, UINT32_MAX, &t->high)))
        return hail_filter_bad(ctx, l, "is no end of vsock (vsock:CID:PORT, either may be *)");
    return 0;
}

/* A family other than the Internet's before the colon: 1, or -EINVAL; 0: none. */
static int other_host(struct hail_ctx *ctx, struct hail_filter_lex *l, char *s,
                      struct hail_filter_term *t)
{
    static const struct {
        const char *prefix;
        int family;
    } families[] = {
        {"unix:", AF_UNIX}, {"vsock:", AF_VSOCK}, {"link:", AF_PACKET}, {"netlink:", AF_NETLINK}};
    size_t i = 0, n = sizeof families / sizeof *families;
    while (i < n && strncasecmp(s, families[i].prefix, strlen(families[i].prefix)) != 0)
        i++;
    if (i == n && *s != '/' && *s != '@')
        return 0;
    t->host.family = i == n ? AF_UNIX : families[i].family;
    s += i == n ? 0 : strlen(families[i].prefix);
    int rc = 0;
    if (t->host.family == AF_UNIX)
        snprintf(t->text, sizeof t->text, "%s", s);
    else if (t->host.family == AF_VSOCK)
        rc = vsock_host(ctx, l, s, t);
    else if (*s && strcmp(s, "*") != 0)
        rc = hail_filter_bad(ctx, l, "has no addresses to ask for; only * goes with this family");
    return rc < 0 ? rc : 1;
}

int hail_filter_host_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t)
{
    char word[HAIL_FILTER_TEXT_MAX], *s = word;
    if (l->len == 0)
        return hail_filter_bad(ctx, l, "an address is missing");
    if (!copy(l, word, sizeof word))
        return hail_filter_bad(ctx, l, "is longer than %zu bytes", sizeof word - 1);
    t->host.port = -1;
    int other = other_host(ctx, l, s, t);
    if (other)
        return other < 0 ? other : 0;
    if (strncasecmp(s, "inet:", 5) == 0 || strncasecmp(s, "inet6:", 6) == 0) {
        t->host.family = s[4] == ':' ? AF_INET : AF_INET6;
        s = strchr(s, ':') + 1;
    }
    return inet_host(ctx, l, s, &t->host);
}

/* --- states --- */

#define BIT(state) (1u << (state))
#define ALL        (HAIL_STATES_ALL | BIT(HAIL_BOUND))

static const struct {
    const char *name;
    uint32_t states;
} states[] = {
    {"all", ALL},
    {"connected", ALL & ~(BIT(HAIL_CLOSE) | BIT(HAIL_LISTEN) | BIT(HAIL_BOUND))},
    {"synchronized",
     ALL & ~(BIT(HAIL_CLOSE) | BIT(HAIL_LISTEN) | BIT(HAIL_BOUND) | BIT(HAIL_SYN_SENT))},
    {"bucket", BIT(HAIL_SYN_RECV) | BIT(HAIL_TIME_WAIT)},
    {"big", ALL & ~(BIT(HAIL_SYN_RECV) | BIT(HAIL_TIME_WAIT))},
    {"established", BIT(HAIL_ESTABLISHED)},
    {"estab", BIT(HAIL_ESTABLISHED)},
    {"syn-sent", BIT(HAIL_SYN_SENT)},
    {"syn-recv", BIT(HAIL_SYN_RECV)},
    {"fin-wait-1", BIT(HAIL_FIN_WAIT1)},
    {"fin-wait1", BIT(HAIL_FIN_WAIT1)},
    {"fin-wait-2", BIT(HAIL_FIN_WAIT2)},
    {"fin-wait2", BIT(HAIL_FIN_WAIT2)},
    {"time-wait", BIT(HAIL_TIME_WAIT)},
    {"closed", BIT(HAIL_CLOSE)},
    {"close", BIT(HAIL_CLOSE)},
    {"unconnected", BIT(HAIL_CLOSE)},
    {"unconn", BIT(HAIL_CLOSE)},
    {"close-wait", BIT(HAIL_CLOSE_WAIT)},
    {"last-ack", BIT(HAIL_LAST_ACK)},
    {"listening", BIT(HAIL_LISTEN)},
    {"listen", BIT(HAIL_LISTEN)},
    {"closing", BIT(HAIL_CLOSING)},
    {"bound", BIT(HAIL_BOUND)},
    {"bound-inactive", BIT(HAIL_BOUND)},
};

static uint32_t one_state(const char *s, size_t n)
{
    char name[24];
    if (n >= sizeof name)
        return 0;
    for (size_t i = 0; i < n; i++)
        name[i] = s[i] == '_' ? '-' : s[i];
    name[n] = '\0';
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcasecmp(states[i].name, name) == 0)
            return states[i].states;
    return 0;
}

int hail_filter_states_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint32_t *set)
{
    uint32_t found = 0;
    if (l->len == 0)
        return hail_filter_bad(ctx, l, "a state is missing");
    for (const char *p = l->word, *end = p + l->len; p <= end;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t n = (size_t)((comma ? comma : end) - p);
        uint32_t bits = one_state(p, n);
        if (!bits)
            return hail_filter_bad(ctx, l, "is no state (established, syn-sent, listening, ...)");
        found |= bits;
        p += n + 1;
    }
    *set = found;
    return 0;
}

/* --- users, families, marks --- */

int hail_filter_user_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *uid)
{
    char word[64];
    struct passwd *pw;
    bool found = copy(l, word, sizeof word) && number(word, UINT32_MAX, uid);
    FILE *f = found || l->len >= sizeof word ? NULL : fopen("/etc/passwd", "re");
    while (f && !found && (pw = fgetpwent(f)) != NULL) {
        found = strcmp(pw->pw_name, word) == 0;
        if (found)
            *uid = pw->pw_uid;
    }
    if (f)
        fclose(f);
    return found ? 0 : hail_filter_bad(ctx, l, "is no user of /etc/passwd, and no number");
}

int hail_filter_family_value(struct hail_ctx *ctx, struct hail_filter_lex *l, uint64_t *family)
{
    static const struct {
        const char *name;
        int family;
    } families[] = {{"inet", AF_INET},     {"inet6", AF_INET6}, {"unix", AF_UNIX},
                    {"packet", AF_PACKET}, {"link", AF_PACKET}, {"netlink", AF_NETLINK},
                    {"vsock", AF_VSOCK}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (hail_filter_is(l, families[i].name)) {
            *family = (uint64_t)families[i].family;
            return 0;
        }
    }
    return hail_filter_bad(ctx, l, "is no family (inet, inet6, unix, packet, netlink, vsock)");
}

int hail_filter_mark_value(struct hail_ctx *ctx, struct hail_filter_lex *l,
                           struct hail_filter_term *t)
{
    char word[32];
    t->high = UINT32_MAX;
    if (!copy(l, word, sizeof word))
        return hail_filter_bad(ctx, l, "is no mark");
    char *slash = strchr(word, '/');
    if (slash)
        *slash++ = '\0';
    if (!number(word, UINT32_MAX, &t->low) || (slash && !number(slash, UINT32_MAX, &t->high)))
        return hail_filter_bad(ctx, l, "is no mark (a number, and /mask)");
    return 0;
}
