/* readme.c - the README below a folder's entries: Markdown by libcmark, whose safe mode leaves raw
 * HTML and dangerous links out; anything else as it stands.
 */
#include "listing.h"

#include "base/html.h"

#include <cmark.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file, if it is text and not too long; free()d by the caller. */
static char *read_text(const struct listing *l, size_t *n)
{
    struct stat st;
    char path[8192], *p = NULL;
    int len = snprintf(path, sizeof path, "%s%s", l->path, l->readme);
    int fd = len > 0 && (size_t)len < sizeof path ? hail_root_file(l->root, path, &st) : -1;
    if (fd < 0)
        return NULL;
    if (S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= LISTING_README)
        p = malloc((size_t)st.st_size);
    ssize_t got = p ? pread(fd, p, (size_t)st.st_size, 0) : -1;
    close(fd);
    if (got <= 0 || memchr(p, '\0', (size_t)got)) {
        free(p);
        return NULL;
    }
    *n = (size_t)got;
    return p;
}

void listing_readme(struct hail_buf *out, const struct listing *l)
{
    size_t n = 0;
    const char *ending = strrchr(l->readme, '.');
    char *p = *l->readme ? read_text(l, &n) : NULL;
    if (!p)
        return;
    hail_buf_str(out, "<article aria-label=\"");
    hail_html_text(out, l->readme, strlen(l->readme));
    hail_buf_str(out, "\">\n");
    if (ending && (strcasecmp(ending, ".md") == 0 || strcasecmp(ending, ".markdown") == 0)) {
        char *html = cmark_markdown_to_html(p, n, CMARK_OPT_VALIDATE_UTF8);
        if (html)
            hail_buf_str(out, html);
        free(html);
    } else {
        hail_buf_str(out, "<pre tabindex=0>");
        for (const char *at = p, *end = p + n; at < end; at++) {
            const char *line = memchr(at, '\n', (size_t)(end - at));
            line = line ? line : end;
            hail_html_text(out, at, (size_t)(line - at));
            hail_buf_char(out, '\n');
            at = line;
        }
        hail_buf_str(out, "</pre>\n");
    }
    hail_buf_str(out, "</article>\n");
    free(p);
}
