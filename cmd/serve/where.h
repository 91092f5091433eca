/* where.h - the endpoints at which `hail serve` waits for connections. */
#ifndef HAIL_CMD_SERVE_WHERE_H
#define HAIL_CMD_SERVE_WHERE_H

#include "serve.h"

/* One listener. Those of one TCP endpoint share its port by SO_REUSEPORT, one for each worker;
 * others (Unix sockets, inherited ones) are one for all workers. */
struct serve_place {
    struct hail_listener *listener; /* owned */
    int worker;                     /* -1: of all */
    bool tls;
    bool metrics; /* nothing but counts is served there */
};

struct serve_places {
    struct serve_place *v; /* owned */
    int n, cap;
};

/* Listens where the options say, else where a service manager does (LISTEN_FDS), else at port 8080
 * of the loopback address, or the next that is free. 0, or -errno recorded in the context. */
int serve_listen(struct serve *s, int workers, struct serve_places *p);

/* Prints a URL for each endpoint, at once, for whoever waits for it. A status. */
int serve_announce(const struct serve *s, const struct serve_places *p, const char *path);

/* open.c: shows the page in the user's browser; that it cannot is told, and no more. */
void serve_open_browser(const struct serve *s, const char *url);

/* confine.c: from here on the server can do little but serve. 0, or -errno recorded. */
int serve_confine(struct serve *s, const struct serve_places *p);

void serve_places_close(struct serve_places *p);

#endif
