/* resolve_trace.c - the trace of what is said to name servers (resolve.h). */
#include "net/resolve.h"
#include "net/trace.h"

#include <sys/socket.h>

void hail_dns_trace(struct hail_ctx *ctx, int fd, bool out, const void *data, size_t n)
{
    struct hail_addr local = {.len = sizeof local.u}, peer = {.len = sizeof peer.u};
    int type = 0;
    socklen_t size = sizeof type;
    if (!hail_tracing(ctx) || getsockname(fd, &local.u.sa, &local.len) < 0 ||
        getpeername(fd, &peer.u.sa, &peer.len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return;
    struct hail_endpoint here = hail_endpoint_of(&local), server = hail_endpoint_of(&peer);
    hail_trace_emit(ctx, (struct hail_event){.span = ctx->span,
                                             .kind = out ? HAIL_EVENT_OUT : HAIL_EVENT_IN,
                                             .layer = HAIL_LAYER_NAME,
                                             .op = type == SOCK_DGRAM ? "datagram" : "stream",
                                             .local = &here,
                                             .peer = &server,
                                             .data = data,
                                             .len = n});
}
