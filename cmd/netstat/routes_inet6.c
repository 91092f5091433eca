/* routes_inet6.c - IPv6's routes: /proc/net/ipv6_route; netstat.h.
 *
 *   to (32 digits) length, from, length, next hop, metric, references, use, flags, device
 */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <string.h>

static const struct route_letter letters[] = {
    {ROUTE_UP, "U"},
    {ROUTE_REJECT, "!"},
    {ROUTE_GATEWAY, "G"},
    {ROUTE_HOST, "H"},
    {ROUTE_DEFAULT, "D"},
    {ROUTE_ADDRCONF, "A"},
    {ROUTE_CACHE, "C"},
    {ROUTE_ALL_ON_LINK, "a"},
    {ROUTE_EXPIRES, "e"},
    {ROUTE_MODIFIED, "m"},
    {ROUTE_NO_NEXT_HOP, "n"},
    {ROUTE_FLOW, "f"},
    {0},
};

static const char *host(struct netstat *n, const char *digits)
{
    struct hail_addr a = {.len = sizeof a.u.in6, .u.in6.sin6_family = AF_INET6};
    uint32_t *part = a.u.in6.sin6_addr.s6_addr32;
    sscanf(digits, "%8x%8x%8x%8x", &part[0], &part[1], &part[2], &part[3]);
    for (int i = 0; i < 4; i++)
        part[i] = htonl(part[i]);
    return netstat_host(n, &a);
}

int netstat_routes_inet6(struct netstat *n, bool cache)
{
    char line[1023], to[33], hop[33], device[16], shown[160], flags[ROUTE_FLAGS_MAX];
    unsigned length, bits;
    int metric, references, use;
    FILE *f = fopen("/proc/net/ipv6_route", "re");
    if (!f) {
        perror("/proc/net/ipv6_route");
        puts("INET6 (IPv6) not configured in this system.");
        return NETSTAT_FAILED;
    }
    printf("Kernel IPv6 routing %s\n", cache ? "cache" : "table");
    puts("Destination                    Next Hop                   Flag Met Ref  Use If");
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%32s %2x %*32s %*2x %32s %8x %8x %8x %8x %15s", to, &length, hop,
                   (unsigned *)&metric, (unsigned *)&references, (unsigned *)&use, &bits,
                   device) != 8 ||
            cache != ((bits & ROUTE_CACHE) != 0))
            continue;
        snprintf(shown, sizeof shown, "%.123s/%u", host(n, to), length);
        netstat_route_letters("", letters, bits, flags);
        printf("%-30s %-26s %-4s %-3d %-1d %6d %s\n", shown, host(n, hop), flags, metric,
               references, use, netstat_interface_name(n, device));
    }
    fclose(f);
    return STATUS_DONE;
}
