/* trace_page.c - the page of a trace (trace_html.h): one file, without scripts and without anything
 * from elsewhere. The sequence is a list whose arrows are drawn by the style; it is read aloud as
 * sentences. */
#include "base/asset.h"
#include "base/html.h"
#include "base/text.h"
#include "net/trace.h"
#include "net/trace_html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

HAIL_ASSET(hail_trace_css, "src/net/page/trace.css");
extern const char hail_trace_css[] __attribute__((visibility("hidden")));

#define OUT_MAX   (1 << 20) /* bytes that wait to be written; a row needs fewer */
#define FIRST_MAX 72        /* bytes of the first line that an arrow shows */
#define OPEN_MAX  1024      /* what was said is unfolded up to here */

struct writer {
    struct hail_page *page;
    struct hail_buf out;
    int fd, failed;
};

/* What trace_html.c has made safe. */
static void text(struct writer *w, const char *s)
{
    hail_html_escape(&w->out, s, strlen(s));
}

static void put(struct writer *w, const char *s)
{
    hail_buf_str(&w->out, s);
}

static void flush(struct writer *w)
{
    hail_trace_flush(w->fd, &w->out, &w->failed);
}

/* Milliseconds, or seconds from one on, in digits that do not depend on a locale. */
static void put_time(struct writer *w, int64_t ns)
{
    if (ns >= 1000000000)
        hail_buf_printf(&w->out, "%" PRId64 ".%03d s", ns / 1000000000,
                        (int)(ns % 1000000000 / 1000000));
    else
        hail_buf_printf(&w->out, "%" PRId64 ".%03d ms", ns / 1000000, (int)(ns % 1000000 / 1000));
}

static void put_bytes(struct writer *w, uint64_t n)
{
    hail_buf_printf(&w->out, "%" PRIu64 " byte%s", n, n == 1 ? "" : "s");
}

/* --- the head of the page, and who took part --- */

static void put_head(struct writer *w)
{
    struct hail_page *p = w->page;
    const char *title = *p->title ? p->title : "Nothing happened";
    time_t secs = (time_t)((p->start_ns + p->wall_ns) / 1000000000);
    struct tm tm;
    char when[40];
    gmtime_r(&secs, &tm);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &tm);
    put(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    text(w, title);
    put(w, " - hail trace</title>\n<style>\n");
    put(w, hail_trace_css);
    hail_buf_printf(&w->out, "</style>\n</head>\n<body>\n<main style=\"--n:%d\">\n<h1>",
                    p->nlanes + 1);
    text(w, title);
    put(w, "</h1>\n");
    if (p->start_ns) {
        hail_buf_printf(&w->out, "<p class=\"soft\">%s, ", when);
        put_time(w, p->last_ns - p->start_ns);
        put(w, " in all</p>\n");
    }
    if (*p->failure) {
        put(w, "<p class=\"failure bad\"><b>It failed:</b> ");
        text(w, p->failure);
        put(w, "</p>\n");
    }
    flush(w);
}

static void put_peers(struct writer *w)
{
    const struct hail_page *p = w->page;
    if (!p->nlanes)
        return;
    put(w, "<h2>Who took part</h2>\n<ul class=\"peers\">\n");
    for (int i = 0; i < p->nlanes; i++) {
        const struct hail_page_lane *l = &p->lanes[i];
        put(w, "<li><b>");
        text(w, l->name);
        put(w, "</b>");
        if (l->asked)
            put(w, " <span>name server</span>");
        if (l->connected)
            put(w, " <span class=\"good\">connected</span>");
        if (*l->outcome) {
            put(w, " <span class=\"bad\">");
            text(w, l->outcome);
            put(w, "</span>");
        }
        if (l->bytes_to || l->bytes_from) {
            put(w, " <span class=\"soft\">");
            put_bytes(w, l->bytes_to);
            put(w, " to it, ");
            put_bytes(w, l->bytes_from);
            put(w, " from it</span>");
        }
        put(w, "</li>\n");
    }
    put(w, "</ul>\n");
    flush(w);
}

