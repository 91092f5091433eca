/* names.c - hosts, networks, ports, protocols and users as net-tools names them; netstat.h.
 *
 * Hosts through hail's resolver (the hosts file, then DNS); the rest from the files of /etc that
 * net-tools reads through libc. libc's own calls would load what nsswitch.conf(5) lists into a
 * static program, which only works beside the very libc it was built with.
 */
#include "netstat/netstat.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "local_names.h"

#define HOSTS_MAX  8192 /* remembered; behind them each is asked for anew */
#define USERS_MAX  256  /* likewise, by the lower bits */
#define NAME_BYTES 128  /* with the NUL: net-tools cuts there */

/* --- files of /etc --- */

/* A line of protocols(5) or networks(5): the first two words, without the comment. */
static bool two_words(char *line, const char **first, const char **second)
{
    char *save;
    line[strcspn(line, "#\n")] = '\0';
    *first = strtok_r(line, " \t", &save);
    *second = *first ? strtok_r(NULL, " \t", &save) : NULL;
    return *second != NULL;
}

static bool protocol(unsigned number, char out[NAME_BYTES])
{
    char line[512];
    const char *name, *value;
    bool found = false;
    FILE *f = fopen("/etc/protocols", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (two_words(line, &name, &value) && strtoul(value, NULL, 10) == number) {
            snprintf(out, NAME_BYTES, "%s", name);
            found = true;
        }
    }
    if (f)
        fclose(f);
    return found;
}

bool netstat_network(uint32_t network, char *out, size_t size)
{
    char line[512];
    const char *name, *value;
    bool found = false;
    FILE *f = fopen("/etc/networks", "re");
    while (f && !found && fgets(line, sizeof line, f)) {
        unsigned b[4] = {0};
        if (!two_words(line, &name, &value) ||
            sscanf(value, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) < 1)
            continue;
        found = (b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]) == network;
        if (found)
            snprintf(out, size, "%s", name);
    }
    if (f)
        fclose(f);
    return found;
}

/* --- hosts --- */

/* The same number may name a host and a network. */
struct known {
    struct hail_addr addr;
    bool network;
    char name[NAME_BYTES];
};

/* The number where there is no name. */
static void look_up(struct netstat *n, const struct hail_addr *addr, bool network,
                    char out[NAME_BYTES])
{
    struct hail_addr plain = *addr;
    out[0] = '\0';
    hail_addr_set_port(&plain, 0);
    bool v4 = addr->u.sa.sa_family == AF_INET;
    if (network)
        netstat_network(ntohl(addr->u.in4.sin_addr.s_addr), out, NAME_BYTES);
    else
        local_host(&n->c->ctx, &plain, out, NAME_BYTES);
    if (!*out)
        inet_ntop(addr->u.sa.sa_family,
                  v4 ? (const void *)&addr->u.in4.sin_addr : (const void *)&addr->u.in6.sin6_addr,
                  out, NAME_BYTES);
}

static bool same_host(const struct hail_addr *a, const struct hail_addr *b)
{
    if (a->len != b->len)
        return false;
    return a->u.sa.sa_family == AF_INET ? a->u.in4.sin_addr.s_addr == b->u.in4.sin_addr.s_addr
                                        : memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, 16) == 0;
}

static size_t hash_of(const struct hail_addr *a)
{
    bool v4 = a->u.sa.sa_family == AF_INET;
    const unsigned char *p =
        v4 ? (const void *)&a->u.in4.sin_addr : (const void *)&a->u.in6.sin6_addr;
    uint32_t h = 2166136261;
    for (size_t i = 0; i < (v4 ? 4 : 16); i++)
        h = (h ^ p[i]) * 16777619;
    return h & (2 * HOSTS_MAX - 1);
}

/* The name of an address, remembered. */
static const char *known_name(struct netstat *n, const struct hail_addr *addr, bool network)
{
    static struct known *table[2 * HOSTS_MAX], extra;
    static size_t count;
    size_t i = hash_of(addr);
    while (table[i] && (table[i]->network != network || !same_host(&table[i]->addr, addr)))
        i = (i + 1) & (2 * HOSTS_MAX - 1);
    if (table[i])
        return table[i]->name;
    struct known *k = count < HOSTS_MAX ? malloc(sizeof *k) : NULL;
    if (k) {
        table[i] = k;
        count++;
    } else {
        k = &extra;
    }
    k->addr = *addr;
    k->network = network;
    look_up(n, addr, network, k->name);
    return k->name;
}

