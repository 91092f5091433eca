/* metrics.h - between the files of --metrics: what is counted of the sockets at a scrape.
 *
 *      netstat_each() --row--> metrics.c: by state, queues --> tally.c: by process, unit, listener
 *      /proc/net/snmp, netstat, snmp6, sockstat ------------> metrics_kernel.c
 */
#ifndef HAIL_CMD_NETSTAT_METRICS_H
#define HAIL_CMD_NETSTAT_METRICS_H

#include "netstat/netstat.h"
#include "openmetrics.h"

#define METRICS_TOP   100  /* series of a family that is by name; the rest is one more */
#define METRICS_NAMES 8192 /* names that are told apart at all, in one scrape */

/* What has one name: a process, a unit, a listener. */
struct tally_row {
    char *key; /* NUL-ended parts, one after the other */
    size_t len;
    uint64_t sockets, waiting, limit;
};

/* Open addressing by key, half empty at least. All zero at first. */
struct tally {
    struct tally_row *v;
    size_t size, used;
    struct tally_row rest; /* without a place of their own; its key is NULL */
};

/* Counts one socket. The key is copied. 0 or -ENOMEM. */
int tally_add(struct tally *t, const char *key, size_t len, uint64_t waiting, uint64_t limit);
/* Puts the METRICS_TOP rows with the most sockets first, at v[0] to v[n - 1], and the others into
 * `rest`; returns n. Nothing can be added any more. */
size_t tally_top(struct tally *t);
void tally_free(struct tally *t);

/* The kernel's counters of TCP and UDP, and the memory they take, of the namespace that was asked
 * for. What is not there is left out. */
void metrics_kernel(const struct netstat *n, struct openmetrics *m, bool tcp, bool udp);

#endif
