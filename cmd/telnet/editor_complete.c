/* editor_complete.c - TAB: what can be said to the service, from the table of its protocol. */
#include "editor_parts.h"

#include <string.h>
#include <strings.h>

#define VERBS_MAX 64

/* What fits what was typed. */
struct fits {
    const struct hail_verb *v[VERBS_MAX];
    size_t n;
    size_t common; /* characters that all names have in common */
};

/* IMAP's names begin with a tag, for which anything may stand. */
static const char *bare_name(const struct hail_verb *v)
{
    return strncmp(v->name, "a ", 2) == 0 ? v->name + 2 : v->name;
}

static const char *behind_tag(enum hail_talk talk, const char *typed)
{
    const char *blank = talk == HAIL_TALK_IMAP ? strchr(typed, ' ') : NULL;
    return blank ? blank + 1 : typed;
}

static void find(enum hail_talk talk, const char *typed, struct fits *f)
{
    size_t n;
    const struct hail_verb *v = hail_talk_verbs(talk, &n);
    bool tagged = typed != behind_tag(talk, typed);
    typed = behind_tag(talk, typed);
    *f = (struct fits){.n = 0};
    for (size_t i = 0; i < n && f->n < VERBS_MAX; i++) {
        const char *name = tagged ? bare_name(&v[i]) : v[i].name;
        if (tagged && name == v[i].name)
            continue;
        if (strncasecmp(name, typed, strlen(typed)) != 0)
            continue;
        const char *first = f->n ? (tagged ? bare_name(f->v[0]) : f->v[0]->name) : name;
        size_t same = 0;
        while (name[same] && name[same] == first[same])
            same++;
        f->common = f->n && f->common < same ? f->common : same;
        f->v[f->n++] = &v[i];
    }
}

/* The verb that was typed whole, to tell of its arguments. */
static const struct hail_verb *whole(enum hail_talk talk, const char *typed)
{
    size_t n;
    const struct hail_verb *v = hail_talk_verbs(talk, &n), *best = NULL;
    bool tagged = typed != behind_tag(talk, typed);
    typed = behind_tag(talk, typed);
    for (size_t i = 0; i < n; i++) {
        const char *name = tagged ? bare_name(&v[i]) : v[i].name;
        size_t len = strlen(name);
        bool ends = len && (name[len - 1] == ':' || typed[len] == ' ');
        if (strncasecmp(name, typed, len) == 0 && ends)
            best = &v[i];
    }
    return best;
}

static void list(struct telnet_editor *e, const struct hail_verb *const *v, size_t n)
{
    const char *dim = e->t->c->colour ? "\033[2m" : "", *plain = e->t->c->colour ? "\033[0m" : "";
    telnet_editor_wipe(e);
    for (size_t i = 0; i < n; i++) {
        int width = (int)(strlen(v[i]->name) + strlen(v[i]->args) + 1);
        hail_buf_printf(&e->text, "%s %s%*s  %s%s%s\n", v[i]->name, v[i]->args,
                        width < 32 ? 32 - width : 0, "", dim, v[i]->help, plain);
    }
    telnet_editor_draw(e);
}

/* Between a verb and its argument: "RCPT TO:" has none, the fields of HTTP have. */
static bool takes_blank(enum hail_talk talk, const struct hail_verb *v)
{
    return v->args[0] && (talk == HAIL_TALK_HTTP || v->name[strlen(v->name) - 1] != ':');
}

/* The rest of the name, and what goes between it and its argument. */
static void insert(EditLine *el, enum hail_talk talk, const char *typed, const struct fits *f)
{
    char rest[64];
    bool tagged = el_line(el)->buffer + strlen(typed) != el_line(el)->cursor;
    const char *name = tagged ? bare_name(f->v[0]) : f->v[0]->name;
    size_t n = strlen(typed), len = f->common < sizeof rest - 2 ? f->common : sizeof rest - 2;
    memcpy(rest, name, len);
    if (f->n == 1 && len == strlen(name) && takes_blank(talk, f->v[0]))
        rest[len++] = ' ';
    rest[len] = '\0';
    el_deletestr(el, (int)n); /* as it is spelled, with its capitals */
    el_insertstr(el, rest);
}

unsigned char telnet_editor_complete(EditLine *el, int key)
{
    struct telnet_editor *e;
    struct fits f;
    char typed[256];
    (void)key;
    el_get(el, EL_CLIENTDATA, &e);
    enum hail_talk talk = e->t->reply.talk;
    const LineInfo *line = el_line(el);
    size_t n = (size_t)(line->cursor - line->buffer);
    if (n >= sizeof typed || line->cursor != line->lastchar)
        return CC_ERROR;
    memcpy(typed, line->buffer, n);
    typed[n] = '\0';
    const char *verb = behind_tag(talk, typed);
    find(talk, typed, &f);
    if (f.n && (f.common > strlen(verb) || (f.n == 1 && takes_blank(talk, f.v[0])))) {
        insert(el, talk, verb, &f);
        return CC_REFRESH;
    }
    if (f.n) {
        list(e, f.v, f.n);
        return CC_NORM;
    }
    const struct hail_verb *one = whole(talk, typed);
    if (!one)
        return CC_ERROR;
    list(e, &one, 1);
    return CC_NORM;
}
