/* retrace.c - page 7: the conversation of pages 3 to 5 once more, as its trace. */
#include "tour/tour.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LINES_A_PAGE 17 /* of the trace; with what is around it a page has 24 */

/* The trace stands in memory; lines of it, each as text or as the JSON document it is. */
int tour_retrace(struct tour *t)
{
    tour_page(t, "The same conversation as a trace");
    tour_say(t, "Every command of hail shows what it does with --trace. This is what the client's "
                "side of pages 3 to 5 left:");
    tour_gap(t);
    if (t->c->ctx.trace)
        tour_fact(t, "(it went where --trace said)");
    int closed = hail_trace_close(t->trace);
    t->trace = NULL;
    struct hail_buf all;
    hail_buf_init(&all, 1 << 20);
    char part[4096];
    ssize_t n;
    off_t at = 0;
    while ((n = pread(t->trace_fd, part, sizeof part, at)) > 0 &&
           hail_buf_add(&all, part, (size_t)n) == 0)
        at += n;
    int failed = n < 0 ? errno : all.failed ? -all.failed : -closed;
    int shown = 0;
    for (char *line = all.p; line && *line;) {
        size_t len = strcspn(line, "\n");
        if (!t->c->json && shown++ == LINES_A_PAGE) {
            tour_page_end(t);
            tour_page(t, "The same conversation as a trace, to its end");
            shown = 1;
        }
        if (t->c->json)
            printf("{\"schema\":\"hail.tour/1\",\"page\":%d,\"event\":\"trace\",\"trace\":%.*s}\n",
                   t->page, (int)len, line);
        else
            printf("%.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    hail_buf_free(&all);
    tour_gap(t);
    tour_say(t, "Try it: hail get --trace URL, or --trace=FILE.jsonl for programs.");
    tour_page_end(t);
    return failed ? local_error("read", "the trace", failed) : 0;
}
