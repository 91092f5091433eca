/* lan.c - this machine's addresses, and a URL for a phone's camera; lan.h. */
#include "lan.h"

#include "proto/qr.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <langinfo.h>
#include <locale.h>
#include <net/if.h>
#include <string.h>

#define QUIET                                                                                      \
    2 /* modules around the symbol; 4 by the standard, but scanners are content with this */

static bool is_private(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET6)
        return (((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr[0] & 0xfe) ==
               0xfc;
    uint32_t ip = ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr);
    return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8;
}

static bool is_of_interest(const struct ifaddrs *i)
{
    if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        return true;
    return i->ifa_addr->sa_family == AF_INET6 &&
           !IN6_IS_ADDR_LINKLOCAL(
               &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr);
}

static void add(struct lan *l, const struct sockaddr *a)
{
    const void *bytes = a->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr
                            : &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (l->n < LAN_ADDRESSES && inet_ntop(a->sa_family, bytes, l->v[l->n], sizeof l->v[0]))
        l->n++;
}

void lan_addresses(struct lan *l)
{
    static const struct {
        sa_family_t family;
        bool private;
    } order[] = {{AF_INET, true}, {AF_INET, false}, {AF_INET6, true}, {AF_INET6, false}};
    struct ifaddrs *all;
    *l = (struct lan){.n = 0};
    if (getifaddrs(&all) < 0)
        return;
    for (size_t o = 0; o < sizeof order / sizeof *order; o++)
        for (const struct ifaddrs *i = all; i; i = i->ifa_next)
            if (is_of_interest(i) && i->ifa_addr->sa_family == order[o].family &&
                is_private(i->ifa_addr) == order[o].private)
                add(l, i->ifa_addr);
    freeifaddrs(all);
}

/* --- QR Code --- */

static bool is_dark(const struct hail_qr *q, int row, int column)
{
    return row >= 0 && column >= 0 && row < q->side && column < q->side && q->dark[row][column];
}

static bool shows_blocks(void)
{
    return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void lan_qr(const struct common *c, const char *url)
{
    static const char *const blocks[] = {" ", "\u2580", "\u2584", "\u2588"};
    struct hail_qr q;
    if (!c->terminal || !c->colour || !shows_blocks() || hail_qr(url, strlen(url), &q) < 0 ||
        q.side + 2 * QUIET > c->columns)
        return;
    for (int row = -QUIET; row < q.side + QUIET; row += 2) {
        fputs("\033[38;5;16;48;5;231m", stdout); /* black on white, whatever the terminal's own */
        for (int column = -QUIET; column < q.side + QUIET; column++)
            fputs(blocks[is_dark(&q, row, column) + 2 * is_dark(&q, row + 1, column)], stdout);
        fputs("\033[0m\n", stdout);
    }
}
