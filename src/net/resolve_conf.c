/* resolve_conf.c - resolv.conf(5): name servers, search list, options. */
#include "net/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 * 1024) /* what is read of the file */

void hail_resolv_conf_init(struct hail_resolv_conf *c)
{
    memset(c, 0, sizeof *c);
    c->ndots = 1;
    c->timeout_s = 5;
    c->attempts = 2;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The next word of [*p, end): its length, 0 at the end; *p moves behind it. */
static size_t next_word(const char **p, const char *end, const char **word)
{
    while (*p < end && is_blank(**p))
        ++*p;
    *word = *p;
    while (*p < end && !is_blank(**p))
        ++*p;
    return (size_t)(*p - *word);
}

static bool is_word(const char *word, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(word, text, n) == 0;
}

static void add_server(struct hail_resolv_conf *c, const char *p, size_t n)
{
    struct hail_endpoint ep;
    char text[HAIL_ENDPOINT_MAX];
    if (c->nservers == HAIL_SERVERS_MAX || n == 0 || n >= sizeof text)
        return;
    memcpy(text, p, n);
    text[n] = '\0';
    if (hail_endpoint_parse(NULL, &ep, text, 53) < 0 ||
        (ep.kind != HAIL_HOST_IPV4 && ep.kind != HAIL_HOST_IPV6))
        return;
    if (hail_endpoint_addr(&ep, AF_UNSPEC, &c->servers[c->nservers]) == 0)
        c->nservers++;
}

static void set_search(struct hail_resolv_conf *c, const char *p, const char *end, bool one)
{
    const char *word;
    size_t n;
    c->nsearch = 0;
    c->has_search = true;
    while (c->nsearch < HAIL_SEARCH_MAX && (n = next_word(&p, end, &word)) > 0) {
        if (n > 1 && word[n - 1] == '.')
            n--;
        if (n > HAIL_HOST_MAX)
            continue;
        memcpy(c->search[c->nsearch], word, n);
        c->search[c->nsearch++][n] = '\0';
        if (one)
            return;
    }
}

/* "name:NUMBER" with its greatest value; -1 when the word is something else. */
static long number_option(const char *word, size_t n, const char *name, unsigned greatest)
{
    size_t head = strlen(name);
    unsigned long v = 0;
    if (n <= head || memcmp(word, name, head) != 0)
        return -1;
    for (size_t i = head; i < n; i++) {
        if (word[i] < '0' || word[i] > '9')
            return -1;
        v = v * 10 + (unsigned long)(word[i] - '0');
        if (v > greatest)
            v = greatest;
    }
    return (long)v;
}

static void set_options(struct hail_resolv_conf *c, const char *p, const char *end)
{
    const char *word;
    size_t n;
    long v;
    while ((n = next_word(&p, end, &word)) > 0) {
        if ((v = number_option(word, n, "ndots:", 15)) >= 0)
            c->ndots = (unsigned)v;
        else if ((v = number_option(word, n, "timeout:", 30)) > 0)
            c->timeout_s = (unsigned)v;
        else if ((v = number_option(word, n, "attempts:", 5)) > 0)
            c->attempts = (unsigned)v;
        else if (is_word(word, n, "rotate"))
            c->rotate = true;
        else if (is_word(word, n, "use-vc"))
            c->tcp = true;
    }
}

static void parse_line(struct hail_resolv_conf *c, const char *p, const char *end)
{
    const char *word, *value;
    size_t n = next_word(&p, end, &word);
    if (is_word(word, n, "nameserver")) {
        n = next_word(&p, end, &value);
        add_server(c, value, n);
    } else if (is_word(word, n, "search")) {
        set_search(c, p, end, false);
    } else if (is_word(word, n, "domain")) {
        set_search(c, p, end, true);
    } else if (is_word(word, n, "options")) {
        set_options(c, p, end);
    }
}

void hail_resolv_conf_parse(struct hail_resolv_conf *c, const char *p, size_t n)
{
    const char *end = p + n;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol)
            eol = end;
        if (*p != '#' && *p != ';')
            parse_line(c, p, eol);
        p = eol < end ? eol + 1 : end;
    }
}

/* The whole file into `buf`; a file that is not there is empty. */
static ssize_t read_file(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    size_t n = 0;
    ssize_t got = 0;
    while (n < size && (got = read(fd, buf + n, size - n)) > 0)
        n += (size_t)got;
    int e = errno;
    close(fd);
    return got < 0 ? -e : (ssize_t)n;
}

static void add_defaults(struct hail_resolv_conf *c)
{
    if (!c->nservers) {
        struct sockaddr_in *in4 = &c->servers[0].u.in4;
        in4->sin_family = AF_INET;
        in4->sin_port = htons(53);
        in4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        c->servers[0].len = sizeof *in4;
        c->nservers = 1;
        c->by_default = true;
    }
    char host[HAIL_HOST_MAX + 1];
    if (c->has_search || gethostname(host, sizeof host) < 0)
        return;
    host[sizeof host - 1] = '\0';
    const char *dot = strchr(host, '.');
    if (dot && dot[1])
        set_search(c, dot + 1, dot + strlen(dot), true);
}

int hail_resolv_conf_load(struct hail_resolv_conf *c, const char *path)
{
    hail_resolv_conf_init(c);
    char *text = calloc(1, FILE_MAX);
    if (!text)
        return -ENOMEM;
    ssize_t n = read_file(path ? path : HAIL_RESOLV_PATH, text, FILE_MAX);
    if (n > 0)
        hail_resolv_conf_parse(c, text, (size_t)n);
    free(text);
    if (n < 0)
        return (int)n;
    if (!path) {
        const char *s = getenv("LOCALDOMAIN");
        if (s)
            set_search(c, s, s + strlen(s), false);
        s = getenv("RES_OPTIONS");
        if (s)
            set_options(c, s, s + strlen(s));
    }
    add_defaults(c);
    return 0;
}

int hail_search_name(const struct hail_resolv_conf *c, const char *name, bool no_search, unsigned i,
                     char out[HAIL_HOST_MAX + 2])
{
    size_t n = strlen(name);
    bool complete = n > 0 && name[n - 1] == '.';
    unsigned dots = 0, domains = no_search || complete ? 0 : c->nsearch;
    for (const char *p = name; (p = strchr(p, '.')); p++)
        dots++;
    for (;; i++) {
        if (i > domains)
            return 0;
        /* the name as it is stands first when it has dots enough, else last */
        bool first = dots >= c->ndots;
        if (i == (first ? 0 : domains)) {
            memcpy(out, name, n - complete);
            out[n - complete] = '\0';
            return 1;
        }
        const char *domain = c->search[first ? i - 1 : i];
        size_t len = strlen(domain);
        if (n + 1 + len > HAIL_HOST_MAX)
            continue; /* cannot be a name */
        memcpy(out, name, n);
        out[n] = '.';
        memcpy(out + n + 1, domain, len + 1);
        if (strcmp(domain, ".") == 0)
            out[n] = '\0';
        return 1;
    }
}
