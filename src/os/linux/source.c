/* source.c - flags of this host's addresses, for RFC 6724; see source.h. */
#include "os/linux/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line of if_inet6: address (32 digits), index, prefix length, scope, flags, interface. */
#define LINE_FORMAT "%32[0-9a-f] %*x %*x %*x %x %15s"

static bool interface_encapsulates(const char *name)
{
    char path[64], text[16];
    snprintf(path, sizeof path, "/sys/class/net/%s/type", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    long type = strtol(text, NULL, 10);
    return type == ARPHRD_SIT || type == ARPHRD_TUNNEL || type == ARPHRD_TUNNEL6 ||
           type == ARPHRD_IPGRE || type == ARPHRD_IP6GRE;
}

unsigned hail_os_own_flags(const struct hail_addr *from)
{
    if (from->len == 0 || from->u.sa.sa_family != AF_INET6 ||
        IN6_IS_ADDR_LOOPBACK(&from->u.in6.sin6_addr))
        return 0;
    char wanted[33], line[128], addr[33], name[16];
    for (int i = 0; i < 16; i++)
        snprintf(wanted + (ptrdiff_t)2 * i, 3, "%02x", from->u.in6.sin6_addr.s6_addr[i]);
    FILE *f = fopen("/proc/net/if_inet6", "re");
    if (!f)
        return 0;
    unsigned bits = 0, flags;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, LINE_FORMAT, addr, &flags, name) != 3 || strcmp(addr, wanted) != 0)
            continue;
        bits |= flags & IFA_F_DEPRECATED ? HAIL_OWN_DEPRECATED : 0;
        bits |= flags & IFA_F_HOMEADDRESS ? HAIL_OWN_HOME : 0;
        bits |= interface_encapsulates(name) ? HAIL_OWN_TUNNEL : 0;
        break;
    }
    fclose(f);
    return bits;
}
