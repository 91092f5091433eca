/* pump.h - the inside of a pump, for poll(2) (pump.c) and the loop (src/loop/pump_loop.c). */
#ifndef HAIL_NET_PUMP_H
#define HAIL_NET_PUMP_H

#include "net/flow.h"

/* What a loop needs of an attached pump: a watch an end. */
struct hail_pump_loop;

struct hail_pump {
    struct hail_flow flow[2];
    struct hail_pump_opts opts;
    struct hail_deadline stop_at; /* zero: never */
    bool stopped;
    struct hail_pump_loop *loop;         /* NULL: not attached */
    void (*detach)(struct hail_pump *p); /* set with it */
};

/* Lets both flows do what they can. Whether one of them is still open. */
bool hail_pump_step(struct hail_ctx *ctx, struct hail_pump *p);

#endif
