/* telnet_text.h - a TELNET conversation in words, as `toggle options` shows it. */
#ifndef HAIL_PROTO_TELNET_TEXT_H
#define HAIL_PROTO_TELNET_TEXT_H

#include "base/buf.h"

#include <hail/telnet.h>

/* Appends what a COMMAND, NEGOTIATION or SUB event was, in the lines of the BSD telnets, each ended
 * by `newline` ("RCVD WILL ECHO", "SENT IAC SB NAWS 0 80 (80) 0 24 (24)"); nothing for another
 * event. Texts of the peer are made safe to show. Returns 0 or -errno, as hail_buf does. */
int hail_telnet_describe(struct hail_buf *out, const struct hail_telnet_event *e,
                         const char *newline);

#endif
