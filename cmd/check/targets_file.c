/* targets_file.c - a file of targets, line by line; targets.h. */
#include "targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 128 /* in a line */

struct word {
    const char *text; /* in the line's buffer, quotes undone */
    size_t line, column;
};

struct file {
    struct check_targets *t;
    const char *p, *end;
    size_t line, column;               /* of *p */
    struct check_settings defaults;    /* of the lines that follow */
    const struct check_settings *last; /* of the last target, shared by the next; NULL: none */
    size_t nlast;                      /* ... and the words that they were written in */
    char last_words[CHECK_TARGETS_LINE];
    check_fault_fn *fault;
    void *arg;
    /* the line */
    char text[CHECK_TARGETS_LINE];
    size_t used;
    struct word v[WORDS];
    size_t n;
    char why[CHECK_WHY];
};

static void complain(struct file *f, size_t line, size_t column, const char *why)
{
    f->t->faults++;
    if (f->fault)
        f->fault(f->arg, line, column, why);
}

/* --- words --- */

static bool at_end(const struct file *f)
{
    return f->p == f->end || *f->p == '\n' ||
           (*f->p == '\r' && (f->p + 1 == f->end || f->p[1] == '\n'));
}

/* Columns are characters, as an editor counts them. */
static void step(struct file *f)
{
    if (*f->p == '\n') {
        f->line++;
        f->column = 1;
    } else if (((unsigned char)*f->p & 0xC0) != 0x80) {
        f->column++;
    }
    f->p++;
}

/* A backslash at the line's end: it goes on in the next one. */
static bool goes_on(const struct file *f)
{
    if (*f->p != '\\' || f->p + 1 == f->end)
        return false;
    return f->p[1] == '\n' || (f->p[1] == '\r' && f->p + 2 < f->end && f->p[2] == '\n');
}

static void skip_blank(struct file *f)
{
    while (!at_end(f) && (*f->p == ' ' || *f->p == '\t' || goes_on(f))) {
        if (goes_on(f))
            while (*f->p != '\n')
                step(f);
        step(f);
    }
    if (!at_end(f) && *f->p == '#')
        while (!at_end(f))
            step(f);
}

static const char *put(struct file *f, char c)
{
    if (f->used + 1 >= sizeof f->text)
        return "the line is too long";
    if (c == '\0')
        return "a NUL byte";
    f->text[f->used++] = c;
    return NULL;
}

/* The word that begins here. NULL, or what is wrong. */
static const char *take_word(struct file *f)
{
    const char *why = NULL;
    bool quoted = false;
    if (f->n == WORDS)
        return "too many words";
    f->v[f->n++] = (struct word){f->text + f->used, f->line, f->column};
    if (f->used == sizeof f->text)
        return "the line is too long";
    while (!at_end(f) && !why) {
        char c = *f->p;
        if (!quoted && (c == ' ' || c == '\t' || goes_on(f)))
            break;
        step(f);
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && c == '\\' && !at_end(f) && (*f->p == '"' || *f->p == '\\')) {
            c = *f->p;
            step(f);
        }
        why = put(f, c);
    }
    if (quoted && !why)
        why = "the quotes are not closed";
    f->text[f->used++] = '\0';
    return why;
}

/* Reads a line into words. False: it is told to be malformed, and passed. */
static bool take_line(struct file *f)
{
    const char *why = NULL;
    f->n = f->used = 0;
    for (skip_blank(f); !at_end(f) && !why; skip_blank(f))
        why = take_word(f);
    if (why)
        complain(f, f->v[f->n ? f->n - 1 : 0].line, f->v[f->n ? f->n - 1 : 0].column, why);
    while (f->p < f->end && *f->p != '\n')
        step(f);
    if (f->p < f->end)
        step(f);
    return !why;
}

/* --- settings --- */

static int fault_at(struct file *f, const struct word *w, size_t more, const char *why)
{
    complain(f, w->line, w->column + more, why);
    return -EINVAL;
}

static int use_module(struct file *f, const struct word *w, const char *name,
                      struct check_settings *s)
{
    const struct check_module *m = check_find_module(f->t, name);
    if (!m) {
        snprintf(f->why, sizeof f->why, "there is no module '%.60s' above", name);
        return fault_at(f, w, strlen("module="), f->why);
    }
    *s = check_derive(m->set);
    s->module = m->name;
    return 0;
}

/* The words from `at` on as settings. */
static int take_settings(struct file *f, size_t at, struct check_settings *s)
{
    for (size_t i = at; i < f->n; i++) {
        const struct word *w = &f->v[i];
        char name[64];
        const char *value = strchr(w->text, '=');
        size_t n = value ? (size_t)(value - w->text) : strlen(w->text);
        if (n == 0 || n >= sizeof name)
            return fault_at(f, w, 0, "a setting is name=value");
        memcpy(name, w->text, n);
        name[n] = '\0';
        value = value ? value + 1 : NULL;
        if (strcmp(name, "module") == 0 && value) {
            if (i != at)
                return fault_at(f, w, 0, "module= stands in front of other settings");
            if (use_module(f, w, value, s) < 0)
                return -EINVAL;
            continue;
        }
        int rc = check_set(s, f->t->pool, name, value, f->why);
        if (rc == -ENOMEM)
            return rc;
        if (rc < 0)
            return fault_at(f, w, 0, f->why);
    }
    return 0;
}

