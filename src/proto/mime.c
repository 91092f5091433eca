/* mime.c - media types by ending (RFC 6838, the IANA registry of media types); proto/mime.h. */
#include "proto/mime.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENDING_MAX 16
#define TYPE_MAX   (HAIL_MIME_MAX - sizeof "; charset=utf-8")

struct hail_mime_row {
    char ending[ENDING_MAX];
    char type[TYPE_MAX];
};

/* What the web is made of, for machines without /etc/mime.types. Sorted. */
static const struct {
    const char *ending, *type;
} builtin[] = {
    {"avif", "image/avif"},       {"bmp", "image/bmp"},         {"css", "text/css"},
    {"csv", "text/csv"},          {"gif", "image/gif"},         {"gz", "application/gzip"},
    {"htm", "text/html"},         {"html", "text/html"},        {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},       {"jpg", "image/jpeg"},        {"js", "text/javascript"},
    {"json", "application/json"}, {"md", "text/markdown"},      {"mjs", "text/javascript"},
    {"mp3", "audio/mpeg"},        {"mp4", "video/mp4"},         {"ogg", "audio/ogg"},
    {"otf", "font/otf"},          {"pdf", "application/pdf"},   {"png", "image/png"},
    {"svg", "image/svg+xml"},     {"tar", "application/x-tar"}, {"ttf", "font/ttf"},
    {"txt", "text/plain"},        {"wasm", "application/wasm"}, {"webm", "video/webm"},
    {"webp", "image/webp"},       {"woff", "font/woff"},        {"woff2", "font/woff2"},
    {"xml", "application/xml"},   {"zip", "application/zip"},
};

static int by_ending(const void *a, const void *b)
{
    return strcasecmp(((const struct hail_mime_row *)a)->ending,
                      ((const struct hail_mime_row *)b)->ending);
}

/* Takes the next word of a line off its front; 0 bytes at its end or before a comment. */
static size_t word(const char **p, const char *end, const char **start)
{
    while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
        ++*p;
    *start = *p;
    while (*p < end && !strchr(" \t\r#", **p))
        ++*p;
    return (size_t)(*p - *start);
}

/* Fit for a field's value: a type with a slash, printable. */
static bool is_type(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] >= 0x7F)
            return false;
    return n > 0 && n < TYPE_MAX && memchr(p, '/', n);
}

static int add(struct hail_mime *m, size_t *room, const char *type, size_t type_n,
               const char *ending, size_t ending_n)
{
    if (m->n == *room) {
        size_t more = *room ? 2 * *room : 256;
        struct hail_mime_row *rows = realloc(m->rows, more * sizeof *rows);
        if (!rows)
            return -ENOMEM;
        m->rows = rows;
        *room = more;
    }
    struct hail_mime_row *row = &m->rows[m->n++];
    memset(row, 0, sizeof *row);
    memcpy(row->type, type, type_n);
    memcpy(row->ending, ending, ending_n);
    return 0;
}

static int add_line(struct hail_mime *m, size_t *room, const char *p, const char *end)
{
    const char *type, *ending;
    size_t type_n = word(&p, end, &type), n;
    if (!is_type(type, type_n))
        return 0;
    int rc = 0;
    while (rc == 0 && (n = word(&p, end, &ending)) > 0)
        if (n < ENDING_MAX && !memchr(ending, '\0', n))
            rc = add(m, room, type, type_n, ending, n);
    return rc;
}

int hail_mime_parse(struct hail_mime *m, const char *text, size_t n)
{
    struct hail_mime made = {0};
    size_t room = 0;
    int rc = 0;
    for (const char *p = text, *end = text + n; p < end && rc == 0;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        rc = add_line(&made, &room, p, lf ? lf : end);
        p = lf ? lf + 1 : end;
    }
    if (rc < 0) {
        hail_mime_free(&made);
        return rc;
    }
    if (made.n)
        qsort(made.rows, made.n, sizeof *made.rows, by_ending);
    *m = made;
    return 0;
}

void hail_mime_free(struct hail_mime *m)
{
    free(m->rows);
    *m = (struct hail_mime){0};
}

static const char *find(const struct hail_mime *m, const char *ending)
{
    struct hail_mime_row key = {0};
    if (strlen(ending) >= sizeof key.ending)
        return NULL;
    memcpy(key.ending, ending, strlen(ending));
    const struct hail_mime_row *row =
        m->n ? bsearch(&key, m->rows, m->n, sizeof *m->rows, by_ending) : NULL;
    if (row)
        return row->type;
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
        if (strcasecmp(builtin[i].ending, ending) == 0)
            return builtin[i].type;
    return NULL;
}

/* Whose bytes are text, so that a browser needs to know how they are to be read. */
static bool is_text(const char *type)
{
    return strncmp(type, "text/", 5) == 0 || strcmp(type, "application/javascript") == 0;
}

void hail_mime_type(const struct hail_mime *m, const char *name, char out[HAIL_MIME_MAX])
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
    const char *type = dot ? find(m, dot + 1) : NULL;
    type = type ? type : "application/octet-stream";
    snprintf(out, HAIL_MIME_MAX, "%s%s", type, is_text(type) ? "; charset=utf-8" : "");
}

bool hail_mime_compresses(const char *type)
{
    static const char *const kinds[] = {"application/json",
                                        "application/xml",
                                        "application/wasm",
                                        "application/javascript",
                                        "application/manifest",
                                        "application/x-ndjson",
                                        "image/svg+xml",
                                        "image/bmp",
                                        "font/ttf",
                                        "font/otf"};
    size_t n = strcspn(type, "; ");
    if (strncmp(type, "text/", 5) == 0)
        return true;
    if (n > 5 && (strncmp(type + n - 5, "+json", 5) == 0 || strncmp(type + n - 4, "+xml", 4) == 0))
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(type, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}
