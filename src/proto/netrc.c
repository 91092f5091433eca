/* netrc.c - secrets by host in a .netrc file: netrc(5); proto/challenge.h.
 *
 *   machine HOST login USER password PASSWORD account ... | default login ... | macdef NAME ...
 */
#include "proto/challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *p, *end;
    unsigned line;
    char word[HAIL_SECRET_MAX];
};

static void next_line(struct reader *r)
{
    while (r->p < r->end && *r->p != '\n')
        r->p++;
}

/* White space, and comments: a word that begins with '#' where a keyword may stand. */
static void skip(struct reader *r, bool comments)
{
    while (r->p < r->end) {
        if (comments && *r->p == '#')
            next_line(r);
        else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r' && *r->p != '\n')
            return;
        if (r->p < r->end)
            r->line += *r->p++ == '\n';
    }
}

/* The next word, or a text in quotes with \" \\ \n \r \t in it. 1, 0 at the end, -EINVAL. */
static int word(struct reader *r, bool keyword)
{
    size_t n = 0;
    skip(r, keyword);
    if (r->p == r->end)
        return 0;
    bool quoted = *r->p == '"';
    r->p += quoted;
    for (; r->p < r->end; r->p++) {
        char c = *r->p;
        if (quoted ? c == '"' : (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
            break;
        if (c == '\\' && quoted && r->end - r->p > 1) {
            c = *++r->p;
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
        }
        if (n + 1 >= sizeof r->word || c == '\0' || (quoted && *r->p == '\n'))
            return -EINVAL;
        r->word[n++] = c;
    }
    if (quoted && r->p == r->end)
        return -EINVAL;
    r->p += quoted;
    r->word[n] = '\0';
    return 1;
}

/* A macro goes to the next empty line, which may end in CR LF. */
static void skip_macro(struct reader *r)
{
    for (next_line(r); r->p < r->end; next_line(r)) {
        r->p++;
        r->line++;
        const char *p = r->p + (r->p < r->end && *r->p == '\r');
        if (p < r->end && *p == '\n')
            return;
    }
}

/* The entry that is being read. */
struct entry {
    bool ours, has_login, has_password;
    char login[HAIL_SECRET_MAX], password[HAIL_SECRET_MAX];
};

static bool fits(const struct entry *e, const char *user)
{
    return e->ours && (e->has_login || e->has_password) &&
           (!*user || (e->has_login && strcmp(e->login, user) == 0));
}

/* One keyword and what follows it. 1: go on, 0: the end, or an entry that is ours is complete. */
static int step(struct reader *r, struct entry *e, const char *host, const char *user)
{
    int rc = word(r, true);
    if (rc <= 0)
        return rc;
    bool machine = strcmp(r->word, "machine") == 0, deflt = strcmp(r->word, "default") == 0;
    if (machine || deflt) {
        if (fits(e, user))
            return 0;
        memset(e, 0, sizeof *e);
        rc = deflt ? 1 : word(r, false);
        e->ours = deflt || (rc == 1 && strcasecmp(r->word, host) == 0);
        return rc == 1 ? 1 : -EINVAL;
    }
    if (strcmp(r->word, "macdef") == 0) {
        skip_macro(r);
        return 1;
    }
    bool login = strcmp(r->word, "login") == 0, password = strcmp(r->word, "password") == 0;
    if (!login && !password && strcmp(r->word, "account") != 0)
        return -EINVAL;
    if (word(r, false) != 1)
        return -EINVAL;
    if (login) {
        memcpy(e->login, r->word, sizeof e->login);
        e->has_login = true;
    } else if (password) {
        memcpy(e->password, r->word, sizeof e->password);
        e->has_password = true;
    }
    return 1;
}

int hail_netrc_find(struct hail_slice text, const char *host, char *user, char *password,
                    unsigned *line)
{
    struct reader r = {.p = text.p, .end = text.p + text.n, .line = 1};
    struct entry e = {0};
    int rc;
    while ((rc = step(&r, &e, host, user)) == 1)
        continue;
    *line = r.line;
    bool whole = rc == 0 || (e.has_login && e.has_password); /* malformed is what is behind it */
    if (whole && fits(&e, user)) {
        memcpy(user, e.login, sizeof e.login);
        memcpy(password, e.password, sizeof e.password);
        rc = 1;
    }
    explicit_bzero(&e, sizeof e);
    explicit_bzero(r.word, sizeof r.word);
    return rc;
}
