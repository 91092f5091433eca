/* resolve_hosts.c - hosts(5): the file is read in pieces and never kept. */
#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PIECE (32 * 1024) /* bytes read at a time; a longer line is skipped */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static size_t skip_blanks(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && is_blank(p[i]))
        i++;
    return i;
}

static size_t word_length(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && !is_blank(p[i]))
        i++;
    return i;
}

/* Takes a line apart; false when it has no address or no name. */
static bool split_line(const char *p, size_t n, struct hail_hosts_line *line)
{
    const char *comment = memchr(p, '#', n);
    if (comment)
        n = (size_t)(comment - p);
    size_t i = skip_blanks(p, n);
    line->addr = p + i;
    line->addr_len = word_length(p + i, n - i);
    i += line->addr_len;
    i += skip_blanks(p + i, n - i);
    line->names = p + i;
    line->names_len = n - i;
    return line->addr_len && line->names_len;
}

size_t hail_hosts_scan(const char *p, size_t n, bool last, hail_hosts_line_fn *each, void *arg)
{
    size_t at = 0;
    while (at < n) {
        const char *eol = memchr(p + at, '\n', n - at);
        if (!eol && !last)
            break;
        size_t len = eol ? (size_t)(eol - p) - at : n - at;
        struct hail_hosts_line line;
        if (split_line(p + at, len, &line) && each(arg, &line))
            return n;
        at += len + (eol != NULL);
    }
    return at;
}

size_t hail_hosts_next_name(struct hail_hosts_line *line, const char **name)
{
    size_t skip = skip_blanks(line->names, line->names_len);
    *name = line->names + skip;
    size_t n = word_length(*name, line->names_len - skip);
    line->names += skip + n;
    line->names_len -= skip + n;
    return n;
}

bool hail_hosts_addr(const struct hail_hosts_line *line, struct hail_addr *out)
{
    struct hail_endpoint ep = {.kind = HAIL_HOST_IPV4};
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    if (line->addr_len >= sizeof text)
        return false;
    memcpy(text, line->addr, line->addr_len);
    text[line->addr_len] = '\0';
    if (strchr(text, ':'))
        ep.kind = HAIL_HOST_IPV6;
    char *zone = strchr(text, '%');
    if (zone) {
        if (strlen(zone + 1) >= sizeof ep.zone)
            return false;
        memcpy(ep.zone, zone + 1, strlen(zone + 1) + 1);
        *zone = '\0';
    }
    if (strlen(text) >= sizeof ep.host)
        return false;
    memcpy(ep.host, text, strlen(text) + 1);
    return hail_endpoint_addr(&ep, AF_UNSPEC, out) == 0;
}

/* Feeds the file to `each`, piece by piece. */
static void scan_file(const char *path, hail_hosts_line_fn *each, void *arg)
{
    char buf[PIECE];
    size_t have = 0;
    bool skipping = false; /* the rest of a line that was too long */
    int fd = open(path ? path : HAIL_HOSTS_PATH, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (;;) {
        ssize_t got = read(fd, buf + have, sizeof buf - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
        size_t from = 0;
        if (skipping) {
            const char *eol = memchr(buf, '\n', have);
            from = eol ? (size_t)(eol - buf) + 1 : have;
            skipping = !eol;
        }
        from += hail_hosts_scan(buf + from, have - from, false, each, arg);
        have -= from;
        memmove(buf, buf + from, have);
        if (have == sizeof buf) {
            have = 0;
            skipping = true;
        }
    }
    if (!skipping)
        hail_hosts_scan(buf, have, true, each, arg);
    close(fd);
}

struct by_name {
    const char *name;
    size_t len;
    int family;
    struct hail_address *v;
    size_t n, max;
    char *canonical;
};

static int match_name(void *arg, const struct hail_hosts_line *line)
{
    struct by_name *s = arg;
    struct hail_hosts_line rest = *line;
    const char *first, *name;
    size_t first_len = hail_hosts_next_name(&rest, &first), n = first_len;
    for (name = first; n > 0; n = hail_hosts_next_name(&rest, &name))
        if (n == s->len && strncasecmp(name, s->name, n) == 0)
            break;
    struct hail_addr addr;
    if (n == 0 || !hail_hosts_addr(line, &addr))
        return 0;
    if (s->family != AF_UNSPEC && addr.u.sa.sa_family != s->family)
        return 0;
    for (size_t i = 0; i < s->n; i++)
        if (hail_addr_equal(&s->v[i].addr, &addr))
            return 0;
    if (s->n == 0 && first_len <= HAIL_HOST_MAX) {
        memcpy(s->canonical, first, first_len);
        s->canonical[first_len] = '\0';
    }
    s->v[s->n++] = (struct hail_address){.addr = addr, .source = HAIL_SOURCE_HOSTS, .ttl = -1};
    return s->n == s->max;
}

int hail_hosts_lookup(const char *path, const char *name, int family, struct hail_address *v,
                      size_t max, char canonical[HAIL_HOST_MAX + 1])
{
    struct by_name s = {.name = name, .len = strlen(name), .family = family, .v = v, .max = max};
    s.canonical = canonical;
    if (s.len > 1 && name[s.len - 1] == '.')
        s.len--;
    scan_file(path, match_name, &s);
    return (int)s.n;
}

struct by_addr {
    struct hail_addr addr;
    hail_name_fn *each;
    void *arg;
    int n;
};

static int match_addr(void *arg, const struct hail_hosts_line *line)
{
    struct by_addr *s = arg;
    struct hail_addr addr;
    if (!hail_hosts_addr(line, &addr) || !hail_addr_equal(&addr, &s->addr))
        return 0;
    struct hail_hosts_line rest = *line;
    const char *name;
    size_t n;
    while ((n = hail_hosts_next_name(&rest, &name)) > 0) {
        char text[HAIL_HOST_MAX + 1];
        if (n > HAIL_HOST_MAX)
            continue;
        memcpy(text, name, n);
        text[n] = '\0';
        s->each(s->arg, text, HAIL_SOURCE_HOSTS, -1);
        s->n++;
    }
    return s->n >= HAIL_RESOLVE_MAX;
}

int hail_hosts_reverse(const char *path, const struct hail_addr *addr, hail_name_fn *each,
                       void *arg)
{
    struct by_addr s = {.addr = *addr, .each = each, .arg = arg};
    hail_addr_set_port(&s.addr, 0);
    scan_file(path, match_addr, &s);
    return s.n;
}
