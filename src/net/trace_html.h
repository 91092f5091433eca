/* trace_html.h - what the page of a trace shows, gathered by trace_html.c from the events and
 * written by trace_page.c at the end. Everything is bounded; what is left out is counted.
 *
 *      events --> lanes (who took part), rows (the sequence), bars (the waterfall) --> page
 */
#ifndef HAIL_NET_TRACE_HTML_H
#define HAIL_NET_TRACE_HTML_H

#include "base/buf.h"

#define HAIL_PAGE_LANES   8    /* peers with a column of their own; further ones share the last */
#define HAIL_PAGE_FIRST   300  /* rows that are kept from the beginning */
#define HAIL_PAGE_LAST    100  /* and from the end */
#define HAIL_PAGE_BARS    128  /* spans */
#define HAIL_PAGE_SAID    4096 /* bytes of what was said that a row shows */
#define HAIL_PAGE_TEXT    400  /* bytes of a row's text */
#define HAIL_PAGE_NAME    288  /* bytes of an endpoint's text */
#define HAIL_PAGE_NO_LANE (-1)

enum hail_page_row_kind {
    HAIL_ROW_NOTE,  /* something that is said about this side */
    HAIL_ROW_BEGUN, /* the same, of something larger that begins */
    HAIL_ROW_TO,    /* an arrow to the peer of the lane */
    HAIL_ROW_FROM,  /* one from it */
};

struct hail_page_row {
    enum hail_page_row_kind kind;
    int lane;
    uint32_t span;
    bool bad;     /* an error */
    bool is_data; /* bytes that crossed; further ones of the same span and direction join */
    int64_t at_ns, last_ns;
    uint64_t bytes;
    uint32_t pieces;
    char text[HAIL_PAGE_TEXT]; /* safe to show, not yet escaped */
    struct hail_buf said;      /* as it was, cut */
};

struct hail_page_bar {
    uint32_t span;
    int lane, depth;
    int64_t start_ns, end_ns; /* end 0: still open */
    bool bad;
    char text[HAIL_PAGE_TEXT];
};

struct hail_page_lane {
    char name[HAIL_PAGE_NAME];
    bool asked; /* a name server */
    bool connected;
    uint64_t bytes_to, bytes_from;
    char outcome[96]; /* of the last attempt that failed */
};

struct hail_page {
    int64_t start_ns, last_ns, wall_ns;
    struct hail_page_lane lanes[HAIL_PAGE_LANES];
    int nlanes;
    bool shared; /* the last lane stands for several peers */
    struct hail_page_row rows[HAIL_PAGE_FIRST + HAIL_PAGE_LAST];
    uint64_t nrows; /* all that there were */
    struct hail_page_bar bars[HAIL_PAGE_BARS];
    size_t nbars;
    uint64_t bars_left_out;
    char title[HAIL_PAGE_TEXT]; /* what it is all about */
    bool titled;                /* by a request, which nothing replaces */
    char failure[HAIL_PAGE_TEXT];
};

/* Row `i` of those that were told: the first ones and the last ones are there. */
struct hail_page_row *hail_page_row(struct hail_page *p, uint64_t i);

/* Writes the page to `fd`. Returns 0 or -errno. */
int hail_page_write(struct hail_page *p, int fd);

#endif