/* Of a mapped address whose name is its number net-tools shows the IPv4 part. */
static const char *without_mapping(const struct hail_addr *addr, const char *name)
{
    if (addr->u.sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->u.in6.sin6_addr))
        return name;
    const char *dot = strchr(name, '.');
    while (dot && dot > name && *dot != ':')
        dot--;
    return dot && *dot == ':' ? dot + 1 : name;
}

const char *netstat_host(struct netstat *n, const struct hail_addr *addr)
{
    static char text[4][INET6_ADDRSTRLEN];
    static unsigned turn;
    bool v4 = addr->u.sa.sa_family == AF_INET;
    if (n->numeric_hosts) {
        char *out = text[turn++ % 4];
        inet_ntop(addr->u.sa.sa_family,
                  v4 ? (const void *)&addr->u.in4.sin_addr : (const void *)&addr->u.in6.sin6_addr,
                  out, sizeof text[0]);
        return without_mapping(addr, out);
    }
    if (v4 && addr->u.in4.sin_addr.s_addr == INADDR_ANY)
        return "0.0.0.0";
    if (!v4 && IN6_IS_ADDR_UNSPECIFIED(&addr->u.in6.sin6_addr))
        return "[::]";
    /* net-tools lays a network's mask over an IPv4 address in the wrong byte order: only 0.x.x.x
     * has no host part on a little-endian machine, x.x.x.0 on others */
    bool network = v4 && !(addr->u.in4.sin_addr.s_addr & 0xff);
    return without_mapping(addr, known_name(n, addr, network));
}

const char *netstat_destination(struct netstat *n, struct in_addr to, struct in_addr mask,
                                bool host)
{
    static char number[INET_ADDRSTRLEN];
    struct hail_addr addr = {.len = sizeof addr.u.in4, .u.in4 = {AF_INET, 0, to, {0}}};
    if (!n->numeric_hosts && to.s_addr == INADDR_ANY)
        return mask.s_addr == INADDR_ANY ? "default" : "0.0.0.0";
    if (n->numeric_hosts)
        return inet_ntop(AF_INET, &to, number, sizeof number);
    return known_name(n, &addr, !host && !(to.s_addr & ~mask.s_addr));
}

/* --- ports and users --- */

const char *netstat_port(struct netstat *n, uint16_t port, const char *proto)
{
    static char text[4][NAME_BYTES];
    static unsigned turn;
    char *out = text[turn++ % 4];
    const char *name = NULL;
    if (port == 0)
        return "*";
    if (!n->numeric_ports && strcmp(proto, "raw") == 0 && protocol(port, out))
        return out;
    if (!n->numeric_ports && strcmp(proto, "tcp") == 0)
        name = local_service(port, HAIL_SERVICE_TCP);
    if (!n->numeric_ports && strcmp(proto, "udp") == 0)
        name = local_service(port, HAIL_SERVICE_UDP);
    if (name)
        snprintf(out, sizeof text[0], "%.63s", name);
    else
        snprintf(out, sizeof text[0], "%u", port);
    return out;
}

struct user {
    bool known;
    uint32_t uid;
    char name[64];
};

static void find_user(uint32_t uid, struct user *u)
{
    struct passwd *pw;
    FILE *f = fopen("/etc/passwd", "re");
    u->known = true;
    u->uid = uid;
    snprintf(u->name, sizeof u->name, "%d", (int)uid);
    while (f && (pw = fgetpwent(f)) != NULL) {
        if (pw->pw_uid == uid) {
            snprintf(u->name, sizeof u->name, "%s", pw->pw_name);
            break;
        }
    }
    if (f)
        fclose(f);
}

const char *netstat_user(struct netstat *n, uint32_t uid)
{
    static struct user users[USERS_MAX];
    static char number[16];
    struct user *u = &users[uid % USERS_MAX];
    if (n->numeric_users) {
        snprintf(number, sizeof number, "%d", (int)uid);
        return number;
    }
    if (!u->known || u->uid != uid)
        find_user(uid, u);
    return u->name;
}
