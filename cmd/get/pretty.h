/* pretty.h - text with colours for a terminal, as it comes in, in any pieces. What goes in is safe
 * to show already (base/visible.h); nothing of it is lost or changed but JSON's white space.
 */
#ifndef HAIL_CMD_GET_PRETTY_H
#define HAIL_CMD_GET_PRETTY_H

#include "base/buf.h"

#define PRETTY_DEPTH 64 /* containers within each other; what is deeper goes as it came */

struct pretty_json {
    bool colour, raw; /* raw: it is no JSON, the rest goes as it came */
    bool string, escape, key, word;
    bool opened;     /* '{' or '[' was the last token */
    bool value_next; /* ':' or ',' was */
    bool something;  /* the line is not empty */
    unsigned depth;
    bool object[PRETTY_DEPTH];
};
void pretty_json_add(struct pretty_json *j, const char *p, size_t n, struct hail_buf *out);

struct pretty_markup {
    bool colour;
    enum { MARKUP_TEXT, MARKUP_OPEN, MARKUP_NAME, MARKUP_TAG, MARKUP_VALUE, MARKUP_COMMENT } state;
    char quote;
    bool comment;    /* "<!--": it ends with "-->", not with '>' */
    unsigned dashes; /* seen last, at most two */
    unsigned length; /* of what is behind "<!", at most three */
};
void pretty_markup_add(struct pretty_markup *m, const char *p, size_t n, struct hail_buf *out);
void pretty_markup_end(struct pretty_markup *m, struct hail_buf *out);

#endif