static const struct check_settings *keep(struct file *f, const struct check_settings *s)
{
    struct check_settings *kept = check_pool_take(f->t->pool, sizeof *kept);
    if (kept)
        *kept = *s;
    return kept;
}

/* --- lines --- */

static void *grow(void *v, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return v;
    size_t more = *cap ? *cap * 2 : 16;
    void *p = realloc(v, more * size);
    if (p)
        *cap = more;
    return p;
}

static int take_module(struct file *f)
{
    struct check_targets *t = f->t;
    if (f->n < 2)
        return fault_at(f, &f->v[0], 0, "a module has a name");
    if (check_find_module(t, f->v[1].text))
        return fault_at(f, &f->v[1], 0, "there is a module of that name above");
    struct check_settings s = check_derive(&f->defaults);
    int rc = take_settings(f, 2, &s);
    if (rc < 0)
        return rc;
    struct check_module *v = grow(t->modules, t->nmodules, &t->modules_cap, sizeof *v);
    if (!v)
        return -ENOMEM;
    t->modules = v;
    struct check_module *m = &v[t->nmodules];
    m->name = check_pool_text(t->pool, f->v[1].text, strlen(f->v[1].text));
    m->set = keep(f, &s);
    if (!m->name || !m->set)
        return -ENOMEM;
    t->nmodules++;
    return 0;
}

static int take_allow(struct file *f)
{
    struct check_targets *t = f->t;
    const char *module = NULL;
    if (f->n < 2)
        return fault_at(f, &f->v[0], 0, "allow wants a pattern");
    if (f->n > 2) {
        if (f->n > 3 || strncmp(f->v[2].text, "module=", 7) != 0)
            return fault_at(f, &f->v[2], 0, "only module=NAME stands behind the pattern");
        const struct check_module *m = check_find_module(t, f->v[2].text + 7);
        if (!m)
            return fault_at(f, &f->v[2], 7, "there is no such module above");
        module = m->name;
    }
    struct check_allow *v = grow(t->allows, t->nallows, &t->allows_cap, sizeof *v);
    if (!v)
        return -ENOMEM;
    t->allows = v;
    v[t->nallows] =
        (struct check_allow){check_pool_text(t->pool, f->v[1].text, strlen(f->v[1].text)), module};
    if (!v[t->nallows].pattern)
        return -ENOMEM;
    t->nallows++;
    return 0;
}

static int take_default(struct file *f)
{
    struct check_settings s = check_derive(&f->defaults);
    int rc = take_settings(f, 1, &s);
    if (rc < 0)
        return rc;
    f->defaults = s;
    f->last = NULL;
    return 0;
}

/* The settings of the line's target: the last one's, if they are written alike, since a file has
 * many such lines. */
static int target_settings(struct file *f, const struct check_settings **set)
{
    const char *words = f->n > 1 ? f->v[1].text : "";
    size_t n = f->n > 1 ? (size_t)(f->text + f->used - words) : 0;
    *set = f->last;
    if (f->last && n == f->nlast && memcmp(words, f->last_words, n) == 0)
        return 0;
    struct check_settings s = check_derive(&f->defaults);
    int rc = take_settings(f, 1, &s);
    if (rc < 0)
        return rc;
    *set = keep(f, &s);
    if (!*set)
        return -ENOMEM;
    f->last = *set;
    f->nlast = n;
    memcpy(f->last_words, words, n);
    return 0;
}

static int take_target(struct file *f)
{
    struct check_target target;
    const struct check_settings *set;
    size_t column;
    int rc = target_settings(f, &set);
    if (rc < 0)
        return rc;
    rc = check_target_parse(f->t, f->v[0].text, set, &target, f->why, &column);
    if (rc == -EINVAL)
        return fault_at(f, &f->v[0], column - 1, f->why);
    if (rc == 0 && target.bare)
        return fault_at(f, &f->v[0], 0, "the port, or a protocol that has one, is missing");
    return rc < 0 ? rc : check_targets_add(f->t, &target);
}

static int take(struct file *f)
{
    const char *first = f->v[0].text;
    if (strcmp(first, "module") == 0)
        return take_module(f);
    if (strcmp(first, "default") == 0)
        return take_default(f);
    if (strcmp(first, "allow") == 0)
        return take_allow(f);
    return take_target(f);
}

int check_targets_parse(struct check_targets *t, const char *p, size_t n,
                        const struct check_settings *base, check_fault_fn *fault, void *arg)
{
    if (n > CHECK_TARGETS_FILE)
        return -EMSGSIZE;
    struct file *f = calloc(1, sizeof *f);
    if (!f)
        return -ENOMEM;
    *f = (struct file){.t = t, .p = p, .end = p + n, .line = 1, .column = 1, .fault = fault};
    f->arg = arg;
    f->defaults = *base;
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        f->p += 3;
    int rc = 0;
    while (f->p < f->end && rc != -ENOMEM)
        if (take_line(f) && f->n)
            rc = take(f);
    free(f);
    return rc == -ENOMEM ? rc : 0;
}
