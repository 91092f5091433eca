/* telnet.h - what the files of the TELNET engine share.
 *
 *   telnet.c            bytes -> data, commands, subnegotiations; data -> bytes
 *   telnet_negotiate.c  WILL, WONT, DO, DONT: RFC 1143
 *   telnet_sub.c        subnegotiations taken and sent; the short ones answered
 *   telnet_linemode.c   LINEMODE: MODE and the special characters
 *   telnet_environ.c    NEW-ENVIRON
 *   telnet_names.c      names; telnet_text.c a conversation in words
 */
#ifndef HAIL_PROTO_TELNET_H
#define HAIL_PROTO_TELNET_H

#include <hail/telnet.h>

/* Bytes to the peer, and an event to the caller. */
void hail_telnet_put(struct hail_telnet *t, const void *p, size_t n, bool urgent);
void hail_telnet_tell(const struct hail_telnet *t, const struct hail_telnet_event *e);

/* A WILL, WONT, DO or DONT has come. */
void hail_telnet_negotiated(struct hail_telnet *t, uint8_t verb, uint8_t option);

/* A subnegotiation has come, `n` bytes after its option; it may be changed in place. */
void hail_telnet_sub_came(struct hail_telnet *t, uint8_t option, uint8_t *p, size_t n);
void hail_telnet_linemode_came(struct hail_telnet *t, const uint8_t *p, size_t n);
void hail_telnet_environ_came(struct hail_telnet *t, uint8_t *p, size_t n);

/* An option of ours has come on, or gone off. */
void hail_telnet_ours_on(struct hail_telnet *t, uint8_t option);
void hail_telnet_ours_off(struct hail_telnet *t, uint8_t option);

#endif
