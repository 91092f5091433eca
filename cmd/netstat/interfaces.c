/* interfaces.c - net-tools' -i: the list of interfaces and their counters; netstat.h.
 *
 * The names and counters are those of /proc/net/dev; names that only addresses have ("eth0:1") come
 * from SIOCGIFCONF, all the rest from the ioctls of netdevice(7).
 */
#include "netstat/tables.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_arp.h>
#include <linux/if_slip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INTERFACES_MAX (1 << 20)
#define LINE_BYTES     512

struct interfaces {
    struct interface *v; /* owned; sorted */
    size_t n, room;
    int fd; /* a socket to ask by */
};

/* --- net-tools' order: eth2 before eth10, aliases behind their interface --- */

/* A name in its parts: "eth", 10 and what follows a colon. */
struct parts {
    char base[IFNAMSIZ];
    const char *alias; /* digits, or NULL */
    size_t letters;    /* of `base` up to its number */
};

static void cut_digits(const char *s, size_t *n)
{
    while (*n && isdigit((unsigned char)s[*n - 1]))
        --*n;
}

static void take_apart(const char *name, struct parts *p)
{
    size_t n = strlen(name), end = n;
    snprintf(p->base, sizeof p->base, "%s", name);
    cut_digits(name, &n);
    p->alias = n && n < end && name[n - 1] == ':' ? name + n : NULL;
    if (p->alias)
        p->base[n - 1] = '\0';
    p->letters = strlen(p->base);
    cut_digits(p->base, &p->letters);
}

/* atoi(3), as far as it is defined and beyond. */
static int number_of(const char *digits)
{
    return (int)strtol(digits, NULL, 10);
}

static int compare_numbers(int a, int b)
{
    return (a > b) - (a < b);
}

static int compare(const char *a, const char *b)
{
    struct parts x, y;
    take_apart(a, &x);
    take_apart(b, &y);
    int order = strncmp(x.base, y.base, x.letters < y.letters ? x.letters : y.letters);
    if (!order)
        order = (x.letters > y.letters) - (x.letters < y.letters);
    if (!order)
        order = compare_numbers(number_of(x.base + x.letters), number_of(y.base + y.letters));
    if (!order)
        order = strcmp(x.base, y.base);
    if (!order)
        order =
            compare_numbers(x.alias ? number_of(x.alias) : -1, y.alias ? number_of(y.alias) : -1);
    if (!order && x.alias && y.alias)
        order = strcmp(x.alias, y.alias);
    return order;
}

/* The interface of that name, put in where it belongs if it is new; NULL: no memory. */
static struct interface *find(struct interfaces *list, const char *name)
{
    size_t at = list->n;
    for (; at; at--) {
        int order = compare(list->v[at - 1].name, name);
        if (order == 0)
            return &list->v[at - 1];
        if (order < 0)
            break;
    }
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        struct interface *v = room <= INTERFACES_MAX ? realloc(list->v, room * sizeof *v) : NULL;
        if (!v)
            return NULL;
        list->v = v;
        list->room = room;
    }
    memmove(&list->v[at + 1], &list->v[at], (list->n - at) * sizeof *list->v);
    list->n++;
    list->v[at] = (struct interface){0};
    snprintf(list->v[at].name, sizeof list->v[at].name, "%s", name);
    return &list->v[at];
}

/* --- reading --- */

/* "  eth0: 12 ..." or "eth0:1: 12 ...": the name, and what stands behind its colon. */
static const char *take_name(const char *line, char name[IFNAMSIZ])
{
    const char *from = line + strspn(line, " \t\n");
    size_t n = strcspn(from, ": \t\n");
    if (from[n] == ':') {
        size_t digits = strspn(from + n + 1, "0123456789");
        if (from[n + 1 + digits] == ':')
            n += 1 + digits;
    }
    size_t kept = n < IFNAMSIZ - 1 ? n : IFNAMSIZ - 1;
    memcpy(name, from, kept);
    name[kept] = '\0';
    return from + n + (from[n] == ':');
}

