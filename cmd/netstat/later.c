/* later.c - views that are declared and not written yet: each says so and fails. */
#include "netstat/netstat.h"

static int later(const char *view)
{
    fprintf(stderr, "hail: netstat: %s is not written yet\n", view);
    return STATUS_LOCAL;
}

#define LATER(name)                                                                                \
    int netstat_##name(struct netstat *n)                                                          \
    {                                                                                              \
        (void)n;                                                                                   \
        return later(#name);                                                                       \
    }

LATER(routes)
LATER(interfaces)
LATER(groups)
LATER(statistics)
LATER(masquerade)
LATER(legacy_old)
LATER(legacy_sctp)
