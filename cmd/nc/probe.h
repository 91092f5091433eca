/* probe.h - scanning UDP ports truthfully: who replied, who refused, and of whom nothing is known.
 *
 * One socket asks all ports, a window of them at a time, each a few times against loss. What comes
 * from a port is its reply; ICMP's "port unreachable" is its refusal, which the kernel keeps with
 * the port that it is about; silence says nothing: a service that waits, a filter, or a lost
 * answer. An empty datagram is what is sent, unless the question of a service is to be asked
 * (proto/probe.h).
 */
#ifndef HAIL_NC_PROBE_H
#define HAIL_NC_PROBE_H

#include <hail/hail.h>

#include "proto/probe.h"

#define PROBE_WINDOW  1024 /* ports that are asked at a time */
#define PROBE_SENDS   3    /* of each question */
#define PROBE_WAIT_MS 1500 /* for each port's answer */

enum probe_verdict { PROBE_UNKNOWN = 0, PROBE_REFUSED, PROBE_REPLY };

struct probe_port {
    uint16_t port;
    uint8_t verdict; /* enum probe_verdict */
    uint8_t asked;   /* enum hail_probe */
    uint8_t sends;
    bool done;
    uint8_t by;                    /* the caller's: which address said so */
    int errnum;                    /* UNKNOWN: what was said instead, if anything */
    uint16_t bytes;                /* REPLY: of the first datagram */
    const char *words;             /* REPLY to a question: what it says; in the scan */
    struct hail_deadline due, end; /* while it is being asked: next send, and when to give up */
};

struct probe_scan {
    struct hail_addr to;  /* its port is not looked at */
    bool ask;             /* the question of the port's service, where there is one */
    int64_t wait_ms;      /* for each port */
    int64_t interval_ms;  /* between the first sends to two ports; 0: none */
    struct probe_port *v; /* the caller's; the verdicts that are not PROBE_REPLY are renewed */
    size_t n;
    /* Called for each port in order, as soon as it and those before it are done. */
    void (*tell)(void *arg, const struct probe_port *port);
    void *arg;
    char words[HAIL_PROBE_STUN + 1][HAIL_PROBE_WORDS];
};

/* Scans from `d`, which is not connected. 0 or -errno: this machine's trouble, or the deadline. */
int probe_scan(struct hail_ctx *ctx, struct hail_datagram *d, struct probe_scan *s);

#endif
