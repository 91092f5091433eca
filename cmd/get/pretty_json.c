/* pretty_json.c - JSON indented and coloured, token by token; pretty.h.
 *
 * It is shown, not checked: what makes no sense goes on as it came.
 */
#include "pretty.h"

#include <string.h>

#define KEY    "\033[34;1m"
#define STRING "\033[32m"
#define WORD   "\033[36m"
#define OFF    "\033[0m"

static void colour(const struct pretty_json *j, struct hail_buf *out, const char *sgr)
{
    if (j->colour)
        hail_buf_str(out, sgr);
}

static void new_line(struct pretty_json *j, struct hail_buf *out)
{
    hail_buf_char(out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        hail_buf_str(out, "  ");
}

/* The first token in a container begins a line; one that no ',' or ':' leads to stays apart from
 * the one before it, so that "[1 2]" is not shown as 12. */
static void begin(struct pretty_json *j, struct hail_buf *out)
{
    if (j->opened)
        new_line(j, out);
    else if (j->something && !j->value_next)
        hail_buf_char(out, j->depth ? ' ' : '\n'); /* '\n': another document, as in JSON lines */
    j->opened = false;
    j->value_next = false;
    j->something = true;
}

static void open_container(struct pretty_json *j, char c, struct hail_buf *out)
{
    begin(j, out);
    hail_buf_char(out, c);
    if (j->depth == PRETTY_DEPTH) {
        j->raw = true;
        return;
    }
    j->object[j->depth++] = c == '{';
    j->opened = true;
    j->key = c == '{';
}

static void close_container(struct pretty_json *j, char c, struct hail_buf *out)
{
    if (!j->depth || j->object[j->depth - 1] != (c == '}')) {
        j->raw = true;
        hail_buf_char(out, c);
        return;
    }
    j->depth--;
    if (!j->opened)
        new_line(j, out);
    j->opened = false;
    j->value_next = false;
    j->key = false;
    hail_buf_char(out, c);
}

static void in_string(struct pretty_json *j, char c, struct hail_buf *out)
{
    hail_buf_char(out, c);
    if (j->escape) {
        j->escape = false;
    } else if (c == '\\') {
        j->escape = true;
    } else if (c == '"') {
        j->string = false;
        colour(j, out, OFF);
    }
}

static void end_word(struct pretty_json *j, struct hail_buf *out)
{
    if (j->word)
        colour(j, out, OFF);
    j->word = false;
}

static void token(struct pretty_json *j, char c, struct hail_buf *out)
{
    switch (c) {
    case '{':
    case '[':
        open_container(j, c, out);
        break;
    case '}':
    case ']':
        close_container(j, c, out);
        break;
    case ',':
        hail_buf_char(out, ',');
        j->key = j->depth && j->object[j->depth - 1];
        new_line(j, out);
        j->value_next = true;
        break;
    case ':':
        hail_buf_str(out, ": ");
        j->key = false;
        j->value_next = true;
        break;
    case '"':
        begin(j, out);
        colour(j, out, j->key ? KEY : STRING);
        hail_buf_char(out, '"');
        j->string = true;
        break;
    default:
        begin(j, out);
        colour(j, out, WORD);
        hail_buf_char(out, c);
        j->word = true;
    }
}

void pretty_json_add(struct pretty_json *j, const char *p, size_t n, struct hail_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (j->raw) {
            hail_buf_add(out, p + i, n - i);
            return;
        }
        if (j->string) {
            in_string(j, c, out);
        } else if (strchr(" \t\r\n", c) && c) {
            end_word(j, out);
        } else if (j->word && !strchr("{}[],:\"", c)) {
            hail_buf_char(out, c);
        } else {
            end_word(j, out);
            token(j, c, out);
        }
    }
}
