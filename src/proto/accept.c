/* accept.c - content negotiation; proto/accept.h. */
#include "proto/accept.h"

#include <string.h>

static void trim(struct hail_slice *s)
{
    while (s->n && (s->p[0] == ' ' || s->p[0] == '\t')) {
        s->p++;
        s->n--;
    }
    while (s->n && (s->p[s->n - 1] == ' ' || s->p[s->n - 1] == '\t'))
        s->n--;
}

/* The part of `s` before the next ';', which `s` is then behind. */
static struct hail_slice next_part(struct hail_slice *s)
{
    const char *end = s->n ? memchr(s->p, ';', s->n) : NULL;
    size_t n = end ? (size_t)(end - s->p) : s->n;
    struct hail_slice part = {s->p, n};
    s->p += n + (end ? 1 : 0);
    s->n -= n + (end ? 1 : 0);
    trim(&part);
    return part;
}

/* qvalue: "0" or "1" and up to three decimals. What is malformed counts as 0. */
static unsigned qvalue(struct hail_slice v)
{
    if (v.n == 0 || v.n > 5 || (v.p[0] != '0' && v.p[0] != '1') || (v.n > 1 && v.p[1] != '.'))
        return 0;
    unsigned q = v.p[0] == '1' ? 1000 : 0, unit = 100;
    for (size_t i = 2; i < v.n; i++, unit /= 10) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return 0;
        q += (unsigned)(v.p[i] - '0') * unit;
    }
    return q > 1000 ? 0 : q;
}

/* Splits an element of a list into what it names and its quality. */
static struct hail_slice weigh(struct hail_slice item, unsigned *q)
{
    struct hail_slice name = next_part(&item);
    *q = 1000;
    while (item.n) {
        struct hail_slice part = next_part(&item);
        if (part.n >= 2 && (part.p[0] | 0x20) == 'q' && part.p[1] == '=')
            *q = qvalue((struct hail_slice){part.p + 2, part.n - 2});
    }
    return name;
}

void hail_accept_codings(const struct hail_http_fields *fields, unsigned q[HAIL_CODINGS])
{
    const struct hail_http_field *f = NULL;
    bool said[HAIL_CODINGS] = {false};
    unsigned any = 0;
    bool star = false;
    memset(q, 0, HAIL_CODINGS * sizeof *q);
    while ((f = hail_http_field(fields, "Accept-Encoding", f)) != NULL) {
        struct hail_slice rest = f->value, item;
        while (hail_http_list_next(&rest, &item)) {
            unsigned one;
            struct hail_slice name = weigh(item, &one);
            int c = hail_coding_of(name);
            if (c >= 0 && (!said[c] || one > q[c])) {
                said[c] = true;
                q[c] = one;
            } else if (hail_slice_is(name, "*")) {
                star = true;
                any = one;
            }
        }
    }
    for (int c = 0; c < HAIL_CODINGS; c++)
        if (!said[c])
            q[c] = star ? any : 0;
    /* identity is acceptable unless it is refused by name or by "*" */
    if (!said[HAIL_CODING_IDENTITY] && !star)
        q[HAIL_CODING_IDENTITY] = 1;
}

/* How closely a media range fits a type: 3 it is the type, 2 all of its kind, 1 any, 0 not. */
static int fits(struct hail_slice range, const char *type)
{
    size_t major = strcspn(type, "/");
    if (hail_slice_is_nocase(range, type))
        return 3;
    if (range.n == major + 2 && range.p[major] == '/' && range.p[major + 1] == '*' &&
        strncasecmp(range.p, type, major) == 0)
        return 2;
    return hail_slice_is(range, "*/*") ? 1 : 0;
}

unsigned hail_accept_type(const struct hail_http_fields *fields, const char *type)
{
    const struct hail_http_field *f = hail_http_field(fields, "Accept", NULL);
    unsigned best = f ? 0 : 1000;
    int closest = 0;
    for (; f; f = hail_http_field(fields, "Accept", f)) {
        struct hail_slice rest = f->value, item;
        while (hail_http_list_next(&rest, &item)) {
            unsigned q;
            struct hail_slice range = weigh(item, &q);
            int how = fits(range, type);
            if (how > closest || (how == closest && how && q > best)) {
                closest = how;
                best = q;
            }
        }
    }
    return best;
}
