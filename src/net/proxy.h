/* proxy.h - dialling through a proxy, for dial.c. */
#ifndef HAIL_NET_PROXY_H
#define HAIL_NET_PROXY_H

#include <hail/proxy.h>
#include <hail/stream.h>

/* hail_dial() with opts->proxy. */
int hail_proxy_dial(struct hail_ctx *ctx, const struct hail_endpoint *target,
                    const struct hail_opts *opts, struct hail_stream **out);

#endif
