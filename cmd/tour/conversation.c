/* conversation.c - pages 3 to 5: a connection, the request and the response on it, and what the
 * kernel lists while it is open and after it closed. Both ends are in this process; the server's
 * has no trace, so that the client's stays readable.
 */
#include "tour/tour.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

static const char request[] = "GET /index.html HTTP/1.0\r\nHost: localhost\r\n\r\n";

static void format(const struct hail_endpoint *ep, char out[HAIL_ENDPOINT_MAX])
{
    hail_endpoint_format(ep, out, HAIL_ENDPOINT_MAX);
}

/* The client's context with the conversation's own trace, beside the one that --trace asked for. */
static struct hail_ctx traced(struct tour *t)
{
    struct hail_ctx ctx = t->c->ctx;
    if (!ctx.trace)
        ctx.trace = t->trace;
    return ctx;
}

static struct hail_ctx untraced(struct tour *t)
{
    struct hail_ctx ctx = t->c->ctx;
    ctx.trace = NULL;
    return ctx;
}

/* Fails with the error of a context that was a copy. */
static int fail_of(struct tour *t, const struct hail_ctx *ctx)
{
    t->c->ctx.err = ctx->err;
    return fail(t->c);
}

static int open_listener(struct tour *t)
{
    struct hail_endpoint at = {
        .kind = HAIL_HOST_IPV4, .host = "127.0.0.1", .has_port = true, .port = 0};
    struct hail_ctx ctx = untraced(t);
    if (hail_listen(&ctx, &at, NULL, &t->listener) < 0)
        return fail_of(t, &ctx);
    char text[HAIL_ENDPOINT_MAX];
    at = hail_listener_at(t->listener);
    format(&at, text);
    tour_fact(t, "server:  listens at %s", text);
    tour_event(t, "listening");
    tour_endpoint(t, "at", &at);
    tour_event_end(t);
    return 0;
}

static void show_attempts(struct tour *t)
{
    size_t n;
    const struct hail_attempt *v = hail_stream_attempts(t->client, &n);
    for (size_t i = 0; i < n; i++) {
        struct hail_endpoint ep = hail_endpoint_of(&v[i].addr);
        const char *how = v[i].errnum ? hail_errno_text(v[i].errnum) : "connected";
        char text[HAIL_ENDPOINT_MAX];
        format(&ep, text);
        tour_fact(t, "client:  tries %s: %s, %s", text, how, tour_ms(v[i].end_ns - v[i].start_ns));
        struct hail_json *j = tour_event(t, "attempt");
        tour_endpoint(t, "address", &ep);
        hail_json_str(j, "outcome", how);
        hail_json_seconds(j, "duration", v[i].end_ns - v[i].start_ns);
        tour_event_end(t);
    }
}

static void show_ends(struct tour *t)
{
    struct hail_endpoint ends[4] = {hail_local(t->client), hail_peer(t->client),
                                    hail_local(t->server), hail_peer(t->server)};
    char text[4][HAIL_ENDPOINT_MAX];
    for (size_t i = 0; i < 4; i++)
        format(&ends[i], text[i]);
    tour_fact(t, "client:  local %s, peer %s", text[0], text[1]);
    tour_fact(t, "server:  local %s, peer %s", text[2], text[3]);
    tour_event(t, "connected");
    tour_endpoint(t, "client", &ends[0]);
    tour_endpoint(t, "server", &ends[2]);
    tour_event_end(t);
    t->client_end = ends[0];
    t->server_end = ends[2];
}

int tour_connection(struct tour *t)
{
    tour_page(t, "A server waits, a client connects");
    tour_say(t, "The server asks for a port (here any that is free) and waits. Clients need to "
                "know host and port.");
    tour_gap(t);
    int status = open_listener(t);
    if (status)
        return status;
    struct hail_ctx ctx = traced(t), quiet = untraced(t);
    struct hail_endpoint to = {.kind = HAIL_HOST_NAME, .host = "localhost", .has_port = true};
    to.port = hail_listener_at(t->listener).port;
    tour_gap(t);
    tour_say(t,
             "The client connects to localhost:%u. The name has several addresses, which are "
             "tried in turn; the server listens at one of them:",
             to.port);
    tour_gap(t);
    if (hail_dial(&ctx, &to, NULL, &t->client) < 0)
        return fail_of(t, &ctx);
    if (hail_accept(&quiet, t->listener, &t->server) < 0)
        return fail_of(t, &quiet);
    show_attempts(t);
    tour_gap(t);
    tour_say(t, "Both ends of a connection are a host and a port. The client's port was picked by "
                "the system. The four numbers together are the connection's name:");
    tour_gap(t);
    show_ends(t);
    tour_page_end(t);
    return 0;
}

/* --- request and response --- */

