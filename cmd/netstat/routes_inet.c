/* routes_inet.c - IPv4's routes: /proc/net/route, and the cache that kernels before 3.6 had;
 * netstat.h.
 *
 *   Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask	MTU
 * Window	IRTT
 *   eth0	00000000	0101A8C0	0003	0	0	0	00000000	0
 * 0
 * 0
 */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <string.h>

#define LINE_BYTES 1023
#define SHOWN      15 /* letters of a name */

struct route {
    char device[16], to[128], gateway[128], mask[128]; /* of the cache: source in `mask` */
    unsigned flags;
    int references, use, metric, mss, window, irtt;
};

static const struct route_letter letters[] = {
    {ROUTE_HOST, "H"},     {ROUTE_REINSTATE, "R"},   {ROUTE_DYNAMIC, "D"},
    {ROUTE_MODIFIED, "M"}, {ROUTE_DEFAULT, "d"},     {ROUTE_ALL_ON_LINK, "a"},
    {ROUTE_ADDRCONF, "c"}, {ROUTE_NO_NEXT_HOP, "o"}, {ROUTE_EXPIRES, "e"},
    {ROUTE_CACHE, "c"},    {ROUTE_FLOW, "f"},        {ROUTE_POLICY, "p"},
    {ROUTE_LOCAL, "l"},    {ROUTE_MTU, "u"},         {ROUTE_WINDOW, "w"},
    {ROUTE_IRTT, "i"},     {ROUTE_NOT_CACHED, "n"},  {0},
};

/* Eight hexadecimal digits as the kernel writes them, its own byte order. */
static struct in_addr address_of(const char *hex)
{
    struct in_addr a = {0};
    sscanf(hex, "%8x", &a.s_addr);
    return a;
}

/* A route that rejects has "!" in place of what stands first. */
static const char *first_letters(unsigned flags, const char *up, const char *gateway)
{
    return flags & ROUTE_REJECT ? "!" : flags & ROUTE_GATEWAY ? gateway : up;
}

static const char *const titles[] = {
    [ROUTE_COLUMNS_METRIC] = "Flags Metric Ref    Use Iface",
    [ROUTE_COLUMNS_MSS] = "Flags   MSS Window  irtt Iface",
    [ROUTE_COLUMNS_ALL] = "Flags Metric Ref    Use Iface    MSS   Window irtt",
};

/* What stands behind the addresses; `last` is the width of the last of all the columns. */
static void put_columns(const struct netstat *n, const struct route *r, enum route_columns columns,
                        int last)
{
    char device[7];
    const char *name = netstat_interface_name(n, r->device);
    switch (columns) {
    case ROUTE_COLUMNS_METRIC:
        printf("%-6d %-2d %7d %s", r->metric, r->references, r->use, name);
        break;
    case ROUTE_COLUMNS_MSS:
        printf("%5d %-5d %6d %s", r->mss, r->window, r->irtt, name);
        break;
    case ROUTE_COLUMNS_ALL:
        snprintf(device, sizeof device, "%.6s", r->device);
        printf("%-6d %-3d %6d %-6s   %-5d %-6d %-*d", r->metric, r->references, r->use,
               netstat_interface_name(n, device), r->mss, r->window, last, r->irtt);
        break;
    case ROUTE_COLUMNS_NONE:
        break;
    }
}

/* A route that rejects leads nowhere. */
static void put_rejecting(const struct route *r, enum route_columns columns)
{
    if (columns == ROUTE_COLUMNS_MSS)
        fputs("    - -          - -", stdout);
    else
        printf("%-6d -  %7d -", r->metric, r->use);
    if (columns == ROUTE_COLUMNS_ALL)
        fputs("        -     -      -", stdout);
}

static void put(struct netstat *n, const struct route *r, enum route_columns columns)
{
    char flags[ROUTE_FLAGS_MAX], mask_text[INET_ADDRSTRLEN];
    struct in_addr to = address_of(r->to), gateway = address_of(r->gateway);
    struct in_addr mask = address_of(r->mask), all = {INADDR_BROADCAST};
    bool rejects = r->flags & ROUTE_REJECT;
    if (columns == ROUTE_COLUMNS_NONE)
        return;
    netstat_route_letters(first_letters(r->flags, "U", "UG"), letters, r->flags, flags);
    inet_ntop(AF_INET, &mask, mask_text, sizeof mask_text);
    printf("%-15.*s ", SHOWN, netstat_destination(n, to, mask, r->flags & ROUTE_HOST));
    printf("%-15.*s ", SHOWN, rejects ? "-" : netstat_destination(n, gateway, all, true));
    printf("%-15s %-5s ", mask_text, flags);
    if (rejects)
        put_rejecting(r, columns);
    else
        put_columns(n, r, columns, 0);
    putchar('\n');
}

