/* multipart.c - the content of -F: multipart/form-data, RFC 7578 and RFC 2046 section 5.1.
 *
 *     name=text   name=<file   name=@file,file   with   ;type=T ;filename=N ;headers=H
 *
 * The parts become one list of pieces, of which files are read when they are sent.
 */
#include "get.h"

#include "proto/mime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)65536) /* bytes of one part's head */
#define TEXT_MAX ((size_t)1 << 28)

/* One -F, taken apart; the texts are the form's own copies. */
struct form {
    char *name, *content, *type, *file_name;
    struct get_words headers;
    bool file, text_file; /* @, < */
};

int get_part_add(struct get_parts *parts, struct get_part part)
{
    if (parts->n == parts->room) {
        size_t room = parts->room ? 2 * parts->room : 8;
        struct get_part *v = realloc(parts->v, room * sizeof *v);
        if (!v) {
            free(part.bytes);
            return local_error("keep", "the content of the request", ENOMEM);
        }
        parts->v = v;
        parts->room = room;
    }
    parts->v[parts->n++] = part;
    return 0;
}

static int add_text(struct get_parts *parts, struct hail_buf *b)
{
    if (b->failed)
        return local_error("keep", "the content of the request", -b->failed);
    int status = get_part_add(parts, (struct get_part){.bytes = b->p, .n = b->len});
    hail_buf_init(b, b->max); /* the bytes are the part's now */
    return status;
}

/* --- reading the option --- */

/* A word up to one of `ends`, or a text in quotes with \" and \\ in it; ends what it reads by NUL
 * in place. */
static char *word(char **at, const char *ends)
{
    char *p = *at, *from = p, *to = p;
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            p += *p == '\\' && (p[1] == '"' || p[1] == '\\');
            *to++ = *p;
        }
        p += *p == '"';
        p += strcspn(p, ends);
    } else {
        to = p += strcspn(p, ends);
        while (to > from && (to[-1] == ' ' || to[-1] == '\t') && *p)
            to--;
    }
    *at = p;
    if (to != p || !*p)
        *to = '\0';
    return from;
}

static bool begins(const char *p, const char *with)
{
    return strncmp(p, with, strlen(with)) == 0;
}

/* The ";key=value" behind a content; `p` stands at the ';' or the end. */
static int modifiers(struct form *f, char *p, const char *whole)
{
    while (*p == ';') {
        *p++ = '\0';
        p += strspn(p, " \t");
        if (begins(p, "type=")) {
            p += 5;
            f->type = p;
            /* a type has parameters of its own */
            while (*p && !(*p == ';' && (begins(p + strspn(p + 1, " ") + 1, "filename=") ||
                                         begins(p + strspn(p + 1, " ") + 1, "headers="))))
                p++;
        } else if (begins(p, "filename=")) {
            p += 9;
            f->file_name = word(&p, ";");
        } else if (begins(p, "headers=")) {
            p += 8;
            if (get_words_add(&f->headers, word(&p, ";")))
                return STATUS_LOCAL;
        } else {
            return usage_error(&command_get,
                               "-F '%s': only type=, filename= and headers= may follow"
                               " a ';'",
                               whole);
        }
    }
    return 0;
}

static int read_form(struct form *f, char *text, const char *whole, bool plain)
{
    char *equal = strchr(text, '=');
    if (!equal || equal == text)
        return usage_error(&command_get, "-F '%s': not NAME=CONTENT", whole);
    *equal = '\0';
    f->name = text;
    f->content = equal + 1;
    if (plain)
        return 0;
    char *p = f->content;
    f->file = *p == '@';
    f->text_file = *p == '<';
    p += f->file || f->text_file;
    f->content = p;
    char *stop = p;
    f->content = word(&stop, f->file ? ",;" : ";");
    if (*stop == ',')
        return usage_error(&command_get, "-F '%s': one file each; give -F again for the next",
                           whole);
    char *next = stop;
    int status = 0;
    if (*stop == ';')
        status = modifiers(f, next, whole);
    return status;
}

/* --- writing the parts --- */

