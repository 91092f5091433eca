/* html.c - text from outside in an HTML page; see html.h. */
#include "base/html.h"
#include "base/text.h"

static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

int hail_html_escape(struct hail_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *as = escaped(p[i]);
        if (as)
            hail_buf_str(out, as);
        else
            hail_buf_char(out, p[i]);
    }
    return out->failed;
}

int hail_html_text(struct hail_buf *out, const char *p, size_t n)
{
    struct hail_buf safe;
    hail_buf_init(&safe, 16 * n + 16);
    hail_text_safe(&safe, p, n, true);
    hail_html_escape(out, safe.p, safe.len);
    if (safe.failed && !out->failed)
        out->failed = safe.failed;
    hail_buf_free(&safe);
    return out->failed;
}
