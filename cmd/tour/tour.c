/* tour.c - hail tour: a name becomes an address, a port, a connection, a request and a response. */
#include "tour/tour.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* The whole tour, should anything hang on a machine like no other. */
#define TOUR_MS 10000

static bool slow;

static int option(int letter, const char *value)
{
    (void)value;
    slow = letter == 's';
    return 0;
}

static int goodbye(struct tour *t)
{
    tour_page(t, "Where to go from here");
    tour_say(t,
             "lookup: names and addresses. ports: services and who listens. get: one request, "
             "shown as it happens. serve: files over HTTP. Each has --help, --json and --trace.");
    tour_page_end(t);
    struct hail_json *j = tour_event(t, "done");
    hail_json_int(j, "pages", t->page);
    tour_event_end(t);
    return 0;
}

static int run_pages(struct tour *t)
{
    static int (*const pages[])(struct tour *) = {
        tour_names,  tour_ports,     tour_connection, tour_request,
        tour_kernel, tour_datagrams, tour_retrace,    goodbye,
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        int status = pages[i](t);
        if (status)
            return status;
    }
    return STATUS_DONE;
}

static int run(struct common *c, int argc, char **argv)
{
    if (argc > 0)
        return usage_error(c->cmd, "no operands, but '%s' was given", argv[0]);
    struct tour t = {.c = c, .slow = slow};
    if (!slow)
        c->ctx.by = hail_deadline_min(c->ctx.by, hail_deadline_in(TOUR_MS));
    hail_buf_init(&t.json, 1 << 20);
    t.trace_fd = memfd_create("trace", MFD_CLOEXEC);
    int rc = t.trace_fd < 0 ? -errno : tour_make_index(&t.index);
    if (rc == 0)
        rc = c->json ? hail_trace_jsonl(&c->ctx, t.trace_fd, &t.trace)
                     : hail_trace_text(&c->ctx, t.trace_fd, c->colour, TOUR_WIDTH + 2, &t.trace);
    int status = rc < 0 ? local_error("prepare", "the tour", -rc) : run_pages(&t);
    tour_cleanup(&t);
    hail_buf_free(&t.json);
    hail_buf_free(&t.index);
    if (t.trace_fd >= 0)
        close(t.trace_fd);
    return status;
}

static const struct option_row options[] = {
    {'s', "slow", NULL, "wait for Enter after each page"},
    {0},
};

const struct command command_tour = {
    .name = "tour",
    .args = "",
    .summary = "a guided run over real sockets of this machine",
    .options = options,
    .option = option,
    .run = run,
    .more = "Everything happens on the loopback of this machine, in under ten seconds; no process, "
            "file or open port is left.",
};
