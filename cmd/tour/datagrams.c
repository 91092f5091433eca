/* datagrams.c - page 6: messages without a connection, and one that nobody receives. */
#include "tour/tour.h"

#include <errno.h>

static struct hail_endpoint loopback(uint16_t port)
{
    return (struct hail_endpoint){
        .kind = HAIL_HOST_IPV4, .host = "127.0.0.1", .has_port = true, .port = port};
}

static void show_datagram(struct tour *t, const struct hail_endpoint *from,
                          const struct hail_endpoint *to, const char *text, size_t n)
{
    char a[HAIL_ENDPOINT_MAX], b[HAIL_ENDPOINT_MAX];
    hail_endpoint_format(from, a, sizeof a);
    hail_endpoint_format(to, b, sizeof b);
    tour_fact(t, "%s -> %s: \"%.*s\", %zu bytes", a, b, (int)n, text, n);
    struct hail_json *j = tour_event(t, "datagram");
    tour_endpoint(t, "from", from);
    tour_endpoint(t, "to", to);
    hail_json_bytes(j, "data", text, n);
    tour_event_end(t);
}

/* One each way between two sockets that both wait at a port. */
static int both_ways(struct tour *t, struct hail_datagram *client, struct hail_datagram *server)
{
    struct hail_ctx *ctx = &t->c->ctx;
    struct hail_endpoint server_at = hail_datagram_local(server);
    struct hail_addr to, from;
    char text[64];
    hail_endpoint_addr(&server_at, AF_INET, &to);
    if (hail_send_to(ctx, client, &to, "Is anybody there?", 17) < 0)
        return fail(t->c);
    ssize_t n = hail_recv_from(ctx, server, text, sizeof text, &from);
    if (n < 0)
        return fail(t->c);
    struct hail_endpoint client_at = hail_endpoint_of(&from);
    show_datagram(t, &client_at, &server_at, text, (size_t)n);
    if (hail_send_to(ctx, server, &from, "I am.", 5) < 0)
        return fail(t->c);
    n = hail_recv_from(ctx, client, text, sizeof text, &to);
    if (n < 0)
        return fail(t->c);
    server_at = hail_endpoint_of(&to);
    show_datagram(t, &server_at, &client_at, text, (size_t)n);
    return 0;
}

/* To the port that the server just gave back: the kernel answers with ICMP "port unreachable". */
static int to_nobody(struct tour *t, uint16_t port)
{
    struct hail_ctx *ctx = &t->c->ctx;
    struct hail_endpoint to = loopback(port);
    struct hail_datagram *d;
    if (hail_datagram_connect(ctx, &to, NULL, &d) < 0)
        return fail(t->c);
    char text[64], at[HAIL_ENDPOINT_MAX];
    int rc = hail_send_to(ctx, d, NULL, "Hello?", 6);
    ssize_t n = rc < 0 ? rc : hail_recv_from(ctx, d, text, sizeof text, NULL);
    hail_datagram_close(d);
    hail_endpoint_format(&to, at, sizeof at);
    if (n != -ECONNREFUSED)
        return n < 0 ? fail(t->c) : local_error("send to", at, EADDRINUSE);
    tour_fact(t, "to %s, where nobody is: %s", at, hail_errno_text((int)-n));
    struct hail_json *j = tour_event(t, "refused");
    tour_endpoint(t, "to", &to);
    hail_json_str(j, "error", ctx->err.msg);
    tour_event_end(t);
    return 0;
}

int tour_datagrams(struct tour *t)
{
    tour_page(t, "A datagram is a message on its own");
    tour_say(t, "UDP knows no connection: each datagram carries both endpoints, arrives whole or "
                "not at all, and nobody confirms it. DNS, NTP and QUIC are built on it.");
    tour_gap(t);
    struct hail_ctx *ctx = &t->c->ctx;
    struct hail_endpoint any = loopback(0);
    struct hail_datagram *server = NULL, *client = NULL;
    int status = 0;
    if (hail_datagram_open(ctx, &any, NULL, &server) < 0 ||
        hail_datagram_open(ctx, &any, NULL, &client) < 0)
        status = fail(t->c);
    else
        status = both_ways(t, client, server);
    uint16_t port = server ? hail_datagram_local(server).port : 0;
    hail_datagram_close(client);
    hail_datagram_close(server);
    if (status)
        return status;
    tour_gap(t);
    tour_say(t, "Nobody confirms, but the kernel of a host where no socket has the port says so: "
                "ICMP \"port unreachable\" comes back, which the sender sees as an error:");
    tour_gap(t);
    status = to_nobody(t, port);
    if (status)
        return status;
    tour_gap(t);
    tour_say(t, "Silence, then, means lost, filtered or ignored; only a refusal is certain.");
    tour_page_end(t);
    return 0;
}
