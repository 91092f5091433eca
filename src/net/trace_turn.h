/* trace_turn.h - which of Wireshark's dissectors understands what one side said in its turn. */
#ifndef HAIL_NET_TRACE_TURN_H
#define HAIL_NET_TRACE_TURN_H

#include <stddef.h>
#include <stdint.h>

/* The dissector's name: "http" where it looks like HTTP/1, else by the port at which the service
 * was dialled, else "data". */
const char *hail_turn_dissector(const char *said, size_t n, uint16_t port);

#endif