int netstat_routes_inet(struct netstat *n, enum route_columns columns)
{
    char line[LINE_BYTES];
    struct route r = {0};
    FILE *f = fopen("/proc/net/route", "re");
    if (!f) {
        perror("/proc/net/route");
        puts("INET (IPv4) not configured in this system.");
        return NETSTAT_FAILED;
    }
    puts("Kernel IP routing table");
    if (columns)
        printf("Destination     Gateway         Genmask         %s\n", titles[columns]);
    bool any = fgets(line, sizeof line, f) != NULL;
    while (fgets(line, sizeof line, f)) {
        int got =
            sscanf(line, "%15s %127s %127s %X %d %d %d %127s %d %d %d", r.device, r.to, r.gateway,
                   &r.flags, &r.references, &r.use, &r.metric, r.mask, &r.mss, &r.window, &r.irtt);
        if (got >= 10 && (r.flags & ROUTE_UP))
            put(n, &r, columns);
    }
    fclose(f);
    return any ? STATUS_DONE : NETSTAT_FAILED; /* a table without routes has no titles either */
}

/* --- the cache --- */

static const struct route_letter cache_letters[] = {
    {ROUTE_REINSTATE, "R"},
    {ROUTE_DYNAMIC, "D"},
    {ROUTE_MODIFIED, "M"},
    {0x1, "-"},
    {0x4, "o"},
    {0x10000, "n"},
    {0x20000, "d"},
    {0x80000, "t"},
    {0x200000, "f"},
    {0x400000, "q"},
    {0x800000, "Ns"},
    {0x1000000, "r"},
    {0x4000000, "i"},
    {0x8000000, "Nd"},
    {0x10000000, "b"},
    {0x20000000, "m"},
    {0x40000000, "#"},
    {0x80000000, "l"},
    {0},
};

/* net-tools asks for a host here; 0.0.0.0 is none. */
static void put_host(struct netstat *n, const char *hex)
{
    struct in_addr all = {INADDR_BROADCAST};
    printf("%-15s ", netstat_destination(n, address_of(hex), all, true));
}

static void put_cached(struct netstat *n, char *line, enum route_columns columns)
{
    struct route r;
    char flags[ROUTE_FLAGS_MAX], source[128] = "";
    int tos = 0, hh = 0, up_to_date = 0;
    int got = sscanf(line, "%15s %127s %127s %X %d %d %d %127s %d %d %d %d %d %d %127s", r.device,
                     r.to, r.gateway, &r.flags, &r.references, &r.use, &r.metric, r.mask, &r.mss,
                     &r.window, &r.irtt, &tos, &hh, &up_to_date, source);
    if (got < 12 || columns == ROUTE_COLUMNS_NONE)
        return;
    netstat_route_letters(first_letters(r.flags, "", "G"), cache_letters, r.flags, flags);
    put_host(n, r.mask);
    put_host(n, r.to);
    put_host(n, r.gateway);
    printf("%-5s ", flags);
    put_columns(n, &r, columns, 5);
    if (columns == ROUTE_COLUMNS_ALL)
        printf(
            " %-3d %-3d   %-3d %15s", tos, hh, up_to_date,
            netstat_destination(n, address_of(source), (struct in_addr){INADDR_BROADCAST}, true));
    putchar('\n');
}

int netstat_routes_inet_cache(struct netstat *n, enum route_columns columns)
{
    char line[LINE_BYTES] = "";
    FILE *f = fopen("/proc/net/rt_cache", "re");
    if (!f) {
        perror("/proc/net/rt_cache");
        puts("INET (IPv4) not configured in this system.");
        return NETSTAT_FAILED;
    }
    puts("Kernel IP routing cache");
    if (!fgets(line, sizeof line, f)) {
        perror("/proc/net/rt_cache");
        fclose(f);
        return NETSTAT_BROKEN;
    }
    if (columns)
        printf("Source          Destination     Gateway         %s%s\n", titles[columns],
               columns == ROUTE_COLUMNS_ALL ? "  TOS HHRef HHUptod     SpecDst" : "");
    while (fgets(line, sizeof line, f))
        put_cached(n, line, columns);
    fclose(f);
    return STATUS_DONE;
}
