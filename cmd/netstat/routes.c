/* routes.c - net-tools' -r: which families' routes are shown; netstat.h.
 *
 *   routes_inet.c routes_inet6.c   IPv4's and IPv6's tables
 *   routes_old.c                   those of families from before
 */
#include "netstat/tables.h"

#include <string.h>

void netstat_route_letters(const char *first, const struct route_letter *table, unsigned flags,
                           char out[ROUTE_FLAGS_MAX])
{
    size_t n = 0;
    for (; *first; first++)
        out[n++] = *first;
    for (; table->flag; table++)
        for (const char *p = table->letters; flags & table->flag && *p && n < ROUTE_FLAGS_MAX - 1;
             p++)
            out[n++] = *p;
    out[n] = '\0';
}

/* Without -F and -C it is -F; with both the table comes before the cache. */
static int inet(struct netstat *n)
{
    enum route_columns columns = (n->extend + 1) & 3;
    if (n->extend <= 1) /* -e shows what is shown without it elsewhere */
        columns = n->extend ? ROUTE_COLUMNS_METRIC : ROUTE_COLUMNS_MSS;
    int status = n->fib || !n->cache ? netstat_routes_inet(n, columns) : 0;
    return status || !n->cache ? status : netstat_routes_inet_cache(n, columns);
}

static int inet6(struct netstat *n)
{
    int status = n->fib || !n->cache ? netstat_routes_inet6(n, false) : 0;
    return status || !n->cache ? status : netstat_routes_inet6(n, true);
}

/* The families of net-tools; NULL: has no routes. */
static const struct {
    const char *name;
    int (*show)(struct netstat *n);
} families[] = {
    {"unix", NULL},
    {"inet", inet},
    {"inet6", inet6},
    {"ax25", netstat_routes_ax25},
    {"netrom", netstat_routes_netrom},
    {"rose", netstat_routes_rose},
    {"ipx", netstat_routes_ipx},
    {"ddp", netstat_routes_ddp},
    {"ec", NULL},
    {"ash", NULL},
    {"x25", netstat_routes_x25},
};

static int show(struct netstat *n, const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (strlen(families[i].name) != len || memcmp(families[i].name, name, len) != 0)
            continue;
        if (families[i].show)
            return families[i].show(n);
        fprintf(stderr, "No routing for address family `%.*s'.\n", (int)len, name);
        return NETSTAT_USAGE;
    }
    fprintf(stderr, "Address family `%.*s' not supported.\n", (int)len, name);
    return NETSTAT_USAGE;
}

int netstat_routes(struct netstat *n)
{
    const char *name = *n->family_words ? n->family_words : "inet";
    n->numeric_hosts |= n->symbolic; /* so -N means -n here */
    for (int status;; name++) {
        size_t len = strcspn(name, ",");
        if ((status = show(n, name, len)) != 0)
            return status;
        name += len;
        if (!*name)
            return STATUS_DONE;
    }
}
