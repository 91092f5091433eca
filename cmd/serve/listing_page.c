/* listing_page.c - a folder as a page, which works without its script: sorting is links, searching
 * a form; listing.h.
 */
#include "listing.h"

#include <hail/url.h>

#include "base/html.h"

#include "cmd.h"

#include <inttypes.h>
#include <string.h>

static const char *const sort_names[LISTING_SORTS] = {"name", "size", "modified"};

static void text(struct hail_buf *out, const char *s)
{
    hail_html_text(out, s, strlen(s));
}

/* Percent-encoded; what is left is harmless in an attribute but for "'" and "&". */
static void put_href(struct hail_buf *out, const char *p, size_t n)
{
    char href[8192];
    ssize_t len = hail_url_encode_path((struct hail_slice){p, n}, href, sizeof href);
    if (len > 0)
        hail_html_text(out, href, (size_t)len);
}

static void put_head(struct hail_buf *out, const struct listing *l)
{
    hail_buf_str(out, "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
                      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=color-scheme content=\"light dark\">\n<title>/");
    text(out, l->path);
    hail_buf_printf(out, "</title>\n<style nonce=\"%s\">\n%s</style>\n", l->nonce,
                    serve_listing_css);
}

/* The path, each folder of it a link; the one above has an id, for the keyboard. */
static void put_path(struct hail_buf *out, const struct listing *l)
{
    const char *slash = strchr(l->path, '/'), *from = l->path;
    size_t depth = 0, n = 0;
    for (const char *p = slash; p; p = strchr(p + 1, '/'))
        depth++;
    hail_buf_printf(out, "<nav aria-label=Path><h1><a href=\"/\"%s>/</a>",
                    depth == 1 ? " id=up" : "");
    for (; slash; from = slash + 1, slash = strchr(from, '/')) {
        n++;
        hail_buf_str(out, "<a href=\"/");
        put_href(out, l->path, (size_t)(slash + 1 - l->path));
        hail_buf_printf(out, "\"%s>",
                        n == depth       ? " aria-current=page"
                        : n + 1 == depth ? " id=up"
                                         : "");
        hail_html_text(out, from, (size_t)(slash - from));
        hail_buf_str(out, "</a>/");
    }
    hail_buf_str(out, "</h1></nav>\n");
}

static void put_search(struct hail_buf *out, const struct listing *l)
{
    hail_buf_str(out, "<form role=search method=get><label for=q class=apart>Search names</label>"
                      "<input id=q name=q type=search placeholder=\"Search names\" "
                      "autocomplete=off value=\"");
    text(out, l->search);
    hail_buf_printf(out, "\"><input type=hidden name=sort value=%s>", sort_names[l->sort]);
    if (l->down)
        hail_buf_str(out, "<input type=hidden name=order value=desc>");
    hail_buf_str(out, "<button>Search</button></form>\n");
}

static void put_count(struct hail_buf *out, const struct listing *l)
{
    size_t files = l->n - l->folders;
    hail_buf_printf(out, "<p id=count role=status>%s%zu folder%s, %zu file%s%s</p>\n",
                    *l->search ? "found: " : "", l->folders, l->folders == 1 ? "" : "s", files,
                    files == 1 ? "" : "s", l->more ? ", and more that are not shown" : "");
}

/* "?sort=size&order=desc&q=..." */
static void put_query(struct hail_buf *out, const struct listing *l, enum listing_sort sort,
                      bool down, size_t page)
{
    hail_buf_printf(out, "?sort=%s%s", sort_names[sort], down ? "&amp;order=desc" : "");
    if (*l->search) {
        hail_buf_str(out, "&amp;q=");
        for (const unsigned char *p = (const unsigned char *)l->search; *p; p++)
            hail_buf_printf(out, "%%%02X", *p);
    }
    if (page)
        hail_buf_printf(out, "&amp;page=%zu", page);
}