/* Numbers up to the first word that is none; older kernels have fewer of them. */
static void take_counters(const char *text, const char *titles, struct interface *i)
{
    static const unsigned char all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const unsigned char bytes[] = {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14};
    static const unsigned char packets[] = {1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14};
    const unsigned char *order = all;
    size_t n = sizeof all;
    if (!strstr(titles, "compressed")) {
        bool has_bytes = strstr(titles, "bytes") != NULL;
        order = has_bytes ? bytes : packets;
        n = has_bytes ? sizeof bytes : sizeof packets;
    }
    for (size_t k = 0; k < n; k++) {
        char *end;
        uint64_t value = strtoull(text, &end, 10);
        if (end == text)
            break;
        i->counters[order[k]] = value;
        text = end;
    }
    i->counted = true;
}

static bool read_proc(struct interfaces *list)
{
    char titles[LINE_BYTES] = "", line[LINE_BYTES], name[IFNAMSIZ];
    FILE *f = fopen("/proc/net/dev", "re");
    if (!f) {
        fprintf(stderr, "Warning: cannot open /proc/net/dev (%s). Limited output.\n",
                strerror(errno));
        return false;
    }
    for (int k = 0; k < 2; k++)
        if (!fgets(titles, sizeof titles, f))
            titles[0] = '\0';
    while (fgets(line, sizeof line, f)) {
        const char *rest = take_name(line, name);
        struct interface *i = find(list, name);
        if (i)
            take_counters(rest, titles, i);
    }
    bool failed = ferror(f) != 0;
    if (failed)
        perror("/proc/net/dev");
    fclose(f);
    return !failed;
}

/* The names that IPv4 addresses have. */
static bool read_addresses(struct interfaces *list)
{
    struct ifconf c = {0};
    struct ifreq *v = NULL;
    int count = 30;
    do {
        count *= c.ifc_len ? 2 : 1;
        struct ifreq *more = realloc(v, (size_t)count * sizeof *v);
        if (!more)
            break;
        v = more;
        c.ifc_len = (int)((size_t)count * sizeof *v);
        c.ifc_req = v;
        if (ioctl(list->fd, SIOCGIFCONF, &c) < 0) {
            perror("SIOCGIFCONF");
            free(v);
            return false;
        }
    } while (c.ifc_len == (int)((size_t)count * sizeof *v));
    for (size_t k = 0; v && k < (size_t)c.ifc_len / sizeof *v; k++) {
        v[k].ifr_name[IFNAMSIZ - 1] = '\0';
        find(list, v[k].ifr_name);
    }
    free(v);
    return true;
}

static bool ask(const struct interfaces *list, unsigned long what, const char *name,
                struct ifreq *r)
{
    *r = (struct ifreq){.ifr_addr.sa_family = AF_INET};
    snprintf(r->ifr_name, sizeof r->ifr_name, "%s", name);
    return ioctl(list->fd, what, r) == 0;
}

static void ask_address(const struct interfaces *list, unsigned long what, const char *name,
                        struct sockaddr_in *out)
{
    struct ifreq r;
    if (ask(list, what, name, &r))
        memcpy(out, &r.ifr_addr, sizeof *out);
}

static void ask_serial_line(const struct interfaces *list, struct interface *i)
{
    struct ifreq r;
    bool serial = i->type == ARPHRD_SLIP || i->type == ARPHRD_CSLIP || i->type == ARPHRD_SLIP6 ||
                  i->type == ARPHRD_CSLIP6 || i->type == ARPHRD_ADAPT;
    if (serial && ask(list, SIOCGOUTFILL, i->name, &r))
        i->outfill = r.ifr_ifru.ifru_ivalue;
    if (serial && ask(list, SIOCGKEEPALIVE, i->name, &r))
        i->keepalive = r.ifr_ifru.ifru_ivalue;
}

