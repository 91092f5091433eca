/* telnet_environ.c - NEW-ENVIRON on the client's side, RFC 1572: only what the user has exported is
 * told, whatever the peer asks for, and however often it asks within one request. */
#include "proto/telnet.h"

#include <errno.h>
#include <string.h>

enum { VAR = 0, VALUE = 1, ESC = 2, USERVAR = 3 };

#define PIECE_MAX  8192  /* bytes in one subnegotiation of ours */
#define ANSWER_MAX 65536 /* and in all that answer one */

/* An answer on its way out: IS, and INFO for what has no room in it. */
struct answer {
    struct hail_telnet *t;
    size_t n, total;
    uint8_t p[PIECE_MAX];
};

static void begin(struct answer *a, uint8_t what)
{
    a->p[0] = what;
    a->n = 1;
}

static void finish(struct answer *a)
{
    hail_telnet_send_sub(a->t, HAIL_TELOPT_NEW_ENVIRON, a->p, a->n);
    a->total += a->n;
    begin(a, HAIL_TELNET_INFO);
}

static void put_text(struct answer *a, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)s[i] <= USERVAR)
            a->p[a->n++] = ESC;
        a->p[a->n++] = (uint8_t)s[i];
    }
}

/* A name, and its value if it has one. What does not fit into a piece of its own is told as
 * undefined, or not at all. */
static void put(struct answer *a, uint8_t kind, const char *name, size_t n, const char *value)
{
    size_t need = 2 + 2 * n, value_n = value ? strlen(value) : 0;
    if (value_n > PIECE_MAX / 2 || need + 2 * value_n > PIECE_MAX - 1)
        value = NULL;
    need += value ? 2 * value_n : 0;
    if (need > PIECE_MAX - 1 || a->total + a->n + need > ANSWER_MAX)
        return;
    if (a->n + need > PIECE_MAX)
        finish(a);
    a->p[a->n++] = kind;
    put_text(a, name, n);
    if (value) {
        a->p[a->n++] = VALUE;
        put_text(a, value, value_n);
    }
}

static bool is_well_known(const char *name, size_t n)
{
    static const char *const names[] = {"USER", "JOB", "ACCT", "PRINTER", "SYSTEMTYPE", "DISPLAY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return true;
    return false;
}

static uint8_t kind_of(const char *name, size_t n)
{
    return is_well_known(name, n) ? VAR : USERVAR;
}

static const struct hail_telnet_var *find(const struct hail_telnet *t, const char *name, size_t n)
{
    const struct hail_telnet_terminal *term = t->config.terminal;
    for (size_t i = 0; term && i < term->nvars; i++)
        if (strlen(term->vars[i].name) == n && memcmp(term->vars[i].name, name, n) == 0)
            return &term->vars[i];
    return NULL;
}

static void put_all(struct answer *a, uint8_t kind)
{
    const struct hail_telnet_terminal *term = a->t->config.terminal;
    for (size_t i = 0; term && i < term->nvars; i++) {
        const struct hail_telnet_var *v = &term->vars[i];
        size_t n = strlen(v->name);
        if (v->exported && kind_of(v->name, n) == kind)
            put(a, kind, v->name, n, v->value);
    }
}

static void put_one(struct answer *a, const char *name, size_t n)
{
    const struct hail_telnet_var *v = find(a->t, name, n);
    put(a, kind_of(name, n), name, n, v && v->exported ? v->value : NULL);
}

/* One request of a list: a name, or a kind alone for all of the kind. */
static void answer_one(struct answer *a, uint8_t kind, const uint8_t *name, size_t n)
{
    if (n > 0)
        put_one(a, (const char *)name, n);
    else
        put_all(a, kind);
}

/* The list of names after SEND, [(VAR | USERVAR) name]..., its ESC undone in place. */
static void answer_list(struct answer *a, uint8_t *p, size_t n)
{
    uint8_t *name = NULL, *to = NULL, kind = VAR;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == VAR || p[i] == USERVAR) {
            if (name)
                answer_one(a, kind, name, (size_t)(to - name));
            kind = p[i];
            name = to = p + i + 1;
        } else if (to) {
            i += p[i] == ESC && i + 1 < n;
            *to++ = p[i];
        }
    }
    if (name)
        answer_one(a, kind, name, (size_t)(to - name));
}

void hail_telnet_environ_came(struct hail_telnet *t, uint8_t *p, size_t n)
{
    if (p[0] != HAIL_TELNET_SEND)
        return;
    struct answer a = {.t = t};
    begin(&a, HAIL_TELNET_IS);
    if (n == 1) {
        put_all(&a, USERVAR);
        put_all(&a, VAR);
    } else {
        answer_list(&a, p + 1, n - 1);
    }
    finish(&a);
}

int hail_telnet_send_environ(struct hail_telnet *t, const char *name)
{
    if (!hail_telnet_ours(t, HAIL_TELOPT_NEW_ENVIRON))
        return -EOPNOTSUPP;
    const struct hail_telnet_var *v = find(t, name, strlen(name));
    if (!v)
        return -ENOENT;
    if (!v->exported)
        return -EACCES;
    struct answer a = {.t = t};
    begin(&a, HAIL_TELNET_INFO);
    put_one(&a, name, strlen(name));
    finish(&a);
    return t->failed;
}