/* What the server read; it answers once the head is complete. */
static ssize_t read_request(struct tour *t, struct hail_ctx *ctx, char *buf, size_t size,
                            struct hail_http_head *head)
{
    size_t have = 0;
    for (;;) {
        ssize_t n = hail_read(ctx, t->server, buf + have, size - have);
        if (n <= 0)
            return n < 0 ? n : -EPROTO;
        have += (size_t)n;
        ssize_t end = hail_http_request_parse(head, buf, have);
        if (end != -EAGAIN || have == size)
            return end;
    }
}

/* The response's head for the page, or for what else was asked. */
static ssize_t make_head(char *out, size_t size, size_t length)
{
    struct hail_http_out o = {.p = out, .size = size};
    char date[HAIL_HTTP_DATE_MAX];
    hail_http_date_format(time(NULL), date);
    hail_http_put_status(&o, 200, NULL, 0);
    hail_http_put_field(&o, "Date", date);
    hail_http_put_field(&o, "Content-Type", "text/html; charset=utf-8");
    hail_http_put_number(&o, "Content-Length", length);
    return hail_http_put_end(&o);
}

/* Server and client take turns in one thread: neither may wait while the other could go on. */
static int pump(struct tour *t, struct hail_ctx *client, struct hail_ctx *server, const char *head,
                size_t head_len, struct hail_buf *in)
{
    size_t sent = 0, all = head_len + t->index.len;
    char part[16384];
    bool ended = false, open = true;
    while (!ended) {
        if (sent < all) {
            struct iovec iov[2] = {{(void *)(uintptr_t)(head + sent), 0}, {NULL, 0}};
            size_t body = sent > head_len ? sent - head_len : 0;
            iov[0].iov_len = sent < head_len ? head_len - sent : 0;
            iov[1] = (struct iovec){t->index.p + body, t->index.len - body};
            int skip = iov[0].iov_len == 0;
            ssize_t n = hail_try_writev(server, t->server, iov + skip, 2 - skip);
            if (n < 0 && n != -EAGAIN)
                return fail_of(t, server);
            sent += n > 0 ? (size_t)n : 0;
        } else if (open) {
            if (hail_shutdown(server, t->server) < 0)
                return fail_of(t, server);
            open = false;
        }
        ssize_t n = hail_try_read(client, t->client, part, sizeof part);
        if (n > 0)
            hail_buf_add(in, part, (size_t)n);
        else if (n == -EAGAIN && hail_wait(client, hail_stream_fd(t->client), POLLIN) < 0)
            return local_error("wait for", "the response", ETIMEDOUT);
        else if (n < 0 && n != -EAGAIN)
            return fail_of(t, client);
        ended = n == 0;
    }
    return in->failed ? local_error("keep", "the response", -in->failed) : 0;
}

static int show_response(struct tour *t, const struct hail_buf *in)
{
    struct hail_http_head head;
    struct hail_http_field fields[16];
    hail_http_head_init(&head, fields, 16, NULL);
    ssize_t n = hail_http_response_parse(&head, HAIL_HTTP_GET, in->p, in->len);
    if (n < 0)
        return local_error("read", hail_http_error_text(head.error), EPROTO);
    size_t body = in->len - (size_t)n;
    tour_wire(t, false, in->p, (size_t)n, 8);
    tour_wire(t, false, in->p + n, body, 2);
    tour_gap(t);
    bool same = body == t->index.len && memcmp(in->p + n, t->index.p, body) == 0;
    tour_fact(t, "status %d, Content-Length %llu, all of it after %s", head.status,
              (unsigned long long)head.length, tour_ms(t->response_ns));
    tour_fact(t, "%zu bytes came, %s", body,
              same ? "the very same that the server has" : "NOT what the server has");
    struct hail_json *j = tour_event(t, "response");
    hail_json_strn(j, "head", in->p, (size_t)n);
    hail_json_int(j, "status", head.status);
    hail_json_int(j, "content_length", (int64_t)head.length);
    hail_json_int(j, "bytes", (int64_t)body);
    hail_json_bool(j, "same", same);
    hail_json_seconds(j, "duration", t->response_ns);
    tour_event_end(t);
    return same ? 0 : local_error("compare", "the response", EBADMSG);
}

static int exchange(struct tour *t, struct hail_buf *in)
{
    struct hail_ctx client = traced(t), server = untraced(t);
    char asked[1024], head[512];
    struct hail_http_head h;
    struct hail_http_field fields[16];
    int64_t start = hail_now();
    hail_http_head_init(&h, fields, 16, NULL);
    if (hail_write(&client, t->client, request, sizeof request - 1, NULL) < 0)
        return fail_of(t, &client);
    ssize_t n = read_request(t, &server, asked, sizeof asked, &h);
    if (n < 0)
        return n == -EPROTO ? local_error("read", "the request", EPROTO) : fail_of(t, &server);
    ssize_t len = make_head(head, sizeof head, t->index.len);
    int status = len < 0 ? local_error("write", "the response's head", (int)-len)
                         : pump(t, &client, &server, head, (size_t)len, in);
    t->response_ns = hail_now() - start;
    if (status)
        return status;
    tour_wire(t, true, asked, (size_t)n, 5);
    struct hail_json *j = tour_event(t, "request");
    hail_json_strn(j, "head", asked, (size_t)n);
    tour_event_end(t);
    return 0;
}

