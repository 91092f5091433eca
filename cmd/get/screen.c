/* screen.c - what a terminal gets: made safe, then coloured by what it is.
 *
 *     content -> base/visible.h -> JSON | markup | as it is -> the terminal
 *
 * Content with a NUL byte in its first piece, or still in a content coding, is no text, and is not
 * shown.
 */
#include "get.h"
#include "pretty.h"

#include "base/error.h"
#include "base/visible.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct get_screen {
    struct hail_visible visible;
    bool started, json, markup, line; /* line: it does not end with a line's end */
    struct pretty_json as_json;
    struct pretty_markup as_markup;
};

static bool contains(struct hail_slice s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.n; i++)
        if (strncasecmp(s.p + i, word, n) == 0)
            return true;
    return false;
}

int get_screen_new(struct get_session *s, struct get_screen **out)
{
    struct get_screen *sc = calloc(1, sizeof *sc);
    const struct hail_http_field *type = get_field(s, "Content-Type");
    if (!sc)
        return hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, ENOMEM, "write",
                         "write standard output: out of memory");
    hail_visible_init(&sc->visible, HAIL_VISIBLE_CONVERSATION, true);
    if (type && s->c.colour) {
        sc->json = contains(type->value, "json");
        sc->markup = !sc->json && (contains(type->value, "html") || contains(type->value, "xml"));
    }
    sc->as_json.colour = sc->as_markup.colour = s->c.colour;
    *out = sc;
    return 0;
}

void get_screen_free(struct get_screen *sc)
{
    free(sc);
}

static int refuse(struct get_session *s)
{
    const struct hail_http_field *coding = get_field(s, "Content-Encoding");
    hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, EINVAL, "write",
              "write standard output: the content is binary, and this is a terminal");
    if (coding && !s->asked->compressed)
        hail_advise(&s->c.ctx,
                    "it is in the coding %.*s: --compressed decodes it; -o FILE keeps it",
                    (int)coding->value.n, coding->value.p);
    else
        hail_advise(&s->c.ctx, "-o FILE keeps it; into a pipe it goes byte for byte");
    return -EINVAL;
}

static void colour(struct get_screen *sc, const struct hail_buf *safe, struct hail_buf *out)
{
    if (safe->len == 0)
        return;
    sc->line = safe->p[safe->len - 1] != '\n' || sc->json;
    if (sc->json)
        pretty_json_add(&sc->as_json, safe->p, safe->len, out);
    else if (sc->markup)
        pretty_markup_add(&sc->as_markup, safe->p, safe->len, out);
    else
        hail_buf_add(out, safe->p, safe->len);
}

int get_screen_add(struct get_session *s, struct get_screen *sc, const char *p, size_t n,
                   struct hail_buf *out)
{
    bool coded = get_field(s, "Content-Encoding") && !s->decoder;
    if (!sc->started && n > 0 && (memchr(p, '\0', n) || (coded && !hail_utf8_valid(p, n))))
        return refuse(s);
    sc->started = true;
    struct hail_buf safe;
    hail_buf_init(&safe, 8 * GET_BUFFER);
    int rc = hail_visible_add(&sc->visible, &safe, p, n);
    colour(sc, &safe, out);
    hail_buf_free(&safe);
    return rc < 0 ? hail_fail(&s->c.ctx, HAIL_LAYER_LOCAL, -rc, "write",
                              "write standard output: %s", hail_errno_text(-rc))
                  : 0;
}

void get_screen_end(struct get_screen *sc, struct hail_buf *out)
{
    struct hail_buf safe;
    hail_buf_init(&safe, (size_t)HAIL_VISIBLE_HELD * HAIL_VISIBLE_GROWTH);
    hail_visible_end(&sc->visible, &safe);
    colour(sc, &safe, out);
    hail_buf_free(&safe);
    pretty_markup_end(&sc->as_markup, out);
    if (sc->line)
        hail_buf_char(out, '\n'); /* the prompt begins a line of its own */
}

/* --- heads --- */

static void put_safe_slice(struct hail_buf *out, const char *p, size_t n)
{
    hail_text_safe(out, p, n, false);
}

/* "HTTP/1.1 200 OK" */
static void status_line(const struct common *c, const char *p, size_t n, struct hail_buf *out)
{
    const char *space = memchr(p, ' ', n);
    size_t version = space ? (size_t)(space - p) + 1 : 0;
    char first = version < n ? p[version] : '0';
    const char *sgr = first == '2' ? "32;1" : first == '3' ? "36;1" : first == '1' ? "2" : "31;1";
    hail_buf_str(out, paint(c, "2"));
    put_safe_slice(out, p, version);
    hail_buf_str(out, paint(c, "0"));
    hail_buf_str(out, paint(c, sgr));
    put_safe_slice(out, p + version, n - version);
    hail_buf_str(out, paint(c, "0"));
}

static void field_line(const struct common *c, const char *p, size_t n, struct hail_buf *out)
{
    const char *colon = memchr(p, ':', n);
    size_t name = colon ? (size_t)(colon - p) : 0;
    hail_buf_str(out, paint(c, "36"));
    put_safe_slice(out, p, name);
    hail_buf_str(out, paint(c, "0"));
    put_safe_slice(out, p + name, n - name);
}

void get_screen_head(const struct common *c, const char *head, size_t n, struct hail_buf *out)
{
    bool first = true;
    while (n > 0) {
        const char *lf = memchr(head, '\n', n);
        size_t line = lf ? (size_t)(lf - head) : n, shown = line;
        shown -= shown && head[shown - 1] == '\r';
        if (first)
            status_line(c, head, shown, out);
        else if (shown)
            field_line(c, head, shown, out);
        hail_buf_char(out, '\n');
        first = shown == 0; /* the next head */
        line += lf != NULL;
        head += line;
        n -= line;
    }
}
