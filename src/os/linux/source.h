/* source.h - what Linux knows of this host's own addresses. */
#ifndef HAIL_OS_LINUX_SOURCE_H
#define HAIL_OS_LINUX_SOURCE_H

#include <hail/endpoint.h>

/* What is known of an address of this host, ip-address(8). */
enum hail_own_flags {
    HAIL_OWN_DEPRECATED = 1, /* RFC 4862 section 5.5.4 */
    HAIL_OWN_HOME = 2,       /* a mobile node's home address, RFC 6275 */
    HAIL_OWN_TUNNEL = 4,     /* on an interface that encapsulates */
};

/* The bits of `from`, from /proc/net/if_inet6 and the interface's type in /sys/class/net; 0 for
 * what is not listed there. */
unsigned hail_os_own_flags(const struct hail_addr *from);

#endif