int tour_request(struct tour *t)
{
    tour_page(t, "The client asks, the server answers");
    tour_say(t, "What is said on a connection is up to both; HTTP is text that one can read. The "
                "request (>) and the response (<), byte for byte as they crossed:");
    tour_gap(t);
    struct hail_buf in;
    hail_buf_init(&in, 1 << 20);
    /* how the kernel lists it while it is open: before the server, having answered, closes */
    t->nopen = tour_list(t, t->open, TOUR_ROWS_MAX);
    int status = t->nopen < 0 ? fail(t->c) : exchange(t, &in);
    if (!status)
        status = show_response(t, &in);
    hail_buf_free(&in);
    if (!status) {
        tour_gap(t);
        tour_say(t, "Status line, then fields: Content-Type says what it is, Content-Length how "
                    "much; an empty line; the content. Try it: hail get -i URL");
    }
    tour_page_end(t);
    return status;
}

/* --- what the kernel lists --- */

struct listing {
    struct tour *t;
    struct hail_socket_info *v;
    int n, max;
};

static int keep(void *arg, const struct hail_socket_info *info)
{
    struct listing *l = arg;
    uint16_t a = hail_addr_port(&info->local), b = hail_addr_port(&info->peer);
    uint16_t c = l->t->client_end.port, s = l->t->server_end.port;
    bool ours = (a == c && b == s) || (a == s && b == c) || (a == s && info->state == HAIL_LISTEN);
    if (ours && l->n < l->max)
        l->v[l->n++] = *info;
    return 0;
}

int tour_list(struct tour *t, struct hail_socket_info *v, int max)
{
    struct listing l = {.t = t, .v = v, .max = max};
    struct hail_socket_query q = {.kinds = HAIL_KIND_BIT(HAIL_KIND_TCP), .family = AF_INET};
    int rc = hail_sockets_each(&t->c->ctx, &q, NULL, keep, &l);
    return rc < 0 ? rc : l.n;
}

static void show_rows(struct tour *t, const char *when, const struct hail_socket_info *v, int n)
{
    for (int i = 0; i < n; i++) {
        struct hail_endpoint local = hail_endpoint_of(&v[i].local);
        struct hail_endpoint peer = hail_endpoint_of(&v[i].peer);
        char a[HAIL_ENDPOINT_MAX], b[HAIL_ENDPOINT_MAX], rest[48] = "";
        format(&local, a);
        format(&peer, b);
        if (v[i].state == HAIL_TIME_WAIT)
            snprintf(rest, sizeof rest, "gone in %.1f s", v[i].timer_ms / 1000.0);
        tour_fact(t, "tcp  %-21s  %-21s  %s%s%s", a, v[i].state == HAIL_LISTEN ? "*" : b,
                  hail_socket_state_name(v[i].state), *rest ? ", " : "", rest);
        struct hail_json *j = tour_event(t, "kernel");
        hail_json_str(j, "when", when);
        tour_endpoint(t, "local", &local);
        tour_endpoint(t, "peer", &peer);
        hail_json_str(j, "state", hail_socket_state_name(v[i].state));
        hail_json_int(j, "timer_ms", v[i].timer_ms);
        tour_event_end(t);
    }
}

int tour_kernel(struct tour *t)
{
    tour_page(t, "The kernel keeps the list of connections");
    tour_say(t, "While the connection was open, the kernel listed both its ends, and the listener "
                "(local endpoint, peer, state):");
    tour_gap(t);
    show_rows(t, "open", t->open, t->nopen);
    hail_close(t->client);
    hail_close(t->server);
    hail_listener_close(t->listener);
    t->client = t->server = NULL;
    t->listener = NULL;
    struct hail_socket_info after[TOUR_ROWS_MAX];
    int n = tour_list(t, after, TOUR_ROWS_MAX);
    if (n < 0)
        return fail(t->c);
    tour_gap(t);
    tour_say(t, "Now both have closed it, the server first, since in HTTP/1.0 the end of the "
                "response is the end of the connection:");
    tour_gap(t);
    show_rows(t, "closed", after, n);
    if (n == 0)
        tour_fact(t, "nothing of it is left");
    tour_gap(t);
    tour_say(t, "TIME_WAIT stays with whoever closed first: packets of the old connection that "
                "are still under way must not be taken for a new one between the same endpoints, "
                "and the last confirmation may have to be sent again (RFC 9293, section 3.6.1). "
                "No process holds it, and it goes by itself.");
    tour_page_end(t);
    return 0;
}

void tour_cleanup(struct tour *t)
{
    hail_close(t->client);
    hail_close(t->server);
    hail_listener_close(t->listener);
    hail_trace_close(t->trace);
}
