/* many.h - -lk: its clients, and standard input and output, which they share.
 *
 *   many.c        listening, and all of it
 *   many_client.c one client: what it says, what it has still to take
 *   many_std.c    standard input to everybody, everybody to standard output
 */
#ifndef HAIL_NC_MANY_H
#define HAIL_NC_MANY_H

#include "nc/session.h"

#include "base/buf.h"
#include "net/flow.h"

#define NC_MANY_BEHIND ((size_t)256 << 10)
#define NC_MANY_TURN   64 /* clients taken, or reads of one, before the others get their turn */
#define NC_OF(p, type) ((type *)((char *)(p)-offsetof(type, w)))

struct nc_client {
    struct hail_watch w;
    struct nc_many *many;
    struct nc_client *next, **at;
    struct hail_stream *s;
    struct hail_buf out; /* what it has still to take, from `taken` on */
    size_t taken;
    int events;     /* watched; 0: not in the loop */
    bool shaking;   /* TLS */
    bool ended;     /* its side */
    bool shut;      /* ours was told */
    bool said_last; /* nothing more comes for it: end our side behind `out` */
};

struct nc_watched {
    struct hail_watch w;
    struct nc_many *many;
    int events;
};

struct nc_many {
    struct nc *nc;
    struct hail_loop *loop;
    struct nc_client *clients;
    struct nc_watched listening, input, output, cancel;
    struct hail_listener *listener;
    struct hail_timer pause;
    struct hail_flow std;  /* standard input and output as its ends */
    struct hail_buf shown; /* what standard output has still to take */
    size_t shown_at;
    bool input_ended, after_cr;
    int status;
};

/* many.c: sets what a descriptor is watched for; 0 takes it out of the loop. 0 or -errno. */
int nc_many_watch(struct hail_loop *loop, struct hail_watch *w, int *now, int events);
int nc_many_watch_std(struct nc_watched *d, int events);
void nc_many_stop(struct nc_many *m, int status);

/* many_std.c. Shows what a client said: 0, or -errno after stopping everything. */
int nc_many_show(struct nc_many *m, const char *p, size_t n);
bool nc_many_is_full(const struct nc_many *m); /* standard output is: no client is read */
/* Reads standard input as long as it has something and everybody keeps up. */
void nc_many_say(struct nc_many *m);
void nc_many_on_output(struct hail_loop *loop, struct hail_watch *w, int events);
void nc_many_on_input(struct hail_loop *loop, struct hail_watch *w, int events);

/* many_client.c. Lets a client go on, and says what it waits for; it may be gone afterwards. */
void nc_many_tend(struct nc_client *c);
/* Gives a client what it has to take: 0, -EAGAIN, or what lost it. */
int nc_many_give(struct nc_client *c);
void nc_many_lose(struct nc_client *c);
void nc_many_drop(struct nc_client *c);
void nc_many_on_client(struct hail_loop *loop, struct hail_watch *w, int events);

#endif
