/* interfaces_long.c - net-tools' -ie: each interface with its addresses and hardware, as
 * ifconfig(8) shows it; netstat.h. */
#include "netstat/tables.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if_arp.h>
#include <string.h>

/* --- flags and addresses --- */

static void put_flags(const struct interface *i)
{
    static const struct {
        int flag;
        const char *name;
    } names[] = {{IFF_UP, "UP"},
                 {IFF_BROADCAST, "BROADCAST"},
                 {IFF_DEBUG, "DEBUG"},
                 {IFF_LOOPBACK, "LOOPBACK"},
                 {IFF_POINTOPOINT, "POINTOPOINT"},
                 {IFF_NOTRAILERS, "NOTRAILERS"},
                 {IFF_RUNNING, "RUNNING"},
                 {IFF_NOARP, "NOARP"},
                 {IFF_PROMISC, "PROMISC"},
                 {IFF_ALLMULTI, "ALLMULTI"},
                 {IFF_SLAVE, "SLAVE"},
                 {IFF_MASTER, "MASTER"},
                 {IFF_MULTICAST, "MULTICAST"},
                 {IFF_DYNAMIC, "DYNAMIC"}};
    char between = '<';
    printf("flags=%d", i->flags);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (i->flags & names[k].flag) {
            printf("%c%s", between, names[k].name);
            between = ',';
        }
    }
    /* without any flag net-tools loses the bracket again, with flags that have no name both */
    fputs(between == ',' ? ">" : i->flags ? "" : "<", stdout);
}

static const char *ipv4(const struct sockaddr_in *a)
{
    static char text[INET_ADDRSTRLEN];
    if (a->sin_family != AF_INET)
        return "[NONE SET]";
    return inet_ntop(AF_INET, &a->sin_addr, text, sizeof text);
}

static void put_ipv4(const struct interface *i)
{
    printf("        inet %s", ipv4(&i->address));
    printf("  netmask %s", ipv4(&i->netmask));
    if (i->flags & IFF_BROADCAST)
        printf("  broadcast %s", ipv4(&i->broadcast));
    if (i->flags & IFF_POINTOPOINT)
        printf("  destination %s", ipv4(&i->destination));
    putchar('\n');
}

/* The scopes of an IPv6 address, as the kernel numbers them. */
enum { SCOPE_HOST = 0x10, SCOPE_LINK = 0x20, SCOPE_SITE = 0x40, SCOPE_COMPATIBLE = 0x80 };