/* False, with errno: there is no such interface any more. */
static bool fetch(const struct interfaces *list, struct interface *i)
{
    struct ifreq r;
    if (!ask(list, SIOCGIFFLAGS, i->name, &r))
        return false;
    i->flags = r.ifr_flags;
    if (ask(list, SIOCGIFHWADDR, i->name, &r))
        memcpy(i->hardware, r.ifr_hwaddr.sa_data, 8);
    i->type = (int16_t)r.ifr_hwaddr.sa_family;
    i->mtu = ask(list, SIOCGIFMTU, i->name, &r) ? r.ifr_mtu : 0;
    i->queue = ask(list, SIOCGIFTXQLEN, i->name, &r) ? r.ifr_qlen : -1;
    if (ask(list, SIOCGIFMAP, i->name, &r))
        i->map = r.ifr_map;
    ask_serial_line(list, i);
    if (ask(list, SIOCGIFADDR, i->name, &r)) {
        i->has_address = true;
        memcpy(&i->address, &r.ifr_addr, sizeof i->address);
        ask_address(list, SIOCGIFDSTADDR, i->name, &i->destination);
        ask_address(list, SIOCGIFBRDADDR, i->name, &i->broadcast);
        ask_address(list, SIOCGIFNETMASK, i->name, &i->netmask);
    }
    return true;
}

/* --- showing --- */

const char *netstat_interface_name(const struct netstat *n, const char *name)
{
    static char safe[IFNAMSIZ * 10];
    if (!n->c->terminal)
        return name;
    hail_text_safe_into(safe, sizeof safe, name, strlen(name));
    return safe;
}

static void put_short(const struct netstat *n, const struct interface *i)
{
    static const struct {
        int flag;
        char letter;
    } letters[] = {{IFF_ALLMULTI, 'A'},    {IFF_BROADCAST, 'B'},  {IFF_DEBUG, 'D'},
                   {IFF_LOOPBACK, 'L'},    {IFF_MULTICAST, 'M'},  {IFF_DYNAMIC, 'd'},
                   {IFF_PROMISC, 'P'},     {IFF_NOTRAILERS, 'N'}, {IFF_NOARP, 'O'},
                   {IFF_POINTOPOINT, 'P'}, {IFF_SLAVE, 's'},      {IFF_MASTER, 'm'},
                   {IFF_RUNNING, 'R'},     {IFF_UP, 'U'}};
    const uint64_t *c = i->counters;
    printf("%-15s %5d ", netstat_interface_name(n, i->name), i->mtu);
    if (i->counted)
        printf("%8" PRIu64 " %6" PRIu64 " %6" PRIu64 " %-6" PRIu64 " %8" PRIu64 " %6" PRIu64
               " %6" PRIu64 " %6" PRIu64 " ",
               c[RX_PACKETS], c[RX_ERRORS], c[RX_DROPPED], c[RX_FIFO], c[TX_PACKETS], c[TX_ERRORS],
               c[TX_DROPPED], c[TX_FIFO]);
    else
        printf("%-56s", "     - no statistics available -");
    if (!i->flags)
        fputs("[NO FLAGS]", stdout);
    for (size_t k = 0; k < sizeof letters / sizeof *letters; k++)
        if (i->flags & letters[k].flag)
            putchar(letters[k].letter);
    putchar('\n');
}

/* 0, or the status to end with. */
static int put(const struct netstat *n, const struct interfaces *list, struct interface *i)
{
    if (!fetch(list, i)) {
        int failed = errno;
        fprintf(stderr, "%s: error fetching interface information: %s\n",
                netstat_interface_name(n, i->name),
                failed == ENODEV ? "Device not found" : strerror(failed));
        errno = failed;
        perror("missing interface information");
        return NETSTAT_FAILED;
    }
    if (!(i->flags & IFF_UP) && !n->all)
        return 0;
    if (n->extend)
        netstat_interface_long(n, i);
    else
        put_short(n, i);
    return 0;
}

int netstat_interfaces(struct netstat *n)
{
    static bool titled; /* once, also with -c */
    struct interfaces list = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (list.fd < 0) {
        perror("socket");
        return NETSTAT_FAILED;
    }
    if (!titled)
        puts("Kernel Interface table");
    titled = true;
    if (!n->extend)
        puts("Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR "
             "Flg");
    bool read = read_proc(&list);
    int status = 0;
    if (!read_addresses(&list) && !read) {
        perror("missing interface information");
        status = NETSTAT_FAILED;
    }
    for (size_t k = 0; k < list.n && status == 0; k++)
        status = put(n, &list, &list.v[k]);
    free(list.v);
    close(list.fd);
    return status;
}
