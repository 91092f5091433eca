/* pretty_markup.c - HTML and XML coloured: names of tags, attributes, values, comments; pretty.h.
 *
 *     <a href="x">text</a> <!-- comment -->
 *      - ---- ---  text   -
 */
#include "pretty.h"

#include <string.h>

#define NAME    "\033[34;1m"
#define ATTR    "\033[36m"
#define VALUE   "\033[32m"
#define COMMENT "\033[2m"
#define OFF     "\033[0m"

static void colour(const struct pretty_markup *m, struct hail_buf *out, const char *sgr)
{
    if (m->colour)
        hail_buf_str(out, sgr);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void close_tag(struct pretty_markup *m, struct hail_buf *out)
{
    colour(m, out, OFF);
    hail_buf_char(out, '>');
    m->state = MARKUP_TEXT;
}

/* Behind '<': a name, '/', '?', or "!--"; anything else makes no tag: "a < b", "<>", "<<". */
static void open_tag(struct pretty_markup *m, char c, struct hail_buf *out)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
    m->comment = false;
    m->dashes = m->length = 0;
    if (!letter && !strchr("_:/?!", c)) {
        hail_buf_char(out, c);
        m->state = c == '<' ? MARKUP_OPEN : MARKUP_TEXT;
        return;
    }
    colour(m, out, c == '!' ? COMMENT : NAME);
    hail_buf_char(out, c);
    m->state = c == '!' ? MARKUP_COMMENT : MARKUP_NAME;
}

/* "<!" to '>', or from "<!--" to "-->"; "<!-->" is a comment, too, as HTML has it. */
static void in_comment(struct pretty_markup *m, char c, struct hail_buf *out)
{
    hail_buf_char(out, c);
    if (c == '>' && (!m->comment || m->dashes == 2)) {
        colour(m, out, OFF);
        m->state = MARKUP_TEXT;
        return;
    }
    m->dashes = c == '-' ? m->dashes + (m->dashes < 2) : 0;
    m->length += m->length < 3;
    m->comment = m->comment || (m->length == 2 && m->dashes == 2);
}

static void in_tag(struct pretty_markup *m, char c, struct hail_buf *out)
{
    if (c == '>') {
        close_tag(m, out);
        return;
    }
    if (c == '"' || c == '\'') {
        colour(m, out, VALUE);
        m->quote = c;
        m->state = MARKUP_VALUE;
    } else if (is_space(c) && m->state == MARKUP_NAME) {
        colour(m, out, ATTR);
        m->state = MARKUP_TAG;
    }
    hail_buf_char(out, c);
}

void pretty_markup_add(struct pretty_markup *m, const char *p, size_t n, struct hail_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        switch (m->state) {
        case MARKUP_TEXT: {
            const char *lt = memchr(p + i, '<', n - i);
            size_t text = lt ? (size_t)(lt - p) - i : n - i;
            hail_buf_add(out, p + i, text);
            i += text;
            if (lt) {
                hail_buf_char(out, '<');
                m->state = MARKUP_OPEN;
            }
            break;
        }
        case MARKUP_OPEN:
            open_tag(m, c, out);
            break;
        case MARKUP_COMMENT:
            in_comment(m, c, out);
            break;
        case MARKUP_VALUE:
            hail_buf_char(out, c);
            if (c == m->quote) {
                colour(m, out, OFF);
                colour(m, out, ATTR);
                m->state = MARKUP_TAG;
            }
            break;
        default:
            in_tag(m, c, out);
        }
    }
}

void pretty_markup_end(struct pretty_markup *m, struct hail_buf *out)
{
    if (m->state != MARKUP_TEXT)
        colour(m, out, OFF);
}