static void put_scopes(unsigned scope)
{
    char between = '<';
    const struct {
        bool set;
        const char *name;
    } names[] = {{scope & SCOPE_COMPATIBLE, "compat"},
                 {(scope & ~(unsigned)SCOPE_COMPATIBLE) == 0, "global"},
                 {scope & SCOPE_LINK, "link"},
                 {scope & SCOPE_SITE, "site"},
                 {scope & SCOPE_HOST, "host"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        if (names[k].set) {
            printf("%c%s", between, names[k].name);
            between = ',';
        }
    }
    puts(between == ',' ? ">" : "");
}

static void put_ipv6(const char *name)
{
    char line[256], digits[33], device[21], text[INET6_ADDRSTRLEN];
    unsigned length, scope;
    FILE *f = fopen("/proc/net/if_inet6", "re");
    while (f && fgets(line, sizeof line, f)) {
        struct in6_addr a;
        uint32_t *part = a.s6_addr32;
        if (sscanf(line, "%32s %*x %x %x %*x %20s", digits, &length, &scope, device) != 4 ||
            strcmp(device, name) != 0 ||
            sscanf(digits, "%8x%8x%8x%8x", &part[0], &part[1], &part[2], &part[3]) != 4)
            continue;
        for (int k = 0; k < 4; k++)
            part[k] = htonl(part[k]);
        const char *shown = inet_ntop(AF_INET6, &a, text, sizeof text);
        if (IN6_IS_ADDR_V4MAPPED(&a))
            shown = strrchr(text, ':') + 1;
        printf("        inet6 %s  prefixlen %u  scopeid 0x%x", shown, length, scope);
        put_scopes(scope);
    }
    if (f)
        fclose(f);
}

/* --- hardware --- */

/* How a hardware address is written. */
enum writing {
    NO_ADDRESS,
    EMPTY,
    COLONS,
    COLONS_CAPITALS,
    DASHES_CAPITALS,
    PLAIN,
    BACKWARDS,
    CALL_SIGN,
    NUMBER,
    LETTERS,
};

struct hardware {
    int type; /* ARPHRD_ */
    const char *name, *title;
    enum writing writing;
    int length; /* of the address in bytes */
};

static const struct hardware types[] = {
    {ARPHRD_LOOPBACK, "loop", "Local Loopback", NO_ADDRESS, 0},
    {ARPHRD_SLIP, "slip", "Serial Line IP", NO_ADDRESS, 0},
    {ARPHRD_CSLIP, "cslip", "VJ Serial Line IP", NO_ADDRESS, 0},
    {ARPHRD_SLIP6, "slip6", "6-bit Serial Line IP", NO_ADDRESS, 0},
    {ARPHRD_CSLIP6, "cslip6", "VJ 6-bit Serial Line IP", NO_ADDRESS, 0},
    {ARPHRD_ADAPT, "adaptive", "Adaptive Serial Line IP", NO_ADDRESS, 0},
    {ARPHRD_ETHER, "ether", "Ethernet", COLONS, 6},
    {ARPHRD_AX25, "ax25", "AMPR AX.25", CALL_SIGN, 7},
    {ARPHRD_NETROM, "netrom", "AMPR NET/ROM", CALL_SIGN, 7},
    {ARPHRD_ROSE, "rose", "AMPR ROSE", PLAIN, 5},
    {ARPHRD_TUNNEL, "tunnel", "IPIP Tunnel", EMPTY, 0},
    {ARPHRD_PPP, "ppp", "Point-to-Point Protocol", NO_ADDRESS, 0},
    {ARPHRD_HDLC, "hdlc", "(Cisco)-HDLC", NO_ADDRESS, 0},
    {ARPHRD_LAPB, "lapb", "LAPB", NO_ADDRESS, 0},
    {ARPHRD_ARCNET, "arcnet", "ARCnet", COLONS_CAPITALS, 1},
    {ARPHRD_DLCI, "dlci", "Frame Relay DLCI", NUMBER, 2},
    {ARPHRD_FRAD, "frad", "Frame Relay Access Device", NO_ADDRESS, 0},
    {ARPHRD_SIT, "sit", "IPv6-in-IPv4", NO_ADDRESS, 0},
    {ARPHRD_FDDI, "fddi", "Fiber Distributed Data Interface", DASHES_CAPITALS, 6},
    {ARPHRD_HIPPI, "hippi", "HIPPI", COLONS_CAPITALS, 6},
    {ARPHRD_IRDA, "irda", "IrLAP", BACKWARDS, 4},
    {ARPHRD_X25, "x25", "generic X.25", LETTERS, 16},
    {ARPHRD_INFINIBAND, "infiniband", "InfiniBand", COLONS_CAPITALS, 20},
    {ARPHRD_EUI64, "eui64", "Generic EUI-64", COLONS_CAPITALS, 8},
    {-1, "unspec", "UNSPEC", DASHES_CAPITALS, 16},
};

/* Six letters shifted left by one, blanks at their end, and a number. */
static void put_call_sign(const unsigned char *b)
{
    for (int k = 0; k < 6 && b[k] >> 1 && b[k] >> 1 != ' '; k++)
        putchar(b[k] >> 1);
    if ((b[6] & 0x1e) >> 1)
        printf("-%d", (b[6] & 0x1e) >> 1);
}

static void put_bytes(const unsigned char *b, const struct hardware *h)
{
    bool capitals = h->writing == COLONS_CAPITALS || h->writing == DASHES_CAPITALS;
    for (int k = 0; k < h->length; k++) {
        if (k && h->writing != PLAIN)
            putchar(h->writing == DASHES_CAPITALS ? '-' : ':');
        printf(capitals ? "%02X" : "%02x", h->writing == BACKWARDS ? b[h->length - 1 - k] : b[k]);
    }
}

static void put_hardware(const struct interface *i)
{
    const struct hardware *h = types;
    int16_t number;
    while (h->type != -1 && h->type != i->type)
        h++;
    printf("        %s%s", h->name, h->writing == NO_ADDRESS ? "" : " ");
    switch (h->writing) {
    case NO_ADDRESS:
    case EMPTY:
        break;
    case CALL_SIGN:
        put_call_sign(i->hardware);
        break;
    case NUMBER:
        memcpy(&number, i->hardware, sizeof number);
        printf("%d", number);
        break;
    case LETTERS:
        printf("%.*s", h->length, (const char *)i->hardware);
        break;
    default:
        put_bytes(i->hardware, h);
    }
    if (h->type == ARPHRD_INFINIBAND)
        fputs("Infiniband hardware address can be incorrect! Please read BUGS section in "
              "ifconfig(8).\n",
              stderr);
    if (i->queue != -1)
        printf("  txqueuelen %d", i->queue);
    printf("  (%s)\n", h->title);
}

static void put_media(const struct interface *i)
{
    static const char *const ports[] = {"unknown",  "10base2",   "10baseT",  "AUI",
                                        "100baseT", "100baseTX", "100baseFX"};
    if (!(i->flags & IFF_PORTSEL))
        return;
    printf("        media %s", ports[i->map.port < sizeof ports / sizeof *ports ? i->map.port : 0]);
    puts(i->flags & IFF_AUTOMEDIA ? "autoselect" : "");
}

static void put_device(const struct interface *i)
{
    const struct ifmap *m = &i->map;
    bool base = m->base_addr >= 0x100;
    if (!m->irq && !m->mem_start && !m->dma && !base)
        return;
    fputs("        device ", stdout);
    if (m->irq)
        printf("interrupt %d  ", m->irq);
    if (base)
        printf("base 0x%x  ", m->base_addr);
    if (m->mem_start)
        printf("memory 0x%lx-%lx  ", m->mem_start, m->mem_end);
    if (m->dma)
        printf("  dma 0x%x", m->dma);
    putchar('\n');
}

/* --- counters --- */

/* "RX packets 12  bytes 3456 (3.3 KiB)"; a unit only for what is more than one of it. */
static void put_traffic(const char *way, uint64_t packets, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    while (unit < 6 && bytes > UINT64_C(1) << (10 * (unit + 1)))
        unit++;
    uint64_t tenths = bytes * 10 >> (10 * unit);
    if (unit == 6) /* ten times as much has no room */
        tenths = bytes / UINT64_C(115292150460684697);
    printf("        %s packets %" PRIu64 "  bytes %" PRIu64 " (%" PRIu64 ".%" PRIu64 " %s)\n", way,
           packets, bytes, tenths / 10, tenths % 10, units[unit]);
}

static void put_counters(const struct interface *i)
{
    const uint64_t *c = i->counters;
    bool compresses = i->type == ARPHRD_CSLIP || i->type == ARPHRD_CSLIP6;
    put_traffic("RX", c[RX_PACKETS], c[RX_BYTES]);
    if (compresses)
        printf("        RX compressed:%" PRIu64 "\n", c[RX_COMPRESSED]);
    printf("        RX errors %" PRIu64 "  dropped %" PRIu64 "  overruns %" PRIu64
           "  frame %" PRIu64 "\n",
           c[RX_ERRORS], c[RX_DROPPED], c[RX_FIFO], c[RX_FRAME]);
    put_traffic("TX", c[TX_PACKETS], c[TX_BYTES]);
    if (compresses)
        printf("        TX compressed %" PRIu64 "\n", c[TX_COMPRESSED]);
    printf("        TX errors %" PRIu64 "  dropped %" PRIu64 " overruns %" PRIu64
           "  carrier %" PRIu64 "  collisions %" PRIu64 "\n",
           c[TX_ERRORS], c[TX_DROPPED], c[TX_FIFO], c[TX_CARRIER], c[TX_COLLISIONS]);
}

void netstat_interface_long(const struct netstat *n, const struct interface *i)
{
    printf("%s: ", netstat_interface_name(n, i->name));
    put_flags(i);
    printf("  mtu %d", i->mtu);
    if (i->outfill || i->keepalive)
        printf("  outfill %d  keepalive %d", i->outfill, i->keepalive);
    putchar('\n');
    if (i->has_address)
        put_ipv4(i);
    put_ipv6(i->name);
    put_hardware(i);
    put_media(i);
    if (i->counted)
        put_counters(i);
    put_device(i);
    putchar('\n');
}
