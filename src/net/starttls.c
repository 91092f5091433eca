/* starttls.c - the dialogs of STARTTLS over a stream; include/hail/starttls.h. */
#include <hail/starttls.h>
#include <hail/trace.h>

#include "base/error.h"
#include "base/text.h"
#include "net/layer.h"
#include "net/trace.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int failed(struct hail_ctx *ctx, const struct hail_stream *s, enum hail_starttls protocol,
                  int rc, const char *why)
{
    char at[HAIL_ENDPOINT_MAX];
    struct hail_endpoint peer = hail_peer(s);
    hail_endpoint_format(&peer, at, sizeof at);
    enum hail_layer layer = rc == -EPROTO || rc == -EMSGSIZE ? HAIL_LAYER_PROTO : HAIL_LAYER_TLS;
    return hail_fail(ctx, layer, -rc, "starttls", "start TLS in %s with %s: %s",
                     hail_starttls_name(protocol), at, why);
}

/* 0: the handshake may begin. */
static int converse(struct hail_ctx *ctx, struct hail_stream *s, struct hail_starttls_dialog *d)
{
    char chunk[4096];
    for (;;) {
        int rc = d->out_len ? hail_write(ctx, s, d->out, d->out_len, NULL) : 0;
        if (rc < 0)
            return rc;
        if (d->state < 0)
            return 0;
        ssize_t n = hail_read(ctx, s, chunk, sizeof chunk);
        if (n < 0)
            return (int)n;
        if (n == 0) {
            rc = failed(ctx, s, d->protocol, -EPROTO, "the peer closed the connection");
            hail_set_detail(ctx, HAIL_TRUNCATED);
            return rc;
        }
        rc = hail_starttls_take(d, chunk, (size_t)n);
        if (rc < 0)
            return failed(ctx, s, d->protocol, rc, d->why);
        if (rc > 0)
            d->state = -1; /* its last word, which MySQL's dialog ends with, is still to be sent */
    }
}

/* Bytes that wait unread would be taken for the answer. */
static bool something_waits(const struct hail_stream *s)
{
    char c;
    return recv(hail_stream_fd(s), &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

int hail_starttls(struct hail_ctx *ctx, struct hail_stream **top, enum hail_starttls protocol,
                  const char *name, bool greeted, const struct hail_tls_opts *opts)
{
    struct hail_starttls_dialog d;
    struct hail_endpoint peer = hail_peer(*top);
    uint32_t parent = ctx->span;
    uint32_t span = hail_trace_begin(ctx, HAIL_LAYER_TLS, "starttls", &peer, NULL);
    int rc = hail_starttls_begin(&d, protocol, name, greeted);
    if (rc < 0)
        rc = failed(ctx, *top, protocol, rc, d.why);
    else if (greeted && something_waits(*top))
        rc = failed(ctx, *top, protocol, -EBUSY, "the peer has sent something that was not read");
    else
        rc = converse(ctx, *top, &d);
    hail_trace_end(ctx, span, parent, HAIL_LAYER_TLS, "starttls", rc, hail_starttls_name(protocol));
    return rc < 0 ? rc : hail_tls_client(ctx, top, name, opts);
}
