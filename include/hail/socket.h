/* socket.h - the plain socket abstraction, for whoever thinks in Python's socket module.
 *
 * The same calls, the same order, the same meaning; no context: each socket has a time-out and its
 * last error of its own. Calls return a count or 0, and -errno on failure, of which
 * hail_socket_error() gives the words. Built on the streams, listeners and datagrams of the
 * library: connect tries all addresses of a name and may connect any number of times until it
 * succeeded, and a stream socket has a descriptor from bind or connect on.
 */
#ifndef HAIL_SOCKET_H
#define HAIL_SOCKET_H

#include <hail/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_socket;

/* family AF_INET, AF_INET6 or AF_UNIX; type SOCK_STREAM or SOCK_DGRAM. NULL with errno set. */
HAIL_API struct hail_socket *hail_socket(int family, int type);

/* `host` is a name, an address, a Unix path or "@name"; NULL or "" is every address. */
HAIL_API int hail_socket_bind(struct hail_socket *s, const char *host, uint16_t port);
HAIL_API int hail_socket_listen(struct hail_socket *s, int backlog);
HAIL_API struct hail_socket *hail_socket_accept(struct hail_socket *s); /* NULL: see the error */
HAIL_API int hail_socket_connect(struct hail_socket *s, const char *host, uint16_t port);
HAIL_API ssize_t hail_socket_send(struct hail_socket *s, const void *buf, size_t size);
HAIL_API int hail_socket_sendall(struct hail_socket *s, const void *buf, size_t size);
HAIL_API ssize_t hail_socket_recv(struct hail_socket *s, void *buf, size_t size);
HAIL_API ssize_t hail_socket_sendto(struct hail_socket *s, const void *buf, size_t size,
                                    const char *host, uint16_t port);
/* The sender's host and port into `host` (size bytes, may be NULL) and *port (may be NULL). */
HAIL_API ssize_t hail_socket_recvfrom(struct hail_socket *s, void *buf, size_t size, char *host,
                                      size_t host_size, uint16_t *port);
HAIL_API int hail_socket_shutdown(struct hail_socket *s); /* the sending direction */
HAIL_API void hail_socket_close(struct hail_socket *s);   /* accepts NULL */
HAIL_API struct hail_endpoint hail_socket_getsockname(const struct hail_socket *s);
HAIL_API struct hail_endpoint hail_socket_getpeername(const struct hail_socket *s);
/* How long each later call may take: negative (as at first): any time; 0: calls that would wait
 * return -EAGAIN, but for connect, which times out. */
HAIL_API void hail_socket_settimeout(struct hail_socket *s, double seconds);
HAIL_API int hail_socket_fileno(const struct hail_socket *s);        /* -1 before bind or connect */
HAIL_API const char *hail_socket_error(const struct hail_socket *s); /* one line; "" without */

#ifdef __cplusplus
}
#endif
#endif
