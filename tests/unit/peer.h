/* peer.h - the other end in tests of the network layer: bare sockets, so that hail is never its own
 * judge; a trace that writes down what it is told.
 */
#ifndef HAIL_TESTS_PEER_H
#define HAIL_TESTS_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hail/hail.h>

#include "support.h"

#define UNUSED __attribute__((unused))

/* A context that gives up after 5 s, so that a fault ends the test and does not hang it. */
static UNUSED struct hail_ctx soon(void)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    ctx.by = hail_deadline_in(5000);
    return ctx;
}

static UNUSED struct hail_endpoint endpoint(const char *text)
{
    struct hail_ctx ctx = HAIL_CTX_INIT;
    struct hail_endpoint ep;
    assert_int_equal(hail_endpoint_parse(&ctx, &ep, text, 0), 0);
    return ep;
}

static UNUSED struct hail_endpoint port_endpoint(const char *host, uint16_t port)
{
    char text[300];
    snprintf(text, sizeof text, "%s:%u", host, port);
    return endpoint(text);
}

/* A bare listener on loopback; *port is what the system picked. */
static UNUSED int raw_listener(int family, uint16_t *port)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6;
    socklen_t len = family == AF_INET ? sizeof in4 : sizeof in6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, sa, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, sa, &len), 0);
    *port = ntohs(family == AF_INET ? in4.sin_port : in6.sin6_port);
    return fd;
}

/* A port on loopback that nothing listens on. */
static UNUSED uint16_t dead_port(int family)
{
    uint16_t port;
    close(raw_listener(family, &port));
    return port;
}

/* A bare connection to loopback; -1 with errno. */
static UNUSED int raw_connect(int family, uint16_t port)
{
    struct sockaddr_in in4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, family == AF_INET ? (struct sockaddr *)&in4 : (struct sockaddr *)&in6,
                family == AF_INET ? sizeof in4 : sizeof in6) == 0)
        return fd;
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

/* Closes with RST in place of FIN: tcp(7), SO_LINGER of zero. */
static UNUSED void raw_reset(int fd)
{
    struct linger hard = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd);
}

/* --- a trace as lines of text: "START stream", "IN 5", "DONE attempt 111 connection refused" ---
 */

struct log_trace {
    struct hail_trace base;
    char text[4096];
    size_t len;
};

static UNUSED void log_event(struct hail_trace *self, const struct hail_event *e)
{
    static const char *const kinds[] = {"START", "NOTE", "IN", "OUT", "DONE"};
    struct log_trace *log = (struct log_trace *)self;
    size_t room = sizeof log->text - log->len;
    int n;
    if (e->kind == HAIL_EVENT_IN || e->kind == HAIL_EVENT_OUT)
        n = snprintf(log->text + log->len, room, "%u/%u %s %zu\n", e->span, e->parent,
                     kinds[e->kind], e->len);
    else if (e->kind == HAIL_EVENT_DONE)
        n = snprintf(log->text + log->len, room, "%u/%u DONE %s %d %s\n", e->span, e->parent, e->op,
                     e->errnum, e->text ? e->text : "");
    else
        n = snprintf(log->text + log->len, room, "%u/%u %s %s\n", e->span, e->parent,
                     kinds[e->kind], e->op);
    assert_true(n > 0 && (size_t)n < room);
    assert_true(e->at_ns > 0);
    log->len += (size_t)n;
}

#define LOG_TRACE                                                                                  \
    {                                                                                              \
        .base.event = log_event                                                                    \
    }

#endif
