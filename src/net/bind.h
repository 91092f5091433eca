/* bind.h - a listener in two steps, for the plain socket abstraction: bound, then listening. */
#ifndef HAIL_NET_BIND_H
#define HAIL_NET_BIND_H

#include <hail/listen.h>

/* The first half of hail_listen(): hail_listener_at() tells the port that was picked. */
int hail_listener_bind(struct hail_ctx *ctx, const struct hail_endpoint *at,
                       const struct hail_opts *opts, struct hail_listener **out);

/* The second half; `backlog` 0: SOMAXCONN. */
int hail_listener_start(struct hail_ctx *ctx, struct hail_listener *l, int backlog);

#endif
