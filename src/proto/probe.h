/* probe.h - a harmless question for the UDP services that have one, and what counts as an answer;
 * sans-I/O.
 *
 *   DNS   the name servers of the root, without recursion           RFC 1035
 *   NTP   the time, as a client of version 4                        RFC 5905 section 7.3
 *   SNMP  a get that asks for the engine's name: discovery, which   RFC 3414 section 4
 *         needs no community and sets off no authenticationFailure
 *   STUN  a binding request: under which address am I seen?         RFC 8489 section 6
 *
 * None of them changes anything at the peer. An answer has to repeat what the question carried, so
 * that stray or forged datagrams do not count.
 */
#ifndef HAIL_PROTO_PROBE_H
#define HAIL_PROTO_PROBE_H

#include <stddef.h>
#include <stdint.h>

enum hail_probe {
    HAIL_PROBE_NONE = 0,
    HAIL_PROBE_DNS,
    HAIL_PROBE_NTP,
    HAIL_PROBE_SNMP,
    HAIL_PROBE_STUN,
};

#define HAIL_PROBE_NONCE 12 /* random bytes, a question's own */
#define HAIL_PROBE_MAX   64 /* bytes of a question */
#define HAIL_PROBE_WORDS 96 /* bytes of an answer in words, with the final NUL */

/* The question for a UDP port: 53, 123, 161, 3478; else HAIL_PROBE_NONE. */
enum hail_probe hail_probe_for(uint16_t port);

/* "DNS", "NTP", "SNMP", "STUN"; "" for HAIL_PROBE_NONE. */
const char *hail_probe_name(enum hail_probe kind);

/* Writes the question; returns its bytes, 0 for HAIL_PROBE_NONE. */
size_t hail_probe_build(enum hail_probe kind, const uint8_t nonce[HAIL_PROBE_NONCE],
                        uint8_t out[HAIL_PROBE_MAX]);

/* Whether the datagram answers the question of that nonce. 0, with what it says in printable words
 * ("stratum 2"), or -EBADMSG. */
int hail_probe_check(enum hail_probe kind, const uint8_t nonce[HAIL_PROBE_NONCE], const void *p,
                     size_t n, char words[HAIL_PROBE_WORDS]);

#endif
