/* local_names.h - hosts and services by the names that libc would give them: from the files of /etc
 * and DNS, without what nsswitch.conf(5) lists (libc's calls would load that into a static
 * program). For the commands that print what another program printed. */
#ifndef HAIL_CMD_LOCAL_NAMES_H
#define HAIL_CMD_LOCAL_NAMES_H

#include "cmd.h"

/* The name of a port in services(5), for one of enum hail_service_proto; NULL: none. The last row
 * wins, aliases are not asked. */
const char *local_service(uint16_t port, unsigned proto);

/* The port of a name or alias in services(5), 0: none. */
uint16_t local_service_port(const char *name, unsigned proto);

/* The first name of an address, from hosts(5) or DNS, into `out`; empty: none, or none that libc
 * would take: an answer must not bring escapes to a terminal. */
void local_host(const struct hail_ctx *ctx, const struct hail_addr *addr, char *out, size_t size);

/* The file's content, `max` bytes at most; NULL when it cannot be read. Owned by the caller. */
char *local_file(const char *path, size_t max, size_t *n);

#endif
