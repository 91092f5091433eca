/* index.c - the page that the tour's server serves: services of the registry, 48,823 bytes. */
#include "tour/tour.h"

#include <errno.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Well-known services"
    "</title>\n<h1>Well-known services</h1>\n<table>\n";
static const char foot[] = "</table>\n</html>\n";

static int escaped(struct hail_buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            hail_buf_str(out, "&amp;");
        else if (*s == '<')
            hail_buf_str(out, "&lt;");
        else
            hail_buf_char(out, *s);
    }
    return out->failed;
}

/* One row, as long as the page has room for it; 1 stops. */
static int row(void *arg, const struct hail_service *s)
{
    struct hail_buf *out = arg;
    if (!*s->name || s->alias || !(s->protos & HAIL_SERVICE_TCP))
        return 0;
    size_t before = out->len;
    hail_buf_printf(out, "<tr><td>%u<td>", s->first);
    escaped(out, s->name);
    hail_buf_str(out, "<td>");
    escaped(out, s->description);
    hail_buf_char(out, '\n');
    /* 9 is the shortest comment, "<!-- -->" and a line's end, that fills the rest */
    if (out->failed || out->len + sizeof foot - 1 + 9 > TOUR_PAGE_BYTES) {
        out->failed = 0;
        out->len = before;
        return 1;
    }
    return 0;
}

int tour_make_index(struct hail_buf *out)
{
    hail_buf_init(out, TOUR_PAGE_BYTES);
    hail_buf_str(out, head);
    hail_services_by_port(1, 65535, row, out);
    hail_buf_str(out, "<!-- ");
    while (!out->failed && out->len + sizeof "-->\n" - 1 + sizeof foot - 1 < TOUR_PAGE_BYTES)
        hail_buf_char(out, '.');
    hail_buf_str(out, "-->\n");
    hail_buf_str(out, foot);
    if (!out->failed && out->len != TOUR_PAGE_BYTES)
        return -EMSGSIZE;
    return out->failed;
}
