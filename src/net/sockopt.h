/* sockopt.h - the options of stream sockets that dialling and listening share. */
#ifndef HAIL_NET_SOCKOPT_H
#define HAIL_NET_SOCKOPT_H

#include <hail/stream.h>

/* Opens a stream socket, non-blocking and close-on-exec, with the buffers, keep-alive and, unless
 * `opts->nagle`, TCP_NODELAY (tcp(7)); a listener hands all of them on to what it accepts. Returns
 * the descriptor or -errno. */
int hail_sockopt_open(const struct hail_addr *at, const struct hail_opts *opts);

/* Sets the same options on a socket that was made elsewhere. Returns 0 or -errno. */
int hail_sockopt_apply(int fd, int family, const struct hail_opts *opts);

/* One integer option. Returns 0 or -errno. */
int hail_sockopt_int(int fd, int level, int name, int value);

#endif