static void put_columns(struct hail_buf *out, const struct listing *l, bool whole)
{
    static const char *const titles[LISTING_SORTS] = {"Name", "Size", "Modified"};
    hail_buf_printf(out, "<table id=entries data-whole=%s><caption class=apart>Entries of ",
                    whole ? "yes" : "no");
    hail_buf_char(out, '/');
    text(out, l->path);
    hail_buf_str(out, "</caption>\n<thead><tr>");
    for (int i = 0; i < LISTING_SORTS; i++) {
        bool here = l->sort == (enum listing_sort)i;
        const char *now = l->down ? " aria-sort=descending" : " aria-sort=ascending";
        hail_buf_printf(out, "<th scope=col data-by=%s%s><a href=\"", sort_names[i],
                        here ? now : "");
        put_query(out, l, (enum listing_sort)i, here && !l->down, 0);
        hail_buf_printf(out, "\">%s</a>", titles[i]);
    }
    hail_buf_str(out, "</thead>\n<tbody>\n");
}

static void put_row(struct hail_buf *out, const struct listing_entry *e)
{
    struct tm tm;
    char exact[32] = "", plain[32] = "";
    time_t at = (time_t)e->modified;
    const char *slash = e->folder ? "/" : "";
    if (gmtime_r(&at, &tm)) {
        exact[strftime(exact, sizeof exact, "%Y-%m-%dT%H:%M:%SZ", &tm)] = '\0';
        plain[strftime(plain, sizeof plain, "%Y-%m-%d %H:%M", &tm)] = '\0';
    }
    hail_buf_printf(out, "<tr%s><td><a href=\"./", e->folder ? " class=folder" : "");
    put_href(out, e->name, strlen(e->name));
    hail_buf_printf(out, "%s\">", slash);
    text(out, e->name);
    hail_buf_printf(out, "%s</a><td class=size data-v=%" PRIu64 ">", slash,
                    e->folder ? 0 : e->size);
    if (!e->folder)
        put_size(out, e->size);
    hail_buf_printf(out, "<td class=date data-v=%" PRId64 "><time datetime=%s>%s</time>\n",
                    e->modified, exact, plain);
}

static void put_pages(struct hail_buf *out, const struct listing *l, size_t page, size_t pages)
{
    if (pages < 2)
        return;
    hail_buf_str(out, "<nav class=pages aria-label=Pages>");
    if (page) {
        hail_buf_str(out, "<a rel=prev href=\"");
        put_query(out, l, l->sort, l->down, page - 1);
        hail_buf_str(out, "\">Previous</a>");
    }
    hail_buf_printf(out, "<span>Page %zu of %zu</span>", page + 1, pages);
    if (page + 1 < pages) {
        hail_buf_str(out, "<a rel=next href=\"");
        put_query(out, l, l->sort, l->down, page + 1);
        hail_buf_str(out, "\">Next</a>");
    }
    hail_buf_str(out, "</nav>\n");
}

int listing_page(struct hail_buf *out, const struct listing *l)
{
    size_t pages = l->n ? (l->n + LISTING_ROWS - 1) / LISTING_ROWS : 1;
    size_t page = l->page < pages ? l->page : pages - 1, first = page * LISTING_ROWS;
    put_head(out, l);
    hail_buf_str(out, "<header>\n");
    put_path(out, l);
    put_search(out, l);
    hail_buf_str(out, "</header>\n<main>\n");
    put_count(out, l);
    put_columns(out, l, pages == 1 && !*l->search);
    for (size_t i = first; i < l->n && i < first + LISTING_ROWS && !out->failed; i++)
        put_row(out, &l->v[i]);
    hail_buf_str(out, "</tbody></table>\n");
    put_pages(out, l, page, pages);
    listing_readme(out, l);
    hail_buf_printf(out,
                    "</main>\n<footer><p class=keys><kbd>/</kbd> search, <kbd>j</kbd> <kbd>k</kbd> "
                    "move, <kbd>u</kbd> up. <p><a href=\"?json\">as JSON</a></footer>\n"
                    "<script nonce=\"%s\">\n%s</script>\n",
                    l->nonce, serve_listing_js);
    if (l->dev)
        hail_buf_printf(out, "<script nonce=\"%s\" src=\"/.hail/reload.js\"></script>\n", l->nonce);
    return out->failed;
}
