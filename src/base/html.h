/* html.h - text from outside in an HTML page. */
#ifndef HAIL_BASE_HTML_H
#define HAIL_BASE_HTML_H

#include "base/buf.h"

/* Appends `n` bytes as text of an element or of a quoted attribute: made safe to look at as
 * hail_text_safe() does, with LF and TAB as they are, and every character of markup escaped. */
int hail_html_text(struct hail_buf *out, const char *p, size_t n);

/* The same of text that is safe to look at already: only markup is escaped. */
int hail_html_escape(struct hail_buf *out, const char *p, size_t n);

#endif
