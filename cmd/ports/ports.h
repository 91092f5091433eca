/* ports.h - hail ports: the registry of services, and what on this machine holds a port.
 *
 *   ports.c      the command: what is asked for, and the registry's rows
 *   listeners.c  what listens, and who holds it
 *   hello.c      --check: whether the standard services answer their hello
 */
#ifndef HAIL_CMD_PORTS_H
#define HAIL_CMD_PORTS_H

#include "cmd.h"

#define LISTENERS_MAX 4096 /* listening sockets that are looked at */
#define HELD_MAX      32   /* rows of one port */
#define PORTS_SCHEMA  "hail.ports/1"

struct listener {
    struct hail_socket_info info;
    int pid; /* 0: not known */
    char name[20];
};

struct ports {
    struct common *c;
    unsigned protos;    /* bits of enum hail_service_proto; 0: all */
    struct listener *v; /* what listens, in the order of ports; owned */
    size_t n;
    bool owners;                        /* were looked up */
    size_t rows;                        /* shown */
    struct hail_service held[HELD_MAX]; /* rows of one port */
    size_t nheld;
    struct hail_buf json;
    int status;
};

/* Asks the kernel once. 0 or the exit status. */
int list_listeners(struct ports *p);
/* The programs' names, once: the walk over /proc is dear. */
void find_owners(struct ports *p);
bool holds(const struct listener *l, uint16_t first, uint16_t last, unsigned protos);
void put_listener(struct hail_json *j, const struct listener *l);
void show_listener(const struct ports *p, const struct listener *l);
/* Without operands: what listens, with the service that the port is assigned to. */
int show_listening(struct ports *p);
/* The standard services of this machine, or of `host`, and what their hellos came to. */
int show_hellos(struct ports *p, const char *host);

#endif
