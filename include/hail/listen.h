/* listen.h - endpoints that wait for connections. */
#ifndef HAIL_LISTEN_H
#define HAIL_LISTEN_H

#include <hail/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_listener;

/* Listens at `at`: a numeric address, a name (its first address), ":port" (both families), a Unix
 * path or abstract name. Port 0: the system picks, hail_listener_at() tells. A Unix socket file
 * that nobody listens on any more is replaced; any other file is -EADDRINUSE and stays. */
HAIL_API int hail_listen(struct hail_ctx *ctx, const struct hail_endpoint *at,
                         const struct hail_opts *opts, struct hail_listener **out);

/* The number of sockets handed over by socket activation (LISTEN_FDS and LISTEN_PID,
 * sd_listen_fds(3)), and a listener of the i-th. The variables are left as they are. */
HAIL_API int hail_listen_inherited(void);
HAIL_API int hail_listen_of_inherited(struct hail_ctx *ctx, int i, struct hail_listener **out);

/* Waits for one connection. */
HAIL_API int hail_accept(struct hail_ctx *ctx, struct hail_listener *l, struct hail_stream **out);

/* The step: -EAGAIN when none waits. */
HAIL_API int hail_try_accept(struct hail_ctx *ctx, struct hail_listener *l,
                             struct hail_stream **out);

/* Where it really listens. */
HAIL_API struct hail_endpoint hail_listener_at(const struct hail_listener *l);
HAIL_API int hail_listener_fd(const struct hail_listener *l);

/* Closes, and removes the Unix socket file that hail_listen() made. Accepts NULL. */
HAIL_API void hail_listener_close(struct hail_listener *l);

#ifdef __cplusplus
}
#endif
#endif