/* --- the sequence --- */

static void put_lanes(struct writer *w)
{
    const struct hail_page *p = w->page;
    put(w, "<h2>What happened</h2>\n<div class=\"lanes\" aria-hidden=\"true\"><span></span><ul>"
           "<li>here</li>");
    for (int i = 0; i < p->nlanes; i++) {
        put(w, "<li class=\"each\">");
        text(w, p->lanes[i].name);
        put(w, "</li>");
    }
    put(w, "<li class=\"one\">peer</li></ul></div>\n");
}

/* The first line of what was said, where it is text. */
static void put_first_line(struct writer *w, const struct hail_page_row *row)
{
    size_t n = 0;
    const char *p = row->said.p;
    while (n < row->said.len && n < FIRST_MAX && p[n] >= ' ' && p[n] <= '~')
        n++;
    bool line = n < row->said.len && (p[n] == '\r' || p[n] == '\n');
    if (n > 2 && (line || n == row->said.len || n == FIRST_MAX)) {
        hail_html_text(&w->out, p, n);
        put(w, n == FIRST_MAX ? "... &middot; " : " &middot; ");
    }
}

static void put_data_label(struct writer *w, const struct hail_page_row *row)
{
    put_first_line(w, row);
    put_bytes(w, row->bytes);
    if (row->pieces > 1) {
        hail_buf_printf(&w->out, " in %u pieces, ", row->pieces);
        put_time(w, row->last_ns - row->at_ns);
    }
    if (*row->text) {
        put(w, ", ");
        text(w, row->text);
    }
}

/* Whether it reads as text, by its beginning. */
static bool is_text(const struct hail_page_row *row)
{
    size_t n = row->said.len < FIRST_MAX ? row->said.len : FIRST_MAX;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)row->said.p[i];
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

/* Lines, the CR of each set back: it is there, but not what one looks for. */
static void put_lines(struct writer *w, const char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        const char *lf = memchr(p + at, '\n', n - at);
        size_t end = lf ? (size_t)(lf - p) : n;
        bool cr = lf && end > at && p[end - 1] == '\r';
        hail_html_text(&w->out, p + at, end - at - cr);
        put(w, cr ? "<i>\\r</i>\n" : lf ? "\n" : "");
        at = end + 1;
    }
}

static void put_said(struct writer *w, const struct hail_page_row *row)
{
    if (!row->said.len)
        return;
    hail_buf_printf(&w->out, "\n<details%s><summary>what was said",
                    row->said.len <= OPEN_MAX && is_text(row) ? " open" : "");
    if (row->said.len < row->bytes)
        hail_buf_printf(&w->out, ": the first %zu bytes", row->said.len);
    put(w, "</summary><pre tabindex=\"0\">");
    put_lines(w, row->said.p, row->said.len);
    put(w, "</pre></details>");
}

static void put_arrow(struct writer *w, const struct hail_page_row *row)
{
    const char *name = w->page->lanes[row->lane].name;
    bool to = row->kind == HAIL_ROW_TO;
    hail_buf_printf(&w->out, "<div class=\"arrow %s%s\" style=\"--k:%d\"><span class=\"peer\">%s ",
                    to ? "to" : "from", row->bad ? " bad" : "", row->lane + 1, to ? "to" : "from");
    text(w, name);
    put(w, "</span> <span>");
    if (row->is_data)
        put_data_label(w, row);
    else
        text(w, row->text);
    put(w, "</span></div>");
    put_said(w, row);
}

