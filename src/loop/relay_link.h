/* relay_link.h - the inside of a relay: its sides and its links.
 *
 *   relay.c        listening, accepting, the relay as a whole
 *   relay_link.c   one link: from the first stream to the pump's end
 */
#ifndef HAIL_LOOP_RELAY_LINK_H
#define HAIL_LOOP_RELAY_LINK_H

#include <hail/listen.h>
#include <hail/pump.h>
#include <hail/relay.h>

#include "loop/dialler.h"

struct hail_relay_link {
    struct hail_relay *relay;
    struct hail_relay_link *next, **at; /* of all, and who points here */
    struct hail_stream *stream[2];
    struct hail_pump *pump;
    struct hail_watch w;     /* of a handshake */
    struct hail_timer limit; /* of a handshake */
    uint8_t first;           /* the side that came first */
    int shaking;             /* the side whose handshake is under way; -1: none */
    bool shaken[2];
    bool waiting; /* for the other listener's client */
};

struct hail_relay_end {
    struct hail_relay *relay;
    struct hail_relay_side is;
    struct hail_listener *listener;
    struct hail_watch w;
    struct hail_timer pause;
};

struct hail_relay {
    struct hail_ctx *ctx;
    struct hail_loop *loop;
    struct hail_relay_end side[2];
    struct hail_relay_opts opts;
    struct hail_dialler *dialler;
    struct hail_relay_link *links;
    unsigned open;
    bool ending;
};

/* A link whose side `first` comes first; NULL: no memory. */
struct hail_relay_link *hail_relay_link_new(struct hail_relay *r, int first);
void hail_relay_link_free(struct hail_relay_link *l);

/* Does what comes next for a link, in the order of its sides. It may be gone afterwards. */
void hail_relay_link_next(struct hail_relay_link *l);

/* Tells the relay's owner; `l` may be NULL. */
void hail_relay_tell(struct hail_relay *r, struct hail_relay_link *l, enum hail_relay_kind kind,
                     const struct hail_error *error);

#endif
