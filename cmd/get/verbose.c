/* verbose.c - -v: what is done, what is asked, what is answered, on standard error; curl's marks.
 *
 *     * connected to 127.0.0.1:80
 *     > GET / HTTP/1.1
 *     < HTTP/1.1 200 OK
 */
#include "get.h"

#include <stdarg.h>
#include <string.h>

void get_verbose(struct get_session *s, const char *fmt, ...)
{
    char raw[2048], text[4096];
    va_list ap;
    if (!s->asked->verbose)
        return;
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    hail_text_safe_into(text, sizeof text, raw, strnlen(raw, n < 0 ? 0 : sizeof raw));
    get_progress_hide(s->shared->progress);
    fprintf(stderr, "* %s\n", text);
}

/* A line each; secrets are no secret to who gave them, as with curl. */
void get_verbose_head(struct get_session *s, char mark, const char *p, size_t n)
{
    if (!s->asked->verbose)
        return;
    struct hail_buf out;
    hail_buf_init(&out, 16 * GET_REQUEST);
    while (n > 0) {
        const char *lf = memchr(p, '\n', n);
        size_t line = lf ? (size_t)(lf - p) : n, shown = line;
        shown -= shown && p[shown - 1] == '\r';
        hail_buf_printf(&out, "%c ", mark);
        hail_text_safe(&out, p, shown, false);
        hail_buf_char(&out, '\n');
        line += lf != NULL;
        p += line;
        n -= line;
    }
    get_progress_hide(s->shared->progress);
    if (!out.failed)
        fwrite(out.p, 1, out.len, stderr);
    hail_buf_free(&out);
}