/* What would end the line or the quotes: percent codes as browsers have them, or backslashes. */
static void put_quoted(struct hail_buf *b, const char *key, const char *value, bool escape)
{
    hail_buf_printf(b, "; %s=\"", key);
    for (; *value; value++) {
        if (escape && (*value == '"' || *value == '\\'))
            hail_buf_char(b, '\\');
        if (!escape && *value == '"')
            hail_buf_str(b, "%22");
        else if (*value == '\r' || *value == '\n')
            hail_buf_str(b, *value == '\r' ? "%0D" : "%0A");
        else
            hail_buf_char(b, *value);
    }
    hail_buf_char(b, '"');
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_head(struct hail_buf *b, const struct form *f, const char *boundary, bool escape)
{
    hail_buf_printf(b, "--%s\r\nContent-Disposition: form-data", boundary);
    put_quoted(b, "name", f->name, escape);
    const char *name = f->file_name ? f->file_name : f->file ? last_of(f->content) : "";
    if (f->file_name || f->file)
        put_quoted(b, "filename", name, escape);
    static const struct hail_mime builtin;
    char type[HAIL_MIME_MAX] = "";
    if (f->file)
        hail_mime_type(&builtin, name, type);
    if (f->type || f->file) /* of a file that is sent as it is, nobody knows the charset */
        hail_buf_printf(b, "\r\nContent-Type: %.*s",
                        (int)(f->type ? strlen(f->type) : strcspn(type, ";")),
                        f->type ? f->type : type);
    for (size_t i = 0; i < f->headers.n; i++)
        hail_buf_printf(b, "\r\n%s", f->headers.v[i]);
    hail_buf_str(b, "\r\n\r\n");
}

static int put_form(struct get_asked *a, const struct form *f, const char *boundary, bool first)
{
    struct hail_buf b;
    hail_buf_init(&b, TEXT_MAX);
    if (!first)
        hail_buf_str(&b, "\r\n");
    put_head(&b, f, boundary, a->form_escape);
    bool standard = f->file && strcmp(f->content, "-") == 0; /* read now: its size is stated */
    int status = 0;
    if (f->text_file || standard)
        status = get_slurp(f->content, &b);
    else if (!f->file)
        hail_buf_str(&b, f->content);
    if (status == 0)
        status = add_text(&a->body, &b);
    hail_buf_free(&b);
    if (status || !f->file || standard)
        return status;
    if (access(f->content, R_OK) < 0)
        return local_error("open", f->content, errno);
    return get_part_add(&a->body, (struct get_part){.file = f->content});
}

static int make_boundary(struct get_asked *a, char out[64])
{
    unsigned char raw[8];
    if (getrandom(raw, sizeof raw, 0) != sizeof raw)
        return local_error("read", "random bytes", errno);
    int n = snprintf(out, 64, "------------------------");
    for (size_t i = 0; i < sizeof raw; i++)
        n += snprintf(out + n, 64 - (size_t)n, "%02x", raw[i]);
    snprintf(a->form_type, sizeof a->form_type, "multipart/form-data; boundary=%s", out);
    return 0;
}

/* The words come in pairs: how, and what. The copies are kept until the end. */
int get_forms(struct get_asked *a)
{
    char boundary[64];
    int status = make_boundary(a, boundary);
    for (size_t i = 0; i + 1 < a->forms.n && status == 0; i += 2) {
        struct form f = {0};
        char *text = strdup(a->forms.v[i + 1]);
        if (!text)
            return local_error("keep", "a form", ENOMEM);
        status = get_keep(text);
        if (status == 0)
            status = read_form(&f, text, a->forms.v[i + 1], *a->forms.v[i] == 'S');
        if (status == 0 && f.name)
            status = put_form(a, &f, boundary, i == 0);
        free(f.headers.v);
    }
    if (status)
        return status;
    struct hail_buf b;
    hail_buf_init(&b, HEAD_MAX);
    hail_buf_printf(&b, "\r\n--%s--\r\n", boundary);
    return add_text(&a->body, &b);
}