static void put_row(struct writer *w, const struct hail_page_row *row)
{
    put(w, "<li><span class=\"at\">");
    put_time(w, row->at_ns - w->page->start_ns);
    put(w, "</span><div class=\"row\">");
    if (row->kind >= HAIL_ROW_TO) {
        put_arrow(w, row);
    } else {
        hail_buf_printf(&w->out, "<div class=\"note%s%s\">",
                        row->kind == HAIL_ROW_BEGUN ? " begun" : "", row->bad ? " bad" : "");
        if (row->is_data)
            put_data_label(w, row);
        else
            text(w, row->text);
        put(w, "</div>");
        put_said(w, row);
    }
    put(w, "</div></li>\n");
    flush(w);
}

static void put_sequence(struct writer *w)
{
    struct hail_page *p = w->page;
    const uint64_t kept = HAIL_PAGE_FIRST + HAIL_PAGE_LAST;
    if (!p->nrows)
        return;
    put_lanes(w);
    put(w, "<ol class=\"sequence\">\n");
    for (uint64_t i = 0; i < p->nrows; i++) {
        if (i == HAIL_PAGE_FIRST && p->nrows > kept) {
            hail_buf_printf(&w->out,
                            "<li><span></span><div class=\"left-out\">%" PRIu64
                            " steps are left out here</div></li>\n",
                            p->nrows - kept);
            i = p->nrows - HAIL_PAGE_LAST;
        }
        put_row(w, hail_page_row(p, i));
    }
    put(w, "</ol>\n");
}

/* --- the waterfall --- */

/* A share of the whole in hundredths of a per cent. */
static int share(const struct hail_page *p, int64_t ns)
{
    int64_t all = p->last_ns - p->start_ns;
    return all > 0 ? (int)((double)ns / (double)all * 10000) : 0;
}

static void put_bar(struct writer *w, const struct hail_page_bar *bar)
{
    const struct hail_page *p = w->page;
    int64_t end = bar->end_ns ? bar->end_ns : p->last_ns;
    int at = share(p, bar->start_ns - p->start_ns), width = share(p, end - bar->start_ns);
    hail_buf_printf(&w->out, "<li%s><span style=\"--d:%d\">", bar->bad ? " class=\"bad\"" : "",
                    bar->depth < 6 ? bar->depth : 6);
    text(w, bar->text);
    hail_buf_printf(&w->out,
                    "</span><span class=\"track\" style=\"--at:%d.%02d%%;--for:%d.%02d%%\">"
                    "<i></i></span><b>",
                    at / 100, at % 100, width / 100, width % 100);
    put_time(w, end - bar->start_ns);
    put(w, bar->end_ns ? "" : ", open");
    put(w, "<span class=\"apart\">, from ");
    put_time(w, bar->start_ns - p->start_ns);
    put(w, bar->bad ? ", failed</span></b></li>\n" : "</span></b></li>\n");
    flush(w);
}

static void put_waterfall(struct writer *w)
{
    const struct hail_page *p = w->page;
    if (!p->nbars)
        return;
    put(w, "<h2>Where the time went</h2>\n<ol class=\"fall\">\n");
    for (size_t i = 0; i < p->nbars; i++)
        put_bar(w, &p->bars[i]);
    put(w, "</ol>\n");
    if (p->bars_left_out)
        hail_buf_printf(&w->out, "<p class=\"left-out\">%" PRIu64 " bars are left out</p>\n",
                        p->bars_left_out);
}

int hail_page_write(struct hail_page *p, int fd)
{
    struct writer w = {.page = p, .fd = fd};
    hail_buf_init(&w.out, OUT_MAX);
    put_head(&w);
    put_peers(&w);
    put_sequence(&w);
    put_waterfall(&w);
    put(&w, "</main>\n<footer>Written by hail. Times are since the first event; bytes are shown as "
            "text, with control characters as \\n, \\r, \\xNN.");
    if (p->shared)
        put(&w, " The last lane stands for several peers.");
    put(&w, "</footer>\n</body>\n</html>\n");
    flush(&w);
    hail_buf_free(&w.out);
    return w.failed;
}
