/* relay.h - connections passed on: whoever comes to one endpoint is connected with another.
 *
 *      client --> [listens at] relay [dials] --> server      many at once, on one loop
 *
 * Either side may listen or dial, speak TLS or not, TCP or Unix. Two sides that dial are connected
 * once; two that listen are paired in the order in which their clients come. A connection that
 * one side reset, or cut short, is reset on the other: what is not whole does not look it.
 */
#ifndef HAIL_RELAY_H
#define HAIL_RELAY_H

#include <hail/loop.h>
#include <hail/tls.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hail_relay;

/* What the pointers name must live as long as the relay. */
struct hail_relay_side {
    struct hail_endpoint at;
    bool listen;
    struct hail_tls_config *tls;  /* a server's if it listens, else a client's; NULL: no TLS */
    const char *tls_name;         /* dialling: whom the certificate is for; NULL: at.host */
    const struct hail_opts *opts; /* NULL: none */
};

enum hail_relay_kind {
    HAIL_RELAY_OPENED = 0, /* both ends are connected */
    HAIL_RELAY_CLOSED,     /* the bytes each way; `error` if it was cut short */
    HAIL_RELAY_FAILED,     /* the other end was not reached, or a handshake failed: `error` */
    HAIL_RELAY_PAUSED,     /* no more can be accepted for a moment: `error` */
};

struct hail_relay_event {
    enum hail_relay_kind kind;
    struct hail_endpoint peer[2];   /* of side 0 and 1, as far as connected */
    uint64_t bytes[2];              /* from side 0 to 1, and back */
    const struct hail_error *error; /* NULL: none */
    unsigned open;                  /* connections that are open or being made after this */
};

struct hail_relay_opts {
    int64_t idle_ms;  /* a connection on which nothing moves for so long is closed; 0: never */
    int64_t reach_ms; /* a dial or a handshake may take so long; 0: 30,000 */
    void (*event)(void *arg, const struct hail_relay_event *e); /* NULL: none */
    void *arg;
};

/* Begins to listen, or to dial, on the loop. The context is used for as long as the relay lives;
 * with a trace in it dialling keeps the whole loop waiting, else it happens in threads. */
HAIL_API int hail_relay_new(struct hail_ctx *ctx, struct hail_loop *loop,
                            const struct hail_relay_side sides[2],
                            const struct hail_relay_opts *opts, struct hail_relay **out);

/* Where a side that listens really does. */
HAIL_API struct hail_endpoint hail_relay_at(const struct hail_relay *relay, int side);

/* Closes everything at once. Accepts NULL. */
HAIL_API void hail_relay_free(struct hail_relay *relay);

#ifdef __cplusplus
}
#endif
#endif
