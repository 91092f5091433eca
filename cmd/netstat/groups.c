/* groups.c - net-tools' -g: the multicast groups that each interface has joined; netstat.h.
 *
 *   1	lo        :     1      V3                        /proc/net/igmp: an interface, its groups
 *                   010000E0     1 0:00000000		0
 *   1    lo              ff020000000000000000000000000001     1 0000000C 0     /proc/net/igmp6
 */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define DEVICE_MAX 16

static void put(struct netstat *n, const char *device, int references, const struct hail_addr *a)
{
    printf("%-15s %-6d %s\n", netstat_interface_name(n, device), references, netstat_host(n, a));
}

static void bogus(const char *file, int line)
{
    fprintf(stderr, "warning, got bogus %s line %d.\n", file, line);
}

/* The line of an interface, without Idx on kernels that had none. */
static bool take_device(const char *line, bool numbered, char device[DEVICE_MAX])
{
    int index,
        n = numbered ? sscanf(line, "%d\t%15c", &index, device) - 1 : sscanf(line, "%15c", device);
    char *colon = n < 1 ? NULL : strrchr(device, ':');
    if (colon)
        *colon = '\0';
    return n >= 1;
}

static void groups4(struct netstat *n, FILE *f)
{
    char line[8192], device[DEVICE_MAX] = "", group[9];
    bool numbered = false;
    for (int number = 0; fgets(line, sizeof line, f); number++) {
        struct hail_addr a = {.len = sizeof a.u.in4, .u.in4.sin_family = AF_INET};
        int references;
        if (number == 0 && strstr(line, "Device")) {
            numbered = strncmp(line, "Idx", 3) == 0;
            continue;
        }
        bool good = line[0] != '\t' ? take_device(line, numbered, device)
                                    : sscanf(line, "\t%8[0-9A-Fa-f] %d", group, &references) == 2;
        if (!good)
            bogus("igmp", number);
        else if (line[0] == '\t' && sscanf(group, "%X", &a.u.in4.sin_addr.s_addr) == 1)
            put(n, device, references, &a);
    }
}

static void groups6(struct netstat *n, FILE *f)
{
    char line[8192], device[DEVICE_MAX], group[65];
    for (int number = 0; fgets(line, sizeof line, f); number++) {
        struct hail_addr a = {.len = sizeof a.u.in6, .u.in6.sin6_family = AF_INET6};
        uint32_t *part = a.u.in6.sin6_addr.s6_addr32;
        int index, references;
        if (sscanf(line, "%d %15s %64[0-9A-Fa-f] %d", &index, device, group, &references) < 4) {
            bogus("igmp6", number);
            continue;
        }
        sscanf(group, "%08X%08X%08X%08X", &part[0], &part[1], &part[2], &part[3]);
        for (int i = 0; i < 4; i++)
            part[i] = htonl(part[i]);
        put(n, device, references, &a);
    }
}

/* Without IPv4's table net-tools has no support; IPv6's is simply not there. */
static int missing(const struct netstat *n)
{
    if (errno != ENOENT && errno != EACCES) {
        perror("/proc/net/igmp");
        return -1;
    }
    if (!n->all_protocols)
        netstat_unsupported("AF INET (igmp)");
    return n->all_protocols ? STATUS_DONE : NETSTAT_FAILED;
}

int netstat_groups(struct netstat *n)
{
    int status = STATUS_DONE;
    puts("IPv6/IPv4 Group Memberships\n"
         "Interface       RefCnt Group\n"
         "--------------- ------ ---------------------");
    FILE *f = n->inet ? fopen("/proc/net/igmp", "re") : NULL;
    if (f) {
        groups4(n, f);
        fclose(f);
    } else if (n->inet) {
        status = missing(n);
    }
    f = n->inet6 && status >= 0 ? fopen("/proc/net/igmp6", "re") : NULL;
    if (f) {
        groups6(n, f);
        fclose(f);
    }
    return status < 0 ? NETSTAT_BROKEN : status;
}
