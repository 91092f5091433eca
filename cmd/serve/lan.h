/* lan.h - this machine's addresses on its networks, and a URL for a phone's camera. */
#ifndef HAIL_CMD_SERVE_LAN_H
#define HAIL_CMD_SERVE_LAN_H

#include "cmd.h"

#define LAN_ADDRESSES 16

struct lan {
    char v[LAN_ADDRESSES][INET6_ADDRSTRLEN]; /* private ones first, IPv4 before IPv6 */
    int n;
};

/* All but loopback and link-local addresses of the interfaces that are up; getifaddrs(3). */
void lan_addresses(struct lan *l);

/* A QR Code of the URL, in half blocks, if standard output is a terminal that can show it. */
void lan_qr(const struct common *c, const char *url);

#endif
