/* environ.c - the variables that NEW-ENVIRON may tell the peer.
 *
 * They begin as the process's own, none of them exported but DISPLAY and PRINTER: a peer is told
 * nothing that was not defined or exported for it (CVE-2005-0488).
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARS_MAX 4096

struct telnet_environ {
    struct hail_telnet_var *v; /* the last defined comes first when listed */
    size_t n, cap;
};

static struct hail_telnet_var *find(const struct telnet *t, const char *name)
{
    for (size_t i = 0; i < t->env->n; i++)
        if (strcmp(t->env->v[i].name, name) == 0)
            return &t->env->v[i];
    return NULL;
}

static void free_var(struct hail_telnet_var *v)
{
    free((char *)v->name);
    free((char *)v->value);
}

static struct hail_telnet_var *add(struct telnet_environ *env)
{
    if (env->n == env->cap) {
        size_t cap = env->cap ? 2 * env->cap : 64;
        if (cap > VARS_MAX)
            return NULL;
        struct hail_telnet_var *v = reallocarray(env->v, cap, sizeof *v);
        if (!v)
            return NULL;
        env->v = v;
        env->cap = cap;
    }
    return &env->v[env->n++];
}

void telnet_environ_define(struct telnet *t, const char *name, const char *value, bool exported)
{
    struct hail_telnet_var new = {strdup(name), strdup(value), exported};
    struct hail_telnet_var *v = find(t, name);
    bool had = v != NULL;
    if (new.name &&new.value && !had)
        v = add(t->env);
    if (!new.name || !new.value || !v) {
        free_var(&new);
        return;
    }
    if (had)
        free_var(v);
    *v = new;
    telnet_environ_tell(t);
}

/* ":0" and "unix:0" are displays of this host: the peer has to be told which. */
static void display_of_this_host(struct telnet *t)
{
    const struct hail_telnet_var *v = find(t, "DISPLAY");
    if (!v || (*v->value != ':' && strncmp(v->value, "unix:", 5) != 0))
        return;
    char host[HAIL_HOST_MAX + 1] = "", display[2 * HAIL_HOST_MAX];
    gethostname(host, sizeof host - 1);
    snprintf(display, sizeof display, "%s%s", host, strchr(v->value, ':'));
    telnet_environ_define(t, "DISPLAY", display, true);
}

int telnet_environ_init(struct telnet *t)
{
    t->env = calloc(1, sizeof *t->env);
    if (!t->env)
        return -1;
    for (char **e = environ; *e; e++) {
        const char *equals = strchr(*e, '=');
        char *name = equals ? strndup(*e, (size_t)(equals - *e)) : NULL;
        if (name)
            telnet_environ_define(t, name, equals + 1,
                                  strcmp(name, "DISPLAY") == 0 || strcmp(name, "PRINTER") == 0);
        free(name);
    }
    display_of_this_host(t);
    const struct hail_telnet_var *logname = find(t, "LOGNAME");
    if (!find(t, "USER") && logname)
        telnet_environ_define(t, "USER", logname->value, false);
    return 0;
}

void telnet_environ_free(struct telnet *t)
{
    for (size_t i = 0; t->env && i < t->env->n; i++)
        free_var(&t->env->v[i]);
    if (t->env)
        free(t->env->v);
    free(t->env);
    t->env = NULL;
}

void telnet_environ_tell(struct telnet *t)
{
    const struct hail_telnet_var *display = find(t, "DISPLAY");
    t->told.vars = t->env->v;
    t->told.nvars = t->env->n;
    t->told.display = display ? display->value : NULL;
}

/* --- the command --- */

static void undefine(struct telnet *t, const char *name)
{
    struct hail_telnet_var *v = find(t, name);
    if (!v)
        return;
    free_var(v);
    size_t at = (size_t)(v - t->env->v);
    memmove(v, v + 1, (t->env->n - at - 1) * sizeof *v);
    t->env->n--;
}

static void list(const struct telnet *t)
{
    for (size_t i = t->env->n; i-- > 0;) {
        const struct hail_telnet_var *v = &t->env->v[i];
        printf("%c %-20s %s\n", v->exported ? '*' : ' ', v->name, v->value);
    }
}

static void send_one(struct telnet *t, const char *name)
{
    if (!hail_telnet_ours(&t->engine, HAIL_TELOPT_NEW_ENVIRON) || !t->stream)
        telnet_complain("Cannot send '%s': Telnet ENVIRON option not enabled\n", name);
    else if (!find(t, name))
        telnet_complain("Cannot send '%s': variable not defined\n", name);
    else if (hail_telnet_send_environ(&t->engine, name) == -EACCES)
        telnet_complain("Cannot send '%s': variable not exported\n", name);
}

enum { DEFINE, UNDEFINE, EXPORT, UNEXPORT, SEND, LIST, HELP };
static const struct {
    const char *name, *help;
    int what, args;
} rows[] = {
    {"define", "Define an environment variable", DEFINE, 2},
    {"undefine", "Undefine an environment variable", UNDEFINE, 1},
    {"export", "Mark an environment variable for automatic export", EXPORT, 1},
    {"unexport", "Don't mark an environment variable for automatic export", UNEXPORT, 1},
    {"send", "Send an environment variable", SEND, 1},
    {"list", "List the current environment variables", LIST, 0},
    {"help", NULL, HELP, 0},
    {"?", "Print help information", HELP, 0},
    {NULL, NULL, 0, 0},
};

static void run(struct telnet *t, int what, char **args)
{
    struct hail_telnet_var *v = what < SEND ? find(t, args[0]) : NULL;
    switch (what) {
    case DEFINE:
        telnet_environ_define(t, args[0], args[1], true);
        break;
    case UNDEFINE:
        undefine(t, args[0]);
        break;
    case EXPORT:
    case UNEXPORT:
        if (v)
            v->exported = what == EXPORT;
        break;
    case SEND:
        send_one(t, args[0]);
        break;
    case LIST:
        list(t);
        break;
    default:
        for (size_t i = 0; rows[i].name; i++)
            if (rows[i].help)
                printf("%-15s %s\n", rows[i].name, rows[i].help);
        break;
    }
    telnet_environ_tell(t);
}

int telnet_environ(struct telnet *t, int argc, char **argv)
{
    if (argc < 2) {
        telnet_complain("Need an argument to 'environ' command.  'environ ?' for help.\n");
        return TELNET_STAY;
    }
    bool ambiguous;
    typeof(&rows[0]) row = telnet_find(argv[1], rows, sizeof rows[0], &ambiguous);
    if (!row) {
        telnet_complain("'%s': %s argument ('environ ?' for help).\n", argv[1],
                        ambiguous ? "ambiguous" : "unknown");
        return TELNET_STAY;
    }
    if (row->args + 2 != argc) {
        telnet_complain("Need %s%d argument%s to 'environ %s' command.  'environ ?' for help.\n",
                        row->args < argc + 2 ? "only " : "", row->args, row->args == 1 ? "" : "s",
                        row->name);
        return TELNET_STAY;
    }
    run(t, row->what, argv + 2);
    return TELNET_GO;
}
