/* sockets.c - what nc's letters set on a socket before it is used; nc.h. */
#include "nc/nc.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value);
}

/* -M and -m, for the socket's family; a dual socket sends IPv4, too. */
static int set_hops(const struct nc_options *o, int fd, int family)
{
    bool v6 = family == AF_INET6;
    if (o->minttl >= 0 && (v6 ? set(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, o->minttl)
                              : set(fd, IPPROTO_IP, IP_MINTTL, o->minttl)) < 0)
        return nc_fail("set min ttl: %s", strerror(errno));
    if (o->ttl >= 0 && (v6 ? set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, o->ttl)
                           : set(fd, IPPROTO_IP, IP_TTL, o->ttl)) < 0)
        return nc_fail("set ttl: %s", strerror(errno));
    return 0;
}

/* RFC 2385's signature for the peer `at`. */
static int set_md5(const struct nc *nc, int fd, const struct hail_addr *at)
{
    struct tcp_md5sig sig = {.tcpm_keylen = (uint16_t)strlen(nc->md5_key)};
    memcpy(&sig.tcpm_addr, &at->u, at->len);
    memcpy(sig.tcpm_key, nc->md5_key, sig.tcpm_keylen);
    return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig);
}

bool nc_ask(const char *prompt, char *out, size_t size)
{
    struct termios shown, hidden;
    FILE *tty = fopen("/dev/tty", "r+e");
    if (!tty || tcgetattr(fileno(tty), &shown) < 0) {
        if (tty)
            fclose(tty);
        return false;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, tty);
    fflush(tty);
    tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
    bool got = fgets(out, (int)size, tty) != NULL;
    tcsetattr(fileno(tty), TCSAFLUSH, &shown);
    putc('\n', tty);
    fclose(tty);
    out[got ? strcspn(out, "\n") : 0] = '\0';
    return got;
}

int nc_ask_md5(struct nc *nc)
{
    return nc_ask("TCP MD5SIG password: ", nc->md5_key, sizeof nc->md5_key)
               ? 0
               : nc_fail("Unable to read TCP MD5SIG password");
}

int nc_socket_options(const struct nc *nc, int fd, const struct hail_addr *at)
{
    const struct nc_options *o = &nc->o;
    int family = at->u.sa.sa_family;
    if (o->md5 && family != AF_UNIX && set_md5(nc, fd, at) < 0)
        return nc_fail("TCP MD5 signature: %s", strerror(errno));
    if (o->debug && set(fd, SOL_SOCKET, SO_DEBUG, 1) < 0)
        return nc_fail("%s", strerror(errno));
    bool v6 = family == AF_INET6;
    if (o->tos >= 0 && family != AF_UNIX &&
        (v6 ? set(fd, IPPROTO_IPV6, IPV6_TCLASS, o->tos) : set(fd, IPPROTO_IP, IP_TOS, o->tos)) < 0)
        return nc_fail("set IP%s: %s", v6 ? "v6 traffic class" : " ToS", strerror(errno));
    if (o->rcvbuf > 0 && set(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf) < 0)
        return nc_fail("set TCP receive buffer size: %s", strerror(errno));
    if (o->sndbuf > 0 && set(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf) < 0)
        return nc_fail("set TCP send buffer size: %s", strerror(errno));
    return family == AF_UNIX ? 0 : set_hops(o, fd, family);
}
