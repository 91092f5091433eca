/* config.c - options from a file, curl's way: one a line, with or without its dashes.
 *
 *     # a comment
 *     location
 *     max-time = 20
 *     header: "Accept: text/plain"
 *     -s
 */
#include "asked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)
#define DEPTH_MAX  8 /* files that name files */

struct line {
    const char *path;
    unsigned number;
};

static int bad(const struct line *l, const char *why, const char *what)
{
    return usage_error(&command_get, "%s, line %u: %s '%s'", l->path, l->number, why, what);
}

/* The text in quotes at `p`, with \" \\ \t \n \r in it, ended in place. */
static char *quoted(char *p)
{
    char *from = p, *to = p;
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1]) {
            p++;
            *p = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
        }
        *to++ = *p;
    }
    *to = '\0';
    return from;
}

static const struct option_row *find(const char *name, size_t n)
{
    for (const struct option_row *o = get_options; o->letter; o++) {
        bool letter = n == 2 && name[0] == '-' && name[1] == o->letter && o->letter < 256;
        const char *word = n > 2 && strncmp(name, "--", 2) == 0 ? name + 2 : name;
        size_t m = n - (size_t)(word - name);
        if (letter || (o->name && strlen(o->name) == m && strncmp(o->name, word, m) == 0))
            return o;
    }
    return NULL;
}

static int take(const struct line *l, char *p)
{
    p += strspn(p, " \t");
    if (!*p || *p == '#')
        return 0;
    char *name = p;
    size_t n = strcspn(p, " \t=:");
    if (p[0] == '-' && p[1] != '-' && n > 2)
        n = 2; /* -sfoo */
    p += n;
    const struct option_row *o = find(name, n);
    char ended = *p;
    p += strspn(p, " \t=:");
    if (!o) {
        name[n] = '\0';
        return bad(l, "there is no option", name);
    }
    if (!o->arg) {
        if (*p && *p != '#' && ended != '\0')
            return bad(l, "no value goes with it:", p);
        return get_option(o->letter, NULL);
    }
    if (*p == '"')
        p = quoted(p);
    if (!*p && !ended)
        return bad(l, "it wants a value:", o->name);
    return get_option(o->letter, p);
}

/* The text stays until the end: the options point into it. */
int get_config(const char *path, bool must)
{
    static int depth;
    struct hail_buf b;
    if (!must && access(path, R_OK) < 0)
        return 0;
    if (++depth > DEPTH_MAX)
        return usage_error(&command_get, "%s: files of options that name each other", path);
    hail_buf_init(&b, CONFIG_MAX);
    int status = get_slurp(path, &b);
    status = status ? status : get_keep(b.p);
    struct line l = {path, 0};
    char *p = b.p;
    while (status == 0 && p && *p) {
        char *end = p + strcspn(p, "\n"), *next = *end ? end + 1 : end;
        *end = '\0';
        if (end > p && end[-1] == '\r')
            end[-1] = '\0';
        l.number++;
        status = take(&l, p);
        p = next;
    }
    depth--;
    return status;
}

/* hail's own file: $XDG_CONFIG_HOME/hail/get, or ~/.config/hail/get. Not with -q as the first. */
int get_config_default(int argc, char **argv)
{
    char path[4096];
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (argc > 1 && (strncmp(argv[1], "-q", 2) == 0 || strcmp(argv[1], "--disable") == 0))
        return 0;
    if (base && *base == '/')
        snprintf(path, sizeof path, "%s/hail/get", base);
    else if (home && *home == '/')
        snprintf(path, sizeof path, "%s/.config/hail/get", home);
    else
        return 0;
    return get_config(path, false);
}
