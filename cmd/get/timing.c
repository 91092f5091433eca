/* timing.c - --timing: the waterfall of all exchanges of a job, on standard error.
 *
 *     1  GET http://example.org/   301   127.0.0.1:51234 -> 127.0.0.1:80
 *        name        0.1 ms  |#                                       |
 *        connect     0.3 ms  | ##                                     |
 *        first byte 12.1 ms  |   #####################                |
 */
#include "get.h"

#include <string.h>

struct scale {
    int64_t from_ns, to_ns;
    int width;
    const struct common *c;
};

/* From one instant to another; 0: it did not come to that. */
static void phase(const struct scale *s, const char *name, const char *colour, int64_t from,
                  int64_t to)
{
    if (!from || !to || to < from)
        return;
    double all = (double)(s->to_ns - s->from_ns), unit = s->width / (all > 0 ? all : 1);
    int at = (int)((double)(from - s->from_ns) * unit);
    int end = (int)((double)(to - s->from_ns) * unit + 0.5);
    at = at < 0 ? 0 : at >= s->width ? s->width - 1 : at;
    end = end <= at ? at + 1 : end > s->width ? s->width : end;
    fprintf(stderr, "   %-10s %9.3f ms  |%*s%s", name, (double)(to - from) / 1e6, at, "",
            paint(s->c, colour));
    for (int i = at; i < end; i++)
        fputc('#', stderr);
    fprintf(stderr, "%s%*s|\n", paint(s->c, "0"), s->width - end, "");
}

/* The addresses that were tried, when there was more than the one that answered. */
static void attempts(const struct get_hop *h)
{
    for (size_t i = 0; i < h->nattempts && h->nattempts > 1; i++) {
        const struct hail_attempt *a = &h->attempts[i];
        struct hail_endpoint ep = hail_endpoint_of(&a->addr);
        char text[HAIL_ENDPOINT_MAX];
        hail_endpoint_format(&ep, text, sizeof text);
        fprintf(stderr, "   tried %s after %.3f ms: %s\n", text,
                (double)(a->start_ns - h->start_ns) / 1e6,
                a->errnum ? hail_errno_text(a->errnum) : "connected");
    }
}

static void hop(const struct scale *s, const struct get_hop *h, size_t number)
{
    char local[HAIL_ENDPOINT_MAX] = "", peer[HAIL_ENDPOINT_MAX] = "";
    if (h->ready_ns) {
        hail_endpoint_format(&h->local, local, sizeof local);
        hail_endpoint_format(&h->peer, peer, sizeof peer);
    }
    fprintf(stderr, "%s%zu  %s ", paint(s->c, "1"), number, h->method);
    put_safe(stderr, h->url);
    fputs(paint(s->c, "0"), stderr);
    if (h->status)
        fprintf(stderr, "  %d", h->status);
    if (strcmp(h->why, "first") != 0)
        fprintf(stderr, "  (%s)", h->why);
    fputc('\n', stderr);
    if (h->ready_ns)
        fprintf(stderr, "   %s -> %s%s%s%s\n", local, peer, h->via_proxy ? ", a proxy" : "",
                h->reused ? ", connection used again" : "", h->https ? ", TLS" : "");
    attempts(h);
    int64_t tls = h->tls_ns, up = h->connected_ns;
    if (!h->reused) {
        phase(s, "name", "36", h->start_ns, h->dialled_ns);
        phase(s, "connect", "33", h->dialled_ns, up);
        phase(s, "TLS", "35", up, tls);
    }
    phase(s, "request", "34", h->ready_ns, h->sent_ns);
    phase(s, "first byte", "32", h->sent_ns, h->first_ns);
    phase(s, "body", "37", h->first_ns, h->end_ns);
    if (h->failed)
        fprintf(stderr, "   %s%s%s\n", paint(s->c, "31"), h->err.msg, paint(s->c, "0"));
}

void get_timing(const struct common *c, const struct get_job *j)
{
    int columns = c->columns > 40 ? c->columns : 80;
    struct scale s = {.from_ns = j->start_ns, .to_ns = j->end_ns, .c = c};
    s.width = columns - 32 < 100 ? columns - 32 : 100;
    for (size_t i = 0; i < j->nhops; i++)
        hop(&s, &j->hops[i], i + 1);
    fprintf(stderr, "   total      %9.3f ms\n", (double)(j->end_ns - j->start_ns) / 1e6);
}
